"""What crosses the wire, shown without its secrets.

Rule 1: a secret is masked by its type and by its value: an adapter may have put it anywhere.
Rule 2: people see the shape and the beginning of long values; programs see them whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import attrs

from mailcore._codec import to_json
from mailcore._http import Body, HttpRequest, LocalRequest, Request, SmtpRequest
from mailcore._secret import Secret

__all__ = ["CREDENTIALS", "Masks", "body_lines", "head_lines", "request_document", "request_lines"]

MASK = "****"
#: Larger bodies are counted, not shown.
MAX_BODY = 64 * 1024 * 1024
MAX_VALUE = 100
MAX_LINES = 40
MAX_ITEMS = 3

#: Headers that are credentials, whatever their type.
CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


class Masks:
    """Hide the secrets of a configuration in whatever text they turn up."""

    def __init__(self, *holders: Any) -> None:
        found = {secret.reveal() for holder in holders for secret in _secrets(holder)}
        # Longest first: one secret may begin with another.
        written = {form for text in found for form in (text, quote(text, safe=""))}
        self._hidden = sorted(written, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return text with every secret masked."""
        for secret in self._hidden:
            text = text.replace(secret, MASK)
        return text


def _secrets(value: Any) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from _secrets(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _secrets(item)


NO_MASKS = Masks()


def request_document(request: Request, masks: Masks = NO_MASKS) -> dict[str, Any]:
    """Return a request as a program reads it."""
    if isinstance(request, HttpRequest):
        return {
            "method": request.method,
            "url": masks(request.url),
            "headers": [list(pair) for pair in _headers(request.headers, masks)],
            "body": _parsed(_text(request.body, masks)),
        }
    if isinstance(request, SmtpRequest):
        envelope = {
            "server": masks(request.server),
            "mail_from": request.mail_from,
            "rcpt_to": list(request.rcpt_to),
        }
        return {**envelope, "data": _text(request.data, masks)}
    messages = [json.loads(to_json(message)) for message in request.messages.values()]
    return {"destination": request.destination, "messages": messages}


def request_lines(request: Request, masks: Masks = NO_MASKS) -> list[str]:
    """Return a request as a person reads it: how it begins, and the beginning of its body."""
    if isinstance(request, LocalRequest):
        return _local_lines(request)
    body = request.body if isinstance(request, HttpRequest) else request.data
    return [*head_lines(request, masks), "", *body_lines(body, masks)]


def head_lines(request: HttpRequest | SmtpRequest, masks: Masks = NO_MASKS) -> list[str]:
    """Return the request line and the headers, or the envelope."""
    if isinstance(request, HttpRequest):
        headers = [f"{name}: {value}" for name, value in _headers(request.headers, masks)]
        return [f"{request.method} {masks(request.url)}", *headers]
    recipients = [f"RCPT TO:<{address}>" for address in request.rcpt_to]
    return [masks(request.server), f"MAIL FROM:<{request.mail_from}>", *recipients]


def _local_lines(request: LocalRequest) -> list[str]:
    documents = [json.loads(to_json(message)) for message in request.messages.values()]
    given = [{name: value for name, value in document.items() if value} for document in documents]
    return [f"to {request.destination}", *(line for document in given for line in _pretty(document))]


def body_lines(body: bytes | Body, masks: Masks = NO_MASKS, *, limit: int = MAX_LINES) -> list[str]:
    """Return the beginning of a body, JSON with its structure."""
    text = _text(body, masks)
    document = _parsed(text)
    lines = text.splitlines() if document is text else _pretty(document)
    shown = [_cut(line) for line in lines[:limit]]
    return [*shown, f"… {len(lines) - limit} more lines"] if len(lines) > limit else shown


def _cut(line: str) -> str:
    return line if len(line) <= 2 * MAX_VALUE else f"{line[: 2 * MAX_VALUE]}…"


def _headers(pairs: Iterable[tuple[str, str | Secret]], masks: Masks) -> Sequence[tuple[str, str]]:
    return [
        (name, MASK if name.lower() in CREDENTIALS or isinstance(value, Secret) else masks(value))
        for name, value in pairs
    ]


def _text(body: bytes | Body, masks: Masks) -> str:
    if len(body) > MAX_BODY:
        return f"<{len(body)} bytes>"
    data = body if isinstance(body, bytes) else b"".join(body)
    try:
        return masks(data.decode())
    except UnicodeDecodeError:
        return f"<{len(data)} bytes>"


def _parsed(text: str) -> Any:
    """Return the value of a JSON text; any other text as it is."""
    try:
        return json.loads(text) if text.startswith(("{", "[")) else text
    except ValueError:
        return text


def _pretty(document: Any) -> list[str]:
    return json.dumps(_shortened(document), indent=2, ensure_ascii=False).splitlines()


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_VALUE:
        return f"{value[: MAX_VALUE - 30]}… ({len(value)} characters)"
    if isinstance(value, Mapping):
        return {name: _shortened(item) for name, item in value.items()}
    if isinstance(value, list):
        more = [f"… {len(value) - MAX_ITEMS} more"] if len(value) > MAX_ITEMS else []
        return [*map(_shortened, value[:MAX_ITEMS]), *more]
    return value
