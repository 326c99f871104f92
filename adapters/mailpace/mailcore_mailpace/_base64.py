"""Base64 of keys and signatures.

Rule: several texts decode to the same bytes; only the one that the bytes encode to is taken.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

__all__ = ["decoded"]


def decoded(text: str, length: int) -> bytes | None:
    """Return that many bytes; None where the text is not their base64."""
    try:
        found = b64decode(text)
    except ValueError:
        return None
    return found if len(found) == length and b64encode(found).decode() == text else None
