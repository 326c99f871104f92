"""The driver decides how a send ended: one outcome for every way a flow can go."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import pickle
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from mailcore import (
    Advice,
    AuthenticationFailed,
    Context,
    HttpRequest,
    HttpResponse,
    InvalidMessage,
    LocalRequest,
    LocalResponse,
    MailcoreError,
    MaybeSent,
    Message,
    NotAccepted,
    Outcome,
    Phase,
    ProtocolBug,
    RecipientRejected,
    RecipientResult,
    Rejected,
    SendError,
    SendResult,
    SendStatus,
    SmtpRequest,
    SmtpResponse,
    TLSFailure,
    TransportFailure,
    UnexpectedRedirect,
    Unreachable,
    UnsupportedFeature,
)
from mailcore._driver import batch_steps, first_request, send_steps
from mailcore._retry import Quota, Repeats, RetryPolicy
from mailcore._steps import drive, drive_async

NOW = datetime(2030, 1, 31, 9, tzinfo=UTC)
MESSAGE = Message(from_="ada@example.com", to=["bob@example.com"], subject="Hi", text="Hello").resolve()
COMMIT = HttpRequest(method="POST", url="https://api.example.com/send")
STEP = HttpRequest(method="GET", url="https://api.example.com/token", commits=False)
MAIL = SmtpRequest(server="mail.example:587", mail_from="a@b.example", rcpt_to=["c@d.example"], data=b"")
OK = HttpResponse(status=200, body=b'{"id": 1}')


def result(*statuses: SendStatus, **changes: Any) -> SendResult:
    """Return a result with one recipient for each status."""
    recipients = {
        f"{number}@example.com": RecipientResult(status=status, reason=f"no {status.value}")
        for number, status in enumerate(statuses or (SendStatus.QUEUED,))
    }
    return SendResult(message_id="1", recipients=recipients, raw=OK, **changes)


#: No second attempt; `test_repeats.py` is about those.
ONCE = Repeats(
    policy=RetryPolicy(max_attempts=1, idempotency=None, quota=Quota(), random=lambda: 0.0),
    clock=lambda: NOW,
    remaining=lambda: 30.0,
)


class Script:
    """Answer a flow's requests one by one and remember them."""

    def __init__(self, *answers: Any) -> None:
        self.answers = iter(answers)
        self.requests: list[Any] = []

    def __call__(self, request: Any) -> Any:
        """Return or raise the next answer."""
        self.requests.append(request)
        answer = next(self.answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def context(key: str | None = "key-1") -> Context:
    """Return the context of a third attempt."""
    return Context(now=NOW, created=NOW, unique="u", idempotency_key=key, attempt=3)


def send(flow: Callable[..., Any], *answers: Any, key: str | None = "key-1") -> SendResult:
    """Drive a flow as the mailer does."""
    adapter: Any = SimpleNamespace(send_flow=flow)
    return drive(send_steps(adapter, "fake", MESSAGE, context(key), ONCE), Script(*answers))


def failed(flow: Callable[..., Any], *answers: Any, key: str | None = "key-1") -> SendError:
    """Drive a flow that must end in a `SendError`."""
    with pytest.raises(SendError) as caught:
        send(flow, *answers, key=key)
    return caught.value


def committing(message: Message, ctx: Context) -> Iterator[Any]:
    """Send in one request."""
    yield COMMIT
    return result()


def mailing(message: Message, ctx: Context) -> Iterator[Any]:
    """Send over SMTP, and pass on what the server said."""
    response = yield MAIL
    raise Rejected("No.", response=response)


def step_first(message: Message, ctx: Context) -> Iterator[Any]:
    """Fetch something, then send."""
    yield STEP
    yield COMMIT
    return result()


def step_last(message: Message, ctx: Context) -> Iterator[Any]:
    """Send, then ask for more."""
    yield COMMIT
    yield STEP
    return result()


class TestFirstRequest:
    """What sending would ask first, without asking it."""

    def test_is_the_first_of_several(self) -> None:
        """The flow goes no further, and is closed."""
        closed: list[bool] = []

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            try:
                yield from step_first(message, ctx)
            finally:
                closed.append(True)

        adapter: Any = SimpleNamespace(send_flow=flow)
        assert first_request(adapter, "fake", MESSAGE, context()) is STEP
        assert closed == [True]

    def test_none_is_made(self) -> None:
        """An adapter that sends without asking anybody has a bug."""

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            yield from ()
            return result()

        adapter: Any = SimpleNamespace(send_flow=flow)
        with pytest.raises(ProtocolBug, match=r"^The adapter makes no request\.$"):
            first_request(adapter, "fake", MESSAGE, context())

    def test_refusal_is_what_sending_would_raise(self) -> None:
        """With all that is known of it."""

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            raise Rejected("No.")
            yield COMMIT

        adapter: Any = SimpleNamespace(send_flow=flow)
        with pytest.raises(Rejected) as caught:
            first_request(adapter, "fake", MESSAGE, context())
        assert (caught.value.provider, caught.value.idempotency_key) == ("fake", "key-1")


class TestAddition:
    """What core adds to what an adapter returned."""

    def test_keeps_what_the_adapter_said(self) -> None:
        """Only what core alone knows is set."""
        advice = (Advice(code="fake.size", field="text", text="It is long."),)
        said = result(scope="recipient", message_ids=("1", "2"), dropped=("tags",), advice=advice)

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            yield COMMIT
            return said

        found = send(flow, OK)
        known = {"provider": "fake", "idempotency_key": "key-1", "attempts": found.attempts}
        assert found == attrs.evolve(said, **known)
        assert [(attempt.number, attempt.status) for attempt in found.attempts] == [(3, 200)]
        assert (said.provider, said.attempts) == ("", ())


class TestFailedExchange:
    """What a missing answer proves."""

    @pytest.mark.parametrize(
        "phase,flow,answers,expected",
        [
            (Phase.CONNECTING, committing, (), Unreachable),
            (Phase.SENDING, committing, (), MaybeSent),
            (Phase.SENT, committing, (), MaybeSent),
            (Phase.RECEIVING, committing, (), MaybeSent),
            (Phase.CONNECTING, mailing, (), Unreachable),
            (Phase.SENDING, mailing, (), NotAccepted),
            (Phase.SENT, mailing, (), MaybeSent),
            (Phase.RECEIVING, mailing, (), MaybeSent),
            (Phase.CONNECTING, step_first, (), Unreachable),
            (Phase.SENDING, step_first, (), NotAccepted),
            (Phase.SENT, step_first, (), NotAccepted),
            (Phase.RECEIVING, step_first, (), NotAccepted),
            (Phase.CONNECTING, step_first, (OK,), Unreachable),
            (Phase.SENDING, step_first, (OK,), MaybeSent),
            (Phase.CONNECTING, step_last, (OK,), MaybeSent),
            (Phase.SENDING, step_last, (OK,), MaybeSent),
            (Phase.SENT, step_last, (OK,), MaybeSent),
            (Phase.RECEIVING, step_last, (OK,), MaybeSent),
        ],
    )
    @pytest.mark.rule("N-G3")
    def test_phase_and_commit_decide(
        self, phase: Phase, flow: Callable[..., Any], answers: tuple[Any, ...], expected: type[SendError]
    ) -> None:
        """Only a failure before the first committed byte proves that nothing was sent."""
        error = failed(flow, *answers, TransportFailure(phase, "It broke."))
        assert type(error) is expected
        assert str(error) == "It broke."
        assert isinstance(error.__cause__, TransportFailure)

    @pytest.mark.parametrize(
        "phase,flow,answers,expected",
        [
            (Phase.CONNECTING, committing, (), TLSFailure),
            (Phase.CONNECTING, step_first, (), TLSFailure),
            (Phase.CONNECTING, step_last, (OK,), MaybeSent),
            (Phase.SENT, committing, (), MaybeSent),
        ],
    )
    def test_untrusted_peer(
        self, phase: Phase, flow: Callable[..., Any], answers: tuple[Any, ...], expected: type[SendError]
    ) -> None:
        """A refused certificate is a failure of its own, never retried, as long as nothing was sent."""
        error = failed(flow, *answers, TransportFailure(phase, "Untrusted.", untrusted=True))
        assert (type(error), str(error)) == (expected, "Untrusted.")
        assert error.retriable is (expected is not TLSFailure)

    @pytest.mark.parametrize(
        "flow,answers,expected",
        [(committing, (), MaybeSent), (step_first, (), NotAccepted), (step_last, (OK,), MaybeSent)],
    )
    def test_transport_that_breaks_its_contract(
        self, flow: Callable[..., Any], answers: tuple[Any, ...], expected: type[SendError]
    ) -> None:
        """Another exception of a transport proves nothing about how far it got."""
        error = failed(flow, *answers, RuntimeError("private"))
        assert type(error) is expected
        assert str(error) == "The transport failed (RuntimeError)."

    def test_error_of_the_request_passes(self) -> None:
        """A `SendError` from reading the request's body is the outcome."""
        error = failed(committing, NotAccepted("The file changed."))
        assert type(error) is NotAccepted
        assert error.provider == "fake"

    def test_error_after_the_commit_is_unknown(self) -> None:
        """No error of a later step may say that nothing was sent."""
        error = failed(step_last, OK, NotAccepted("The file changed."))
        assert (type(error), str(error)) == (MaybeSent, "The file changed.")

    def test_flow_that_does_not_start(self) -> None:
        """An adapter that fails before it has a flow is a bug like any other."""

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            raise ValueError("private")

        assert type(failed(flow)) is ProtocolBug

    def test_interruption_is_not_an_outcome(self) -> None:
        """Ctrl-C stays Ctrl-C."""
        with pytest.raises(KeyboardInterrupt):
            send(committing, KeyboardInterrupt())


class TestOverSmtp:
    """What is different where mail goes over SMTP."""

    def test_a_transport_that_says_nothing(self) -> None:
        """A failure that does not tell how far the mail got proves nothing."""
        assert type(failed(mailing, RuntimeError("private"))) is MaybeSent

    def test_answer_is_kept(self) -> None:
        """The error holds the answer, and the attempt its code."""
        answer = SmtpResponse(code=550, text="No.", command="MAIL")
        error = failed(mailing, answer)
        assert (error.response, error.attempts[0].status) == (answer, 550)


class TestRedirect:
    """An answer that points elsewhere."""

    @pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
    def test_is_never_followed(self, status: int) -> None:
        """The send is over, was not accepted, and the text holds the host alone."""
        answer = HttpResponse(status=status, headers={"Location": "https://evil.example/x?token=canary"})
        script = Script(answer)
        adapter: Any = SimpleNamespace(send_flow=committing)
        with pytest.raises(UnexpectedRedirect, match=r"redirected to evil\.example\.") as caught:
            drive(send_steps(adapter, "fake", MESSAGE, context(), ONCE), script)
        assert len(script.requests) == 1
        assert "canary" not in str(caught.value)
        assert caught.value.response is answer
        assert caught.value.retriable is False

    @pytest.mark.parametrize("location", ["", "/relative", "https://[bad", "https://\u2100.example", "::::"])
    def test_odd_location(self, location: str) -> None:
        """A `Location` that is no URL changes nothing."""
        headers = {"Location": location} if location else {}
        error = failed(committing, HttpResponse(status=302, headers=headers))
        assert type(error) is UnexpectedRedirect
        assert str(error) == (
            "HTTP 302: redirected to nowhere. Redirects are not followed; check the API address."
        )

    @pytest.mark.parametrize("status", [299, 400])
    def test_other_answers_are_the_adapters(self, status: int) -> None:
        """What a status beside 3xx means is for the adapter to say."""
        assert send(committing, HttpResponse(status=status)).message_id == "1"

    def test_only_http_redirects(self) -> None:
        """An answer of another kind has no status."""

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            yield LocalRequest(messages=(message,), destination="memory")
            return attrs.evolve(result(), raw=LocalResponse(message_ids=("1",)))

        (attempt,) = send(flow, LocalResponse(message_ids=("1",))).attempts
        assert attempt.status is None

    def test_after_the_commit_it_proves_nothing(self) -> None:
        """A redirected step after the mail was handed over leaves the outcome open."""
        error = failed(step_last, OK, HttpResponse(status=302))
        assert type(error) is MaybeSent
        assert error.attempts[0].status == 302


class TestFailedAdapter:
    """What an exception of the adapter means."""

    @pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), RecursionError(), StopIteration()])
    def test_before_the_commit_it_is_a_bug(self, error: Exception) -> None:
        """Nothing was sent, and repeating would end alike."""

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            yield STEP
            raise error

        found = failed(flow, OK)
        assert type(found) is ProtocolBug
        assert found.outcome is Outcome.REJECTED
        # Python makes a RuntimeError of a StopIteration.
        name = "RuntimeError" if isinstance(error, StopIteration) else type(error).__name__
        assert str(found) == f"The adapter failed before anything was sent ({name})."

    @pytest.mark.parametrize(
        "error",
        [UnsupportedFeature("No.", field="to"), InvalidMessage("No.", field="to"), NotAccepted("No.")],
    )
    def test_before_the_commit_its_own_words_pass(self, error: MailcoreError) -> None:
        """What the adapter says on purpose reaches the caller as it is."""

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            raise error
            yield COMMIT

        with pytest.raises(MailcoreError) as caught:
            send(flow)
        assert caught.value is error

    @pytest.mark.parametrize("error", [ValueError("private"), InvalidMessage("private"), RecursionError()])
    @pytest.mark.rule("N-G4")
    def test_after_the_commit_it_is_unknown(self, error: Exception) -> None:
        """An answer nobody understands proves nothing; it is kept, and not quoted."""

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            yield COMMIT
            raise error

        found = failed(flow, OK)
        assert type(found) is MaybeSent
        assert found.response is OK
        assert str(found) == f"The provider's answer could not be understood ({type(error).__name__})."

    def test_after_the_commit_a_verdict_stands(self) -> None:
        """The adapter alone says what an answer means."""

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            response = yield COMMIT
            raise AuthenticationFailed("Bad token.", response=response)

        found = failed(flow, HttpResponse(status=401))
        assert type(found) is AuthenticationFailed
        assert found.attempts[0].status == 401

    def test_second_commit_is_not_made(self) -> None:
        """A flow that would send twice is stopped before it does."""

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            yield COMMIT
            yield COMMIT
            return result()

        script = Script(OK, OK)
        adapter: Any = SimpleNamespace(send_flow=flow)
        with pytest.raises(MaybeSent) as caught:
            drive(send_steps(adapter, "fake", MESSAGE, context(), ONCE), script)
        assert len(script.requests) == 1
        assert str(caught.value) == "The adapter tried to send the same mail twice."
        assert caught.value.response is OK


