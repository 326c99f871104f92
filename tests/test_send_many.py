"""Many messages: each has its outcome, in order, and no more are taken than are under way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any

import attrs
import pytest

import mailcore.providers
from mailcore import (
    Adapter,
    AdapterSpec,
    Capability,
    ConfigurationError,
    Context,
    HttpRequest,
    HttpResponse,
    Idempotency,
    InvalidMessage,
    Mailer,
    MaybeSent,
    Message,
    NotAccepted,
    Outcome,
    Phase,
    PluginHost,
    RecipientRejected,
    SendError,
    SendResult,
    SendStatus,
    Support,
    TransportFailure,
    UnsupportedFeature,
    hookimpl,
)
from mailcore.testing import RecordingTransport, outbox

OK = HttpResponse(status=200)
BROKEN = Message(from_="ada@example.com", to=[], text="Hello")


def message(number: int) -> Message:
    """Return a message that can be told from the others."""
    return Message(from_="ada@example.com", to=[f"{number}@example.com"], subject=str(number), text="Hello")


@attrs.frozen
class NoOptions:
    """There are none."""


class OneByOne(Adapter):
    """Send each message by itself; the request's URL is its number."""

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        """Return a request that names the message."""
        return HttpRequest(method="POST", url=f"https://api.example.com/{message.subject}")

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        """Take every answer for yes."""
        return SendResult.for_all(message, SendStatus.QUEUED, str(message.subject), raw=response)


class Batching(Adapter):
    """Send up to three messages in one request; what comes back is scripted."""

    def build_batch(self, messages: Sequence[Message], ctx: Context) -> HttpRequest:
        """Return a request that names the messages."""
        if any(item.subject == "99" for item in messages):
            raise UnsupportedFeature("Not this one.", field="subject", provider="fake")
        names = "-".join(str(item.subject) for item in messages)
        headers = [("Idempotency-Key", ctx.idempotency_key)] if ctx.idempotency_key else []
        return HttpRequest(method="POST", url=f"https://api.example.com/{names}", headers=headers)

    def parse_batch(
        self, messages: Sequence[Message], ctx: Context, response: HttpResponse
    ) -> Sequence[SendResult | SendError]:
        """Refuse odd numbers; leave out what the answer's body says."""
        verdicts: list[SendResult | SendError] = [
            RecipientRejected("Odd.")
            if int(str(item.subject)) % 2
            else SendResult.for_all(item, SendStatus.QUEUED, str(item.subject), raw=response)
            for item in messages
        ]
        return verdicts[: len(verdicts) - len(response.body)]


class Grouping(Batching):
    """Batches hold numbers below ten, or numbers from ten on; 50 goes alone."""

    def batch_group(self, message: Message) -> Hashable:
        """Return whether the number has two digits."""
        return None if message.subject == "50" else len(str(message.subject)) > 1

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        """Return a request that names the message."""
        return HttpRequest(method="POST", url=f"https://api.example.com/alone-{message.subject}")

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        """Take every answer for yes."""
        return SendResult.for_all(message, SendStatus.QUEUED, str(message.subject), raw=response)


KEYS = Idempotency(ttl=60, max_length=50, per_batch=True)


def make(
    adapter: type[Adapter],
    transport: Any,
    observer: object | None = None,
    idempotency: Idempotency | None = KEYS,
    limit: int = 3,
) -> Mailer:
    """Return a mailer of that adapter."""
    found = AdapterSpec(
        name="fake",
        factory=f"{__name__}:{adapter.__name__}",
        options=f"{__name__}:NoOptions",
        capabilities={Capability.BATCH: Support(limit=limit)} if issubclass(adapter, Batching) else {},
        idempotency=idempotency,
    )

    class Registering:
        @hookimpl
        def mailcore_register_adapters(self) -> Iterable[AdapterSpec]:
            return [found]

    plugins = {"fake": Registering(), **({"observer": observer} if observer else {})}
    host = PluginHost(plugins, installed=False)
    return Mailer.from_config(
        {"provider": "fake", "max_attempts": 1}, environ={}, host=host, transport=transport
    )


def number(request: HttpRequest) -> int:
    """Return the number of the message a request sends."""
    return int(request.url.rpartition("/")[2])


