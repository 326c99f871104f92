"""Why a delivery may be refused.

Rule: it is only asked whether other bytes would verify; none are parsed as a delivery.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from mailcore._delivery import WebhookRequest
from mailcore._receiver import WebhookReceiver
from mailcore._strict_json import strict_json
from mailcore.exceptions import InvalidDocument, WebhookRejected

__all__ = ["hints"]


def hints(receiver: WebhookReceiver, request: WebhookRequest) -> Iterator[str]:
    """Yield what may be the matter with a delivery that did not verify."""
    names = ", ".join(name for name, _ in request.headers.pairs) or "none"
    yield f"Headers given: {names}. Header names may be in any letter case; values must be whole."
    if receiver.settings.webhook_secret and "Authorization" not in request.headers:
        yield "webhook_secret is set, so an Authorization header is expected; give it in a --headers file."
    written = next(
        (how for how, body in _rewritten(request.body) if _verifies(receiver, request, body)), None
    )
    if written:
        yield (
            f"The signature fits the body {written}: something changed the bytes after they were signed. "
            "Verify the raw body, before any middleware or JSON parser."
        )
    else:
        yield (
            "If the headers are right: either the key is another one (of another domain or environment, or "
            "from before a rotation), or the body is not byte for byte what the provider sent."
        )


def _verifies(receiver: WebhookReceiver, request: WebhookRequest, body: bytes) -> bool:
    try:
        receiver.verify(attrs.evolve(request, body=body))
    except WebhookRejected:
        return False
    return True


def _rewritten(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what a body may have been before the usual accidents."""
    yield "without its last line end", body.rstrip(b"\r\n")
    yield "with a line end after it", body + b"\n"
    yield "with CRLF line ends", body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    yield "with LF line ends", body.replace(b"\r\n", b"\n")
    try:
        document = strict_json(body)
    except InvalidDocument:
        return
    for how, style in _STYLES:
        for ascii_only in (False, True):
            yield how, json.dumps(document, ensure_ascii=ascii_only, **style).encode("utf-8", "surrogatepass")


_STYLES: Sequence[tuple[str, dict[str, Any]]] = (
    ("as compact JSON", {"separators": (",", ":")}),
    ("as JSON with a space after each comma and colon", {}),
    ("as JSON indented by 2", {"indent": 2}),
    ("as JSON indented by 4", {"indent": 4}),
)
