"""Adapter ⇄ emulator, two readings of one documentation, without a socket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from mailcore import (
    Attachment,
    AuthenticationFailed,
    EndpointKind,
    InboundMessage,
    Mailer,
    MaybeSent,
    Message,
    RateLimited,
    RecipientRejected,
    SenderRejected,
    SendError,
    TrackingEvent,
    WebhookReceiver,
    WebhookRequest,
)
from mailcore.testing import RecordingTransport
from mailcore_mailgun.emulator import Fault, MailgunEmulator

BASE: dict[str, Any] = {"from_": "Ada <ada@example.com>", "to": "bob@example.com", "text": "Hello"}


class Bench:
    """A mailer, a receiver and the emulator between them."""

    def __init__(
        self, make_mailer: Callable[..., Mailer], make_receiver: Callable[..., WebhookReceiver]
    ) -> None:
        self.emulator = MailgunEmulator()
        self.events: list[TrackingEvent] = []
        self.mails: list[InboundMessage] = []
        for kind in EndpointKind:
            self.emulator.subscribe(kind, f"https://hooks.example.org/{kind.value}")
        transport = RecordingTransport(lambda request: self.emulator.handle(request, self.now))
        self.mailer = make_mailer(transport, api_key=self.emulator.api_key)
        self.receiver = make_receiver(
            webhook_key=self.emulator.signing_key, on_event=self.events.append, on_inbound=self.mails.append
        )

    @property
    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC)

    def deliver(self) -> list[int]:
        """Make every webhook that is due, and return how each was answered."""
        statuses = []
        for made in self.emulator.due(self.now):
            request = WebhookRequest(headers=made.request.headers, body=bytes(made.request.body))
            statuses.append(self.receiver.receive(request, kind=made.kind).status)
            self.emulator.answered(made.delivery_id, statuses[-1], self.now)
        return statuses


@pytest.fixture
def bench(make_mailer: Callable[..., Mailer], make_receiver: Callable[..., WebhookReceiver]) -> Bench:
    """Return a bench."""
    return Bench(make_mailer, make_receiver)


def test_life_of_a_mail(bench: Bench) -> None:
    """Each event is of the mail that was sent, with its tags and metadata."""
    result = bench.mailer.send(Message(**BASE, tags="t", metadata={"order": 17}))
    words = ["delivered", "opened", "clicked", "temporary_fail", "failed", "complained", "unsubscribed"]
    for word in words:
        bench.emulator.act(result.message_id or "", word, bench.now)
    assert set(bench.deliver()) == {200}
    assert [event.event_type.value for event in bench.events] == [
        *("queued", "delivered", "opened", "clicked", "deferred", "bounced", "complained", "unsubscribed"),
    ]
    assert {event.message_id for event in bench.events} == {result.message_id}
    assert {event.tags for event in bench.events} == {("t",)}
    assert all(event.metadata == {"order": "17"} for event in bench.events)
    assert len({event.event_id for event in bench.events}) == len(bench.events)


def test_batch(bench: Bench) -> None:
    """Each recipient reads its own values, and its events have them."""
    message = Message(
        **{**BASE, "to": ["bob@example.com", "eve@example.com"], "text": "%recipient.n%"},
        merge_data={"bob@example.com": {"n": "Bob"}, "eve@example.com": {"n": "Eve"}},
        merge_metadata={"bob@example.com": {"row": 1}},
        metadata={"row": 0},
    )
    bench.mailer.send(message)
    bench.deliver()
    (mail,) = bench.emulator.sent
    assert [mail.personal(mail.field("text"), box.address) for box in mail.recipients] == ["Bob", "Eve"]
    assert [event.metadata["row"] for event in bench.events] == ["1", "0"]


def test_mime(bench: Bench) -> None:
    """A mail that goes as MIME reaches all its recipients, and says what it is."""
    image = Attachment(content=b"\x89PNG", filename="company.png", content_id="logo")
    bench.mailer.send(
        Message(
            **BASE, subject="Grüße", bcc="hidden@example.com", html="<img src='cid:logo'>", attachments=image
        )
    )
    (mail,) = bench.emulator.sent
    assert (mail.subject, len(mail.recipients)) == ("Grüße", 2)
    found = InboundMessage(raw=mail.mime)
    assert (found.content_id_map["logo"].filename, found.bcc) == ("company.png", ())


@pytest.mark.parametrize(
    "change, error",
    [
        ({"api_key": "other"}, AuthenticationFailed),
        ({"domain": "other.example"}, SenderRejected),
    ],
)
def test_refused(
    bench: Bench, make_mailer: Callable[..., Mailer], change: dict[str, Any], error: type[SendError]
) -> None:
    """Settings that are wrong are told so."""
    transport = RecordingTransport(lambda request: bench.emulator.handle(request, bench.now))
    with pytest.raises(error):
        make_mailer(transport, **{"api_key": bench.emulator.api_key, **change}).send(Message(**BASE))


def test_bad_recipient(bench: Bench) -> None:
    """An address that Mailgun does not take is blamed by its field."""
    with pytest.raises(RecipientRejected) as error:
        bench.mailer.send(Message(**{**BASE, "cc": "bob@localhost"}))
    assert list(error.value.fields) == ["cc"]


@pytest.mark.parametrize(
    "fault, error", [(Fault.RATE_LIMITED, RateLimited), (Fault.ERROR_AFTER_QUEUEING, MaybeSent)]
)
def test_faults(bench: Bench, fault: Fault, error: type[SendError]) -> None:
    """A failure after queueing is never taken for a mail that was not sent."""
    bench.emulator.inject(fault)
    with pytest.raises(error):
        bench.mailer.send(Message(**BASE))


@pytest.mark.parametrize("path", ["inbound", "inbound/mime"])
def test_incoming(bench: Bench, path: str) -> None:
    """Both forms of a mail with files read the same."""
    message = Message(
        from_="Ëve <eve@example.net>", to="desk@example.com", subject="Grüße", text="Hällo",
        html="<p>Hällo</p>",
        attachments=Attachment(content=bytes(range(256)), filename="naïve.bin"),
    )  # fmt: skip
    bench.emulator.subscribe(EndpointKind.INBOUND, f"https://hooks.example.org/{path}")
    bench.emulator.receive(message.to_email().as_bytes(), bench.now)
    assert bench.deliver() == [200]
    (mail,) = bench.mails
    assert (mail.subject, mail.from_[0].display_name, mail.envelope_sender) == (
        "Grüße",
        "Ëve",
        "eve@example.net",
    )
    assert ((mail.text or "").strip(), mail.attachments[0].content) == ("Hällo", bytes(range(256)))
    assert (mail.attachments[0].original_filename, mail.raw is not None) == (
        "naïve.bin",
        path.endswith("mime"),
    )


def test_old_keys(bench: Bench, make_receiver: Callable[..., WebhookReceiver]) -> None:
    """While a key is changed, both verify."""
    bench.receiver = make_receiver(
        webhook_key=["new-key", bench.emulator.signing_key], on_event=bench.events.append
    )
    bench.mailer.send(Message(**BASE))
    bench.emulator.signing_key = "new-key"
    bench.mailer.send(Message(**BASE))
    bench.deliver()
    assert [event.verified_by and event.verified_by.key for event in bench.events] == ["key 2", "key 1"]
