"""What a request says, whatever its format: JSON, a form, multipart, raw MIME, SMTP.

Rule: a value counts as carried when whoever reads the format by its own rules gets it back, whole. So each
format is decoded, and so is what is wrapped in it (JSON within a form field, MIME within base64).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from mailcore import HttpRequest, LocalRequest, Request, Secret, SmtpRequest, to_json
from mailcore_conformance._formats import (
    File,
    Item,
    Piece,
    read_document,
    read_fields,
    read_format,
    read_header,
)

__all__ = ["File", "Piece", "Wire", "body_bytes", "read_body"]


class Wire:
    """
    One request, decoded.

    Attributes:
        body: The bytes of the body; of SMTP, the data.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.body = body_bytes(request)

    @cached_property
    def items(self) -> tuple[Piece | File, ...]:
        """All there is, decoded; what is wrapped in one comes right after it, one level deeper."""
        return tuple(_request(self.request, self.body))

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Every text there is; what is wrapped in one comes after it."""
        return tuple(item for item in self.items if isinstance(item, Piece))

    @cached_property
    def files(self) -> tuple[File, ...]:
        """All binary content there is, decoded."""
        return tuple(item for item in self.items if isinstance(item, File))

    @cached_property
    def leaves(self) -> tuple[Piece | File, ...]:
        """All that wraps nothing else: what is said, without how it is wrapped."""
        items = [item for item in self.items if not (isinstance(item, Piece) and item.quoted)]
        ends = [*items[1:], None]
        return tuple(
            item
            for item, after in zip(items, ends, strict=True)
            if after is None or after.depth <= item.depth
        )

    @cached_property
    def _text(self) -> str:
        return "\0".join(piece.text for piece in self.pieces)

    def find(self, text: str) -> list[str]:
        """Return where a text stands, whole."""
        if text not in self._text:
            return []
        return [piece.path for piece in self.pieces if text in piece.text]

    def place(self, text: str) -> int:
        """Return how far on a text stands first, to compare with another; -1 if nowhere."""
        return self._text.find(text)

    def exactly(self, text: str) -> list[Piece]:
        """Return the pieces that are that text and nothing else, not even quotation marks."""
        return [piece for piece in self.pieces if piece.text == text and not piece.quoted]

    def find_bytes(self, content: bytes) -> list[str]:
        """Return where exactly these bytes stand as a piece of content."""
        return [file.path for file in self.files if file.content == content]


def body_bytes(request: Request) -> bytes:
    """Return the whole body of a request."""
    if isinstance(request, LocalRequest):
        return json.dumps(_local(request)).encode()
    body = request.data if isinstance(request, SmtpRequest) else request.body
    return body if isinstance(body, bytes) else b"".join(body)


def read_body(content_type: str, body: bytes) -> tuple[Piece | File, ...]:
    """Return all that a body of that type says."""
    return tuple(read_format(content_type, body, "body"))


def _request(request: Request, body: bytes) -> Iterator[Item]:
    if isinstance(request, HttpRequest):
        yield from _url(request.url)
        for name, value in request.headers:
            text = value.reveal() if isinstance(value, Secret) else value
            yield Piece(f"header {name} (its name)", name)
            yield from read_header(text, f"header {name}")
        yield from read_format(_content_type(request), body, "body")
    elif isinstance(request, SmtpRequest):
        yield Piece("MAIL FROM", request.mail_from)
        yield from (Piece("RCPT TO", address) for address in request.rcpt_to)
        yield from (Piece("SMTP option", option) for option in request.options)
        yield from read_format("message/rfc822", body, "data")
    else:
        yield from read_document(_local(request), "message")


def _content_type(request: HttpRequest) -> str:
    return next((str(value) for name, value in request.headers if name.lower() == "content-type"), "")


def _local(request: LocalRequest) -> dict[str, Any]:
    return {name: json.loads(to_json(message)) for name, message in request.messages.items()}


def _url(url: str) -> Iterator[Item]:
    parts = urlsplit(url)
    yield Piece("url", unquote(f"{parts.netloc}{parts.path}"))
    if parts.fragment:
        yield Piece("url#", unquote(parts.fragment))
    yield from read_fields(parse_qsl(parts.query, keep_blank_values=True), "url", "?")
