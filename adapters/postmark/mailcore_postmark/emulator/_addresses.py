"""How the emulator reads lists of addresses: with the standard library, which raises more than it says."""

from __future__ import annotations

from email.utils import getaddresses

__all__ = ["pairs"]

MAX_LENGTH = 100_000


def pairs(text: str) -> list[tuple[str, str]]:
    """Return names and addresses, those without an address too; none where the text cannot be read."""
    try:
        return getaddresses([text[:MAX_LENGTH]])
    except Exception:  # noqa: BLE001  # reason: known are RecursionError, IndexError and ValueError
        return []
