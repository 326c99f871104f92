"""Raw mail within a request, read with the standard library: core's writer is checked by another reader.

Rule: an attached mail is content; what its own headers say is not said by the request.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from functools import lru_cache

from mailcore_conformance._formats import File, Item, Pairs, Piece, read_header, read_text

__all__ = ["read_mime"]

_POLICY = policy.default
_WORD = r"=\?[^?\s]+\?[bqBQ]\?[^?\s]*\?="
_RUN = re.compile(rf"{_WORD}(?:\s+{_WORD})+")


def read_mime(source: bytes, path: str, depth: int) -> Iterator[Item]:
    """Return all that a mail says."""
    mail: EmailMessage = message_from_bytes(source, policy=_POLICY)
    for number, part in enumerate(_parts(mail)):
        yield from _headers(part, path, f"{path} part {number}", depth)
        if part.get_content_maintype() == "message":
            yield File(f"{path} {part.get_content_type()}", _attached(part), _labels(part), depth)
        elif not part.is_multipart():
            yield from _leaf(part, path, depth)


def _parts(part: EmailMessage) -> Iterator[EmailMessage]:
    yield part
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        for inner in part.get_payload():
            yield from _parts(inner)  # type: ignore[arg-type]  # reason: the parts of such a mail are such mails


def _headers(part: EmailMessage, path: str, within: str, depth: int) -> Iterator[Item]:
    for name, raw in part.raw_items():
        yield Piece(f"{path} {name}: (its name)", name, within, depth=depth)
        yield from read_header(_decoded(name, raw), f"{path} {name}:", depth, within=within)


@lru_cache(1024)
def _decoded(name: str, raw: str) -> str:
    text = "".join(raw.splitlines()).strip()
    # Headers in UTF-8 (RFC 6532) come as escaped bytes, which the header's own parser would lose.
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return str(_POLICY.header_factory(name, _RUN.sub(_one_word, text)))


def _one_word(run: re.Match[str]) -> str:
    """Join encoded words that stand side by side: Pythons in use leave a space between them in a name."""
    text = str(make_header(decode_header(run[0])))
    return f"=?utf-8?b?{b64encode(text.encode()).decode()}?="


def _leaf(part: EmailMessage, path: str, depth: int) -> Iterator[Item]:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return
    place = f"{path} {part.get_content_type()}"
    if _is_body(part):
        yield from read_text(_text(part, content), place, depth)
        return
    yield File(place, content, _labels(part), depth)
    if part.get_content_maintype() == "text":
        yield Piece(f"{place} (decoded)", _text(part, content), depth=depth + 1)


def _is_body(part: EmailMessage) -> bool:
    labelled = part.get_filename() or part.get_content_disposition() == "attachment" or part["Content-ID"]
    return part.get_content_maintype() == "text" and not labelled


def _text(part: EmailMessage, content: bytes) -> str:
    try:
        return content.decode(part.get_content_charset("utf-8"))
    except (LookupError, UnicodeDecodeError):
        return content.decode("utf-8", "replace")


def _labels(part: EmailMessage) -> Pairs:
    name = part.get_filename()
    headers = tuple((header, _decoded(header, raw)) for header, raw in part.raw_items())
    return headers if name is None else (("filename", name), *headers)


def _attached(part: EmailMessage) -> bytes:
    inner = part.get_payload(0) if part.is_multipart() else None
    return inner.as_bytes(policy=policy.SMTP) if isinstance(inner, EmailMessage) else b""
