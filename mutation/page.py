"""The page that explains why mutants survive: a heading for each function, a line for each mutant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs

from mutation.mutant import Mutant

__all__ = ["Page"]


@attrs.frozen
class Page:
    """
    What is known of survivors.

    Attributes:
        reasons: Why nobody notices, by the function and the first line that the mutant puts there.
    """

    path: Path
    reasons: Mapping[tuple[str, str], str]

    @classmethod
    def of(cls, name: str) -> Page:
        """Read the page of a judge."""
        path = Path(__file__).resolve().parent / f"{name}.md"
        return cls(path, dict(_reasons(path.read_text(encoding="utf-8").splitlines())))

    def reason(self, mutant: Mutant) -> str | None:
        """Return why a mutant survives; None where the page does not say."""
        return self.reasons.get((mutant.function, mutant.put))

    def outdated(self, survivors: Iterable[Mutant]) -> list[tuple[str, str]]:
        """Return what the page explains, and what did not survive."""
        alive = {(one.function, one.put) for one in survivors}
        return [one for one in self.reasons if one not in alive]


def _reasons(lines: Iterable[str]) -> Iterable[tuple[tuple[str, str], str]]:
    function = ""
    for line in lines:
        if line.startswith("## "):
            function = line.removeprefix("## ").strip().strip("`")
        if item := re.fullmatch(r"- `(.+?)`: (.+)", line):
            yield (function, item[1]), item[2]
