"""Texts and names that are easily changed on the way."""

from __future__ import annotations

__all__ = ["NAME", "NAMES", "SUBJECT", "TEXT", "long_text"]

#: Display names that mean something else where they are not quoted.
NAMES = (
    "Rogers, Steve",
    'Ada "Countess" Lovelace',
    "Smith <smith@example.com>",
    "Back\\slash",
    "Sales; Support: all",
    "Ada (home)",
    "ada@home",
)

#: Beyond ASCII, beyond 16 bits, joined, combining, right to left, and what normalisation would change.
SUBJECT = "Grüße 👩\u200d👩\u200d👧 शुभकामनाएँ שלום e\u0301 \ufb01 Ω"
NAME = "Çelik שרה e\u0301 😀"
TEXT = "Zeile äöü\n日本語 😀 e\u0301\n\u05e9\u05dc\u05d5\u05dd \u200f!"


def long_text() -> str:
    """Return 10,000 characters in many lines: dots, long lines, blanks, and both line ends."""
    lines = [f"Line {number} of a long text" for number in range(400)]
    lines[10:13] = [".", "..two dots", ".leading dot"]
    lines[20:23] = ["From the start", "  indented  ", "trailing blanks  "]
    lines[30] = "long " * 600
    lines[40:42] = ["", ""]
    return "\n".join(lines[:100]) + "\r\n" + "\r\n".join(lines[100:]) + "\n"
