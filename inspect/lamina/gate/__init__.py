"""Limits and verdicts for CI: ``lamina check``."""
