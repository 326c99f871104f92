"""A replay store: claimed before, committed after, so that a crash between the two loses nothing."""

from __future__ import annotations

import ast
import os
import sqlite3
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mailcore import Claim, MemoryReplayStore, ReplayStore
from mailcore.stores.redis import RedisReplayStore
from mailcore.stores.sqlite import SqliteReplayStore

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


def in_memory(_: Path, clock: Clock) -> ReplayStore:
    """Return a store of this process."""
    return MemoryReplayStore(lease=LEASE, clock=clock)


def in_a_file(folder: Path, clock: Clock) -> ReplayStore:
    """Return a store that keeps a file."""
    return SqliteReplayStore(folder / "new" / "claims.sqlite", lease=LEASE, clock=clock)


@pytest.fixture(params=[in_memory, in_a_file, pytest.param("redis", marks=pytest.mark.loopback)])
def claimed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[ReplayStore, Clock]]:
    """Give a store of each kind, and its clock."""
    clock = Clock()
    if request.param == "redis":
        url = request.getfixturevalue("redis_broker").url
        made: ReplayStore = RedisReplayStore(url, lease=LEASE, clock=clock, prefix=f"{tmp_path}:")
    else:
        made = request.param(tmp_path, clock)
    yield made, clock
    getattr(made, "close", lambda: None)()


Claimed = tuple[ReplayStore, Clock]


class TestClaim:
    """Two steps, wherever they are kept."""

    def test_new(self, claimed: Claimed) -> None:
        """The first to ask gets it."""
        assert claimed[0].claim("a", TTL) is Claim.CLAIMED

    def test_in_progress(self, claimed: Claimed) -> None:
        """The second one hears that somebody is at it; other keys are no matter."""
        claims, _ = claimed
        claims.claim("a", TTL)
        assert claims.claim("a", TTL) is Claim.IN_PROGRESS
        assert claims.claim("b", TTL) is Claim.CLAIMED

    def test_committed(self, claimed: Claimed) -> None:
        """What was handled is a duplicate for as long as was asked, and no longer."""
        claims, clock = claimed
        claims.claim("a", TTL)
        clock.now = 100
        claims.commit("a")
        clock.now = 100 + TTL - 1
        assert claims.claim("a", TTL) is Claim.DUPLICATE
        clock.now = 100 + TTL
        assert claims.claim("a", TTL) is Claim.CLAIMED

    def test_released(self, claimed: Claimed) -> None:
        """What was given back can be claimed at once."""
        claims, _ = claimed
        claims.claim("a", TTL)
        claims.release("a")
        assert claims.claim("a", TTL) is Claim.CLAIMED

    def test_lease(self, claimed: Claimed) -> None:
        """A claim whose owner died runs out."""
        claims, clock = claimed
        claims.claim("a", TTL)
        clock.now = LEASE - 1
        assert claims.claim("a", TTL) is Claim.IN_PROGRESS
        clock.now = LEASE
        assert claims.claim("a", TTL) is Claim.CLAIMED

    def test_late_commit(self, claimed: Claimed) -> None:
        """Whoever comes after the lease still says that it was handled."""
        claims, clock = claimed
        claims.claim("a", TTL)
        clock.now = LEASE + 1
        claims.commit("a")
        assert claims.claim("a", TTL) is Claim.DUPLICATE

    def test_unknown_keys(self, claimed: Claimed) -> None:
        """Committing or releasing what nobody claimed is no error."""
        claims, _ = claimed
        claims.release("a")
        claims.commit("a")
        assert claims.claim("a", TTL) is Claim.DUPLICATE

    def test_late_commit_lasts(self, claimed: Claimed) -> None:
        """It is a duplicate for as long as was asked, even where others claimed in between."""
        claims, clock = claimed
        claims.claim("a", TTL)
        clock.now = LEASE + 1
        claims.claim("b", TTL)
        claims.commit("a")
        clock.now = LEASE + TTL
        assert claims.claim("a", TTL) is Claim.DUPLICATE


class TestFile:
    """A store that outlives its process."""

    def test_survives_a_restart(self, tmp_path: Path) -> None:
        """Another one that opens the file knows what was handled."""
        with SqliteReplayStore(tmp_path / "claims") as before:
            before.claim("a", TTL)
            before.commit("a")
        with SqliteReplayStore(tmp_path / "claims") as after:
            assert after.claim("a", TTL) is Claim.DUPLICATE

    def test_one_of_many_processes_gets_it(self, tmp_path: Path) -> None:
        """However many processes ask at once, one is told to handle it."""
        path = tmp_path / "claims"
        code = (
            "import sys; from mailcore.stores.sqlite import SqliteReplayStore as S; s = S(sys.argv[1]);"
            "print([s.claim(str(n), 1000).value for n in range(50)])"
        )
        command = [sys.executable, "-c", code, str(path)]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        found = [ast.literal_eval(process.communicate()[0]) for process in running]
        assert all(column.count("claimed") == 1 for column in zip(*found, strict=True))

    def test_child_of_a_fork_opens_its_own(self, tmp_path: Path) -> None:
        """A forked worker and its parent do not share a connection."""
        claims = SqliteReplayStore(tmp_path / "claims")
        claims.claim("a", TTL)
        with warnings.catch_warnings(action="ignore"):  # other tests leave threads behind
            child = os.fork()
        if not child:
            code = 1
            try:
                code = 0 if claims.claim("a", TTL) is Claim.IN_PROGRESS else 2
                claims.commit("a")
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        assert claims.claim("a", TTL) is Claim.DUPLICATE
        claims.close()

    def test_unusable_file(self, tmp_path: Path) -> None:
        """What is no database is said to be none."""
        (tmp_path / "claims").write_bytes(b"This is a letter, and no database." * 100)
        with pytest.raises(sqlite3.DatabaseError, match="not a database"):
            SqliteReplayStore(tmp_path / "claims").claim("a", TTL)

    def test_old_keys_are_forgotten(self, tmp_path: Path) -> None:
        """A store that is used does not grow beyond what it must remember."""
        clock = Clock()
        claims = SqliteReplayStore(tmp_path / "claims", lease=LEASE, clock=clock)
        for number in range(500):
            clock.now = number * 100.0
            claims.claim(str(number), TTL)
            claims.commit(str(number))
        with claims._transaction() as database:
            assert database.execute("SELECT count(*) FROM claims").fetchone()[0] <= 2 * TTL / 100
        claims.close()


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
