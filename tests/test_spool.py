"""A delivery whose handler could not take it: acknowledged, kept, and handed over again."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from mailcore import (
    Adapter,
    AdapterSpec,
    Claim,
    Context,
    Covers,
    Disposition,
    EndpointKind,
    EventType,
    MemoryReplayStore,
    PluginHost,
    Spooled,
    TrackingEvent,
    Verification,
    VerifiedWebhook,
    WebhookReceiver,
    WebhookRequest,
    hookimpl,
)
from mailcore.stores.folder import SpoolFolder

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
TRACKING = EndpointKind.TRACKING


@attrs.frozen
class NoOptions:
    """Has no settings."""


class Trusting(Adapter):
    """Takes everything for genuine: this is about what comes after."""

    webhook_covers = Covers.BODY  # type: ignore[assignment]  # reason: it is always so

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Verification:
        """Prove it, signed when it was received."""
        return Verification(scheme="none", covers=Covers.BODY, signed_at=request.received_at)

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind:
        """Hold events."""
        return TRACKING

    def parse_events(self, webhook: VerifiedWebhook) -> list[TrackingEvent]:
        """Give one event, named by the body."""
        return [TrackingEvent(event_type=EventType.DELIVERED, event_id=webhook.request.body.decode())]


class Store:
    """A handler that fails while it is down."""

    def __init__(self) -> None:
        self.down = True
        self.stored: list[str] = []

    def __call__(self, event: TrackingEvent) -> None:
        """Store the event's id."""
        if self.down:
            raise ConnectionError("The database is down.")
        self.stored.append(event.event_id)


def make(store: Callable[[TrackingEvent], None], *plugins: object, **how: Any) -> WebhookReceiver:
    """Return a receiver with that handler."""
    spec = AdapterSpec(name="fake", factory=f"{__name__}:Trusting", options=f"{__name__}:NoOptions")

    class Registering:
        @hookimpl
        def mailcore_register_adapters(self) -> Iterable[AdapterSpec]:
            return [spec]

    named = {"fake": Registering(), **{str(number): plugin for number, plugin in enumerate(plugins)}}
    config = {"provider": "fake", **how.pop("config", {})}
    host = PluginHost(named, installed=False)
    clock = how.pop("clock", lambda: NOW)
    return WebhookReceiver.from_config(config, environ={}, host=host, on_event=store, clock=clock, **how)


def deliver(receiver: WebhookReceiver, name: str = "1") -> int:
    """Deliver one event and return the answer's status."""
    return receiver.receive(WebhookRequest(body=name.encode(), received_at=NOW), kind=TRACKING).status


