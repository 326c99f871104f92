"""Carries messages to something on this machine: a list, the terminal, or a folder."""

from __future__ import annotations

import re
import sys
import threading
from typing import Any

import attrs

from mailcore._attachment import Attachment
from mailcore._http import LocalRequest, LocalResponse
from mailcore._message import Message
from mailcore._settings import Settings
from mailcore._transport import Deadline, Phase, TransportFailure
from mailcore.transports._mail_folder import write_mail

__all__ = ["AsyncLocalTransport", "LocalTransport"]

_RULE = "-" * 72
_BODIES = ("text", "html", "amp_html")
#: What steers a terminal, or makes a text read as another one.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class LocalTransport:
    """
    Carry `LocalRequest`s; a repeated idempotency key is answered as the first time.

    Attributes:
        outbox: Messages taken for the destination `memory`, oldest first.
    """

    handles = LocalRequest

    def __init__(self, settings: Settings | None = None, *, user_agent: str = "") -> None:
        self.outbox: list[Message] = []
        self._answers: dict[str, LocalResponse] = {}
        self._lock = threading.Lock()

    def exchange(self, request: LocalRequest, *, deadline: Deadline) -> LocalResponse:
        """
        Keep the messages, print them or write them, as their destination says.

        Raises:
            TransportFailure: One cannot be written.
        """
        with self._lock:
            known = self._answers.get(request.idempotency_key or "")
            if known is not None:
                return known
            answer = LocalResponse(message_ids=tuple(request.messages))
            self._take(request)
            if request.idempotency_key:
                self._answers[request.idempotency_key] = answer
            return answer

    def _take(self, request: LocalRequest) -> None:
        if request.destination == "memory":
            self.outbox.extend(request.messages.values())
        elif request.folder:
            _write(request)
        else:
            _print(request)

    def close(self) -> None:
        """Keep what was sent; there is no connection to close."""


class AsyncLocalTransport:
    """
    Carry `LocalRequest`s for async code: there is nothing to wait for but a disk.

    Attributes:
        outbox: Messages taken for the destination `memory`, oldest first.
    """

    handles = LocalRequest

    def __init__(self, settings: Settings | None = None, *, user_agent: str = "") -> None:
        self._local = LocalTransport(settings, user_agent=user_agent)
        self.outbox = self._local.outbox

    async def exchange(self, request: LocalRequest, *, deadline: Deadline) -> LocalResponse:
        """Do what `LocalTransport.exchange` does; a file is written off the loop."""
        if request.folder:
            import asyncio  # who sends without an event loop does not pay for it

            return await asyncio.to_thread(self._local.exchange, request, deadline=deadline)
        return self._local.exchange(request, deadline=deadline)

    async def close(self) -> None:
        """Keep what was sent; there is no connection to close."""


def _write(request: LocalRequest) -> None:
    for name, mail in request.mails.items():
        try:
            write_mail(request.folder, request.destination, name, mail)
        except (OSError, ValueError) as error:
            text = (
                f"The mail could not be written to {request.folder} ({type(error).__name__}). Check `path`."
            )
            raise TransportFailure(Phase.CONNECTING, text) from error


def _print(request: LocalRequest) -> None:
    charset = sys.stdout.encoding or "utf-8"
    for message_id, message in request.messages.items():
        # A letter the terminal lacks is escaped: the mail was taken, which is no error.
        text = _shown(message_id, message).encode(charset, "backslashreplace").decode(charset)
        sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _shown(message_id: str, message: Message) -> str:
    """Return every field of a message that is there, its bodies last."""
    fields = {field.name: getattr(message, field.name) for field in attrs.fields(Message)}
    bodies = [fields.pop(name) for name in _BODIES]
    rows = {"message_id": message_id, **fields}
    lines = [f"{_label(name)}: {_text(value)}" for name, value in rows.items() if value or value is False]
    texts = "\n\n".join(["\n".join(lines), *(body for body in bodies if body)])
    return "\n".join([_RULE, _STEERING.sub(_escaped, texts), _RULE])


def _label(name: str) -> str:
    return name.rstrip("_").replace("_", " ").capitalize()


def _text(value: Any) -> str:
    if isinstance(value, Attachment):
        return f"{value.filename or 'without a name'} ({value.content_type}, {len(value)} bytes)"
    if isinstance(value, tuple):
        return ", ".join(map(_text, value))
    return str(value)


def _escaped(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode("ascii")
