"""Layers with a table of contents, written by hand to their specifications."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import hashlib
import json
import struct
from collections.abc import Sequence
from typing import Any

from builders import sha256
from tars import END, Member, file, written
from zstd_frames import compress_zstd

KINDS = {b"0": "reg", b"1": "hardlink", b"2": "symlink", b"3": "char", b"4": "block", b"5": "dir", b"6": "fifo"}
XATTR = b"SCHILY.xattr."
TABLE = "stargz.index.json"


def entry(member: Member) -> dict[str, Any]:
    """A member as a table lists it: what is zero is left out."""
    time = dt.datetime.fromtimestamp(member.mtime, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    attributes = {
        key.removeprefix(XATTR).decode(): base64.b64encode(value).decode()
        for key, value in member.pax.items()
        if key.startswith(XATTR)
    }
    listed = {
        "name": member.name.decode(),
        "type": KINDS[member.flag],
        "size": len(member.content),
        "modtime": time if member.mtime else "",
        "linkName": member.link.decode(),
        "mode": member.mode,
        "uid": member.uid,
        "gid": member.gid,
        "devMajor": member.device[0],
        "devMinor": member.device[1],
        "xattrs": attributes,
        "digest": sha256(member.content) if member.flag == b"0" and member.content else "",
    }
    return {key: value for key, value in listed.items() if value}


def table(members: Sequence[Member], **further: Any) -> bytes:
    """The JSON of some members; a file of more than 4000 bytes is listed in chunks, as builders do."""
    entries = []
    for member in members:
        entries.append(entry(member))
        if len(member.content) > 4000:
            entries[-1]["chunkSize"] = 4000
            entries.append({"name": entries[-1]["name"], "type": "chunk", "offset": 9, "chunkOffset": 4000})
    return json.dumps({"version": 1, "entries": entries, **further}, indent="\t").encode()


def estargz(members: Sequence[Member], document: bytes | None = None) -> tuple[bytes, dict[str, str]]:
    """A blob, and the annotations of its descriptor: a gzip member for each file, the table's, and a footer."""
    document = table(members) if document is None else document
    parts = [gzip.compress(written(member), 1, mtime=0) for member in members]
    start = sum(map(len, parts))
    parts.append(gzip.compress(written(file(TABLE, document, mode=0, mtime=0)) + END, 9, mtime=0))
    extra = b"SG" + struct.pack("<H", 22) + b"%016xSTARGZ" % start
    head = b"\x1f\x8b\x08\x04" + bytes(5) + b"\xff" + struct.pack("<H", len(extra)) + extra
    parts.append(head + b"\x01\x00\x00\xff\xff" + bytes(8))
    return b"".join(parts), {"containerd.io/snapshot/stargz/toc.digest": sha256(document)}


def zstd_chunked(
    members: Sequence[Member], document: bytes | None = None, prefix: str = "io.github.containers"
) -> tuple[bytes, dict[str, str]]:
    """A blob, and the annotations of its descriptor: frames of files, and the table in a frame that is skipped."""
    document = table(members, tarSplitDigest="") if document is None else document
    data = b"".join(compress_zstd(written(member)) for member in members) + compress_zstd(END)
    packed = compress_zstd(document)
    skipped = struct.pack("<II", 0x184D2A50, len(packed))
    place = f"{len(data) + len(skipped)}:{len(packed)}:{len(document)}:1"
    marks = {"checksum": "sha256:" + hashlib.sha256(packed).hexdigest(), "position": place}
    footer = struct.pack("<II", 0x184D2A50, 64) + bytes(64)
    annotations = {f"{prefix}.zstd-chunked.manifest-{key}": value for key, value in marks.items()}
    return data + skipped + packed + footer, annotations