class TestOutcomes:
    """What comes back."""

    def test_order_is_that_of_the_messages(self) -> None:
        """The first message's outcome comes first, however long it takes."""
        second_done = threading.Event()

        def answer(request: HttpRequest) -> HttpResponse:
            if number(request) == 0:
                assert second_done.wait(5)
            if number(request) == 1:
                second_done.set()
            return OK

        outcomes = make(OneByOne, RecordingTransport(answer)).send_many(
            map(message, range(20)), concurrency=4
        )
        assert [outcome.unwrap().message_id for outcome in outcomes] == [str(n) for n in range(20)]

    def test_failures_stand_beside_results(self) -> None:
        """A message that fails has its error, and the others are sent."""

        def answer(request: HttpRequest) -> HttpResponse:
            if number(request) == 2:
                raise TransportFailure(Phase.SENT, "Lost.")
            return OK

        messages = [message(0), BROKEN, message(2), message(3)]
        outcomes = make(OneByOne, RecordingTransport(answer)).send_many(messages)
        assert [type(outcome.error) for outcome in outcomes] == [
            type(None),
            InvalidMessage,
            MaybeSent,
            type(None),
        ]
        assert [outcome.message for outcome in outcomes] == messages
        assert all((outcome.result is None) is not (outcome.error is None) for outcome in outcomes)

    def test_unwrap(self) -> None:
        """An outcome is as good as the call it stands for."""
        good, bad = make(OneByOne, RecordingTransport(OK)).send_many([message(0), BROKEN])
        assert good.unwrap() is good.result
        with pytest.raises(InvalidMessage):
            bad.unwrap()

    def test_nothing_to_send(self) -> None:
        """No message, no outcome."""
        assert make(OneByOne, RecordingTransport()).send_many([]) == []

    def test_each_send_has_its_own_key(self) -> None:
        """Messages sent together are as separate as messages sent apart."""
        outcomes = make(OneByOne, RecordingTransport(OK)).send_many([message(0)] * 5)
        assert len({outcome.unwrap().idempotency_key for outcome in outcomes}) == 5

    @pytest.mark.parametrize("adapter", [OneByOne, Batching])
    def test_observers_hear_of_each(self, adapter: type[Adapter]) -> None:
        """Every message is reported once, in its own outcome."""
        heard: list[tuple[Any, Any]] = []

        class Observer:
            @hookimpl
            def mailcore_send_finished(self, result: Any, error: Any) -> None:
                heard.append((result, error))

        outcomes = make(adapter, RecordingTransport(OK), Observer()).send_many(
            [message(0), BROKEN, message(2)]
        )
        assert {(id(result), id(error)) for result, error in heard} == {
            (id(outcome.result), id(outcome.error)) for outcome in outcomes
        }


class Gate:
    """Answer when told to, and count who waits."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.lock = threading.Lock()
        self.waiting = 0
        self.most = 0

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Hold the request until the gate is open."""
        with self.lock:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
        assert self.open.wait(5)
        with self.lock:
            self.waiting -= 1
        return OK


class Source:
    """Count the messages that are taken from it."""

    def __init__(self, count: int) -> None:
        self.taken = 0
        self.count = count

    def __iter__(self) -> Iterator[Message]:
        for each in range(self.count):
            self.taken += 1
            yield message(each)


class TestWindow:
    """How far ahead a mailer reads."""

    @pytest.mark.parametrize("adapter,size", [(OneByOne, 1), (Batching, 3)])
    @pytest.mark.parametrize("concurrency", [1, 2, 5])
    def test_is_bounded(self, adapter: type[Adapter], size: int, concurrency: int) -> None:
        """No more than `concurrency` chunks are taken and not yet handed back."""
        source = Source(60)
        sending = make(adapter, RecordingTransport(OK)).iter_send(source, concurrency=concurrency)
        assert source.taken == 0
        ahead = [source.taken - handed for handed, _ in enumerate(sending, 1)]
        assert source.taken == 60
        assert 0 <= max(ahead) < size * concurrency

    def test_concurrency(self) -> None:
        """That many requests are under way at once, and not more."""
        gate, together = Gate(), threading.Barrier(3)

        def answer(request: HttpRequest) -> HttpResponse:
            together.wait(10)  # passes only where three are under way at once
            gate.open.set()
            return gate(request)

        outcomes = make(OneByOne, RecordingTransport(answer)).send_many(Source(12), concurrency=3)
        assert [outcome.error for outcome in outcomes] == [None] * 12
        assert gate.most <= 3

    @pytest.mark.parametrize("concurrency", [0, -1])
    def test_at_least_one(self, concurrency: int) -> None:
        """A window of nothing is a wrong call."""
        with pytest.raises(ValueError, match="at least 1"):
            make(OneByOne, RecordingTransport(OK)).send_many(Source(1), concurrency=concurrency)


