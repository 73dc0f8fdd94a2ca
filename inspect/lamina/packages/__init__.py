"""What an image's package managers have installed: whose bytes they are, read from the managers' own records."""
