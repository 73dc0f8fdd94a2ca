"""Rules about programs: what a debugger alone reads, and memory that was dumped."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lamina import limits
from lamina.advice.examined import Examined, Rows
from lamina.advice.finding import Finding, Rule
from lamina.advice.instruction import Instruction
from lamina.advice.model import Severity
from lamina.advice.rules.shipped_files import ShippedFiles, Sort
from lamina.amounts import plural, size_bytes
from lamina.contents import elf
from lamina.contents.image_files import files_of
from lamina.contents.layer_turns import layers_in_turn
from lamina.distinct import distinct
from lamina.model import Cancelled, LaminaError

_LEAST_CORE = 64 << 10
_LEAST_PROGRAM = 100 << 10


class CoreDumps(ShippedFiles):
    """Dumped memory of programs that failed in the build: `core`, `core.1234`, `*.hprof`.

    It is large and may hold secrets. Remove it in the RUN that made it, and see what failed there. What is called so
    counts where its first bytes say that it is one.
    """

    name = "core-dumps"

    def wanted(self, image: Examined) -> Rows:
        """What is called so."""
        return image.visible(image.mark(self._called(image)))

    def _called(self, image: Examined) -> Rows:
        rows = np.concatenate([image.called(b"core"), image.names.beginning(b"core.")])
        large = image.of_at_least(_LEAST_CORE)
        return distinct(rows[large[rows]]).astype(np.int32)

    def sorts(self, image: Examined) -> Iterator[Sort]:
        """One."""
        marked = image.mark(image.ending(b".hprof"))
        for inode in self.wanted(image).tolist():
            header = elf.read_header(image.heads.get(inode, b""))
            if header is not None and header.kind == elf.CORE:
                marked[image.rows_of(np.array([inode], dtype=np.int32))] = True
        yield Sort(marked, "dumped memory", "remove it, and see what failed")


class Unstripped(Rule):
    """Programs and libraries with symbols that only a debugger reads.

    `strip --strip-unneeded` (for Go `-ldflags='-s -w'`, for Rust `strip = true`) takes `.symtab`, `.strtab` and
    `.debug_*` out. The bytes told are those of these sections; what is saved is about as much, so that no bytes are
    counted. The 300 largest programs of 100 KiB and more are looked at, in layers that can be read at any place.
    """

    name = "unstripped"
    most = Severity.INFO

    def find(self, image: Examined) -> Iterator[Finding]:
        """One finding a layer; it claims nothing."""
        if not image.reads:
            return
        union = image.union
        found = image.free(image.of_at_least(_LEAST_PROGRAM))
        rows = image.rows_of(found)
        runs = (union.mode[found] & 0o111 > 0) | image.containing(b".so", rows)
        found = found[runs][: limits.ADVISED_PROGRAMS]
        sections = self._sections(image, found)
        fat = np.array([inode for inode in found.tolist() if sections.get(inode)], dtype=np.int32)
        for layer in distinct(union.born[fat]).tolist():
            mine = fat[union.born[fat] == layer]
            size = sum(sections[inode] for inode in mine.tolist())
            if size >= image.floor:
                programs = plural(len(mine), "program")
                yield Finding(
                    text=f"Layer {layer} ships {programs} with {size_bytes(size)} of symbols for a debugger.",
                    do=f"Strip them where they are made: {Instruction(image.image.info, layer).where}.",
                    rows=image.rows_of(mine),
                    layers=(layer,),
                    changes=layer,
                )

    def _sections(self, image: Examined, inodes: Rows) -> dict[int, int]:
        """Bytes of these sections by inode; nothing of what can't be read cheaply."""
        files, layers = files_of(image.image), image.union.born[inodes]
        found: dict[int, int] = {}
        try:
            for layer, reader in layers_in_turn(files, distinct(layers).tolist(), image.cancel):
                for inode in inodes[layers == layer].tolist() if reader.random else ():
                    if image.cancel.is_set():
                        raise Cancelled
                    ref = files.file_ref(inode)
                    found[inode] = elf.debug_bytes(
                        lambda start, size, ref=ref, reader=reader: reader.read(ref, start, size),  # type: ignore[misc]
                        ref.size,
                    )
        except LaminaError:
            pass  # what was read stands
        return found
