"""Whether what an image runs is there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lamina.advice.examined import Examined, Rows
from lamina.advice.finding import Finding, Rule
from lamina.advice.model import Severity
from lamina.contents import elf
from lamina.figures.links import follow_text
from lamina.names import display_name
from lamina.stack.union import ABSENT

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where engines look for programs when the image says nothing."""
_LONGEST = 4096  # characters of a path, of a PATH


class Entrypoint(Rule):
    """What the image runs is not there, or can't be run in it.

    The program of ENTRYPOINT or CMD is no file of the final file system, may not be executed, or asks for a loader or
    an interpreter that the image lacks: a program built for glibc in an image of musl, a script with line ends of
    Windows. A name without a slash is looked for along PATH, where the image has any folder of that. The container
    won't start.
    """

    name = "entrypoint"
    most = Severity.MEDIUM

    def wanted(self, image: Examined) -> Rows:
        """The program."""
        event = self._event(image)
        return np.array([] if event is None else [image.union.inode[event]], dtype=np.int32)

    def find(self, image: Examined) -> Iterator[Finding]:
        """One finding at most."""
        name = self._program(image)
        if name is None:
            return
        event, union = self._event(image), image.union
        shown = display_name(name[:200])
        if event is None:
            if "/" in name or self._folders(image):
                yield _told("What the image runs is not in it.", f"Copy or install {shown}, or mend ENTRYPOINT or CMD.")
            return
        rows = union.path[event : event + 1]
        layer = int(union.born[event])
        if not union.mode[event] & 0o111:
            yield _told(
                "What the image runs may not be executed.", f"Make {shown} executable (COPY --chmod=0755).", rows, layer
            )
            return
        head = image.heads.get(int(union.inode[event]), b"")
        needs = elf.loader_of(head) or _interpreter(head)
        if needs is not None and follow_text(union, needs.strip(b"/"), union.layer_count - 1).row is None:
            yield _told(
                "What the image runs asks for a loader or an interpreter that is not in the image.",
                f"{shown} wants {display_name(needs[:200])}: build it for this image, or link it statically.",
                rows,
                layer,
            )

    def _program(self, image: Examined) -> str | None:
        """The first word of what is run."""
        for key in ("Entrypoint", "Cmd"):
            words = image.config.get(key)
            if isinstance(words, list) and words:
                first = words[0]
                return first if isinstance(first, str) and 0 < len(first) <= _LONGEST else None
        return None

    def _event(self, image: Examined) -> int | None:
        """What stands where the program should; None where no file does."""
        name = self._program(image)
        if name is None:
            return None
        if "/" in name:
            folder = image.config.get("WorkingDir")
            start = folder if isinstance(folder, str) and not name.startswith("/") else ""
            tries = [f"{start[:_LONGEST]}/{name}"]
        else:
            tries = [f"{folder}/{name}" for folder in self._folders(image)]
        last = image.union.layer_count - 1
        for path in tries:
            row = follow_text(image.union, path.strip("/").encode("utf-8", "surrogatepass"), last).row
            event = ABSENT if row is None else int(image.event_at[row])
            if event != ABSENT and image.regular[event]:
                return event
        return None

    def _folders(self, image: Examined) -> list[str]:
        """The folders of PATH that the image has."""
        env = image.config.get("Env")
        said = [each for each in env if isinstance(each, str)] if isinstance(env, list) else []
        path = next((each[5:] for each in said if each.startswith("PATH=")), _PATH)[:_LONGEST]
        folders = [folder for folder in path.split(":") if folder]
        return [folder for folder in folders if self._is_there(image, folder)]

    def _is_there(self, image: Examined, folder: str) -> bool:
        row = image.lookup.folder(folder.strip("/").encode("utf-8", "surrogatepass"))
        return row is not None and bool(image.event_at[row] != ABSENT)


def _interpreter(head: bytes) -> bytes | None:
    """What a script's first line asks for (execve(2)); None where it is no script."""
    if not head.startswith(b"#!"):
        return None
    line = head[2:256].partition(b"\n")[0].strip(b" \t")
    return line.replace(b"\t", b" ").partition(b" ")[0] or None


def _told(text: str, do: str, rows: Rows | None = None, layer: int | None = None) -> Finding:
    return Finding(
        text=text,
        do=do,
        rows=np.zeros(0, dtype=np.int32) if rows is None else rows,
        layers=() if layer is None else (layer,),
        changes=layer,
        severity=Entrypoint.most,
    )
