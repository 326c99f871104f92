"""What one run found, and how it came about: the one thing that tables, plots and pages are made of.

Rule: the record holds figures and no judgement. A page made of an old one says what today's goals say of it.
"""

from __future__ import annotations

import json
import platform
import re
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import attrs
import cattrs

from benchmarks.contest import Found
from benchmarks.curve import Growth
from reliability.figures import circumstances

__all__ = ["KEPT", "Record", "how"]

ROOT = Path(__file__).resolve().parent.parent
#: The record that the page of the documentation is made of; its plots lie beside it.
KEPT = ROOT / "docs" / "reference" / "benchmarks" / "result.json"

#: Whose versions the figures depend on.
PACKAGES = (
    *("aiohttp", "attrs", "django", "django-anymail", "httpx", "mailcore-esp", "pluggy", "PyNaCl"),
    *("requests", "urllib3"),
)


_NUMBERS = re.compile(r"\[\s+([^\[\]{}]*?)\s+\]")


@attrs.frozen(kw_only=True)
class Record:
    """
    One run.

    Attributes:
        circumstances: Date, machine, Python, commit, command, and the like.
        versions: Of what was measured.
        contests: By name.
        curves: By name.
    """

    circumstances: Mapping[str, str]
    versions: Mapping[str, str]
    contests: Mapping[str, Found]
    curves: Mapping[str, Growth]

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Read one."""
        return cattrs.structure(json.loads(text), cls)

    def to_json(self) -> str:
        """Write it, each list of numbers on one line."""
        text = json.dumps(cattrs.unstructure(self), indent=1, ensure_ascii=False)
        return _NUMBERS.sub(lambda match: f"[{' '.join(match[1].split())}]", text) + "\n"


def how(only: Sequence[str], rounds: int, began: float) -> dict[str, Any]:
    """
    Return the circumstances of this run and the versions of what it measured.

    Args:
        began: What `time.monotonic` said when it did.
    """
    command = ["benchmarks", *(word for name in only for word in ("--only", name)), "--rounds", str(rounds)]
    took = f"{time.monotonic() - began:.0f} s"
    return {
        "circumstances": {**circumstances(command, "benchmarks"), "processor": _processor(), "took": took},
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _processor() -> str:
    """Return what the machine calls its processor."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name")]
    return names[0] if names else "unknown"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
