"""Remembers deliveries, and jobs under way, in Redis, for the processes of many machines.

Rule: each step is one script, so that nobody comes between reading and writing; the time is the server's,
so that machines whose clocks differ agree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mailcore._closing import Closing
from mailcore._extra import requires_extra
from mailcore._replay import Claim
from mailcore._secret import Secret

with requires_extra("redis", by=__name__):
    import redis

__all__ = ["RedisJournal", "RedisReplayStore"]

_NOW = """
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] + time[2] / 1000000
end
"""
_KEEP = f"""{_NOW}
local function keep(committed, ttl, lives, remembered)
  redis.call('HSET', KEYS[1], 'committed', committed, 'ttl', ttl, 'until', string.format('%.6f', now + lives))
  redis.call('PEXPIRE', KEYS[1], math.ceil(remembered * 1000))
end
"""
# A claim that ran out is remembered for its ttl: whoever commits it late still says that it was handled.
_CLAIM = f"""{_KEEP}
local lease, ttl = tonumber(ARGV[2]), tonumber(ARGV[3])
local found = redis.call('HMGET', KEYS[1], 'until', 'committed')
if found[1] and tonumber(found[1]) > now then return found[2] == '1' and 'duplicate' or 'in_progress' end
keep(0, ttl, lease, lease + ttl)
return 'claimed'
"""
_COMMIT = f"""{_KEEP}
local ttl = tonumber(redis.call('HGET', KEYS[1], 'ttl') or ARGV[2])
keep(1, ttl, ttl, ttl)
"""
_NOTE = f"""{_NOW}
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
redis.call('ZADD', KEYS[2], string.format('%.6f', now + tonumber(ARGV[2])), ARGV[3])
"""
_OVERDUE = f"""{_NOW}
local due = string.format('%.6f', now + tonumber(ARGV[2]))
local found = {{}}
local runs = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.6f', now), 'LIMIT', 0, ARGV[3])
for _, run in ipairs(runs) do
  local payload = redis.call('HGET', KEYS[1], run)
  if payload then
    redis.call('ZADD', KEYS[2], due, run)
    table.insert(found, payload)
  else
    redis.call('ZREM', KEYS[2], run)
  end
end
return found
"""


class _Kept(Closing):
    """What is kept on a server."""

    def __init__(
        self, server: str | Secret | redis.Redis, prefix: str, clock: Callable[[], float] | None
    ) -> None:
        self._owned = not isinstance(server, redis.Redis)
        self._client: Any = server if isinstance(server, redis.Redis) else _client(server)
        self._prefix = prefix
        self._clock = clock

    def close(self) -> None:
        """Close the connections, unless the client was given; a later call opens new ones."""
        if self._owned:
            self._client.close()

    def _now(self) -> float | str:
        return "" if self._clock is None else self._clock()


class RedisReplayStore(_Kept):
    """
    Remember deliveries in Redis: a `ReplayStore` for any number of machines; also a context manager.

    What it knows is as durable as the server is configured to be.

    Args:
        server: A URL such as `redis://localhost:6379/0`, or a client, which is the giver's to close.
        lease: Seconds after which a claim that was neither committed nor released runs out.
        prefix: Begins the name of every key.
        clock: Seconds since the epoch; None: the server's clock.

    Raises:
        redis.RedisError: From any method, where the server does not do its part.
    """

    def __init__(
        self,
        server: str | Secret | redis.Redis,
        *,
        lease: float = 300.0,
        prefix: str = "mailcore:claim:",
        clock: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(server, prefix, clock)
        self._lease = lease
        self._claim = self._client.register_script(_CLAIM)
        self._commit = self._client.register_script(_COMMIT)

    def claim(self, key: str, ttl: float) -> Claim:
        """Do what `ReplayStore.claim` says."""
        found = self._claim(keys=[self._prefix + key], args=[self._now(), self._lease, ttl])
        return Claim(found.decode() if isinstance(found, bytes) else found)

    def commit(self, key: str) -> None:
        """Do what `ReplayStore.commit` says."""
        self._commit(keys=[self._prefix + key], args=[self._now(), self._lease])

    def release(self, key: str) -> None:
        """Do what `ReplayStore.release` says."""
        self._client.delete(self._prefix + key)


class RedisJournal(_Kept):
    """
    Keep jobs that are under way in Redis: a `Journal`; also a context manager.

    Args:
        server: A URL such as `redis://localhost:6379/0`, or a client, which is the giver's to close.
        prefix: Begins the name of every key.
        clock: Seconds since the epoch; None: the server's clock.

    Raises:
        redis.RedisError: From any method, where the server does not do its part.
    """

    def __init__(
        self,
        server: str | Secret | redis.Redis,
        *,
        prefix: str = "mailcore:journal",
        clock: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(server, prefix, clock)
        self._keys = [f"{prefix}:jobs", f"{prefix}:due"]
        self._note = self._client.register_script(_NOTE)
        self._overdue = self._client.register_script(_OVERDUE)

    def note(self, run: str, payload: str, *, due: float) -> None:
        """Do what `Journal.note` says."""
        self._note(keys=self._keys, args=[self._now(), due, run, payload])

    def strike(self, run: str) -> None:
        """Do what `Journal.strike` says."""
        with self._client.pipeline() as steps:
            steps.hdel(self._keys[0], run).zrem(self._keys[1], run).execute()

    def has(self, run: str) -> bool:
        """Do what `Journal.has` says."""
        return bool(self._client.hexists(self._keys[0], run))

    def overdue(self, *, again: float, limit: int) -> list[str]:
        """Do what `Journal.overdue` says."""
        found = self._overdue(keys=self._keys, args=[self._now(), again, limit])
        return [payload.decode() if isinstance(payload, bytes) else payload for payload in found]


def _client(server: str | Secret) -> redis.Redis:
    return redis.Redis.from_url(server.reveal() if isinstance(server, Secret) else server)
