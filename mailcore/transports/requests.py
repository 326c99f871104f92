"""Carries HTTP requests with the requests library.

Rule 1: one session for one mailer (and process); one prepared template for one address.
Rule 2: nothing from the environment: no proxies, no .netrc, no certificate variables.
Rule 3: redirects are not followed; connect, read and total time are bounded, and so is the answer.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from mailcore._http import Headers, HttpRequest, HttpResponse
from mailcore._secret import Secret
from mailcore._settings import Settings
from mailcore._transport import Deadline, Phase, TransportFailure
from mailcore._url import check_service_url
from mailcore.exceptions import ConfigurationError, ProtocolBug, SendError
from mailcore.transports._watched import POOLS, watching

__all__ = ["RequestsTransport"]

#: Connections kept; more than any sensible number of workers, so that none is thrown away.
POOL_SIZE = 256
#: A body up to this size goes out in one piece, with one system call.
ONE_PIECE = 64 * 1024


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager


class _Stream:
    """A request body that is iterated; without `read`, which would cut it into 16 KiB pieces."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)


class RequestsTransport:
    """Carry `HttpRequest`s; safe to share between threads and across fork."""

    handles = HttpRequest

    def __init__(self, settings: Settings, *, user_agent: str = "mailcore") -> None:
        self._settings = settings
        self._user_agent = user_agent
        if settings.ca_bundle is not None and not Path(settings.ca_bundle).exists():
            raise ConfigurationError(f"ca_bundle is {settings.ca_bundle}, which does not exist.")
        self._verify: bool | str = settings.ca_bundle or True
        proxy = settings.proxy.reveal() if settings.proxy else None
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._open()

    def _open(self) -> None:
        self._pid = os.getpid()
        self._session = requests.Session()
        self._session.trust_env = False
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, _Adapter(pool_maxsize=POOL_SIZE, max_retries=0))
        self._templates: dict[tuple[str, str], requests.PreparedRequest] = {}

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def exchange(self, request: HttpRequest, *, deadline: Deadline) -> HttpResponse:
        """
        Return the response, whatever its status.

        Raises:
            ConfigurationError: The URL is neither https nor http to this machine.
            TransportFailure: No whole answer came in time.
        """
        if self._pid != os.getpid():
            self._open()  # connections of the parent process must not be shared
        prepared = self._prepare(request)
        with watching(deadline) as progress:
            try:
                return self._send(prepared, request, deadline)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                failure: Exception = _failure(error, progress.phase)
            except SendError as error:  # the body's own
                failure = error.with_traceback(None)
        # Raised out here, without the library's error: its text and frames may hold the token.
        raise failure

    def _prepare(self, request: HttpRequest) -> requests.PreparedRequest:
        key = (request.method, request.url)
        template = self._templates.get(key)
        if template is None:
            check_service_url(request.url)
            try:
                template = requests.Request(request.method, request.url).prepare()
            except (requests.RequestException, ValueError):
                raise ConfigurationError("The service address is not one that can be reached.") from None
            template.headers.clear()
            template.headers.update({"User-Agent": self._user_agent, "Accept-Encoding": "identity"})
            if len(self._templates) > 100:  # addresses made of data: do not keep them all
                self._templates.clear()
            self._templates[key] = template
        prepared = template.copy()
        for name, value in request.headers:
            prepared.headers[name] = _header(name, value)
        body = request.body
        prepared.headers["Content-Length"] = str(len(body))
        if not isinstance(body, bytes) and len(body) <= ONE_PIECE:
            body = b"".join(body)
        prepared.body = body if isinstance(body, bytes) else _Stream(body)  # type: ignore[assignment]  # reason: any iterable is sent
        return prepared

    def _send(
        self, prepared: requests.PreparedRequest, request: HttpRequest, deadline: Deadline
    ) -> HttpResponse:
        connect = max(min(self._settings.connect_timeout, deadline.remaining()), 0.001)
        response = self._session.get_adapter(request.url).send(
            prepared,
            stream=True,
            timeout=(connect, self._settings.read_timeout),
            verify=self._verify,
            proxies=self._proxies,
        )
        try:
            body = _read(response.raw, request.max_response)
        finally:
            response.close()
        return HttpResponse(
            status=response.status_code, headers=Headers(response.raw.headers.items()), body=body
        )


def _read(raw: Any, limit: int) -> bytes:
    """Return the decoded body, cut off after `limit` bytes: a cut body is unreadable, and so unknown."""
    pieces, left = [], limit
    while left:
        piece = raw.read(min(left, ONE_PIECE), decode_content=True)
        if not piece:
            raw.release_conn()
            break
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _header(name: str, value: str | Secret) -> str:
    text = value.reveal() if isinstance(value, Secret) else value
    if not text.isascii() or not text.isprintable():
        raise ProtocolBug(f"The header {name!r} holds a character that no header can carry.")
    return text


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    pending: list[Any] = [error]
    while pending:
        found = pending.pop()
        if isinstance(found, BaseException) and found not in seen:
            seen.append(found)
            yield found
            pending += [found.__cause__, found.__context__, *found.args, getattr(found, "reason", None)]


def _failure(error: Exception, phase: Phase) -> TransportFailure:
    names = {type(found).__name__ for found in _chain(error)}
    untrusted = phase is Phase.CONNECTING and any(
        isinstance(found, ssl.SSLError | ssl.CertificateError) and not isinstance(found, ssl.SSLEOFError)
        for found in _chain(error)
    )
    return TransportFailure(phase, _explain(names, phase, untrusted=untrusted), untrusted=untrusted)


_WHERE = {
    Phase.CONNECTING: "No connection was made; nothing was sent",
    Phase.SENDING: "The connection failed while the request was being sent",
    Phase.SENT: "The request was sent, but no answer came",
    Phase.RECEIVING: "The answer broke off",
}


def _explain(names: set[str], phase: Phase, *, untrusted: bool) -> str:
    if untrusted:
        return "The provider's certificate or TLS version was refused; nothing was sent (SSLError)."
    timed_out = any("Timeout" in name for name in names)
    why = (
        "timeout"
        if timed_out
        else min(names - {"MaxRetryError", "ConnectionError"}, default="ConnectionError")
    )
    return f"{_WHERE[phase]} ({why})."
