"""Mail that is committed with the data it is about, and sent once whatever happens."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import django
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, send_mail
from django.core.management import call_command
from django.db import connections, transaction

from mailcore import (
    AuthenticationFailed,
    InvalidMessage,
    Mailer,
    MaybeSent,
    Message,
    NotAccepted,
    Rejected,
    SendResult,
)
from mailcore.frameworks.django import Outbox, OutboxBackend, enqueue, post_send
from mailcore.frameworks.django.models import OutboxMessage
from mailcore.frameworks.django.testing import outbox
from mailcore.providers.local import MemoryAdapter
from mailcore.sandbox import LocalProvider
from mailcore_mailpace.emulator import Fault

pytestmark = pytest.mark.usefixtures("database")

BACKEND = "mailcore.frameworks.django.OutboxBackend"
START = datetime(2030, 1, 1, tzinfo=UTC)
State = OutboxMessage.State


class Clock:
    """A clock that goes when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the time of the outbox, which Django's `timezone.now` tells as well."""
    clock = Clock()
    monkeypatch.setattr("mailcore.frameworks.django._outbox.timezone.now", clock)
    return clock


@pytest.fixture
def sender(clock: Clock, configure: Any) -> Outbox:
    """Return what sends what is due, through the provider `memory`."""
    configure(MAILCORE={"provider": "memory"})
    return Outbox(clock=clock)


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """Return the errors that the next sends end in, in their order."""
    waiting: list[Exception] = []
    build = MemoryAdapter.parse_send

    def parse(self: MemoryAdapter, message: Any, ctx: Any, response: Any) -> SendResult:
        if waiting:
            raise waiting.pop(0)
        return build(self, message, ctx, response)

    monkeypatch.setattr(MemoryAdapter, "parse_send", parse)
    return waiting


def mail(**fields: Any) -> Message:
    """Return a message."""
    return Message(**{"from_": "ada@example.com", "to": "bob@example.com", "text": "Hello", **fields})


def row() -> OutboxMessage:
    """Return the one message there is, as it is now."""
    return OutboxMessage.objects.get()


def undone(call: Callable[[], object]) -> None:
    """Call within a transaction that is then rolled back."""
    with transaction.atomic():
        call()
        transaction.set_rollback(True)  # reason: Django's own signature


class TestEnqueue:
    """Into the outbox."""

    @pytest.fixture(autouse=True)
    def _sender(self, sender: Outbox) -> None:
        """Have a mailer."""

    def test_with_its_transaction(self) -> None:
        """A message is there exactly if the transaction it belongs to is committed."""
        undone(lambda: enqueue(mail()))
        assert OutboxMessage.objects.count() == 0
        with transaction.atomic():
            enqueue(mail())
        assert (row().state, row().not_before) == (State.WAITING, START)

    def test_key(self) -> None:
        """It has a key from the beginning: the message's own, or a new one."""
        assert enqueue(mail(idempotency_key="order-7")).key == "order-7"
        assert len(enqueue(mail()).key) == 36

    def test_twice(self) -> None:
        """A key that is there already is refused by the database."""
        enqueue(mail(idempotency_key="order-7"))
        with pytest.raises(django.db.IntegrityError), transaction.atomic():
            enqueue(mail(idempotency_key="order-7"))

    def test_what_is_wrong(self) -> None:
        """What could never be sent is refused before it is kept."""
        with pytest.raises(InvalidMessage):
            enqueue(EmailMessage("Hi", "Hello", to=["nobody"]))

    def test_backend(self, configure: Any) -> None:
        """As Django's backend it takes every mail that Django sends."""
        if django.VERSION >= (6, 1):
            configure(MAILERS={"default": {"BACKEND": BACKEND}})
        else:
            configure(EMAIL_BACKEND=BACKEND)
        undone(lambda: send_mail("Hi", "Hello", None, ["bob@example.com"]))
        with transaction.atomic():
            assert send_mail("Hi", "Hello", None, ["bob@example.com"]) == 1
        assert outbox() == []
        call_command("sendmailcoreoutbox")
        assert outbox()[0].subject == "Hi"

    def test_backend_keeps_no_secrets(self) -> None:
        """Options of its own would have to be kept with each message, and are refused."""
        with pytest.raises(ImproperlyConfigured, match="takes the option 'mailer'"):
            OutboxBackend(deadline=1)