class TestResult:
    """What counts as an accepted mail."""

    @pytest.mark.parametrize("returned", [None, {}, "1", True, [result()]])
    @pytest.mark.rule("N-G4")
    def test_something_else_is_unknown(self, returned: object) -> None:
        """An adapter that returns no `SendResult` proves nothing."""

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            yield COMMIT
            return returned

        found = failed(flow, OK)
        assert type(found) is MaybeSent
        assert str(found) == f"The adapter returned {type(returned).__name__} instead of a result."

    def test_without_recipients_is_unknown(self) -> None:
        """A result must speak of somebody; the answer is kept."""

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            yield COMMIT
            return SendResult(message_id="1", recipients={}, raw=OK)

        found = failed(flow, OK)
        assert type(found) is MaybeSent
        assert (found.provider, str(found)) == ("fake", "The provider's answer names no recipient.")
        assert found.response is OK

    @pytest.mark.parametrize(
        "statuses",
        [
            (SendStatus.REJECTED,),
            (SendStatus.INVALID, SendStatus.INVALID),
            (SendStatus.FAILED, SendStatus.REJECTED, SendStatus.INVALID),
        ],
    )
    @pytest.mark.rule("N-G5")
    @pytest.mark.rule("N-G11")
    def test_nobody_accepted(self, statuses: tuple[SendStatus, ...]) -> None:
        """Whatever mix of refusals it was, the send was rejected, with each reason once."""

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            yield COMMIT
            return result(*statuses)

        found = failed(flow, OK)
        assert type(found) is RecipientRejected
        assert str(found) == "; ".join(dict.fromkeys(f"no {status.value}" for status in statuses))
        assert found.response is OK
        assert found.attempts[0].status == 200

    def test_nobody_accepted_and_nobody_says_why(self) -> None:
        """Without a reason there is still a sentence."""

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            yield COMMIT
            recipients = {"bob@example.com": RecipientResult(status=SendStatus.REJECTED)}
            return SendResult(message_id=None, recipients=recipients, raw=OK)

        assert str(failed(flow, OK)) == "The provider refused every recipient."

    @pytest.mark.parametrize("taken", [SendStatus.QUEUED, SendStatus.SENT, SendStatus.UNKNOWN])
    @pytest.mark.rule("N-G5")
    @pytest.mark.rule("N-G11")
    def test_somebody_accepted(self, taken: SendStatus) -> None:
        """One recipient that was taken makes a result, and the others keep their status."""

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            yield COMMIT
            return result(SendStatus.REJECTED, taken, SendStatus.FAILED)

        found = send(flow, OK)
        statuses = [each.status for each in found.recipients.values()]
        assert statuses == [SendStatus.REJECTED, taken, SendStatus.FAILED]

    def test_is_completed(self) -> None:
        """Provider, key and attempt are the driver's to say."""
        found = send(committing, OK)
        assert (found.provider, found.idempotency_key) == ("fake", "key-1")
        (attempt,) = found.attempts
        assert (attempt.number, attempt.provider, attempt.started_at) == (3, "fake", NOW)
        assert (attempt.outcome, attempt.error, attempt.status) == (Outcome.ACCEPTED, "", 200)

    def test_flow_without_requests(self) -> None:
        """A flow may end without asking for anything."""

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            yield from ()
            return result()

        assert send(flow).message_id == "1"


