"""Keeps deliveries as JSON files in a folder, one a delivery.

Rule: a file is written whole under another name, forced to disk and then renamed, so that none is ever
half there, or gone after a crash.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

from mailcore._codec import from_json, to_json
from mailcore._quarantine import Quarantined
from mailcore._spool import Spooled

__all__ = ["QuarantineFolder", "SpoolFolder"]

T = TypeVar("T", Quarantined, Spooled)

_log = logging.getLogger("mailcore.webhooks")


class _Folder(Generic[T]):
    """Keep each delivery once, however often it comes; iterate for all, oldest first."""

    _type: type[T]

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def _keep(self, kept: T) -> None:
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = self._file(kept)
        partial = target.with_name(f".{target.stem}.{os.getpid()}.partial")
        with partial.open("w", encoding="utf-8") as file:
            file.write(to_json(kept))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)

    def _file(self, kept: T) -> Path:
        identity = kept.kind.value.encode() + b":" + kept.webhook.request.body
        return self.path / f"{hashlib.sha256(identity).hexdigest()}.json"

    def __iter__(self) -> Iterator[T]:
        for _, file in self._files():
            yield self._read(file)

    def _files(self) -> list[tuple[int, Path]]:
        return sorted((file.stat().st_mtime_ns, file) for file in self.path.glob("*.json"))

    def _read(self, file: Path) -> T:
        return from_json(self._type, file.read_text(encoding="utf-8"))


class QuarantineFolder(_Folder[Quarantined]):
    """Keep deliveries that nobody understood: an `on_quarantine` function."""

    _type = Quarantined

    def __call__(self, quarantined: Quarantined) -> None:
        """Write one delivery; raises `OSError` where that is not possible."""
        self._keep(quarantined)


class SpoolFolder(_Folder[Spooled]):
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
