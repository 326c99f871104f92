"""Media types: `type/subtype`, and the parameters after it (RFC 2045, section 5)."""

from __future__ import annotations

import re

__all__ = ["PARAMETER", "guess_type", "is_media_type", "split_type"]

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_WORD = r"[A-Za-z0-9!#$%&'*+^_`{|}~.:/-]+"
#: One parameter that a header can carry, with the semicolon before it.
PARAMETER = re.compile(rf'\s*;\s*({_WORD})\s*=\s*(?:({_WORD})|"([ !#-\[\]-~]*)")')
_LAST_PARAMETER = re.compile(rf"(.*?){PARAMETER.pattern}")


def is_media_type(text: str) -> bool:
    """Whether `text` is of the form `type/subtype`, without parameters."""
    return _MEDIA_TYPE.fullmatch(text) is not None


def split_type(text: str) -> tuple[str, dict[str, str]]:
    """Return the type and its parameters; what is no parameter stays in the type."""
    parameters: dict[str, str] = {}
    while found := _LAST_PARAMETER.fullmatch(text):
        text, name, word, quoted = found.groups()
        parameters[name.lower()] = word or quoted or ""
    return text, dict(reversed(parameters.items()))


def guess_type(filename: str) -> str | None:
    """Return the type that a file name stands for, if any."""
    import mimetypes

    found, encoding = mimetypes.guess_type(filename, strict=False)
    return None if encoding else found  # compressed: what is inside is not what is sent
