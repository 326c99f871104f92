"""A provider in a process of its own, on another core, so that its work is not counted."""

from __future__ import annotations

import multiprocessing
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

__all__ = ["answering", "stay_on_one_core"]

#: What Postmark says of one mail: https://postmarkapp.com/developer/api/email-api
_POSTMARK = (
    b'{"To":"bob@example.com","SubmittedAt":"2030-01-31T09:00:00.0000000-05:00",'
    b'"MessageID":"0a129aee-e1cd-480d-b08d-4f48548ff48d","ErrorCode":0,"Message":"OK"}'
)
#: What Resend says of one: https://resend.com/docs/api-reference/emails/send-email
_RESEND = b'{"id":"0a129aee-e1cd-480d-b08d-4f48548ff48d"}'
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_BATCH = b"/email/batch"
_PIECE = 1 << 16


def stay_on_one_core() -> None:
    """Have this process, and what it starts but a provider, run on the first core it may use."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


@contextmanager
def answering(*, pause: float = 0) -> Iterator[str]:
    """
    Yield the URL of a server that takes every mail.

    Args:
        pause: Seconds that each answer takes, however many are under way.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, pause), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(told: Connection, pause: float) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {(os.cpu_count() or 1) - 1})
    door = socket.create_server(("127.0.0.1", 0), backlog=512)
    told.send(door.getsockname()[1])
    while True:
        sock, _ = door.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_talk, args=(sock, pause), daemon=True).start()


def _talk(sock: socket.socket, pause: float) -> None:
    with sock:
        while head := _head(sock):
            top, _, body = head.partition(b"\r\n\r\n")
            path = top.split(b" ", 2)[1]
            found = _LENGTH.search(top)
            left = int(found[1]) - len(body) if found else 0
            while left:
                piece = sock.recv(min(left, _PIECE))
                left -= len(piece)
                body = body + piece if path.endswith(_BATCH) else b""
            time.sleep(pause)
            sock.sendall(_answer(path, body))


def _head(sock: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = sock.recv(_PIECE)
        if not piece:
            return b""
        head += piece
    return head


def _answer(path: bytes, body: bytes) -> bytes:
    if path.endswith(_BATCH):
        answer = b"[" + b",".join([_POSTMARK] * body.count(b'"From"')) + b"]"
    else:
        answer = _RESEND if path.endswith(b"/emails") else _POSTMARK
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(answer) + answer
