"""Values of Postmark's JSON, whatever type they came in: what is not as documented is absent."""

from __future__ import annotations

from typing import Any

from mailcore import Address, InvalidAddress

__all__ = ["address", "number", "text"]


def text(value: Any) -> str:
    """Return a text, empty where it is none or says nothing."""
    return value if isinstance(value, str) and value.strip() else ""


def number(value: Any) -> int | None:
    """Return an integer, also one that came as text; None where it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:20])
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def address(value: Any) -> str | None:
    """Return the bare address in a text, None where there is not exactly one."""
    try:
        return Address.parse(text(value)).addr_spec
    except InvalidAddress:
        return None
