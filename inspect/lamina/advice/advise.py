"""Advice for an image: every rule asked in its order, no byte told twice."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

import numpy as np

from lamina import limits
from lamina.advice.catalogue import RULES
from lamina.advice.examined import Examined
from lamina.advice.finding import Finding, Rule
from lamina.advice.model import Advice, AdvisedPaths, by_bytes
from lamina.contents.globs import fitting
from lamina.figures.duplicates import Duplicate
from lamina.figures.image import LoadedImage
from lamina.model import LaminaError
from lamina.packages.find_packages import PackageSearch, records_at_hand
from lamina.packages.model import PackageTable


def advise(
    image: LoadedImage,
    *,
    off: Collection[str] = (),
    ignore: Sequence[str] = (),
    reads: bool | None = None,
    packages: PackageTable | None = None,
    duplicates: Sequence[Duplicate] | None = None,
    cancel: threading.Event | None = None,
) -> list[Advice]:
    """Advice for an image, the most severe first and then by bytes; what only who builds its base can follow, last.

    Rules that save bytes tell nothing below :func:`lamina.advice.model.floor`.

    Args:
        image: completely read.
        off: names of rules that are not asked.
        ignore: globs of paths that no rule speaks of, nor of what is below them.
        reads: whether contents of files may be read; None: where no engine and no registry has to send layers again.
        packages: the image's packages, where somebody has looked for them.
        duplicates: its duplicates, likewise.
        cancel: ends it.

    Raises:
        Cancelled: ``cancel`` was set.
    """
    advisor = Advisor(image, off=off, ignore=ignore, reads=reads, cancel=cancel)
    return advisor.advise(packages=packages, duplicates=duplicates)


class Advisor:
    """:func:`advise` in two steps, so that packages are read in the same turn of the layers as what rules look into.

    Args:
        image: completely read.
        off: as there; so are all others.
        ignore: globs.
        reads: whether contents may be read.
        cancel: ends it.
    """

    def __init__(
        self,
        image: LoadedImage,
        *,
        off: Collection[str] = (),
        ignore: Sequence[str] = (),
        reads: bool | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        paths = image.union.paths
        ignored = paths.with_subtrees(fitting(paths, ignore)) if ignore else None
        self._image = image
        self._cancel = cancel or threading.Event()
        reads = records_at_hand(image) if reads is None else reads
        self._search = PackageSearch(image) if reads else None
        lookup = None if self._search is None else self._search.lookup
        self._examined = Examined(image, ignored, self._cancel, reads=reads, lookup=lookup)
        self._rules = [rule() for rule in RULES if rule.name not in off]
        self._looked_into: list[int] = []
        if self._search is not None:
            wanted = [rule.wanted(self._examined) for rule in self._rules]
            inodes = np.concatenate([*wanted, np.zeros(0, dtype=np.int32)])
            _, first = np.unique(inodes, return_index=True)
            inodes = inodes[np.sort(first)][: limits.ADVISED_FILES]
            self._looked_into = inodes.tolist()
            sizes = np.minimum(image.union.size[inodes], limits.ADVISED_HEAD)
            self._search.first.want(self._looked_into, sizes.tolist())

    def find_packages(self) -> PackageTable | None:
        """The packages of the image; None where they can't be read without layers being sent again.

        Raises:
            LaminaError: a layer can't be read any more.
            Cancelled: ``cancel`` was set.
        """
        return None if self._search is None else self._search.run(self._cancel)

    def advise(
        self, *, packages: PackageTable | None = None, duplicates: Sequence[Duplicate] | None = None
    ) -> list[Advice]:
        """The advice.

        Args:
            packages: what :meth:`find_packages` answered, or somebody else has found.
            duplicates: of the image, where somebody has looked for them.

        Raises:
            Cancelled: ``cancel`` was set.
        """
        examined, image, search = self._examined, self._image, self._search
        if search is not None:
            try:
                if packages is None:
                    packages = search.run(self._cancel)
                else:
                    search.first.read(self._cancel)
            except LaminaError:
                pass  # what was not read is told by its name alone
            known, size = search.first.known, limits.ADVISED_HEAD
            examined.heads = {inode: known[inode][:size] for inode in self._looked_into if inode in known}
        examined.packages, examined.known_duplicates = packages, duplicates
        found = [_advice(image, rule, finding) for rule in self._rules for finding in rule.find(examined)]
        return sorted(found, key=lambda advice: (advice.in_base, -advice.severity, -advice.saves))


def _advice(image: LoadedImage, rule: Rule, finding: Finding) -> Advice:
    base = image.base
    severity = by_bytes(finding.saves, image.size) if finding.severity is None else finding.severity
    shipped_by = finding.layers if finding.changes is None else (finding.changes,)
    return Advice(
        rule=rule.name,
        severity=min(severity, rule.most),
        saves=finding.saves,
        layers=finding.layers,
        changes=finding.changes,
        hidden_by=finding.hidden_by,
        paths=AdvisedPaths(finding.rows, image.union.paths),
        text=finding.text,
        do=finding.do,
        cause=finding.cause,
        in_base=base is not None and bool(shipped_by) and max(shipped_by) < base.layers,
    )
