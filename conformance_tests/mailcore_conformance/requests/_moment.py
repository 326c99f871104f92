"""Whether a text stands for a moment, in any of the ways that APIs write one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from mailcore_conformance._subject import NOW

__all__ = ["says_moment"]

_NUMBER = re.compile(r"\d{1,16}(?:\.0+)?")
_READERS: tuple[Callable[[str], datetime], ...] = (datetime.fromisoformat, parsedate_to_datetime)


def says_moment(text: str, moment: datetime) -> bool:
    """Return whether a text is that moment: ISO 8601, RFC 5322, or a number of seconds or the like."""
    if _NUMBER.fullmatch(text):
        return float(text) in _numbers(moment)
    # A time without a zone is UTC to most; to the others it is another time, so it counts for none.
    return any(found.tzinfo is not None and found == moment for found in _dates(text))


def _numbers(moment: datetime) -> Iterator[float]:
    """Yield a moment since 1970, and from now, which delays are counted from."""
    for start in (datetime(1970, 1, 1, tzinfo=UTC), NOW):
        seconds = (moment - start) / timedelta(seconds=1)
        yield from (seconds, seconds * 1000, seconds // 60)


def _dates(text: str) -> Iterator[datetime]:
    if not 10 <= len(text) <= 40:
        return
    for read in _READERS:
        try:
            yield read(text)
        except (ValueError, TypeError, IndexError):
            continue