class TestAbandoned:
    """Iteration that ends early."""

    def test_finishes_what_is_under_way(self) -> None:
        """A request that left is waited for, and no other one is made."""
        gate = Gate()
        done: list[int] = []

        def answer(request: HttpRequest) -> HttpResponse:
            if number(request) == 0:
                return OK
            response = gate(request)
            done.append(number(request))
            return response

        transport = RecordingTransport(answer)
        sending = make(OneByOne, transport).iter_send(Source(50), concurrency=3)
        next(sending)
        opener = threading.Timer(0.05, gate.open.set)
        opener.start()
        sending.close()  # type: ignore[attr-defined]  # reason: an iterator that is a generator
        opener.join()
        assert sorted(done) == [1, 2]
        assert len(transport.requests) == 3

    def test_source_that_breaks(self) -> None:
        """What was taken before is sent to the end and handed back; then the source's error is raised."""

        def source() -> Iterator[Message]:
            yield message(0)
            yield message(1)
            raise LookupError("The list ends here.")

        transport = RecordingTransport(OK)
        sending = make(OneByOne, transport).iter_send(source(), concurrency=8)
        assert [next(sending).unwrap().message_id, next(sending).unwrap().message_id] == ["0", "1"]
        with pytest.raises(LookupError):
            next(sending)


