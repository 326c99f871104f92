"""What a failed exchange is told as, whichever library failed.

Rule: the phase is the transport's finding. What a library raised only adds a word, and whether the other
side could be trusted.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

from mailcore._transport import Phase, TransportFailure

__all__ = ["failure"]

_UNTRUSTED = (
    "The certificate or TLS version of {host} was refused; nothing was sent (SSLError). Check the setting "
    "`ca_bundle`, this machine's clock, and what stands between it and {host}."
)
_WHERE = {
    Phase.CONNECTING: (
        "No connection to {host} was made; nothing was sent ({why}). Check the network, or the settings "
        "`api_url` and `proxy`."
    ),
    Phase.SENDING: "The connection to {host} failed while the request was being sent ({why}).",
    Phase.SENT: "The request was sent to {host}, but no answer came ({why}).",
    Phase.RECEIVING: "The answer of {host} broke off ({why}).",
}
#: What the libraries put around the error that says why.
_WRAPPERS = {"ClientConnectorError", "ClientOSError", "ConnectionError", "MaxRetryError"}


def failure(error: Exception, phase: Phase, host: str) -> TransportFailure:
    """Return what is told of an error of a library, in words that hold nothing of the request."""
    names = {type(found).__name__ for found in _chain(error)}
    untrusted = phase is Phase.CONNECTING and any(
        isinstance(found, ssl.SSLError)
        and type(found).__module__ == "ssl"
        and not isinstance(found, ssl.SSLEOFError)
        for found in _chain(error)
    )
    text = (_UNTRUSTED if untrusted else _WHERE[phase]).format(host=host, why=_why(names))
    return TransportFailure(phase, text, untrusted=untrusted)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    pending: list[Any] = [error]
    while pending:
        found = pending.pop()
        if isinstance(found, BaseException) and found not in seen:
            seen.append(found)
            yield found
            pending += [found.__cause__, found.__context__, *found.args, getattr(found, "reason", None)]


def _why(names: set[str]) -> str:
    if any("Timeout" in name for name in names):
        return "timeout"
    return min(names - _WRAPPERS, default="ConnectionError")
