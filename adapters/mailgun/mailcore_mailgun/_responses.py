"""Response → result or error (https://documentation.mailgun.com/docs/mailgun/quickstart-guide/responses).

Rule: 200 with an id is the only acceptance. What Mailgun's own words say wins over the status; a success that
cannot be read is unknown, never failed.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from mailcore import (
    HttpResponse,
    InvalidDocument,
    MaybeSent,
    Message,
    ProtocolBug,
    RecipientRejected,
    SenderRejected,
    SendError,
    SendResult,
    SendStatus,
    error_for_status,
    strict_json,
)

__all__ = ["bracketed", "result"]

#: What a 400 or 404 means by its words, where they say more.
_WORDS: tuple[tuple[re.Pattern[str], type[SendError]], ...] = (
    (re.compile(r"'?(to|cc|bcc)'? parameter is ", re.IGNORECASE), RecipientRejected),
    (re.compile(r"'?(from)'? parameter is ", re.IGNORECASE), SenderRejected),
    # Of another account or region, or misspelt; the sender's domain unless one is configured.
    (re.compile(r"Domain not found", re.IGNORECASE), SenderRejected),
)
#: What the API's front page says, to a POST as well: there is no such endpoint.
_FRONT_PAGE = b"Mailgun Magnificent API"
_AGAIN = re.compile(r"try again after (\d{1,6}) seconds", re.ASCII)
_BARE_ID = re.compile(r"<?([!-;=?-~]+)>?")
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
    if _FRONT_PAGE in response.body:
        raise ProtocolBug(
            "HTTP 200: Mailgun Magnificent API. There is no such endpoint: check domain and api_url.",
            response=response,
        )
    table = document if isinstance(document, dict) else {}
    message_id = table.get("id")
    if not isinstance(message_id, str) or not _BARE_ID.fullmatch(message_id):
        raise MaybeSent("Mailgun answered 200 without a readable id.", response=response)
    queued = str(table.get("message")).startswith("Queued")
    status = SendStatus.QUEUED if queued else SendStatus.UNKNOWN
    return SendResult.for_all(message, status, message_id, raw=response)


def bracketed(value: Any) -> str | None:
    """Return a message id as answers write it: events leave out its brackets; None if it is no id."""
    found = _BARE_ID.fullmatch(value) if isinstance(value, str) else None
    return None if found is None else f"<{found[1]}>"


def _document(response: HttpResponse) -> Any:
    try:
        return strict_json(response.body)
    except InvalidDocument:
        return None


def _error(response: HttpResponse, document: Any, now: datetime) -> SendError:
    if response.status // 100 == 2:
        return MaybeSent(f"Mailgun answered {response.status}, which is not documented.", response=response)
    # `{"message": "..."}`; a wrong key is answered with one word, as JSON or not.
    said = document.get("message") if isinstance(document, dict) else document or _plain(response)
    text = _CONTROL.sub(" ", said)[:MAX_WORDS] if isinstance(said, str) else ""
    known = [(cls, found) for pattern, cls in _WORDS if (found := pattern.match(text))]
    cls, found = known[0] if known and response.status in (400, 404) else (None, None)
    fields = {found[1].lower(): [text]} if found and found.re.groups else {}
    error = error_for_status(response, text, now=now, fields=fields, cls=cls)
    again = _AGAIN.search(text) if response.status == 429 else None
    if error.retry_after is None and again:
        error.retry_after = float(again[1])
    return error


def _plain(response: HttpResponse) -> str:
    plain = response.headers.get("Content-Type", "").startswith("text/plain")
    return response.body[:MAX_WORDS].decode("utf-8", "replace") if plain else ""
