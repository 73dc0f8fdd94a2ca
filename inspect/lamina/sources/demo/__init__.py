"""The built-in sample images."""
