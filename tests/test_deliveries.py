"""Webhooks made for a test are the provider's own: genuine, or forged where that is asked for."""

from __future__ import annotations

from typing import Any

import pytest

import mailcore.providers
import mailcore_mailpace
from mailcore import (
    Attachment,
    ConfigurationError,
    Disposition,
    EndpointKind,
    Mailer,
    Message,
    PluginHost,
    WebhookReceiver,
    WebhookRejected,
    WebhookRequest,
)
from mailcore.testing import Deliveries, captured, deliveries

pytest.importorskip("nacl", reason="PyNaCl is not installed")


@pytest.fixture
def host() -> PluginHost:
    """Return a host with MailPace and the built-in providers."""
    return PluginHost({"builtin": mailcore.providers, "mailpace": mailcore_mailpace}, installed=False)


@pytest.fixture
def made(host: PluginHost) -> Deliveries:
    """Return what makes MailPace's webhooks."""
    return deliveries("mailpace", host=host)


def received(made: Deliveries, host: PluginHost, request: WebhookRequest, kind: str) -> list[Any]:
    """Return what a receiver with the settings finds in a webhook that it must take."""
    found: list[Any] = []
    receiver = WebhookReceiver.from_config(
        made.settings, on_event=found.append, on_inbound=found.append, environ={}, host=host
    )
    assert receiver.receive(request, kind=kind).status == 200
    assert not receiver.quarantined
    return found


class TestEvents:
    """What happened to a mail."""

    @pytest.mark.parametrize("word", ["delivered", "deferred", "bounced", "spam"])
    def test_of_a_mail_made_up(self, word: str, made: Deliveries, host: PluginHost) -> None:
        """One event, of that mail alone, to that recipient."""
        request = made.event(word, recipient="eve@example.net")
        (event,) = received(made, host, request, "tracking")
        assert (event.provider_event, event.message_id) == (f"email.{word}", "1")
        assert event.recipients == ("eve@example.net",)

    def test_of_a_mail_that_was_taken(self, made: Deliveries, host: PluginHost) -> None:
        """The id of `send` leads back to it; another one is refused by name."""
        made.send()
        taken = made.send(to="carol@example.net", tags="receipt").message_id
        (event,) = received(made, host, made.event("delivered", message_id=taken), "tracking")
        assert (event.message_id, event.recipients, event.tags) == ("2", ("carol@example.net",), ("receipt",))
        with pytest.raises(ValueError, match="known ids are 1, 2"):
            made.event("delivered", message_id="7")

    def test_of_a_captured_mail(self, host: PluginHost) -> None:
        """The deliveries of an outbox are about what the program sent, with the settings it has."""
        config = {"provider": "mailpace", "api_key": "mine"}
        with captured() as outbox, Mailer.from_config(config, environ={}, host=host) as mailer:
            mailer.send(Message(from_="a@shop.example", to="x@example.net", text="1"))
            result = mailer.send(Message(from_="a@shop.example", to="y@example.net", text="2"))
            made = outbox.deliveries("mailpace", host=host)
            (event,) = received(made, host, made.event("bounced", message_id=result.message_id), "tracking")
        assert (event.message_id, event.recipients) == ("2", ("y@example.net",))
        assert len(outbox) == 2


class TestInbound:
    """Mail from the outside."""

    def test_of_fields(self, made: Deliveries, host: PluginHost) -> None:
        """A mail of these fields, attachments and all."""
        file = Attachment(content=b"a,b\n", filename="list.csv")
        request = made.inbound(
            from_="Eve <eve@example.net>", to="help@example.com", subject="Grüße", text="Hi", attachments=file
        )
        (mail,) = received(made, host, request, "inbound")
        assert (str(mail.from_[0]), mail.subject, mail.text.strip()) == (
            "Eve <eve@example.net>",
            "Grüße",
            "Hi",
        )
        assert [(each.filename, each.content) for each in mail.attachments] == [("list.csv", b"a,b\n")]

    def test_of_raw_mime(self, made: Deliveries, host: PluginHost) -> None:
        """Bytes of one's own arrive as they are; fields beside them make no sense."""
        raw = b"From: x@example.net\r\nTo: help@example.com\r\nSubject: =?broken\r\n\r\nHi\r\n"
        (mail,) = received(made, host, made.inbound(raw=raw), "inbound")
        assert mail.subject == "=?broken"
        with pytest.raises(TypeError, match="not both"):
            made.inbound(raw=raw, subject="Hi")


class TestForged:
    """Proofs that are broken."""

    @pytest.mark.parametrize("kind", EndpointKind)
    def test_is_refused(self, kind: EndpointKind, made: Deliveries, host: PluginHost) -> None:
        """The same webhook, but a receiver takes it for nobody's."""
        genuine = made.event("delivered") if kind is EndpointKind.TRACKING else made.inbound()
        forged = made.forged(genuine)
        assert (forged.body, set(forged.headers)) == (genuine.body, set(genuine.headers))
        receiver = WebhookReceiver.from_config(made.settings, environ={}, host=host)
        assert receiver.verify(genuine, kind=kind)
        with pytest.raises(WebhookRejected) as caught:
            receiver.verify(forged, kind=kind)
        assert caught.value.disposition is Disposition.UNAUTHENTICATED

    def test_where_nothing_is_proved(self, made: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
        """A receiver that takes anything is found out."""
        genuine = made.event("delivered")
        monkeypatch.setattr("mailcore._receiver.WebhookReceiver.verify", lambda self, request: request)
        with pytest.raises(AssertionError, match="mailpace takes every forgery"):
            made.forged(genuine)


def test_without_an_emulator(host: PluginHost) -> None:
    """A provider whose adapter ships none makes no webhooks here."""
    with pytest.raises(ConfigurationError, match="'memory' ships no emulator"):
        deliveries("memory", host=host)
