"""Adapter ⇄ emulator, two authors' readings of one documentation: flows driven by hand, no socket."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailcore import (
    AccountProblem,
    Address,
    Attachment,
    AuthenticationFailed,
    Context,
    EndpointKind,
    EventType,
    HttpRequest,
    InProgress,
    Mailer,
    MaybeSent,
    Message,
    RateLimited,
    RecipientRejected,
    Rejected,
    SenderRejected,
    SendError,
    SendResult,
    TrackingEvent,
    WebhookReceiver,
    WebhookRequest,
)
from mailcore.testing import RecordingTransport
from mailcore_mailpace._adapter import MailPaceAdapter
from mailcore_mailpace._options import MailPaceOptions
from mailcore_mailpace.emulator import AccountProblem as EmulatedProblem
from mailcore_mailpace.emulator import Fault, Mailbox, MailPaceEmulator

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
MINIMAL: dict[str, Any] = {"from_": "ada@example.com", "to": "bob@example.com", "text": "Hello"}
TRACKING = EndpointKind.TRACKING
ENDPOINT = "https://example.org/mailpace/tracking/"


def send(
    emulator: MailPaceEmulator,
    message: Message,
    *,
    key: str | None = None,
    now: datetime = NOW,
    token: str | None = "",
) -> SendResult:
    """Drive the adapter's flow by hand, with the emulator as the wire; None sends no token."""
    options = MailPaceOptions(api_key=emulator.token if token == "" else token)
    context = Context(now=now, created=now, unique="0" * 32, idempotency_key=key)
    flow = MailPaceAdapter(options).send_flow(message.resolve(), context)
    request = next(flow)
    assert isinstance(request, HttpRequest)
    with pytest.raises(StopIteration) as end:
        flow.send(emulator.handle(request, now))
    assert isinstance(end.value.value, SendResult)
    return end.value.value


def receive(emulator: MailPaceEmulator, receiver: WebhookReceiver, now: datetime) -> list[int]:
    """Make every webhook that is due, and return how each was answered."""
    statuses = []
    for made in emulator.due(now):
        assert isinstance(made.request.body, bytes)
        headers = [(name, str(value)) for name, value in made.request.headers]
        request = WebhookRequest(url=made.request.url, headers=headers, body=made.request.body)
        statuses.append(receiver.receive(request, kind=made.kind).status)
        emulator.answered(made.delivery_id, statuses[-1], now)
    return statuses


def mailbox(address: Address) -> Mailbox:
    """Return an address as the emulator tells it."""
    return Mailbox(address.display_name, address.ascii_spec)


@pytest.fixture
def emulator() -> MailPaceEmulator:
    """Return MailPace with an endpoint for events."""
    pytest.importorskip("nacl")
    emulator = MailPaceEmulator()
    emulator.subscribe(TRACKING, ENDPOINT)
    return emulator


@pytest.fixture
def events() -> list[TrackingEvent]:
    """Return a list for the events that come."""
    return []


@pytest.fixture
def receiver(
    emulator: MailPaceEmulator,
    events: list[TrackingEvent],
    make_receiver: Callable[..., WebhookReceiver],
) -> WebhookReceiver:
    """Return a receiver with the emulator's public key."""
    return make_receiver(webhook_key=emulator.webhook_public_key, on_event=events.append)


