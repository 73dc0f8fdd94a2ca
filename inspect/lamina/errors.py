"""What goes wrong, and the wish to stop. Imports nothing, so that a command starts at once."""


class LaminaError(Exception):
    """A source can't be read or reached. Its text is one line: what, where, what to do.

    The text may hold untrusted names: whoever shows it passes it
    through :func:`lamina.names.display_name` first.
    """


class Cancelled(Exception):
    """The user asked to stop; what was read so far stays usable."""


class OtherPlatform(LaminaError):
    """What was named is an image, but none for the platform that was asked for."""


class NotAnImage(LaminaError):
    """What was named is something else than a container image: a signature, an SBOM, a chart."""
