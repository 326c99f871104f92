"""What is installed: distributions, their versions, and what they require."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions, version
from typing import Any

import attrs

from mailcore._version import DISTRIBUTION

__all__ = ["Requirement", "foreign_owners", "requirements", "version_of"]

_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)[^;]*?>=\s*(?P<floor>[0-9][0-9A-Za-z.!+_-]*)[^;]*(?:;(?P<marker>.*))?"
)
#: A version as PEP 440 has it, once `v` and the separators between words and numbers are gone.
_VERSION = re.compile(
    r"(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)"
    r"(?:(?P<pre>alpha|beta|preview|pre|rc|a|b|c)(?P<pre_number>[0-9]*))?"
    r"(?P<post>(?:post|rev|r)(?P<post_number>[0-9]*))?"
    r"(?P<dev>dev(?P<dev_number>[0-9]*))?"
)
_PHASES = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}


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
        """Whether the version that is there is below the floor; one that cannot be read is not."""
        there, needed = _order(self.installed or ""), _order(self.floor)
        return there is not None and needed is not None and there < needed


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
                floor=match["floor"],
                extra=extra.group(1) if extra else "",
                installed=version_of(match["name"]),
            )


def foreign_owners() -> list[str]:
    """Return distributions other than ours that put files into the package `mailcore`."""
    owners = packages_distributions().get("mailcore", [])
    return sorted({owner for owner in owners if re.sub(r"[-_.]+", "-", owner).lower() != DISTRIBUTION})


def _order(text: str) -> tuple[Any, ...] | None:
    """Return what sorts as the version does (PEP 440), or None; the local part decides nothing here."""
    public = text.strip().lower().removeprefix("v").partition("+")[0]
    match = _VERSION.fullmatch(re.sub(r"[-_.]?([a-z]+)[-_.]?", r"\1", public))
    if match is None:
        return None
    release = [int(number) for number in match["release"].split(".")]
    while release and release[-1] == 0:  # 2.7 and 2.7.0 are one version
        release.pop()
    # 1.0.dev1 comes before 1.0a1, and that before 1.0 and 1.0.post1.
    plain = -1 if match["dev"] and not match["post"] else len(_PHASES)
    pre = (_PHASES[match["pre"]], _number(match["pre_number"])) if match["pre"] else (plain, 0)
    post = _number(match["post_number"]) if match["post"] else -1
    dev = (0, _number(match["dev_number"])) if match["dev"] else (1, 0)
    return _number(match["epoch"]), release, pre, post, dev


def _number(text: str | None) -> int:
    return int(text or 0)