class TestSend:
    """Out of the outbox."""

    def test_sent(self, sender: Outbox) -> None:
        """What is due is sent once, and what it said is forgotten."""
        enqueue(mail(subject="Hi"))
        assert sender.send_due() == {"sent": 1}
        assert sender.send_due() == {}
        assert [found.subject for found in outbox()] == ["Hi"]
        assert outbox()[0].idempotency_key == row().key
        assert (row().state, row().content, row().attempts) == (State.SENT, "", 1)
        assert row().message_id.endswith("@memory")

    def test_when_due(self, sender: Outbox, clock: Clock) -> None:
        """A message that is to wait waits."""
        enqueue(mail(), not_before=START + timedelta(hours=1))
        assert sender.send_due() == {}
        clock.now += timedelta(hours=1)
        assert sender.send_due() == {"sent": 1}

    def test_named_mailer(self, sender: Outbox, configure: Any) -> None:
        """Each is sent by the mailer it names."""
        tables = {"a": {"provider": "memory"}, "b": {"provider": "memory"}}
        configure(MAILCORE={"default": "a", "mailers": tables})
        enqueue(mail(), mailer="b")
        sender.send_due()
        assert (len(outbox("a")), len(outbox("b"))) == (0, 1)

    def test_not_accepted(self, sender: Outbox, clock: Clock, errors: list[Exception]) -> None:
        """Nothing was sent: it waits, longer each time, and keeps its key."""
        errors += [NotAccepted("Down.", retriable=True)] * 8  # four attempts make one send
        key = enqueue(mail()).key
        waits = []
        for _ in range(2):
            assert sender.send_due() == {"waiting": 1}
            waits.append((row().not_before - clock.now).total_seconds())
            assert (row().error, row().doubt_since) == ("Down.", None)
            clock.now = row().not_before
        assert waits == [30.0, 60.0]
        assert sender.send_due() == {"sent": 1}
        assert (row().key, row().attempts) == (key, 3)

    def test_asked_to_wait(self, sender: Outbox, clock: Clock, errors: list[Exception]) -> None:
        """It waits at least as long as the provider asked."""
        errors.append(NotAccepted("Slow down.", retry_after=600.0))
        enqueue(mail())
        assert sender.send_due() == {"waiting": 1}
        assert row().not_before == START + timedelta(seconds=600)

    def test_rejected(self, sender: Outbox, errors: list[Exception], caplog: Any) -> None:
        """What the provider refuses is failed, in its words, and never sent again."""
        errors.append(Rejected("No such recipient."))
        enqueue(mail())
        assert sender.send_due() == {"failed": 1}
        assert sender.send_due() == {}
        assert row().error == "No such recipient."
        assert "No such recipient." in caplog.text

    def test_account(self, sender: Outbox, clock: Clock, errors: list[Exception]) -> None:
        """Wrong credentials are not the message's fault: it waits until they are mended."""
        errors.append(AuthenticationFailed("Who are you?"))
        enqueue(mail())
        assert sender.send_due() == {"waiting": 1}
        clock.now = row().not_before
        assert sender.send_due() == {"sent": 1}

    def test_mailer_that_is_gone(self, sender: Outbox, clock: Clock, configure: Any) -> None:
        """Wrong settings stop no message for ever, and no other message at all."""
        enqueue(mail(), mailer="gone")
        enqueue(mail())
        assert sender.send_due() == {"waiting": 1, "sent": 1}
        assert "no mailer 'gone'" in OutboxMessage.objects.get(mailer="gone").error

    def test_given_up(self, sender: Outbox, clock: Clock, errors: list[Exception]) -> None:
        """What could not be sent for days is failed."""
        enqueue(mail())
        clock.now += timedelta(days=3)
        errors += [NotAccepted("Down.", retriable=True)] * 4
        assert sender.send_due() == {"failed": 1}

    def test_unreadable(self, sender: Outbox) -> None:
        """A row that holds no message is failed."""
        enqueue(mail())
        OutboxMessage.objects.update(content="{")
        assert sender.send_due() == {"failed": 1}

    def test_limit(self, sender: Outbox) -> None:
        """One round takes so many, the longest due first."""
        for number in range(3):
            enqueue(mail(subject=str(number)))
        assert sender.send_due(limit=2) == {"sent": 2}
        assert [found.subject for found in outbox()] == ["0", "1"]