class TestError:
    """What every error of a send carries."""

    def test_is_completed(self) -> None:
        """Provider, key and attempt are in the error, and survive a queue."""
        error = failed(committing, TransportFailure(Phase.SENT, "It broke."))
        for found in (error, pickle.loads(pickle.dumps(error))):
            assert (found.provider, found.idempotency_key) == ("fake", "key-1")
            (attempt,) = found.attempts
            assert (attempt.number, attempt.provider, attempt.started_at) == (3, "fake", NOW)
            assert (attempt.outcome, attempt.error, attempt.status) == (Outcome.UNKNOWN, "MaybeSent", None)

    @pytest.mark.parametrize("key,retriable", [("key-1", True), (None, False)])
    def test_unknown_is_repeated_only_with_a_key(self, key: str | None, retriable: bool) -> None:
        """Without a key, repeating a mail that may have been sent could send it twice."""
        error = failed(committing, TransportFailure(Phase.SENT, "It broke."), key=key)
        assert error.retriable is retriable
        assert error.idempotency_key == key

    def test_not_accepted_is_repeated_without_a_key(self) -> None:
        """What was provably not sent may be sent again."""
        assert failed(committing, TransportFailure(Phase.CONNECTING, "It broke."), key=None).retriable


class TestClosing:
    """A flow is left in order, whatever happens."""

    @pytest.mark.parametrize(
        "answer",
        [
            TransportFailure(Phase.SENT, "It broke."),
            HttpResponse(status=302),
            RuntimeError("It broke."),
            KeyboardInterrupt(),
            OK,
        ],
    )
    def test_flow_is_closed_at_once(self, answer: object) -> None:
        """An adapter's `finally` has run when the caller sees the outcome, not at some later collection."""
        left: list[str] = []

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            try:
                yield COMMIT
                return result()
            finally:
                left.append("left")

        flowing: list[Any] = []

        def kept(message: Message, ctx: Context) -> Any:
            flowing.append(flow(message, ctx))  # a reference, so that no collection closes it
            return flowing[0]

        gc.disable()
        try:
            send(kept, answer)
        except (SendError, KeyboardInterrupt):
            pass
        finally:
            gc.enable()
        assert left == ["left"]


