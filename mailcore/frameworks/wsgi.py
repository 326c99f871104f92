"""Webhook endpoints as a WSGI application, for any server or framework that mounts one (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from mailcore import WebhookReceiver, WebhookRequest, WebhookResponse
from mailcore._closing import Closing
from mailcore._delivery import length
from mailcore.frameworks._endpoint import CUT_OFF, NO_LENGTH, NOT_FOUND, Endpoint, Endpoints, joined

__all__ = ["WebhookApp", "received"]

Environ = Mapping[str, Any]
StartResponse = Callable[..., Any]

#: Bytes that one `read` asks for.
PIECE = 64 * 1024


class WebhookApp(Closing):
    """
    Answer `<provider>/tracking/` and `<provider>/inbound/` below the place where it is mounted.

    Closing it closes its receivers.

    Args:
        receivers: One `WebhookReceiver`, or one for each provider.
    """

    def __init__(self, receivers: WebhookReceiver | Iterable[WebhookReceiver]) -> None:
        self.endpoints: Endpoints[WebhookReceiver] = Endpoints(receivers)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        response = self.respond(environ)
        headers = [*response.headers, ("Content-Length", str(len(response.body)))]
        start_response(f"{response.status} {_phrase(response.status)}", headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else response.body]

    def respond(self, environ: Environ) -> WebhookResponse:
        """Return the answer to one request."""
        endpoint = self.endpoints.find(environ.get("PATH_INFO", ""))
        return NOT_FOUND if endpoint is None else received(environ, endpoint)

    def close(self) -> None:
        """Close the receivers."""
        for receiver in self.endpoints.receivers:
            receiver.close()


def received(environ: Environ, endpoint: Endpoint[WebhookReceiver]) -> WebhookResponse:
    """Return the answer of an endpoint to one request."""
    known_end = environ.get("wsgi.input_terminated")
    if environ.get("HTTP_TRANSFER_ENCODING") and not environ.get("CONTENT_LENGTH") and not known_end:
        return NO_LENGTH
    body = _body(environ, endpoint)
    if body is None:
        return CUT_OFF
    request = WebhookRequest(
        method=environ["REQUEST_METHOD"], url=_url(environ), headers=joined(_headers(environ)), body=body
    )
    return endpoint.receiver.receive(request, kind=endpoint.kind)


def _body(environ: Environ, endpoint: Endpoint[WebhookReceiver]) -> bytes | None:
    """Return the body; None where it is cut off."""
    announced = length(environ.get("CONTENT_LENGTH"))
    if announced is None and not environ.get("wsgi.input_terminated"):
        announced = 0  # without a length, reading further might wait for ever
    left = endpoint.wanted(environ["REQUEST_METHOD"], announced)
    pieces = []
    try:
        while left > 0 and (piece := environ["wsgi.input"].read(min(left, PIECE))):
            pieces.append(piece)
            left -= len(piece)
    except Exception:  # noqa: BLE001  # reason: each server has errors of its own for a client that left
        return None
    return None if left and announced is not None else b"".join(pieces)


def _headers(environ: Environ) -> Iterator[tuple[str, str]]:
    """Yield the headers; a server has joined repeats with commas already."""
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name.removeprefix("HTTP_").replace("_", "-"), value
        elif name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            yield name.replace("_", "-"), value


def _url(environ: Environ) -> str:
    """Return the URL that was asked for (PEP 3333, URL reconstruction)."""
    from wsgiref.util import request_uri

    return request_uri(dict(environ))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"
