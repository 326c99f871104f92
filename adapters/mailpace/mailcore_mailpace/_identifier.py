"""MailPace's ids: one function, so that an event's message id equals the one that sending returned."""

from __future__ import annotations

from typing import Any

__all__ = ["identifier"]

MAX_LENGTH = 255


def identifier(value: Any) -> str | None:
    """Return an id as text: documented as an integer, seen as text in fixtures; None if it is no id."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or len(value) > MAX_LENGTH:
        return None
    return value if value.isprintable() and value.strip() else None
