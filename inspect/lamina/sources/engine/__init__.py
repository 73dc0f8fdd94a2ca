"""Images of a container engine: asked through its API, read from its own disk or from its export."""
