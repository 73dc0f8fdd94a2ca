"""Advice for an image: every rule asked in its order, no byte told twice."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

import numpy as np

from lamina import limits
from lamina.advice.catalogue import RULES
from lamina.advice.examined import Examined
from lamina.advice.finding import Finding, Rule
from lamina.advice.heads import read_heads
from lamina.advice.model import Advice, AdvisedPaths, by_bytes
from lamina.contents.globs import fitting
from lamina.contents.image_files import files_of
from lamina.figures.duplicates import Duplicate
from lamina.figures.image import LoadedImage
from lamina.packages.find_packages import records_at_hand
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
    paths = image.union.paths
    ignored = paths.with_subtrees(fitting(paths, ignore)) if ignore else None
    examined = Examined(
        image,
        ignored,
        cancel or threading.Event(),
        reads=records_at_hand(image) if reads is None else reads,
        packages=packages,
        duplicates=duplicates,
    )
    rules = [rule() for rule in RULES if rule.name not in off]
    if examined.reads:
        wanted = np.concatenate([rule.wanted(examined) for rule in rules] or [np.zeros(0, dtype=np.int32)])
        _, first = np.unique(wanted, return_index=True)
        inodes = wanted[np.sort(first)][: limits.ADVISED_FILES]
        examined.heads = read_heads(files_of(image), inodes, examined.cancel)
    found = [_advice(image, rule, finding) for rule in rules for finding in rule.find(examined)]
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
