"""What tells one mail's content from another's, so that a key is not used for both.

Rule: the content alone. What the key is for is not part of it, nor is anything of the moment.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from mailcore._address import Address
from mailcore._attachment import Attachment
from mailcore._message import Message
from mailcore.exceptions import IdempotencyKeyReuse

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["KeyBook", "fingerprint"]

#: Keys of one mailer that are remembered; the oldest are forgotten first.
MAX_KEYS = 10_000


def fingerprint(message: Message) -> str:
    """Return the SHA-256 of a resolved message's content, attachments included."""
    digest = hashlib.sha256()
    for field in attrs.fields(Message):
        if field.name != "idempotency_key":
            value = getattr(message, field.name)
            digest.update(json.dumps([field.name, value], default=_plain, sort_keys=True).encode())
    for attachment in message.attachments:
        _add(digest, attachment)
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Address):
        return value.to_text()
    if isinstance(value, Attachment):
        return [value.filename, value.full_content_type, value.content_id, value.inline, len(value)]
    if isinstance(value, datetime):
        return value.isoformat()
    mapping: Mapping[str, Any] = value  # nothing else is left that a message holds
    return dict(mapping)


def _add(digest: _Hash, attachment: Attachment) -> None:
    for piece in attachment.pieces():
        digest.update(piece)


class KeyBook:
    """Remember what each key was used for; shared by the threads of one mailer."""

    def __init__(self) -> None:
        self._used: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, key: str, message: Message) -> bool:
        """
        Remember what a key is used for, and return whether it is new.

        Raises:
            IdempotencyKeyReuse: It was used for another mail.
        """
        found = fingerprint(message)
        with self._lock:
            new = key not in self._used
            known = self._used.setdefault(key, found)
            self._used.move_to_end(key)
            if len(self._used) > MAX_KEYS:
                self._used.popitem(last=False)
        if known != found:
            raise IdempotencyKeyReuse(
                "was used for another mail, and the provider would take this one for that. "
                "Give each mail a key of its own.",
                field="idempotency_key",
            )
        return new

    def forget(self, key: str) -> None:
        """Free a key whose mail was not taken."""
        with self._lock:
            self._used.pop(key, None)
