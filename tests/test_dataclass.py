"""Our dataclasses against the standard library's, of the same classes."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import field
from typing import Any, ClassVar

import numpy as np
import pytest

from lamina.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """Frozen, with a default."""

    x: int
    y: int = 0
    kind: ClassVar[str] = "point"

    @property
    def sum(self) -> int:
        """Of both."""
        return self.x + self.y


@dataclass(frozen=True, slots=True)
class Named(Point):
    """One field more."""

    name: str = ""


@dataclass(slots=True)
class Basket:
    """May be changed."""

    things: list[int] = field(default_factory=list)
    hidden: str = field(repr=False, default="h")
    note: str = field(compare=False, default="")
    count: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.count = len(self.things)


@dataclass(frozen=True)
class Open:
    """Without slots."""

    value: int = 3


@dataclass(frozen=True, slots=True, eq=False)
class Itself:
    """Equal to nothing else."""

    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ByName:
    """Takes no positions."""

    left: int
    right: int = 2


class Plain:
    """What both decorators are given to make the same of."""

    first: int
    second: str = "s"
    third: tuple[int, ...] = ()


def plain() -> type[Any]:
    """A new :class:`Plain`."""
    return type("Plain", (), {k: v for k, v in Plain.__dict__.items() if k not in ("__dict__", "__weakref__")})


def standard(**options: bool) -> Any:
    """The standard library's of :class:`Plain`."""
    make: Any = dataclasses.dataclass
    return make(**options)(plain())


def ours(**options: bool) -> Any:
    """Ours."""
    make: Any = dataclass
    return make(**options)(plain())


FORMS = [{}, {"frozen": True}, {"slots": True}, {"frozen": True, "slots": True}, {"eq": False}, {"kw_only": True}]


def told(action: Callable[[Any], object], cls: Any) -> object:
    """What comes of it, or which error."""
    try:
        return action(cls)
    except (TypeError, AttributeError) as error:
        return type(error)


@pytest.mark.parametrize("options", FORMS)
def test_it_does_what_the_standard_one_does(options: dict[str, bool]) -> None:
    actions: list[Callable[[Any], object]] = [
        lambda cls: repr(cls(first=1)).rpartition(".")[2],
        lambda cls: repr(cls(1, "b", (2,))).rpartition(".")[2],
        lambda cls: cls(),
        lambda cls: cls(1, "b", (), 4),
        lambda cls: cls(first=1, fourth=4),
        lambda cls: cls(1, first=1),
        lambda cls: cls(first=1) == cls(first=1),
        lambda cls: cls(first=1) != cls(first=2),
        lambda cls: cls(first=1) == (1, "s", ()),
        lambda cls: len({cls(first=1), cls(first=1)}),
        lambda cls: setattr(cls(first=1), "first", 2),
        lambda cls: delattr(cls(first=1), "first"),
        lambda cls: cls.__match_args__,
        lambda cls: dataclasses.asdict(cls(first=1)),
        lambda cls: dataclasses.replace(cls(first=1), third=(9,)).third,
        lambda cls: [each.name for each in dataclasses.fields(cls)],
        lambda cls: [dataclasses.is_dataclass(each) for each in (cls, cls(first=1))],
        lambda cls: hasattr(cls(first=1), "__dict__"),
        lambda cls: cls.__hash__ is None,
        lambda cls: (cls.__name__, cls.__qualname__, cls.__doc__),
    ]

    theirs, mine = standard(**options), ours(**options)

    for action in actions:
        assert told(action, mine) == told(action, theirs)


def test_a_derived_class_has_the_fields_of_both() -> None:
    named = Named(1, name="a")

    assert repr(named) == "Named(x=1, y=0, name='a')"
    assert (named.sum, named.kind) == (1, "point")
    assert named != Point(1)
    assert named == Named(1, 0, "a")
    assert dataclasses.replace(named, x=5) == Named(5, 0, "a")
    assert [each.name for each in dataclasses.fields(Named)] == ["x", "y", "name"]


def test_fields_say_what_is_made_compared_and_shown() -> None:
    one, other = Basket(), Basket(note="other")
    one.things.append(1)

    assert not other.things
    assert (other.count, other.hidden) == (0, "h")
    assert Basket([1]) == Basket([1], note="no matter")
    assert repr(Basket([1])) == "Basket(things=[1], note='')"
    with pytest.raises(TypeError):
        hash(other)


def test_a_frozen_one_stays_as_it_is() -> None:
    for held, name in ((Point(1), "x"), (Open(), "value")):
        with pytest.raises(dataclasses.FrozenInstanceError, match=name):
            setattr(held, name, 2)
        with pytest.raises(dataclasses.FrozenInstanceError, match=name):
            delattr(held, name)


@pytest.mark.parametrize("held", [Point(1, 2), Named(1, name="n"), Basket([4], note="n"), Open(4), ByName(left=1)])
def test_it_can_be_sent_and_copied(held: object) -> None:
    assert pickle.loads(pickle.dumps(held)) == held
    assert copy.copy(held) == held
    assert copy.deepcopy(held) == held


def test_equality_may_be_left_to_identity() -> None:
    one = Itself(1)

    assert one != Itself(1)
    assert len({one, one, Itself(1)}) == 2


def test_names_may_be_wanted() -> None:
    assert ByName(left=1) == ByName(right=2, left=1)
    with pytest.raises(TypeError):
        ByName(1)  # type: ignore[call-arg]


def test_what_holds_itself_can_be_shown() -> None:
    basket = Basket()
    basket.things.append(basket)  # type: ignore[arg-type]

    assert "..." in repr(basket)


def test_one_array_alone_is_compared_as_the_standard_library_does() -> None:
    @dataclass(frozen=True, slots=True)
    class Column:
        values: np.ndarray[Any, Any]

    values = np.arange(3)

    assert Column(values) == Column(values)


def test_defining_classes_compiles_nothing() -> None:
    # given a program that counts what is compiled
    code = (
        "import builtins, lamina.dataclass\n"
        "count, compiled = 0, builtins.exec\n"
        "def counting(code, *rest):\n"
        "    global count\n"
        "    count += isinstance(code, str)\n"
        "    return compiled(code, *rest)\n"
        "builtins.exec = counting\n"
        "from lamina.model import Progress\n"
        "before = count\n"
        "Progress('reading', 1, 2); Progress('reading', 1, 2)\n"
        "print(before, count)\n"
    )

    # when a module with dataclasses is loaded, and objects of one are made
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    # then it was one method
    assert run.stdout.split() == ["0", "1"]
