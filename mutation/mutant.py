"""One small change of one function."""

from __future__ import annotations

import re

import attrs

__all__ = ["Mutant"]


@attrs.frozen
class Mutant:
    """
    A change that was tried.

    Attributes:
        function: What it is in: `mailcore._retry.Quota.take`.
        gone: The first line that it takes away.
        put: The first one that it puts there.
    """

    function: str
    gone: str
    put: str

    @classmethod
    def of(cls, name: str, diff: str) -> Mutant:
        """Read one from mutmut's name for it, and what mutmut shows of it."""
        module, _, mangled = re.sub(r"__mutmut_\d+$", "", name).rpartition(".")
        function = re.sub(r"^x(?:_(?=.)|ǁ)", "", mangled).replace("ǁ", ".")
        return cls(f"{module}.{function}", _first(diff, "-"), _first(diff, "+") or "(nothing)")


def _first(diff: str, sign: str) -> str:
    lines = re.findall(rf"^[{sign}](?![{sign}]{{2}} )(.*)$", diff, re.MULTILINE)
    return next((line.strip() for line in lines if line.strip()), "")
