"""What an image is held to, and how a limit is written: on the command line and in configuration alike.

Loads nothing that takes time: the command's help is made from this table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from lamina.dataclass import dataclass

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:([kKmMgGtTpPeE])([iI]?)[bB]?|[bB])?")
_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%")
_NUMBER = re.compile(r"[0-9]*\.?[0-9]+")
_LONGEST_NAME = 500  # characters of a package's name
SEVERITIES = ("high", "medium", "low", "info")
"""Of advice, as :class:`lamina.advice.model.Severity` has them."""
_LONGEST = 40  # characters of a number: more are none that anybody means


class GateError(Exception):
    """What was asked for can't be carried out as it is written: one line that says what and where.

    The text may hold untrusted names: whoever shows it passes it through :func:`lamina.names.display_name` first.
    """


@dataclass(frozen=True, slots=True)
class Limits:
    """What an image has to keep to; None: anything goes. Sizes are bytes, ratios of 0 to 1."""

    max_wasted: int | None = None
    max_wasted_ratio: float | None = None
    min_efficiency: float | None = None
    max_size: int | None = None
    max_layers: int | None = None
    max_layer_size: int | None = None
    max_growth: float | None = None
    """Against a baseline: bytes where it is an int, a share of the baseline's size where it is a float."""
    forbid: tuple[str, ...] = ()
    """Globs of paths that no layer may carry: of the whole path where there is a slash in it, else of the name."""
    forbid_package: tuple[str, ...] = ()
    """Names of packages that no layer may carry, as globs; ``npm:NAME`` means one manager's."""
    severity: str | None = None
    """There may be no advice of this severity or above: one of :data:`SEVERITIES`."""

    def __bool__(self) -> bool:
        return self != Limits()

    def over(self, others: Limits) -> Limits:
        """These where they say something, else the others; what is forbidden adds up."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        lists = {
            key: tuple(dict.fromkeys((*getattr(others, key), *given[key]))) for key in ("forbid", "forbid_package")
        }
        return replace(others, **{key: value for key, value in given.items() if value is not None} | lists)


def read_size(value: object) -> int:
    """Bytes: a whole number, or ``20MB``, ``1.5 GiB``; k, M, G, T are thousands, Ki, Mi, Gi, Ti 1,024.

    Raises:
        ValueError: it is no size.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) and len(value) <= _LONGEST else None
    if found is None:
        raise ValueError("a size of 0 or more, like 20MB, 1.5GiB or 4096")
    number, unit, binary = found.groups()
    return int(Decimal(number) * ((1024 if binary else 1000) ** ("kmgtpe".index(unit.lower()) + 1) if unit else 1))


def read_ratio(value: object) -> float:
    """A share: ``0.05`` or ``5%``.

    Raises:
        ValueError: it is none of 0 to 1.
    """
    share = -1.0
    if isinstance(value, int | float) and not isinstance(value, bool):
        share = float(value)
    elif isinstance(value, str) and len(value) <= _LONGEST:
        text = value.strip()
        if found := _PERCENT.fullmatch(text):
            share = float(Decimal(found[1]) / 100)
        elif _NUMBER.fullmatch(text):
            share = float(text)
    if not 0 <= share <= 1:
        raise ValueError("a share of 0 to 1, like 0.05 or 5%")
    return share


def read_growth(value: object) -> float:
    """Bytes, or ``5%`` of the baseline, which is given as a float.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, str) and len(value) <= _LONGEST and (found := _PERCENT.fullmatch(value.strip())):
        return float(Decimal(found[1]) / 100)
    try:
        return read_size(value)
    except ValueError:
        raise ValueError("a size like 20MB, or a share of the baseline's size like 5%") from None


def read_count(value: object) -> int:
    """A whole number.

    Raises:
        ValueError: it is none, or below 0.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and len(value) <= _LONGEST and value.isascii() and value.isdecimal():
        return int(value)
    raise ValueError("a whole number of 0 or more")


