"""Carries HTTP requests with the aiohttp library, in an event loop.

Rule 1: one session for one mailer (and loop, and process).
Rule 2: nothing from the environment: no proxies, no .netrc, no certificate variables, no log of TLS keys.
Rule 3: redirects are not followed; connect, read and total time are bounded, and so is the answer.
Rule 4: a connection is the witness: before there is one, nothing was sent; from then on, anything may
        have been.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, suppress
from contextvars import ContextVar
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from mailcore._extra import requires_extra
from mailcore._http import Body, Headers, HttpRequest, HttpResponse
from mailcore._settings import Settings
from mailcore._transport import Deadline, Phase
from mailcore._url import check_service_url
from mailcore.exceptions import ConfigurationError
from mailcore.transports._failure import failure
from mailcore.transports._header_fields import header_fields
from mailcore.transports._packing import is_packed, unpacked
from mailcore.transports._trust import Trust

with requires_extra("aiohttp", by=__name__):
    import aiohttp
    from yarl import URL

__all__ = ["AiohttpTransport"]

#: Bytes that are given to the connection at once; a body up to this size is made whole.
ONE_PIECE = 64 * 1024
#: Pieces of a larger body that are made in one visit to a thread: a file must not block the loop.
VISIT = 4

_KNOWN = (aiohttp.ClientError, urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError)


class _Progress:
    """
    How far one request got, and how long the next step of it may take.

    One timer for all steps but the first: those of the library would be set and unset several times.

    Args:
        left: Seconds until all must be done.
        patience: Seconds the other side may take to read a piece, or to answer with one.
    """

    def __init__(self, left: float, patience: float) -> None:
        self.phase = Phase.CONNECTING
        self.timer = asyncio.timeout(None)  # the library bounds the time to connect
        self.body_error: Exception | None = None
        self._in_pieces = False
        self._until = asyncio.get_running_loop().time() + left
        self._patience = patience
        self._transport: asyncio.Transport | None = None

    def data(self, body: bytes | Body) -> bytes | AsyncIterator[bytes]:
        """Return a body as the library takes it: whole where it is small."""
        self._in_pieces = len(body) > ONE_PIECE
        if not self._in_pieces:
            return body if isinstance(body, bytes) else b"".join(body)
        return self._pieces(iter([body]) if isinstance(body, bytes) else iter(body), len(body))

    async def _pieces(self, pieces: Iterator[bytes], left: int) -> AsyncIterator[bytes]:
        """Yield a body that is read in a thread, since it may come from files."""
        try:
            # Not a moment longer than to the last byte: the answer may come at once, and ends what goes on.
            while left > 0 and (some := await asyncio.to_thread(_some, pieces)):
                for start in range(0, len(some), ONE_PIECE):
                    await asyncio.sleep(0)  # or else the loop does not notice that nobody is there any more
                    self._write_on()
                    yield some[start : start + ONE_PIECE]
                left -= len(some)
        except Exception as error:
            self.body_error = error  # the library hides it
            raise
        self._write_on()

    def _write_on(self) -> None:
        """Give the other side time to read, unless it answers already."""
        if self.phase is not Phase.RECEIVING:
            self.allow_one_step()

    def allow_one_step(self) -> None:
        """Let the next step take as long as the other side may take for one."""
        self._reschedule(asyncio.get_running_loop().time() + self._patience)

    def allow_all(self) -> None:
        """Let the next step take all the time there is."""
        self._reschedule(self._until)

    def _reschedule(self, when: float) -> None:
        with suppress(RuntimeError):  # it has just rung: the exchange is about to end
            self.timer.reschedule(min(self._until, when))

    def time_left(self) -> float:
        """Return the seconds until all must be done; 0 or less when it is too late."""
        return self._until - asyncio.get_running_loop().time()

    def note(self, phase: Phase) -> None:
        """Note how far it got; an answer may come before all is sent."""
        if self.phase is not Phase.RECEIVING:
            self.phase = phase

    def connected(self, transport: asyncio.Transport | None) -> None:
        """Note that there is a connection: from here on, a byte may have left."""
        self._transport = transport
        self.note(Phase.SENDING)
        if self._in_pieces:
            self.allow_all()  # reading files is our own affair
        else:
            self.allow_one_step()

    def given_up(self) -> None:
        """Drop the connection now; closing it would first wait for the other side to read what is left."""
        if self._transport is not None:
            self._transport.abort()


def _some(pieces: Iterator[bytes]) -> bytes:
    return b"".join(islice(pieces, VISIT))


#: What the request of this task is.
_progress: ContextVar[_Progress] = ContextVar("progress")


class _Request(aiohttp.ClientRequest):
    """Note the connection a request is given, and that all of it was written."""

    # Not by aiohttp's tracing: that costs every request half as much again.
    async def send(self, conn: Any) -> Any:
        _progress.get().connected(conn.transport)
        return await super().send(conn)

    async def write_bytes(self, writer: Any, conn: Any, *given: Any) -> None:
        await super().write_bytes(writer, conn, *given)
        if conn.protocol is not None and conn.protocol.exception() is None:
            _progress.get().note(Phase.SENT)


class AiohttpTransport:
    """Carry `HttpRequest`s; it may be made outside of a loop, and used in several, one after the other."""

    handles = HttpRequest

    def __init__(self, settings: Settings, *, user_agent: str = "mailcore") -> None:
        self._settings = settings
        self._trust = Trust(settings.ca_bundle)
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "identity"}
        self._proxy = settings.proxy.reveal() if settings.proxy else None
        self._timeout = _to_connect(settings.connect_timeout)
        self._opened: tuple[int, asyncio.AbstractEventLoop, aiohttp.ClientSession] | None = None

    def _session(self) -> aiohttp.ClientSession:
        """Return the session of this loop and process; connections belong to the loop that made them."""
        here = os.getpid(), asyncio.get_running_loop()
        if self._opened is None or self._opened[:2] != here:
            self._opened = (*here, self._open())
        return self._opened[2]

    def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._trust.context()),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Content-Type"),
            auto_decompress=False,
            trust_env=False,
            request_class=_Request,
        )

    async def close(self) -> None:
        """Close every connection of this loop."""
        opened, self._opened = self._opened, None
        if opened is not None and opened[:2] == (os.getpid(), asyncio.get_running_loop()):
            await opened[2].close()
            await asyncio.sleep(0)  # what was closed is gone after the loop's next turn

    async def exchange(self, request: HttpRequest, *, deadline: Deadline) -> HttpResponse:
        """
        Return the response, whatever its status.

        Raises:
            ConfigurationError: The URL is neither https nor http to this machine, or `ca_bundle` holds
                no certificate.
            ProtocolBug: A header that cannot be sent as it is.
            TransportFailure: No whole answer came in time.
        """
        progress = _Progress(deadline.remaining(), self._settings.read_timeout)
        _progress.set(progress)
        try:
            async with progress.timer, self._asked(request, progress) as response:
                return await _whole(response, request.max_response, progress)
        except _KNOWN as error:
            wrong: BaseException = progress.body_error or failure(
                error, progress.phase, urlsplit(request.url).netloc
            )
        except BaseException as error:  # noqa: BLE001  # reason: raised again below
            wrong = error  # a cancellation, or about the URL or `ca_bundle`
        progress.given_up()
        # Raised out here, without the library's error: its text and frames may hold the token.
        wrong.__context__ = wrong.__cause__ = None
        raise wrong.with_traceback(None)

    def _asked(self, request: HttpRequest, progress: _Progress) -> AbstractAsyncContextManager[Any]:
        """Return what sends the request and has its answer, in a frame of its own: that holds the token."""
        left = progress.time_left()
        if left <= 0:
            raise TimeoutError
        return self._session().request(
            request.method,
            _url(request.url),
            headers=header_fields(request, self._headers),
            data=progress.data(request.body),
            allow_redirects=False,
            proxy=self._proxy,
            timeout=self._timeout if left > self._settings.connect_timeout else _to_connect(left),
        )


def _to_connect(seconds: float) -> aiohttp.ClientTimeout:
    """Return a limit for all addresses of a host together, and for nothing else."""
    return aiohttp.ClientTimeout(total=None, connect=seconds)


@lru_cache(maxsize=100)
def _url(url: str) -> URL:
    check_service_url(url)
    try:
        # Not every host that yarl takes can be looked up: this finds what the other transport finds.
        requests.Request("POST", url).prepare()
        return URL(url, encoded=True)
    except (requests.RequestException, ValueError):
        raise ConfigurationError("The service address is not one that can be reached.") from None


async def _whole(response: aiohttp.ClientResponse, limit: int, progress: _Progress) -> HttpResponse:
    """Return the response, its body cut off after `limit` bytes: a cut body is unreadable, and so unknown."""
    progress.phase = Phase.RECEIVING
    content, pieces, left = response.content, [], limit
    while left and not content.at_eof():
        if not content.is_eof():  # else all of it is there
            progress.allow_one_step()
        piece = await content.read(left)
        pieces.append(piece)
        left -= len(piece)
    if not left:
        response.close()
    headers = Headers(
        [(name.decode("latin-1"), text.decode("latin-1")) for name, text in response.raw_headers]
    )
    body = b"".join(pieces)
    if is_packed(headers):  # it may take a while, and is nobody's intention
        progress.allow_all()
        body = await asyncio.to_thread(unpacked, body, headers, limit)
    return HttpResponse(status=response.status, headers=headers, body=body)
