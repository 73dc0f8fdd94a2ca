"""`lamina mcp`, asked by the official SDK's client through a process's standard input and output."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from mcp import Client, StdioServerParameters
from mcp_types import TextContent

from builders import Image, layer, old_docker, pack
from lamina.workspace import Workspace
from tars import file

COMMAND = [sys.executable, "-m", "lamina_tui", "mcp", "--no-cache"]


async def test_a_client_lists_the_tools_and_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(pack(old_docker(Image([layer(file("a", b"1" * 70)), layer(file("a", b"2"))], ("a:1",)))))

    async with Client(StdioServerParameters(command=COMMAND[0], args=COMMAND[1:])) as client:
        tools = (await client.list_tools()).tools
        waste = await client.call_tool("waste", {"target": str(path)})
        none = await client.call_tool("overview", {"target": "no\x1bwhere.tar"})
        wrong = await client.call_tool("files", {"target": str(path), "start": -1})

    assert {tool.name for tool in tools} == {
        *("images", "overview", "waste", "packages", "check", "files", "read_file", "history", "share", "compare")
    }
    assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools)
    (told,) = waste.content
    assert isinstance(told, TextContent)
    assert json.loads(told.text)["rows"] == Workspace(workers=1).open(str(path)).report()["images"][0]["waste"]
    (said,) = none.content
    assert isinstance(said, TextContent)
    assert none.is_error
    assert said.text.endswith("no such file: no\\x1bwhere.tar")
    assert wrong.is_error


def test_it_ends_with_its_standard_input() -> None:
    done = subprocess.run(COMMAND, input=b"", capture_output=True, timeout=60, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_without_the_extra_the_command_says_what_to_install() -> None:
    program = "import sys; sys.modules['mcp'] = None; from lamina_tui.cli import main; sys.exit(main(['mcp']))"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=False)

    assert done.returncode == 2
    assert done.stderr == b"lamina: lamina mcp needs an extra: pip install 'lamina[mcp]'\n"
