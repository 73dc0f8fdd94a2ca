"""A Dockerfile's instructions with their lines: continuations, comments, heredocs and stages.

Syntax: the Dockerfile reference of Docker's documentation.
"""

from __future__ import annotations

import re
from pathlib import Path

from lamina import limits as bounds
from lamina.dataclass import dataclass
from lamina.gate.configuration import read_file
from lamina.gate.limits import GateError

_DIRECTIVE = re.compile(r"#\s*(\w+)\s*=\s*(\S+)\s*$")
_HEREDOC = re.compile(r"<<(-?)\s*([\"']?)([A-Za-z_][A-Za-z0-9_]*)\2")
_TAKES_HEREDOC = {"RUN", "COPY", "ADD"}
_FLAG = re.compile(r"--[a-z-]+(?:=\S*)?\s+")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction."""

    line: int
    """Where it begins, from 1."""
    keyword: str
    """In capitals."""
    text: str
    """What follows the keyword, on one line; of a heredoc the whole of it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What one ``FROM`` begins."""

    base: str
    name: str
    """Empty where it has none."""
    instructions: tuple[Instruction, ...]
    """Without the ``FROM``; where it stands on an earlier stage, that one's come first."""


def read_dockerfile(path: Path) -> tuple[Stage, ...]:
    """Read a Dockerfile.

    Raises:
        GateError: it can't be read, or builds nothing.
    """
    text = read_file(path)
    if text is None:
        raise GateError(f"{path}: no such file")
    stages = parse(text)
    if not stages:
        raise GateError(f"{path}: no Dockerfile: it has no FROM")
    if any(len(stage.instructions) > bounds.INSTRUCTIONS for stage in stages):
        raise GateError(f"{path}: more than {bounds.INSTRUCTIONS} instructions in a stage")
    return stages


def parse(text: str) -> tuple[Stage, ...]:
    """The stages of a Dockerfile's text, in order."""
    stages: list[Stage] = []
    for instruction in _instructions(text):
        if instruction.keyword == "FROM":
            words = _FLAG.sub("", instruction.text).split()
            base = words[0] if words else ""
            name = words[2] if len(words) > 2 and words[1].upper() == "AS" else ""
            below = next((stage for stage in stages if stage.name and stage.name.lower() == base.lower()), None)
            stages.append(Stage(base, name, below.instructions if below else ()))
        elif stages:  # before the first FROM only ARG stands
            last = stages[-1]
            stages[-1] = Stage(last.base, last.name, (*last.instructions, instruction))
    return tuple(stages)


def _instructions(text: str) -> list[Instruction]:
    lines = text.removeprefix("\ufeff").splitlines()
    escape = _escape(lines)
    found: list[Instruction] = []
    at = 0
    while at < len(lines):
        start = at
        parts: list[str] = []
        goes_on = True
        while goes_on and at < len(lines):
            line = lines[at].rstrip()
            at += 1
            if line.lstrip().startswith("#") or (parts and not line):
                continue  # also between the lines of one instruction
            if not line:
                start = at
                continue
            if not parts:
                start = at - 1
            goes_on = line.endswith(escape)
            parts.append(line[: -len(escape)] if goes_on else line)
        keyword, _, rest = "".join(parts).strip().partition(" ")
        keyword = keyword.upper()
        if keyword in _TAKES_HEREDOC:
            for dash, _, word in _HEREDOC.findall(rest):
                body, at = _heredoc(lines, at, word, tabs=bool(dash))
                rest += "\n" + body
        if keyword:
            found.append(Instruction(start + 1, keyword, rest.strip()))
    return found


def _heredoc(lines: list[str], at: int, word: str, *, tabs: bool) -> tuple[str, int]:
    """What stands up to a line that is a word alone, and where it goes on behind that."""
    body = []
    while at < len(lines):
        line = lines[at].lstrip("\t") if tabs else lines[at]
        at += 1
        if line == word:
            break
        body.append(line)
    return "\n".join(body), at


def _escape(lines: list[str]) -> str:
    """What ends a line that goes on: a backslash, or what the directive ``escape`` says at the top."""
    for line in lines:
        found = _DIRECTIVE.match(line.strip())
        if found is None:
            break
        if found[1].lower() == "escape" and found[2] in ("\\", "`"):
            return found[2]
    return "\\"
