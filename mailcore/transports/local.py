"""Carries messages to something in this process: a list, or the terminal."""

from __future__ import annotations

import sys
import threading

from mailcore._http import LocalRequest, LocalResponse
from mailcore._message import Message
from mailcore._settings import Settings
from mailcore._transport import Deadline

__all__ = ["LocalTransport"]


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
        """Keep the messages or print them, as their destination says."""
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
            return
        charset = sys.stdout.encoding or "utf-8"
        for message_id, message in request.messages.items():
            # A letter the terminal lacks is escaped: the mail was taken, which is no error.
            text = _shown(message_id, message).encode(charset, "backslashreplace").decode(charset)
            sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def close(self) -> None:
        """Keep what was sent; there is no connection to close."""


def _shown(message_id: str, message: Message) -> str:
    rows = {
        "Message-ID": f"<{message_id}>",
        "From": ", ".join(map(str, message.from_)),
        "To": ", ".join(map(str, message.to)),
        "Cc": ", ".join(map(str, message.cc)),
        "Bcc": ", ".join(map(str, message.bcc)),
        "Subject": message.subject or "",
        "Tags": ", ".join(message.tags),
        "Attachments": ", ".join(f"{item.filename} ({len(item)} bytes)" for item in message.attachments),
    }
    lines = [f"{name}: {value}" for name, value in rows.items() if value]
    return "\n".join(["-" * 72, *lines, "", message.text or message.html or "", "-" * 72])
