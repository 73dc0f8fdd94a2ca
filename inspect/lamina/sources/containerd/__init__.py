"""Images of a containerd without an engine before it: what its metadata names, from its content store, read-only."""
