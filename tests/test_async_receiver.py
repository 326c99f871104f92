"""What is promised of a receiver holds in an event loop too; and a handler may be a coroutine function."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from mailcore import (
    Adapter,
    AdapterSpec,
    AsyncWebhookReceiver,
    Claim,
    Context,
    Covers,
    Disposition,
    EndpointKind,
    EventType,
    InboundMessage,
    MemoryReplayStore,
    MissingOption,
    PluginHost,
    Quarantined,
    Spooled,
    TrackingEvent,
    Verification,
    VerifiedWebhook,
    WebhookReceiver,
    WebhookRejected,
    WebhookRequest,
    hookimpl,
)
from mailcore._config import configuration
from mailcore.stores.folder import SpoolFolder

NOW = datetime(2030, 1, 31, 9, tzinfo=UTC)
TRACKING, INBOUND = EndpointKind.TRACKING, EndpointKind.INBOUND


@attrs.frozen
class NoOptions:
    """There are none."""


class Fake(Adapter):
    """Takes a body for genuine unless it says forged; an event is named by its body."""

    webhook_covers = Covers.BODY  # type: ignore[assignment]  # reason: it is always so

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Verification:
        """Prove it, signed when it was received, or a day before."""
        if request.body == b"forged":
            raise WebhookRejected("The signature is wrong.")
        old = timedelta(days=request.body == b"old")
        return Verification(scheme="none", covers=Covers.BODY, signed_at=request.received_at - old)

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        """Take the shape from the body."""
        return {b"mail": INBOUND, b"odd": None}.get(webhook.request.body, TRACKING)

    def parse_events(self, webhook: VerifiedWebhook) -> list[TrackingEvent]:
        """Give one event."""
        return [TrackingEvent(event_type=EventType.DELIVERED, event_id=webhook.request.body.decode())]

    def parse_inbound(self, webhook: VerifiedWebhook) -> list[InboundMessage]:
        """Give one mail."""
        return [InboundMessage(raw=b"Subject: Hi\r\n\r\nHello", event_id="mail")]


def delivery(body: bytes = b"1", **changes: Any) -> WebhookRequest:
    """Return a delivery."""
    return WebhookRequest(**{"body": body, "received_at": NOW, **changes})


class Observer:
    """Note what became of deliveries."""

    def __init__(self) -> None:
        self.finished: list[Disposition] = []

    @hookimpl
    def mailcore_webhook_finished(self, disposition: Disposition) -> None:
        """Note one."""
        self.finished.append(disposition)


def make(kind: type[Any], on_event: Any, *, config: Mapping[str, Any] | None = None, **how: Any) -> Any:
    """Return a receiver of that kind, and its observer."""
    spec = AdapterSpec(name="fake", factory=f"{__name__}:Fake", options=f"{__name__}:NoOptions")
    observer = Observer()
    found = configuration({"max_event_bytes": 100, "max_age": 60, **(config or {})}, spec=spec, environ={})
    receiver = kind(
        found, on_event=on_event, host=PluginHost({"observer": observer}, installed=False),
        clock=lambda: NOW, **{"on_inbound": on_event, **how},
    )  # fmt: skip
    return receiver, observer


def run(receiver: Any, request: WebhookRequest, kind: EndpointKind = TRACKING) -> Any:
    """Receive a delivery with either kind of receiver."""
    found = receiver.receive(request, kind=kind)
    return asyncio.run(found) if isinstance(receiver, AsyncWebhookReceiver) else found


DELIVERIES: Mapping[str, WebhookRequest] = {
    "accepted": delivery(),
    "odd shape": delivery(b"odd"),
    "misrouted": delivery(b"mail"),
    "stale": delivery(b"old"),
    "forged": delivery(b"forged"),
    "too large": delivery(b"x" * 101),
    "said to be too large": delivery(headers={"Content-Length": "101"}),
    "HEAD": delivery(method="HEAD"),
    "GET": delivery(method="GET"),
    "gzip": delivery(headers={"Content-Encoding": "gzip"}),
}


class TestParity:
    """The same deliveries."""

    @pytest.mark.parametrize("name", DELIVERIES)
    @pytest.mark.parametrize("replay", [False, True])
    @pytest.mark.parametrize("down", [False, True])
    @pytest.mark.parametrize("spooling", [False, True])
    @pytest.mark.parametrize("coroutine", [False, True])
    def test_end_the_same(
        self, name: str, tmp_path: Path, *, replay: bool, down: bool, spooling: bool, coroutine: bool
    ) -> None:
        """Twice the same one: in the same answers, the same calls, and the same places where it waits."""
        found = []
        for kind in (WebhookReceiver, AsyncWebhookReceiver):
            handled: list[Any] = []

            def handle(item: Any, handled: list[Any] = handled) -> None:
                handled.append(item.event_id)
                if down:
                    raise ConnectionError("The database is down.")

            async def handle_async(item: Any, handle: Callable[[Any], None] = handle) -> None:
                await asyncio.sleep(0)
                handle(item)

            folder = tmp_path / kind.__name__
            receiver, observer = make(
                kind,
                handle_async if coroutine and kind is AsyncWebhookReceiver else handle,
                replay_store=MemoryReplayStore() if replay else None,
                spool=SpoolFolder(folder) if spooling else None,
            )
            answers = [run(receiver, DELIVERIES[name]) for _ in range(2)]
            kept = [quarantined.reason for quarantined in receiver.quarantined]
            waiting = [one.webhook.request.body for one in SpoolFolder(folder)] if spooling else []
            found.append((answers, observer.finished, handled, kept, waiting))
        assert found[0] == found[1]

    def test_halves(self) -> None:
        """`verify` and `dispatch` are those of the other one."""
        handled: list[str] = []
        receiver, _ = make(AsyncWebhookReceiver, lambda event: handled.append(event.event_id))

        async def work() -> Disposition:
            verified = await receiver.verify(delivery())
            found: Disposition = await receiver.dispatch(verified)
            return found

        assert asyncio.run(work()) is Disposition.ACCEPTED
        assert handled == ["1"]

    def test_unknown_kind(self) -> None:
        """A wrong call is one in a loop as well."""
        receiver, _ = make(AsyncWebhookReceiver, print)
        with pytest.raises(ValueError, match="tracking"):
            asyncio.run(receiver.receive(delivery(), kind="trackin"))


class TestHandlers:
    """Functions of the user's."""

    def test_plain_ones_run_in_a_thread(self) -> None:
        """One that blocks does not hold up the loop: what it waits for happens there."""
        release = threading.Event()

        def handle(event: TrackingEvent) -> None:
            assert threading.current_thread() is not threading.main_thread()
            assert release.wait(5)

        receiver, _ = make(AsyncWebhookReceiver, handle)

        async def work() -> int:
            task = asyncio.create_task(receiver.receive(delivery(), kind=TRACKING))
            await asyncio.sleep(0)
            release.set()
            return int((await task).status)

        assert asyncio.run(work()) == 200

    def test_coroutine_functions_run_in_the_loop(self) -> None:
        """And so do objects and partial functions that return something to wait for."""
        loops: list[object] = []

        class Handler:
            async def __call__(self, event: TrackingEvent) -> None:
                loops.append(asyncio.get_running_loop())

        receiver, _ = make(AsyncWebhookReceiver, Handler())
        assert run(receiver, delivery()).status == 200
        assert len(loops) == 1

    @pytest.mark.parametrize("coroutine", [False, True])
    def test_one_that_finds_nothing(self, *, coroutine: bool) -> None:
        """A `next` without an answer in a handler is an error like any other; nobody waits for ever."""

        def handle(event: TrackingEvent) -> None:
            next(iter(()))

        async def handle_async(event: TrackingEvent) -> None:
            handle(event)

        receiver, _ = make(AsyncWebhookReceiver, handle_async if coroutine else handle)

        async def work() -> int:
            found = await asyncio.wait_for(receiver.receive(delivery(), kind=TRACKING), 5)
            return int(found.status)

        assert asyncio.run(work()) == 503

    def test_cancelled_one_gives_its_claim_back(self) -> None:
        """A client that hangs up ends the task; what it sends again is handled."""
        handled: list[str] = []

        async def work() -> int:
            begun = asyncio.Event()

            async def handle(event: TrackingEvent) -> None:
                if not begun.is_set():
                    begun.set()
                    await asyncio.Event().wait()
                handled.append(event.event_id)

            receiver, _ = make(AsyncWebhookReceiver, handle, replay_store=MemoryReplayStore())
            task = asyncio.create_task(receiver.receive(delivery(), kind=TRACKING))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return int((await receiver.receive(delivery(), kind=TRACKING)).status)

        assert asyncio.run(work()) == 200
        assert handled == ["1"]

    def test_asynchronous_stores(self) -> None:
        """Replay store, spool and quarantine may have coroutine functions."""
        spool, claims = AsyncSpool(), AsyncClaims()
        kept: list[Quarantined] = []

        async def keep(quarantined: Quarantined) -> None:
            kept.append(quarantined)

        down = [True]

        async def handle(event: TrackingEvent) -> None:
            if down[0]:
                raise ConnectionError

        receiver, observer = make(
            AsyncWebhookReceiver, handle, spool=spool, replay_store=claims, on_quarantine=keep
        )

        async def work() -> list[int]:
            await receiver.receive(delivery(b"odd"), kind=TRACKING)
            await receiver.receive(delivery(), kind=TRACKING)
            first = await receiver.drain()
            down[0] = False
            return [first, await receiver.drain(), await receiver.drain()]

        assert asyncio.run(work()) == [0, 1, 0]
        assert [one.webhook.request.body for one in kept] == [b"odd"]
        assert claims.calls == ["claim", "commit", "claim", "release", "claim", "release", "claim", "commit"]
        assert observer.finished == [Disposition.QUARANTINED, Disposition.ACCEPTED, Disposition.ACCEPTED]


