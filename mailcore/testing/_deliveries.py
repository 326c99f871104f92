"""Webhooks to test an endpoint with, as the provider makes them.

Rule: the provider's emulator makes and signs each one; nothing here knows what a delivery looks like.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from mailcore._adapter import Context
from mailcore._delivery import EndpointKind, WebhookRequest
from mailcore._message import Message
from mailcore._plugins import PluginHost
from mailcore._receiver import WebhookReceiver
from mailcore._result import SendResult
from mailcore._secret import Secret
from mailcore._steps import drive
from mailcore._time import utc_now
from mailcore.exceptions import WebhookRejected
from mailcore.testing._recording import RecordingTransport
from mailcore.testing._stand_ins import Providers, answered

if TYPE_CHECKING:
    from mailcore._emulator import Emulator

__all__ = ["Deliveries", "deliveries"]

API = "https://provider.example"
ENDPOINTS = "https://app.example.com/webhooks"
#: Headers that prove nothing, in lower case.
PLAIN = frozenset({"content-type", "content-length", "user-agent", "host", "accept"})


def deliveries(provider: str, *, host: PluginHost | None = None) -> Deliveries:
    """
    Return what makes a provider's webhooks.

    Raises:
        ConfigurationError: Its adapter ships no emulator, or there is no such provider.
    """
    return Deliveries(provider, host=host)


class Deliveries:
    """
    Make genuine webhooks of one provider.

    Args:
        emulator: The one whose messages the events are about; None: a new one.
        host: Where the adapter is looked for; None: all that is installed.

    Attributes:
        settings: What a receiver is configured with to take them, as `WebhookReceiver.from_config` does.
        emulator: The provider itself.
    """

    def __init__(
        self, provider: str, *, emulator: Emulator | None = None, host: PluginHost | None = None
    ) -> None:
        self._host = PluginHost.default() if host is None else host
        self.emulator = Providers().emulator(provider, host=self._host) if emulator is None else emulator
        self.settings: Mapping[str, Any] = {"provider": provider, **self.emulator.settings(API)}
        for kind in EndpointKind:
            self.emulator.subscribe(kind, f"{ENDPOINTS}/{kind.value}")

    def send(self, **fields: Any) -> SendResult:
        """
        Let the provider take a mail, for its id.

        Args:
            fields: Of the `Message`; those left out are made up.
        """
        made_up = {"from_": "sender@example.com", "to": "recipient@example.net", "text": "Hello."}
        message = Message(**{**made_up, **fields}).resolve()
        now = utc_now()
        context = Context(now=now, created=now, unique=uuid.uuid4().hex)
        adapter = self._host.adapter(self.settings, environ={})
        return drive(adapter.send_flow(message, context), self._exchange)

    def event(
        self, event: str, *, message_id: str | None = None, recipient: str = "recipient@example.net"
    ) -> WebhookRequest:
        """
        Return the webhook by which the provider reports an event.

        Args:
            event: The provider's own word, such as "delivered".
            message_id: The id of a mail that this provider took: from `send`, or from the outbox these
                deliveries belong to. None: a mail to `recipient` is taken first.

        Raises:
            ValueError: There is no such mail, or no such event.
        """
        if message_id is None:
            result = self.send(to=recipient)
            message_id = result.message_id or result.message_ids[0]
        self._due()  # what happened before is not asked for
        self.emulator.act(message_id, event, utc_now())
        return self._made(EndpointKind.TRACKING)

    def inbound(self, *, raw: bytes | None = None, **fields: Any) -> WebhookRequest:
        """
        Return the webhook by which the provider passes a mail on.

        Args:
            raw: The mail as MIME; None: it is written from `fields`.
            fields: Of the `Message` that somebody sent you; those left out are made up.
        """
        if raw is None:
            raw = _mime({"from_": "writer@example.net", "to": "inbox@example.com", "text": "Hi.", **fields})
        elif fields:
            raise TypeError("Give the mail as raw, or its fields, not both.")
        self._due()
        self.emulator.receive(raw, utc_now())
        return self._made(EndpointKind.INBOUND)

    def forged(self, request: WebhookRequest) -> WebhookRequest:
        """
        Return a webhook with its proof broken: a change that a receiver with these settings refuses.

        Raises:
            AssertionError: Every change is taken for genuine, so these settings prove nothing.
        """
        transport = RecordingTransport(self._exchange)
        receiver = WebhookReceiver.from_config(
            self.settings, environ={}, host=self._host, transport=transport
        )
        for changed in _changes(request):
            try:
                receiver.verify(changed)
            except WebhookRejected:
                return changed
        raise AssertionError(f"A receiver with the settings of {receiver.provider} takes every forgery.")

    def _exchange(self, request: Any) -> Any:
        return answered(self.emulator, request)

    def _due(self) -> list[tuple[EndpointKind, WebhookRequest]]:
        """Take every webhook that is to be made now."""
        taken = []
        for delivery in self.emulator.due(utc_now()):
            self.emulator.answered(delivery.delivery_id, 200, utc_now())
            made = delivery.request
            headers = [
                (name, text.reveal() if isinstance(text, Secret) else text) for name, text in made.headers
            ]
            body = made.body if isinstance(made.body, bytes) else b"".join(made.body)
            request = WebhookRequest(method=made.method, url=made.url, headers=headers, body=body)
            taken.append((delivery.kind, request))
        return taken

    def _made(self, kind: EndpointKind) -> WebhookRequest:
        found = [request for made, request in self._due() if made is kind]
        if not found:
            raise LookupError(f"The provider makes no {kind.value} webhook of that.")
        return found[0]


def _mime(fields: Mapping[str, Any]) -> bytes:
    from mailcore._mime.writer import MimeBody

    body = MimeBody(Message(**fields).resolve(), created=utc_now(), unique=uuid.uuid4().hex)
    return b"".join(body)


def _changes(request: WebhookRequest) -> Iterator[WebhookRequest]:
    """Yield the request with one thing changed: a header that may be the proof, or the body."""
    for index, (name, text) in enumerate(request.headers.pairs):
        if name.lower() not in PLAIN:
            pairs = list(request.headers.pairs)
            pairs[index] = (name, _changed(text))
            yield attrs.evolve(request, headers=pairs)
    yield attrs.evolve(request, body=request.body + b" ")


def _changed(text: str) -> str:
    """Return a text of the same length with its first letter or digit changed."""
    for index, character in enumerate(text):
        if character.isalnum():
            return f"{text[:index]}{'A' if character != 'A' else 'B'}{text[index + 1 :]}"
    return f"{text}A"
