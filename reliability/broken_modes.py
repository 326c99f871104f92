"""Faults of the answer's form: it breaks off, never ends, or is no HTTP."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from functools import cache

from reliability.ending import ACCEPTED, UNKNOWN, not_accepted
from reliability.fault_server import Peer
from reliability.mode import Act, Mode, http

__all__ = ["BROKEN_MODES"]

STATUS = b"HTTP/1.1 200 OK\r\n"
YES = b'{"id": 1, "status": "pending"}'
#: What has no end has one after all, so that who waits for it is found out.
PIECES = 200
#: Bytes that a bomb unpacks to.
BOMB = 40_000_000


def _writing(*pieces: bytes) -> Act:
    """Write these, and close."""

    def act(peer: Peer, _: bytes) -> None:
        peer.write(*pieces)

    return act


def _writing_and_holding(data: bytes) -> Act:
    def act(peer: Peer, _: bytes) -> None:
        peer.write(data)
        peer.hold()

    return act


def _dripping(head: bytes, drop: bytes) -> Act:
    """Write `drop` again and again, a little at a time: for ten seconds."""

    def act(peer: Peer, _: bytes) -> None:
        peer.write(head)
        for _number in range(PIECES):
            peer.write(drop, pause=0.05)

    return act


def _flooding(piece: bytes) -> Act:
    def act(peer: Peer, _: bytes) -> None:
        for _number in range(PIECES):
            peer.write(piece * 50, pause=0.02)

    return act


def _around(before: bytes, after: bytes) -> Act:
    """Answer well, but not only that."""

    def act(peer: Peer, answer: bytes) -> None:
        peer.write(before + answer + after)

    return act


@cache
def _bomb(layers: int) -> bytes:
    data = bytes(BOMB)
    for _ in range(layers):
        data = gzip.compress(data, 6)
    encodings = ", ".join(["gzip"] * layers)
    return http(200, data, f"Content-Encoding: {encodings}")


def _exploding(layers: int) -> Act:
    def act(peer: Peer, _: bytes) -> None:
        peer.write(_bomb(layers))

    return act


def _no_http() -> Iterable[Mode]:
    """List answers that cannot be read as one."""
    broken = {
        "eof-in-status": (13, "closes within the status line", b"HTTP/1."),
        "eof-in-headers": (13, "closes within the headers of a 200", STATUS + b"Content-Ty"),
        "garbage-status": (15, "answers with no status line", b"SSH-2.0-OpenSSH_9.9\r\n\r\n"),
        "status-below-100": (36, "answers with status 99", b"HTTP/1.1 099 Odd\r\n\r\n"),
        "101-headers": (15, "answers with 101 headers", STATUS + b"X-A: 1\r\n" * 101 + b"\r\n"),
        "70-kb-header": (
            15,
            "answers with a header of 70 KB",
            STATUS + b"X-A: " + b"x" * 70_000 + b"\r\n\r\n",
        ),
    }
    for name, (row, does, data) in broken.items():
        yield Mode(name=name, row=row, does=does, act=_writing(data))
    yield Mode(
        name="early-hints",
        row=36,
        does="answers 103 before the answer, which aiohttp skips",
        in_asyncio=ACCEPTED,
        act=_around(b"HTTP/1.1 103 Early Hints\r\n\r\n", b""),
        accepts=True,
        goes_on=True,
    )


def _length() -> Iterable[Mode]:
    """List answers that are wrong about their length."""
    chunked = STATUS + b"Transfer-Encoding: chunked\r\n\r\n"
    yield Mode(
        name="negative-length",
        row=14,
        does="answers well, with a length of -5, which aiohttp refuses, and closes",
        ending=ACCEPTED,
        in_asyncio=UNKNOWN,
        act=_writing(STATUS + b"Content-Length: -5\r\n\r\n" + YES),
    )
    yield Mode(
        name="short-length",
        row=14,
        does="says a length shorter than its answer",
        act=STATUS + b"Content-Length: 9\r\n\r\n" + YES,
    )
    yield Mode(
        name="long-length",
        row=14,
        does="says a length longer than its answer, and closes",
        act=_writing(STATUS + b"Content-Length: 99\r\n\r\n" + YES),
    )
    yield Mode(
        name="broken-chunk",
        row=14,
        does="says no length where a chunk has one",
        act=_writing(chunked + b"zz\r\n" + YES + b"\r\n0\r\n\r\n"),
    )
    yield Mode(
        name="short-chunk", row=14, does="closes within a chunk", act=_writing(chunked + b"99\r\n" + YES)
    )
    yield Mode(
        name="extra-bytes",
        row=7,
        does="answers well, and adds another answer that nobody asked for",
        ending=ACCEPTED,
        act=_around(b"", http(500)),
        accepts=True,
        goes_on=True,
        sends=2,
    )


def _endless() -> Iterable[Mode]:
    """List answers without an end."""
    yield Mode(
        name="stall-in-body",
        row=11,
        does="stops within the body",
        act=_writing_and_holding(STATUS + b"Content-Length: 99\r\n\r\n" + YES),
        timed=True,
    )
    endless = {
        "drip-headers": ("sends a byte of the headers now and then", _dripping(STATUS + b"X-A: ", b"x")),
        "drip-body": (
            "sends a byte of the body now and then",
            _dripping(STATUS + b"Content-Length: 9999\r\n\r\n", b"x"),
        ),
        "1xx-flood": ("sends 100 Continue without end", _flooding(b"HTTP/1.1 100 Continue\r\n\r\n")),
    }
    for name, (does, act) in endless.items():
        # Only the deadline of the send ends it, and so no time is left to repeat it.
        yield Mode(name=name, row=12, does=does, act=act, timed=True, repeated=False)


def _size() -> Iterable[Mode]:
    """List answers that are too much, or packed."""
    yield Mode(
        name="oversize-200",
        row=37,
        does="answers 200 with 3 MB",
        act=_writing(http(200, b" " * 3_000_000 + YES)),
    )
    yield Mode(
        name="oversize-429",
        row=37,
        does="answers 429 with 3 MB",
        ending=not_accepted("RateLimited"),
        act=_writing(http(429, b" " * 3_000_000)),
    )
    yield Mode(name="gzip-bomb", row=38, does="answers with 40 MB, packed", act=_exploding(1))
    yield Mode(
        name="5-stacked-encodings", row=38, does="answers with 40 MB, packed five times", act=_exploding(5)
    )
    yield Mode(
        name="6-stacked-encodings", row=39, does="answers with 40 MB, packed six times", act=_exploding(6)
    )
    yield Mode(
        name="bad-gzip",
        row=39,
        does="says that its answer is packed, and it is not",
        act=_writing(http(200, YES, "Content-Encoding: gzip")),
    )


BROKEN_MODES = {
    "An answer that is no HTTP": tuple(_no_http()),
    "An answer whose length is wrong": tuple(_length()),
    "An answer that does not end": tuple(_endless()),
    "An answer that is too large, or packed": tuple(_size()),
}
