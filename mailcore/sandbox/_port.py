"""A port of this machine, taken before anything is served on it, so that what is wrong is said at once."""

from __future__ import annotations

import socket

from mailcore.exceptions import MailcoreError

__all__ = ["listening"]


def listening(host: str, port: int, *, option: str) -> socket.socket:
    """
    Return a socket that listens; port 0 is any free one.

    Args:
        option: What chooses another port, for the error.

    Raises:
        MailcoreError: It cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only where the protocol is named does asyncio send small answers at once; else each waits 40 ms.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(128)
    except OSError as error:
        found.close()
        raise MailcoreError(
            f"Port {port} of {host} cannot be used: {error.strerror}. Choose another one with {option}."
        ) from None
    return found
