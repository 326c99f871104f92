"""Remembers deliveries in one SQLite file, for the processes of one machine."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mailcore._closing import Closing
from mailcore._replay import Claim

__all__ = ["SqliteReplayStore"]

#: Seconds to wait for another process that writes at the same moment.
BUSY_SECONDS = 10.0

_TABLE = (
    "CREATE TABLE IF NOT EXISTS claims ("
    "key TEXT PRIMARY KEY, committed INTEGER NOT NULL, ttl REAL NOT NULL, until REAL NOT NULL, "
    "forget REAL NOT NULL) WITHOUT ROWID"
)
_INDEX = "CREATE INDEX IF NOT EXISTS claims_forget ON claims (forget)"
_OPENING = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", _TABLE, _INDEX)
_ALIVE = "SELECT committed FROM claims WHERE key = :key AND until > :now"
_FORGET = "DELETE FROM claims WHERE forget <= :now"
# A claim that ran out is remembered for its ttl: whoever commits it late still says that it was handled.
_CLAIM = (
    "INSERT INTO claims (key, committed, ttl, until, forget) "
    "VALUES (:key, 0, :ttl, :now + :lease, :now + :lease + :ttl) ON CONFLICT (key) DO UPDATE "
    "SET committed = 0, ttl = excluded.ttl, until = excluded.until, forget = excluded.forget"
)
_COMMIT = (
    "INSERT INTO claims (key, committed, ttl, until, forget) "
    "VALUES (:key, 1, :lease, :now + :lease, :now + :lease) ON CONFLICT (key) DO UPDATE "
    "SET committed = 1, until = :now + ttl, forget = :now + ttl"
)


class SqliteReplayStore(Closing):
    """
    Remember deliveries in a file: a `ReplayStore` that survives a restart.

    Any number of threads and processes may share the file; also a context manager.

    Args:
        path: The file; it is made where it is missing, and its folder too.
        lease: Seconds after which a claim that was neither committed nor released runs out.
        clock: Seconds since the epoch, as every process sees them.

    Raises:
        sqlite3.Error: From any method, where the file cannot be read or written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        lease: float = 300.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = Path(path)
        self._lease = lease
        self._clock = clock
        self._lock = threading.Lock()
        self._open: tuple[int, sqlite3.Connection] | None = None

    def claim(self, key: str, ttl: float) -> Claim:
        """Do what `ReplayStore.claim` says."""
        values = {"key": key, "ttl": ttl, "lease": self._lease, "now": self._clock()}
        with self._transaction() as database:
            database.execute(_FORGET, values)
            row = database.execute(_ALIVE, values).fetchone()
            if row is not None:
                return Claim.DUPLICATE if row[0] else Claim.IN_PROGRESS
            database.execute(_CLAIM, values)
            return Claim.CLAIMED

    def commit(self, key: str) -> None:
        """Do what `ReplayStore.commit` says."""
        with self._transaction() as database:
            database.execute(_COMMIT, {"key": key, "now": self._clock(), "lease": self._lease})

    def release(self, key: str) -> None:
        """Do what `ReplayStore.release` says."""
        with self._transaction() as database:
            database.execute("DELETE FROM claims WHERE key = ?", (key,))

    def close(self) -> None:
        """Close the file; a later call opens it again."""
        with self._lock:
            if self._open is not None and self._open[0] == os.getpid():
                self._open[1].close()
            self._open = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            database = self._connection()
            # Immediate: two processes that read first and write later could both claim.
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        # A connection does not survive a fork: the child opens its own.
        if self._open is None or self._open[0] != os.getpid():
            self._open = (os.getpid(), self._connect())
        return self._open[1]

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            for statement in _OPENING:
                database.execute(statement)
        except sqlite3.Error:
            database.close()
            raise
        return database
