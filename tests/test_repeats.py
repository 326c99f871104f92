"""Repeats as a caller sees them: what goes out again, what is told of it, and what it never becomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from mailcore import (
    Adapter,
    AdapterSpec,
    Attachment,
    Capability,
    Context,
    HttpRequest,
    HttpResponse,
    Idempotency,
    IdempotencyKeyReuse,
    JsonBody,
    Mailer,
    MaybeSent,
    Message,
    Outcome,
    Phase,
    PluginHost,
    RateLimited,
    Rejected,
    SendError,
    SendResult,
    SendStatus,
    Support,
    TransportFailure,
    Unreachable,
    error_for_status,
    hookimpl,
)
from mailcore._fingerprint import KeyBook, fingerprint
from mailcore.testing import RecordingTransport

START = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
MESSAGE = Message(from_="ada@example.com", to="bob@example.com", text="Hello")
OK = HttpResponse(status=200, body=b"{}")
DOWN = HttpResponse(status=503)
LOST = TransportFailure(Phase.SENT, "The answer was lost.")
NO_CONNECTION = TransportFailure(Phase.CONNECTING, "No connection.")


class Fake(Adapter):
    """Puts all it knows of the attempt into the request."""

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        """Return a request that shows the context."""
        body = JsonBody({"unique": ctx.unique, "created": ctx.created.isoformat()})
        headers = [("Idempotency-Key", ctx.idempotency_key or ""), ("Now", ctx.now.isoformat())]
        return HttpRequest(method="POST", url="https://api.example.com", headers=headers, body=body)

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        """Take 200 for a yes."""
        if response.status != 200:
            raise error_for_status(response, now=ctx.now)
        return SendResult.for_all(message, SendStatus.QUEUED, "id-1", raw=response)

    def build_batch(self, messages: Sequence[Message], ctx: Context) -> HttpRequest:
        """Return the same for all of them."""
        return self.build_send(messages[0], ctx)

    def parse_batch(self, messages: Sequence[Message], ctx: Context, response: HttpResponse) -> list[Any]:
        """Give each message the same answer."""
        return [self.parse_send(message, ctx, response) for message in messages]


class NoOptions:
    """Has no settings."""

    __attrs_attrs__ = ()


class World:
    """A clock that goes on when somebody sleeps."""

    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []

    def clock(self) -> datetime:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def make(
    *answers: Any,
    idempotency: Idempotency | None = Idempotency(ttl=86400, max_length=255),  # noqa: B008  # reason: a value
    batch: bool = False,
    capabilities: Mapping[Capability, Support] | None = None,
    **config: Any,
) -> tuple[Mailer, RecordingTransport, World]:
    """Return a mailer of the fake provider, what carries its requests, and its time."""
    spec = AdapterSpec(
        name="fake",
        factory=f"{__name__}:Fake",
        options=f"{__name__}:NoOptions",
        idempotency=idempotency,
        capabilities={
            Capability.IDEMPOTENCY_KEY: Support(),
            **({Capability.BATCH: Support(limit=10)} if batch else {}),
            **(capabilities or {}),
        },
    )

    class Registering:
        @hookimpl
        def mailcore_register_adapters(self) -> Iterable[AdapterSpec]:
            return [spec]

    world, transport = World(), RecordingTransport(*answers)
    mailer = Mailer.from_config(
        {"provider": "fake", **config},
        environ={},
        host=PluginHost({"fake": Registering()}, installed=False),
        transport=transport,
        clock=world.clock,
        sleep=world.sleep,
        random=lambda: 1.0,
    )
    return mailer, transport, world


def header(request: HttpRequest, name: str) -> str:
    """Return a header of a request."""
    return str(dict(request.headers)[name])


class TestRepeat:
    """One send, several attempts."""

    def test_same_mail_at_another_time(self) -> None:
        """The key and the body are the same, byte for byte; the time is that of the attempt."""
        mailer, transport, world = make(DOWN, LOST, OK)
        result = mailer.send(MESSAGE)
        first, second, third = transport.requests
        assert header(first, "Idempotency-Key") == header(second, "Idempotency-Key")
        assert header(third, "Idempotency-Key") == result.idempotency_key
        assert b"".join(first.body) == b"".join(second.body) == b"".join(third.body)
        assert header(first, "Now") == START.isoformat()
        assert header(third, "Now") == (START + timedelta(seconds=1.5)).isoformat()
        assert world.slept == [0.5, 1.0]

    def test_result_tells_all_attempts(self) -> None:
        """Oldest first, with what each ended in."""
        mailer, _, _ = make(DOWN, LOST, OK)
        attempts = mailer.send(MESSAGE).attempts
        assert [attempt.number for attempt in attempts] == [1, 2, 3]
        assert [attempt.outcome for attempt in attempts] == [
            Outcome.NOT_ACCEPTED,
            Outcome.UNKNOWN,
            Outcome.ACCEPTED,
        ]
        assert [attempt.error for attempt in attempts] == ["ServiceUnavailable", "MaybeSent", ""]

    def test_error_tells_all_attempts(self) -> None:
        """Four are made by default, and the error knows them."""
        mailer, transport, world = make(NO_CONNECTION)
        with pytest.raises(Unreachable) as caught:
            mailer.send(MESSAGE)
        assert [attempt.number for attempt in caught.value.attempts] == [1, 2, 3, 4]
        assert len(transport.requests) == 4
        assert world.slept == [0.5, 1.0, 2.0]

    def test_can_be_switched_off(self) -> None:
        """One attempt is one attempt."""
        mailer, transport, world = make(DOWN, max_attempts=1)
        with pytest.raises(Exception, match="503"):
            mailer.send(MESSAGE)
        assert (len(transport.requests), world.slept) == (1, [])

    def test_provider_says_when(self) -> None:
        """Its time is waited for, and one that is too long is left to whoever can wait."""
        soon = HttpResponse(status=429, headers={"Retry-After": "7"})
        later = HttpResponse(status=429, headers={"Retry-After": "120"})
        mailer, _, world = make(soon, later)
        with pytest.raises(RateLimited) as caught:
            mailer.send(MESSAGE)
        assert world.slept == [7.0]
        assert caught.value.retry_after == 120

    def test_a_no_is_a_no(self) -> None:
        """What was rejected is not sent again."""
        mailer, transport, _ = make(HttpResponse(status=400))
        with pytest.raises(Rejected):
            mailer.send(MESSAGE)
        assert len(transport.requests) == 1

    def test_unknown_needs_a_key(self) -> None:
        """A provider without keys is asked once, and the caller hears that nobody knows."""
        mailer, transport, _ = make(LOST, OK, idempotency=None)
        with pytest.raises(MaybeSent):
            mailer.send(MESSAGE)
        assert len(transport.requests) == 1


class TestOnceUnknown:
    """What an attempt that may have been sent makes of the send."""

    @pytest.mark.parametrize(
        "then", [NO_CONNECTION, DOWN, HttpResponse(status=400), HttpResponse(status=401)]
    )
    def test_stays_unknown(self, then: Any) -> None:
        """That a later attempt was refused, or never left, proves nothing about the earlier one."""
        mailer, _, _ = make(LOST, then)
        with pytest.raises(MaybeSent, match="An earlier attempt may have been sent") as caught:
            mailer.send(MESSAGE)
        assert caught.value.attempts[0].outcome is Outcome.UNKNOWN

    def test_keeps_the_key_and_the_last_answer(self) -> None:
        """With them, the caller can go on."""
        mailer, transport, _ = make(LOST, HttpResponse(status=400, body=b"no"))
        with pytest.raises(MaybeSent) as caught:
            mailer.send(MESSAGE)
        error = caught.value
        assert error.idempotency_key == header(transport.requests[0], "Idempotency-Key")
        assert error.response is not None
        assert error.response.body == b"no"
        assert (error.provider, error.retriable) == ("fake", False)

    def test_is_settled_by_an_acceptance(self) -> None:
        """The provider answers the same key with the same mail."""
        mailer, _, _ = make(LOST, OK)
        assert mailer.send(MESSAGE).message_id == "id-1"


OTHER = Message(from_="ada@example.com", to="bob@example.com", text="Something else")


class TestKeyReuse:
    """One key is one mail: a provider that does not compare would lose the second one without a word."""

    def test_another_mail_is_refused(self) -> None:
        """Before anything is sent, and in the field's name."""
        mailer, transport, _ = make(OK)
        mailer.send(MESSAGE, idempotency_key="order-7")
        with pytest.raises(IdempotencyKeyReuse) as caught:
            mailer.send(OTHER, idempotency_key="order-7")
        assert caught.value.field == "idempotency_key"
        assert str(caught.value) == (
            "idempotency_key: was used for another mail, and the provider would take this one for that. "
            "Give each mail a key of its own."
        )
        assert len(transport.requests) == 1

    def test_the_same_mail_is_not(self) -> None:
        """That is what keys are for."""
        mailer, transport, _ = make(OK)
        for _ in range(2):
            mailer.send(MESSAGE, idempotency_key="order-7")
        assert len(transport.requests) == 2

    @pytest.mark.parametrize("answer", [HttpResponse(status=400), DOWN, NO_CONNECTION])
    def test_mended_mail_keeps_its_key(self, answer: Any) -> None:
        """What was not taken used up no key."""
        mailer, _, _ = make(answer, OK, max_attempts=1)
        with pytest.raises(SendError):
            mailer.send(MESSAGE, idempotency_key="order-7")
        assert mailer.send(OTHER, idempotency_key="order-7").message_id

    def test_refused_repeat_frees_nothing(self) -> None:
        """The key of a mail that was taken stays that mail's, whatever becomes of a repeat."""
        mailer, transport, _ = make(OK, DOWN, OK, max_attempts=1)
        mailer.send(MESSAGE, idempotency_key="order-7")
        with pytest.raises(SendError):
            mailer.send(MESSAGE, idempotency_key="order-7")
        with pytest.raises(IdempotencyKeyReuse):
            mailer.send(OTHER, idempotency_key="order-7")
        assert len(transport.requests) == 2

    def test_changed_file_hides_no_doubt(self, tmp_path: Path) -> None:
        """A mail that may have been sent stays one, though its file can no longer be read."""
        file = tmp_path / "a.txt"
        file.write_text("Hello")

        def lose(_: HttpRequest) -> HttpResponse:
            file.unlink()
            raise LOST

        mailer, _, _ = make(lose, capabilities={Capability.ATTACHMENTS: Support()}, max_attempts=1)
        message = attrs.evolve(MESSAGE, attachments=[Attachment.from_path(file, root=tmp_path)])
        with pytest.raises(MaybeSent):
            mailer.send(message)

    def test_unless_the_provider_stores_refusals(self) -> None:
        """It would answer the mended mail with the old refusal."""
        stores = Idempotency(ttl=86400, max_length=255, stores_errors=True)
        mailer, _, _ = make(HttpResponse(status=400), OK, idempotency=stores)
        with pytest.raises(Rejected):
            mailer.send(MESSAGE, idempotency_key="order-7")
        with pytest.raises(IdempotencyKeyReuse):
            mailer.send(OTHER, idempotency_key="order-7")

    def test_key_of_a_doubt_is_for_that_mail(self) -> None:
        """An error's key resolves the mail it was raised for, and no other."""
        mailer, _, _ = make(LOST, OK, max_attempts=1)
        with pytest.raises(MaybeSent) as caught:
            mailer.send(MESSAGE)
        with pytest.raises(IdempotencyKeyReuse):
            mailer.send(OTHER, idempotency_key=caught.value.idempotency_key)
        assert mailer.send(MESSAGE, idempotency_key=caught.value.idempotency_key).message_id

    def test_files_count(self) -> None:
        """The content of an attachment is part of the mail, its label too."""

        def mail(content: bytes, name: str = "a.txt") -> Message:
            return attrs.evolve(MESSAGE, attachments=[Attachment(content=content, filename=name)])

        mailer, _, _ = make(OK, capabilities={Capability.ATTACHMENTS: Support()})
        mailer.send(mail(b"one"), idempotency_key="order-7")
        for other in (mail(b"two"), mail(b"one", "b.txt"), MESSAGE):
            with pytest.raises(IdempotencyKeyReuse):
                mailer.send(other, idempotency_key="order-7")
        mailer.send(mail(b"one"), idempotency_key="order-7")

    def test_is_no_matter_without_keys(self) -> None:
        """A provider that has no use for keys takes each mail for its own."""
        mailer, transport, _ = make(
            OK, idempotency=None, capabilities={Capability.IDEMPOTENCY_KEY: Support()}
        )
        for message in (MESSAGE, OTHER):
            mailer.send(message, idempotency_key="order-7")
        assert len(transport.requests) == 2

    def test_every_field_counts(self) -> None:
        """Two mails that differ in anything are two mails."""
        found = {fingerprint(message.resolve()) for message in VARIANTS}
        assert len(found) == len(VARIANTS)

    def test_order_within_a_field_does_not(self) -> None:
        """A queue that hands the metadata back in another order hands back the same mail."""
        one, other = (attrs.evolve(MESSAGE, metadata=data) for data in ({"a": 1, "b": 2}, {"b": 2, "a": 1}))
        assert fingerprint(one.resolve()) == fingerprint(other.resolve())

    def test_forgotten_key_may_be_freed(self) -> None:
        """A send that took long ends as it does, though newer keys took the place of its own."""
        book = KeyBook()
        book.forget("a")
        assert book.check("a", MESSAGE.resolve())

    def test_old_keys_are_forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A mailer that runs for years does not remember everything."""
        monkeypatch.setattr("mailcore._fingerprint.MAX_KEYS", 2)
        book = KeyBook()
        for key in "abc":
            book.check(key, MESSAGE.resolve())
        book.check("a", OTHER.resolve())
        with pytest.raises(IdempotencyKeyReuse):
            book.check("c", OTHER.resolve())


BOB = {"bob@example.com": {"name": "Bob"}}
VARIANTS = [
    MESSAGE,
    *(
        attrs.evolve(MESSAGE, **{field: value})
        for field, value in {
            "from_": "eve@example.com",
            "to": ["bob@example.com", "eve@example.com"],
            "cc": "eve@example.com",
            "bcc": "eve@example.com",
            "reply_to": "eve@example.com",
            "subject": "Hello",
            "html": "Hello",
            "amp_html": "Hello",
            "headers": {"X-A": "1"},
            "in_reply_to": "<a@example.com>",
            "references": "<a@example.com>",
            "list_unsubscribe": "https://example.com",
            "tags": "a",
            "metadata": {"a": 1},
            "envelope_sender": "eve@example.com",
            "send_at": START,
            "track_opens": False,
            "track_clicks": False,
            "template_id": "1",
            "merge_data": BOB,
            "merge_metadata": BOB,
            "merge_headers": {"bob@example.com": {"X-A": "1"}},
            "merge_global_data": {"a": 1},
            "provider_options": {"fake": {"a": 1}},
        }.items()
    ),
]


class TestBatch:
    """Many messages, one request."""

    PER_BATCH = Idempotency(ttl=86400, max_length=255, per_batch=True)

    def test_is_repeated_as_a_whole(self) -> None:
        """Under its one key, and every outcome tells both attempts."""
        mailer, transport, _ = make(LOST, OK, batch=True, idempotency=self.PER_BATCH)
        outcomes = mailer.send_many([MESSAGE, MESSAGE])
        assert len(transport.requests) == 2
        assert [len(outcome.unwrap().attempts) for outcome in outcomes] == [2, 2]

    def test_unknown_without_a_key_is_not(self) -> None:
        """Where the key is a single mail's, a batch whose answer is lost stays lost."""
        mailer, transport, _ = make(LOST, OK, batch=True)
        errors = [outcome.error for outcome in mailer.send_many([MESSAGE, MESSAGE])]
        assert [type(error) for error in errors] == [MaybeSent, MaybeSent]
        assert len(transport.requests) == 1


class TestQuota:
    """An outage."""

    def test_ends_the_repeats(self) -> None:
        """When the tokens are spent, each send is tried once, until sends succeed again."""
        mailer, transport, _ = make(NO_CONNECTION)
        for _ in range(50):
            with pytest.raises(Unreachable):
                mailer.send(MESSAGE)
        assert len(transport.requests) == 50 + 500 // 14

    def test_is_the_mailers_own(self) -> None:
        """Another mailer has its own."""
        first, _, _ = make(NO_CONNECTION)
        second, transport, _ = make(NO_CONNECTION)
        for _ in range(50):
            with pytest.raises(Unreachable):
                first.send(MESSAGE)
        with pytest.raises(Unreachable):
            second.send(MESSAGE)
        assert len(transport.requests) == 4
