"""Refuses the network to an adapter under test, and remembers who asked.

Rule: a local socket pair is allowed, as asyncio needs one; everything that could leave the machine is not.
"""

from __future__ import annotations

import socket
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mailcore_conformance._blame import place

__all__ = ["NetworkRefused", "no_network"]


class NetworkRefused(OSError):
    """An adapter asked for the network."""


@contextmanager
def no_network() -> Iterator[list[str]]:
    """
    Refuse internet sockets and name look-ups; yields the places that asked for one, as they come.

    Raises:
        RuntimeError: The guard itself does not hold.
    """
    asked: list[str] = []
    make, look_up = socket.socket.__init__, socket.getaddrinfo

    def refused(what: str) -> NetworkRefused:
        asked.append(f"{what} at {_place()}")
        return NetworkRefused(f"{what}: an adapter has no network.")

    def guarded(self: socket.socket, family: int = -1, *args: Any, **kwargs: Any) -> None:
        if family in (-1, socket.AF_INET, socket.AF_INET6):
            raise refused("A socket was opened")
        make(self, family, *args, **kwargs)

    def resolve(*_: Any, **__: Any) -> Any:
        raise refused("A host name was looked up")

    socket.socket.__init__ = guarded  # type: ignore[method-assign]  # reason: that is the guard
    socket.getaddrinfo = resolve
    try:
        _prove(asked)
        yield asked
    finally:
        socket.socket.__init__ = make  # type: ignore[method-assign]  # reason: the same
        socket.getaddrinfo = look_up


def _prove(asked: list[str]) -> None:
    try:
        socket.socket().close()
    except NetworkRefused:
        asked.clear()
    else:
        raise RuntimeError("The guard against the network does not hold.")


def _place() -> str:
    frame = traceback.extract_stack()[-4]
    return place(frame.filename, frame.lineno or 0)
