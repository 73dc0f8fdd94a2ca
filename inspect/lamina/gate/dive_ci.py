"""A ``.dive-ci`` in the working folder, obeyed by dive's own formula, so that who comes from dive keeps its thresholds.

Keys, defaults and comparisons are dive's (its README, "CI Integration"): a value may be met, and must not be crossed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.dataclass import dataclass
from lamina.gate.configuration import read_file
from lamina.gate.limits import GateError, read_ratio, read_size

if TYPE_CHECKING:
    from lamina.figures.dive import DiveFigures

NAME = ".dive-ci"
_RULES = {"lowestefficiency": read_ratio, "highestwastedbytes": read_size, "highestuserwastedpercent": read_ratio}
"""By key, as dive takes it: letters of either case, with dashes or without."""


@dataclass(frozen=True, slots=True)
class DiveRules:
    """What dive holds an image to; None: disabled. The defaults are dive's."""

    lowest_efficiency: float | None = 0.9
    highest_wasted_bytes: int | None = None
    highest_user_wasted_percent: float | None = 0.1
    """A ratio of 0 to 1, whatever its name says."""


def user_waste_is_within(figures: DiveFigures, limit: float) -> bool:
    """The third rule. Where nothing stands above layer 0 dive divides by zero: only no waste at all is kept then."""
    return figures.wasted == 0 if figures.user_wasted_ratio is None else figures.user_wasted_ratio <= limit


def read_dive_ci(folder: Path) -> DiveRules | None:
    """Read the file, where there is one.

    Args:
        folder: the working folder.

    Raises:
        GateError: it can't be read, or a value is none that its rule can have; it names the line.
    """
    text = read_file(folder / NAME)
    if text is None:
        return None
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise GateError(f"{NAME}{line}: not YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise GateError(f"{NAME}: not YAML: {str(error).partition(chr(10))[0]}") from None
    values: dict[str, Any] = {}
    for key, rules in _members(root, ""):
        if key.lower() == "rules":
            for name, node in _members(rules, "rules"):
                rule = name.lower().replace("-", "")
                if rule not in _RULES:
                    raise GateError(f"{_at(node)}: {name:.60}: no such rule of dive's")
                values[rule] = _value(name, node)
    defaults = DiveRules()
    return DiveRules(
        values.get("lowestefficiency", defaults.lowest_efficiency),
        values.get("highestwastedbytes", defaults.highest_wasted_bytes),
        values.get("highestuserwastedpercent", defaults.highest_user_wasted_percent),
    )


def _members(node: Any, name: str) -> list[tuple[str, Any]]:
    """Key and value of a mapping, as YAML has them."""
    if node is None or (node.id == "scalar" and node.value in ("", "~", "null")):
        return []  # nothing but a heading
    if node.id != "mapping":
        raise GateError(f"{_at(node)}: {name or 'the document'} is not a mapping")
    return [(str(key.value), value) for key, value in node.value]


def _value(name: str, node: Any) -> float | None:
    text = node.value if node.id == "scalar" else None
    if text == "disabled":
        return None
    try:
        # dive takes "1,024" for 1024.
        number: float = _RULES[name.lower().replace("-", "")](text.replace(",", "") if text else text)
    except ValueError as error:
        raise GateError(f"{_at(node)}: {name}: {text!r:.60} is not {error}, nor 'disabled'") from None
    return number


def _at(node: Any) -> str:
    return f"{NAME}:{node.start_mark.line + 1}"
