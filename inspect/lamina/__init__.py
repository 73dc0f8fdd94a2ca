"""See what a container image's layers ship, what they waste and what images share: exact to the byte.

    import lamina

    image = lamina.open("web.tar")
    image.size, image.wasted, image.layers[3].wasted

Sizes are bytes, always ``int``; paths are bytes, without a leading slash. Everything that an image says of itself
(names, instructions, labels) is untrusted text. Importing this loads nothing but this file: a name's module comes when
the name is first used. Nothing here forks a process unless :class:`Workspace` is asked for several ``workers``.
"""

from importlib import import_module

TYPE_CHECKING = False  # type checkers know it by its name: typing itself takes longer to load than all the rest here
if TYPE_CHECKING:
    from lamina.advice.model import Advice
    from lamina.errors import Cancelled, LaminaError
    from lamina.figures.compare import Comparison
    from lamina.figures.duplicates import Duplicate
    from lamina.figures.sharing import Sharing
    from lamina.image import Image, Layer, compare, share
    from lamina.model import Cause, Change, ImageInfo, ImageSummary, KnownImage, LayerInfo, Progress
    from lamina.packages.model import Package, PackageTable
    from lamina.sources.base import Observer
    from lamina.stack.waste import WasteRow
    from lamina.workspace import Workspace, open  # noqa: A004  # lamina.open, as webbrowser.open and tarfile.open

__version__ = "0.2.0"

__all__ = [
    "Advice",
    "Cancelled",
    "Cause",
    "Change",
    "Comparison",
    "Duplicate",
    "Image",
    "ImageInfo",
    "ImageSummary",
    "KnownImage",
    "LaminaError",
    "Layer",
    "LayerInfo",
    "Observer",
    "Package",
    "PackageTable",
    "Progress",
    "Sharing",
    "WasteRow",
    "Workspace",
    "__version__",
    "compare",
    "open",
    "share",
]

_HOME = {
    "Advice": "lamina.advice.model",
    "Cancelled": "lamina.errors",
    "Cause": "lamina.model",
    "Change": "lamina.model",
    "Comparison": "lamina.figures.compare",
    "Duplicate": "lamina.figures.duplicates",
    "Image": "lamina.image",
    "ImageInfo": "lamina.model",
    "ImageSummary": "lamina.model",
    "KnownImage": "lamina.model",
    "LaminaError": "lamina.errors",
    "Layer": "lamina.image",
    "LayerInfo": "lamina.model",
    "Observer": "lamina.sources.base",
    "Package": "lamina.packages.model",
    "PackageTable": "lamina.packages.model",
    "Progress": "lamina.model",
    "Sharing": "lamina.figures.sharing",
    "WasteRow": "lamina.stack.waste",
    "Workspace": "lamina.workspace",
    "compare": "lamina.image",
    "open": "lamina.workspace",
    "share": "lamina.image",
}


def __getattr__(name: str) -> object:
    """A public name, whose module is loaded now (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'lamina' has no attribute {name!r}")
    value: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
