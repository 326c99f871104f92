"""What is promised of a mailer holds in an event loop too; what only a loop has is promised here."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

import mailcore.providers
from mailcore import (
    Adapter,
    AdapterSpec,
    AsyncMailer,
    Capability,
    Context,
    HttpRequest,
    HttpResponse,
    Idempotency,
    MailcoreError,
    Mailer,
    MaybeSent,
    Message,
    NotAccepted,
    Phase,
    PluginHost,
    SendError,
    SendOutcome,
    SendResult,
    SendStatus,
    Support,
    TransportFailure,
    error_for_status,
    hookimpl,
)
from mailcore._pip import pip_install
from mailcore._transport import Deadline
from mailcore.testing import RecordingTransport, outbox

START = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
MESSAGE = Message(from_="ada@example.com", to="bob@example.com", subject="0", text="Hello")
OK = HttpResponse(status=200, body=b"{}")
DOWN = HttpResponse(status=503)
LOST = TransportFailure(Phase.SENT, "The answer was lost.")


def mail(number: int) -> Message:
    """Return a message that can be told from the others."""
    return attrs.evolve(MESSAGE, subject=str(number))


@attrs.frozen
class NoOptions:
    """There are none."""


class Fake(Adapter):
    """Puts all it knows into the request, as an adapter that writes MIME would."""

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        """Return a request whose body has a date and a boundary."""
        body = f"Date: {ctx.created:%c}\r\nboundary={ctx.unique}\r\n{message.subject}".encode()
        headers = [("Idempotency-Key", ctx.idempotency_key or "")]
        return HttpRequest(
            method="POST", url=f"https://a.example/{message.subject}", headers=headers, body=body
        )

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        """Take 200 for a yes."""
        if response.status != 200:
            raise error_for_status(response, now=ctx.now)
        json.loads(response.body)
        return SendResult.for_all(message, SendStatus.QUEUED, f"id-{message.subject}", raw=response)

    def build_batch(self, messages: Sequence[Message], ctx: Context) -> HttpRequest:
        """Return one request for all."""
        names = "-".join(str(message.subject) for message in messages)
        return HttpRequest(method="POST", url=f"https://a.example/{names}", body=b"{}")

    def parse_batch(self, messages: Sequence[Message], ctx: Context, response: HttpResponse) -> list[Any]:
        """Give each message the same answer."""
        return [self.parse_send(message, ctx, response) for message in messages]


class AsyncRecording:
    """A recording transport that lets the loop go on before it answers."""

    def __init__(self, *answers: Any) -> None:
        self.inner = RecordingTransport(*answers)

    async def exchange(self, request: Any, *, deadline: Deadline) -> Any:
        """Answer from the script; wait for an answer that is a coroutine."""
        await asyncio.sleep(0)
        found = self.inner.exchange(request, deadline=deadline)
        return await found if asyncio.iscoroutine(found) else found

    async def close(self) -> None:
        """Note that it was closed."""
        self.inner.close()


class World:
    """A clock that goes on when somebody sleeps, and what the observers were told."""

    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []
        self.told: list[Any] = []

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    async def async_sleep(self, seconds: float) -> None:
        """Let time pass, in a loop."""
        self.sleep(seconds)

    @hookimpl
    def mailcore_request_prepared(self, request: Any) -> None:
        """Note a request."""
        self.told.append(("asked", request.url))

    @hookimpl
    def mailcore_response_received(self, response: Any) -> None:
        """Note a response."""
        self.told.append(("answered", response.status))

    @hookimpl
    def mailcore_send_finished(self, message: Message, result: Any, error: Any) -> None:
        """Note the end."""
        self.told.append((message.subject, ended(result or error)))


def host(world: World, *, batch: bool = False) -> PluginHost:
    """Return a host with the fake provider and the world as observer."""
    spec = AdapterSpec(
        name="fake",
        factory=f"{__name__}:Fake",
        options=f"{__name__}:NoOptions",
        idempotency=Idempotency(ttl=86400, max_length=255),
        capabilities={
            Capability.IDEMPOTENCY_KEY: Support(),
            **({Capability.BATCH: Support(limit=3)} if batch else {}),
        },
    )

    class Registering:
        @hookimpl
        def mailcore_register_adapters(self) -> Iterable[AdapterSpec]:
            return [spec]

    return PluginHost({"fake": Registering(), "world": world}, installed=False)


def make(*answers: Any, batch: bool = False, **config: Any) -> tuple[AsyncMailer, RecordingTransport, World]:
    """Return an asynchronous mailer, what carries its requests, and its world."""
    world, transport = World(), AsyncRecording(*answers)
    made = AsyncMailer.from_config(
        {"provider": "fake", **config}, environ={}, host=host(world, batch=batch), transport=transport,
        clock=lambda: world.now, sleep=world.async_sleep, random=lambda: 1.0,
    )  # fmt: skip
    return made, transport.inner, world


def make_plain(*answers: Any, **config: Any) -> tuple[Mailer, RecordingTransport, World]:
    """Return the same for code that waits."""
    world, transport = World(), RecordingTransport(*answers)
    made = Mailer.from_config(
        {"provider": "fake", **config}, environ={}, host=host(world), transport=transport,
        clock=lambda: world.now, sleep=world.sleep, random=lambda: 1.0,
    )  # fmt: skip
    return made, transport, world


def ended(found: Any) -> Any:
    """Return all that a caller can read in a result or error."""
    if isinstance(found, SendError):
        return (
            type(found), str(found), found.outcome, found.scope, found.retriable, found.retry_after,
            found.attempts, found.idempotency_key, found.provider,
        )  # fmt: skip
    return (type(found), str(found)) if isinstance(found, Exception) else found


def caught(work: Callable[[], Any]) -> Any:
    """Return how a send ended."""
    try:
        return ended(work())
    except MailcoreError as error:
        return ended(error)


SCRIPTS: Mapping[str, Sequence[Any]] = {
    "accepted": [OK],
    **{str(status): [HttpResponse(status=status)] for status in (301, 400, 401, 403, 409, 422, 500)},
    "slow down": [HttpResponse(status=429, headers={"Retry-After": "7"}), OK],
    "slow down, for long": [HttpResponse(status=429, headers={"Retry-After": "600"})],
    **{f"lost while {phase.value}": [TransportFailure(phase, "Lost.")] for phase in Phase},
    **{f"lost while {phase.value}, once": [TransportFailure(phase, "Lost."), OK] for phase in Phase},
    "garbage": [HttpResponse(status=200, body=b"\xff{")],
    "down, lost, accepted": [DOWN, LOST, OK],
    "lost, then rejected": [LOST, HttpResponse(status=400)],
    "stray error": [RuntimeError("stray"), OK],
}


class TestParity:
    """The same answers."""

    @pytest.mark.parametrize("name", SCRIPTS)
    @pytest.mark.parametrize("config", [{}, {"max_attempts": 1}, {"deadline": 0.7}], ids=str)
    def test_end_the_same(self, name: str, config: Mapping[str, Any]) -> None:
        """In the same result or error, after the same requests and pauses; observers are told the same."""
        plain, sent, world = make_plain(*SCRIPTS[name], **config)
        made, async_sent, async_world = make(*SCRIPTS[name], **config)
        key = "order-7"
        first = caught(lambda: plain.send(MESSAGE, idempotency_key=key))
        second = caught(lambda: asyncio.run(made.send(MESSAGE, idempotency_key=key)))
        assert first == second
        assert world.slept == async_world.slept
        assert world.told == async_world.told
        assert sent.requests == async_sent.requests

    @pytest.mark.parametrize("name", SCRIPTS)
    def test_many_end_the_same(self, name: str) -> None:
        """Also in `send_many`, one message after the other."""
        plain, _, world = make_plain(*SCRIPTS[name])
        made, _, async_world = make(*SCRIPTS[name])
        messages = [attrs.evolve(mail(n), idempotency_key=f"key-{n}") for n in range(3)]
        first = plain.send_many(messages, concurrency=1)
        second = asyncio.run(made.send_many(messages, concurrency=1))
        assert [ended(one.result or one.error) for one in first] == [
            ended(one.result or one.error) for one in second
        ]
        assert world.told == async_world.told

    def test_preview(self) -> None:
        """It needs no loop, and sends nothing."""
        made, transport, _ = make(OK)
        assert made.preview(MESSAGE).commits
        assert transport.requests == []


class Source:
    """Count the messages that are taken, and raise at the end where it should."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.taken = 0
        self.count = count
        self.error = error

    def __iter__(self) -> Iterator[Message]:
        for number in range(self.count):
            self.taken += 1
            yield mail(number)
        if self.error:
            raise self.error


