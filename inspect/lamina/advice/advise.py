"""Advice for an image: every rule asked in its order, no byte told twice."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

from lamina.advice.catalogue import RULES
from lamina.advice.examined import Examined
from lamina.advice.finding import Finding, Rule
from lamina.advice.model import Advice, AdvisedPaths, by_bytes
from lamina.contents.globs import fitting
from lamina.figures.image import LoadedImage


def advise(
    image: LoadedImage,
    *,
    off: Collection[str] = (),
    ignore: Sequence[str] = (),
    cancel: threading.Event | None = None,
) -> list[Advice]:
    """Advice for an image, the most severe first and then by bytes; what only who builds its base can follow, last.

    Rules that save bytes tell nothing below :func:`lamina.advice.model.floor`.

    Args:
        image: completely read.
        off: names of rules that are not asked.
        ignore: globs of paths that no rule speaks of, nor of what is below them.
        cancel: ends it.

    Raises:
        Cancelled: ``cancel`` was set.
    """
    paths = image.union.paths
    ignored = paths.with_subtrees(fitting(paths, ignore)) if ignore else None
    examined = Examined(image, ignored, cancel or threading.Event())
    found = [
        _advice(image, rule, finding) for rule in RULES if rule.name not in off for finding in rule().find(examined)
    ]
    return sorted(found, key=lambda advice: (advice.in_base, -advice.severity, -advice.saves))


def _advice(image: LoadedImage, rule: type[Rule], finding: Finding) -> Advice:
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
