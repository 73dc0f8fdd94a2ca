"""The unit of a tar: everything stands in blocks of 512 bytes (tar(5))."""

BLOCK = 512
ZERO_BLOCK = bytes(BLOCK)
