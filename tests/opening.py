"""The ways in that tests share."""

from __future__ import annotations

from argparse import Namespace
from typing import BinaryIO

from lamina.cache.cache import Cache
from lamina.sources.target import Resolver, Target
from lamina.workers.pool import Pool
from lamina.workspace import Workspace
from lamina_tui.commands.options import workspace_of


def resolve(
    target: str, *, host: str | None = None, stdin: BinaryIO | None = None, cache: Cache | None = None
) -> Target:
    """A target's source and image, read as the command reads it."""
    return Resolver(host, stdin, cache or Cache(), Pool(processes=True)).resolve(target)


def workspace(host: str | None = None) -> Workspace:
    """What the command makes for a screen."""
    return workspace_of(
        Namespace(host=[host] if host else [], context=None, no_cache=False, insecure_registry=[], platform=""),
        screen=True,
    )
