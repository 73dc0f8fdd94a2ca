"""Reads container images and counts their bytes: layers, waste, sharing. Knows nothing of any screen."""

__version__ = "0.1.0"
