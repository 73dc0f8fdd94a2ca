"""The ``sharing`` object of ``lamina.report/1``, written here alone, and the heads of images beside it."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.figures.image import LoadedImage
from lamina.figures.overview import Overview, overview
from lamina.figures.sharing import SetMember, as_transferred, known_image, known_member, member_of, share
from lamina.model import ImageInfo, KnownImage
from lamina.reports.json_text import Json, plain_text


def head(info: ImageInfo) -> Json:
    """What tells an image from others."""
    return {
        "target": plain_text(info.target),
        "tags": [plain_text(tag) for tag in info.tags],
        "id": plain_text(info.id),
        "platform": plain_text(info.platform),
        "created": plain_text(info.created),
    }


def sharing_of(images: Sequence[LoadedImage]) -> Json:
    """What some read images share."""
    return _sharing([member_of(image) for image in images], overview(list(map(known_image, images))), pulls=True)


def sharing_of_known(images: Sequence[KnownImage]) -> Json:
    """The same from what an engine tells: no layer is read, so no pull cost is known; but what is reclaimable is."""
    found = overview(images)
    return {**_sharing(list(map(known_member, images)), found, pulls=False), "reclaimable": found.reclaimable}


def sharing_as_transferred(images: Sequence[KnownImage]) -> Json:
    """The same of images whose manifests tell what is transferred: ``size`` is that, and pulls are known."""
    told = [as_transferred(image) for image in images]
    return _sharing(list(map(known_member, told)), overview(told), pulls=True)


def sharing_of_engines(engines: Sequence[tuple[str, Sequence[KnownImage]]]) -> Json:
    """The same of several engines: each has a disk of its own, so that is counted by engine."""
    images = [image for _, own in engines for image in own]
    found = [overview(own) for _, own in engines]
    told = _sharing(list(map(known_member, images)), overview(images), pulls=False)
    standings = [standing for one in found for standing in one.standings]
    for row, standing in zip(told["images"], standings, strict=True):
        row["frees"] = None if standing is None else standing.frees
    return {
        **told,
        "on_disk": sum(one.on_disk for one in found),
        "reclaimable": sum(one.reclaimable for one in found),
        "common": _common(told["layers"], [len(own) for _, own in engines]),
        "engines": [
            {
                "engine": plain_text(name),
                "images": len(own),
                "sum": one.sum,
                "on_disk": one.on_disk,
                "reclaimable": one.reclaimable,
            }
            for (name, own), one in zip(engines, found, strict=True)
        ],
    }


def _common(layers: Sequence[Json], counts: Sequence[int]) -> int:
    """Bytes of the layers that images of every engine have; the first images are of the first engine, and so on."""
    engine_of = [engine for engine, count in enumerate(counts) for _ in range(count)]
    return sum(layer["size"] for layer in layers if len({engine_of[image] for image in layer["images"]}) == len(counts))


def _sharing(members: Sequence[SetMember], found: Overview, *, pulls: bool) -> Json:
    """The ``sharing`` object. Where the size of one of its layers is unknown, an image's figures are null."""
    sharing = share(members)
    known = [standing is not None for standing in found.standings]
    instructions = {layer.diff_id: layer.instruction for image in found.images for layer in image.layers}
    return {
        "sum": found.sum,
        "on_disk": found.on_disk,
        "reclaimable": None,  # of a whole engine only
        "images": [
            {
                "image": number,
                "size": image.size,
                "unique": sharing.unique[number] if known[number] else None,
                "shared": sharing.shared[number] if known[number] else None,
                "frees": None if standing is None else standing.frees,
                "shared_with": None if standing is None else standing.shared_with,
                "layers": len(image.layers),
            }
            for number, (image, standing) in enumerate(zip(found.images, found.standings, strict=True))
        ],
        "layers": [
            {
                "diff_id": layer.diff_id,
                "size": layer.size,
                "images": list(layer.images),
                "instruction": plain_text(instructions[layer.diff_id]),
            }
            for layer in sharing.layers
        ],
        "pairs": [
            {
                "a": pair.a,
                "b": pair.b,
                "shared": pair.shared if known[pair.a] and known[pair.b] else None,
                "pull_b_given_a": pair.b_given_a.bytes if pulls else None,
                "pull_a_given_b": pair.a_given_b.bytes if pulls else None,
                "compressed": pair.b_given_a.compressed and pair.a_given_b.compressed if pulls else None,
            }
            for pair in sharing.pairs
        ],
    }