class TestBatch:
    """A provider that takes several messages in one request."""

    def test_is_chunked_by_its_limit(self) -> None:
        """Seven messages at three a request are three requests."""
        transport = RecordingTransport(OK)
        outcomes = make(Batching, transport).send_many(map(message, range(7)), concurrency=1)
        assert [request.url.rpartition("/")[2] for request in transport.requests] == ["0-1-2", "3-4-5", "6"]
        kinds = [type(outcome.error) for outcome in outcomes]
        assert kinds == [type(None), RecipientRejected] * 3 + [type(None)]

    def test_holds_one_group(self) -> None:
        """What cannot stand beside each other is in requests of its own, and the order stays."""
        transport = RecordingTransport(OK)
        numbers = [2, 14, 4, 50, 12]
        outcomes = make(Grouping, transport, limit=9).send_many(map(message, numbers))
        sent = [request.url.rpartition("/")[2] for request in transport.requests]
        assert sent == ["alone-50", "2-4", "14-12"]
        assert [outcome.unwrap().message_id for outcome in outcomes] == [str(n) for n in numbers]

    def test_refused_messages_are_not_in_the_request(self) -> None:
        """What cannot be sent is left out, and the others keep their verdicts."""
        transport = RecordingTransport(OK)
        outcomes = make(Batching, transport).send_many([BROKEN, message(2), message(3)])
        assert [request.url.rpartition("/")[2] for request in transport.requests] == ["2-3"]
        assert [type(outcome.error) for outcome in outcomes] == [
            InvalidMessage,
            type(None),
            RecipientRejected,
        ]

    def test_nothing_valid_is_no_request(self) -> None:
        """A chunk of which nothing is left is not sent."""
        transport = RecordingTransport()
        assert len(make(Batching, transport).send_many([BROKEN] * 3)) == 3
        assert transport.requests == []

    def test_has_one_key(self) -> None:
        """The request has a key of its own, and every result of it names that key."""
        transport = RecordingTransport(OK)
        outcomes = make(Batching, transport).send_many(map(message, range(3)))
        (request,) = transport.requests
        keys = {outcome.result.idempotency_key for outcome in outcomes if outcome.result}
        assert keys == {dict(request.headers)["Idempotency-Key"]}

    def test_error_names_no_key(self) -> None:
        """A single message sent under the batch's key would be taken for the batch: no error offers it."""
        transport = RecordingTransport(TransportFailure(Phase.SENT, "Lost."))
        outcomes = make(Batching, transport).send_many(map(message, range(3)))
        assert [outcome.error.idempotency_key for outcome in outcomes] == [None] * 3
        assert [outcome.error.retriable for outcome in outcomes] == [False] * 3

    def test_own_key_goes_alone(self, host: PluginHost) -> None:
        """A message with a key of its caller's is sent by itself, so that repeating it sends it once."""
        mailer = Mailer.from_config({"provider": "memory"}, environ={}, host=host)
        keyed = [attrs.evolve(message(number), idempotency_key=f"key-{number}") for number in range(2)]
        first = mailer.send_many([*keyed, message(2)])
        again = mailer.send_many(keyed)
        assert [item.unwrap().message_id for item in again] == [
            item.unwrap().message_id for item in first[:2]
        ]
        assert len(outbox(mailer)) == 3

    def test_has_no_key_where_it_is_no_use(self) -> None:
        """A provider without keys is sent none, and an unknown outcome is not to be repeated."""
        transport = RecordingTransport(TransportFailure(Phase.SENT, "Lost."))
        (outcome,) = make(Batching, transport, idempotency=None).send_many([message(0)])
        assert transport.requests[0].headers == ()
        assert isinstance(outcome.error, MaybeSent)
        assert (outcome.error.idempotency_key, outcome.error.retriable) == (None, False)

    def test_lost_answer(self) -> None:
        """Nobody can tell of any message of the chunk whether it was sent."""
        transport = RecordingTransport(TransportFailure(Phase.SENT, "Lost."))
        outcomes = make(Batching, transport).send_many(map(message, range(3)))
        assert [outcome.error.outcome for outcome in outcomes if isinstance(outcome.error, SendError)] == [
            Outcome.UNKNOWN
        ] * 3

    @pytest.mark.rule("N-G7")
    def test_short_answer(self) -> None:
        """A missing verdict leaves its message unknown, not queued."""
        outcomes = make(Batching, RecordingTransport(HttpResponse(status=200, body=b"x"))).send_many(
            [message(0), message(2)]
        )
        assert [type(outcome.error) for outcome in outcomes] == [type(None), MaybeSent]

    @pytest.mark.parametrize(
        "messages,answer,expected",
        [
            ([message(0), message(99)], OK, UnsupportedFeature),
            ([message(0), message(2)], ConfigurationError("http is not https."), ConfigurationError),
        ],
    )
    def test_refused_whole(self, messages: list[Message], answer: object, expected: type[Exception]) -> None:
        """An error before anything was sent is each message's outcome, as it is for a single send."""
        outcomes = make(Batching, RecordingTransport(answer)).send_many(messages)
        assert [type(outcome.error) for outcome in outcomes] == [expected, expected]

    def test_memory_provider(self, host: PluginHost) -> None:
        """The built-in provider takes batches of a hundred, each message under an id of its own."""
        mailer = Mailer.from_config({"provider": "memory"}, environ={}, host=host)
        outcomes = mailer.send_many(map(message, range(250)))
        assert len({outcome.unwrap().message_id for outcome in outcomes}) == 250
        assert sorted(int(str(kept.subject)) for kept in outbox(mailer)) == list(range(250))

    def test_own_key_is_asked_about_once(self) -> None:
        """A plugin is asked once about each message of a batch, also about one that is sent alone."""
        asked: list[str | None] = []

        class Asking:
            @hookimpl
            def mailcore_before_send(self, message: Message) -> None:
                asked.append(message.subject)

        providers = PluginHost({"builtin": mailcore.providers, "asking": Asking()}, installed=False)
        mailer = Mailer.from_config({"provider": "memory"}, environ={}, host=providers)
        keyed = attrs.evolve(message(0), idempotency_key="key-0")
        assert all(outcome.result for outcome in mailer.send_many([keyed, message(1)]))
        assert asked == ["0", "1"]

    @pytest.mark.parametrize("adapter", [OneByOne, Batching])
    def test_foreign_error_is_one_outcome(self, adapter: type[Adapter]) -> None:
        """What is no message ends as an outcome of its own; the others' are not lost."""
        outcomes = make(adapter, RecordingTransport(OK)).send_many([message(0), "oops", message(1)])  # type: ignore[list-item]  # reason: the mistake
        assert isinstance(outcomes[1].error, NotAccepted)
        assert not outcomes[1].error.retriable
        assert "TypeError" in str(outcomes[1].error)
        assert len(outcomes) == 3


class TestSingleCaller:
    """A mailer shared by threads."""

    def test_send_from_many_threads(self) -> None:
        """Each thread gets the result of its own message."""
        mailer = make(OneByOne, RecordingTransport(OK))
        found: dict[int, str | None] = {}

        def work(each: int) -> None:
            found[each] = mailer.send(message(each)).message_id

        run_all(work, range(32))
        assert found == {each: str(each) for each in range(32)}


def run_all(work: Callable[[int], object], numbers: Iterable[int]) -> None:
    """Call `work` with each number, each in a thread."""
    threads = [threading.Thread(target=work, args=(each,)) for each in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
