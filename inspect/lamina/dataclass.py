"""``@dataclass`` as the standard library has it, for a tenth of what its classes cost to define.

The standard decorator writes and compiles up to eight methods of every class when its module is loaded: half a
millisecond, and a report on the smallest image needs eighty classes. Here comparing, hashing and showing are functions
that all classes share, and ``__init__`` is compiled for those of which an object is made, when the first one is. To
everybody else they are dataclasses: :func:`dataclasses.fields`, ``replace``, ``asdict`` and ``is_dataclass`` take them.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from operator import attrgetter
from reprlib import recursive_repr

__all__ = ["dataclass"]

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass
    from typing import Any

    Fields = dict[str, dataclasses.Field[Any]]
else:

    def dataclass(**options: bool) -> Callable[[type[Any]], type[Any]]:
        """See :func:`dataclasses.dataclass`, of whose options this takes ``frozen``, ``slots``, ``eq`` and ``kw_only``.

        A base is one that was made here too, or no dataclass; there are no ``InitVar`` and ``KW_ONLY``.
        """
        return lambda cls: _made(cls, **options)


def _made(
    cls: type[Any], *, frozen: bool = False, slots: bool = False, eq: bool = True, kw_only: bool = False
) -> type[Any]:
    """The class that takes the place of the one that was written."""
    inherited: Fields = {}
    for base in reversed(cls.__mro__[1:]):
        inherited |= base.__dict__.get("_all_fields", {})
    own = _own_fields(cls)
    fields = inherited | own
    written = {
        name: value
        for name, value in cls.__dict__.items()
        if name not in own and name not in ("__dict__", "__weakref__")
    }
    standard = cache(lambda: dataclasses.dataclass(frozen=frozen, eq=eq, kw_only=kw_only)(cls))
    added: dict[str, Any] = {
        "__init__": _compile_init,
        "__repr__": _repr,
        "__match_args__": () if kw_only else tuple(name for name, field in fields.items() if field.init),
    }
    if slots:
        added["__slots__"] = tuple(name for name in own if name not in inherited)
    else:
        added |= {name: field.default for name, field in own.items() if field.default is not dataclasses.MISSING}
    if eq:
        added |= {"__eq__": _eq, "__hash__": _hash if frozen else None}
        if written.get("__hash__") is None:  # what Python itself says of a class with an __eq__
            written.pop("__hash__", None)
    if frozen:
        added |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
        if slots:  # unpickling would set attributes
            added |= {"__getstate__": _state, "__setstate__": _set_state}
    kept = {
        "_all_fields": fields,
        "_compared": _values_of([name for name, field in fields.items() if field.compare]),
        "_init_by_name_only": kw_only,
        "_is_frozen": frozen,
        **{name: _Standard(standard, name) for name in ("__dataclass_fields__", "__dataclass_params__")},
    }
    meta: Callable[..., type[Any]] = type(cls)
    made = meta(cls.__name__, cls.__bases__, added | written | kept)
    made.__qualname__ = cls.__qualname__
    return made


def _own_fields(cls: type[Any]) -> Fields:
    """What the class itself says that its objects hold; its annotations are texts."""
    found: Fields = {}
    for name, annotation in cls.__annotations__.items():
        if not annotation.startswith("ClassVar"):
            default = cls.__dict__.get(name, dataclasses.MISSING)
            found[name] = default if isinstance(default, dataclasses.Field) else dataclasses.field(default=default)
    return found


def _values_of(names: list[str]) -> Callable[[object], tuple[Any, ...]]:
    """What takes an object's values of these names."""
    if len(names) > 1:
        return attrgetter(*names)
    return staticmethod(lambda held: tuple(getattr(held, name) for name in names))


class _Standard:
    """An attribute by which the standard library knows its dataclasses, made when it asks.

    Args:
        cls: makes a standard dataclass of the class as it was written.
        name: of the attribute.
    """

    def __init__(self, cls: Callable[[], type[Any]], name: str) -> None:
        self._cls = cls
        self._name = name

    def __get__(self, held: object, owner: type[Any]) -> Any:
        return getattr(self._cls(), self._name)


# -- the methods -------------------------------------------------------------------------------------------------------


def _compile_init(self: Any, *args: Any, **values: Any) -> None:
    """Stands for ``__init__`` until the first object is made."""
    cls: Any = next(each for each in type(self).__mro__ if each.__dict__.get("__init__") is _compile_init)
    cls.__init__ = _init_of(cls)
    cls.__init__(self, *args, **values)


def _init_of(cls: Any) -> Callable[..., None]:
    known: dict[str, Any] = {"_set": object.__setattr__, "_NEW": object()}
    parameters, lines = [], []
    for name, field in cls._all_fields.items():
        value, parameter = name, name
        if field.default is not dataclasses.MISSING:
            known[f"_default_{name}"] = field.default
            parameter = f"{name}=_default_{name}"
        elif field.default_factory is not dataclasses.MISSING:
            known[f"_make_{name}"] = field.default_factory
            parameter, value = f"{name}=_NEW", f"_make_{name}() if {name} is _NEW else {name}"
        if field.init:
            parameters.append(parameter)
        elif "=" in parameter:  # nobody but the class says what it is
            value = parameter.partition("=")[2] if value == name else f"_make_{name}()"
        else:
            continue  # __post_init__ sets it
        lines.append(f"_set(self, {name!r}, {value})" if cls._is_frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    only = ["*"] if cls._init_by_name_only and parameters else []
    exec(f"def __init__({', '.join(['self', *only, *parameters])}):\n  " + "\n  ".join(lines or ["pass"]), known)  # noqa: S102  # of names in our own source alone
    init: Callable[..., None] = known["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


@recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name, field in self._all_fields.items() if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: Any) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return self._compared(self) == self._compared(other)


def _hash(self: Any) -> int:
    return hash(self._compared(self))


def _refuse_to_set(self: object, name: str, value: object) -> None:
    del self, value
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> None:
    del self
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self._all_fields]


def _set_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(self._all_fields, state, strict=True):
        object.__setattr__(self, name, value)