def read_globs(value: object) -> tuple[str, ...]:
    """One glob, or a list of them.

    Raises:
        ValueError: one is none.
    """
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) and text.strip("/") for text in texts):
        raise ValueError("a glob like '*.pem', or a list of them")
    from lamina.contents.globs import Globs

    try:
        Globs(tuple(texts))
    except ValueError:
        raise ValueError("a glob whose sets have at most 10,000 characters") from None
    return tuple(texts)


def read_names(value: object) -> tuple[str, ...]:
    """One package's name, or a list of them; ``*`` stands for anything.

    Raises:
        ValueError: one is none.
    """
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ValueError("a package's name like 'gcc*' or 'npm:left-pad', or a list of them")
    if any(len(text) > _LONGEST_NAME for text in texts):
        raise ValueError(f"a name of at most {_LONGEST_NAME} characters")
    return tuple(texts)


def read_severity(value: object) -> str:
    """The name of a severity of advice.

    Raises:
        ValueError: it is none.
    """
    if value not in SEVERITIES:
        raise ValueError(f"one of {', '.join(SEVERITIES)}")
    return str(value)


def read_rules(value: object) -> tuple[str, ...]:
    """The name of a rule of advice, or a list of them.

    Raises:
        ValueError: one is none.
    """
    texts = [value] if isinstance(value, str) else value
    from lamina.advice.catalogue import rule_names

    known = rule_names()
    if not isinstance(texts, list | tuple) or not all(text in known for text in texts):
        raise ValueError("the name of a rule, or a list of them: `lamina check --rules` has them")
    return tuple(texts)


@dataclass(frozen=True, slots=True)
class LimitForm:
    """How one limit is written."""

    read: Callable[[object], Any]
    """Makes its value of a text, or of what TOML has."""
    metavar: str
    help: str

    @property
    def several(self) -> bool:
        """Whether it may be given more than once."""
        return self.read in (read_globs, read_names)


FORMS: Mapping[str, LimitForm] = {
    "max-wasted": LimitForm(read_size, "SIZE", "bytes shipped that no name in the final file system reaches"),
    "max-wasted-ratio": LimitForm(read_ratio, "RATIO", "the same as a share of the size: 0.05 or 5%%"),
    "min-efficiency": LimitForm(read_ratio, "RATIO", "visible bytes as a share of the size: 0.95 or 95%%"),
    "max-size": LimitForm(read_size, "SIZE", "bytes of all layers' files"),
    "max-layers": LimitForm(read_count, "N", "how many layers"),
    "max-layer-size": LimitForm(read_size, "SIZE", "bytes of the largest layer's files"),
    "max-growth": LimitForm(read_growth, "SIZE|N%%", "how much larger than --baseline it may be"),
    "forbid": LimitForm(
        read_globs, "GLOB", "no layer may carry such a path, not even one that is removed later; may be repeated"
    ),
    "forbid-package": LimitForm(
        read_names, "NAME", "the same of a package: gcc, npm:left-pad, 'linux-headers-*'; may be repeated"
    ),
    "severity": LimitForm(
        read_severity,
        "LEVEL",
        "no advice of this severity or above: high, medium, low or info (see --rules)",
    ),
}
"""Every limit by its name, which is its option's and its key's too."""


def read_limits(given: Mapping[str, object], where: Callable[[str], str]) -> Limits:
    """Limits out of what was written down.

    Args:
        given: name -> value; None is passed over.
        where: for an error, what a name was written as: ``--max-size``, ``.lamina.toml:3: max-size``.

    Raises:
        GateError: there is no such limit, or its value can't be one.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        form = FORMS.get(name)
        if form is None:
            raise GateError(f"{where(name)}: no such limit, only {', '.join(FORMS)}")
        try:
            values[name.replace("-", "_")] = form.read(value)
        except ValueError as error:
            raise GateError(f"{where(name)}: {value!r:.60} is not {error}") from None
    return Limits(**values)