class TestInALoop:
    """The same, where each step is waited for."""

    def carried(self, flow: Callable[..., Any], *answers: Any) -> tuple[SendResult, list[Any]]:
        """Send in an event loop, and return the result and what was asked for."""
        script = Script(*answers)
        adapter: Any = SimpleNamespace(send_flow=flow)

        async def wait(step: Any) -> Any:
            return script(step)

        steps = send_steps(adapter, "fake", MESSAGE, context(), ONCE)
        return asyncio.run(drive_async(steps, wait)), script.requests

    def test_ends_alike(self) -> None:
        """Each step gets its own answer, and the flow's result comes out."""

        def flow(message: Message, ctx: Context) -> Iterator[Any]:
            first = yield STEP
            second = yield COMMIT
            return attrs.evolve(result(), raw=second, message_id=first.body.decode())

        found, requests = self.carried(flow, HttpResponse(status=200, body=b"token"), OK)
        assert (found.message_id, found.raw) == ("token", OK)
        assert requests == [STEP, COMMIT]

    def test_fails_alike(self) -> None:
        """What goes wrong in a step is for the driver to judge."""
        with pytest.raises(Unreachable) as caught:
            self.carried(committing, TransportFailure(Phase.CONNECTING, "It broke."))
        assert str(caught.value) == "It broke."

    def test_goes_on_after_a_failure(self) -> None:
        """What is told of one may do something else instead."""
        script = Script(ValueError("It broke."), OK)

        def steps() -> Generator[HttpRequest, Any, Any]:
            try:
                yield STEP
            except ValueError:
                return (yield COMMIT)

        async def wait(step: Any) -> Any:
            return script(step)

        assert asyncio.run(drive_async(steps(), wait)) is OK
        assert script.requests == [STEP, COMMIT]


