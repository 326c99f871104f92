"""One check, run with nothing caught: a debugger stops where the adapter goes wrong."""

from __future__ import annotations

from mailcore_conformance._selection import selected
from mailcore_conformance._subject import Subject
from mailcore_conformance._target import find

__all__ = ["repro"]


def repro(adapter: str, check_id: str, *, kit: str | None = None, plugin: str | None = None) -> None:
    """
    Run one check on an adapter, and let through whatever it raises.

    Args:
        adapter: Its name.
        kit: Where its kit is; None: where it says itself.
        plugin: Folder of a package that is not installed.

    Raises:
        Failed: What must hold does not.
        NotApplicable: The check has no meaning for this adapter.
        KitError: The adapter or its kit cannot be used.
    """
    target = find(adapter, kit=kit, plugin=plugin)
    for check in selected([check_id]):
        check.run(Subject(target.spec, target.kit, host=target.host))
