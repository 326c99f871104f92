"""What broken adapters of several sections have in common: one thing done to the JSON reference's payload."""

from __future__ import annotations

import atexit
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
from reference.json_api import KIT, JsonAdapter

from gallery import broken
from mailcore import Context, Message

__all__ = ["USUAL", "Changed", "Document", "alone", "changing", "samples_with"]

Document = dict[str, Any]
#: What nearly every mail has.
USUAL = frozenset({"from_", "to", "subject", "text"})


class Changed(JsonAdapter):
    """The JSON reference with something done to its payload; what it is, a subclass says."""

    def document(self, message: Message, ctx: Context) -> Document:
        """Return the reference's payload, changed."""
        document = super().document(message, ctx)
        self.change(document, message)
        return document

    def change(self, document: Document, message: Message) -> None:
        """Change the payload."""


def alone(message: Message, field: str) -> bool:
    """Return whether a message has one field, beside all that nearly every mail has."""
    given = {one.name for one in attrs.fields(Message) if getattr(message, one.name) not in (None, (), {})}
    return given == {*USUAL, field}


def changing(
    check: str, reason: str, name: str, docs: str, change: Callable[[Document, Message], object], **more: Any
) -> None:
    """Add an adapter of that name, which does one thing to the payload."""
    module = sys._getframe(1).f_globals["__name__"]

    def method(_: Any, document: Document, message: Message) -> None:
        change(document, message)

    cls = type(name, (Changed,), {"change": method, "__doc__": docs, "__module__": module})
    broken(check, reason, **more)(cls)


def samples_with(change: Callable[[Document], object]) -> Path:
    """Return the JSON reference's samples, with something done to each of sends."""
    folder = Path(tempfile.mkdtemp(prefix="kit-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copytree(KIT.folder, folder, dirs_exist_ok=True)
    for path in (folder / "exchanges").glob("*.json"):
        sample = json.loads(path.read_text(encoding="utf-8"))
        change(sample)
        path.write_text(json.dumps(sample), encoding="utf-8")
    return folder
