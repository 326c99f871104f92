"""Carries out the steps of a flow: the right transport for each request, the deadline that holds.

Rule 1: a transport is made when the first request of its type comes, and kept until `close`. One that
        was given is the giver's to close.
Rule 2: a secret that a provider echoes is masked before anybody reads the answer.
Rule 3: where a test put a double in the place of every transport, it is asked instead, here and nowhere else.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import attrs

from mailcore._closing import AsyncClosing, Closing
from mailcore._http import Headers, HttpRequest, HttpResponse, Request, SmtpRequest, SmtpResponse
from mailcore._plugins import PluginHost
from mailcore._secret import Secret
from mailcore._settings import Settings
from mailcore._spec import load_object
from mailcore._stand_in import StandIn, stand_in
from mailcore._steps import Call, Pause, Steps, drive, drive_async
from mailcore._transport import ASYNC_TRANSPORTS, TRANSPORTS, AsyncTransport, Deadline, Transport
from mailcore._version import version
from mailcore.exceptions import ConfigurationError

__all__ = ["AsyncCarrier", "Carrier"]

T = TypeVar("T")
Carrying = TypeVar("Carrying", bound=Transport | AsyncTransport)

#: A shorter secret may occur in an answer by chance; it is masked only where a request holds it.
SHORTEST = 8


class _Transports(Generic[Carrying]):
    """
    What both carriers are made of: transports, and what is told and hidden of each exchange.

    Args:
        mailer: Name of the mailer; empty for a receiver.
        transport: What carries every request; None: the usual one for each type.
        secrets: What must not come back in an answer, beside the secrets of each request.
    """

    #: Request type → the transport that carries it.
    pointers: ClassVar[Mapping[type[Any], str]]

    def __init__(
        self,
        settings: Settings,
        *,
        provider: str,
        mailer: str,
        host: PluginHost,
        transport: Carrying | None,
        secrets: Sequence[Secret] = (),
    ) -> None:
        self._settings = settings
        self._told = {"provider": provider, "mailer": mailer}
        self._host = host
        self._given: Carrying | None = transport
        values = [secret.reveal() for secret in secrets]
        self._secrets = [value for value in values if len(value) >= SHORTEST]
        self._made: dict[type[Any], Carrying] = {}

    def transport(self, handles: type[Any]) -> Carrying:
        """Return what carries requests of that type."""
        if self._given is not None:
            return self._given
        if handles not in self._made:
            # Two threads may make one each here; the first one kept is used, the other never opened.
            self._made.setdefault(handles, self._make(handles))
        return self._made[handles]

    def _make(self, handles: type[Any]) -> Carrying:
        pointer = self.pointers.get(handles)
        if pointer is None:
            raise ConfigurationError(f"No transport carries {handles.__name__}.")
        agent = f"mailcore/{version()} ({self._told['provider']})"
        made: Carrying = load_object(pointer)(self._settings, user_agent=agent)
        return made

    def _asked(self, request: Request) -> StandIn | None:
        self._host.notify("mailcore_request_prepared", **self._told, request=request)
        return stand_in(self._given, host=self._host)

    def _answer_of(self, double: StandIn, request: Request) -> Any:
        return double.answer(request, provider=self._told["provider"], host=self._host)

    def _answered(self, request: Request, response: Any) -> Any:
        if secrets := {*self._secrets, *_secrets_of(request)}:
            response = _masked(response, secrets)
        self._host.notify("mailcore_response_received", **self._told, request=request, response=response)
        return response


class Carrier(_Transports[Transport], Closing):
    """
    Carry out flows for one mailer or receiver, and tell the observers what crosses the wire.

    Args:
        sleep: Waits that many seconds.
    """

    pointers = TRANSPORTS

    def __init__(
        self, settings: Settings, *, sleep: Callable[[float], object] = time.sleep, **options: Any
    ) -> None:
        super().__init__(settings, **options)
        self._sleep = sleep

    def run(self, flow: Steps[T]) -> T:
        """Carry out a flow and return what it returns; where it names no deadline, the usual one holds."""
        until: Deadline | None = None

        def carry_out(step: Request | Pause | Call | Deadline) -> Any:
            nonlocal until
            if isinstance(step, Deadline):
                until = step
                return None
            if isinstance(step, Pause):
                return self._sleep(step.seconds)
            if isinstance(step, Call):
                return step.function(*step.arguments)
            until = until or Deadline(self._settings.deadline)
            double = self._asked(step)
            if double is not None:
                response = self._answer_of(double, step)
            else:
                response = self.transport(type(step)).exchange(step, deadline=until)
            return self._answered(step, response)

        return drive(flow, carry_out)

    def close(self) -> None:
        """Close the connections that were made here; a later flow opens new ones."""
        for transport in list(self._made.values()):
            transport.close()


class AsyncCarrier(_Transports[AsyncTransport], AsyncClosing):
    """
    Do what `Carrier` does, and wait for each step in an event loop.

    Args:
        sleep: Waits that many seconds; None: the loop's own.
    """

    pointers = ASYNC_TRANSPORTS

    def __init__(
        self, settings: Settings, *, sleep: Callable[[float], Awaitable[object]] | None = None, **options: Any
    ) -> None:
        super().__init__(settings, **options)
        from mailcore import _loop

        self._sleep = sleep or _loop.sleep
        self._call = _loop.call

    async def run(self, flow: Steps[T]) -> T:
        """Carry out a flow and return what it returns; where it names no deadline, the usual one holds."""
        until: Deadline | None = None

        async def carry_out(step: Request | Pause | Call | Deadline) -> Any:
            nonlocal until
            if isinstance(step, Deadline):
                until = step
                return None
            if isinstance(step, Pause):
                return await self._sleep(step.seconds)
            if isinstance(step, Call):
                return await self._call(step.function, *step.arguments)
            until = until or Deadline(self._settings.deadline)
            double = self._asked(step)
            if double is not None:
                response = self._answer_of(double, step)
            else:
                response = await self.transport(type(step)).exchange(step, deadline=until)
            return self._answered(step, response)

        return await drive_async(flow, carry_out)

    async def close(self) -> None:
        """Close the connections that were made here; a later flow opens new ones."""
        for transport in list(self._made.values()):
            await transport.close()


def _secrets_of(request: Request) -> list[str]:
    if isinstance(request, HttpRequest):
        return [value.reveal() for _, value in request.headers if isinstance(value, Secret)]
    if isinstance(request, SmtpRequest) and request.password is not None:
        password = request.password
        forms = (password, password.as_plain(request.username), password.as_login())
        return [form.reveal() for form in forms]
    return []


def _masked(response: Any, secrets: Iterable[str]) -> Any:
    """Return the response without any of these secrets."""
    if isinstance(response, HttpResponse):
        return _masked_http(response, secrets)
    return _masked_smtp(response, secrets) if isinstance(response, SmtpResponse) else response


def _masked_http(response: HttpResponse, secrets: Iterable[str]) -> HttpResponse:
    said = "\n".join([text for _, text in response.headers.pairs])
    for secret in secrets:
        if secret in said or secret.encode() in response.body:
            pairs = [(name, text.replace(secret, "****")) for name, text in response.headers.pairs]
            body = response.body.replace(secret.encode(), b"****")
            response = attrs.evolve(response, headers=Headers(pairs), body=body)
    return response


def _masked_smtp(response: SmtpResponse, secrets: Iterable[str]) -> SmtpResponse:
    for secret in secrets:
        refused = {
            address: (code, text.replace(secret, "****"))
            for address, (code, text) in response.refused.items()
        }
        response = attrs.evolve(response, text=response.text.replace(secret, "****"), refused=refused)
    return response
