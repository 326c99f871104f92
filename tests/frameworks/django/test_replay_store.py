"""The replay store of the database does what every other one does, for any number of processes."""

from __future__ import annotations

import importlib.util
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.db import connections, transaction

from mailcore import Claim
from mailcore.frameworks.django import DjangoReplayStore
from mailcore.frameworks.django.models import ReplayClaim

pytestmark = pytest.mark.usefixtures("database")

TTL = 1000.0


def _cases() -> ModuleType:
    """Return the module with the cases that all stores pass."""
    path = Path(__file__).parents[2] / "test_replay.py"
    spec = importlib.util.spec_from_file_location("mailcore_replay_cases", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


cases = _cases()


@pytest.fixture
def claimed(database: None) -> tuple[DjangoReplayStore, Any]:
    """Give a store of the database, and its clock."""
    clock = cases.Clock()
    return DjangoReplayStore(lease=cases.LEASE, clock=clock), clock


class TestClaim(cases.TestClaim):  # type: ignore[misc, name-defined]  # reason: loaded by its path
    """The cases of every store."""


class TestDatabase:
    """What is special to a table."""

    def test_long_keys(self, claimed: Any) -> None:
        """A key of any length is told apart from every other, letter case included."""
        store, _ = claimed
        for key in ("k" * 5000, "k" * 4999, "K" * 5000):
            assert store.claim(key, TTL) is Claim.CLAIMED
            assert store.claim(key, TTL) is Claim.IN_PROGRESS

    def test_old_keys_are_forgotten(self, claimed: Any) -> None:
        """A table that is used does not grow beyond what it must remember."""
        store, clock = claimed
        for number in range(100):
            clock.now = number * 100.0
            store.claim(str(number), TTL)
            store.commit(str(number))
        assert ReplayClaim.objects.count() <= 2 * TTL / 100

    def test_within_a_transaction(self, claimed: Any) -> None:
        """A claim that is refused does not end the caller's transaction."""
        store, _ = claimed
        store.claim("a", TTL)
        with transaction.atomic():
            assert store.claim("a", TTL) is Claim.IN_PROGRESS
            assert store.claim("b", TTL) is Claim.CLAIMED
        assert store.claim("b", TTL) is Claim.IN_PROGRESS

    def test_one_of_many_gets_it(self) -> None:
        """However many ask at once, one is told to handle it."""
        found: list[list[Claim]] = []
        barrier = threading.Barrier(4)

        def ask() -> None:
            store = DjangoReplayStore()
            barrier.wait()
            try:
                found.append([store.claim(str(number), TTL) for number in range(25)])
            finally:
                connections.close_all()

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert all(column.count(Claim.CLAIMED) == 1 for column in zip(*found, strict=True))

    def test_taken_over_once(self, claimed: Any) -> None:
        """A claim that ran out is taken over by one, not by each who asks."""
        store, clock = claimed
        store.claim("a", TTL)
        clock.now = cases.LEASE
        assert store.claim("a", TTL) is Claim.CLAIMED
        assert store.claim("a", TTL) is Claim.IN_PROGRESS
