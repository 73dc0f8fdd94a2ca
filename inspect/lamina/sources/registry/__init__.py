"""Images in a registry, without an engine: by the OCI distribution API, credentials as the docker CLI keeps them."""
