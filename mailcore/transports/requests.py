"""Carries HTTP requests with the requests library.

Rule 1: one adapter of the library's for one mailer (and process); what an address needs is worked out once.
Rule 2: nothing from the environment: no proxies, no .netrc, no certificate variables, no log of TLS keys.
Rule 3: redirects are not followed; connect, read and total time are bounded, and so is the answer.
"""

from __future__ import annotations

import os
import threading
from typing import Any
from urllib.parse import urlsplit

import attrs
import requests
import urllib3
from requests.adapters import HTTPAdapter

from mailcore._http import Body, Headers, HttpRequest, HttpResponse
from mailcore._settings import Settings
from mailcore._transport import Deadline
from mailcore._url import check_service_url
from mailcore.exceptions import ConfigurationError
from mailcore.transports._failure import failure
from mailcore.transports._header_fields import header_fields
from mailcore.transports._trust import Trust
from mailcore.transports._watched import ONE_PIECE, POOLS, Progress

__all__ = ["RequestsTransport"]

#: Connections kept; more than any sensible number of workers, so that none is thrown away.
POOL_SIZE = 256
#: Addresses of which something is kept: they may be made of data.
MAX_KEPT = 100


@attrs.frozen
class _Route:
    """
    What requests to one address need, worked out once.

    Attributes:
        pool: The connections to its host.
        target: What the first line of a request names.
    """

    pool: Any
    target: str


class _Adapter(HTTPAdapter):
    """
    Make watched connections; TLS ones trust what `trust` trusts.

    Args:
        proxy: What all requests go through; None: nothing.
    """

    def __init__(self, trust: Trust, proxy: str | None) -> None:
        self._trust = trust
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._routes: dict[str, _Route] = {}
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

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
        host, _ = super().build_connection_pool_key_attributes(*args, **kwargs)
        return host, {"ssl_context": self._trust.context()} if host["scheme"] == "https" else {}

    def route(self, url: str) -> _Route:
        """
        Return what requests to an address need.

        Raises:
            ConfigurationError: The URL is neither https nor http to this machine, or cannot be reached.
        """
        route = self._routes.get(url)
        if route is None:
            route = self._found(url)
            if len(self._routes) > MAX_KEPT:
                self._routes.clear()
            self._routes[url] = route
        return route

    def _found(self, url: str) -> _Route:
        check_service_url(url)
        try:
            prepared = requests.Request("POST", url).prepare()
        except (requests.RequestException, ValueError):
            raise ConfigurationError("The service address is not one that can be reached.") from None
        pool = self.get_connection_with_tls_context(prepared, verify=True, proxies=self._proxies)
        return _Route(pool, self.request_url(prepared, self._proxies))

    def close(self) -> None:
        """Close every connection now: the library leaves it to the garbage collector."""
        pools = [route.pool for route in list(self._routes.values())]
        self._routes.clear()
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            keys = manager.pools.keys()  # there is no iterator over the rest, so that threads may share it
            pools += [pool for key in keys if (pool := manager.pools.get(key))]
        for pool in pools:
            pool.close()
        super().close()


_KNOWN = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError)


class RequestsTransport:
    """Carry `HttpRequest`s; safe to share between threads and across fork."""

    handles = HttpRequest

    def __init__(self, settings: Settings, *, user_agent: str = "mailcore") -> None:
        self._settings = settings
        # For each step on a connection; how long one may take to be made is told to whoever makes it.
        self._timeout = urllib3.Timeout(connect=settings.read_timeout, read=settings.read_timeout)
        self._usual = {"User-Agent": user_agent, "Accept-Encoding": "identity"}
        self._lock = threading.Lock()
        self._opened = (os.getpid(), self._open())

    def _open(self) -> _Adapter:
        proxy = self._settings.proxy
        return _Adapter(Trust(self._settings.ca_bundle), proxy.reveal() if proxy else None)

    def _adapter(self) -> _Adapter:
        """Return this process's adapter; connections of the parent must not be shared after a fork."""
        pid, adapter = self._opened
        if pid == os.getpid():
            return adapter
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
        with Progress(deadline, self._settings.connect_timeout) as progress:
            try:
                return self._send(request)
            except _KNOWN as error:
                wrong: BaseException = failure(error, progress.phase, urlsplit(request.url).netloc)
            except BaseException as error:  # noqa: BLE001  # reason: raised again below
                # Of the request itself, about `ca_bundle`, or from outside: a signal, a task's time limit.
                wrong = error.with_traceback(None)
                wrong.__context__ = wrong.__cause__ = None
        # Raised out here, without the library's error: its text and frames may hold the token.
        raise wrong

    def _send(self, request: HttpRequest) -> HttpResponse:
        route = self._adapter().route(request.url)
        # Not by the library's own `send`: it works out the route again, and makes of the answer more than
        # anybody asks for.
        response = route.pool.urlopen(
            request.method,
            route.target,
            body=_body(request),
            headers=header_fields(request, self._usual),
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            timeout=self._timeout,
        )
        try:
            body = _read(response, request.max_response)
        finally:
            response.close()
            response.release_conn()
        return HttpResponse(status=response.status, headers=Headers(response.headers.items()), body=body)


def _body(request: HttpRequest) -> bytes | Body:
    body = request.body
    return b"".join(body) if not isinstance(body, bytes) and len(body) <= ONE_PIECE else body


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
