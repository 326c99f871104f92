"""Response → result or error, as https://docs.mailpace.com/reference/responses documents them.

Rule: 200 with an id is the only acceptance. What MailPace's own words say wins over the status; a
success that cannot be read is unknown, never failed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mailcore import (
    AuthenticationFailed,
    HttpResponse,
    InvalidDocument,
    MaybeSent,
    Message,
    RecipientRejected,
    Rejected,
    SenderRejected,
    SendError,
    SendResult,
    SendStatus,
    error_for_status,
    strict_json,
)
from mailcore_mailpace._identifier import identifier

__all__ = ["result"]

#: `status` of an accepted mail. `pending` is documented, `queued` is what is usually seen.
_STATUS = {"pending": SendStatus.QUEUED, "queued": SendStatus.QUEUED, "sent": SendStatus.SENT}

#: Documented texts that mean something else than their status, in lower case.
_TEXTS: Mapping[str, type[SendError]] = {
    "invalid api token": AuthenticationFailed,  # answered with 400
    "email from address not parseable": SenderRejected,  # 400
    "verified domain does not match domain in from address of email": SenderRejected,  # 403
}

#: Whose fault a refused field is.
_FIELDS: Mapping[str, type[SendError]] = {
    "to": RecipientRejected,
    "cc": RecipientRejected,
    "bcc": RecipientRejected,
    "from": SenderRejected,
}

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
MAX_WORDS = 500


def result(message: Message, response: HttpResponse, *, now: datetime) -> SendResult:
    """
    Return the result of an accepted mail.

    Raises:
        SendError: It was refused, or the answer does not say readably that it was accepted.
    """
    document = _document(response)
    if response.status != 200:
        raise _error(response, document, now)
    message_id = identifier(document.get("id")) if isinstance(document, dict) else None
    if message_id is None:
        raise MaybeSent("MailPace answered 200 without a readable id.", response=response)
    said = document.get("status")
    status = _STATUS.get(said, SendStatus.UNKNOWN) if isinstance(said, str) else SendStatus.UNKNOWN
    return SendResult.for_all(message, status, message_id, raw=response)


def _document(response: HttpResponse) -> Any:
    try:
        return strict_json(response.body)
    except InvalidDocument:
        return None


def _error(response: HttpResponse, document: Any, now: datetime) -> SendError:
    if response.status // 100 == 2:
        return MaybeSent(f"MailPace answered {response.status}, which is not documented.", response=response)
    text, fields = _words(document)
    cls = _meaning(response.status, text, fields)
    return error_for_status(response, text, now=now, fields=fields, cls=cls)


def _meaning(status: int, text: str, fields: Mapping[str, list[str]]) -> type[SendError] | None:
    if status not in (400, 403):
        return None
    known = _TEXTS.get(text.lower().rstrip("."))
    if known is not None:
        return known
    blamed = [_FIELDS.get(field, Rejected) for field in fields]
    return blamed[0] if blamed else None


def _words(document: Any) -> tuple[str, dict[str, list[str]]]:
    """Return MailPace's words: `error` is text; `errors` maps fields to lists, or is a list or text."""
    if not isinstance(document, dict):
        return "", {}
    errors = document.get("errors")
    if isinstance(errors, dict) and errors:
        fields = {_clean(name): _texts(said) for name, said in errors.items()}
        return "; ".join(f"{name} {', '.join(said)}" for name, said in fields.items())[:MAX_WORDS], fields
    said = [*_texts(document.get("error")), *_texts(errors)]
    return ", ".join(said)[:MAX_WORDS], {}


def _texts(said: Any) -> list[str]:
    items = said if isinstance(said, list) else [said]
    return [_clean(item) for item in items if isinstance(item, str) and item]


def _clean(text: str) -> str:
    return _CONTROL.sub(" ", text)[:MAX_WORDS]
