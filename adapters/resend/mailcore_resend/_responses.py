"""Response → result or error (https://resend.com/docs/api-reference/errors).

Rule: 200 with an id is the only acceptance. The name of an error wins over its status where it says more; a
success that cannot be read is unknown, never failed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mailcore import (
    AccountProblem,
    AuthenticationFailed,
    HttpResponse,
    InProgress,
    InvalidDocument,
    MaybeSent,
    Message,
    ProtocolBug,
    RecipientRejected,
    Rejected,
    SenderRejected,
    SendError,
    SendResult,
    SendStatus,
    error_for_status,
    strict_json,
)

__all__ = ["result"]

#: Status and name → what that means, where it is not what the status means.
_NAMES: Mapping[tuple[int, str], type[SendError]] = {
    (400, "invalid_idempotency_key"): ProtocolBug,
    (403, "invalid_api_key"): AuthenticationFailed,
    (403, "validation_error"): SenderRejected,  # its domain is not verified, or is Resend's own for tests
    (409, "invalid_idempotent_request"): Rejected,  # the key was used for another mail
    (409, "concurrent_idempotent_requests"): InProgress,
    (422, "invalid_from_address"): SenderRejected,
    (429, "daily_quota_exceeded"): AccountProblem,
    (429, "monthly_quota_exceeded"): AccountProblem,
}
#: A `validation_error` that is about the key.
_BAD_KEY = "api key is invalid"
#: Whose fault a field is (https://github.com/resend/resend-python/issues/65).
_BLAMED = re.compile(r"Invalid [`'\"]?(to|cc|bcc|from)[`'\"]? field", re.IGNORECASE)
_FAULTS = {"to": RecipientRejected, "cc": RecipientRejected, "bcc": RecipientRejected, "from": SenderRejected}

_ID = re.compile(r"[!-~]{1,200}")
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
    message_id = document.get("id")
    if not isinstance(message_id, str) or not _ID.fullmatch(message_id):
        raise MaybeSent("Resend answered 200 without a readable id.", response=response)
    return SendResult.for_all(message, SendStatus.QUEUED, message_id, raw=response)


def _document(response: HttpResponse) -> Mapping[str, Any]:
    try:
        document = strict_json(response.body)
    except InvalidDocument:
        return {}
    return document if isinstance(document, dict) else {}


def _error(response: HttpResponse, document: Mapping[str, Any], now: datetime) -> SendError:
    if response.status // 100 == 2:
        return MaybeSent(f"Resend answered {response.status}, which is not documented.", response=response)
    name, words = (_clean(document.get(key)) for key in ("name", "message"))
    cls, fields = _meaning(response.status, name, words)
    return error_for_status(response, words or name, now=now, fields=fields, code=name or None, cls=cls)


def _meaning(status: int, name: str, words: str) -> tuple[type[SendError] | None, dict[str, list[str]]]:
    if name == "validation_error" and status in (400, 422):
        if words.lower().rstrip(".") == _BAD_KEY:
            return AuthenticationFailed, {}
        if blamed := _BLAMED.match(words):
            field = blamed[1].lower()
            return _FAULTS[field], {field: [words]}
    return _NAMES.get((status, name)), {}


def _clean(words: Any) -> str:
    return _CONTROL.sub(" ", words).strip()[:MAX_WORDS] if isinstance(words, str) else ""
