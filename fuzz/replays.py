"""
Deliveries that come twice, late, and into crashes: nothing lost, nothing handled twice.

Rule: a crash is a `BaseException` that nobody catches, at one of the moments of `MOMENTS`; then the process
starts anew, with what is in files. The provider repeats what was not acknowledged.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from fuzz import figures
from fuzz.deliveries import Spy, receiver, signed
from mailcore import Claim, MemoryReplayStore, ReplayStore, TrackingEvent, WebhookReceiver
from mailcore.stores.folder import SpoolFolder
from mailcore.stores.sqlite import SqliteReplayStore

__all__ = ["MOMENTS", "STORES", "World", "main"]

#: When a process may die: before the handler stored the event, after it did, around the commit.
MOMENTS = ("claimed", "handled", "before commit", "after commit")
#: Deaths after which nobody can know that the event was handled.
UNKNOWABLE = frozenset({"handled", "before commit"})
STORES = ("none", "memory", "sqlite")
LEASE = 60.0


class Killed(BaseException):
    """The process is gone."""


class Mortal:
    """A replay store whose process may die around each step."""

    def __init__(self, store: ReplayStore, world: World) -> None:
        self._store = store
        self._world = world

    def claim(self, key: str, ttl: float) -> Claim:
        """Claim it, and perhaps die."""
        claim = self._store.claim(key, ttl)
        if claim is Claim.CLAIMED:
            self._world.reach("claimed")
        return claim

    def commit(self, key: str) -> None:
        """Perhaps die, commit it, and perhaps die."""
        self._world.reach("before commit")
        self._store.commit(key)
        self._world.reach("after commit")

    def release(self, key: str) -> None:
        """Give it back."""
        self._store.release(key)


class World:
    """
    A provider that repeats, a handler that may be down, and a process that may die.

    Attributes:
        handled: Event → how often the handler stored it.
        waiting: Events that the provider has to repeat.
        excused: Event → how often nobody could know that it was handled.
        is_down: Whether the handler's database is.
    """

    def __init__(self, store: str, *, spool: bool, folder: Path) -> None:
        self.now = 0.0
        self.store, self.spool, self.folder = store, spool, folder
        self.handled: Counter[int] = Counter()
        self.sent: set[int] = set()
        self.waiting: set[int] = set()
        self.excused: Counter[int] = Counter()
        self.deaths: Counter[str] = Counter()
        self.is_down = False
        self._dies_at = ""
        self._at: int | None = None
        self._memory = MemoryReplayStore(lease=LEASE, clock=lambda: self.now)
        self._file: SqliteReplayStore | None = None
        self._receiver = self._start()

    def _start(self) -> WebhookReceiver:
        self.close()
        store: ReplayStore | None = None
        if self.store == "memory":  # of one worker of several: its own death leaves the process
            store = self._memory
        elif self.store == "sqlite":
            store = self._file = SqliteReplayStore(
                self.folder / "claims", lease=LEASE, clock=lambda: self.now
            )
        spool = SpoolFolder(self.folder / "spool") if self.spool else None
        mortal = None if store is None else Mortal(store, self)
        return receiver(Spy(), on_event=self._handle, replay_store=mortal, spool=spool)

    def close(self) -> None:
        """Close what is open."""
        if self._file is not None:
            self._file.close()

    def _handle(self, event: TrackingEvent) -> None:
        self._at = int(event.message_id or 0)
        if self.is_down:
            raise ConnectionError("The database is down.")
        self.handled[self._at] += 1
        self.reach("handled")

    def reach(self, moment: str) -> None:
        """Die, if this is the moment."""
        if moment != self._dies_at:
            return
        self._dies_at = ""
        self.deaths[moment] += 1
        if moment in UNKNOWABLE and self._at is not None:
            self.excused[self._at] += 1
        raise Killed(moment)

    def deliver(self, number: int, *, dies_at: str = "") -> None:
        """Deliver an event, for the first time or again."""
        self.sent.add(number)
        document = {
            "event": "email.delivered",
            "payload": {"id": number, "updated_at": "2030-01-01T00:00:00Z"},
        }
        request = signed("tracking", json.dumps(document).encode()).request()
        self.now += 1
        self._dies_at, self._at = dies_at, None
        try:
            status = self._receiver.receive(request, kind="tracking").status
        except Killed:
            self._receiver = self._start()
            status = 0
        if status == 200:
            self.waiting.discard(number)
        else:
            self.waiting.add(number)

    def drain(self, *, dies_at: str = "") -> None:
        """Hand over what waits in the spool."""
        self._dies_at, self._at = dies_at, None
        try:
            self._receiver.drain()
        except Killed:
            self._receiver = self._start()

    def settle(self) -> None:
        """Let the handler come up, claims run out, and the provider repeat all that is left."""
        self.is_down = False
        for _ in range(2):
            self.now += LEASE + 1
            self.drain()
            for number in sorted(self.waiting):
                self.deliver(number)

    def faults(self) -> list[str]:
        """Return the promises that do not hold."""
        lost = [number for number in self.sent if not self.handled[number]]
        twice = [number for number, times in self.handled.items() if times > 1 + self.excused[number]]
        return [
            *(f"event {number} was lost" for number in lost),
            *(f"event {number} is still repeated" for number in self.waiting),
            *(
                f"event {number} was handled {self.handled[number]} times"
                for number in twice
                if self.store != "none"
            ),
        ]


def schedule(deliveries: int, chance: random.Random) -> Sequence[int]:
    """Return events in the order in which they come: 30 % come twice, 20 % late."""
    first = round(deliveries * 0.7)
    order = list(range(1, first + 1))
    places: list[tuple[float, int]] = [(float(place), number) for place, number in enumerate(order)]
    places += [
        (number + chance.uniform(0, 200), number) for number in chance.choices(order, k=deliveries - first)
    ]
    moved = [
        (place + (chance.uniform(1, 100) if chance.random() < 0.2 else 0), number) for place, number in places
    ]
    return [number for _, number in sorted(moved)]


def run(world: World, deliveries: int, chance: random.Random, console: Console) -> None:
    """Deliver them; one in fifty meets a death, one in a hundred begins an outage."""
    shown = f"{world.store}{', spool' if world.spool else ''}"
    order = schedule(deliveries, chance)
    for number in track(order, shown, console=console, transient=True, disable=not console.is_terminal):
        if chance.random() < 0.01:
            world.is_down = not world.is_down and chance.random() < 0.2
            world.drain(dies_at=chance.choice(("", *MOMENTS)))
        if world.waiting and chance.random() < 0.05:
            world.deliver(chance.choice(sorted(world.waiting)[:50]))
        world.deliver(number, dies_at=chance.choice(MOMENTS) if chance.random() < 0.02 else "")
    world.settle()


def main(arguments: list[str]) -> int:
    """Run it with each kind of store, print the figures, and return 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description="Duplicates, reordering and crashes.")
    parser.add_argument("--deliveries", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES)
    given = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    console, found = Console(stderr=True), []
    for store in given.stores:
        for spool in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                started = time.monotonic()
                world = World(store, spool=spool, folder=Path(folder))
                run(world, given.deliveries, random.Random(given.seed), console)
                world.close()
                faults = world.faults()
                found += faults
                _show(world, given.deliveries, faults, time.monotonic() - started)
    for fault in found[:20]:
        console.print(fault, style="red")
    return 1 if found else 0


def _show(world: World, deliveries: int, faults: Sequence[str], seconds: float) -> None:
    figures.show(
        f"Deliveries, replay store: {world.store}, {'with' if world.spool else 'without'} a spool",
        {
            "deliveries": deliveries,
            "events": len(world.sent),
            **{f"deaths, {moment}": world.deaths[moment] for moment in MOMENTS},
            "handled more than once": sum(times > 1 for times in world.handled.values()),
            "of these, after a death before the commit": sum(
                times > 1 and world.excused[number] > 0 for number, times in world.handled.items()
            ),
            "broken promises": len(faults),
            "seconds": f"{seconds:.0f}",
        },
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
