"""The adapter for mail that is written into a folder: no account, no network.

Rule: nothing of a message is lost. What a mail has no word for stands in headers of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import attrs

from mailcore._adapter import Adapter, Context
from mailcore._changed import changed
from mailcore._codec import to_json
from mailcore._http import LocalRequest, LocalResponse
from mailcore._message import Message
from mailcore._mime.writer import MimeBody
from mailcore._result import SendResult, SendStatus
from mailcore._settings import about
from mailcore.exceptions import ConfigurationError

__all__ = ["FileAdapter", "FileOptions"]

FORMATS = ("eml", "maildir")
#: What a mail says in its own headers and parts.
_SAID = frozenset(
    {
        *("from_", "to", "cc", "bcc", "reply_to", "subject", "text", "html", "amp_html", "attachments"),
        *("headers", "in_reply_to", "references", "list_unsubscribe", "idempotency_key"),
    }
)


def _folder(value: Any) -> str:
    text = str(value)
    if not text or "\x00" in text:
        raise ConfigurationError("path is the name of a folder.")
    return text


def _format(value: Any) -> str:
    if not isinstance(value, str) or value not in FORMATS:
        raise ConfigurationError(f"format is one of {', '.join(FORMATS)}.")
    return value


@attrs.frozen(kw_only=True)
class FileOptions:
    """Where mail is written, and how."""

    path: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_folder),
        metadata=about("Folder for the mail; it is made where it is not there.", needed_to="send"),
    )
    format: str = attrs.field(
        default="eml",
        converter=_format,
        metadata=about("eml: a file for each mail; maildir: a mailbox that mail programs read."),
    )


class FileAdapter(Adapter):
    """Write each message as a mail, for development and for programs that pick mail up."""

    options: FileOptions

    def build_send(self, message: Message, ctx: Context) -> LocalRequest:
        """Return the mail, under a name that each attempt at it shares."""
        name = f"{ctx.unique}.0@file"
        whole = changed(message, headers=type(message.headers)({**message.headers, **dict(_unsaid(message))}))
        return LocalRequest(
            messages={name: message},
            destination=self.options.format,
            folder=self.options.path or "",
            mails={name: MimeBody(whole, created=ctx.created, unique=ctx.unique, include_bcc=True)},
            idempotency_key=ctx.idempotency_key,
        )

    def parse_send(self, message: Message, ctx: Context, response: LocalResponse) -> SendResult:
        """Return the result: the mail is there."""
        return SendResult.for_all(message, SendStatus.SENT, response.message_ids[0])


def _unsaid(message: Message) -> Iterator[tuple[str, str]]:
    """Yield a header for each field that a mail has no place for."""
    document = json.loads(to_json(changed(message, attachments=())))  # they may be large, and are in the mail
    for name, value in document.items():
        if name not in _SAID and value not in (None, [], {}):
            text = value if isinstance(value, str) else json.dumps(value)
            yield f"X-Mailcore-{name.replace('_', '-').title()}", text
