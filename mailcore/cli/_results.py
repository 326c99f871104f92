"""The file of results: what became of each mail of a list, one JSON document a line.

Rule 1: a mail's line `begun` is written before it is sent, so that wherever the process ends, the file knows
        which mails may be under way.
Rule 2: a mail is known by a key made of what stands in the list and of the run, so that it is the same
        mail when the run is repeated, and another one in the next run.
Rule 3: what may have been sent stays in doubt until it is accepted.
"""

from __future__ import annotations

import contextlib
import enum
import hashlib
import json
import os
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import click

from mailcore._closing import Closing
from mailcore._message import Message
from mailcore._retry import KEY_MARGIN
from mailcore._spec import Idempotency
from mailcore._time import utc_now
from mailcore.cli._entry import Entry
from mailcore.exceptions import InvalidMessage, Outcome

__all__ = ["Keys", "Known", "Results"]

BEGUN = "begun"
#: Bytes of a line: a mail to thousands has a document for each.
MAX_LINE = 4 * 1024 * 1024


class Known(enum.Enum):
    """What the file knows of a mail."""

    #: Nothing, or that it was not sent.
    NEW = "new"
    #: It was accepted.
    SENT = "sent"
    #: It may have been sent, and the provider still knows its key.
    REPEATABLE = "repeatable"
    #: It may have been sent, and nothing stops a second one.
    UNSAFE = "unsafe"


class Keys:
    """Give each mail of a list its key; one for each time the list is gone through."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._seen: Counter[str] = Counter()

    def key(self, entry: Entry, message: Message) -> str:
        """
        Return the key: the message's own, or one that says which run and which of its like it is.

        Raises:
            InvalidMessage: It is another mail's own key.
        """
        own = message.idempotency_key
        said = own or entry.digest
        self._seen[said] += 1
        if not own:
            return hashlib.sha256(f"{self._run}\n{said}\n{self._seen[said]}".encode()).hexdigest()[:40]
        if self._seen[own] > 1:
            raise InvalidMessage("Another mail of the list has the same.", field="idempotency_key")
        return own


class Results(Closing):
    """
    Append to a file of results; also a context manager.

    Args:
        path: Of a file that is not there yet; with `resume`, of an earlier run's.
        provider: The provider's name.
        promise: What the provider promises about a repeated key.

    Raises:
        click.UsageError: It is there already; or with `resume`, it is not one of such a run.
    """

    def __init__(self, path: str, *, resume: bool, provider: str, promise: Idempotency | None) -> None:
        self.path = path
        self._provider = provider
        self._lasts = timedelta(seconds=promise.ttl - KEY_MARGIN) if promise else None
        self._sent: set[str] = set()
        self._doubts: dict[str, datetime] = {}
        self._open: dict[str, datetime] = {}
        self._file: BinaryIO | None = None
        self._run = uuid.uuid4().hex
        if resume:
            self._file = _opened(path, "r+b")
            try:
                self._run = self._read(self._file)
            except BaseException:
                self._file.close()
                raise
        elif Path(path).exists():
            raise _there_already(path)

    def open(self) -> None:
        """Make the file, unless it is there from an earlier run."""
        if self._file is None:
            self._file = _opened(self.path, "xb")
            self._write({"run": self._run, "provider": self._provider})

    def keys(self) -> Keys:
        """Return what gives each mail its key."""
        return Keys(self._run)

    def known(self, key: str) -> Known:
        """Return what is known of a mail."""
        if key in self._sent:
            return Known.SENT
        since = self._doubts.get(key)
        if since is None:
            return Known.NEW
        safe = self._lasts is not None and utc_now() - since < self._lasts
        return Known.REPEATABLE if safe else Known.UNSAFE

    def begin(self, key: str, entry: Entry, message: Message) -> None:
        """Write down that a mail is about to be sent."""
        to = [address.addr_spec for address in message.recipients]
        self._write({"place": entry.place, "key": key, "to": to, "outcome": BEGUN})

    def end(self, key: str, entry: Entry, document: Mapping[str, Any]) -> None:
        """Write down what became of it."""
        self._write({"place": entry.place, "key": key, **document})

    def _write(self, document: Mapping[str, Any]) -> None:
        if self._file is not None:
            line = json.dumps({"at": utc_now().isoformat(), **document})
            self._file.write(line.encode() + b"\n")
            self._file.flush()  # with the system before the mail is sent

    def _read(self, file: BinaryIO) -> str:
        """Learn what an earlier run wrote, and return its name."""
        try:
            documents = map(json.loads, _whole_lines(file))
            run, provider = itemgetter("run", "provider")(next(documents))
            for document in documents:
                self._learn(**{name: document[name] for name in ("key", "outcome", "at")})
        except (ValueError, LookupError, TypeError, StopIteration, RecursionError):
            raise click.UsageError(f"{self.path!r} is no file of results, or was changed.") from None
        if provider != self._provider:
            raise click.UsageError(
                f"{self.path!r} is of a run with {provider}, whose keys {self._provider} does not know. "
                f"Resume it with {provider}."
            )
        for key, since in self._open.items():
            self._doubts.setdefault(key, since)
        return str(run)

    def _learn(self, *, key: str, outcome: str, at: str) -> None:
        time = datetime.fromisoformat(at).astimezone(UTC)
        since = self._open.pop(key, None)
        if outcome == BEGUN:
            if since is not None:  # nobody knows how that ended
                self._doubts.setdefault(key, since)
            self._open[key] = time
        elif outcome == Outcome.ACCEPTED.value:
            self._sent.add(key)
        elif outcome == Outcome.UNKNOWN.value:
            self._doubts.setdefault(key, since or time)

    def close(self) -> None:
        """Let other processes have the file."""
        if self._file is not None:
            self._file.close()


def _opened(path: str, mode: str) -> BinaryIO:
    """Return the file, for this process alone."""
    try:
        file = open(path, mode, opener=_private)  # noqa: SIM115  # reason: it stays open
    except FileExistsError:
        raise _there_already(path) from None
    except OSError as error:
        raise click.UsageError(f"{path!r} cannot be opened: {error.strerror or error}.") from None
    try:
        _lock(file)
    except OSError:
        file.close()
        raise click.UsageError(f"Another process is writing to {path!r}. Wait for it to end.") from None
    return cast("BinaryIO", file)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # who was written to is nobody else's business


def _lock(file: IO[Any]) -> None:
    """Keep other processes out, where the system can."""
    with contextlib.suppress(ImportError):
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _there_already(path: str) -> click.UsageError:
    return click.UsageError(
        f"{path!r} is there already. Give --resume to go on with its run, or name another file for a new one."
    )


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield each line, and cut off one that has no end: what it was written for was not done yet."""
    whole = 0
    while (line := file.readline(MAX_LINE)).endswith(b"\n"):
        whole += len(line)
        yield line
    if len(line) == MAX_LINE:
        raise ValueError
    file.truncate(whole)
    file.seek(whole)
