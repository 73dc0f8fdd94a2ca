"""Hold an image to its limits: each limit with the value it is held against, and the paths that matter most."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lamina.advice.advise import advise
from lamina.advice.model import Advice, Severity
from lamina.among import among
from lamina.contents.globs import fitting
from lamina.dataclass import dataclass
from lamina.distinct import distinct
from lamina.figures.dive import dive_figures
from lamina.figures.image import LoadedImage
from lamina.figures.own import own_waste
from lamina.gate.baseline import Baseline
from lamina.gate.dive_ci import DiveRules, user_waste_is_within
from lamina.gate.limits import Limits
from lamina.gate.package_growth import PackageGrowth, package_growth
from lamina.model import Kind, LaminaError
from lamina.names import display_name
from lamina.packages.model import PackageTable

Unit = Literal["bytes", "ratio", "count"]

_SHOWN = 3  # paths of a limit


@dataclass(frozen=True, slots=True)
class HeldPath:
    """A path that a limit's value owes much to."""

    path: bytes
    bytes: int
    layer: int
    """Ships it."""
    hidden_by: int | None = None
    """Of waste: the layer that took its last name away."""


@dataclass(frozen=True, slots=True)
class LimitResult:
    """One limit, and how the image stands to it."""

    name: str
    unit: Unit
    limit: float | str
    """Of ``forbid`` and ``forbid-package``: the glob."""
    value: float
    """In the unit; of ``forbid`` how many paths fit, of ``forbid-package`` how many packages."""
    passed: bool
    paths: tuple[HeldPath, ...] = ()
    """The three that give the most of it, most bytes first."""
    layer: int | None = None
    """Of ``max-layer-size``: the largest layer."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an image keeps to its limits."""

    image: LoadedImage
    results: tuple[LimitResult, ...]
    baseline: Baseline | None = None
    ignored: int = 0
    """Bytes of waste at ignored paths, which no limit counts."""
    advice: tuple[Advice, ...] = ()
    """What to do about it."""
    packages: PackageGrowth | None = None
    """Against the baseline; None where those of one side are not known."""

    @property
    def passed(self) -> bool:
        """Whether it keeps to all of them."""
        return all(result.passed for result in self.results)


def judge(
    image: LoadedImage,
    limits: Limits,
    *,
    baseline: Baseline | None = None,
    dive: DiveRules | None = None,
    ignore: Sequence[str] = (),
    own: bool = False,
    packages: PackageTable | None = None,
    no_rule: Collection[str] = (),
    cancel: threading.Event | None = None,
) -> Verdict:
    """Hold an image to limits.

    Args:
        image: completely read.
        limits: what it has to keep to.
        baseline: what its growth is counted from, layers of the base and all.
        dive: what dive would hold it to, as a whole and by dive's figures.
        ignore: globs of paths whose waste is not counted and that may be shipped; of a folder, all below it.
        own: hold only the layers above the image's base to them, where one is known.
        packages: the image's; wanted where some are forbidden, and for what became of the baseline's.
        no_rule: rules of advice that are not asked.
        cancel: ends the looking for advice.

    Raises:
        Cancelled: ``cancel`` was set.
    """
    advice = advise(image, off=no_rule, ignore=ignore, packages=packages, cancel=cancel)
    judge_of = _Judge(image, ignore, own=own)
    results: list[LimitResult] = []
    wasted = judge_of.wasted
    size = judge_of.size
    ratio = wasted / size if size else 0.0
    # The report's own formula, so that both give the same number.
    efficiency = max(size - wasted, 0) / size if size else 1.0
    most_wasted = judge_of.most_wasted()
    if limits.max_wasted is not None:
        passed = wasted <= limits.max_wasted
        results.append(LimitResult("max-wasted", "bytes", limits.max_wasted, wasted, passed, most_wasted))
    if limits.max_wasted_ratio is not None:
        passed = ratio <= limits.max_wasted_ratio
        results.append(LimitResult("max-wasted-ratio", "ratio", limits.max_wasted_ratio, ratio, passed, most_wasted))
    if limits.min_efficiency is not None:
        passed = efficiency >= limits.min_efficiency
        results.append(LimitResult("min-efficiency", "ratio", limits.min_efficiency, efficiency, passed, most_wasted))
    if limits.max_size is not None:
        passed = size <= limits.max_size
        largest = judge_of.largest(judge_of.counted)
        results.append(LimitResult("max-size", "bytes", limits.max_size, size, passed, largest))
    if limits.max_layers is not None:
        count = len(image.layers) - judge_of.first
        results.append(LimitResult("max-layers", "count", limits.max_layers, count, count <= limits.max_layers))
    if limits.max_layer_size is not None:
        results.append(judge_of.layer_size(limits.max_layer_size))
    if limits.max_growth is not None and baseline is not None:
        results.append(judge_of.growth(limits.max_growth, baseline))
    results += [judge_of.forbidden(glob) for glob in limits.forbid]
    if packages is not None:
        results += [judge_of.forbidden_package(name, packages) for name in limits.forbid_package]
    if limits.severity is not None:
        results.append(_of_severity(limits.severity, [each for each in advice if not (own and each.in_base)]))
    if dive is not None:
        results += _by_dive(image, dive, most_wasted)
    growth = package_growth(None if baseline is None else baseline.packages, packages)
    return Verdict(image, tuple(results), baseline, judge_of.ignored_bytes, tuple(advice), growth)


