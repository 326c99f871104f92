"""A form as Mailgun's API reads it: URL-encoded, or multipart/form-data where there are files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

import attrs

from mailcore_mailgun.emulator._mail import SentFile

__all__ = ["Form"]

_LABEL = re.compile(r';\s*(name|filename)="([^"\r\n]*)"', re.IGNORECASE)
_TYPE = re.compile(r"\r\nContent-Type:([^\r\n]*)", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class Form:
    """Fields in order, and files by the field they came in."""

    fields: Sequence[tuple[str, str]]
    files: Sequence[tuple[str, SentFile]]

    @classmethod
    def read(cls, headers: Mapping[str, str], body: bytes) -> Form:
        """Read a body as its content type says; what is no form has no fields."""
        kind = headers.get("content-type", "")
        if kind.lower().startswith("multipart/form-data"):
            return _multipart(kind, body)
        try:
            pairs = parse_qsl(
                body.decode(), keep_blank_values=True, strict_parsing=bool(body), errors="strict"
            )
        except ValueError:
            pairs = []
        return cls(fields=pairs, files=())

    def values(self, name: str) -> list[str]:
        """Return every value of a field that says something."""
        return [value for key, value in self.fields if key == name and value]

    def first(self, name: str) -> str:
        """Return the first value of a field; empty where there is none."""
        return next(iter(self.values(name)), "")

    def prefixed(self, prefix: str) -> dict[str, str]:
        """Return the fields whose names begin so, without that."""
        return {key.removeprefix(prefix): value for key, value in self.fields if key.startswith(prefix)}

    @property
    def options_length(self) -> int:
        """How many bytes of options there are."""
        own = [pair for pair in self.fields if pair[0][:2] in ("o:", "h:", "v:", "t:")]
        return sum(len(name.encode()) + len(value.encode()) for name, value in own)


def _multipart(kind: str, body: bytes) -> Form:
    boundary = kind.partition("boundary=")[2].partition(";")[0].strip('" ')
    fields: list[tuple[str, str]] = []
    files: list[tuple[str, SentFile]] = []
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("utf-8", "replace"))[1:-1]
    for piece in pieces if boundary else ():
        head, _, content = piece.partition(b"\r\n\r\n")
        shown = head.decode("utf-8", "replace")
        labels = {name.lower(): _unescape(value) for name, value in _LABEL.findall(shown)}
        name, filename = labels.get("name", ""), labels.get("filename")
        if filename is None:
            fields.append((name, content.decode("utf-8", "replace")))
        else:
            files.append((name, SentFile(filename=filename, content_type=_type(shown), content=content)))
    return Form(fields=fields, files=files)


def _type(head: str) -> str:
    found = _TYPE.search(head)
    return found[1].strip() if found else "application/octet-stream"


def _unescape(text: str) -> str:
    """Undo what clients escape in a name (HTML, section 4.10.21.8)."""
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
