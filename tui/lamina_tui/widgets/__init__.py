"""The parts screens are made of; each draws its own lines straight from the core's columns."""
