"""Extra headers a message may carry, and those that have a field of their own.

Rule: one meaning, one place. A header that has a field moves there; one that would contradict a field
is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mailcore._characters import check_line
from mailcore.exceptions import InvalidHeader, UnsupportedFeature

__all__ = ["OWN_FIELD", "header_map", "message_id", "message_ids", "unsubscribe_uris"]

_NAME = re.compile(r"[!-9;-~]+")
_MESSAGE_ID = re.compile(r"<?([^<>\s]+)>?")
_URI = re.compile(r"(?:https?|mailto):[!-+\--;=?-~]+", re.IGNORECASE)  # no comma, no brackets

#: Headers that move to a field of the message.
OWN_FIELD = {
    "from": "from_",
    "reply-to": "reply_to",
    "in-reply-to": "in_reply_to",
    "references": "references",
    "list-unsubscribe": "list_unsubscribe",
}
#: Headers that say who receives what: a second voice for them is spoofing.
_REFUSED = frozenset({"to", "cc", "bcc", "subject", "sender", "return-path"})
#: Headers that describe the encoding, which is not the caller's to choose.
_STRUCTURE = frozenset({"mime-version", "content-type", "content-transfer-encoding", "content-disposition"})


def header_map(value: Mapping[str, Any]) -> dict[str, str]:
    """
    Return extra headers as text, in order; numbers become text.

    Raises:
        InvalidHeader: A name or value that cannot be sent safely, or a name given twice.
        UnsupportedFeature: A header that only a field may set.
    """
    if not isinstance(value, Mapping):
        raise InvalidHeader(f"is a mapping of names to values, not {type(value).__name__}.", field="headers")
    result: dict[str, str] = {}
    seen: set[str] = set()
    for name, content in value.items():
        lower = _checked(name)
        if lower in seen:
            raise InvalidHeader(
                f"{name!r} is there twice, in different letter case. Keep one.", field="headers"
            )
        seen.add(lower)
        plain = type(content) is str and content.isprintable()
        result[name] = content if plain else _text(name, content)
    return result


def _checked(name: object) -> str:
    """Return the name of a header that may be set, in lower case."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidHeader(f"{name!r} is not a header name: printable ASCII, no colon.", field="headers")
    lower = name.lower()
    if lower in _REFUSED:
        raise UnsupportedFeature(
            f"The header {name!r} cannot be set: no provider may show another {name} than the message has. "
            "Use the message's own fields.",
            field="headers",
        )
    if lower in _STRUCTURE:
        raise InvalidHeader(f"{name!r} describes the encoding and is made with the message.", field="headers")
    return lower


def _text(name: str, content: object) -> str:
    if isinstance(content, bool) or not isinstance(content, str | int | float):
        raise InvalidHeader(f"{name!r} is text or a number, not {type(content).__name__}.", field="headers")
    try:
        text = str(content)
    except ValueError:  # an integer of more digits than Python writes
        raise InvalidHeader(f"{name!r} is too large a number.", field="headers") from None
    return check_line(text, field=f"headers[{name!r}]", error=InvalidHeader)


def message_id(value: str, field: str) -> str:
    """
    Return one message id in brackets; `a@b` and `<a@b>` are the same.

    Raises:
        InvalidHeader: It is empty, has spaces, or holds more than one id.
    """
    text = check_line(value, field=field, error=InvalidHeader).strip()
    match = _MESSAGE_ID.fullmatch(text)
    if match is None:
        raise InvalidHeader(f"{value!r} is not a message id of the form <local@domain>.", field=field)
    return f"<{match.group(1)}>"


def message_ids(value: Iterable[str], field: str) -> tuple[str, ...]:
    """Return message ids in brackets, from a list or from text with spaces between them."""
    items = value.split() if isinstance(value, str) else value
    return tuple(message_id(item, field) for item in items)


def unsubscribe_uris(value: Iterable[str], field: str) -> tuple[str, ...]:
    """
    Return `https:` and `mailto:` URIs without brackets (RFC 2369).

    Takes the header's own form, `<https://..>, <mailto:..>`, or a list of URIs.

    Raises:
        InvalidHeader: One is not such a URI, or holds a comma, space or bracket unescaped.
    """
    items = value.split(",") if isinstance(value, str) else value
    return tuple(_uri(item, field) for item in items)


def _uri(item: str, field: str) -> str:
    bare = check_line(item, field=field, error=InvalidHeader).strip().removeprefix("<").removesuffix(">")
    if not _URI.fullmatch(bare):
        raise InvalidHeader(f"{item!r} is not an https: or mailto: URI (escape commas as %2C).", field=field)
    return bare
