"""One webhook delivery as a server hands it on, under WSGI and under ASGI.

Rule: what a server would do is done here as a server does it: the path is decoded, and WSGI has each header
once, repeats joined with commas.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import attrs

__all__ = ["MOUNT", "Answer", "Delivery", "through_asgi", "through_wsgi"]

#: Where the endpoints are mounted.
MOUNT = "/mail"
PIECE = 1000


@attrs.frozen(kw_only=True)
class Delivery:
    """
    One request.

    Attributes:
        path: Below `MOUNT`, as it is written in a request, with a query if there is one.
        length: What `Content-Length` says; None: the body comes in pieces, without a length.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    length: str | None

    @property
    def all_headers(self) -> list[tuple[str, str]]:
        """Every header that is sent."""
        end = ("Transfer-Encoding", "chunked") if self.length is None else ("Content-Length", self.length)
        return [("Host", "app.example.com"), *self.headers, end]


def _sorted(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name.lower(), value) for name, value in pairs))


@attrs.frozen(kw_only=True)
class Answer:
    """What came back; the headers in small letters, sorted."""

    status: int
    headers: tuple[tuple[str, str], ...] = attrs.field(converter=_sorted)
    body: bytes


def environ(delivery: Delivery, *, mounted: bool) -> dict[str, Any]:
    """Return a WSGI environment; `mounted` where a dispatcher has moved the mount to SCRIPT_NAME."""
    written, _, query = delivery.path.partition("?")
    path = unquote_to_bytes(written).decode("latin-1")
    made: dict[str, Any] = {
        "REQUEST_METHOD": delivery.method,
        "SCRIPT_NAME": MOUNT if mounted else "",
        "PATH_INFO": path if mounted else MOUNT + path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(delivery.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if delivery.length is None:
        made["wsgi.input_terminated"] = True
    return {**made, **_variables(delivery.all_headers)}


def _variables(headers: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        variable = name.upper().replace("-", "_")
        if variable not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            variable = f"HTTP_{variable}"
        found[variable] = f"{found[variable]},{value}" if variable in found else value
    return found


def through_wsgi(app: Any, delivery: Delivery, *, mounted: bool) -> Answer:
    """Return what a WSGI application answers."""
    started: list[tuple[str, list[tuple[str, str]]]] = []
    found = app(environ(delivery, mounted=mounted), lambda *given: started.append(given[:2]))
    try:
        body = b"".join(found)
    finally:
        getattr(found, "close", lambda: None)()
    ((status, headers),) = started
    return Answer(status=int(status[:3]), headers=headers, body=body)


def scope(delivery: Delivery, *, mounted: bool) -> dict[str, Any]:
    """Return an ASGI scope; `mounted` where a dispatcher says in `root_path` how far it went."""
    path, _, query = f"{MOUNT}{delivery.path}".partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": delivery.method,
        "scheme": "http",
        "path": unquote_to_bytes(path).decode("utf-8", "replace"),
        "raw_path": path.encode("ascii"),
        "root_path": MOUNT if mounted else "",
        "query_string": query.encode("ascii"),
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in delivery.all_headers
        ],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
    }


async def asked(app: Any, delivery: Delivery, *, mounted: bool) -> Answer:
    """Return what an ASGI application answers."""
    pieces = [delivery.body[start : start + PIECE] for start in range(0, len(delivery.body), PIECE)] or [b""]
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages[-1]["more_body"] = False
    if len(delivery.body) < int(delivery.length or 0):
        messages[-1] = {"type": "http.disconnect"}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope(delivery, mounted=mounted), receive, send)
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in sent[0]["headers"]]
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(status=sent[0]["status"], headers=headers, body=body)


def through_asgi(app: Any, deliveries: Iterable[Delivery], *, mounted: bool) -> list[Answer]:
    """Return what an ASGI application answers, in one event loop."""

    async def all_of_them() -> list[Answer]:
        return [await asked(app, delivery, mounted=mounted) for delivery in deliveries]

    return asyncio.run(all_of_them())
