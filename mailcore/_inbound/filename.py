"""File names from strangers.

Rule: a name is one that any file system takes, in any folder, without leaving it.
"""

from __future__ import annotations

import re
import unicodedata

from mailcore._characters import BIDI, LINE_BREAKS

__all__ = ["safe_filename"]

MAX_BYTES = 150
MAX_EXTENSION_BYTES = 20

_SEPARATOR = re.compile(r"[/\\]")
# Controls, surrogates, and what makes a name read as another one (bidirectional, zero width).
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200d\u2060-\u2065\ufeff\ufff9-\ufffb\ud800-\udfff]|" + BIDI.pattern
)
_FORBIDDEN = re.compile(r'[<>:"|?*]')
# Windows takes these for devices, whatever the extension; it reads superscript digits as digits.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\.|$)", re.IGNORECASE)


def safe_filename(name: str | None, *, default: str) -> str:
    """
    Return the last component of `name`, safe to create in a folder.

    At most 150 bytes of UTF-8, NFC, no control or bidirectional characters, no device names of
    Windows, no leading dot; `default` where nothing remains.
    """
    # Only the end counts; the bound keeps a hostile name cheap.
    text = _INVISIBLE.sub("", LINE_BREAKS.sub(" ", (name or "")[-4096:]))
    text = unicodedata.normalize("NFC", _SEPARATOR.split(text.rstrip("/\\"))[-1])
    text = _shorten(_FORBIDDEN.sub("_", text).strip(" ."))
    if _DEVICE.match(text):
        text = _shorten(f"_{text}")
    return text or default


def _shorten(name: str) -> str:
    if len(name.encode()) <= MAX_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if len(extension.encode()) > MAX_EXTENSION_BYTES:  # a long name without a dot is all extension
        stem, dot, extension = name, "", ""
    room = MAX_BYTES - len((dot + extension).encode())
    return _cut(stem, room).rstrip(" .") + dot + extension


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode("utf-8", "ignore")
