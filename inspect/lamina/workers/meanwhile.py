"""What else can be done while workers begin to read.

A module of its own, which loads nothing: whoever has something to be done doesn't know whether workers will be wanted.
"""

from __future__ import annotations

from collections.abc import Callable

_tasks: list[Callable[[], None]] = []


def while_workers_begin(task: Callable[[], None]) -> None:
    """Have something done when workers begin on their first jobs, before this process takes its own share.

    Args:
        task: what takes time but has no result: loading the modules that are needed next. Done once at most; not at
            all where no workers are wanted.
    """
    _tasks.append(task)


def do() -> None:
    """Do what was asked for and not done yet."""
    while _tasks:
        _tasks.pop()()
