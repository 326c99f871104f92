"""What an adapter does beside its work, while it does all of it once: what it logs, and what it reads."""

from __future__ import annotations

from functools import lru_cache

import attrs

from mailcore_conformance._subject import Subject
from mailcore_conformance.conduct._exposed import receiving, sending
from mailcore_conformance.conduct._flows import fullest, receives, shown
from mailcore_conformance.conduct._impure import watched
from mailcore_conformance.conduct._leaks import heard

__all__ = ["Observed", "observed"]


@attrs.frozen
class Observed:
    """
    What was seen.

    Attributes:
        log: All that was logged or printed.
        reads: What was read that was not given: the kind, and what and where it was.
    """

    log: str
    reads: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)
def observed(subject: Subject) -> Observed:
    """Configure an adapter, send and receive with it, genuine and not; return what was seen."""
    with heard() as log, watched() as found:
        sending(subject)
        shown(subject.request(fullest(subject)))
        if receives(subject):
            receiving(subject)
    return Observed(log.text, tuple(found()))
