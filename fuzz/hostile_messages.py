"""Draws messages whose every field may hold what would inject a header, a recipient or a part.

Rule: what is drawn depends on the `Random` alone, which hypothesis may replace by its own.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

__all__ = ["fields"]

#: What no line may hold; wherever it stands, the message is to be refused.
_POISON = (
    "\r\nX-Injected: yes", "\nBcc: evil@evil.example", "\r", "\n", "\x00", "\r\n\r\nbody", "\u2028",
    "\u2029", "\x85", "\x0b", "\x0c",
    "\x1b", "\x7f", "\ud800", "\udcff", "\u202e", "\r\n--=_", "\n ", "\t",
)  # fmt: skip
#: What a line may hold, and a careless writer would spoil it by.
_PIECES = (
    "Ada", "Grüße", "日本", "\U0001f600", " ", "  ", ",", ";", ":", "<", ">", "@", '"', "\\", '\\"', "(", ")",
    "[", "]", ".", "=?", "?=",
    "=?utf-8?q?=0D=0ABcc:_evil=40evil.example?=", "=?utf-8?b?DQpCY2M6IHg=?=", "%0d%0aBcc: x", "\\r\\n",
    "<evil@evil.example>",
    "evil@evil.example,", ", <evil@evil.example>", "x" * 80, "long words " * 20, "é" * 60, "e\u0301",
    "\u00a0", "\u3000", "From ", "'", "=", "&", "%", "+",
)  # fmt: skip
_LOCALS = (
    "ada",
    "a.b+c",
    '"a b"',
    '"a,b"',
    '"a@b"',
    "o'brien",
    "grüße",
    "x" * 64,
    "!#$%&'*+-/=?^_`{|}~",
    '"\\""',
)
_DOMAINS = (
    "example.com",
    "b.example",
    "[127.0.0.1]",
    "[IPv6:::1]",
    "münchen.example",
    "xn--mnchen-3ya.example",
    "EXAMPLE.org",
)


def _line(chance: random.Random, *, poison: bool) -> str:
    pieces = [chance.choice(_PIECES) for _ in range(chance.choice((0, 1, 1, 2, 3, 5)))]
    if poison:
        pieces.insert(chance.randrange(len(pieces) + 1), chance.choice(_POISON))
    return "".join(pieces)


def _address(chance: random.Random, *, poison: bool) -> tuple[str, str]:
    """Return addr-spec and display name."""
    spec = f"{chance.choice(_LOCALS)}@{chance.choice(_DOMAINS)}"
    if poison and chance.random() < 0.5:
        return spec + chance.choice(_POISON), ""
    return spec, _line(chance, poison=poison)


def fields(chance: random.Random) -> dict[str, Any]:
    """Return the fields of a message; addresses are pairs, and attachments the arguments of one."""
    # Half are poisoned in one field, the others in none: of these, most are written.
    poisoned = chance.choice((*[""] * len(_FIELDS), *_FIELDS))
    found: dict[str, Any] = {"text": chance.choice(("body", "Grüße\r\n.\r\nFrom x\n--=_"))}
    for name, draw in _FIELDS.items():
        if name in ("from_", "to", poisoned) or chance.random() < 0.4:
            found[name] = draw(chance, name == poisoned)
    return found


def _one(chance: random.Random, poison: bool) -> list[tuple[str, str]]:
    return [_address(chance, poison=poison)]


def _several(chance: random.Random, poison: bool) -> list[tuple[str, str]]:
    rest = [_address(chance, poison=False) for _ in range(chance.choice((0, 0, 1, 3)))]
    return [_address(chance, poison=poison), *rest]


def _text(chance: random.Random, poison: bool) -> str:
    return _line(chance, poison=poison)


def _headers(chance: random.Random, poison: bool) -> dict[str, str]:
    in_name = poison and chance.random() < 0.5
    name = "X-One" + (chance.choice(_POISON) if in_name else "")
    return {name: _line(chance, poison=poison and not in_name), "x-two": _line(chance, poison=False)}


def _id(chance: random.Random, poison: bool) -> str:
    return f"<{chance.randrange(9)}{chance.choice(_POISON) if poison else ''}@example.com>"


def _ids(chance: random.Random, poison: bool) -> list[str]:
    return [_id(chance, poison=poison), *(_id(chance, poison=False) for _ in range(chance.randrange(4)))]


def _uris(chance: random.Random, poison: bool) -> list[str]:
    tail = chance.choice(_POISON) if poison else chance.choice(("", "?a=b&c=%0d%0aBcc", "#x"))
    return [f"https://example.com/u{tail}", "mailto:u@example.com?subject=x"]


def _tags(chance: random.Random, poison: bool) -> list[str]:
    return [_line(chance, poison=poison) or "tag"]


def _files(chance: random.Random, poison: bool) -> list[dict[str, Any]]:
    where = chance.choice(("filename", "content_type", "content_id", "parameters")) if poison else ""
    bad = chance.choice(_POISON)
    file: dict[str, Any] = {"content": b"x", "filename": _line(chance, poison=where == "filename") or "a.txt"}
    if where == "content_type":
        file["content_type"] = "text/plain" + bad
    if where == "parameters":
        file["content_type"], file["parameters"] = "text/calendar", {"method": f"REQUEST{bad}"}
    if where == "content_id" or chance.random() < 0.3:
        file["content_id"] = f"cid{bad if where else ''}@example.com"
    return [file]


_FIELDS: Mapping[str, Any] = {
    "from_": _one,
    "to": _several,
    "cc": _several,
    "bcc": _several,
    "reply_to": _one,
    "subject": _text,
    "headers": _headers,
    "in_reply_to": _id,
    "references": _ids,
    "list_unsubscribe": _uris,
    "tags": _tags,
    "attachments": _files,
}
