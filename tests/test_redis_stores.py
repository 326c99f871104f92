"""What Redis keeps for all machines: claims by the server's clock, and jobs that are under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from mailcore import Claim, Secret
from mailcore.stores.redis import RedisJournal, RedisReplayStore
from reliability.brokers import Broker

pytestmark = pytest.mark.loopback


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    """Return a beginning of keys that no other test uses."""
    return str(tmp_path)


class TestClaims:
    """Beyond what every replay store does."""

    def test_one_of_many_gets_it(self, redis_broker: Broker, prefix: str) -> None:
        """However many ask at once, one is told to handle it."""
        stores = [RedisReplayStore(redis_broker.url, prefix=prefix) for _ in range(8)]
        found: list[Claim] = []
        barrier = threading.Barrier(len(stores))

        def ask(store: RedisReplayStore) -> None:
            barrier.wait()
            found.extend(store.claim(str(number), 1000) for number in range(20))

        threads = [threading.Thread(target=ask, args=(store,)) for store in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for store in stores:
            store.close()
        assert found.count(Claim.CLAIMED) == 20
        assert found.count(Claim.IN_PROGRESS) == 140

    def test_clock_of_the_server(self, redis_broker: Broker, prefix: str) -> None:
        """Without a clock of its own it goes by the server's."""
        with RedisReplayStore(redis_broker.url, prefix=prefix, lease=0.05) as store:
            assert store.claim("a", 1000) is Claim.CLAIMED
            assert store.claim("a", 1000) is Claim.IN_PROGRESS
            end = time.monotonic() + 60
            while store.claim("a", 1000) is not Claim.CLAIMED:
                assert time.monotonic() < end
            store.commit("a")
            assert store.claim("a", 1000) is Claim.DUPLICATE

    def test_old_keys_are_forgotten(self, redis_broker: Broker, prefix: str) -> None:
        """The server forgets by itself what need not be remembered."""
        client = redis.Redis.from_url(redis_broker.url)
        store = RedisReplayStore(client, prefix=prefix, lease=100)
        store.claim("a", 1000)
        assert 1000 < client.ttl(f"{prefix}a") <= 1100
        store.commit("a")
        assert 900 < client.ttl(f"{prefix}a") <= 1000
        store.close()
        assert client.ping()  # a client that was given stays open
        client.close()

    def test_secret_url(self, redis_broker: Broker, prefix: str) -> None:
        """A URL may hold a password, and so be a secret."""
        with RedisReplayStore(Secret(redis_broker.url), prefix=prefix) as store:
            assert store.claim("a", 10) is Claim.CLAIMED

    def test_no_server(self) -> None:
        """A server that is not there is said to be none, and nothing is claimed."""
        client = redis.Redis(host="127.0.0.1", port=1, retry=None)
        with pytest.raises(redis.RedisError):
            RedisReplayStore(client).claim("a", 10)
        client.close()


class TestJournal:
    """Jobs that are under way."""

    @pytest.fixture
    def journal(self, redis_broker: Broker, prefix: str) -> Iterator[tuple[RedisJournal, list[float]]]:
        """Return a journal and its clock."""
        now = [1000.0]
        with RedisJournal(redis_broker.url, prefix=prefix, clock=lambda: now[0]) as made:
            yield made, now

    def test_overdue(self, journal: tuple[RedisJournal, list[float]]) -> None:
        """A job is overdue after its time, and then not for a while: one asker sees to it."""
        made, now = journal
        made.note("a-0", "payload", due=10)
        assert made.overdue(again=5, limit=10) == []
        now[0] += 10
        assert made.overdue(again=5, limit=10) == ["payload"]
        assert made.overdue(again=5, limit=10) == []
        now[0] += 5
        assert made.overdue(again=5, limit=10) == ["payload"]

    def test_strike(self, journal: tuple[RedisJournal, list[float]]) -> None:
        """What is settled is never overdue."""
        made, now = journal
        made.note("a-0", "payload", due=10)
        assert made.has("a-0")
        made.strike("a-0")
        made.strike("b-0")
        now[0] += 100
        assert not made.has("a-0")
        assert made.overdue(again=5, limit=10) == []

    def test_limit(self, journal: tuple[RedisJournal, list[float]]) -> None:
        """So many at a time, the oldest first."""
        made, now = journal
        for number in range(5):
            made.note(str(number), f"payload {number}", due=number)
        now[0] += 10
        assert made.overdue(again=50, limit=3) == ["payload 0", "payload 1", "payload 2"]
        assert made.overdue(again=50, limit=3) == ["payload 3", "payload 4"]
