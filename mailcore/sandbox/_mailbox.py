"""Every mail of a sandbox: kept, listed, searched, forgotten.

Rule: it holds so many mails and bytes and no more; the oldest go first, and what belongs to them too.
"""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

import attrs

from mailcore._closing import Closing
from mailcore.sandbox._database import Database
from mailcore.sandbox._kept import Exchange, Mail, Webhook

__all__ = ["Mailbox"]

MOST = 10_000
MOST_BYTES = 512 * 1024 * 1024
#: As many webhooks are kept for each mail that there is room for.
WEBHOOKS = 10

T = TypeVar("T", Mail, Exchange, Webhook)


class Mailbox(Closing):
    """
    Keep mails, with the exchanges they came with and the webhooks made for them.

    Any thread may call any method; also a context manager.

    Args:
        path: The file that it is in; None: memory.
        most: How many mails are kept.
        most_bytes: How many bytes of sources are kept.

    Raises:
        MailcoreError: From any method, where the file cannot be used.
    """

    def __init__(self, path: Path | None = None, *, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._database = Database(path)
        self._most, self._most_bytes = most, most_bytes
        self._lock = RLock()
        self._watchers: list[Callable[[], object]] = []
        # Searched in memory: SQLite takes ten times as long to look through ten thousand texts.
        self._words: dict[int, str] = {}
        self._bytes = 0
        self._gone: dict[str, deque[str]] = {}
        with self._database.transaction() as database:
            for key, words, size in database.execute("SELECT id, words, size FROM mails ORDER BY id"):
                self._words[key] = words
                self._bytes += size

    # Mails --------------------------------------------------------------------------------------

    def add(self, mails: Sequence[tuple[Mail, bytes, str]], exchange: Exchange | None = None) -> list[Mail]:
        """Keep mails that came together, each with its source and the text it is found by."""
        with self._lock:
            kept = self._added(mails, exchange)
        self.changed()
        return kept

    def _added(self, mails: Sequence[tuple[Mail, bytes, str]], exchange: Exchange | None) -> list[Mail]:
        with self._database.transaction() as database:
            key = None if exchange is None else _insert(database, "exchanges", exchange)
            if exchange is not None:
                taken = (exchange.provider, exchange.first + len(mails))
                database.execute("INSERT OR REPLACE INTO counts VALUES (?, ?)", taken)
            kept = [self._keep(database, *mail, key) for mail in mails]
            gone = self._trimmed(database, kept)
        self._words |= {one.id: words.lower() for one, (_, _, words) in zip(kept, mails, strict=True)}
        self._bytes += sum(mail.size for mail in kept)
        self._forget(gone)
        return kept

    def _keep(
        self, database: sqlite3.Connection, mail: Mail, source: bytes, words: str, exchange: int | None
    ) -> Mail:
        sized = attrs.evolve(mail, size=len(source))
        key = _insert(database, "mails", sized, words=words.lower(), exchange=exchange)
        database.execute("INSERT INTO sources VALUES (?, ?)", (key, source))
        return attrs.evolve(sized, id=key)

    def _trimmed(self, database: sqlite3.Connection, new: Sequence[Mail]) -> list[Mail]:
        """Remove the oldest mails, until the new ones have room, and return them."""
        count, size = len(self._words) + len(new), self._bytes + sum(mail.size for mail in new)
        gone: list[Mail] = []
        while count > self._most or (size > self._most_bytes and count > 1):
            (oldest,) = _rows(database, Mail, "FROM mails ORDER BY id LIMIT 1")
            _remove(database, oldest.id)
            gone.append(oldest)
            count, size = count - 1, size - oldest.size
        return gone

    def _forget(self, mails: Sequence[Mail]) -> None:
        for mail in mails:
            del self._words[mail.id]
            self._bytes -= mail.size
            if not mail.incoming and mail.provider in self._gone:
                self._gone[mail.provider].append(mail.message_id)

    def gone(self, provider: str) -> deque[str]:
        """Return where the names of a provider's mails are put as they go, for the provider to take."""
        return self._gone.setdefault(provider, deque())

    def mails(self, search: str = "", *, before: int | None = None, limit: int = 100) -> list[Mail]:
        """Return the newest mails that hold every word of `search`, in any letter case."""
        return self.found(search, before=before, limit=limit)[0]

    def found(self, search: str = "", *, before: int | None, limit: int) -> tuple[list[Mail], int]:
        """Return those, and how many there are in all, having looked through them once."""
        found = self._found(search)
        fitting = (key for key in reversed(found) if before is None or key < before)
        keys = list(islice(fitting, limit))
        marks = ", ".join("?" for _ in keys)
        return self._read(Mail, f"FROM mails WHERE id IN ({marks}) ORDER BY id DESC", *keys), len(found)

    def count(self, search: str = "") -> int:
        """Return how many mails hold every word of `search`."""
        return len(self._found(search))

    def _found(self, search: str) -> list[int]:
        with self._lock:
            texts = list(self._words.items())
        for word in search.lower().split():
            texts = [item for item in texts if word in item[1]]
        return [key for key, _ in texts]

    def mail(self, key: int) -> Mail | None:
        """Return one mail; None where there is none of that number."""
        return next(iter(self._read(Mail, "FROM mails WHERE id = ?", key)), None)

    def named(self, provider: str, message_id: str) -> Mail | None:
        """Return the last mail that a provider gave that name."""
        where = "FROM mails WHERE provider = ? AND message_id = ? ORDER BY id DESC LIMIT 1"
        return next(iter(self._read(Mail, where, provider, message_id)), None)

    def source(self, key: int) -> bytes:
        """Return the source of a mail; empty where there is none of that number."""
        with self._database.transaction() as database:
            row = database.execute("SELECT source FROM sources WHERE mail = ?", (key,)).fetchone()
        return row[0] if row else b""

    def remove(self, key: int) -> None:
        """Forget one mail, if it is there."""
        with self._lock:
            with self._database.transaction() as database:
                found = _rows(database, Mail, "FROM mails WHERE id = ?", key)
                _remove(database, key)
            self._forget(found)
        self.changed()

    def clear(self) -> None:
        """Forget every mail; numbers and the providers' ids go on."""
        with self._lock, self._database.transaction() as database:
            for table in ("mails", "sources", "exchanges", "webhooks"):
                database.execute(f"DELETE FROM {table}")  # noqa: S608  # reason: names of ours
        self._database.shrink()
        with self._lock:
            self._words.clear()
            for names in self._gone.values():
                names.clear()
            self._bytes = 0
        self.changed()

    # Exchanges ----------------------------------------------------------------------------------

    def exchange(self, key: int) -> Exchange | None:
        """Return the exchange that a mail came with; None for one that came otherwise."""
        where = "FROM exchanges WHERE id = (SELECT exchange FROM mails WHERE id = ?)"
        return next(iter(self._read(Exchange, where, key)), None)

    def exchanges(self, provider: str) -> list[Exchange]:
        """Return those of a provider, oldest first."""
        return self._read(Exchange, "FROM exchanges WHERE provider = ? ORDER BY id", provider)

    def taken(self, provider: str) -> int:
        """Return how many mails a provider has ever taken, forgotten ones too."""
        with self._database.transaction() as database:
            row = database.execute("SELECT taken FROM counts WHERE provider = ?", (provider,)).fetchone()
        return row[0] if row else 0

    # Webhooks -----------------------------------------------------------------------------------

    def add_webhook(self, webhook: Webhook) -> Webhook:
        """Keep a webhook, and how it was answered."""
        with self._database.transaction() as database:
            key = _insert(database, "webhooks", webhook)
            database.execute("DELETE FROM webhooks WHERE id <= ?", (key - WEBHOOKS * self._most,))
        self.changed()
        return attrs.evolve(webhook, id=key)

    def webhook(self, key: int) -> Webhook | None:
        """Return one webhook; None where there is none of that number."""
        return next(iter(self._read(Webhook, "FROM webhooks WHERE id = ?", key)), None)

    def webhooks(self, mail: int) -> list[Webhook]:
        """Return those about a mail, newest first."""
        return self._read(Webhook, "FROM webhooks WHERE mail = ? ORDER BY id DESC", mail)

    # Changes ------------------------------------------------------------------------------------

    def watch(self, watcher: Callable[[], object]) -> Callable[[], None]:
        """Call `watcher` after each change, in the thread that made it, until what is returned is called."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def changed(self) -> None:
        """Tell those who watch."""
        for watcher in list(self._watchers):
            watcher()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _read(self, cls: type[T], query: str, *values: Any) -> list[T]:
        with self._database.transaction() as database:
            return _rows(database, cls, query, *values)


def _rows(database: sqlite3.Connection, cls: type[T], query: str, *values: Any) -> list[T]:
    names = [field.name for field in attrs.fields(cls)]
    rows = database.execute(f"SELECT {', '.join(names)} {query}", values).fetchall()
    try:
        return [cls(**dict(zip(names, map(_loaded, names, row), strict=True))) for row in rows]
    except (ValueError, TypeError) as error:
        raise sqlite3.DataError(f"a row is damaged ({error})") from None


def _remove(database: sqlite3.Connection, mail: int) -> None:
    """Remove a mail and what belongs to it; an exchange, with the last mail that came with it."""
    (exchange,) = database.execute("SELECT max(exchange) FROM mails WHERE id = ?", (mail,)).fetchone()
    database.execute("DELETE FROM mails WHERE id = ?", (mail,))
    database.execute("DELETE FROM sources WHERE mail = ?", (mail,))
    database.execute("DELETE FROM webhooks WHERE mail = ?", (mail,))
    database.execute(
        "DELETE FROM exchanges WHERE id = ? AND NOT EXISTS (SELECT 1 FROM mails WHERE exchange = ?)",
        (exchange, exchange),
    )


def _insert(database: sqlite3.Connection, table: str, value: Mail | Exchange | Webhook, **more: Any) -> int:
    given = {field.name: getattr(value, field.name) for field in attrs.fields(type(value))} | more
    given.pop("id", None)
    names, marks = ", ".join(given), ", ".join("?" for _ in given)
    statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608  # reason: names of ours
    return database.execute(statement, list(map(_dumped, given, given.values()))).lastrowid or 0


def _dumped(name: str, value: Any) -> Any:
    if name in _LISTS:
        return json.dumps(value)
    if isinstance(value, datetime):
        return value.isoformat()
    # SQLite takes no lone surrogates, which JSON may bring.
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _loaded(name: str, value: Any) -> Any:
    if name in _LISTS:
        return json.loads(value)
    if name == "at":
        return datetime.fromisoformat(value)
    return bool(value) if name == "incoming" else value


_LISTS = frozenset({"recipients", "tags", "headers", "answer_headers"})