class AsyncClaims:
    """A replay store for a loop."""

    def __init__(self) -> None:
        self.inner = MemoryReplayStore()
        self.calls: list[str] = []

    async def claim(self, key: str, ttl: float) -> Claim:
        """Claim it."""
        self.calls.append("claim")
        return self.inner.claim(key, ttl)

    async def commit(self, key: str) -> None:
        """Commit it."""
        self.calls.append("commit")
        self.inner.commit(key)

    async def release(self, key: str) -> None:
        """Release it."""
        self.calls.append("release")
        self.inner.release(key)


class AsyncSpool:
    """A spool for a loop."""

    def __init__(self) -> None:
        self.waiting: list[Spooled] = []

    async def add(self, spooled: Spooled) -> None:
        """Keep one."""
        self.waiting.append(spooled)

    async def discard(self, spooled: Spooled) -> None:
        """Forget one."""
        self.waiting.remove(spooled)

    def __iter__(self) -> Iterator[Spooled]:
        return iter(list(self.waiting))


BOTH = pytest.mark.parametrize("kind", [WebhookReceiver, AsyncWebhookReceiver])


def drained(receiver: Any) -> int:
    """Drain either kind of receiver."""
    found = receiver.drain()
    return int(asyncio.run(found) if isinstance(receiver, AsyncWebhookReceiver) else found)


