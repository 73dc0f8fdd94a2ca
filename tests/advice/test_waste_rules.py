"""What is advised about bytes that nothing reaches, and for how many."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lamina.advice.advise import advise
from lamina.advice.model import Advice, Severity
from lamina.figures.base import Base
from lamina.model import Cause
from stacks import stack
from tars import Member, file, opaque, symlink, whiteout

BIG = 100_000

Told = tuple[str, int, tuple[int, ...], int | None]


def told(*layers: list[Member]) -> list[Told]:
    return [(advice.rule, advice.saves, advice.layers, advice.hidden_by) for advice in advise(stack(*layers))]


ABOVE = {
    Cause.OVERWRITTEN: ([file("d/f", b"y" * 50_000)], "rewritten"),
    Cause.METADATA: ([file("d/f", BIG, mode=0o755)], "metadata-copy"),
    Cause.IDENTICAL: ([file("d/f", BIG)], "shipped-again"),
    Cause.REMOVED: ([whiteout("d/f")], "deleted-later"),
    Cause.OPAQUE: ([opaque("d")], "deleted-later"),
    Cause.REPLACED: ([symlink("d", "e")], "rewritten"),
}


@pytest.mark.parametrize(("cause", "above"), ABOVE.items(), ids=lambda value: getattr(value, "word", ""))
def test_each_cause_has_its_rule(cause: Cause, above: tuple[list[Member], str]) -> None:
    layer, rule = above
    (advice,) = advise(stack([file("d/f", BIG)], layer))

    assert (advice.rule, advice.cause, advice.saves, advice.layers, advice.hidden_by) == (rule, cause, BIG, (0,), 1)
    assert (list(advice.paths), advice.changes, advice.severity) == ([b"d/f"], 1, Severity.HIGH)


def test_the_advice_of_each_cause_is_its_own() -> None:
    texts = {advise(stack([file("d/f", BIG)], layer))[0].text for layer, _ in ABOVE.values()}

    assert len(texts) == len(Cause)


def test_an_efficient_image_needs_none() -> None:
    assert told([file("a", BIG)], [file("b", BIG)]) == []
    assert advise(stack()) == []
    assert advise(stack([], [])) == []


def test_one_advice_for_all_files_with_the_same_story() -> None:
    (advice,) = advise(stack([file(f"d/{n}", 10_000 + n) for n in range(3)], [whiteout("d")]))

    assert advice.saves == 30_003
    assert "3 files" in advice.text
    assert "ayer 0" in advice.text
    assert "ayer 1" in advice.text
    assert list(advice.paths) == [b"d/2", b"d/1", b"d/0"]
    assert advice.paths.first(2) == [b"d/2", b"d/1"]


def test_most_bytes_come_first() -> None:
    found = told(
        [file("a", 5000), file("b", 9000), file("c", 7000, mode=0o600)], [whiteout("a"), file("b"), file("c", 7000)]
    )

    assert found == [
        ("rewritten", 9000, (0,), 1), ("metadata-copy", 7000, (0,), 1), ("deleted-later", 5000, (0,), 1),
    ]  # fmt: skip


@pytest.mark.parametrize(("size", "count"), [(4095, 0), (4096, 1)])
def test_nothing_below_four_kilobytes(size: int, count: int) -> None:
    assert len(told([file("a", size)], [whiteout("a")])) == count


@pytest.mark.parametrize(("size", "count"), [(9_000, 0), (11_000, 1)])
def test_nothing_below_a_thousandth_of_the_image(size: int, count: int) -> None:
    assert len(told([file("big", 9_990_000), file("a", size)], [whiteout("a")])) == count


@pytest.mark.parametrize(
    ("size", "severity"),
    [(99_000, Severity.INFO), (101_000, Severity.LOW), (301_000, Severity.MEDIUM), (1_001_000, Severity.HIGH)],
)
def test_severity_goes_by_the_share_of_the_image(size: int, severity: Severity) -> None:
    (advice,) = advise(stack([file("big", 10_000_000 - size), file("a", size)], [whiteout("a")]))

    assert advice.severity == severity


def test_a_layer_that_carries_a_path_twice_is_told_so_in_words_that_make_sense() -> None:
    (advice,) = advise(stack([file("f", b"a" * BIG), file("f", b"b" * BIG)]))

    assert isinstance(advice, Advice)
    assert (advice.layers, advice.hidden_by) == ((0,), 0)
    assert "more than once" in advice.text
    assert advice.do == "Pack each path once in layer 0 (RUN step 0)."


def test_what_only_the_time_parts_is_told_apart() -> None:
    below = [file("a", BIG), file("b", 50_000)]
    (touched,) = advise(stack(below, [file("a", BIG, mtime=5), file("b", 50_000, mtime=6)]))
    (mixed,) = advise(stack(below, [file("a", BIG, mtime=5), file("b", 50_000, mtime=6, uid=1)]))

    assert (touched.rule, touched.saves) == ("timestamps", BIG + 50_000)
    assert "SOURCE_DATE_EPOCH" in touched.do
    assert (mixed.rule, mixed.saves) == ("metadata-copy", BIG + 50_000)


COPY = "COPY app /srv/app # buildkit"
CLASSIC = "/bin/sh -c #(nop) COPY dir:0123456789abcdef in /srv/app "


@pytest.mark.parametrize(
    ("ships", "hides", "words"),
    [
        (COPY, "RUN /bin/sh -c chown -R 1000:1000 /srv/app # buildkit", "COPY --chown=1000:1000 app /srv/app"),
        (COPY, "RUN /bin/sh -c chmod -R 0755 /srv/app # buildkit", "COPY --chmod=0755 app /srv/app"),
        (COPY, "RUN chown -R app:app /srv && chmod 644 /srv/a", "COPY --chown=app:app --chmod=644 app /srv/app"),
        (CLASSIC, "/bin/sh -c chown -R app /srv/app", "COPY --chown=app … /srv/app"),
        (
            "RUN make",
            "RUN chmod -R a-w /srv",
            "do in layer 0 (RUN make) what layer 1 (RUN chmod -R a-w /srv) does to them",
        ),
    ],
)
def test_what_to_write_instead_fits_the_instruction(ships: str, hides: str, words: str) -> None:
    (advice,) = advise(stack([file("f", BIG)], [file("f", BIG, mode=0o600)], instructions=[ships, hides]))

    assert words in advice.do


def test_advice_quotes_nothing_from_the_image_but_its_instruction_made_harmless() -> None:
    evil = "evil\x1b[2J\u202e"
    layers = [[file(f"{evil}/f", BIG), file(f"tmp/{evil}", BIG)], [whiteout(evil)]]
    for advice in advise(stack(*layers, instructions=[evil, evil])):
        assert "evil" not in advice.text
        assert advice.text.isprintable()
        assert advice.do.isprintable()


def test_rules_are_switched_off_and_paths_ignored() -> None:
    image = stack([file("d/a", BIG), file("e/b", BIG, mode=0o600)], [whiteout("d/a"), file("e/b", BIG)])

    def rules(**options: object) -> list[str]:
        return sorted(advice.rule for advice in advise(image, **options))  # type: ignore[arg-type]

    assert rules() == ["deleted-later", "metadata-copy"]
    assert rules(off=["metadata-copy"]) == ["deleted-later"]
    assert rules(ignore=["d"]) == ["metadata-copy"]
    assert rules(ignore=["d", "*/b"]) == []


def test_what_only_the_bases_builder_can_follow_comes_last() -> None:
    """To delete or write over what the base ships saves nothing; to copy it once more can be helped."""
    image = stack([file("gone", 90_000), file("moded", 50_000)], [whiteout("gone"), file("moded", 50_000, mode=0o600)])
    image.base = Base(1, "flag")

    found = [(advice.rule, advice.in_base, advice.changes) for advice in advise(image)]

    assert found == [("metadata-copy", False, 1), ("deleted-later", True, 0)]


def test_what_a_container_wrote_over_is_no_advice() -> None:
    image = stack([file("a", BIG)], [whiteout("a")])
    layers = tuple(dataclasses.replace(layer, writable=layer.index == 1) for layer in image.info.layers)
    image.info = dataclasses.replace(image.info, layers=layers)

    assert advise(image) == []


def test_paths_cost_nothing_before_they_are_asked_for() -> None:
    (advice,) = advise(stack([file(f"d/{n}", 100) for n in range(5000)], [whiteout("d")]))

    assert isinstance(advice.paths.rows, np.ndarray)
    assert len(advice.paths) == 5000
