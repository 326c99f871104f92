"""What the invented provider takes: one rule a field, each an outsider's reading of the payload.

Rule: it shares no code with the adapter, so neither can confirm the other's mistake.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

__all__ = ["LISTS", "Refusal", "addresses", "check"]

_EMAIL = re.compile(r'(?:[^\s\x00-\x1f\x7f"(),:;<>@\[\\\]]+|"(?:[^"\\\r\n]|\\.)*")@[A-Za-z0-9_.\[\]:-]+')
_HEADER_NAME = re.compile(r"[!-9;-~]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: Fields that hold mailboxes.
LISTS = ("from", "to", "cc", "bcc", "reply_to")
MAX_TAGS = 10
MAX_METADATA = 20


class Refusal(Exception):
    """The message is not taken: status, code, the provider's words, and words about fields."""

    def __init__(self, status: int, code: str, message: str, fields: Mapping[str, list[str]]) -> None:
        super().__init__(message)
        self.status = status
        said: dict[str, Any] = {"code": code, "message": message}
        self.document = {"error": {**said, "fields": fields} if fields else said}


def check(message: Any) -> None:
    """
    Do nothing where a message can be taken.

    Raises:
        Refusal: It cannot.
    """
    if not isinstance(message, dict):
        raise Refusal(400, "invalid", "A message is an object.", {})
    wrong = {name: ["is invalid"] for name in _invalid(message)}
    if wrong:
        raise Refusal(422, "invalid", "Some fields are invalid.", wrong)
    blocked = [email for email in addresses(message) if email.lower().endswith("@blocked.example")]
    if blocked:
        fields = {"to": [f"{email} is blocked" for email in blocked]}
        raise Refusal(400, "recipient_blocked", "A recipient is blocked.", fields)


def addresses(message: Mapping[str, Any]) -> list[str]:
    """Return the addresses of everyone a message is for."""
    return [box["email"] for name in ("to", "cc", "bcc") for box in message.get(name, ())]


def _invalid(message: Mapping[str, Any]) -> Iterator[str]:
    yield from (name for name, rule in RULES.items() if name in message and not rule(message[name]))
    yield from (name for name, value in message.items() if value in (None, "", []))
    if not message.get("from"):
        yield "from"
    if not any(message.get(name) for name in ("to", "cc", "bcc")):
        yield "to"
    if not any(message.get(name) for name in ("text", "html", "amp_html", "template", "attachments")):
        yield "text"


def _is_mailboxes(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_mailbox, value))


def _is_mailbox(value: Any) -> bool:
    named = isinstance(value, dict) and value.keys() <= {"email", "name"}
    return named and _is_email(value.get("email")) and _is_line(value.get("name", ""))


def _is_email(value: Any) -> bool:
    return isinstance(value, str) and _EMAIL.fullmatch(value) is not None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and not _CONTROL.search(value)


def _is_lines(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_line, value))


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_headers(value: Any) -> bool:
    names = isinstance(value, dict) and all(map(_HEADER_NAME.fullmatch, value))
    return names and all(map(_is_line, value.values()))


def _is_rows(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_email, value)) and all(map(_is_table, value.values()))


def _is_moment(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _is_attachments(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_attachment, value))


def _is_attachment(value: Any) -> bool:
    if not isinstance(value, dict) or not _is_base64(value.get("content")):
        return False
    labels = all(_is_line(value.get(name, "")) for name in ("filename", "content_id"))
    return labels and _is_line(value.get("content_type")) and _is_flag(value.get("inline", False))


def _is_base64(value: Any) -> bool:
    try:
        return isinstance(value, str) and b64encode(b64decode(value, validate=True)).decode() == value
    except ValueError:
        return False


#: Field → whether a value can be taken; what has no row here is ignored.
RULES: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(LISTS, _is_mailboxes),
    **dict.fromkeys(("text", "html", "amp_html"), _is_text),
    **dict.fromkeys(("subject", "in_reply_to", "template"), _is_line),
    **dict.fromkeys(("references", "list_unsubscribe"), _is_lines),
    **dict.fromkeys(("track_opens", "track_clicks"), _is_flag),
    **dict.fromkeys(("merge_data", "merge_metadata", "merge_headers"), _is_rows),
    "merge_global_data": _is_table,
    "headers": _is_headers,
    "attachments": _is_attachments,
    "tags": lambda value: _is_lines(value) and len(value) <= MAX_TAGS,
    "metadata": lambda value: _is_table(value) and len(value) <= MAX_METADATA,
    "envelope_sender": _is_email,
    "send_at": _is_moment,
}
