"""Keeps deliveries, and mail that waits for a person, as JSON files in a folder, one each.

Rule: a file is written whole under another name, forced to disk and then renamed, so that none is ever
half there, or gone after a crash.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import operator
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from mailcore._codec import from_json, to_json
from mailcore._file_content import FileContent
from mailcore._quarantine import Quarantined
from mailcore._spool import Spooled
from mailcore.exceptions import InvalidAttachment
from mailcore.queues._review import Unsettled
from mailcore.queues._stowage import AlreadySettled

__all__ = ["AttachmentFolder", "QuarantineFolder", "ReviewFolder", "SpoolFolder"]

T = TypeVar("T", Quarantined, Spooled, Unsettled)
D = TypeVar("D", Quarantined, Spooled)

#: Of the empty file that says that an attachment was discarded, and the seconds it is kept for.
SETTLED = ".settled"
REMEMBERED = 2 * 24 * 3600.0

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}", re.ASCII)

_log = logging.getLogger("mailcore.webhooks")


class _Folder(Generic[T]):
    """Keep each value once, however often it comes; iterate for all, oldest first."""

    _type: type[T]

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def _keep(self, kept: T) -> None:
        _write(self._file(kept), [to_json(kept).encode()])

    def _file(self, kept: T) -> Path:
        return self._named(self._identity(kept))

    def _identity(self, kept: T) -> bytes:
        raise NotImplementedError

    def _named(self, identity: bytes) -> Path:
        return self.path / f"{hashlib.sha256(identity).hexdigest()}.json"

    def __iter__(self) -> Iterator[T]:
        for _, file in self._files():
            yield self._read(file)

    def _files(self) -> list[tuple[int, Path]]:
        return sorted((file.stat().st_mtime_ns, file) for file in self.path.glob("*.json"))

    def _read(self, file: Path) -> T:
        return from_json(self._type, file.read_text(encoding="utf-8"))


def _write(target: Path, pieces: Iterable[bytes]) -> None:
    """Write a file so that it is there whole, or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = target.with_name(f".{target.stem}.{os.getpid()}.partial")
    with partial.open("wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(target)


class _Deliveries(_Folder[D]):
    """Tell deliveries apart by what came, and where."""

    def _identity(self, kept: D) -> bytes:
        return kept.kind.value.encode() + b":" + kept.webhook.request.body


class QuarantineFolder(_Deliveries[Quarantined]):
    """Keep deliveries that nobody understood: an `on_quarantine` function."""

    _type = Quarantined

    def __call__(self, quarantined: Quarantined) -> None:
        """Write one delivery; raises `OSError` where that is not possible."""
        self._keep(quarantined)


class SpoolFolder(_Deliveries[Spooled]):
    """Keep deliveries that wait for their handler: a `Spool`."""

    _type = Spooled

    def add(self, spooled: Spooled) -> None:
        """Write one delivery; raises `OSError` where that is not possible."""
        self._keep(spooled)

    def __iter__(self) -> Iterator[Spooled]:
        for _, file in self._files():
            try:
                spooled = self._read(file)
            except (OSError, ValueError) as error:  # the others must not wait behind it
                _log.error("%s cannot be read and stays in the spool: %s", file, error)
            else:
                yield spooled

    def discard(self, spooled: Spooled) -> None:
        """Remove the file of one, if it is there."""
        self._file(spooled).unlink(missing_ok=True)


class ReviewFolder(_Folder[Unsettled]):
    """Keep mail that waits for a person: a `ReviewList`."""

    _type = Unsettled

    def add(self, unsettled: Unsettled) -> None:
        """Write one; raises `OSError` where that is not possible."""
        self._keep(unsettled)

    def discard(self, id: str) -> None:  # noqa: A002  # reason: it is what the field is called
        """Remove the file of one, if it is there."""
        self._named(id.encode()).unlink(missing_ok=True)

    def __iter__(self) -> Iterator[Unsettled]:
        """Yield all; a mail that is settled meanwhile is none of them."""
        found = []
        for file in self.path.glob("*.json"):
            with contextlib.suppress(FileNotFoundError):
                found.append((file.stat().st_mtime_ns, self._read(file)))
        return (unsettled for _, unsettled in sorted(found, key=operator.itemgetter(0)))

    def _identity(self, kept: Unsettled) -> bytes:
        return kept.id.encode()


class AttachmentFolder:
    """
    Keep attachments that are too large for a broker: an `AttachmentStore`.

    Whoever sends and every worker need the same folder, on one machine or on a shared disk. That an
    attachment was discarded is remembered for two days, by an empty file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def put(self, name: str, content: Iterable[bytes]) -> None:
        """Write one; raises `OSError` where that is not possible."""
        _write(self._file(name), content)

    def get(self, name: str) -> FileContent:
        """Do what `AttachmentStore.get` says."""
        if self._file(name, SETTLED).exists():
            raise AlreadySettled(f"The attachment {name} was discarded, as its mail was settled.")
        return FileContent.declare(self._file(name))

    def discard(self, name: str) -> None:
        """Remove one, and what has been remembered long enough."""
        self._file(name, SETTLED).touch()
        self._file(name).unlink(missing_ok=True)
        oldest = time.time() - REMEMBERED
        for file in self.path.glob(f"*{SETTLED}"):
            with contextlib.suppress(FileNotFoundError):
                if file.stat().st_mtime < oldest:
                    file.unlink()

    def _file(self, name: str, ending: str = ".attachment") -> Path:
        if not _NAME.fullmatch(name):  # it comes from a job, and could be a path
            raise InvalidAttachment(f"{name!r} is no name that this store gave out.", field="attachments")
        return self.path / f"{name}{ending}"
