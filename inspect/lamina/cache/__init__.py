"""What was read before, on disk: bytes in, bytes out, and what vouches for them."""
