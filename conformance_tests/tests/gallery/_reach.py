"""Which checks a changed method can reach: those that call it on the correct adapter.

Rule: a check that calls none of the methods in which a broken adapter differs sees the correct adapter, and
so passes. Where that cannot be told, the check is run.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import reference
from reference import REFERENCES

import mailcore._adapter
from gallery import Broken, host_of
from mailcore_conformance import Section, catalogue
from mailcore_conformance._guard import no_network
from mailcore_conformance._subject import Subject
from mailcore_conformance.conduct import _impure

__all__ = ["reachable"]

_CONTRACT = mailcore._adapter.__file__
_REFERENCE = str(Path(reference.__file__).parent)
#: What a class has that is no method of the contract.
_LABELS = {
    "__module__",
    "__doc__",
    "__qualname__",
    "__annotations__",
    "__firstlineno__",
    "__static_attributes__",
}


def reachable(broken: Broken) -> list[str] | None:
    """Return the checks that can find a broken adapter; None: any could."""
    changed = _changed(broken)
    if changed is None or type(broken) is not Broken or broken.spec or broken.kit:
        return None
    name = next(name for name, found in REFERENCES.items() if found is broken.reference)
    calls = _calls(name)
    sections = {check.id: check.section for check in catalogue().values()}
    return [
        one
        for one, called in calls.items()
        if called is None or called & changed or sections[one] is Section.PLUGIN or one == broken.check
    ]


def _changed(broken: Broken) -> set[str] | None:
    """Return the methods in which an adapter differs from its reference; None: in something else."""
    names: set[str] = set()
    own = [cls for cls in broken.cls.__mro__ if cls.__module__.startswith("gallery.")]
    if not own:
        return None
    for cls in own:
        names |= set(vars(cls)) - _LABELS
    correct = next(cls for cls in broken.cls.__mro__ if cls not in own)
    for name in names:
        before = getattr(correct, name, None)
        if name.startswith("__") or not (before is None or callable(before) or isinstance(before, property)):
            return None
    return names


@cache
def _calls(name: str) -> Mapping[str, set[str] | None]:
    """Return check → the methods it calls on a reference; None for one that watches calls itself."""
    found = REFERENCES[name]
    subject = Subject(found.spec, found.kit, host=host_of(found.spec))
    calls: dict[str, set[str] | None] = {}
    with no_network():
        for check in catalogue().values():
            seen: set[str] = set()

            def note(frame: FrameType, event: str, _: Any, seen: set[str] = seen) -> None:
                path = frame.f_code.co_filename
                if event == "call" and (path.startswith(_REFERENCE) or path == _CONTRACT):
                    seen.add(frame.f_code.co_name)
                elif path == _impure.__file__:
                    seen.add(path)

            threading.setprofile(note)
            sys.setprofile(note)
            try:
                check.run(subject)
            except Exception:  # noqa: BLE001, S110  # reason: what does not apply raises too
                pass
            finally:
                sys.setprofile(None)
                threading.setprofile(None)
            calls[check.id] = None if _impure.__file__ in seen else seen
    return calls