class TestDefer:
    """Acknowledged at once, handled later."""

    @BOTH
    def test_answer_waits_for_no_handler(self, kind: type[Any], tmp_path: Path) -> None:
        """The handler is called by `drain` alone, oldest first; what fails stays."""
        handled: list[str] = []
        down = [True]

        def handle(event: TrackingEvent) -> None:
            if down[0]:
                raise ConnectionError
            handled.append(event.event_id)

        receiver, observer = make(kind, handle, config={"defer": True, "spool": str(tmp_path / "spool")})
        assert [run(receiver, delivery(body)).status for body in (b"1", b"2")] == [200, 200]
        assert drained(receiver) == 0
        down[0] = False
        assert (handled, drained(receiver), handled) == (["1", "2"], 2, ["1", "2"])
        assert drained(receiver) == 0
        assert observer.finished == [Disposition.ACCEPTED] * 4

    @BOTH
    def test_forged_ones_are_not_kept(self, kind: type[Any], tmp_path: Path) -> None:
        """What is not genuine is refused, as ever."""
        receiver, _ = make(kind, print, config={"defer": True}, spool=SpoolFolder(tmp_path))
        assert run(receiver, delivery(b"forged")).status == 401
        assert list(SpoolFolder(tmp_path)) == []

    @BOTH
    def test_spool_that_fails(self, kind: type[Any]) -> None:
        """Where it cannot wait, it is handled at once."""

        class Full(AsyncSpool):
            def add(self, spooled: Spooled) -> None:  # type: ignore[override]  # reason: for both kinds
                raise OSError(28, "No space left on device")

        handled: list[str] = []
        receiver, _ = make(
            kind, lambda event: handled.append(event.event_id), config={"defer": True}, spool=Full()
        )
        assert run(receiver, delivery()).status == 200
        assert handled == ["1"]

    @BOTH
    def test_needs_a_spool(self, kind: type[Any]) -> None:
        """Without a place to wait, nothing can be deferred; the error names the option."""
        with pytest.raises(MissingOption, match="spool='FOLDER'"):
            make(kind, print, config={"defer": True})


