"""The same library at several versions."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from lamina.advice.examined import Examined
from lamina.advice.finding import Finding, Rule
from lamina.advice.model import Severity
from lamina.amounts import plural
from lamina.distinct import distinct
from lamina.packages.model import Package

_MANAGERS = ("npm", "python", "gem")
"""Whose libraries can stand beside each other at several versions."""
_NUMBER = re.compile(r"\d+")


class LibraryVersions(Rule):
    """The same library several times, at several versions.

    Of npm, Python and gem: what depends on an old version keeps it in the image beside the new one. `npm dedupe`, an
    `overrides` entry, or one virtual environment in place of several leave one. All versions but the newest count.
    Looked for where package records can be read.
    """

    name = "library-versions"
    most = Severity.LOW

    def find(self, image: Examined) -> Iterator[Finding]:
        """One finding a layer."""
        table = image.packages
        if table is None:
            return
        versions: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for place, package in enumerate(table.packages):
            if package.manager in _MANAGERS and package.installed and package.version:
                versions[package.manager, package.name][package.version].append(place)
        older = np.zeros(len(table.packages) + 1, dtype=bool)  # the last stands for what nobody owns
        for several in versions.values():
            newest = max(several, key=_order)
            for version, places in several.items():
                older[places] = version != newest
        for shipped in image.by_layer(image.free(older[table.owner])):
            image.claim(shipped.inodes)
            rows = image.rows_of(shipped.inodes)
            named = {_name(table.packages[place]) for place in distinct(table.owner[rows]).tolist()}
            layers = shipped.layers
            where = f"Layer {layers[0]} ships" if len(layers) == 1 else f"{len(layers)} layers together ship"
            yield Finding(
                text=f"{where} older versions of {plural(len(named), 'package')} that the image has newer, too.",
                do="Let one version do: npm dedupe or overrides in package.json; for Python one environment.",
                rows=rows,
                layers=layers,
                saves=shipped.bytes,
                changes=shipped.made_in,
            )


def _name(package: Package) -> tuple[str, str]:
    return package.manager, package.name


def _order(version: str) -> tuple[list[int], str]:
    """Versions by their numbers; what follows them decides where these are the same."""
    return [int(number[:18]) for number in _NUMBER.findall(version[:100])], version
