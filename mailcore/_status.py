"""What an HTTP status means for a mail, where the provider says no more.

Rule: RFC 9110's meaning, one row a status. A status that does not prove "not sent" is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from mailcore._http import HttpResponse
from mailcore.exceptions import (
    AccountProblem,
    AuthenticationFailed,
    InProgress,
    MaybeSent,
    ProtocolBug,
    RateLimited,
    Rejected,
    SendError,
    ServiceUnavailable,
    TooLarge,
)

__all__ = ["error_for_status", "retry_after"]

MAX_RETRY_AFTER = 6 * 3600.0

_ERRORS: Mapping[int, type[SendError]] = {
    401: AuthenticationFailed,
    402: AccountProblem,
    403: AccountProblem,
    404: ProtocolBug,
    405: ProtocolBug,
    406: ProtocolBug,
    408: ServiceUnavailable,
    409: InProgress,
    411: ProtocolBug,
    413: TooLarge,
    415: ProtocolBug,
    429: RateLimited,
    503: ServiceUnavailable,
}


def error_for_status(
    response: HttpResponse,
    text: str = "",
    *,
    now: datetime,
    fields: Mapping[str, Sequence[str]] | None = None,
    code: str | None = None,
    cls: type[SendError] | None = None,
) -> SendError:
    """
    Return the error for a response that is not a success.

    Args:
        text: The provider's own words.
        cls: What they mean, where they say more than the status.
    """
    usual = _ERRORS.get(response.status, Rejected if 400 <= response.status < 500 else MaybeSent)
    return (cls or usual)(
        f"HTTP {response.status}: {text or 'no explanation'}",
        retry_after=retry_after(response, now),
        fields=fields,
        code=code,
        response=response,
    )


def retry_after(response: HttpResponse, now: datetime) -> float | None:
    """
    Return the seconds a `Retry-After` header asks for, at most six hours; None without a valid one.

    Both forms of RFC 9110 are read; a date in the past is 0.
    """
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER)
    return _until(text, now) if text else None


def _until(text: str, now: datetime) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        seconds = (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)
