"""The bytes of files: where a path leads to, its content, and the ways to take it out."""