class Slow:
    """Answer the first request at once, and the others when the gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.waiting = asyncio.Semaphore(0)
        self.done: list[str] = []
        self.cancelled: list[str] = []

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Note how each ends."""
        if request.url.endswith("/0"):
            return OK
        self.waiting.release()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.append(request.url)
            raise
        self.done.append(request.url)
        return OK


class Lifted:
    """An asynchronous iterable that is no other."""

    def __init__(self, source: Source) -> None:
        self.source = source

    async def __aiter__(self) -> AsyncIterator[Message]:
        for message in self.source:
            await asyncio.sleep(0)
            yield message


KINDS = pytest.mark.parametrize("lift", [lambda source: source, Lifted], ids=["plain", "asynchronous"])


class TestMany:
    """Many messages."""

    @KINDS
    def test_order_is_that_of_the_messages(self, lift: Any) -> None:
        """The first message's outcome comes first, however long it takes."""

        async def work() -> list[SendOutcome]:
            second_done = asyncio.Event()

            async def answer(request: HttpRequest) -> HttpResponse:
                if request.url.endswith("/0"):
                    await asyncio.wait_for(second_done.wait(), 5)
                if request.url.endswith("/1"):
                    second_done.set()
                return OK

            return await make(answer)[0].send_many(lift(Source(20)), concurrency=4)

        found = asyncio.run(work())
        assert [outcome.unwrap().message_id for outcome in found] == [f"id-{n}" for n in range(20)]

    @KINDS
    @pytest.mark.parametrize("batch,size", [(False, 1), (True, 3)])
    @pytest.mark.parametrize("concurrency", [1, 2, 5])
    def test_window_is_bounded(self, lift: Any, concurrency: int, size: int, *, batch: bool) -> None:
        """No more than `concurrency` chunks are taken and not yet handed back."""
        source = Source(30)

        async def work() -> list[int]:
            sending = make(OK, batch=batch)[0].iter_send(lift(source), concurrency=concurrency)
            assert source.taken == 0
            ahead, handed = [], 0
            async for _ in sending:
                handed += 1
                ahead.append(source.taken - handed)
            return ahead

        ahead = asyncio.run(work())
        assert source.taken == 30
        assert 0 <= max(ahead) < size * concurrency

    def test_concurrency(self) -> None:
        """That many requests are under way at once, and not more."""
        under_way = most = 0

        async def work() -> list[SendOutcome]:
            together = asyncio.Event()

            async def answer(request: HttpRequest) -> HttpResponse:
                nonlocal under_way, most
                under_way += 1
                most = max(most, under_way)
                if under_way == 3:
                    together.set()
                await asyncio.wait_for(together.wait(), 5)
                await asyncio.sleep(0)
                under_way -= 1
                return OK

            return await make(answer)[0].send_many(Source(12), concurrency=3)

        assert [outcome.error for outcome in asyncio.run(work())] == [None] * 12
        assert most == 3

    @KINDS
    def test_source_that_breaks(self, lift: Any) -> None:
        """What was taken before is sent and handed back; then the source's error is raised."""
        sending = make(OK)[0].iter_send(lift(Source(2, LookupError("end"))))

        async def work() -> list[str | None]:
            found = [(await anext(sending)).unwrap().message_id for _ in range(2)]
            with pytest.raises(LookupError):
                await anext(sending)
            return found

        assert asyncio.run(work()) == ["id-0", "id-1"]

    def test_at_least_one(self) -> None:
        """A window of nothing is a wrong call."""
        with pytest.raises(ValueError, match="at least 1"):
            asyncio.run(make(OK)[0].send_many(Source(1), concurrency=0))

    def test_nothing_to_send(self) -> None:
        """No message, no outcome."""
        assert asyncio.run(make()[0].send_many([])) == []

    def test_foreign_error_is_one_outcome(self) -> None:
        """What is no message ends as an outcome of its own."""
        found = asyncio.run(make(OK)[0].send_many([mail(0), "oops", mail(1)]))  # type: ignore[list-item]  # reason: the mistake
        assert [type(outcome.error) for outcome in found] == [type(None), NotAccepted, type(None)]

    def test_closed(self) -> None:
        """What is under way is finished first, and no other message is taken."""
        source, slow = Source(50), Slow()

        async def work() -> None:
            async with aclosing(make(slow)[0].iter_send(source, concurrency=3)) as outcomes:
                await anext(outcomes)
                asyncio.get_running_loop().call_later(0.02, slow.gate.set)

        asyncio.run(work())
        assert (len(slow.done), len(slow.cancelled), source.taken) == (2, 0, 3)

    def test_cancelled(self) -> None:
        """Cancelling cancels what is under way, and takes no other message."""
        source, slow = Source(50), Slow()

        async def work() -> None:
            task = asyncio.create_task(make(slow)[0].send_many(source, concurrency=3))
            for _ in range(3):  # the last one is taken when the first outcome was handed over
                await slow.waiting.acquire()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(work())
        assert (len(slow.done), len(slow.cancelled), source.taken) == (0, 3, 4)

    def test_batches(self) -> None:
        """Seven messages at three a request are three requests."""
        made, transport, _ = make(OK, batch=True)
        found = asyncio.run(made.send_many(map(mail, range(7)), concurrency=1))
        assert [request.url.rpartition("/")[2] for request in transport.requests] == ["0-1-2", "3-4-5", "6"]
        assert [outcome.unwrap().message_id for outcome in found] == [f"id-{n}" for n in range(7)]


