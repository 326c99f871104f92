"""A check as one row of a table: what is said of it, and the function that finds what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from mailcore import Capability
from mailcore_conformance._subject import Subject

__all__ = ["Row"]


@attrs.frozen(kw_only=True)
class Row:
    """
    One check.

    Attributes:
        faults: Returns what is wrong, a sentence each.
    """

    id: str
    title: str
    why: str
    fix: str
    capability: Capability
    faults: Callable[[Subject], Iterable[str]]
