"""One emulated provider: its API over HTTP, and its webhooks made for real.

Rule: the emulator is told everything and asks for nothing; sockets and the clock are this file's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from mailcore._closing import Closing
from mailcore._delivery import EndpointKind
from mailcore._emulator import EmulatedDelivery, Emulator
from mailcore._http import Headers, HttpRequest, HttpResponse
from mailcore._plugins import PluginHost
from mailcore._settings import Settings
from mailcore._spec import AdapterSpec, load_object
from mailcore._transport import Deadline, TransportFailure
from mailcore.exceptions import ConfigurationError
from mailcore.sandbox._chaos import Chaos
from mailcore.sandbox._server import LoopbackServer
from mailcore.transports.requests import RequestsTransport

__all__ = ["Delivered", "LocalProvider"]

WEBHOOK_SECONDS = 10.0


@attrs.frozen(kw_only=True)
class Delivered:
    """A webhook that was made. `status` is None where the endpoint gave no answer."""

    kind: EndpointKind
    request: HttpRequest
    status: int | None


class LocalProvider(Closing):
    """
    Serve an adapter's emulator on loopback; also a context manager.

    Args:
        spec: The adapter, or its name.
        port: 0: any free one.
        chaos: Misbehaves now and then; None: everything works.

    Attributes:
        emulator: The provider itself, for `act` and `receive`.
        settings: Options that select it, for `Mailer.from_config`.

    Raises:
        ConfigurationError: The adapter ships no emulator.
    """

    def __init__(self, spec: AdapterSpec | str, *, port: int = 0, chaos: Chaos | None = None) -> None:
        if isinstance(spec, str):
            spec = PluginHost.default().spec(spec)
        if not spec.emulator:
            raise ConfigurationError(
                f"The adapter {spec.name!r} ships no emulator, so it cannot be tried locally."
            )
        self.emulator: Emulator = load_object(spec.emulator)()
        self._chaos = chaos
        self._server = LoopbackServer(self._answer, port=port)
        self._transport = RequestsTransport(Settings())
        self.url = self._server.url
        self.settings: Mapping[str, Any] = {"provider": spec.name, **self.emulator.settings(self.url)}

    def _answer(self, method: str, path: str, headers: Headers, body: bytes) -> HttpResponse | None:
        request = HttpRequest(method=method, url=self.url + path, headers=headers.pairs, body=body)

        def taken() -> HttpResponse:
            return self.emulator.handle(request, datetime.now(UTC))

        return taken() if self._chaos is None else self._chaos.answer(taken)

    def deliver(self) -> list[Delivered]:
        """Make every webhook that is due, in order, and return how each was answered."""
        made = []
        while due := self.emulator.due(datetime.now(UTC)):
            made += [self._deliver(delivery) for delivery in due]
        return made

    def _deliver(self, delivery: EmulatedDelivery) -> Delivered:
        try:
            deadline = Deadline(WEBHOOK_SECONDS)
            status = self._transport.exchange(delivery.request, deadline=deadline).status
        except TransportFailure:
            status = None
        self.emulator.answered(delivery.delivery_id, status, datetime.now(UTC))
        return Delivered(kind=delivery.kind, request=delivery.request, status=status)

    def close(self) -> None:
        """Stop serving."""
        self._server.close()
        self._transport.close()