class TestDraining:
    """Handing over while something else happens."""

    def receiver(self, kind: type[Any], folder: Path, handle: Any) -> Any:
        """Return a receiver with one delivery in its spool."""
        receiver, _ = make(kind, handle, config={"defer": True}, spool=SpoolFolder(folder))
        run(receiver, delivery())
        return receiver

    def test_in_a_thread(self, tmp_path: Path) -> None:
        """What waits is handed over without a call; a failure does not end it."""
        tries: list[str] = []
        done = threading.Event()

        def handle(event: TrackingEvent) -> None:
            tries.append(event.event_id)
            if len(tries) < 2:
                raise ConnectionError
            done.set()

        with self.receiver(WebhookReceiver, tmp_path, handle).draining(every=0.001):
            assert done.wait(5)
        assert list(SpoolFolder(tmp_path)) == []

    def test_in_a_task(self, tmp_path: Path) -> None:
        """Likewise in a loop; what is under way when the block ends is finished."""
        tries: list[str] = []
        begun, gate = asyncio.Event(), asyncio.Event()

        async def handle(event: TrackingEvent) -> None:
            tries.append(event.event_id)
            if len(tries) < 2:
                raise ConnectionError
            begun.set()
            await gate.wait()

        receiver = self.receiver(AsyncWebhookReceiver, tmp_path, handle)

        async def work() -> None:
            async with receiver.draining(every=0.001):
                await asyncio.wait_for(begun.wait(), 5)
                asyncio.get_running_loop().call_later(0.01, gate.set)

        asyncio.run(work())
        assert list(SpoolFolder(tmp_path)) == []

    @BOTH
    def test_drains_at_once(self, kind: type[Any], tmp_path: Path) -> None:
        """Even where the block ends at once."""
        handled: list[str] = []
        receiver = self.receiver(kind, tmp_path, lambda event: handled.append(event.event_id))

        async def work() -> None:
            async with receiver.draining(every=60):
                pass

        if kind is AsyncWebhookReceiver:
            asyncio.run(work())
        else:
            with receiver.draining(every=60):
                pass
        assert handled == ["1"]

    def test_spool_that_breaks(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """It is logged and tried again."""
        tries: list[int] = []
        again = asyncio.Event()

        class Broken(AsyncSpool):
            def __iter__(self) -> Iterator[Spooled]:
                tries.append(1)
                if len(tries) == 3:
                    again.set()
                raise OSError(5, "Input/output error")

        receiver, _ = make(AsyncWebhookReceiver, print, spool=Broken())

        async def work() -> None:
            async with receiver.draining(every=0.001):
                await asyncio.wait_for(again.wait(), 5)

        asyncio.run(work())
        assert "could not be drained" in caplog.text
