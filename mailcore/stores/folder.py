"""Keeps quarantined deliveries as JSON files, one a delivery."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from mailcore._codec import from_json, to_json
from mailcore._quarantine import Quarantined

__all__ = ["QuarantineFolder"]


class QuarantineFolder:
    """
    Keep deliveries in a folder; call it with one, iterate to read them back.

    A file is written whole under another name and then renamed, so that none is ever half there.
    The same delivery is kept once, however often it comes.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __call__(self, quarantined: Quarantined) -> None:
        """Write one delivery; raises `OSError` where that is not possible."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = hashlib.sha256(quarantined.webhook.request.body).hexdigest()
        target = self.path / f"{name}.json"
        partial = self.path / f".{name}.{os.getpid()}.partial"
        partial.write_text(to_json(quarantined), encoding="utf-8")
        partial.replace(target)

    def __iter__(self) -> Iterator[Quarantined]:
        for file in sorted(self.path.glob("*.json")):
            yield from_json(Quarantined, file.read_text(encoding="utf-8"))