class Stop(BaseException):
    """A signal, or a task's end."""


def blocking(flow: Generator[Any, Any, Any], carry_out: Callable[[Any], Any]) -> Any:
    """Carry out a flow."""
    return drive(flow, carry_out)


def looped(flow: Generator[Any, Any, Any], carry_out: Callable[[Any], Any]) -> Any:
    """Carry out a flow where each step is waited for."""

    async def wait(step: Any) -> Any:
        return carry_out(step)

    return asyncio.run(drive_async(flow, wait))


@pytest.mark.parametrize("carried", [blocking, looped])
class TestStopped:
    """A flow that is stopped from outside."""

    def stopping(self, *when: str) -> tuple[list[str], Callable[[str], None]]:
        """Return the steps that will have been carried out, and what carries them out and stops some."""
        steps: list[str] = []

        def carry_out(step: str) -> None:
            steps.append(step)
            if step in when:
                raise Stop(step)

        return steps, carry_out

    def test_cleans_up(self, carried: Callable[..., Any]) -> None:
        """It is told, may still do something, and what stopped it comes out."""
        steps, carry_out = self.stopping("send")

        def flow() -> Generator[str, Any, None]:
            try:
                yield "send"
            except Stop:
                yield "give back"
                raise

        with pytest.raises(Stop, match=r"^send$"):
            carried(flow(), carry_out)
        assert steps == ["send", "give back"]

    def test_stopped_again(self, carried: Callable[..., Any]) -> None:
        """Whoever stops it a second time does not wait until it is clean."""
        steps, carry_out = self.stopping("send", "give back")

        def flow() -> Generator[str, Any, None]:
            for step in ("send", "give back", "and again"):
                with contextlib.suppress(Stop):
                    yield step

        with pytest.raises(Stop, match=r"^give back$"):
            carried(flow(), carry_out)
        assert steps == ["send", "give back"]


