"""A message as MIME, for the providers that take nothing else.

Rule 1: deterministic: date, id and boundaries come from the arguments, so that a retry sends the same
        bytes.
Rule 2: attachments are streamed.
Rule 3: what was written is read again before it is used; a difference is an error, not a mail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TypeAlias

import attrs

from mailcore._address import Address
from mailcore._attachment import Attachment
from mailcore._body import Part, StreamedBody
from mailcore._inbound.defect import DefectLog
from mailcore._inbound.header import read_addresses
from mailcore._message import Message
from mailcore._mime.header_reader import unfold
from mailcore._mime.header_writer import (
    address_units,
    date_text,
    id_units,
    parameter_units,
    text_units,
    write_header,
)
from mailcore._mime.text import Base64Lines, encode_text, is_seven_bit, with_crlf
from mailcore._time import require_aware
from mailcore.exceptions import InvalidHeader

__all__ = ["MimeBody", "write_message"]

_Pairs: TypeAlias = "list[tuple[str, list[str]]]"

_ADDRESS_FIELDS = (("From", "from_"), ("To", "to"), ("Cc", "cc"), ("Bcc", "bcc"), ("Reply-To", "reply_to"))


class MimeBody(StreamedBody):
    """
    The bytes of a message as MIME, CRLF line ends, streamed.

    `created` becomes `Date`, and `unique` the `Message-ID` and the boundaries, unless the message has
    such headers of its own. `Bcc` is written only where a provider reads its recipients there.

    Attributes:
        needs_smtputf8: Whether an address needs SMTPUTF8 (RFC 6531).

    Raises:
        InvalidHeader: A value too long for any header line.
    """

    __slots__ = ("needs_smtputf8",)

    def __init__(
        self, message: Message, *, created: datetime, unique: str, include_bcc: bool = False
    ) -> None:
        from hashlib import sha256  # here: hashing libraries are slow to import

        seed = sha256(unique.encode()).hexdigest()[:32]
        domain = message.from_[0].ascii_spec.rpartition("@")[2] if message.from_ else "mailcore.invalid"
        when = require_aware(created)
        own = [("Date", [f" {date_text(when)}"] if when else []), ("Message-ID", [f" <{seed}@{domain}>"])]
        head, body = write_message(message, seed, own, include_bcc=include_bcc)
        super().__init__([head, *body])
        self.needs_smtputf8 = not head.isascii()

    @property
    def content_type(self) -> str:
        """`message/rfc822`."""
        return "message/rfc822"


def write_message(message: Message, seed: str, own: _Pairs, *, include_bcc: bool) -> tuple[bytes, list[Part]]:
    """Return headers, and body; `own` are headers that the message's extra headers replace."""
    extra: Mapping[str, str] = message.headers or {}
    names = {name.lower() for name in extra}
    pairs = [pair for pair in own if pair[0].lower() not in names]
    pairs += _address_headers(message, include_bcc=include_bcc) + _other_headers(message)
    pairs += [(name, text_units(value)) for name, value in extra.items()]
    pairs.append(("MIME-Version", [" 1.0"]))
    head = b"".join(write_header(name, units) for name, units in pairs)
    _check(head, [name for name, _ in pairs], message)
    entity = _Writer(seed).content(message)
    return head + entity.head + b"\r\n", entity.body


def _address_headers(message: Message, *, include_bcc: bool) -> _Pairs:
    pairs = []
    for name, field in _ADDRESS_FIELDS:
        addresses = getattr(message, field) or ()
        if addresses and (include_bcc or field != "bcc"):
            pairs.append((name, address_units(addresses)))
    if len(message.from_ or ()) > 1:  # one of several authors has to be the sender (RFC 5322, 3.6.2)
        pairs.insert(1, ("Sender", address_units(message.from_[:1])))
    return pairs


def _other_headers(message: Message) -> _Pairs:
    uris = [f"<{uri}>" for uri in message.list_unsubscribe or ()]
    pairs = [
        ("Subject", text_units(message.subject or "")),
        ("In-Reply-To", id_units([message.in_reply_to] if message.in_reply_to else ())),
        ("References", id_units(message.references or ())),
        ("List-Unsubscribe", [f" {uri}," for uri in uris[:-1]] + [f" {uri}" for uri in uris[-1:]]),
    ]
    return [(name, units) for name, units in pairs if units and units != [" "]]


