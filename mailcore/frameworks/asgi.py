"""Webhook endpoints as an ASGI application, for any server or framework that mounts one (ASGI 3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import quote

from mailcore import AsyncWebhookReceiver, Headers, WebhookRequest, WebhookResponse
from mailcore._closing import AsyncClosing
from mailcore._delivery import length
from mailcore.frameworks._endpoint import CUT_OFF, NOT_FOUND, Endpoint, Endpoints, joined

__all__ = ["WebhookApp"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class WebhookApp(AsyncClosing):
    """
    Answer `<provider>/tracking/` and `<provider>/inbound/` below the place where it is mounted.

    Closing it closes its receivers; so does the end of a server that it is served by alone.

    Args:
        receivers: One `AsyncWebhookReceiver`, or one for each provider.
    """

    def __init__(self, receivers: AsyncWebhookReceiver | Iterable[AsyncWebhookReceiver]) -> None:
        self.endpoints: Endpoints[AsyncWebhookReceiver] = Endpoints(receivers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or see a server start and stop."""
        if scope["type"] == "http":
            await _answer(await self.respond(scope, receive), scope, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})
        else:  # the server goes on without us, as the specification wants it
            raise NotImplementedError(f"There are webhooks here, and no {scope['type']}.")

    async def respond(self, scope: Scope, receive: Receive) -> WebhookResponse:
        """Return the answer to one request."""
        endpoint = self.find(_below(scope))
        if endpoint is None:
            return NOT_FOUND
        headers = joined(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        )
        body = await _body(scope["method"], headers, receive, endpoint)
        if body is None:
            return CUT_OFF
        request = WebhookRequest(method=scope["method"], url=_url(scope, headers), headers=headers, body=body)
        return await endpoint.receiver.receive(request, kind=endpoint.kind)

    def find(self, path: str) -> Endpoint[AsyncWebhookReceiver] | None:
        """Return the endpoint of a path; None where there is none."""
        return self.endpoints.find(path)

    async def _live(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        try:
            await self.close()
        except Exception as error:
            await send({"type": "lifespan.shutdown.failed", "message": type(error).__name__})
            raise
        await send({"type": "lifespan.shutdown.complete"})

    async def close(self) -> None:
        """Close the receivers."""
        for receiver in self.endpoints.receivers:
            await receiver.close()


async def _body(
    method: str, headers: Headers, receive: Receive, endpoint: Endpoint[AsyncWebhookReceiver]
) -> bytes | None:
    """Return the body; None where it is cut off."""
    announced = length(headers.get("Content-Length"))
    left = endpoint.wanted(method, announced)
    pieces = []
    while left > 0:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece = message.get("body", b"")[:left]
        pieces.append(piece)
        left -= len(piece)
        if not message.get("more_body"):
            break
    return None if left and announced is not None else b"".join(pieces)


async def _answer(response: WebhookResponse, scope: Scope, send: Send) -> None:
    headers = [*response.headers, ("Content-Length", str(len(response.body)))]
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": response.status, "headers": pairs})
    body = b"" if scope["method"] == "HEAD" else response.body
    await send({"type": "http.response.body", "body": body})


def _below(scope: Scope) -> str:
    """Return the path below the place of mounting, which `path` holds too and `root_path` alone."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    return path.removeprefix(root) if path.startswith(f"{root}/") else path


def _url(scope: Scope, headers: Headers) -> str:
    """Return the URL that was asked for, as it was written where the server tells."""
    name, port = scope.get("server") or ("", None)
    host = headers.get("host") or (f"{name}:{port}" if port else name)
    path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{scope.get('scheme', 'http')}://{host}{path}{'?' + query if query else ''}"
