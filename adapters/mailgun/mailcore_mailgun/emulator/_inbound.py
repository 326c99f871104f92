"""The form that a route posts, made from a mail: parsed, or raw where the URL ends in `mime`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses
from typing import Any
from urllib.parse import urlencode

__all__ = ["form_of"]


def form_of(raw: bytes, signature: Mapping[str, str], *, as_mime: bool) -> tuple[str, bytes]:
    """Return content type and body of what is posted."""
    mail: EmailMessage = message_from_bytes(raw, policy=default)
    fields = [*_envelope(mail), *signature.items()]
    if as_mime:
        return _urlencoded([*fields, ("body-mime", raw)])
    headers = [[name, _line(value)] for name, value in mail.raw_items()]
    fields += [(name, value) for name, value in headers]
    fields.append(("message-headers", json.dumps(headers)))
    fields += _bodies(mail)
    files = [part for part in mail.walk() if not part.is_multipart() and _is_file(part)]
    if not files:
        return _urlencoded(fields)
    names = {f"attachment-{number}": part for number, part in enumerate(files, 1)}
    ids = {str(part["Content-ID"]): name for name, part in names.items() if part["Content-ID"]}
    fields += [("attachment-count", str(len(files))), ("content-id-map", json.dumps(ids))]
    boundary = "emulated"
    while boundary.encode() in raw:
        boundary += "-form"
    return f"multipart/form-data; boundary={boundary}", _multipart(fields, names, boundary)


def _line(value: Any) -> str:
    # Bytes beyond ASCII are kept as lone surrogates by the parser.
    text = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join(text.split())


def _envelope(mail: EmailMessage) -> list[tuple[str, Any]]:
    to = getaddresses([_line(mail.get("To", ""))])
    sender = getaddresses([_line(mail.get("Return-Path") or mail.get("From", ""))])
    return [
        ("recipient", to[0][1] if to else ""),
        ("sender", sender[0][1] if sender else ""),
        ("from", _line(mail.get("From", ""))),
        ("subject", _line(mail.get("Subject", ""))),
    ]


def _bodies(mail: EmailMessage) -> list[tuple[str, str]]:
    plain, html = (_text(mail, kind) for kind in ("plain", "html"))
    text = plain if plain is not None else html or ""  # "This field is always present."
    fields = [("body-plain", text), ("stripped-text", text), ("stripped-signature", "")]
    return fields if html is None else [*fields, ("body-html", html), ("stripped-html", html)]


def _text(mail: EmailMessage, kind: str) -> str | None:
    for part in mail.walk():
        if part.get_content_type() == f"text/{kind}" and not _is_file(part):
            content = part.get_payload(decode=True)
            return _decoded(content if isinstance(content, bytes) else b"", part.get_content_charset("utf-8"))
    return None


def _decoded(content: bytes, charset: str) -> str:
    try:
        return content.decode(charset, "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def _is_file(part: Any) -> bool:
    labelled = part.get_filename() or part.get_content_disposition() == "attachment"
    return bool(labelled or part.get_content_maintype() not in ("text", "multipart"))


def _urlencoded(fields: list[tuple[str, Any]]) -> tuple[str, bytes]:
    return "application/x-www-form-urlencoded", urlencode(fields).encode()


def _multipart(fields: list[tuple[str, Any]], files: Mapping[str, Any], boundary: str) -> bytes:
    start = f"--{boundary}\r\nContent-Disposition: form-data; name="
    body = b""
    for name, value in fields:
        body += f'{start}"{name}"\r\n\r\n{value}\r\n'.encode("utf-8", "replace")
    for name, part in files.items():
        shown = _line(part.get_filename() or "").replace('"', "%22")
        labels = f'{start}"{name}"; filename="{shown}"\r\nContent-Type: {part.get_content_type()}\r\n\r\n'
        body += labels.encode("utf-8", "replace") + (part.get_payload(decode=True) or b"") + b"\r\n"
    return body + f"--{boundary}--\r\n".encode()
