"""The work of reading on all cores: what is to be done, and who does it."""
