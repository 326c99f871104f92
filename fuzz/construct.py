"""One way to do harm with a mail, in several sizes and spellings."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

__all__ = ["CRLF", "Construct", "construct", "in_line_ends", "multipart", "registry"]

CRLF = b"\r\n"


@attrs.frozen(kw_only=True)
class Construct:
    """
    A construct of the corpus.

    Attributes:
        name: Of the function that makes its mails.
        threat: The first line of that function's docstring.
        is_payload: Whether its items are bodies of a webhook rather than mails.
        items: Makes its mails or bodies.
    """

    name: str
    threat: str
    is_payload: bool
    items: Callable[[], Iterable[bytes]]


registry: list[Construct] = []


def construct(
    *, is_payload: bool = False
) -> Callable[[Callable[[], Iterable[bytes]]], Callable[[], Iterable[bytes]]]:
    """Add what the function makes to the corpus; its docstring names the threat."""

    def add(items: Callable[[], Iterable[bytes]]) -> Callable[[], Iterable[bytes]]:
        threat = (items.__doc__ or "").strip().partition("\n")[0]
        name = items.__name__.replace("_", " ")
        registry.append(Construct(name=name, threat=threat, is_payload=is_payload, items=items))
        return items

    return add


def in_line_ends(mail: bytes) -> Iterable[bytes]:
    """Yield a mail with each of the three line ends."""
    for end in (b"\r\n", b"\n", b"\r"):
        yield mail.replace(CRLF, end)


def multipart(*parts: bytes, boundary: bytes = b"b", subtype: bytes = b"mixed", closed: bool = True) -> bytes:
    """Return a multipart of parts that bring their own headers."""
    head = b"Content-Type: multipart/" + subtype + b'; boundary="' + boundary + b'"\r\n\r\n'
    body = b"".join(b"--" + boundary + CRLF + part + CRLF for part in parts)
    return head + body + (b"--" + boundary + b"--\r\n" if closed else b"")