class TestDoubt:
    """Mail that may have been sent."""

    def test_repeated_with_its_key(self, sender: Outbox, clock: Clock, errors: list[Exception]) -> None:
        """Where the provider takes a key once, the repeat is no second mail."""
        errors += [MaybeSent("Who knows?")] * 4
        enqueue(mail())
        assert sender.send_due() == {"waiting": 1}
        assert row().doubt_since == START
        clock.now = row().not_before
        assert sender.send_due() == {"sent": 1}
        assert len(outbox()) == 1

    def test_key_too_old(self, sender: Outbox, clock: Clock, errors: list[Exception]) -> None:
        """Where the provider may have forgotten the key, a person decides."""
        errors += [MaybeSent("Who knows?")] * 4
        enqueue(mail())
        sender.send_due()
        clock.now = START + timedelta(hours=23, minutes=59)
        assert sender.send_due() == {"doubtful": 1}
        assert "could be a second mail" in row().error
        assert sender.send_due() == {}

    def test_doubt_outlives_a_clear_failure(
        self, sender: Outbox, clock: Clock, errors: list[Exception]
    ) -> None:
        """That a later attempt was not accepted does not undo an earlier one."""
        errors += [MaybeSent("Who knows?")] * 4 + [NotAccepted("Down.", retriable=True)] * 4
        enqueue(mail())
        sender.send_due()
        clock.now = row().not_before
        assert sender.send_due() == {"waiting": 1}
        assert row().doubt_since == START

    def test_without_keys(
        self, sender: Outbox, clock: Clock, configure: Any, errors: list[Exception]
    ) -> None:
        """A group's next provider knows nothing of the key, so nothing is repeated."""
        tables = {"a": {"provider": "memory"}, "b": {"provider": "memory"}, "both": {"group": ["a", "b"]}}
        configure(MAILCORE={"default": "both", "mailers": tables})
        errors += [MaybeSent("Who knows?")] * 4
        enqueue(mail())
        assert sender.send_due() == {"waiting": 1}
        clock.now = row().not_before
        assert sender.send_due() == {"doubtful": 1}

    def test_worker_that_died(self, sender: Outbox, clock: Clock) -> None:
        """A worker that died between sending and writing it down makes no second mail."""
        enqueue(mail())
        with pytest.MonkeyPatch.context() as patch:

            def die(*_: Any, **__: Any) -> None:
                raise SystemExit

            patch.setattr(Outbox, "_settle", die)
            with pytest.raises(SystemExit):
                sender.send_due()
        assert (row().state, len(outbox())) == (State.SENDING, 1)
        assert sender.send_due() == {}
        clock.now = START + sender.lease
        assert Outbox(clock=clock).send_due() == {"sent": 1}
        assert len(outbox()) == 1

    def test_what_nobody_expected(
        self, sender: Outbox, clock: Clock, errors: list[Exception], caplog: Any, monkeypatch: Any
    ) -> None:
        """A defect at one message is logged, and keeps it from no other."""
        enqueue(mail(subject="odd"))
        enqueue(mail())
        send = Mailer.send

        def break_down(self: Mailer, message: Message, **given: Any) -> SendResult:
            if message.subject == "odd":
                raise ZeroDivisionError
            return send(self, message, **given)

        monkeypatch.setattr(Mailer, "send", break_down)
        assert sender.send_due() == {"sending": 1, "sent": 1}
        assert "ZeroDivisionError" in caplog.text
        clock.now = START + sender.lease
        assert sender.send_due() == {"sending": 1}

    def test_late_worker(self, sender: Outbox, clock: Clock) -> None:
        """A worker whose message was given to another one writes nothing down."""
        late = enqueue(mail())
        assert sender._claim(late)
        clock.now = START + sender.lease
        assert sender.send_due() == {"sent": 1}
        sender._settle(late, state=State.FAILED, error="late")
        assert (row().state, row().error) == (State.SENT, "")

    def test_late_worker_beside_another(self, sender: Outbox, clock: Clock) -> None:
        """Nor does it where the other one is still at it."""
        late = enqueue(mail())
        assert sender._claim(late)
        assert sender._claim(row())
        sender._settle(late, state=State.FAILED, error="late")
        assert (row().state, row().error) == (State.SENDING, "")

    @pytest.mark.loopback
    def test_answer_that_got_lost(self, clock: Clock, configure: Any) -> None:
        """Over HTTP, with a provider that queues and then fails: one mail."""
        clock.now = datetime.now(UTC)
        with LocalProvider("mailpace") as local:
            configure(MAILCORE={**local.settings, "max_attempts": 1})
            local.emulator.inject(Fault.EDGE_AFTER_QUEUEING)  # type: ignore[attr-defined]  # reason: MailPace's
            key = enqueue(mail()).key
            sender = Outbox(clock=clock)
            assert sender.send_due() == {"waiting": 1}
            clock.now = row().not_before
            assert sender.send_due() == {"sent": 1}
            (sent,) = local.emulator.sent  # type: ignore[attr-defined]  # reason: the same
            assert (sent.idempotency_key, str(sent.id)) == (key, row().message_id)