class TestBatch:
    """Several messages in one request."""

    MESSAGES = (MESSAGE, MESSAGE, MESSAGE)

    def batch(self, returned: Any, *answers: Any, key: str | None = "batch-1") -> list[Any]:
        """Drive a batch whose adapter returns or raises `returned`."""

        def flow(messages: Any, ctx: Context) -> Iterator[Any]:
            yield COMMIT
            if isinstance(returned, Exception):
                raise returned
            return returned() if callable(returned) else returned

        adapter: Any = SimpleNamespace(batch_flow=flow)
        steps = batch_steps(adapter, "fake", self.MESSAGES, context(key), ONCE)
        return drive(steps, Script(*(answers or (OK,))))

    def test_verdicts_keep_their_order(self) -> None:
        """One verdict for each message, completed like that of a single send."""
        refused = RecipientRejected("No.")
        verdicts = self.batch([result(), refused, result(SendStatus.SENT)])
        assert [type(found) for found in verdicts] == [SendResult, RecipientRejected, SendResult]
        for found in verdicts:
            assert (found.provider, found.idempotency_key) == ("fake", "batch-1")
            assert [attempt.number for attempt in found.attempts] == [3]

    @pytest.mark.parametrize("count,matched", [(0, 0), (1, 1), (2, 2), (4, 0)])
    @pytest.mark.rule("N-G7")
    def test_list_of_another_length(self, count: int, matched: int) -> None:
        """What cannot be matched to a message is unknown: a missing verdict, or all where one is too many."""
        verdicts = self.batch([result() for _ in range(count)])
        expected = [SendResult] * matched + [MaybeSent] * (3 - matched)
        assert [type(found) for found in verdicts] == expected
        assert all(
            str(found) == "The provider's answer leaves this message out." for found in verdicts[matched:]
        )

    def test_adapter_is_told_what_to_send(self) -> None:
        """It gets the messages in their order, and what core knows of the moment."""
        told: list[Any] = []

        def flow(*arguments: Any) -> Iterator[Any]:
            told.extend(arguments)
            yield COMMIT
            return [result() for _ in self.MESSAGES]

        adapter: Any = SimpleNamespace(batch_flow=flow)
        drive(batch_steps(adapter, "fake", self.MESSAGES, context(), ONCE), Script(OK))
        assert told == [self.MESSAGES, context()]

    def test_repeat_is_everybodys(self) -> None:
        """A verdict tells the attempts before, as those of a single send do."""

        def flow(messages: Any, ctx: Context) -> Iterator[Any]:
            yield COMMIT
            return [result(), RecipientRejected("No."), result()]

        adapter: Any = SimpleNamespace(batch_flow=flow, send_flow=committing)
        answers = (TransportFailure(Phase.CONNECTING, "It broke."), None, OK)
        repeats = attrs.evolve(ONCE, policy=attrs.evolve(ONCE.policy, max_attempts=9))
        steps = batch_steps(adapter, "fake", self.MESSAGES, context(), repeats)
        verdicts: list[Any] = list(drive(steps, Script(*answers)))
        steps_of_one = send_steps(adapter, "fake", MESSAGE, context(), repeats)
        for found in (*verdicts, drive(steps_of_one, Script(*answers))):
            assert [attempt.number for attempt in found.attempts] == [3, 4]

    @pytest.mark.parametrize("returned", [None, 5, lambda: (1 // 0 for _ in "abc")])
    def test_no_list_at_all(self, returned: object) -> None:
        """An answer nobody understands makes every message unknown."""
        assert [type(found) for found in self.batch(returned)] == [MaybeSent] * 3

    def test_verdict_that_is_none(self) -> None:
        """One element that makes no sense does not spoil the others."""
        verdicts = self.batch([result(), None, result(SendStatus.REJECTED)])
        assert [type(found) for found in verdicts] == [SendResult, MaybeSent, RecipientRejected]

    @pytest.mark.parametrize(
        "answer,expected",
        [
            (TransportFailure(Phase.SENT, "It broke."), MaybeSent),
            (TransportFailure(Phase.CONNECTING, "It broke."), Unreachable),
            (HttpResponse(status=302), UnexpectedRedirect),
        ],
    )
    def test_lost_answer_is_everybodys(self, answer: object, expected: type[SendError]) -> None:
        """Every message of the chunk ends alike, each in an error of its own."""
        verdicts = self.batch(None, answer)
        assert [type(found) for found in verdicts] == [expected] * 3
        assert len(set(map(id, verdicts))) == 3
        assert (verdicts[0].provider, verdicts[0].idempotency_key) == ("fake", "batch-1")

    def test_failure_to_understand_is_everybodys(self) -> None:
        """An exception after the commit makes every message unknown, with the answer kept."""
        verdicts = self.batch(ValueError("x"))
        assert [type(found) for found in verdicts] == [MaybeSent] * 3
        assert verdicts[2].response is OK

    def test_without_a_key_unknown_is_not_repeated(self) -> None:
        """The rule of single sends holds here too."""
        verdicts = self.batch(None, TransportFailure(Phase.SENT, "It broke."), key=None)
        assert not any(found.retriable for found in verdicts)
