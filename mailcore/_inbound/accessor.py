"""Accessors that are computed on first use and never raise.

Rule: an accessor has an answer for any bytes. A fault of the code that reads them is noted as a
defect, and the accessor is empty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, Self, TypeVar, overload

from mailcore._inbound.defect import DefectCode, DefectLog

__all__ = ["Accessor", "Memo", "accessor"]

T = TypeVar("T")


class Memo:
    """Keep what accessors found; a copy or pickle of the owner starts with an empty one."""

    __slots__ = ("log", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.log = DefectLog()

    def __reduce__(self) -> tuple[Any, ...]:
        return Memo, ()


class _Owner(Protocol):
    @property
    def _memo(self) -> Memo: ...


class Accessor(Generic[T]):
    """Compute a value once for each owner; see `accessor`."""

    def __init__(self, read: Callable[[Any], T], default: Any) -> None:
        self.__doc__ = read.__doc__
        self._read = read
        self._default = default
        self._name = read.__name__

    @overload
    def __get__(self, owner: None, cls: type) -> Self: ...

    @overload
    def __get__(self, owner: _Owner, cls: type) -> T: ...

    def __get__(self, owner: _Owner | None, cls: type) -> T | Self:
        if owner is None:
            return self
        memo = owner._memo  # noqa: SLF001  # reason: the owner keeps it for this class alone
        if self._name not in memo.values:
            memo.values.setdefault(self._name, self._compute(owner, memo))
        value: T = memo.values[self._name]
        return value

    def _compute(self, owner: _Owner, memo: Memo) -> T:
        try:
            return self._read(owner)
        except Exception as error:  # noqa: BLE001  # reason: the rule of this file
            text = f"It cannot be read ({type(error).__name__})."
            memo.log.add(DefectCode.UNREADABLE, self._name.rstrip("_"), text)
            default: T = self._default
            return default


def accessor(*, default: object) -> Callable[[Callable[[Any], T]], Accessor[T]]:
    """Make a method a property, computed once; `default` is its value should reading fail."""
    return lambda read: Accessor(read, default)
