"""Provider timestamps, read strictly and kept in one zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

__all__ = ["parse_timestamp", "require_aware", "utc_now"]

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\s?(?:Z|z|UTC|[+-]\d\d:?(?:\d\d)?)?", re.ASCII
)
_ZERO = re.compile(r"\s?(?:Z|z|UTC)$")


def parse_timestamp(text: object) -> datetime | None:
    """
    Return an ISO 8601 time in UTC, or None if `text` is not one.

    A time without a zone is taken as UTC; digits past microseconds are dropped.
    """
    if not isinstance(text, str) or not _ISO.fullmatch(text := text.strip()):
        return None
    try:
        found = datetime.fromisoformat(_ZERO.sub("+00:00", text))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def utc_now() -> datetime:
    """Return the time (aware UTC)."""
    return datetime.now(UTC)


def require_aware(value: datetime | None) -> datetime | None:
    """Return `value` in UTC; raise `ValueError` for a time without a zone."""
    if value is None or value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone; times are aware.")
    return value.astimezone(UTC)
