"""``lamina mcp``: the questions that agents ask, on standard input and output."""

from __future__ import annotations

import argparse

from lamina_tui.commands.options import OK, Parser, UsageError, workspace_of

_EPILOG = """\
what an agent's configuration has
  {"mcpServers": {"lamina": {"command": "lamina", "args": ["mcp"]}}}

Needs the extra: pip install 'lamina[mcp]'. It only reads: images, archives that this user can read, and registries
with the credentials of the docker command. Answers are bounded and in pages.
"""


def parser() -> Parser:
    """The command's arguments."""
    made = Parser(
        "lamina mcp",
        usage="lamina mcp [--host URL | --context NAME] [--platform OS/ARCH] [--no-cache]",
        description="Answer agents' questions about images by the Model Context Protocol, until standard input ends.",
        epilog=_EPILOG,
    )
    made.add_common()
    return made


def run(options: argparse.Namespace) -> int:
    """Serve until standard input ends.

    Raises:
        UsageError: the extra is not installed.
    """
    try:
        from lamina.agents.server import server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types", "anyio", "pydantic"):
            raise
        raise UsageError("lamina mcp needs an extra: pip install 'lamina[mcp]'") from None
    server(workspace_of(options, screen=True)).run("stdio")
    return OK
