"""What an image's own layers weigh and waste, apart from its base's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lamina.among import among
from lamina.dataclass import dataclass
from lamina.model import Cause

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lamina.figures.image import LoadedImage

_AGAIN = (Cause.METADATA, Cause.IDENTICAL)
"""What a layer ships again with the same content: it need not."""


@dataclass(frozen=True, slots=True)
class OwnFigures:
    """An image's layers above its base. Bytes."""

    layers: int
    size: int
    """Sum of their sizes."""
    base_size: int
    """Of the layers of the base; with ``size`` the image's."""
    wasted: int
    """What whoever builds them can save: see :func:`own_waste`."""


def own_figures(image: LoadedImage) -> OwnFigures | None:
    """The figures of an image's own layers; None where it has no base that is known."""
    if image.base is None:
        return None
    count = image.base.layers
    sizes = [layer.size for layer in image.layers]
    wasted = int(image.waste.size[own_waste(image)].sum())
    return OwnFigures(len(sizes) - count, sum(sizes[count:]), sum(sizes[:count]), wasted)


def own_waste(image: LoadedImage) -> NDArray[np.bool_]:
    """Which rows of an image's waste are of its own layers' doing; all where no base is known.

    Those are bytes that its own layers ship, and files of the base that they ship again with the same content
    (``chmod -R``). What they only remove or replace, the base has shipped already: to leave it there saves nothing.
    """
    waste = image.waste
    if image.base is None:
        return np.ones(len(waste), dtype=bool)
    count = image.base.layers
    again = among(waste.cause, _AGAIN) & (waste.hidden_by >= count)
    return (waste.layer >= count) | again
