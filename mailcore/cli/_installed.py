"""What is installed: distributions, their versions, and what they require."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions, version

import attrs

__all__ = ["CORE", "Requirement", "foreign_owners", "requirements", "version_of"]

CORE = "mailcore-esp"

_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)[^;]*?>=\s*(?P<floor>[0-9][0-9.]*)[^;]*(?:;(?P<marker>.*))?"
)


@attrs.frozen(kw_only=True)
class Requirement:
    """
    One package a distribution needs.

    Attributes:
        floor: The oldest version that works.
        extra: The extra it belongs to; empty where it is always needed.
        installed: The version that is there, or None.
    """

    name: str
    floor: str
    extra: str
    installed: str | None

    @property
    def too_old(self) -> bool:
        """Whether the version that is there is below the floor."""
        return self.installed is not None and _numbers(self.installed) < _numbers(self.floor)


def version_of(name: str) -> str | None:
    """Return the installed version of a distribution, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def requirements(name: str) -> Iterator[Requirement]:
    """Yield what a distribution says it needs, where it names an oldest version."""
    try:
        found = distribution(name).requires or []
    except PackageNotFoundError:
        return
    for text in found:
        match = _REQUIREMENT.match(text)
        if match:
            extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", match["marker"] or "")
            yield Requirement(
                name=match["name"],
                floor=match["floor"].rstrip("."),
                extra=extra.group(1) if extra else "",
                installed=version_of(match["name"]),
            )


def foreign_owners() -> list[str]:
    """Return distributions other than ours that put files into the package `mailcore`."""
    owners = packages_distributions().get("mailcore", [])
    return sorted({owner for owner in owners if re.sub(r"[-_.]+", "-", owner).lower() != CORE})


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers a version starts with; a pre-release counts as its release."""
    match = re.match(r"[0-9]+(?:\.[0-9]+)*", text)
    numbers = [int(number) for number in match.group().split(".")] if match else []
    while numbers and numbers[-1] == 0:  # 2.7 and 2.7.0 are one version
        numbers.pop()
    return tuple(numbers)
