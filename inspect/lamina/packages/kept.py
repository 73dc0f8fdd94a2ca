"""What was read of an image's records, kept with the image: read again, packed layers would be unpacked again."""

from __future__ import annotations

import json
from dataclasses import field
from itertools import accumulate, pairwise

from lamina.dataclass import dataclass
from lamina.packages.go import BuildInfo

_MOST = 64 << 20
"""Bytes above which they are not kept: an rpm database is read anew."""


@dataclass(slots=True)
class KeptRecords:
    """First bytes of files, and what programs tell."""

    content: dict[int, bytes] = field(default_factory=dict)
    """By inode."""
    programs: dict[int, BuildInfo | None] = field(default_factory=dict)
    """By inode; None for what is no program of Go's."""

    def to_bytes(self) -> bytes | None:
        """All of it; None where there is nothing, or too much."""
        if not (self.content or self.programs) or sum(map(len, self.content.values())) > _MOST:
            return None
        head = {
            "inodes": list(self.content),
            "sizes": [len(data) for data in self.content.values()],
            "programs": [
                [inode, info and [text.decode("latin-1") for text in (info.path, info.module, info.version)]]
                for inode, info in self.programs.items()
            ],
        }
        return b"".join([json.dumps(head).encode(), b"\n", *self.content.values()])


def kept_from_bytes(data: bytes | None) -> KeptRecords:
    """What was kept; nothing where nothing was, or where it is of another form."""
    if data is None:
        return KeptRecords()
    line, _, rest = data.partition(b"\n")
    try:
        head = json.loads(line)
        bounds = pairwise(accumulate(head["sizes"], initial=0))
        content = {inode: rest[start:stop] for inode, (start, stop) in zip(head["inodes"], bounds, strict=True)}
        programs = {
            inode: info and BuildInfo(*(text.encode("latin-1") for text in info)) for inode, info in head["programs"]
        }
        return KeptRecords(content, programs)
    except (ValueError, KeyError, TypeError):
        return KeptRecords()
