"""Numbers in words that people read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.amounts import SIZE_WIDTH, percent, plural, size, size_bytes

_FACTORS = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (1, "1"),
        (999, "999"),
        (1000, "1.0 K"),
        (1049, "1.0 K"),
        (4100, "4.1 K"),
        (99_949, "99.9 K"),
        (99_950, "100 K"),
        (999_499, "999 K"),
        (999_500, "1.0 M"),
        (74_800_000, "74.8 M"),
        (187_000_000, "187 M"),
        (999_499_999, "999 M"),
        (999_500_000, "1.0 G"),
        (2_970_000_000, "3.0 G"),
        (10**12, "1.0 T"),
        (2**63 - 1, "9.2 E"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


def value(text: str) -> float:
    number, _, unit = text.partition(" ")
    return float(number) * _FACTORS.get(unit, 1)


@given(st.one_of(st.integers(0, 2**63 - 1), st.integers(0, 18).flatmap(lambda n: st.integers(10**n // 2, 2 * 10**n))))
def test_any_size_fits_its_cells_and_is_near_the_truth(count: int) -> None:
    text = size(count)

    assert len(text) <= SIZE_WIDTH
    assert abs(value(text) - count) <= 0.0501 * count
    assert value(size(count + 1)) >= value(text), "a greater size looks smaller"


def test_the_cells_for_sizes_are_all_used() -> None:
    assert max(len(size(count)) for count in (999, 99_900, 999_000)) == SIZE_WIDTH


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (512, "512 B"), (1000, "1.0 KB"), (187_000_000, "187 MB"), (999_500, "1.0 MB")]
)
def test_sizes_in_running_text(count: int, text: str) -> None:
    assert size_bytes(count) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.0, "0 %"),
        (1e-9, "0.1 %"),
        (0.066, "6.6 %"),
        (0.5, "50.0 %"),
        (0.9994, "99.9 %"),
        (0.9999999, "99.9 %"),
        (1, "100 %"),
        (1.0, "100 %"),
    ],
)
def test_shares(share: float, text: str) -> None:
    assert percent(share) == text


@given(st.floats(0, 1))
def test_only_all_is_a_hundred_and_only_nothing_is_nought(share: float) -> None:
    assert (percent(share) == "100 %") is (share == 1)
    assert (percent(share) == "0 %") is (share == 0)
    assert abs(float(percent(share).removesuffix(" %")) - share * 100) <= 0.1


@pytest.mark.parametrize(("number", "text"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (12_345, "12,345 files")])
def test_counted_things(number: int, text: str) -> None:
    assert plural(number, "file") == text
