"""Which line of a Dockerfile made which layer: its instructions held against the image's history, from the end."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lamina.dataclass import dataclass
from lamina.gate.dockerfile import Instruction, Stage
from lamina.names import short_instruction

MAKES_LAYERS = ("RUN", "COPY", "ADD", "WORKDIR")
"""Keywords of instructions that make one."""

_CLASSIC_COPY = re.compile(r"(?:file|dir|multi):[0-9a-f]{8,}\s+in\s+(\S+)")
_FLAGS = re.compile(r"--[a-z-]+(?:=\S*)?\s+")
_WORD = re.compile(r"[^\s\"'\[\],;]+")
_ALIKE = 0.5  # of two commands: fewer words in common are another command
_EXACT = 1.0


@dataclass(frozen=True, slots=True)
class LayerLine:
    """Where a layer comes from."""

    line: int
    exact: bool
    """Whether the history has the very instruction; else one that is much alike, in its place."""


def layer_lines(instructions: Sequence[str], stages: Sequence[Stage], first: int = 0) -> list[LayerLine | None]:
    """The line of each layer; None where no instruction is like it, as for the layers of the base.

    Args:
        instructions: the history's, of each layer.
        stages: the Dockerfile's. The one that fits best is taken for what was built; of equals the last.
        first: the first layer that can be of this Dockerfile: those below are known to be the base's.
    """
    best: list[LayerLine | None] = [None] * len(instructions)
    best_score = 0.0
    history = [_Command.of(short_instruction(text)) for text in instructions[first:]]
    for stage in reversed(stages):
        made = [each for each in stage.instructions if each.keyword in MAKES_LAYERS]
        # Lower layers than it has instructions are the base's, whatever they are called.
        skipped = max(len(history) - len(made), 0)
        score, matched = _aligned(history[skipped:], made)
        if score > best_score:
            best_score = score
            best = [*([None] * (first + skipped)), *matched]
    return best


@dataclass(frozen=True, slots=True)
class _Command:
    """An instruction as far as it can be told apart in a history."""

    keyword: str
    text: str
    words: frozenset[str]
    target: str
    """Of a copy: where to."""

    @staticmethod
    def of(text: str) -> _Command:
        keyword, _, rest = text.partition(" ")
        keyword = keyword.upper()
        rest = " ".join(_FLAGS.sub("", rest + " ").split() if keyword != "RUN" else rest.split())
        classic = _CLASSIC_COPY.search(rest) if keyword in ("COPY", "ADD") else None
        words = _WORD.findall(rest)
        target = classic[1] if classic else (words[-1] if words and keyword in ("COPY", "ADD", "WORKDIR") else "")
        return _Command(keyword, rest, frozenset(words), target)

    @staticmethod
    def written(instruction: Instruction) -> _Command:
        text = instruction.text
        if instruction.keyword == "RUN":
            text = _FLAGS.sub("", text) if text.startswith("--") else text
            heading, newline, body = text.partition("\n")
            # BuildKit writes the script, where there is nothing but a script.
            text = body if newline and heading.startswith("<<") else text
        else:
            text = text.partition("\n")[0]
        return _Command.of(short_instruction(f"{instruction.keyword} {text}"))

    def likeness(self, written: _Command) -> float:
        """How much this, of a history, is like one of a Dockerfile: 0 to 1."""
        if self.keyword != written.keyword:
            return 0.0
        if self.text == written.text:
            return _EXACT
        if self.keyword == "RUN":
            common = len(self.words & written.words)
            alike = 2 * common / max(len(self.words) + len(written.words), 1)
            return min(alike, 0.9) if alike >= _ALIKE else 0.0
        if "$" in written.target:
            return 0.6  # a variable: the history has its value
        if self.target.rstrip("/") == written.target.rstrip("/"):
            return 0.9
        # The classic builder puts the working folder before it.
        relative = written.target.removeprefix("./").strip("/")
        if not written.target.startswith("/") and (relative in ("", ".") or self.target.rstrip("/").endswith(relative)):
            return 0.7
        return 0.0


def _aligned(history: list[_Command], made: list[Instruction]) -> tuple[float, list[LayerLine | None]]:
    """The best way to lead layers to instructions, both in order; of equals the one that keeps to the end."""
    written = [_Command.written(each) for each in made]
    rows, columns = len(history), len(written)
    likeness = [[layer.likeness(each) for each in written] for layer in history]
    # best[i][j]: of the first i layers and the first j instructions.
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for row in range(rows):
        for column in range(columns):
            like = likeness[row][column]
            both = best[row][column] + like if like else 0.0
            best[row + 1][column + 1] = max(both, best[row][column + 1], best[row + 1][column])
    lines: list[LayerLine | None] = [None] * rows
    row, column = rows, columns
    while row and column:
        like = likeness[row - 1][column - 1]
        if like and best[row][column] == best[row - 1][column - 1] + like:
            lines[row - 1] = LayerLine(made[column - 1].line, like == _EXACT)
            row, column = row - 1, column - 1
        elif best[row][column] == best[row][column - 1]:
            column -= 1
        else:
            row -= 1
    return best[rows][columns], lines
