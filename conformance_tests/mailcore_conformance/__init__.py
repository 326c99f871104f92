"""The conformance suite: what is true of an adapter, shown by one command.

Rule: a name is imported when it is first used, so that the pytest plugin costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailcore_conformance._check import Check, Section, Weight, catalogue
    from mailcore_conformance._kit import Kit, KitError, Sign
    from mailcore_conformance._report import Deviation, Report, Status, Verdict
    from mailcore_conformance._repro import repro
    from mailcore_conformance._runner import run
    from mailcore_conformance._sample import Delivery, Exchange
    from mailcore_conformance.suite import ConformanceSuite

__all__ = [
    "Check",
    "ConformanceSuite",
    "Delivery",
    "Deviation",
    "Exchange",
    "Kit",
    "KitError",
    "Report",
    "Section",
    "Sign",
    "Status",
    "Verdict",
    "Weight",
    "catalogue",
    "repro",
    "run",
]

_HOMES = {
    "Check": "_check",
    "ConformanceSuite": "suite",
    "Delivery": "_sample",
    "Deviation": "_report",
    "Exchange": "_sample",
    "Kit": "_kit",
    "KitError": "_sample",
    "Report": "_report",
    "Section": "_check",
    "Sign": "_kit",
    "Status": "_report",
    "Verdict": "_report",
    "Weight": "_check",
    "catalogue": "_check",
    "repro": "_repro",
    "run": "_runner",
}

if not TYPE_CHECKING:  # otherwise a type checker would accept misspelt names

    def __getattr__(name: str) -> Any:
        """Import a public name on first use."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
