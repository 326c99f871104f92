"""Webhook endpoints as an ASGI application, for any server or framework that mounts one (ASGI 3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from mailcore import AsyncWebhookReceiver, Headers, WebhookRequest, WebhookResponse
from mailcore._closing import AsyncClosing
from mailcore._delivery import length
from mailcore.frameworks._endpoint import CUT_OFF, NOT_FOUND, Endpoint, Endpoints

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
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await _answer(await self.respond(scope, receive), scope, send)

    async def respond(self, scope: Scope, receive: Receive) -> WebhookResponse:
        """Return the answer to one request."""
        # Who mounts an application leaves the whole path in `path`, and says in `root_path` where that is.
        path, root = scope["path"], scope.get("root_path", "")
        endpoint = self.endpoints.find(path.removeprefix(root) if root else path)
        if endpoint is None:
            return NOT_FOUND
        headers = Headers(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        )
        body = await _body(scope["method"], headers, receive, endpoint)
        if body is None:
            return CUT_OFF
        request = WebhookRequest(method=scope["method"], url=_url(scope), headers=headers, body=body)
        return await endpoint.receiver.receive(request, kind=endpoint.kind)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return
            await send({"type": "lifespan.startup.complete"})

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


def _url(scope: Scope) -> str:
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{scope.get('scheme', 'http')}://{host}{scope['path']}{'?' + query if query else ''}"
