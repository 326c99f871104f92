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


#: Functions that ask for a name.
_LOOK_UPS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr")


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
    make = socket.socket.__init__
    look_ups = {name: getattr(socket, name) for name in _LOOK_UPS}

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
    for name in look_ups:
        setattr(socket, name, resolve)
    try:
        _prove(asked)
        yield asked
        held = all(getattr(socket, name) is resolve for name in look_ups)
        if not held or socket.socket.__init__ is not guarded:
            asked.append("The guard against the network was removed")
    finally:
        socket.socket.__init__ = make  # type: ignore[method-assign]  # reason: the same
        for name, look_up in look_ups.items():
            setattr(socket, name, look_up)


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
