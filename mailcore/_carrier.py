"""Carries the requests of a flow: the right transport for each, one deadline for all.

Rule 1: a transport is made when the first request of its type comes, and kept until `close`. One that
        was given is the giver's to close.
Rule 2: a secret that a provider echoes is masked before anybody reads the answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import attrs

from mailcore._closing import Closing
from mailcore._driver import drive
from mailcore._http import Headers, HttpRequest, HttpResponse, Pause, Request
from mailcore._plugins import PluginHost
from mailcore._retry import Steps
from mailcore._secret import Secret
from mailcore._settings import Settings
from mailcore._spec import load_object
from mailcore._transport import TRANSPORTS, Deadline, Transport
from mailcore._version import version
from mailcore.exceptions import ConfigurationError

__all__ = ["Carrier"]

T = TypeVar("T")

#: A shorter secret may occur in an answer by chance; it is masked only where a request holds it.
SHORTEST = 8


class Carrier(Closing):
    """
    Run flows for one mailer or receiver, and tell the observers what crosses the wire.

    Args:
        mailer: Name of the mailer; empty for a receiver.
        transport: What carries every request; None: the usual one for each type.
        secrets: What must not come back in an answer, beside the secrets of each request.
        sleep: Waits that many seconds.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        provider: str,
        mailer: str,
        host: PluginHost,
        transport: Transport | None,
        secrets: Sequence[Secret] = (),
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._settings = settings
        self._provider = provider
        self._mailer = mailer
        self._host = host
        self._given = transport
        values = [secret.reveal() for secret in secrets]
        self._secrets = [value for value in values if len(value) >= SHORTEST]
        self._sleep = sleep
        self._made: dict[type[Any], Transport] = {}

    def deadline(self) -> Deadline:
        """Return the moment by which a send that begins now must be done."""
        return Deadline(self._settings.deadline)

    def run(self, flow: Steps[T], deadline: Deadline | None = None) -> T:
        """
        Carry out a flow and return what it returns.

        Args:
            deadline: When all of it must be done; None: it begins now.
        """
        until = self.deadline() if deadline is None else deadline
        return drive(flow, lambda request: self._exchange(request, until))

    def close(self) -> None:
        """Close the connections that were made here; a later flow opens new ones."""
        for transport in self._made.values():
            transport.close()

    def _exchange(self, request: Request | Pause, deadline: Deadline) -> Any:
        if isinstance(request, Pause):
            self._sleep(request.seconds)
            return None
        told = {"provider": self._provider, "mailer": self._mailer, "request": request}
        self._host.notify("mailcore_request_prepared", **told)
        response = self.transport(type(request)).exchange(request, deadline=deadline)
        response = _masked(response, {*self._secrets, *_secrets_of(request)})
        self._host.notify("mailcore_response_received", **told, response=response)
        return response

    def transport(self, handles: type[Any]) -> Transport:
        """Return what carries requests of that type."""
        if self._given is not None:
            return self._given
        if handles not in self._made:
            # Two threads may make one each here; the first one kept is used, the other never opened.
            self._made.setdefault(handles, self._make(handles))
        return self._made[handles]

    def _make(self, handles: type[Any]) -> Transport:
        pointer = TRANSPORTS.get(handles)
        if pointer is None:
            raise ConfigurationError(f"No transport carries {handles.__name__}.")
        agent = f"mailcore/{version()} ({self._provider})"
        made: Transport = load_object(pointer)(self._settings, user_agent=agent)
        return made


def _secrets_of(request: Request) -> list[str]:
    if not isinstance(request, HttpRequest):
        return []
    return [value.reveal() for _, value in request.headers if isinstance(value, Secret)]


def _masked(response: Any, secrets: Iterable[str]) -> Any:
    """Return the response without any of these secrets."""
    if not isinstance(response, HttpResponse):
        return response
    for secret in secrets:
        if secret.encode() in response.body or any(secret in text for _, text in response.headers.pairs):
            pairs = [(name, text.replace(secret, "****")) for name, text in response.headers.pairs]
            body = response.body.replace(secret.encode(), b"****")
            response = attrs.evolve(response, headers=Headers(pairs), body=body)
    return response
