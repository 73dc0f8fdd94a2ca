"""The questions as tools of the Model Context Protocol, on standard input and output, by its official SDK."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import anyio.to_thread
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

import lamina
from lamina.agents.questions import UNTRUSTED, Questions
from lamina.errors import Cancelled, LaminaError
from lamina.reports.json_text import to_json

if TYPE_CHECKING:
    from lamina.reports.json_text import Json
    from lamina.workspace import Workspace

_ABOUT = f"""\
lamina tells what is in a container image: its layers, the bytes that each wastes and why, files, what images share, \
and what to do about it. It only reads. Sizes are bytes. Begin with `overview`; long lists come in pages: `next` is \
the `start` of the next one. {UNTRUSTED}"""

Target = Annotated[
    str,
    Field(
        description="an image: a name or ID in the local engine, a path to an archive (docker save, OCI) or an OCI "
        "layout, docker://NAME in a registry, container:NAME, or demo"
    ),
]
Path = Annotated[str, Field(description="a path in the image, absolute; links in it are followed inside the image")]
Layer = Annotated[int | None, Field(description="only what this layer carries, 0 is the lowest; else all together")]
Limits = Annotated[
    dict[str, str],
    Field(
        description="limits by name: max-wasted, max-size, max-layer-size (20MB, 1.5GiB), max-wasted-ratio, "
        "min-efficiency (5%, 0.95), max-layers (a number), forbid (a glob of paths), forbid-package (a name)"
    ),
]
Start = Annotated[int, Field(ge=0, description="where the page begins: the `next` of the one before")]

_READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True)


def server(workspace: Workspace) -> MCPServer[Any]:
    """The server with all its tools, to be run over any transport.

    Args:
        workspace: reads what is asked about.
    """
    made = MCPServer("lamina", version=lamina.__version__, instructions=_ABOUT, log_level="WARNING")
    ask = Questions(workspace)
    # As text alone: told twice, as structure too, an answer would cost an agent twice.
    tool = made.tool(annotations=_READS, structured_output=False)

    @tool
    async def images(start: Start = 0) -> str:
        """The local engine's images, newest first: size, what each alone holds (frees), what they share."""
        return await _answered(partial(ask.images, start))

    @tool
    async def overview(target: Target) -> str:
        """An image at a glance: size, wasted bytes, every layer with its instruction, the worst waste, advice, base."""
        return await _answered(partial(ask.overview, target))

    @tool
    async def waste(target: Target, start: Start = 0) -> str:
        """Files that a layer ships and nobody can reach: bytes, cause, the layer that ships and the one that hides."""
        return await _answered(partial(ask.waste, target, start))

    @tool
    async def packages(target: Target, start: Start = 0) -> str:
        """Packages (dpkg, apk, rpm, Python, npm, gem, Go) by their real bytes: size, wasted, which layers ship them."""
        return await _answered(partial(ask.packages, target, start))

    @tool
    async def check(target: Target, limits: Limits) -> str:
        """Whether an image keeps to limits: each with what was found, and the paths that give the most of it."""
        return await _answered(partial(ask.check, target, limits))

    @tool
    async def files(target: Target, path: Path = "/", layer: Layer = None, start: Start = 0) -> str:
        """What is in a folder, largest first: of a folder `below` is all that is in it; which layer ships each file."""
        return await _answered(partial(ask.files, target, path, layer, start))

    @tool
    async def read_file(target: Target, path: Path, layer: Layer = None, start: Start = 0) -> str:
        """A page of a text file; of a binary one only what it is."""
        return await _answered(partial(ask.read, target, path, layer, start))

    @tool
    async def history(target: Target, path: Path) -> str:
        """Every layer that touched a path: what it did, with which instruction, and who ships it in the end."""
        return await _answered(partial(ask.history, target, path))

    @tool
    async def share(targets: Annotated[list[str], Field(description="two images or more")]) -> str:
        """What images have in common: bytes on disk, shared layers, what pulling one costs where another is there."""
        return await _answered(partial(ask.share, targets))

    @tool
    async def compare(a: Target, b: Target, start: Start = 0) -> str:
        """The step from image a to image b: what pulling it costs, and the files that were added, changed, removed."""
        return await _answered(partial(ask.compare, a, b, start))

    return made


async def _answered(question: Callable[[threading.Event], Json]) -> str:
    """The answer as JSON text, found on a thread; whoever asks may give it up at any time."""
    cancel = threading.Event()
    try:
        return to_json(await anyio.to_thread.run_sync(question, cancel, abandon_on_cancel=True)).rstrip()
    except LaminaError as error:
        raise ToolError(str(error)) from None
    except Cancelled:
        raise ToolError("given up") from None
    finally:
        cancel.set()