def _of_severity(limit: str, advice: Sequence[Advice]) -> LimitResult:
    """How much advice is of a severity or above it; the paths are the first of the three that matter most."""
    found = [each for each in advice if each.severity >= Severity[limit.upper()]]
    paths = tuple(
        HeldPath(path, each.saves, each.layers[0], each.hidden_by)
        for each in found[:_SHOWN]
        for path in each.paths.first(1)
    )
    return LimitResult("severity", "count", limit, len(found), not found, paths)


def sure_packages(found: PackageTable) -> PackageTable:
    """The same, where all records could be read: else nobody can say what is not there.

    Raises:
        LaminaError: one could not.
    """
    # What is known by its folder is known whatever its description says.
    unread = [each for each in found.unreadable if each.manager != "npm"]
    if unread:
        path, reason = display_name(unread[0].path), unread[0].reason
        raise LaminaError(f"no package can be said to be missing: /{path} is not read: {reason}")
    return found


def _by_dive(image: LoadedImage, rules: DiveRules, paths: tuple[HeldPath, ...]) -> list[LimitResult]:
    """Its rules by dive's figures; the paths are those that waste most by lamina's."""
    figures = dive_figures(image.union, [layer.size for layer in image.layers])
    results: list[LimitResult] = []
    least, most, share = rules.lowest_efficiency, rules.highest_wasted_bytes, rules.highest_user_wasted_percent
    if least is not None:
        passed = figures.efficiency >= least
        results.append(LimitResult("dive.lowestEfficiency", "ratio", least, figures.efficiency, passed, paths))
    if most is not None:
        passed = figures.wasted <= most
        results.append(LimitResult("dive.highestWastedBytes", "bytes", most, figures.wasted, passed, paths))
    if share is not None:
        value = figures.user_wasted_ratio or 0.0
        passed = user_waste_is_within(figures, share)
        results.append(LimitResult("dive.highestUserWastedPercent", "ratio", share, value, passed, paths))
    return results


