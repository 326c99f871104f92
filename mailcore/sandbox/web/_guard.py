"""Who may ask the sandbox for what.

Rule 1: the Host is one of ours, whatever is asked: a name that a stranger points here (DNS rebinding)
        is none.
Rule 2: what changes something needs the token in a header, which no stranger's page can send. Requests to the
        providers are exempt: they bring the provider's own key.
Rule 3: every answer says what a browser may do with it; nothing is shared across origins.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["PROVIDERS", "TOKEN_HEADER", "Guard", "is_token"]

TOKEN_HEADER = "X-Mailcore-Token"  # noqa: S105  # reason: the name, not the token
PROVIDERS = "/providers/"

_SAFE = frozenset({"GET", "HEAD"})
_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    "content-security-policy": _PAGE,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def is_token(given: str, token: str) -> bool:
    """Tell whether a text is the token, in a time that does not say how much of it is."""
    return hmac.compare_digest(given.encode(), token.encode())


class Guard:
    """
    Let requests through to an application, or refuse them.

    Args:
        hosts: Names that the sandbox is reached by, without ports.
        token: What changes need.
    """

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str], token: str) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["type"] != "http" or not self._is_ours(headers):
            await _refused(421, "This is no address of the sandbox. --allow-host adds one.")(
                scope, receive, send
            )
        elif scope["path"].startswith(PROVIDERS):
            await self._app(scope, receive, send)
        elif scope["method"] not in _SAFE and not self._may_change(scope, headers):
            words = (
                f"Changes need the header {TOKEN_HEADER}. Open the page by the address that was printed. "
                f"A provider's API is below {PROVIDERS}NAME; the settings that were printed have the URL."
            )
            await _refused(403, words)(scope, receive, send)
        else:
            await self._app(scope, receive, _marked(send))

    def _is_ours(self, headers: Headers) -> bool:
        hosts = headers.getlist("host")
        return len(hosts) == 1 and _without_port(hosts[0]) in self._hosts

    def _may_change(self, scope: Scope, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is not None and origin != f"{scope['scheme']}://{headers['host']}":
            return False
        return is_token(HTTPConnection(scope).headers.get(TOKEN_HEADER, ""), self._token)


def _without_port(host: str) -> str:
    name, _, port = host.lower().rpartition(":")
    return name if name and port.isdigit() and not name.endswith(":") else host.lower()


def _marked(send: Send) -> Send:
    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _ALWAYS.items():
                headers.setdefault(name, value)
        await send(message)

    return marked


def _refused(status: int, words: str) -> JSONResponse:
    return JSONResponse({"error": words}, status_code=status, headers=_ALWAYS)
