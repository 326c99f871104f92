"""
An adapter, judged by the conformance suite.

Rule: none of the adapter's own tests runs, so what survives is what a stranger's adapter could get wrong
      unnoticed. The emulator and the kit are evidence, and so are not changed.
"""

from __future__ import annotations

from collections.abc import Sequence

from mutation.options import parser
from mutation.page import Page
from mutation.report import report
from mutation.trial import ROOT, Trial

__all__ = ["main", "trial"]


def main(arguments: Sequence[str]) -> int:
    """Try every mutant of an adapter, and return the exit code."""
    words = parser("suite", __doc__ or "")
    words.add_argument("--adapter", default="mailpace", help="a folder of adapters/ (%(default)s)")
    options = words.parse_args(arguments)
    found = trial(options.adapter).run(children=options.children, only=options.only)
    return report("The conformance suite alone", [found], page=Page.of("suite"), whole=not options.only)


def trial(adapter: str) -> Trial:
    """Return the trial of one adapter."""
    package = f"mailcore_{adapter}"
    return Trial(
        name=adapter,
        packages={package: ROOT / "adapters" / adapter / package},
        spared=(f"{package}/emulator/*", f"{package}/conformance.py"),
        copied={"tests/test_suite_alone.py": ROOT / "mutation" / "suite_alone.py"},
        environment={"MAILCORE_MUTATED": adapter},
    )
