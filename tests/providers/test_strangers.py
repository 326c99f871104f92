"""A webhook of one provider that comes to another's endpoint: refused, with what to change in the log."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import attrs
import pytest

from mailcore import (
    ConfigurationError,
    Disposition,
    EndpointKind,
    Mailer,
    Message,
    PluginHost,
    Secret,
    WebhookReceiver,
    WebhookRejected,
    WebhookRequest,
    hookimpl,
)
from mailcore._spec import load_object
from mailcore.testing import RecordingTransport

#: Provider → its own word for a mail that was delivered.
DELIVERED = {
    "amazon-ses": "Delivery",
    "mailgun": "delivered",
    "mailpace": "email.delivered",
    "postmark": "Delivery",
    "resend": "email.delivered",
}
TITLES = {"amazon-ses": "Amazon SES", "mailpace": "MailPace", "postmark": "Postmark", "resend": "Resend"}
PAIRS = [(sender, endpoint) for sender in DELIVERED for endpoint in DELIVERED if sender != endpoint]
PASSWORD = "hooks:canary-b7f3"
BASIC = ("Authorization", f"Basic {b64encode(PASSWORD.encode()).decode()}")
MAIL = b"From: ada@example.com\r\nTo: in@example.com\r\nSubject: canary-5c1e\r\n\r\nHello\r\n"


class Provider:
    """One emulated provider, with a genuine delivery of each kind."""

    def __init__(self, name: str, host: PluginHost) -> None:
        self.host = host
        emulator = load_object(host.spec(name).emulator)()
        self.transport = RecordingTransport(lambda request: emulator.handle(request, datetime.now(UTC)))
        self.config = {"provider": name, **emulator.settings("http://127.0.0.1:9")}
        for kind in EndpointKind:
            emulator.subscribe(kind, f"http://127.0.0.1:9/{kind.value}")
        mailer = Mailer.from_config(self.config, environ={}, host=host, transport=self.transport)
        sent = mailer.send(Message(from_="ada@example.com", to="bob@example.com", subject="Hi", text="Hi"))
        due: list[Any] = []
        # Some tell that they took a mail, before they tell what became of it.
        emulator.act(sent.message_id, DELIVERED[name], datetime.now(UTC))
        emulator.receive(MAIL, datetime.now(UTC))
        while found := emulator.due(datetime.now(UTC)):
            due += found
            for delivery in found:
                emulator.answered(delivery.delivery_id, 200, datetime.now(UTC))
        self.deliveries = {delivery.kind: _request(delivery.request) for delivery in due}
        assert set(self.deliveries) == set(EndpointKind)

    def receiver(self, *, basic: bool, **arguments: Any) -> WebhookReceiver:
        """Return its receiver: one that verifies signatures, or one that has basic auth alone."""
        proofs = ("webhook_key", "topic_arns") if basic else ()
        config = {name: value for name, value in self.config.items() if name not in proofs}
        if basic or self.config["provider"] == "postmark":
            config["webhook_secret"] = PASSWORD
        return WebhookReceiver.from_config(
            config, environ={}, host=self.host, transport=self.transport, **arguments
        )


def _request(request: Any) -> WebhookRequest:
    headers = [
        (name, value.reveal() if isinstance(value, Secret) else value) for name, value in request.headers
    ]
    return WebhookRequest(url=request.url, headers=headers, body=bytes(request.body))


class Observer:
    """Keep how deliveries ended."""

    def __init__(self) -> None:
        self.ends: list[Disposition] = []

    @hookimpl
    def mailcore_webhook_finished(self, disposition: Disposition) -> None:
        """Keep one."""
        self.ends.append(disposition)


@pytest.fixture(scope="module")
def provider(six: PluginHost) -> Any:
    """Return a function that returns a provider by its name."""
    return cache(lambda name: Provider(name, six))


def advice(sender: str, kind: EndpointKind) -> str:
    """Return what tells whoever reads the log what to change."""
    if sender == "mailgun" or (sender == "postmark" and kind is EndpointKind.INBOUND):
        return "another provider was given this address"  # no header of theirs is documented
    return (
        f"By its headers it is a webhook of {TITLES[sender]}: give that the address of its own endpoint, or "
        f'set provider = "{sender}" for this one.'
    )


@pytest.fixture
def ends(six: PluginHost) -> Iterator[list[Disposition]]:
    """Return what the plugins are told of how deliveries ended."""
    observer = Observer()
    six.add("observer", observer)
    yield observer.ends
    six.remove("observer")


@pytest.mark.parametrize("kind", EndpointKind)
class TestEachPair:
    """Every provider with webhooks at the endpoint of every other."""

    @pytest.mark.parametrize("pair", PAIRS, ids="-".join)
    def test_is_refused(
        self,
        provider: Any,
        ends: list[Disposition],
        caplog: pytest.LogCaptureFixture,
        pair: tuple[str, str],
        kind: EndpointKind,
    ) -> None:
        """The answer tells nothing; the log line, the exception and the hook tell what it was."""
        (sender, endpoint), handled = pair, list[Any]()
        receiver = provider(endpoint).receiver(
            basic=False, on_event=handled.append, on_inbound=handled.append
        )
        request = provider(sender).deliveries[kind]
        answer = receiver.receive(request, kind=kind)
        nonsense = receiver.receive(WebhookRequest(url=request.url, body=b"nonsense"), kind=kind)

        assert (answer.status, handled, list(receiver.quarantined)) == (401, [], [])
        assert answer == nonsense
        assert ends == [Disposition.UNAUTHENTICATED] * 2
        line = caplog.records[0]
        assert line.levelno == logging.WARNING
        assert line.getMessage().startswith(f"A delivery to {endpoint} was refused: ")
        assert advice(sender, kind) in line.getMessage()
        with pytest.raises(WebhookRejected) as caught:
            receiver.verify(request, kind=kind)
        assert line.getMessage().endswith(str(caught.value))
        shown = [value for _, value in request.headers.pairs if len(value) > 8 and value in caplog.text]
        assert (shown, "canary" in caplog.text) == ([], False)

    @pytest.mark.parametrize("pair", PAIRS, ids="-".join)
    def test_with_the_password_is_kept(
        self, provider: Any, caplog: pytest.LogCaptureFixture, pair: tuple[str, str], kind: EndpointKind
    ) -> None:
        """A provider that was given this endpoint's URL, password and all: nothing is handled or lost."""
        (sender, endpoint), handled = pair, list[Any]()
        receiver = provider(endpoint).receiver(basic=True, on_event=handled.append, on_inbound=handled.append)
        request = provider(sender).deliveries[kind]
        with_password = attrs.evolve(request, headers=[*request.headers.pairs, BASIC])

        assert receiver.receive(with_password, kind=kind).status == 200
        assert handled == []
        [kept] = receiver.quarantined
        assert advice(sender, kind) in kept.reason
        assert kept.webhook.request.body == request.body
        assert f"A genuine delivery from {endpoint} is quarantined: {kept.reason}" in caplog.text

    @pytest.mark.parametrize("name", DELIVERED)
    @pytest.mark.parametrize("basic", [False, True])
    def test_its_own_is_handled(self, provider: Any, name: str, basic: bool, kind: EndpointKind) -> None:
        """The same deliveries are good where they belong."""
        handled: list[Any] = []
        receiver = provider(name).receiver(basic=basic, on_event=handled.append, on_inbound=handled.append)
        request = provider(name).deliveries[kind]
        if basic or name == "postmark":
            request = attrs.evolve(request, headers=[*request.headers.pairs, BASIC])
        assert receiver.receive(request, kind=kind).status == 200
        assert [item.provider for item in handled] == [name]


class TestOthers:
    """What is no pair."""

    @pytest.mark.parametrize("name", ["mailpace", "resend"])
    def test_its_own_with_another_key(
        self, provider: Any, caplog: pytest.LogCaptureFixture, name: str
    ) -> None:
        """A right provider with a wrong key is told from a wrong provider."""
        request = provider(name).deliveries[EndpointKind.TRACKING]
        receiver = provider(name).receiver(basic=False)
        receiver.receive(attrs.evolve(request, body=request.body + b" "), kind="tracking")
        assert "It has the right provider's headers: see that the key" in caplog.text

    def test_provider_without_webhooks(self, six: PluginHost, settings: Mapping[str, Any]) -> None:
        """SMTP has none, so there is no endpoint that a webhook could come to by mistake."""
        with pytest.raises(ConfigurationError, match=r"^smtp signs no webhooks\. Give webhook_secret="):
            WebhookReceiver.from_config(settings["smtp"], environ={}, host=six)
