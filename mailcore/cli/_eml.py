"""Mails that stand in files, as they were written (`.eml`).

Rule: what a `Message` cannot say is an error of that file; what is only odd is told, and the mail goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from email import message_from_bytes
from functools import partial
from pathlib import Path

import click

from mailcore._inbound.message import InboundMessage
from mailcore._message import Message
from mailcore.cli._document import inbound_document
from mailcore.cli._entry import Entry
from mailcore.cli._source import read_bytes
from mailcore.exceptions import InvalidMessage

__all__ = ["MailFiles"]

#: Bytes of a mail; providers take less.
MAX_MAIL = 64 * 1024 * 1024

#: Field that is needed → how its absence is told to who sees a mail.
_NEEDED: Mapping[str, str] = {
    "from_": "It has no From. Give it one, or a default for it in --config.",
    "to": "It has no recipient: no To, Cc or Bcc.",
    "text": "It has no content.",
}


class MailFiles:
    """
    Read mails from files; iterate for them.

    Args:
        paths: Files, and folders whose files `*.eml` are meant, in the order of their names; `-` is
            standard input.

    Raises:
        click.UsageError: A file cannot be read, or a folder has none.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = [found for path in paths for found in _files(path)]
        self._piped = read_bytes("-") if "-" in self._paths else b""

    def __iter__(self) -> Iterator[Entry]:
        for path in self._paths:
            data = self._piped if path == "-" else _read(path)
            yield Entry(
                place="standard input" if path == "-" else path,
                digest=hashlib.sha256(data).hexdigest(),
                size=len(data),
                make=partial(_message, data),
                notes=partial(_defects, data),
            )

    @contextmanager
    def wording(self, message: Message) -> Iterator[None]:
        """Let errors speak of headers."""
        try:
            yield
        except InvalidMessage as error:
            if not getattr(message, error.field, True) and error.field in _NEEDED:
                error.args = (_NEEDED[error.field],)
            raise


def _files(path: str) -> list[str]:
    if path == "-" or not Path(path).is_dir():
        return [path]
    try:
        found = sorted(str(file) for file in Path(path).iterdir() if file.suffix.lower() == ".eml")
    except OSError as error:
        raise click.UsageError(f"{path!r} cannot be read: {error.strerror or error}.") from None
    if not found:
        raise click.UsageError(f"{path!r} has no files *.eml.")
    return found


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_MAIL + 1)
    except OSError as error:
        raise click.UsageError(f"{path!r} cannot be read: {error.strerror or error}.") from None


def _message(data: bytes) -> Message:
    if len(data) > MAX_MAIL:
        raise InvalidMessage(f"It has more than {MAX_MAIL // 1024 // 1024} MiB.")
    if not data.strip():
        raise InvalidMessage("It is empty.")
    try:
        parsed = message_from_bytes(data)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidMessage(f"The email cannot be read ({type(error).__name__}).") from None
    return Message.from_email(parsed)


def _defects(data: bytes) -> list[str]:
    found = inbound_document(InboundMessage(raw=data))["defects"]
    return [f"defect {defect['code']} in {defect['where']}: {defect['text']}" for defect in found]