class TestSend:
    """What MailPace holds after a send is what was meant."""

    @pytest.mark.rule("MP-S4", "MP-C2", "MP-C7", "MP-C8", "MP-S5")
    def test_every_field_arrives(self, emulator: MailPaceEmulator) -> None:
        """A mail with all there is: nothing is lost, ignored or empty."""
        message = Message(
            from_=Address("ada@example.com", "Lovelace, Ada"),
            to=["bob@example.com", Address("eve@bücher.example", "Eve")],
            cc="cy@example.com",
            bcc=["di@example.com", "ed@example.com"],
            reply_to="office@example.com",
            subject="Grüße",
            text="Hallo",
            html='<p>Hallo <img src="cid:logo"></p>',
            in_reply_to="<a@example.com>",
            references=["<x@example.com>", "<a@example.com>"],
            list_unsubscribe=["https://example.com/u", "mailto:u@example.com"],
            tags=["welcome", "new, users"],
            attachments=[
                Attachment(content=b"\x89PNG", filename="logo.png", content_id="logo"),
                Attachment(content=bytes(range(256)), filename="Übersicht.pdf"),
            ],
        )
        result = send(emulator, message, key="k-1")
        (mail,) = emulator.sent

        assert (result.message_id, mail.idempotency_key) == ("1", "k-1")
        assert (mail.ignored_fields, mail.empty_fields) == ((), ())
        assert mail.from_ == Mailbox("Lovelace, Ada", "ada@example.com")
        assert mail.to == (Mailbox("", "bob@example.com"), Mailbox("Eve", "eve@xn--bcher-kva.example"))
        assert [box.address for box in mail.cc] == ["cy@example.com"]
        assert [box.address for box in mail.bcc] == ["di@example.com", "ed@example.com"]
        assert mail.tags == ("welcome", "new, users")
        assert [(item.name, item.content, item.inline) for item in mail.attachments] == [
            ("logo.png", b"\x89PNG", True),
            ("Übersicht.pdf", bytes(range(256)), False),
        ]
        assert mail.payload["references"] == "<x@example.com> <a@example.com>"

    @pytest.mark.rule("MP-C3", "MP-C4", "MP-C6")
    @pytest.mark.parametrize("seed", range(50))
    def test_any_names_and_files_arrive(self, seed: int, emulator: MailPaceEmulator) -> None:
        """Random names, orders and bytes; another parser finds the same people in the same order."""
        chance = random.Random(seed)
        signs = "aB7 .,;:<>@()[]\"\\'`|?=_-éß你😀"

        def person() -> Address:
            name = "".join(chance.choices(signs, k=chance.randrange(12)))
            return Address(f"u{chance.randrange(10**6)}@example.com", " ".join(name.split()))

        def people(least: int) -> list[Address]:
            return [person() for _ in range(chance.randrange(least, 6))]

        message = Message(
            from_=person(),
            to=people(1),
            cc=people(0),
            bcc=people(0),
            text="Hello",
            attachments=[
                Attachment(content=chance.randbytes(chance.randrange(5000)), filename=f"{number}.txt")
                for number in range(chance.randrange(4))
            ],
        )
        result = send(emulator, message)
        (mail,) = emulator.sent

        assert mail.from_ == mailbox(message.from_[0])
        for found, meant in ((mail.to, message.to), (mail.cc, message.cc), (mail.bcc, message.bcc)):
            assert list(found) == [mailbox(address) for address in meant]
        assert [item.content for item in mail.attachments] == [item.content for item in message.attachments]
        assert list(result.recipients) == list(dict.fromkeys(item.addr_spec for item in message.recipients))


def _foreign(emulator: MailPaceEmulator) -> Message:
    return Message(**{**MINIMAL, "from_": "ada@elsewhere.example"})


def _stopped(problem: EmulatedProblem) -> Callable[[MailPaceEmulator], Message]:
    def prepare(emulator: MailPaceEmulator) -> Message:
        emulator.account_problem = problem
        return Message(**MINIMAL)

    return prepare


def _bounced(emulator: MailPaceEmulator) -> Message:
    result = send(emulator, Message(**MINIMAL))
    assert result.message_id is not None
    emulator.act(result.message_id, "bounced", NOW)
    return Message(**{**MINIMAL, "to": ["new@example.com", "bob@example.com"]})


def _failing(fault: Fault) -> Callable[[MailPaceEmulator], Message]:
    def prepare(emulator: MailPaceEmulator) -> Message:
        emulator.inject(fault)
        return Message(**MINIMAL)

    return prepare


def _with(**fields: Any) -> Callable[[MailPaceEmulator], Message]:
    return lambda _: Message(**{**MINIMAL, **fields})


