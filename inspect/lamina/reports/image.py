"""The report: everything lamina knows of some images as one JSON object, schema ``lamina.report/1``.

Bytes are integers, what is unknown is null. A path is written as text; where it is not UTF-8 the text has U+FFFD in
place of what is not, and ``path_base64`` beside it has the bytes; ``instruction_base64`` likewise.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Sequence

from lamina.advice.advise import Advisor
from lamina.figures.base import BaseUpdate
from lamina.figures.dive import dive_figures
from lamina.figures.duplicates import find_duplicates
from lamina.figures.image import LayerFigures, LoadedImage, Tally
from lamina.figures.own import own_figures, own_waste
from lamina.figures.written import written
from lamina.model import LayerInfo
from lamina.reports.advice_rows import advice_fields
from lamina.reports.json_text import Json, path_fields, plain_text
from lamina.reports.packages import package_fields
from lamina.reports.sharing import head, sharing_of
from lamina.reports.waste_rows import WasteRows

SCHEMA = "lamina.report/1"
_WRITTEN = 1000
"""Of the names that a container changed: a database may have written millions."""


def build(images: Sequence[LoadedImage], cancel: threading.Event | None = None, *, own: bool = False) -> Json:
    """The report of some images; with two or more also what they share.

    Args:
        images: completely read.
        cancel: stops the search for duplicates.
        own: whether ``waste`` and ``advice`` leave out what only who builds an image's base can mend.

    Raises:
        LaminaError: a file that a figure needs can't be read any more.
        Cancelled: ``cancel`` was set.
    """
    report: Json = {"schema": SCHEMA, "images": [_image(image, cancel, own) for image in images]}
    if len(images) > 1:
        report["sharing"] = sharing_of(images)
    return report


def _image(image: LoadedImage, cancel: threading.Event | None, own: bool) -> Json:
    info = image.info
    advisor = Advisor(image, cancel=cancel)
    packages = advisor.find_packages()
    duplicates = find_duplicates(image, cancel)
    dive = dive_figures(image.union, [layer.size for layer in image.layers])
    return {
        **head(info),
        "size": image.size,
        "visible": image.visible,
        "wasted": image.wasted,
        "efficiency": image.efficiency,
        "files": image.files,
        "blob_size": info.blob_size,
        "dive": {
            "efficiency": dive.efficiency,
            "wasted": dive.wasted,
            "user_wasted_ratio": dive.user_wasted_ratio,
        },
        **_container(image),
        "base": _base(image),
        **({"own_only": True} if own and image.base is not None else {}),
        "layers": [_layer(layer, figures) for layer, figures in zip(info.layers, image.layers, strict=True)],
        "waste": WasteRows(image.waste.only(own_waste(image)) if own else image.waste),
        "duplicates": [
            {
                "size": duplicate.size,
                "copies": len(duplicate.paths),
                "bytes": duplicate.bytes,
                "paths": [path_fields(path) for path in duplicate.paths],
            }
            for duplicate in duplicates
        ],
        **package_fields(packages),
        "advice": [
            advice_fields(advice, info)
            for advice in advisor.advise(packages=packages, duplicates=duplicates)
            if not (own and advice.in_base)
        ],
    }


def _layer(info: LayerInfo, figures: LayerFigures) -> Json:
    return {
        "index": info.index,
        "diff_id": None if info.writable else info.diff_id,
        "digest": info.digest,
        "chain_id": None if info.writable else info.chain_id,
        **_instruction(info.instruction),
        "created": plain_text(info.created),
        "size": figures.size,
        "tar_size": None if info.writable else figures.tar_size,
        "blob_size": info.blob_size,
        "files": figures.files,
        "added": _tally(figures.added),
        "modified": _tally(figures.modified),
        "metadata": _tally(figures.metadata),
        "removed": _tally(figures.removed),
        "wasted": figures.wasted,
        "hides": figures.hides,
        **({"writable": True} if info.writable else {}),
    }


def _base(image: LoadedImage) -> Json | None:
    base, own = image.base, own_figures(image)
    if base is None or own is None:
        return None
    return {
        "layers": base.layers,
        "name": plain_text(base.name),
        "by": base.by,
        "size": own.base_size,
        "own": {"layers": own.layers, "size": own.size, "wasted": own.wasted},
        **({} if base.update is None else {"update": _update(base.update)}),
    }


def _update(update: BaseUpdate) -> Json:
    return {
        "moved_on": update.moved_on,
        "layers": update.layers,
        "bytes": update.bytes,
        "created": plain_text(update.created),
    }


def _container(image: LoadedImage) -> Json:
    container = image.info.container
    if container is None:
        return {}
    return {
        "container": {
            "name": plain_text(container.name),
            "state": plain_text(container.state),
            "image": plain_text(container.image),
            "written": [
                {**path_fields(row.path), "bytes": row.bytes, "before": row.before, "change": row.change.name.lower()}
                for row in written(image, _WRITTEN)
            ],
        }
    }


def _instruction(text: str) -> Json:
    plain = plain_text(text)
    if plain == text:
        return {"instruction": plain}
    raw = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")
    return {"instruction": plain, "instruction_base64": raw}


def _tally(tally: Tally) -> Json:
    return {"count": tally.count, "bytes": tally.bytes}
