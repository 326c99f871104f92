"""Any order of deliveries, repeats, outages and deaths: nothing lost, nothing handled twice."""

from __future__ import annotations

import random
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

pytest.importorskip("nacl", reason="PyNaCl is not installed")

from rich.console import Console

from fuzz.replays import LEASE, MOMENTS, STORES, World, run, schedule
from mailcore import Claim, MemoryReplayStore

pytestmark = pytest.mark.long

deaths = st.sampled_from(["", "", "", *MOMENTS])


class Deliveries(RuleBasedStateMachine):
    """A provider that repeats, a handler that may be down, and a process that may die."""

    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.TemporaryDirectory()

    @initialize(store=st.sampled_from(STORES), spool=st.booleans())
    def begin(self, store: str, *, spool: bool) -> None:
        """Begin with nothing."""
        self.world = World(store, spool=spool, folder=Path(self.place.name))

    @rule(dies_at=deaths)
    def deliver(self, dies_at: str) -> None:
        """Deliver a new event."""
        self.world.deliver(len(self.world.sent) + 1, dies_at=dies_at)

    @precondition(lambda self: self.world.sent)
    @rule(data=st.data(), dies_at=deaths)
    def repeat(self, data: st.DataObject, dies_at: str) -> None:
        """Deliver one again, acknowledged or not."""
        self.world.deliver(data.draw(st.sampled_from(sorted(self.world.sent))), dies_at=dies_at)

    @rule(dies_at=deaths)
    def drain(self, dies_at: str) -> None:
        """Hand over what waits."""
        self.world.drain(dies_at=dies_at)

    @rule()
    def change(self) -> None:
        """Let the handler's database go down, or come up."""
        self.world.is_down = not self.world.is_down

    @rule(seconds=st.sampled_from([1.0, LEASE, 1000.0]))
    def wait(self, seconds: float) -> None:
        """Time goes on."""
        self.world.now += seconds

    def teardown(self) -> None:
        """In the end, each event was handled; and once, unless nobody could know."""
        if hasattr(self, "world"):
            self.world.settle()
            self.world.close()
            faults = self.world.faults()
            self.place.cleanup()
            assert faults == []


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


class TestRun:
    """The long run, in short."""

    def test_schedule(self) -> None:
        """Three in ten deliveries are repeats, and a good part comes late."""
        order = schedule(10_000, random.Random(1))
        assert (len(order), len(set(order))) == (10_000, 7000)
        late = sum(later < earlier for earlier, later in pairwise(order))
        assert late > 2000

    @pytest.mark.parametrize("spool", [False, True])
    @pytest.mark.parametrize("store", STORES)
    def test_run(self, store: str, spool: bool, tmp_path: Path) -> None:
        """Nothing is lost, though some died."""
        world = World(store, spool=spool, folder=tmp_path)
        run(world, 600, random.Random(5), Console(quiet=True))
        world.close()
        assert world.faults() == []
        assert world.deaths


class Forgetful(MemoryReplayStore):
    """Claims everything."""

    def claim(self, key: str, ttl: float) -> Claim:
        """Say that nobody had it."""
        return Claim.CLAIMED


class Hasty(MemoryReplayStore):
    """Commits what is claimed: whoever dies then, loses it."""

    def claim(self, key: str, ttl: float) -> Claim:
        """Claim and commit in one step."""
        found = super().claim(key, ttl)
        if found is Claim.CLAIMED:
            self.commit(key)
        return found


class TestPromises:
    """What would go unnoticed if a promise could not be broken."""

    @pytest.mark.parametrize("store, word", [(Forgetful, "times"), (Hasty, "lost")])
    def test_sees_a_broken_store(self, store: Any, word: str, tmp_path: Path) -> None:
        """One that forgets, and one that has no second step."""
        world = World("memory", spool=False, folder=tmp_path)
        world._memory = store(lease=LEASE, clock=lambda: world.now)
        world._receiver = world._start()
        run(world, 400, random.Random(3), Console(quiet=True))
        assert word in " ".join(world.faults())
