"""Faults of the connection: what happens before, and instead of, an answer."""

from __future__ import annotations

from collections.abc import Iterable

from reliability.ending import UNKNOWN, not_accepted, rejected
from reliability.fault_server import Peer
from reliability.mode import PLAIN, TLS, Mode, http

__all__ = ["CONNECTION_MODES"]

UNREACHABLE = not_accepted("Unreachable")
UNTRUSTED = not_accepted("TLSFailure", retriable=False)
#: So long that no buffer takes all of it.
LARGE = 5_000_000


def _nothing(peer: Peer, _: bytes) -> None:
    pass


def _hold(peer: Peer, _: bytes) -> None:
    peer.hold()


def _reset(peer: Peer, _: bytes) -> None:
    peer.reset()


def _wait_and_close(peer: Peer, _: bytes) -> None:
    peer.wait()


def _wait_and_reset(peer: Peer, _: bytes) -> None:
    peer.wait()
    peer.reset()


def _reset_mid_upload(peer: Peer, _: bytes) -> None:
    peer.sock.recv(1000)
    peer.reset()


def _stall_mid_upload(peer: Peer, _: bytes) -> None:
    peer.sock.recv(1000)
    peer.hold()


def _refuse_mid_upload(peer: Peer, _: bytes) -> None:
    peer.sock.recv(1000)
    peer.write(http(413, b"", "Connection: close"))
    peer.drain()


def _answer_in_plain(peer: Peer, _: bytes) -> None:
    peer.sock.recv(1)
    peer.write(http(400))


def _refuse_tunnel(peer: Peer, _: bytes) -> None:
    peer.write(http(403))


def _before() -> Iterable[Mode]:
    """List faults before anything of the request left."""
    yield Mode(
        name="refuse", row=2, does="refuses the connection", ending=UNREACHABLE, act=_nothing, door="refusing"
    )
    yield Mode(
        name="connect-timeout",
        row=3,
        does="leaves the connection waiting",
        ending=UNREACHABLE,
        act=_nothing,
        door="full",
        timed=True,
    )
    yield Mode(
        name="proxy-refuses",
        row=4,
        does="is a proxy that opens no tunnel",
        ending=UNREACHABLE,
        schemes=TLS,
        act=_refuse_tunnel,
        through_proxy=True,
    )
    yield Mode(
        name="stall-tls",
        row=6,
        does="never finishes the TLS handshake",
        ending=UNREACHABLE,
        schemes=TLS,
        act=_hold,
        reads=False,
        certificate="none",
        timed=True,
    )
    yield Mode(
        name="close-in-tls",
        row=6,
        does="closes within the TLS handshake",
        ending=UNREACHABLE,
        schemes=TLS,
        act=_wait_and_close,
        reads=False,
        certificate="none",
    )


def _untrusted() -> Iterable[Mode]:
    """List those who cannot be trusted."""
    yield Mode(
        name="no-tls",
        row=5,
        does="answers in plain where TLS is expected",
        ending=UNTRUSTED,
        schemes=TLS,
        act=_answer_in_plain,
        reads=False,
        certificate="none",
    )
    certificates = {
        "self-signed": ("unknown authority", "shows a certificate of an unknown authority"),
        "expired": ("expired", "shows an expired certificate"),
        "wrong-host": ("other name", "shows the certificate of another host"),
    }
    for name, (certificate, does) in certificates.items():
        yield Mode(
            name=name,
            row=5,
            does=does,
            ending=UNTRUSTED,
            schemes=TLS,
            certificate=certificate,  # type: ignore[arg-type]  # reason: the table above has no other
        )


def _sending() -> Iterable[Mode]:
    """List faults while the request is on its way."""
    yield Mode(
        name="reset-on-accept",
        row=8,
        does="resets the connection at once",
        # A reset may arrive before the first byte is written: then nothing was sent.
        ending=UNKNOWN,
        or_ending=UNREACHABLE,
        act=_reset,
        schemes=PLAIN,
        reads=False,
    )
    yield Mode(
        name="reset-in-tls",
        row=6,
        does="resets the connection within the TLS handshake",
        ending=UNREACHABLE,
        act=_wait_and_reset,
        schemes=TLS,
        reads=False,
        certificate="none",
    )
    yield Mode(
        name="close-before-read",
        row=8,
        does="closes with the request unread",
        act=_wait_and_close,
        reads=False,
    )
    yield Mode(
        name="reset-mid-upload",
        row=9,
        does="resets within the request",
        act=_reset_mid_upload,
        reads=False,
        size=LARGE,
    )
    yield Mode(
        name="stall-mid-upload",
        row=9,
        does="stops reading within the request",
        act=_stall_mid_upload,
        reads=False,
        size=LARGE,
        timed=True,
    )
    yield Mode(
        name="early-413",
        row=29,
        does="answers 413 within the request",
        ending=rejected("TooLarge"),
        act=_refuse_mid_upload,
        reads=False,
        size=LARGE,
    )


def _sent() -> Iterable[Mode]:
    """List faults when all of the request is there."""
    yield Mode(
        name="keep-alive-race",
        row=7,
        does="answers one mail and closes at the next one",
        act=_nothing,
        sends=2,
    )
    yield Mode(name="close-after-read", row=8, does="closes without an answer", act=_nothing)
    yield Mode(name="reset-after-read", row=8, does="resets without an answer", act=_reset)
    yield Mode(
        name="close-after-accept", row=8, does="takes the mail, then closes", act=_nothing, accepts=True
    )
    yield Mode(name="reset-after-accept", row=8, does="takes the mail, then resets", act=_reset, accepts=True)
    yield Mode(name="read-timeout", row=10, does="never answers", act=_hold, timed=True)
    yield Mode(
        name="read-timeout-after-accept",
        row=10,
        does="takes the mail, and never answers",
        act=_hold,
        accepts=True,
        timed=True,
    )


CONNECTION_MODES = {
    "No connection": tuple(_before()),
    "A server that cannot be trusted": tuple(_untrusted()),
    "While the request is sent": tuple(_sending()),
    "No answer": tuple(_sent()),
}
