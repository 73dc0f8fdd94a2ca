"""What is computed of one image, and of several."""
