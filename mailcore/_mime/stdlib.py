"""Messages to and from the standard library's `email`.

Rule 1: what a `Message` cannot say is an error, never left out in silence. Only headers that belong to
        one transmission (Date, Message-ID, Received, Return-Path, encoding) are made anew.
Rule 2: the standard library is asked for structure and bytes; header text is read here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import EmailMessage
from email.message import Message as StdlibMessage
from typing import Any, cast

from mailcore._address import Address
from mailcore._attachment import Attachment
from mailcore._body import StreamedBody
from mailcore._inbound.body import normal_text
from mailcore._inbound.defect import DefectLog
from mailcore._message import Message
from mailcore._mime.charset import decode_text
from mailcore._mime.header_reader import decode_words, parameters, unfold
from mailcore._mime.writer import write_message
from mailcore.exceptions import InvalidMessage, MailcoreError, UnsupportedFeature

__all__ = ["attachment_from_part", "message_from_email", "message_to_email"]

_ADDRESS_FIELDS = {"from": "from_", "to": "to", "cc": "cc", "bcc": "bcc", "reply-to": "reply_to"}
_TRANSMISSION = frozenset({"date", "message-id", "mime-version", "received", "return-path"})
_BODIES = {"text/plain": "text", "text/html": "html", "text/x-amp-html": "amp_html"}
_CONTAINERS = frozenset({"multipart/mixed", "multipart/alternative", "multipart/related"})


def message_to_email(message: Message) -> EmailMessage:
    """
    Return `message` without its `bcc`; add Date and Message-ID before sending it.

    Raises:
        UnsupportedFeature: The content is a provider's template, or differs by recipient.
    """
    from email import message_from_string, policy

    if message.template_id or message.is_batch:
        raise UnsupportedFeature(
            "A template or merge data cannot be written as an email. Send the message through its provider.",
            field="template_id" if message.template_id else "merge_data",
        )
    head, body = write_message(message, "from-mailcore", [], include_bcc=False)
    data = b"".join(StreamedBody([head, *body]))
    # Headers are never folded again: see _header_writer.
    rules = policy.SMTP.clone(refold_source="none", utf8=not data.isascii())
    return message_from_string(data.decode(), policy=rules)


def message_from_email(source: StdlibMessage) -> Message:
    """
    Return the message that `source` stands for.

    Raises:
        InvalidMessage: A value that is not valid, or a part that cannot be read.
        UnsupportedFeature: A structure or header that a `Message` cannot say.
    """
    with _reading():
        fields = {**_headers(source), **_Content(source).fields()}
    return Message(**fields)


@contextmanager
def _reading() -> Iterator[None]:
    """Make what the standard library raises at a broken email an error of ours."""
    try:
        yield
    except MailcoreError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidMessage(f"The email cannot be read ({type(error).__name__}).") from None


def _headers(source: StdlibMessage) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    extra: list[tuple[str, str]] = []
    for name, text, is_decoded in _header_lines(source):
        key = name.lower()
        if key in _ADDRESS_FIELDS:
            field = _ADDRESS_FIELDS[key]
            fields[field] = [*fields.get(field, ()), *_addresses(text, field, is_decoded=is_decoded)]
        elif key not in _TRANSMISSION and not key.startswith("content-"):
            extra.append((name, text if is_decoded else decode_words(text, DefectLog(), name)))
    return {**fields, **_named(_without_sender(extra, fields.get("from_", [])))}


def _header_lines(source: StdlibMessage) -> Iterator[tuple[str, str, bool]]:
    """Yield names, values on one line, and whether encoded words are decoded already."""
    from email.header import Header

    for name, value in source.raw_items():
        if isinstance(value, Header):
            yield name, unfold(value.encode(maxlinelen=0).encode(), DefectLog(), name), False
        elif hasattr(value, "defects"):  # an object of `email.headerregistry`, made by its own API
            yield name, str(value), True
        else:
            yield name, unfold(str(value).encode("utf-8", "surrogateescape"), DefectLog(), name), False


def _addresses(text: str, field: str, *, is_decoded: bool) -> list[Address]:
    found = Address.parse_list(text.replace("\t", " "), field=field) if text.strip() else ()
    if is_decoded:
        return list(found)
    return [Address(item.addr_spec, decode_words(item.display_name, DefectLog(), field)) for item in found]


def _without_sender(extra: list[tuple[str, str]], authors: list[Address]) -> list[tuple[str, str]]:
    """Leave out a `Sender` that only says which of the authors sent it."""
    specs = {author.ascii_spec for author in authors}
    return [
        (name, text)
        for name, text in extra
        if name.lower() != "sender" or Address.parse(text, field="headers").ascii_spec not in specs
    ]


def _named(extra: list[tuple[str, str]]) -> dict[str, Any]:
    subject = [text for name, text in extra if name.lower() == "subject"]
    headers = {}
    for name, text in extra:
        if name.lower() == "subject":
            continue
        if name in headers:
            raise InvalidMessage(f"{name!r} is there more than once.", field="headers")
        headers[name] = text
    if len(subject) > 1:
        raise InvalidMessage("There is more than one.", field="subject")
    return {"headers": headers, **({"subject": subject[0]} if subject else {})}


def attachment_from_part(part: StdlibMessage) -> Attachment:
    """
    Return the attachment that one part of an email stands for, whatever its place there.

    Raises:
        InvalidMessage: It cannot be read.
        UnsupportedFeature: It has parts of its own.
    """
    with _reading():
        if _holds_message(part):
            return _attached_message(part)
        if part.is_multipart() or part.get_content_maintype() == "multipart":
            raise UnsupportedFeature(
                f"A {part.get_content_type()} cannot be attached. Attach its parts.", field="attachments"
            )
        return _attachment(part, part.get_content_type())


def _holds_message(part: StdlibMessage) -> bool:
    return part.get_content_type() == "message/rfc822" and part.is_multipart()


def _attached_message(part: StdlibMessage) -> Attachment:
    inner = cast("list[StdlibMessage]", part.get_payload())[0]
    return Attachment.from_message(inner, filename=_labels(part)[1])


class _Content:
    """Sort the parts of an email into bodies and attachments."""

    def __init__(self, source: StdlibMessage) -> None:
        self._bodies: dict[str, str] = {}
        self._attachments: list[Attachment] = []
        self._read(source, container="")

    def fields(self) -> dict[str, Any]:
        return {**self._bodies, "attachments": self._attachments}

    def _read(self, part: StdlibMessage, container: str) -> None:
        content_type = part.get_content_type()
        if _holds_message(part):
            self._attachments.append(_attached_message(part))
        elif part.is_multipart() or content_type.startswith("multipart/"):
            self._open(part, content_type)
        elif content_type in _BODIES and not _is_file(part):
            self._add_body(part, _BODIES[content_type])
        elif container == "multipart/alternative" and not _is_file(part):
            raise UnsupportedFeature(
                f"An alternative of type {content_type} cannot be sent. Attach it.", field="attachments"
            )
        else:
            self._attachments.append(_attachment(part, content_type))

    def _open(self, part: StdlibMessage, content_type: str) -> None:
        if content_type not in _CONTAINERS:
            raise UnsupportedFeature(
                f"A {content_type} cannot be sent: the provider would change it.", field="attachments"
            )
        children = part.get_payload()
        if not isinstance(children, list):
            raise InvalidMessage(f"A {content_type} has no parts.", field="attachments")
        for child in children:
            self._read(cast("StdlibMessage", child), content_type)

    def _add_body(self, part: StdlibMessage, field: str) -> None:
        text = _text(part, field)
        if field in self._bodies:
            raise UnsupportedFeature(f"There is more than one {part.get_content_type()} body.", field=field)
        if text is not None:
            self._bodies[field] = text


def _labels(part: StdlibMessage) -> tuple[str, str | None, Mapping[str, str]]:
    """Return disposition, file name, and the parameters of the content type."""
    lines = {name.lower(): text for name, text, _ in _header_lines(part)}
    _, type_params = parameters(lines.get("content-type", ""), DefectLog(), "content-type")
    disposition, params = parameters(lines.get("content-disposition", ""), DefectLog(), "content-disposition")
    return disposition, params.get("filename", type_params.get("name")) or None, type_params


def _is_file(part: StdlibMessage) -> bool:
    disposition, filename, _ = _labels(part)
    return disposition == "attachment" or filename is not None


def _text(part: StdlibMessage, field: str) -> str | None:
    payload = part.get_payload()
    if payload is None:
        return None
    log, content = DefectLog(), _content(part)
    if isinstance(payload, str) and content == payload.encode("raw-unicode-escape", "replace"):
        return normal_text(payload)  # text that nobody encoded yet
    text = decode_text(content, part.get_content_charset() or "", log, field)
    if list(log):
        raise InvalidMessage("The text is not in the charset it names.", field=field)
    return normal_text(text)


def _content(part: StdlibMessage) -> bytes:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        raise InvalidMessage(f"A part of type {part.get_content_type()} has no content.", field="attachments")
    return content


def _attachment(part: StdlibMessage, content_type: str) -> Attachment:
    disposition, filename, params = _labels(part)
    content_id = str(part.get("Content-ID") or "").strip() or None
    is_inline = disposition == "inline" or (not disposition and content_id is not None)
    return Attachment(
        content=_content(part),
        filename=filename,
        content_type=content_type,
        parameters={name: value for name, value in params.items() if name not in ("charset", "name")},
        charset=part.get_content_charset() if content_type.startswith("text/") else None,
        content_id=content_id,
        inline=is_inline,
    )
