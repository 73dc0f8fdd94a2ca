"""The screens of what registries have, and of what the engine pulls from there."""
