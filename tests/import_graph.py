"""The house as its imports draw it: rooms, the arrows between them, circles among modules, and the size of files.

python tests/import_graph.py
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent
ROOTS = {"lamina": ROOT / "inspect", "lamina_tui": ROOT / "tui"}


@dataclass(frozen=True)
class House:
    """What the imports say."""

    arrows: dict[str, set[str]]
    """By room the rooms that it imports from."""
    circles: list[list[str]]
    """Modules that import each other in a circle."""
    files: Counter[str]
    """By room how many."""
    lines: dict[str, int]
    """By module how many."""

    def floors(self) -> list[list[str]]:
        """The rooms, those first that import no other."""
        left, floors = dict(self.arrows), []
        while left:
            floor = sorted(room for room, below in left.items() if not below & left.keys())
            if not floor:
                raise ValueError(f"the rooms go in a circle: {sorted(left)}")
            floors.append(floor)
            for room in floor:
                del left[room]
        return floors


def room_of(module: str) -> str:
    """The room that a module stands in: a package below the root, or a module beside the packages."""
    return ".".join(module.split(".")[:2])


def house() -> House:
    """Look at the imports, also at those inside functions and for types only."""
    graph = grimp.build_graph(*ROOTS)
    modules = sorted(graph.modules)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in modules}
    arrows: dict[str, set[str]] = {}
    for module, others in imports.items():
        here = arrows.setdefault(room_of(module), set())
        here |= {room_of(other) for other in others}
    for room, others in arrows.items():
        others.discard(room)
    lines = {module: len(_file(module).read_text().splitlines()) for module in modules}
    return House(arrows, _circles(imports), Counter(room_of(module) for module in modules), lines)


def _path(module: str) -> Path:
    return ROOTS[module.partition(".")[0]].joinpath(*module.split("."))


def _file(module: str) -> Path:
    path = _path(module)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """What is left when modules that import nothing that is left are taken away, and then such that nobody imports."""
    left = {module: set(others) for module, others in imports.items()}
    while True:
        ends = [m for m, others in left.items() if not others & left.keys()]
        wanted = {other for others in left.values() for other in others}
        ends += [m for m in left if m not in wanted]
        if not ends:
            break
        for module in ends:
            left.pop(module, None)
    return [sorted(left)] if left else []


def main() -> None:
    """Print it."""
    found = house()
    for number, floor in reversed(list(enumerate(found.floors()))):
        for room in floor:
            below = ", ".join(sorted(found.arrows[room]))
            print(f"{number:>2}  {room:<28} {found.files[room]:>3} files  -> {below}")
    arrows = sum(map(len, found.arrows.values()))
    longest = max(found.lines, key=lambda module: found.lines[module])
    print(f"{len(found.arrows)} rooms, {arrows} arrows, {len(found.circles)} circles among {len(found.lines)} modules")
    print(f"the longest file: {longest}, {found.lines[longest]} lines")


if __name__ == "__main__":
    main()
