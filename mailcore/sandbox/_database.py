"""The SQLite database of a mailbox, in memory or in a file.

Rule: what is wrong with a file is one sentence that names it, whatever SQLite raised.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mailcore._closing import Closing
from mailcore.exceptions import MailcoreError

__all__ = ["Database"]

#: Written into the file, so that no other program's database is taken for a mailbox: "mlcr".
APPLICATION = 0x6D6C6372
VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS exchanges (
    id INTEGER PRIMARY KEY, provider TEXT, at TEXT, first INTEGER, method TEXT, url TEXT, headers TEXT,
    body BLOB, status INTEGER, answer_headers TEXT, answer_body BLOB);
CREATE TABLE IF NOT EXISTS mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT, provider TEXT, incoming INTEGER, message_id TEXT,
    sender TEXT, recipients TEXT, subject TEXT, tags TEXT, files INTEGER, size INTEGER, words TEXT,
    exchange INTEGER);
CREATE INDEX IF NOT EXISTS mails_of_exchange ON mails (exchange);
CREATE INDEX IF NOT EXISTS mails_by_name ON mails (provider, message_id);
CREATE TABLE IF NOT EXISTS sources (mail INTEGER PRIMARY KEY, source BLOB);
CREATE TABLE IF NOT EXISTS webhooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, mail INTEGER, provider TEXT, kind TEXT, happening TEXT, at TEXT,
    method TEXT, url TEXT, headers TEXT, body BLOB, status INTEGER, error TEXT, seconds REAL,
    answer_headers TEXT, answer_body BLOB);
CREATE INDEX IF NOT EXISTS webhooks_of_mail ON webhooks (mail);
CREATE TABLE IF NOT EXISTS counts (provider TEXT PRIMARY KEY, taken INTEGER) WITHOUT ROWID;
"""


class Database(Closing):
    """
    Open the database for this process alone.

    Args:
        path: The file, made where it is missing and readable for its owner only; None: in memory.

    Raises:
        MailcoreError: The file cannot be used; likewise from `transaction`.
    """

    def __init__(self, path: Path | None) -> None:
        self._where = "The mailbox in memory" if path is None else f"The mailbox {path}"
        self._lock = threading.RLock()
        try:
            if path is not None:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(
                ":memory:" if path is None else path, isolation_level=None, check_same_thread=False, timeout=1
            )
        except (sqlite3.Error, OSError) as error:
            raise self._failure(error) from None
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._connection.close()
            raise self._failure(error) from None
        except MailcoreError:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        (application,) = execute("PRAGMA application_id").fetchone()
        (version,) = execute("PRAGMA user_version").fetchone()
        (tables,) = execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and (application, version) != (APPLICATION, VERSION):
            whose = "was written by another version" if application == APPLICATION else "is another program's"
            raise MailcoreError(f"{self._where} {whose}. Name another file.")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(
            f"BEGIN EXCLUSIVE; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};"
            f"{_SCHEMA} COMMIT;"
        )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run statements as one, one thread at a time."""
        with self._lock:
            try:
                self._connection.execute("BEGIN")
                yield self._connection
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                raise self._failure(error) from None
            except BaseException:
                self._roll_back()
                raise

    def shrink(self) -> None:
        """Give the disk back what removed mails took of it; where that cannot be, the room is used again."""
        with self._lock, suppress(sqlite3.Error):
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _failure(self, error: Exception) -> MailcoreError:
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return MailcoreError(f"{self._where} cannot be used: {words}. {_way_out(words)}")

    def close(self) -> None:
        """Close the file; in memory, forget everything."""
        with self._lock:
            self._connection.close()


def _way_out(words: str) -> str:
    if "locked" in words:
        return "Another sandbox uses it; stop that one, or name another file."
    if "full" in words:
        return "Make room on the disk."
    return "Name another file, or leave --file out to keep the mail in memory."