class TestRefusals:
    """What MailPace refuses is said in the common vocabulary."""

    @pytest.mark.parametrize(
        "prepare, expected",
        [
            pytest.param(_foreign, SenderRejected, marks=pytest.mark.rule("MP-R8")),
            pytest.param(_bounced, RecipientRejected, marks=pytest.mark.rule("MP-R4")),
            pytest.param(
                _with(to=[f"u{number}@example.com" for number in range(51)]),
                RecipientRejected,
                marks=pytest.mark.rule("MP-R4"),
            ),
            pytest.param(
                _with(attachments=Attachment(content=b"x", filename="a.exe")),
                Rejected,
                marks=pytest.mark.rule("MP-R5"),
            ),
            *(
                pytest.param(_stopped(problem), AccountProblem, marks=pytest.mark.rule("MP-R7"))
                for problem in EmulatedProblem
            ),
            pytest.param(_failing(Fault.RATE_LIMITED), RateLimited, marks=pytest.mark.rule("MP-R10")),
            pytest.param(_failing(Fault.ERROR_BEFORE_QUEUEING), MaybeSent, marks=pytest.mark.rule("MP-R11")),
            pytest.param(_failing(Fault.ERROR_AFTER_QUEUEING), MaybeSent, marks=pytest.mark.rule("MP-R11")),
            pytest.param(_failing(Fault.EDGE_BEFORE_QUEUEING), MaybeSent, marks=pytest.mark.rule("MP-R11")),
            pytest.param(_failing(Fault.EDGE_AFTER_QUEUEING), MaybeSent, marks=pytest.mark.rule("MP-R11")),
        ],
    )
    def test_has_its_error(
        self,
        prepare: Callable[[MailPaceEmulator], Message],
        expected: type[SendError],
        emulator: MailPaceEmulator,
    ) -> None:
        """Each refusal the emulator knows."""
        message = prepare(emulator)
        with pytest.raises(SendError) as caught:
            send(emulator, message)

        assert type(caught.value) is expected

    @pytest.mark.rule("MP-R2", "MP-R6")
    @pytest.mark.parametrize("token, status", [("another-token", 400), (None, 401)])
    def test_a_token_that_is_wrong_or_missing(
        self, token: str | None, status: int, emulator: MailPaceEmulator
    ) -> None:
        """Both are the account's problem, though MailPace answers a wrong token with 400."""
        with pytest.raises(AuthenticationFailed) as caught:
            send(emulator, Message(**MINIMAL), token=token)

        assert caught.value.response is not None
        assert (caught.value.response.status, emulator.sent) == (status, [])


class TestIdempotency:
    """The same key twice is one mail."""

    @pytest.mark.rule("MP-S3", "MP-C12")
    @pytest.mark.parametrize("fault", [Fault.ERROR_AFTER_QUEUEING, Fault.EDGE_AFTER_QUEUEING])
    def test_an_unknown_outcome_is_resolved_by_its_key(
        self, fault: Fault, emulator: MailPaceEmulator, make_mailer: Callable[..., Mailer]
    ) -> None:
        """The answer was lost after the mail was queued: sent again with the key, it is not sent twice."""
        mailer = make_mailer(
            RecordingTransport(lambda request: emulator.handle(request, NOW)), api_key=emulator.token
        )
        emulator.inject(fault)
        message = Message(**MINIMAL)
        with pytest.raises(MaybeSent) as caught:
            mailer.send(message)
        again = mailer.send(message, idempotency_key=caught.value.idempotency_key)

        assert caught.value.retriable
        assert (again.message_id, len(emulator.sent)) == ("1", 1)

    @pytest.mark.rule("MP-S3")
    @pytest.mark.parametrize("fault", [Fault.ERROR_BEFORE_QUEUEING, Fault.CONFLICT, Fault.RATE_LIMITED])
    def test_the_repeat_sends_what_was_not_queued(self, fault: Fault, emulator: MailPaceEmulator) -> None:
        """Where the first request queued nothing, the second one does."""
        emulator.inject(fault)
        with pytest.raises(SendError) as caught:
            send(emulator, Message(**MINIMAL), key="k")
        send(emulator, Message(**MINIMAL), key="k")

        assert caught.value.retriable
        assert len(emulator.sent) == 1

    @pytest.mark.rule("MP-S3")
    def test_a_conflict_is_retried_with_the_same_key(self, emulator: MailPaceEmulator) -> None:
        """Nobody can tell how the other request ends; only the same key is safe."""
        emulator.inject(Fault.CONFLICT)
        with pytest.raises(InProgress) as caught:
            send(emulator, Message(**MINIMAL), key="k")

        assert caught.value.retriable

    @pytest.mark.rule("MP-S3")
    def test_a_refused_mail_may_be_mended_under_its_key(self, emulator: MailPaceEmulator) -> None:
        """Errors are not stored: after a refusal the key is as new."""
        with pytest.raises(SenderRejected):
            send(emulator, _foreign(emulator), key="k")

        assert send(emulator, Message(**MINIMAL), key="k").message_id == "1"

    @pytest.mark.rule("MP-C12")
    def test_two_mails_are_two(self, emulator: MailPaceEmulator, make_mailer: Callable[..., Mailer]) -> None:
        """Equal content without a key of the caller's is sent as often as it is asked for."""
        transport = RecordingTransport(lambda request: emulator.handle(request, NOW))
        mailer = make_mailer(transport, api_key=emulator.token)
        ids = [mailer.send(Message(**MINIMAL)).message_id for _ in range(3)]

        assert ids == ["1", "2", "3"]

    @pytest.mark.rule("MP-S3")
    def test_a_key_is_forgotten_after_a_day(self, emulator: MailPaceEmulator) -> None:
        """Then the same key sends again: resolve an unknown outcome before that."""
        sent = [
            send(emulator, Message(**MINIMAL), key="k", now=NOW + timedelta(hours=hours)).message_id
            for hours in (0, 23, 25)
        ]

        assert sent == ["1", "1", "2"]