class TestWorkers:
    """Several at once."""

    def test_each_is_sent_once(self, sender: Outbox) -> None:
        """However many workers there are, each message is sent by one."""
        for number in range(20):
            enqueue(mail(subject=str(number)))
        barrier = threading.Barrier(4)
        states: list[Any] = []

        def work() -> None:
            barrier.wait()
            try:
                states.append(sender.send_due())
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(found["sent"] for found in states) == 20
        assert sorted(int(found.subject or "") for found in outbox()) == list(range(20))


class TestTold:
    """Signals and the command."""

    @pytest.fixture
    def heard(self) -> Iterator[list[dict[str, Any]]]:
        """Listen to post_send, and give what was heard."""
        found: list[dict[str, Any]] = []

        def listen(sender: Any, **told: Any) -> None:
            found.append({"sender": sender, **told})

        post_send.connect(listen)
        yield found
        post_send.disconnect(listen)

    def test_post_send(self, sender: Outbox, heard: list[dict[str, Any]], errors: list[Exception]) -> None:
        """Whoever listens is told of each send from the outbox, and of which row it is."""
        errors.append(Rejected("No."))
        enqueue(mail(subject="a"))
        enqueue(mail(subject="b"))
        sender.send_due()
        assert [(told["sender"], told["message"].subject) for told in heard] == [
            (OutboxMessage, "a"),
            (OutboxMessage, "b"),
        ]
        assert (str(heard[0]["error"]), heard[0]["result"]) == ("No.", None)
        assert (heard[1]["error"], heard[1]["status"].status) == (None, {"sent"})
        assert heard[1]["outbox_message"].pk == OutboxMessage.objects.get(state=State.SENT).pk

    def test_command(self, sender: Outbox) -> None:
        """The command says what became of what was due, and nothing where nothing was."""
        enqueue(mail())
        said = io.StringIO()
        call_command("sendmailcoreoutbox", stdout=said)
        call_command("sendmailcoreoutbox", stdout=said)
        assert said.getvalue() == "1 sent\n"

    def test_command_forgets(self, sender: Outbox, clock: Clock) -> None:
        """Sent messages are kept for some days, others for ever."""
        enqueue(mail())
        call_command("sendmailcoreoutbox")
        enqueue(mail(), not_before=START + timedelta(days=99))
        clock.now += timedelta(days=30)
        call_command("sendmailcoreoutbox")
        assert OutboxMessage.objects.count() == 2
        clock.now += timedelta(seconds=1)
        call_command("sendmailcoreoutbox")
        assert row().state == State.WAITING

    def test_command_goes_on(self, sender: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
        """With --every it sends what comes, round after round, until it is stopped."""
        pauses: list[float] = []

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 2:
                raise KeyboardInterrupt
            enqueue(mail())

        monkeypatch.setattr("time.sleep", sleep)
        with pytest.raises(KeyboardInterrupt):
            call_command("sendmailcoreoutbox", every=2.0)
        assert (pauses, len(outbox())) == ([2.0, 2.0], 1)