class TestInterrupted:
    """A send that is stopped from outside."""

    def test_cancelled(self) -> None:
        """The cancellation passes through; observers are told that it may have been sent, with its key."""

        async def work() -> World:
            asked = asyncio.Event()

            async def answer(request: HttpRequest) -> HttpResponse:
                asked.set()
                await asyncio.Event().wait()
                raise AssertionError

            made, _, world = make(answer)
            task = asyncio.create_task(made.send(MESSAGE, idempotency_key="order-7"))
            await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return world

        self.assert_told(asyncio.run(work()))

    def test_interrupted(self) -> None:
        """Somebody who presses Ctrl-C is told no less."""
        plain, _, world = make_plain(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            plain.send(MESSAGE, idempotency_key="order-7")
        self.assert_told(world)

    def assert_told(self, world: World) -> None:
        """Look at what the observers heard last."""
        subject, told = world.told[-1]
        assert (subject, told[0], told[4], told[7]) == ("0", MaybeSent, True, "order-7")
        assert [name for name, _ in world.told].count("0") == 1


class TestCreated:
    """A mail that waited in a queue."""

    def requests(self, name: str, *times: datetime) -> list[Any]:
        """Send one mail under one key at these times, each from a new mailer; return the requests."""
        found = []
        for now in times:
            if name == "fake":
                made, transport, world = make(OK)
                world.now = now
            else:
                mailpace = pytest.importorskip("mailcore_mailpace")
                recording = AsyncRecording(HttpResponse(status=200, body=b'{"id":1,"status":"queued"}'))
                transport = recording.inner
                made = AsyncMailer.from_config(
                    {"provider": "mailpace", "api_key": "k"}, environ={}, transport=recording,
                    host=PluginHost({"mailpace": mailpace}, installed=False),
                    clock=lambda now=now: now,  # type: ignore[misc]  # reason: bound now
                )  # fmt: skip
            asyncio.run(made.send(MESSAGE, idempotency_key="order-7", created=START))
            (request,) = transport.requests
            body = request.body if isinstance(request.body, bytes) else b"".join(request.body)
            found.append((request.url, request.headers, body))
        return found

    @pytest.mark.parametrize("name", ["fake", "mailpace"])
    def test_is_the_same_mail(self, name: str) -> None:
        """Whenever it is sent again under its key, it is the same, byte for byte."""
        first, second = self.requests(name, START, START + timedelta(hours=3))
        assert first == second

    @pytest.mark.parametrize("age,requests", [(timedelta(0), 2), (timedelta(days=2), 1)])
    def test_old_key_is_not_relied_on(self, age: timedelta, requests: int) -> None:
        """A lost answer is asked for again only while the provider remembers the key."""
        made, transport, _ = make(LOST, OK)
        sending = made.send(MESSAGE, idempotency_key="order-7", created=START - age)
        if requests == 1:
            with pytest.raises(MaybeSent):
                asyncio.run(sending)
        else:
            asyncio.run(sending)
        assert len(transport.requests) == requests

    def test_needs_a_time_zone(self) -> None:
        """A time that could be any is none."""
        made, transport, _ = make(OK)
        with pytest.raises(ValueError, match=r"aware|zone"):
            asyncio.run(made.send(MESSAGE, created=datetime(2030, 1, 1)))  # noqa: DTZ001  # reason: the mistake
        assert transport.requests == []


class TestLife:
    """How a mailer is made and closed."""

    def builtin(self) -> PluginHost:
        """Return a host with the built-in providers."""
        return PluginHost({"builtin": mailcore.providers}, installed=False)

    def test_from_url(self) -> None:
        """As `Mailer.from_url`; one mailer serves several loops, one after the other."""
        made = AsyncMailer.from_url("memory://?deadline=7", environ={}, host=self.builtin())
        assert made.settings.deadline == 7.0
        for number in range(3):
            asyncio.run(made.send(mail(number)))
        assert [message.subject for message in outbox(made)] == ["0", "1", "2"]  # type: ignore[arg-type]  # reason: it keeps one too

    def test_given_transport_stays_open(self) -> None:
        """It is its giver's to close."""
        made, transport, _ = make(OK)

        async def work() -> None:
            async with made:
                await made.send(MESSAGE)

        asyncio.run(work())
        assert transport.closed == 0

    def test_made_transport_is_closed(self) -> None:
        """A block closes what the mailer opened."""
        closed: list[str] = []

        async def work() -> None:
            async with AsyncMailer.from_config(
                {"provider": "memory"}, environ={}, host=self.builtin()
            ) as made:
                await made.send(MESSAGE)
                (transport,) = made._carrier._made.values()
                inner = transport.close

                async def close() -> None:
                    closed.append("closed")
                    await inner()

                transport.close = close  # type: ignore[method-assign]  # reason: a spy

        asyncio.run(work())
        assert closed == ["closed"]

    def test_tasks_share_one(self) -> None:
        """Each gets the result of its own message."""

        async def work() -> list[SendResult]:
            made, _, _ = make(OK)
            return await asyncio.gather(*(made.send(mail(number)) for number in range(32)))

        assert [found.message_id for found in asyncio.run(work())] == [f"id-{n}" for n in range(32)]

    def test_without_aiohttp(self) -> None:
        """Sending over HTTP says which package is missing, and how to get it; nothing was sent."""
        pytest.importorskip("mailcore_mailpace")
        program = (
            "import sys, asyncio; sys.modules['aiohttp'] = None\n"
            "from mailcore import AsyncMailer, Message, MissingDependency\n"
            "mailer = AsyncMailer.from_config({'provider': 'mailpace', 'api_key': 'k'}, environ={})\n"
            "mail = Message(from_='a@example.com', to='b@example.com', text='x')\n"
            "try: asyncio.run(mailer.send(mail))\n"
            "except MissingDependency as error: print(error)\n"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert f"Run: {pip_install('mailcore-esp', 'aiohttp')}\n" in done.stdout
