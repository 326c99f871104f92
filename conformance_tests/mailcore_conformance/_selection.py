"""Checks by the names that people type: an id, or what a family of ids begins with."""

from __future__ import annotations

from collections.abc import Iterable

from mailcore._nearest import did_you_mean
from mailcore_conformance._check import Check, Section, catalogue
from mailcore_conformance._kit import KitError

__all__ = ["of_section", "selected"]


def selected(names: Iterable[str]) -> list[Check]:
    """
    Return the checks that are meant, in the catalogue's order; `B10` means each `B10.` too.

    Raises:
        KitError: A name means none.
    """
    meant = {one for name in names for one in _meant(name)}
    return [check for one, check in catalogue().items() if one in meant]


def _meant(name: str) -> list[str]:
    wanted = name.removesuffix(".*").lower()
    found = [one for one in catalogue() if one.lower() == wanted or one.lower().startswith(f"{wanted}.")]
    if not found:
        raise KitError(
            f"There is no check {name!r}.{did_you_mean(_spelt(name), catalogue())} "
            "`mailcore-conformance list` shows all."
        )
    return found


def _spelt(name: str) -> str:
    return name[:1].upper() + name[1:].lower()


def of_section(section: Section | None) -> list[Check]:
    """Return the checks of one section, or all."""
    return [check for check in catalogue().values() if section in (None, check.section)]
