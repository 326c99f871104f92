"""A replay store: claimed before, committed after, so that a crash between the two loses nothing."""

from __future__ import annotations

import threading

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mailcore import Claim, MemoryReplayStore

TTL, LEASE = 1000.0, 300.0


class Clock:
    """A clock that goes when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def store() -> tuple[MemoryReplayStore, Clock]:
    """Return an empty store and its clock."""
    clock = Clock()
    return MemoryReplayStore(lease=LEASE, clock=clock), clock


class TestClaim:
    """Two steps."""

    def test_new(self) -> None:
        """The first to ask gets it."""
        assert store()[0].claim("a", TTL) is Claim.CLAIMED

    def test_in_progress(self) -> None:
        """The second one hears that somebody is at it; other keys are no matter."""
        claims, _ = store()
        claims.claim("a", TTL)
        assert claims.claim("a", TTL) is Claim.IN_PROGRESS
        assert claims.claim("b", TTL) is Claim.CLAIMED

    def test_committed(self) -> None:
        """What was handled is a duplicate for as long as was asked, and no longer."""
        claims, clock = store()
        claims.claim("a", TTL)
        clock.now = 100
        claims.commit("a")
        clock.now = 100 + TTL - 1
        assert claims.claim("a", TTL) is Claim.DUPLICATE
        clock.now = 100 + TTL
        assert claims.claim("a", TTL) is Claim.CLAIMED

    def test_released(self) -> None:
        """What was given back can be claimed at once."""
        claims, _ = store()
        claims.claim("a", TTL)
        claims.release("a")
        assert claims.claim("a", TTL) is Claim.CLAIMED

    def test_lease(self) -> None:
        """A claim whose owner died runs out."""
        claims, clock = store()
        claims.claim("a", TTL)
        clock.now = LEASE - 1
        assert claims.claim("a", TTL) is Claim.IN_PROGRESS
        clock.now = LEASE
        assert claims.claim("a", TTL) is Claim.CLAIMED

    def test_late_commit(self) -> None:
        """Whoever comes after the lease still says that it was handled."""
        claims, clock = store()
        claims.claim("a", TTL)
        clock.now = LEASE + 1
        claims.commit("a")
        assert claims.claim("a", TTL) is Claim.DUPLICATE

    def test_unknown_keys(self) -> None:
        """Committing or releasing what nobody claimed is no error."""
        claims, _ = store()
        claims.release("a")
        claims.commit("a")
        assert claims.claim("a", TTL) is Claim.DUPLICATE


class TestMemory:
    """What it costs."""

    def test_old_keys_are_forgotten(self) -> None:
        """A store that is used does not grow beyond what it must remember."""
        claims, clock = store()
        for number in range(10_000):
            clock.now = number * 10.0
            claims.claim(str(number), TTL)
            claims.commit(str(number))
        assert len(claims._claims) <= 2 * TTL / 10

    def test_abandoned_claims_do_not_keep_the_rest(self) -> None:
        """Claims that were never committed go too, and hide no one behind them."""
        claims, clock = store()
        for number in range(10_000):
            clock.now = number * 10.0
            claims.claim(str(number), TTL)
            if number % 3:
                claims.commit(str(number))
        assert len(claims._claims) <= 2 * TTL / 10

    def test_one_of_many_threads_gets_it(self) -> None:
        """However many ask at once, one is told to handle it."""
        claims = MemoryReplayStore()
        found: list[Claim] = []
        barrier = threading.Barrier(16)

        def ask() -> None:
            barrier.wait()
            found.append(claims.claim("a", TTL))

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found.count(Claim.CLAIMED) == 1
        assert found.count(Claim.IN_PROGRESS) == 15


class Deliveries(RuleBasedStateMachine):
    """Any order of claims, commits, releases and time, against a model that keeps everything."""

    keys = st.sampled_from("abcd")

    def __init__(self) -> None:
        super().__init__()
        self.store, self.clock = store()
        self.model: dict[str, tuple[bool, float]] = {}

    @rule(key=keys)
    def claim(self, key: str) -> None:
        """Hear from the store what the model says."""
        committed, until = self.model.get(key, (False, self.clock.now))
        alive = until > self.clock.now
        expected = Claim.CLAIMED if not alive else Claim.DUPLICATE if committed else Claim.IN_PROGRESS
        assert self.store.claim(key, TTL) is expected
        if not alive:
            self.model[key] = (False, self.clock.now + LEASE)

    @rule(key=keys)
    def commit(self, key: str) -> None:
        """Only what is claimed is committed."""
        if key in self.model and self.model[key][1] > self.clock.now:
            self.store.commit(key)
            self.model[key] = (True, self.clock.now + TTL)

    @rule(key=keys)
    def release(self, key: str) -> None:
        """Only what is claimed and not committed is released."""
        if key in self.model and not self.model[key][0]:
            self.store.release(key)
            del self.model[key]

    @rule(seconds=st.sampled_from([1.0, LEASE - 1, LEASE, TTL]))
    def wait(self, seconds: float) -> None:
        """Time goes on."""
        self.clock.now += seconds

    @invariant()
    def holds_what_it_must(self) -> None:
        """Nothing alive is forgotten."""
        alive = {key for key, (_, until) in self.model.items() if until > self.clock.now}
        assert alive <= set(self.store._claims)


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
