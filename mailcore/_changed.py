"""Copies of values that stay as they are, but for some fields.

Rule: only for a frozen class without slots, and only with values that were checked: `attrs.evolve` checks
all of them again, which for a value of many fields takes longer than to make it did.
"""

from __future__ import annotations

from typing import Any, TypeVar

__all__ = ["changed"]

T = TypeVar("T")


def changed(value: T, **fields: Any) -> T:
    """Return a copy with other values in these fields; none of them is checked or converted."""
    copy = object.__new__(type(value))
    vars(copy).update(vars(value))
    vars(copy).update(fields)
    return copy