class _Judge:
    """The figures of one image that limits are held against."""

    def __init__(self, image: LoadedImage, ignore: Sequence[str], *, own: bool) -> None:
        union = image.union
        self.image = image
        self.first = image.base.layers if own and image.base is not None else 0
        """The first layer that is held to limits."""
        self.size = sum(layer.size for layer in image.layers[self.first :])
        held = own_waste(image) if own else np.ones(len(image.waste), dtype=bool)
        self._ignored = (
            union.paths.with_subtrees(fitting(union.paths, ignore))
            if ignore
            else np.zeros(union.paths.count, dtype=bool)
        )
        ignored = self._ignored[image.waste.path_id]
        self.ignored_bytes = int(image.waste.size[held & ignored].sum())
        self._waste = np.flatnonzero(held & ~ignored)
        self.wasted = int(image.waste.size[self._waste].sum())
        carried = np.arange(union.event_count) < union.implicit
        self.counted = carried & (union.kind < Kind.WHITEOUT) & (union.born >= self.first)
        """Events of the layers that are held to limits."""

    def most_wasted(self) -> tuple[HeldPath, ...]:
        """What wastes most: the table has most bytes first."""
        rows = [self.image.waste[int(row)] for row in self._waste[:_SHOWN]]
        return tuple(HeldPath(row.path, row.bytes, row.layer, row.hidden_by) for row in rows if row.bytes)

    def largest(self, events: NDArray[np.bool_], *, empty: bool = False) -> tuple[HeldPath, ...]:
        """The largest of these events, then by path; those without bytes only where they are asked for."""
        union = self.image.union
        rows = np.flatnonzero(events)
        sizes = np.where(union.kind[rows] == Kind.FILE, union.size[rows], 0)
        if not empty:
            rows, sizes = rows[sizes > 0], sizes[sizes > 0]
        if len(rows) > _SHOWN:
            least = np.partition(sizes, -_SHOWN)[-_SHOWN]
            rows, sizes = rows[sizes >= least], sizes[sizes >= least]
        order = np.lexsort((union.born[rows], union.path[rows], -sizes))[:_SHOWN]
        return tuple(
            HeldPath(union.paths.path(int(union.path[row])), int(size), int(union.born[row]))
            for row, size in zip(rows[order], sizes[order], strict=True)
        )

    def layer_size(self, limit: int) -> LimitResult:
        """The largest layer against a limit."""
        sizes = [layer.size for layer in self.image.layers[self.first :]]
        if not sizes:
            return LimitResult("max-layer-size", "bytes", limit, 0, passed=True)
        layer = self.first + sizes.index(max(sizes))
        paths = self.largest(self.counted & (self.image.union.born == layer))
        return LimitResult("max-layer-size", "bytes", limit, max(sizes), max(sizes) <= limit, paths, layer)

    def growth(self, limit: float, baseline: Baseline) -> LimitResult:
        """How much larger than a baseline it is; the paths are those of layers that the baseline has not."""
        grown = self.image.size - baseline.size
        new = np.array([layer.diff_id not in baseline.diff_ids for layer in self.image.info.layers], dtype=bool)
        union = self.image.union
        carried = (np.arange(union.event_count) < union.implicit) & (union.kind < Kind.WHITEOUT)
        paths = self.largest(carried & new[union.born])
        if isinstance(limit, int):
            return LimitResult("max-growth", "bytes", limit, grown, grown <= limit, paths)
        # Nothing is no measure: anything more than nothing is all of it.
        share = grown / baseline.size if baseline.size else float(grown > 0)
        return LimitResult("max-growth", "ratio", limit, share, grown <= limit * baseline.size, paths)

    def forbidden(self, glob: str) -> LimitResult:
        """How many paths a glob fits in any layer: what a later layer removes is shipped all the same."""
        union = self.image.union
        marked = fitting(union.paths, [glob]) & ~self._ignored
        events = self.counted & marked[union.path]
        count = len(distinct(union.path[events]))
        return LimitResult("forbid", "count", glob, count, count == 0, self.largest(events, empty=True))

    def forbidden_package(self, name: str, packages: PackageTable) -> LimitResult:
        """How many packages a name fits; one that was removed again is shipped all the same."""
        found = [
            place
            for place, package in enumerate(packages.packages)
            if fnmatchcase(package.name, name) or fnmatchcase(f"{package.manager}:{package.name}", name)
        ]
        found = [
            place
            for place in found
            if any(part.layer >= self.first for part in packages.packages[place].layers)
            or not packages.packages[place].layers
        ]
        mine = among(packages.owner, found) & ~self._ignored
        events = self.counted & mine[self.image.union.path]
        return LimitResult("forbid-package", "count", name, len(found), not found, self.largest(events))