class TestEvents:
    """What happens to a mail is told about the mail that was sent."""

    @pytest.mark.rule("MP-C14", "MP-C15", "MP-C16", "MP-W1")
    def test_a_life_of_a_mail(
        self, emulator: MailPaceEmulator, receiver: WebhookReceiver, events: list[TrackingEvent]
    ) -> None:
        """Each event names the mail by the id of the send, its own time and its own id."""
        result = send(emulator, Message(**MINIMAL, tags=["welcome"]))
        assert result.message_id is not None
        moments = [NOW + timedelta(minutes=10 * number) for number in range(4)]
        statuses: list[int] = receive(emulator, receiver, NOW)
        for word, moment in zip(("deferred", "deferred", "delivered"), moments[1:], strict=True):
            emulator.act(result.message_id, word, moment)
            statuses += receive(emulator, receiver, moment)

        assert statuses == [200] * 4
        assert [event.event_type for event in events] == [
            EventType.QUEUED,
            EventType.DEFERRED,
            EventType.DEFERRED,
            EventType.DELIVERED,
        ]
        assert {event.message_id for event in events} == {result.message_id}
        assert [event.timestamp for event in events] == moments
        assert len({event.event_id for event in events}) == 4
        assert {event.tags for event in events} == {("welcome",)}
        assert {event.rfc_message_id for event in events} == {emulator.sent[0].message_id}

    @pytest.mark.rule("MP-W4")
    def test_one_event_for_all_recipients(
        self, emulator: MailPaceEmulator, receiver: WebhookReceiver, events: list[TrackingEvent]
    ) -> None:
        """Several recipients share their events; what became of each is not known."""
        names = ["Lovelace, Ada <ada@example.com>", "bob@example.com"]
        to: Sequence[Any] = [Address("ada@example.com", "Lovelace, Ada"), names[1]]
        send(emulator, Message(**{**MINIMAL, "to": to}, cc="cy@example.com", bcc="di@example.com"))
        receive(emulator, receiver, NOW)
        (event,) = events

        assert (event.scope, event.recipients) == ("message", ("ada@example.com", "bob@example.com"))

    @pytest.mark.rule("MP-W5")
    @pytest.mark.parametrize("word", ["opened", "clicked", "complained", "something new", "x" * 200])
    def test_no_event_turns_the_endpoint_off(
        self, word: str, emulator: MailPaceEmulator, receiver: WebhookReceiver, events: list[TrackingEvent]
    ) -> None:
        """Events of a later day come in like any other, and the next one does too."""
        send(emulator, Message(**MINIMAL))
        emulator.act("1", word, NOW)
        emulator.act("1", "delivered", NOW + timedelta(seconds=1))
        receive(emulator, receiver, NOW + timedelta(seconds=1))

        assert not emulator.endpoint_disabled
        assert [event.event_type for event in events] == [
            EventType.QUEUED,
            EventType.UNKNOWN,
            EventType.DELIVERED,
        ]

    @pytest.mark.rule("MP-W5")
    def test_a_wrong_key_turns_it_off(
        self, emulator: MailPaceEmulator, make_receiver: Callable[..., WebhookReceiver]
    ) -> None:
        """The one mistake nobody can be spared: what cannot be verified is not acknowledged."""
        other = MailPaceEmulator(signing_seed=bytes(32)).webhook_public_key
        receiver = make_receiver(webhook_key=other, on_event=print)
        send(emulator, Message(**MINIMAL))

        assert receive(emulator, receiver, NOW) == [401]
        assert emulator.endpoint_disabled

    @pytest.mark.rule("MP-W7")
    def test_user_and_password_come_from_the_endpoints_address(
        self, events: list[TrackingEvent], make_receiver: Callable[..., WebhookReceiver]
    ) -> None:
        """`https://user:password@host/` is sent as basic auth, and both proofs hold together."""
        pytest.importorskip("nacl")
        emulator = MailPaceEmulator()
        emulator.subscribe(TRACKING, "https://hook:s3cret%21@example.org/mailpace/tracking/")
        send(emulator, Message(**MINIMAL))
        receiver = make_receiver(
            webhook_secret="hook:s3cret!",
            webhook_key=emulator.webhook_public_key,
            on_event=events.append,
        )

        assert (receive(emulator, receiver, NOW), len(events)) == ([200], 1)
