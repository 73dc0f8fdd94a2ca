"""What became of one path as JSON (schema ``lamina.history/1``) and as text, made from the JSON alone."""

from __future__ import annotations

import stat

import numpy as np

from lamina.amounts import plural
from lamina.contents.image_files import ImageFiles
from lamina.contents.whole_history import WholeHistory
from lamina.figures.path_history import PathVersion
from lamina.model import Change, Kind
from lamina.names import decode, display_name, image_name, short_instruction
from lamina.reports.file_lines import TYPE_BITS
from lamina.reports.files import TYPES
from lamina.reports.json_text import Json, path_fields, plain_text
from lamina.reports.tables import path_of, table
from lamina.stack.changes import change_word

SCHEMA = "lamina.history/1"


def build(image: ImageFiles, found: WholeHistory) -> Json:
    """A path's history as a JSON object.

    ``layers`` has one entry for each layer that touched it, the lowest first: ``change`` against what was there before,
    ``size`` in bytes that the layer ships, ``file_size`` in bytes of the file that the name leads to (a hard link ships
    none), ``mtime`` in nanoseconds since the epoch, ``hidden_by`` the layer that removes or replaces it. Of a removal
    ``type``, mode, owner and time are those of what was removed; a folder that no layer lists has null there. ``ships``
    is the layer that ships what is there in the end, null where nothing is.
    """
    info = image.info
    return {
        "schema": SCHEMA,
        "image": plain_text(image_name(info.tags, info.target)),
        **path_fields(found.path),
        "ships": found.ships,
        "layers": [_entry(version, info.layers[version.layer].instruction) for version in found.versions],
    }


def _entry(version: PathVersion, instruction: str) -> Json:
    return {
        "layer": version.layer,
        "change": version.change.name.lower(),
        "type": TYPES[version.kind],
        "size": version.size,
        "file_size": version.leads_to,
        "mode": version.mode if version.listed else None,
        "uid": version.uid if version.listed else None,
        "gid": version.gid if version.listed else None,
        "mtime": version.mtime if version.listed else None,
        "link": plain_text(decode(version.link)) or None,
        "hidden_by": version.hidden_by,
        "instruction": plain_text(instruction),
    }


def to_text(history: Json) -> str:
    """The history as plain text."""
    layers = history["layers"]
    lines = [f"{path_of(history) or '/'} of {display_name(history['image'])}: {plural(len(layers), 'layer')}", ""]
    lines += table(
        ("layer", "", "change", "bytes", "mode", "owner", "time", "instruction"),
        (_row(entry) for entry in layers),
        left={1, 2, 4, 5, 6, 7},
    )
    return "\n".join([*lines, "", _end(history)]) + "\n"


def _row(entry: Json) -> tuple[str, ...]:
    change = Change[entry["change"].upper()]
    instruction = short_instruction(entry["instruction"] or "") or "(no instruction)"
    if change is Change.REMOVED:
        return str(entry["layer"]), change.mark, "removed", "", "", "", "", instruction
    link = f" -> {display_name(entry['link'])}" if entry["link"] else ""
    kind = next(kind for kind, name in TYPES.items() if name == entry["type"])
    word = change_word(change, Kind(kind))
    mode, owner, time = stat.filemode(TYPE_BITS[kind])[0] + "?" * 9, "?", "?"
    if entry["mode"] is not None:
        mode = stat.filemode(TYPE_BITS[kind] | entry["mode"])
        owner = f"{entry['uid']}:{entry['gid']}"
        time = f"{np.datetime64(entry['mtime'], 'ns').astype('datetime64[s]')}Z"
    return str(entry["layer"]), change.mark, word + link, f"{entry['size']:,}", mode, owner, time, instruction


def _end(history: Json) -> str:
    last = history["layers"][-1]
    if history["ships"] is None:
        return f"nothing is there in the end: layer {last['layer']} removes it"
    if last["type"] not in (TYPES[Kind.FILE], TYPES[Kind.HARDLINK]):
        return f"layer {last['layer']} has what is there in the end"
    return f"layer {last['layer']} ships what is there in the end, {plural(last['file_size'], 'byte')}"