def _check(head: bytes, names: list[str], message: Message) -> None:
    """Read the headers with another reader than the one who wrote them."""
    from email.parser import BytesHeaderParser

    parsed = BytesHeaderParser().parsebytes(head)
    if parsed.keys() != names or parsed.get_payload():
        raise InvalidHeader("The headers cannot be written safely: they read back as others.")
    values = dict(parsed.raw_items())
    for name, field in _ADDRESS_FIELDS:
        if name in values:
            _check_addresses(str(values[name]), tuple(getattr(message, field)), field)


def _check_addresses(value: str, expected: tuple[Address, ...], field: str) -> None:
    log = DefectLog()
    found = read_addresses(unfold(value.encode("utf-8", "surrogateescape"), log, field), log, field)
    if list(map(_shown, found)) != list(dict.fromkeys(map(_shown, expected))) or list(log):
        raise InvalidHeader("The addresses cannot be written safely: they read back as others.", field=field)


def _shown(address: Address) -> tuple[str, str]:
    """Return what a reader sees of an address; how many spaces part the words of a name is not fixed."""
    return address.ascii_spec, " ".join(filter(None, address.display_name.split(" ")))


@attrs.frozen
class _Entity:
    """A part: its headers, and its content in pieces."""

    head: bytes
    body: list[Part]


class _Writer:
    """Write parts; boundaries are numbered."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._number = 0

    def content(self, message: Message) -> _Entity:
        files = message.attachments or ()
        inline = [file for file in files if file.inline and message.html]
        other = [file for file in files if not (file.inline and message.html)]
        bodies = list(self._bodies(message, inline))
        if not bodies and not other:
            return _text("plain", "")
        parts = [self._multipart("alternative", bodies)] if len(bodies) > 1 else bodies
        return self._multipart("mixed", [*parts, *self._files(other)]) if other else parts[0]

    def _bodies(self, message: Message, inline: list[Attachment]) -> Iterator[_Entity]:
        if message.text:
            yield _text("plain", message.text)
        if message.amp_html:  # between the two: the last part a reader knows is the one it shows
            yield _text("x-amp-html", message.amp_html)
        if message.html:
            html = _text("html", message.html)
            yield self._multipart("related", [html, *self._files(inline)]) if inline else html

    def _files(self, files: Iterable[Attachment]) -> Iterator[_Entity]:
        return map(_file, files)

    def _multipart(self, subtype: str, entities: list[_Entity]) -> _Entity:
        boundary = self._boundary(entities)
        delimiter = f"--{boundary}".encode()
        body: list[Part] = []
        for entity in entities:
            body += [delimiter + b"\r\n" + entity.head + b"\r\n", *entity.body, b"\r\n"]
        body.append(delimiter + b"--\r\n")
        units = parameter_units(f"multipart/{subtype}", [("boundary", boundary)])
        return _Entity(write_header("Content-Type", units), body)

    def _boundary(self, entities: list[_Entity]) -> str:
        pieces = [piece for entity in entities for piece in entity.body if isinstance(piece, bytes)]
        while True:
            self._number += 1
            boundary = f"=_{self._seed}_{self._number}_"  # `=_` is in no base64 or quoted-printable
            if not any(boundary.encode() in piece for piece in pieces):
                return boundary


def _text(subtype: str, text: str) -> _Entity:
    encoding, content = encode_text(text)
    head = write_header("Content-Type", parameter_units(f"text/{subtype}", [("charset", "utf-8")]))
    return _Entity(head + write_header("Content-Transfer-Encoding", [f" {encoding}"]), [content])


def _file(file: Attachment) -> _Entity:
    content_type, encoding, body = _file_content(file)
    disposition = "inline" if file.inline else "attachment"
    labels = file.parameters.items() if content_type == file.content_type else ()
    pairs: _Pairs = [
        ("Content-Type", parameter_units(content_type, [("charset", file.charset), *labels])),
        ("Content-Transfer-Encoding", [f" {encoding}"]),
        ("Content-Disposition", parameter_units(disposition, [("filename", file.filename)])),
    ]
    if file.content_id:
        pairs.append(("Content-ID", [f" <{file.content_id}>"]))
    return _Entity(b"".join(write_header(name, units) for name, units in pairs), [body])


def _file_content(file: Attachment) -> tuple[str, str, Part]:
    """Return type, transfer encoding and content; a mail may only be attached unencoded (RFC 2046, 5.2.1)."""
    if not file.content_type.startswith(("message/", "multipart/")):
        return file.content_type, "base64", Base64Lines(file)
    content = with_crlf(file.content) if isinstance(file.content, bytes) else b"\x00"
    if is_seven_bit(content):
        return file.content_type, "7bit", content
    return "application/octet-stream", "base64", Base64Lines(file)
