"""Files of a view in ncdu's export format 1.2, for ``ncdu -f``.

Source: https://dev.yorhel.nl/ncdu/jsonfmt. Names stand there as the bytes they are,
which lone surrogates stand for where they are no UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lamina.model import Change, Kind
from lamina.names import decode
from lamina.stack.tree_rows import TreeRows
from lamina.stack.union import ABSENT
from lamina.stack.view import View

_ESCAPED = re.compile(r'[\x00-\x1f"\\\x7f]')


def ncdu_export(tree: TreeRows, root: str, version: str) -> Iterator[str]:
    """Every path that a tree has, folded or not; see :func:`ncdu_below`."""
    return ncdu_below(tree.view, tree.shown, 0, root, version)


def ncdu_below(view: View, shown: NDArray[np.bool_], top: int, root: str, version: str) -> Iterator[str]:
    """What is below a folder and not removed.

    Sizes are bytes as the view has them, on disk and apparent alike: how a file system rounds them, an image doesn't
    know. A hard link counts where the view counts it, and is no link to ncdu.

    Args:
        view: which file system.
        shown: by path, what of the view is taken.
        top: the folder.
        root: what the outermost directory is called.
        version: of lamina.
    """
    paths = view.union.paths
    kept = shown & (view.change != Change.REMOVED)
    kept = paths.subtree_counts(kept) > 0
    inner = np.zeros(len(kept), dtype=bool)
    nodes = np.flatnonzero(kept)
    inner[paths.parent[nodes[nodes > 0]]] = True
    sizes = view.own(view.figures[0] if view.was is None else "after")
    yield f'[1,2,{{"progname":"lamina","progver":"{version}","timestamp":0}},\n'
    yield f'[{{"name":"{_quoted(root)}"}}'
    ends: list[int] = []
    for path in nodes[(nodes > top) & (nodes < paths.end[top])].tolist():
        while ends and ends[-1] <= path:
            ends.pop()
            yield "]"
        size, facts = max(0, int(sizes[path])), ""
        is_directory = inner[path] or view.kind(path) is Kind.DIR
        if size:
            facts += f',"asize":{size},"dsize":{size}'
        if view.event[path] != ABSENT:
            uid, gid = view.owner(path)
            facts += f',"uid":{uid},"gid":{gid},"mode":{view.mode(path)}'
            facts += f',"mtime":{max(0, view.mtime(path) // 10**9)}'
        if not is_directory and view.kind(path) not in (Kind.FILE, Kind.HARDLINK):
            facts += ',"notreg":true'
        name = _quoted(decode(paths.name(path)))
        yield f',\n{"[" if is_directory else ""}{{"name":"{name}"{facts}}}'
        if is_directory:
            ends.append(int(paths.end[path]))
    yield "]" * len(ends) + "]]\n"


def _quoted(name: str) -> str:
    """A name between the quotes of a JSON string."""
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", name)
