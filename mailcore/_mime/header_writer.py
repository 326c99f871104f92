"""Header lines as they stand in a mail.

Rule 1: a line is broken only before a space that stands between two units; what is quoted or encoded is
        one unit. So folding can neither make a header nor change an address.
Rule 2: what a reader could take for an encoded word is encoded itself.

The standard library's folding is not used: on many Pythons in use it loses the quotes of long names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from mailcore._address import Address, encode_words
from mailcore.exceptions import InvalidHeader

__all__ = ["address_units", "date_text", "id_units", "parameter_units", "text_units", "write_header"]

LINE = 78
MAX_LINE = 998
MAX_PLAIN = 200

_UNIT = re.compile(r" *[^ ]+")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ATTRIBUTE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`{|}~")


def write_header(name: str, units: Sequence[str]) -> bytes:
    """
    Return `name: units` folded, with CRLF; the units bring their own leading spaces.

    Raises:
        InvalidHeader: A unit is too long for any line (RFC 5322, section 2.1.1).
    """
    lines, line = [], f"{name}:"
    for unit in units:
        if len((line + unit).encode()) > LINE and line.strip() and not line.endswith(":"):
            lines.append(line)
            line = ""
        line += unit
    lines.append(line)
    if max(len(line.encode()) for line in lines) > MAX_LINE:
        raise InvalidHeader(
            f"holds a part longer than {MAX_LINE} bytes, which no mail can carry.", field=name
        )
    return "\r\n".join(lines).encode() + b"\r\n"


def text_units(text: str) -> list[str]:
    """Return the units of free text, as RFC 2047 words where it is not plain."""
    plain = text.isascii() and "=?" not in text and text == text.strip()
    units: list[str] = _UNIT.findall(f" {text}")
    if plain and all(len(unit) <= MAX_PLAIN for unit in units):
        return units
    return _UNIT.findall(f" {encode_words(text)}")


def address_units(addresses: Iterable[Address]) -> list[str]:
    """Return the units of an address list."""
    mailboxes = list(map(_mailbox, addresses))
    last = len(mailboxes) - 1
    return [
        unit + ("," if number < last and unit is mailbox[-1] else "")
        for number, mailbox in enumerate(mailboxes)
        for unit in mailbox
    ]


def _mailbox(address: Address) -> list[str]:
    name = address.display_name
    if name.isascii() and "=?" not in name and len(name) <= MAX_PLAIN:
        return [f" {address.to_header()}"]
    return [*_UNIT.findall(f" {encode_words(name)}"), f" <{address.ascii_spec}>"]


def id_units(ids: Iterable[str]) -> list[str]:
    """Return the units of a list of message ids."""
    return [f" {item}" for item in ids]


def date_text(when: datetime) -> str:
    """Return a time in UTC as RFC 5322 writes it, in English wherever it is run."""
    day, month = _DAYS[when.weekday()], _MONTHS[when.month - 1]
    return f"{day}, {when.day:02} {month} {when.year:04} {when:%H:%M:%S} +0000"


def parameter_units(value: str, params: Iterable[tuple[str, str | None]]) -> list[str]:
    """Return the units of a structured header such as `Content-Disposition`; None is left out."""
    units = [unit for name, text in params if text is not None for unit in _parameter(name, text)]
    return [f" {value}", *units] if not units else _separated([f" {value}", *units])


def _separated(units: list[str]) -> list[str]:
    return [*(f"{unit};" for unit in units[:-1]), units[-1]]


def _parameter(name: str, text: str) -> Iterator[str]:
    """Quote an ASCII value; write another one as RFC 2231 says, in pieces if it is long."""
    if text.isascii() and "=?" not in text and len(text) <= MAX_PLAIN:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        yield f' {name}="{escaped}"'
        return
    pieces = list(_percent_pieces(text))
    for number, piece in enumerate(pieces):
        place = f"*{number}*" if len(pieces) > 1 else "*"
        charset = "" if number else "utf-8''"
        yield f" {name}{place}={charset}{piece}"


def _percent_pieces(text: str) -> Iterator[str]:
    piece = ""
    for byte in text.encode():
        piece += chr(byte) if byte in _ATTRIBUTE else f"%{byte:02X}"
        if len(piece) > LINE - 24:  # the rest of the line: name, number, charset
            yield piece
            piece = ""
    if piece:
        yield piece
