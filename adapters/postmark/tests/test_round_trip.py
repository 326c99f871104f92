"""Adapter ⇄ emulator, two readings of one documentation: no socket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from mailcore import (
    AccountProblem,
    Attachment,
    EndpointKind,
    InboundMessage,
    Mailer,
    MaybeSent,
    Message,
    RateLimited,
    RecipientRejected,
    Rejected,
    SenderRejected,
    SendError,
    SendStatus,
    ServiceUnavailable,
    TrackingEvent,
    WebhookReceiver,
    WebhookRequest,
)
from mailcore.testing import RecordingTransport
from mailcore_postmark.emulator import AccountProblem as EmulatedProblem
from mailcore_postmark.emulator import Fault, PostmarkEmulator

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
PLAIN: dict[str, Any] = {
    "from_": "ada@example.com",
    "to": "bob@example.com",
    "subject": "Hi",
    "text": "Hello",
}


@pytest.fixture
def emulator() -> PostmarkEmulator:
    """Return Postmark with an endpoint of each kind."""
    emulator = PostmarkEmulator(raw_email=True)
    for kind in EndpointKind:
        emulator.subscribe(kind, "https://postmark:secret@hooks.example.org/x")
    return emulator


@pytest.fixture
def mailer(emulator: PostmarkEmulator, make_mailer: Callable[..., Mailer]) -> Mailer:
    """Return a mailer whose wire is the emulator."""
    transport = RecordingTransport(lambda request: emulator.handle(request, NOW))
    return make_mailer(transport, server_token=emulator.token)


def receive(emulator: PostmarkEmulator, receiver: WebhookReceiver, *, status: int | None = None) -> list[int]:
    """Make every webhook that is due, and return how each was answered."""
    statuses = []
    for made in emulator.due(NOW):
        assert isinstance(made.request.body, bytes)
        headers = [(name, str(value)) for name, value in made.request.headers]
        request = WebhookRequest(headers=headers, body=made.request.body)
        statuses.append(receiver.receive(request, kind=made.kind).status)
        emulator.answered(made.delivery_id, status or statuses[-1], NOW)
    return statuses


class TestSending:
    """What is sent is what arrives."""

    def test_all_fields(self, mailer: Mailer, emulator: PostmarkEmulator) -> None:
        """Nothing that the adapter writes is unknown to Postmark."""
        file = Attachment(content=bytes(range(256)), filename="all.bin")
        image = Attachment(content=b"png", filename="a.png", content_id="a@example.com", inline=True)
        mailer.send(
            Message(
                **PLAIN,
                html="<img src='cid:a@example.com'>",
                cc='"Widgets, GmbH" <w@example.com>',
                bcc="b@example.com",
                reply_to=["r@example.com", "Grüße <s@example.com>"],
                attachments=[file, image],
                tags="t",
                metadata={"a": "b", "n": 7},
                headers={"X-A": "1"},
                references=["<a@b.example>"],
                list_unsubscribe="https://example.com/leave",
                track_opens=False,
                track_clicks=True,
            )
        )
        [sent] = emulator.sent

        assert sent.ignored_fields == ()
        assert sent.cc == (("Widgets, GmbH", "w@example.com"),)
        assert [(one.content, one.content_id) for one in sent.attachments] == [
            (bytes(range(256)), None),
            (b"png", "a@example.com"),
        ]

    @pytest.mark.parametrize(
        "fields, error",
        [
            ({"from_": "ada@example.org"}, SenderRejected),
            ({"to": "bob@localhost"}, RecipientRejected),
            ({"text": None, "attachments": [Attachment(content=b"a", filename="a.txt")]}, Rejected),
        ],
    )
    def test_refusals(self, mailer: Mailer, fields: dict[str, Any], error: type[SendError]) -> None:
        """Each is the error that it means."""
        with pytest.raises(error) as caught:
            mailer.send(Message(**{**PLAIN, **fields}))
        assert type(caught.value) is error

    @pytest.mark.parametrize("problem", EmulatedProblem)
    def test_account(self, mailer: Mailer, emulator: PostmarkEmulator, problem: EmulatedProblem) -> None:
        """So is each problem of the account."""
        emulator.account_problem = problem
        with pytest.raises(AccountProblem) as caught:
            mailer.send(Message(**PLAIN))
        assert caught.value.code == str(problem.value.code)

    @pytest.mark.parametrize(
        "fault, error",
        [
            (Fault.RATE_LIMITED, RateLimited),
            (Fault.MAINTENANCE, ServiceUnavailable),
            (Fault.ERROR_BEFORE_TAKING, MaybeSent),
            (Fault.ERROR_AFTER_TAKING, MaybeSent),
            (Fault.EDGE_AFTER_TAKING, MaybeSent),
        ],
    )
    def test_faults(
        self, mailer: Mailer, emulator: PostmarkEmulator, fault: Fault, error: type[SendError]
    ) -> None:
        """And each fault; whether a mail is out after a 500, nobody can tell."""
        emulator.inject(fault)
        with pytest.raises(error):
            mailer.send(Message(**PLAIN))

    def test_doubt_is_not_repeated(
        self, emulator: PostmarkEmulator, make_mailer: Callable[..., Mailer]
    ) -> None:
        """There is no key: a second attempt could be a second mail."""
        transport = RecordingTransport(lambda request: emulator.handle(request, NOW))
        emulator.inject(Fault.ERROR_AFTER_TAKING)
        with pytest.raises(MaybeSent):
            make_mailer(transport, server_token=emulator.token, max_attempts=4).send(Message(**PLAIN))
        assert len(emulator.sent) == 1

    def test_merge(self, mailer: Mailer, emulator: PostmarkEmulator) -> None:
        """Each recipient gets a mail of its own, and one that is inactive none."""
        emulator.suppress("eve@example.com", NOW)
        to = ["bob@example.com", "Eve@example.com"]
        fields = {**PLAIN, "to": to, "subject": None, "text": None, "template_id": "welcome"}
        result = mailer.send(Message(**fields, merge_data={"bob@example.com": {"name": "Bob"}}))
        [sent] = emulator.sent

        assert sent.payload["TemplateModel"] == {"name": "Bob"}
        assert [row.status for row in result.recipients.values()] == [SendStatus.QUEUED, SendStatus.REJECTED]
        assert result.message_id == sent.message_id

    def test_five_hundred_and_one(self, mailer: Mailer, emulator: PostmarkEmulator) -> None:
        """More than a batch holds are two."""
        outcomes = mailer.send_many([Message(**PLAIN)] * 501, concurrency=1)
        assert [one.unwrap().message_id for one in outcomes] == [one.message_id for one in emulator.sent]


class TestReceiving:
    """What Postmark tells is what the application hears."""

    def test_events(
        self, mailer: Mailer, emulator: PostmarkEmulator, make_receiver: Callable[..., WebhookReceiver]
    ) -> None:
        """The id is that of the send, and repeated events are the same."""
        seen: list[TrackingEvent] = []
        receiver = make_receiver(on_event=seen.append)
        sent = mailer.send(Message(**PLAIN, tags="t", metadata={"n": 7}))
        emulator.act(sent.message_id or "", "HardBounce", NOW)
        assert receive(emulator, receiver, status=503) == [200, 200]
        for made in emulator.due(NOW.replace(minute=1)):
            assert isinstance(made.request.body, bytes)
            headers = [(name, str(value)) for name, value in made.request.headers]
            receiver.receive(WebhookRequest(headers=headers, body=made.request.body), kind="tracking")

        assert {event.message_id for event in seen} == {sent.message_id}
        assert {(event.tags, event.metadata["n"]) for event in seen} == {(("t",), "7")}
        assert [event.event_type.value for event in seen] == ["bounced"] * 4
        first, second, *again = [event.event_id for event in seen]
        assert first != second
        assert again == [first, second]

    def test_mail(self, emulator: PostmarkEmulator, make_receiver: Callable[..., WebhookReceiver]) -> None:
        """With its source, its envelope and its files."""
        seen: list[InboundMessage] = []
        raw = (
            b"From: Eve <eve@example.net>\r\nTo: desk@in.example.com\r\nSubject: Files\r\n"
            b"MIME-Version: 1.0\r\n"
            b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nHello\r\n--b\r\n'
            b'Content-Type: application/x-y\r\nContent-Disposition: attachment; filename="a.bin"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\nAAEC/w==\r\n--b--\r\n"
        )
        emulator.receive(raw, NOW, sender="", recipient="hidden@in.example.com")
        assert receive(emulator, make_receiver(on_inbound=seen.append)) == [200]
        [mail] = seen

        assert (mail.envelope_sender, mail.envelope_recipients) == ("", ("hidden@in.example.com",))
        assert mail.raw == raw.replace(b"\r\n", b"\n")
        assert [file.content for file in mail.attachments] == [b"\x00\x01\x02\xff"]
        assert [one.addr_spec for one in mail.bcc] == ["hidden@in.example.com"]
