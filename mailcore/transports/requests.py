"""Carries HTTP requests with the requests library.

Rule 1: one session for one mailer (and process); one prepared template for one address.
Rule 2: nothing from the environment: no proxies, no .netrc, no certificate variables, no log of TLS keys.
Rule 3: redirects are not followed; connect, read and total time are bounded, and so is the answer.
"""

from __future__ import annotations

import os
import threading
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from mailcore._http import Headers, HttpRequest, HttpResponse
from mailcore._settings import Settings
from mailcore._transport import Deadline
from mailcore._url import check_service_url
from mailcore.exceptions import ConfigurationError
from mailcore.transports._failure import failure
from mailcore.transports._header_fields import header_fields
from mailcore.transports._trust import Trust
from mailcore.transports._watched import POOLS, watching

__all__ = ["RequestsTransport"]

#: Connections kept; more than any sensible number of workers, so that none is thrown away.
POOL_SIZE = 256
#: Addresses of which something is kept: they may be made of data.
MAX_KEPT = 100
#: A body up to this size goes out in one piece, with one system call.
ONE_PIECE = 64 * 1024


class _Adapter(HTTPAdapter):
    """Make watched connections; TLS ones trust what `trust` trusts."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._hosts: dict[str, Any] = {}
        super().__init__(pool_maxsize=POOL_SIZE, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        if proxy.lower().startswith("https:"):
            kwargs["proxy_ssl_context"] = self._trust.context()
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def build_connection_pool_key_attributes(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        host = self._hosts.get(request.url)
        if host is None:
            host, _ = super().build_connection_pool_key_attributes(request, *args, **kwargs)
            if len(self._hosts) > MAX_KEPT:
                self._hosts.clear()
            self._hosts[request.url] = host
        return host, {"ssl_context": self._trust.context()} if host["scheme"] == "https" else {}

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the library would have each connection load the certificates again."""

    def build_response(self, _: Any, response: Any) -> Any:
        """Return what was read from the wire: nobody here asks for the library's own view of it."""
        return response

    def close(self) -> None:
        """Close every connection now: the library leaves it to the garbage collector."""
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118  # reason: it has no iterator, so that threads may share it
                if pool := manager.pools.get(key):
                    pool.close()
        super().close()


_KNOWN = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError)


class RequestsTransport:
    """Carry `HttpRequest`s; safe to share between threads and across fork."""

    handles = HttpRequest

    def __init__(self, settings: Settings, *, user_agent: str = "mailcore") -> None:
        self._settings = settings
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "identity"}
        proxy = settings.proxy.reveal() if settings.proxy else None
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._templates: dict[tuple[str, str], requests.PreparedRequest] = {}
        self._lock = threading.Lock()
        self._opened = (os.getpid(), self._open())

    def _open(self) -> requests.Session:
        trust = Trust(self._settings.ca_bundle)
        session = requests.Session()  # only its adapters are used, and they ask nothing of the environment
        for scheme in ("https://", "http://"):
            session.mount(scheme, _Adapter(trust))
        return session

    def _session(self) -> requests.Session:
        """Return this process's session; connections of the parent must not be shared after a fork."""
        pid, session = self._opened
        if pid == os.getpid():
            return session
        with self._lock:
            if self._opened[0] != os.getpid():
                self._opened = (os.getpid(), self._open())  # one assignment: no thread sees half of it
            return self._opened[1]

    def close(self) -> None:
        """Close every connection."""
        self._opened[1].close()

    def exchange(self, request: HttpRequest, *, deadline: Deadline) -> HttpResponse:
        """
        Return the response, whatever its status.

        Raises:
            ConfigurationError: The URL is neither https nor http to this machine, or `ca_bundle` holds
                no certificate.
            ProtocolBug: A header that cannot be sent as it is.
            TransportFailure: No whole answer came in time.
        """
        prepared = self._prepare(request)
        with watching(deadline) as progress:
            try:
                return self._send(prepared, request, deadline)
            except _KNOWN as error:
                wrong: BaseException = failure(error, progress.phase, urlsplit(request.url).netloc)
            except BaseException as error:  # noqa: BLE001  # reason: raised again below
                # The body's own, about `ca_bundle`, or from outside: a signal, a task's time limit.
                wrong = error.with_traceback(None)
                wrong.__context__ = wrong.__cause__ = None
        # Raised out here, without the library's error: its text and frames may hold the token.
        raise wrong

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
            if len(self._templates) > MAX_KEPT:
                self._templates.clear()
            self._templates[key] = template
        prepared = template.copy()
        # A plain one: nothing looks up a name in another letter case.
        prepared.headers = header_fields(request, self._headers)  # type: ignore[assignment]  # reason: as above
        body = request.body
        if not isinstance(body, bytes) and len(body) <= ONE_PIECE:
            body = b"".join(body)
        prepared.body = body  # type: ignore[assignment]  # reason: any iterable is sent
        return prepared

    def _send(
        self, prepared: requests.PreparedRequest, request: HttpRequest, deadline: Deadline
    ) -> HttpResponse:
        connect = max(min(self._settings.connect_timeout, deadline.remaining()), 0.001)
        adapter: Any = self._session().get_adapter(request.url)
        response = adapter.send(
            prepared, stream=True, timeout=(connect, self._settings.read_timeout), proxies=self._proxies
        )
        try:
            body = _read(response, request.max_response)
        finally:
            response.close()
            response.release_conn()
        return HttpResponse(status=response.status, headers=Headers(response.headers.items()), body=body)


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