class TestSpool:
    """A handler that is down for a while."""

    def test_without_one_it_is_asked_for_again(self) -> None:
        """The provider is the only one who still has it."""
        assert deliver(make(Store())) == 503

    def test_is_acknowledged_and_handed_over_later(self, tmp_path: Path) -> None:
        """Nothing is lost, the endpoint is not disabled, and each is handled once, oldest first."""
        store = Store()
        receiver = make(store, config={"spool": str(tmp_path / "spool")})
        assert [deliver(receiver, name) for name in "321"] == [200, 200, 200]
        assert receiver.drain() == 0
        store.down = False
        assert receiver.drain() == 3
        assert store.stored == ["3", "2", "1"]
        assert receiver.drain() == 0

    def test_survives_a_restart(self, tmp_path: Path) -> None:
        """Another process hands it over."""
        deliver(make(Store(), spool=SpoolFolder(tmp_path)))
        store = Store()
        store.down = False
        assert make(store, spool=SpoolFolder(tmp_path)).drain() == 1
        assert store.stored == ["1"]

    def test_redelivery_waits_once(self, tmp_path: Path) -> None:
        """The same one twice is one file."""
        receiver = make(Store(), spool=SpoolFolder(tmp_path))
        assert [deliver(receiver), deliver(receiver)] == [200, 200]
        assert len(list(SpoolFolder(tmp_path))) == 1

    def test_with_a_replay_store_it_is_handled_once(self, tmp_path: Path) -> None:
        """What was redelivered and handled meanwhile is not handled again from the spool."""
        store = Store()
        receiver = make(store, spool=SpoolFolder(tmp_path), replay_store=MemoryReplayStore())
        deliver(receiver)
        store.down = False
        assert deliver(receiver) == 200
        assert receiver.drain() == 1
        assert store.stored == ["1"]

    def test_in_progress_elsewhere(self, tmp_path: Path) -> None:
        """Should the one who handles it die, it is not lost with him."""
        store = Store()
        store.down = False
        clock = Ticking()
        claims = MemoryReplayStore(lease=300, clock=clock)
        receiver = make(store, spool=SpoolFolder(tmp_path), replay_store=claims)
        elsewhere = make(Dying(), replay_store=Deserted(claims))
        with pytest.raises(KeyboardInterrupt):
            deliver(elsewhere)
        assert deliver(receiver) == 200
        assert receiver.drain() == 0
        clock.now = 301.0
        assert receiver.drain() == 1
        assert store.stored == ["1"]

    def test_half_a_replay_store(self) -> None:
        """A store that lacks a method is logged, and takes no endpoint down."""

        class Half:
            def claim(self, key: str, ttl: float) -> Claim:
                return Claim.CLAIMED

        store = Store()
        store.down = False
        assert deliver(make(store, replay_store=Half())) == 200
        assert store.stored == ["1"]

    def test_does_not_go_stale_there(self, tmp_path: Path) -> None:
        """What was fresh when it came is handled, however long it waited."""
        store, now = Store(), [NOW]
        receiver = make(store, spool=SpoolFolder(tmp_path), clock=lambda: now[0])
        deliver(receiver)
        store.down = False
        now[0] = NOW + timedelta(days=30)
        assert receiver.drain() == 1
        assert store.stored == ["1"]

    def test_stale_when_it_came(self) -> None:
        """An old delivery is acknowledged, and not handled."""
        store = Store()
        assert deliver(make(store, clock=lambda: NOW + timedelta(days=8))) == 200

    def test_spool_that_fails(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """On a full disk, the provider is asked to keep it."""

        def full(file: int) -> None:
            raise OSError("No space left on device.")

        monkeypatch.setattr(os, "fsync", full)
        receiver = make(Store(), spool=SpoolFolder(tmp_path))
        assert deliver(receiver) == 503
        assert list(SpoolFolder(tmp_path)) == []

    def test_damaged_file_holds_up_nobody(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """It stays, is named, and the others are handed over."""
        store = Store()
        receiver = make(store, spool=SpoolFolder(tmp_path))
        deliver(receiver)
        (tmp_path / "0.json").write_text('{"kind": ')
        store.down = False
        with caplog.at_level(logging.ERROR):
            assert receiver.drain() == 1
        assert "0.json cannot be read" in caplog.text
        assert (tmp_path / "0.json").exists()

    def test_observers_hear_of_both(self, tmp_path: Path) -> None:
        """Once when it is acknowledged, once when it is done."""
        heard: list[Disposition] = []

        class Observer:
            @hookimpl
            def mailcore_webhook_finished(self, disposition: Disposition) -> None:
                heard.append(disposition)

        store = Store()
        receiver = make(store, Observer(), spool=SpoolFolder(tmp_path))
        deliver(receiver)
        store.down = False
        receiver.drain()
        assert heard == [Disposition.ACCEPTED, Disposition.ACCEPTED]

    def test_own_spool(self) -> None:
        """Anything with the three methods will do."""
        kept: list[Spooled] = []

        class Listed:
            def add(self, spooled: Spooled) -> None:
                kept.append(spooled)

            def discard(self, spooled: Spooled) -> None:
                kept.remove(spooled)

            def __iter__(self) -> Iterator[Spooled]:
                return iter(list(kept))

        store = Store()
        receiver = make(store, spool=Listed())
        deliver(receiver)
        assert len(kept) == 1
        store.down = False
        assert (receiver.drain(), kept) == (1, [])


class Ticking:
    """A clock that goes when told to."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Deserted:
    """Claims of a process that is killed: nothing is given back."""

    def __init__(self, claims: MemoryReplayStore) -> None:
        self.claim = claims.claim

    def commit(self, key: str) -> None:
        """Do nothing."""

    def release(self, key: str) -> None:
        """Do nothing."""


class Dying:
    """A handler whose process is killed."""

    def __call__(self, event: TrackingEvent) -> None:
        """Never come back."""
        raise KeyboardInterrupt
