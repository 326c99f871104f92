"""Response → result or error (https://resend.com/docs/api-reference/errors).

Rule: 200 with an id is the only acceptance. The name of an error wins over its status where it says more; a
success that cannot be read is unknown, never failed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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

__all__ = ["result", "verdicts"]

#: Status and name → what that means, where it is not what the status means.
_NAMES: Mapping[tuple[int, str], type[SendError]] = {
    (400, "invalid_idempotency_key"): ProtocolBug,
    (403, "invalid_api_key"): AuthenticationFailed,
    (403, "restricted_api_key"): AuthenticationFailed,  # it is not active
    (403, "suspended_api_key"): AccountProblem,
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
    verdict = _accepted(message, _document(response, now), response)
    if isinstance(verdict, SendError):
        raise verdict
    return verdict


def verdicts(
    messages: Sequence[Message], response: HttpResponse, *, now: datetime
) -> list[SendResult | SendError]:
    """
    Return one verdict for each message of a batch.

    Raises:
        SendError: The batch was refused as a whole, or the answer does not say what became of each.
    """
    document = _document(response, now)
    refused = _refused(document.get("errors", []), len(messages), response)
    ids = document.get("data")
    if refused is None or not isinstance(ids, list) or len(refused) + len(ids) != len(messages):
        raise MaybeSent(f"Resend answered 200 without {len(messages)} verdicts.", response=response)
    taken = iter(ids)
    return [
        refused[place] if place in refused else _accepted(message, next(taken), response)
        for place, message in enumerate(messages)
    ]


def _refused(errors: Any, count: int, response: HttpResponse) -> dict[int, SendError] | None:
    """Return the error of each refused mail by its place; None where that cannot be read."""
    found: dict[int, SendError] = {}
    for item in errors if isinstance(errors, list) else [None]:
        error = item if isinstance(item, dict) else {}
        place = error.get("index")
        if type(place) is not int or not 0 <= place < count or place in found:
            return None
        words = _clean(error.get("message"))
        cls, fields = _blamed(words) or (Rejected, {})
        found[place] = cls(words or "no explanation", fields=fields, response=response)
    return found


def _accepted(message: Message, element: Any, response: HttpResponse) -> SendResult | SendError:
    message_id = element.get("id") if isinstance(element, dict) else None
    if not isinstance(message_id, str) or not _ID.fullmatch(message_id):
        return MaybeSent("Resend answered 200 without a readable id.", response=response)
    return SendResult.for_all(message, SendStatus.QUEUED, message_id, raw=response)


def _document(response: HttpResponse, now: datetime) -> Mapping[str, Any]:
    try:
        found = strict_json(response.body)
    except InvalidDocument:
        found = {}
    document = found if isinstance(found, dict) else {}
    if response.status != 200:
        raise _error(response, document, now)
    return document


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
        if found := _blamed(words):
            return found
    return _NAMES.get((status, name)), {}


def _blamed(words: str) -> tuple[type[SendError], dict[str, list[str]]] | None:
    match = _BLAMED.match(words)
    return (_FAULTS[match[1].lower()], {match[1].lower(): [words]}) if match else None


def _clean(words: Any) -> str:
    return _CONTROL.sub(" ", words).strip()[:MAX_WORDS] if isinstance(words, str) else ""
