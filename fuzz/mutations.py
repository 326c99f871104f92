"""Changes bytes and JSON a little, so that they are nearly what they were."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["change_bytes", "change_json", "spell_json"]

#: What parsers stumble over.
PIECES = (
    b"\x00", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b'"', b"\\", b"\\u0000", b"\\ud800", b"\xff",
    b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xef\xbf\xbd", b"{", b"}", b"[", b"]", b":", b",", b";", b"=", b"--",
    b"NaN", b"-Infinity", b"1e999", b"9" * 30, b"null", b"true", b"=?utf-8?b?", b"=?utf-8?q?=0d=0a", b"?=",
    b"<", b">", b"@", b"(", b")", b"multipart/mixed; boundary=", b"message/rfc822", b"base64", b"charset=",
    b"Content-Type: ", b"From: ", b"To: ", b"\xe2\x80\xae", b"\xe2\x80\xa8",
)  # fmt: skip
#: What a field holds where something else was expected.
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**19, 1.5, "", " ", "a\r\nBcc: x@example.com", "\x00", "\u202e", "\ud800", [],
    {}, [[]], [None], [{}], {"": ""}, "a@b@c", "<", "=?utf-8?b?//8=?=", "../../x", "9999-99-99T99:99:99Z",
    "0001-01-01T00:00:00+23:59", "x" * 5000, ["a"] * 50, "event", "payload",
)  # fmt: skip


def _flip(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    data[at] ^= 1 << chance.randrange(8)


def _set(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] = chance.randrange(256)


def _insert(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    data[at:at] = chance.choice(PIECES)


def _repeat(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    piece = bytes(data[at : at + chance.choice((1, 8, 64))])
    data[at:at] = piece * chance.choice((1, 2, 20))


def _remove(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    del data[at : at + chance.choice((1, 4, 32))]


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _move(data: bytearray, chance: random.Random) -> None:
    at, size = chance.randrange(len(data)), chance.choice((4, 40))
    piece = bytes(data[at : at + size])
    del data[at : at + size]
    to = chance.randrange(len(data) + 1)
    data[to:to] = piece


_WAYS: Sequence[Callable[[bytearray, random.Random], None]] = (
    _flip, _flip, _set, _insert, _insert, _insert, _repeat, _remove, _cut, _move,
)  # fmt: skip


def change_bytes(data: bytes, chance: random.Random, *, times: int = 4) -> bytes:
    """Return `data` with 1 to `times` changes."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, times)):
        if not changed:
            break
        chance.choice(_WAYS)(changed, chance)
    return bytes(changed)


def change_json(document: Any, chance: random.Random) -> Any:
    """Return the value of a JSON text with one of its values changed, gone, or under another name."""
    changed = json.loads(json.dumps(document))
    places = list(_places(changed))
    if not places:
        return chance.choice(VALUES)
    container, key = chance.choice(places)
    way = chance.randrange(5)
    if way == 0:
        del container[key]
    elif way == 1 and isinstance(container, dict):
        container[chance.choice(("event", "payload", "id", "raw", "messageId", "x\r\ny"))] = container.pop(
            key
        )
    elif way == 2:
        container[key] = {"event": container[key], "payload": [container[key]]}
    else:
        container[key] = chance.choice(VALUES)
    return changed


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return where values stand: container and key."""
    if isinstance(value, dict):
        keys: list[Any] = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    else:
        return []
    return [(value, key) for key in keys] + [place for key in keys for place in _places(value[key])]


def spell_json(document: Any, chance: random.Random) -> bytes:
    """Return a JSON text of a value, written in one of the ways that mean the same, or nearly."""
    text = json.dumps(
        document,
        ensure_ascii=chance.random() < 0.5,
        indent=chance.choice((None, None, 1)),
        separators=chance.choice((None, (",", ":"))),
        sort_keys=chance.random() < 0.2,
    )
    if chance.random() < 0.2 and text.startswith("{") and len(text) > 2:
        text = "{" + chance.choice(('"event":"x",', '"event" : 1,', '"raw":"",', '"payload":{},')) + text[1:]
    encoding = chance.choice(("utf-8",) * 20 + ("utf-16", "utf-8-sig", "utf-32"))
    return text.encode(encoding, "surrogatepass")
