"""Response → results and errors (https://postmarkapp.com/developer/api/overview#error-codes).

Rule 1: an answer is about one mail, or a list of such answers. Each says by `ErrorCode` how that mail
        ended: the code wins over the status, which is 200 even where a mail of a batch was refused.
Rule 2: what cannot be read is unknown, never failed. What is matched by place is matched only where the
        numbers agree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mailcore import (
    AccountProblem,
    Address,
    AuthenticationFailed,
    HttpResponse,
    InvalidDocument,
    MaybeSent,
    Message,
    ProtocolBug,
    RateLimited,
    RecipientRejected,
    RecipientResult,
    Rejected,
    SenderRejected,
    SendError,
    SendResult,
    SendStatus,
    ServiceUnavailable,
    error_for_status,
    strict_json,
)
from mailcore_postmark._fields import number, text

__all__ = ["merged", "result", "verdicts"]

#: Postmark's codes that mean more than "no". Of 300, the text says which field is to blame.
_CODES: Mapping[int, type[SendError]] = {
    10: AuthenticationFailed,
    100: ServiceUnavailable,  # maintenance
    400: SenderRejected,  # no such sender signature
    401: SenderRejected,  # the sender signature is not confirmed
    402: ProtocolBug,  # not JSON
    403: ProtocolBug,  # JSON of another form
    405: AccountProblem,  # no credits left
    406: RecipientRejected,  # every recipient is inactive
    409: ProtocolBug,  # wrong Content-Type or Accept
    410: ProtocolBug,  # more than 500 messages
    412: AccountProblem,  # pending approval
    413: AccountProblem,
    429: RateLimited,
}
_STATUSES = {406: SendStatus.REJECTED, 300: SendStatus.INVALID}
#: Whose fault a field named by code 300 is.
_FIELDS = {"to": RecipientRejected, "cc": RecipientRejected, "bcc": RecipientRejected, "from": SenderRejected}
_BLAMED = re.compile(r"(?:Invalid|Error parsing) '([A-Za-z-]{1,20})'", re.IGNORECASE)
_INACTIVE = "inactive addresses:"
#: What comes after the list of them: another sentence, or nothing.
_END = re.compile(r"\.\s|\.?$")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
MAX_WORDS = 500


def result(message: Message, response: HttpResponse, *, now: datetime) -> SendResult:
    """
    Return the result of an accepted mail.

    Raises:
        SendError: It was refused, or the answer does not say readably that it was accepted.
    """
    verdict = _verdict(message, _document(response, now), response)
    if isinstance(verdict, SendError):
        raise verdict
    return verdict


def verdicts(
    messages: Sequence[Message], response: HttpResponse, *, now: datetime
) -> list[SendResult | SendError]:
    """
    Return one verdict for each message of a batch.

    Raises:
        SendError: The batch was refused as a whole, or the answer is no list of that many elements.
    """
    elements = _elements(_document(response, now), len(messages), response)
    return [_verdict(message, one, response) for message, one in zip(messages, elements, strict=True)]


def merged(message: Message, response: HttpResponse, *, now: datetime) -> SendResult:
    """
    Return what became of a merge: of each address in `to`, and of those that got a copy of every mail.

    Raises:
        SendError: Nobody's mail was accepted.
    """
    elements = _elements(_document(response, now), len(message.to), response)
    found = [_verdict(message, one, response, to) for to, one in zip(message.to, elements, strict=True)]
    taken = [one for one in found if isinstance(one, SendResult)]
    if not taken:
        errors = [one for one in found if isinstance(one, SendError)]
        raise next((one for one in errors if isinstance(one, MaybeSent)), errors[0])
    rows: dict[str, RecipientResult] = {}
    for one in taken:
        rows.update(one.recipients)
    for to, verdict in zip(message.to, found, strict=True):
        if isinstance(verdict, SendError):
            rows[to.addr_spec] = _refused(verdict)
    ids = tuple(one for each in taken for one in each.message_ids)
    only = ids[0] if len(ids) == 1 else None
    return SendResult(message_id=only, message_ids=ids, recipients=rows, scope="recipient", raw=response)


def _document(response: HttpResponse, now: datetime) -> Any:
    try:
        document = strict_json(response.body)
    except InvalidDocument:
        document = None
    if response.status == 200:
        return document
    if response.status // 100 == 2:
        raise MaybeSent(f"Postmark answered {response.status}, which is not documented.", response=response)
    code, words = _said(document)
    # 500: the mail is usually lost, and nobody can tell; no code in the answer changes that.
    cls, fields = _meaning(code, words) if response.status < 500 else (None, {})
    raise error_for_status(response, words, now=now, fields=fields, code=str(code) if code else None, cls=cls)


def _elements(document: Any, count: int, response: HttpResponse) -> list[Any]:
    if isinstance(document, list) and len(document) == count:
        return document
    if isinstance(document, dict) and _said(document)[0]:
        raise _error(document, response)
    raise MaybeSent(f"Postmark answered 200 without {count} verdicts.", response=response)


def _verdict(
    message: Message, element: Any, response: HttpResponse, to: Address | None = None
) -> SendResult | SendError:
    if not isinstance(element, dict):
        return MaybeSent("Postmark answered 200 with a verdict that cannot be read.", response=response)
    # A delayed mail comes back without a code: https://github.com/anymail/django-anymail/issues/392
    if number(element.get("ErrorCode", 0)) != 0:
        return _error(element, response)
    message_id = text(element.get("MessageID"))
    if not message_id:
        return MaybeSent("Postmark answered 200 without a readable MessageID.", response=response)
    who = message.recipients if to is None else (to, *message.cc, *message.bcc)
    return _accepted(who, message_id, text(element.get("Message")), response)


def _accepted(
    who: Sequence[Address], message_id: str, words: str, response: HttpResponse
) -> SendResult | SendError:
    """Return the result; addresses that Postmark names as inactive get nothing."""
    named = _END.split(words.partition(_INACTIVE)[2], maxsplit=1)[0]
    inactive = {one.strip().lower() for one in named.split(",")}
    taken = RecipientResult(status=SendStatus.QUEUED, message_id=message_id)
    refused = RecipientResult(status=SendStatus.REJECTED, reason=_clean(words))
    rows = {one.addr_spec: refused if one.ascii_spec.lower() in inactive else taken for one in who}
    if taken not in rows.values():
        return RecipientRejected(refused.reason, response=response)
    return SendResult(
        message_id=message_id,
        message_ids=(message_id,),
        recipients=rows,
        scope="recipient" if refused in rows.values() else "message",
        raw=response,
    )


def _refused(error: SendError) -> RecipientResult:
    if isinstance(error, MaybeSent):
        return RecipientResult(status=SendStatus.UNKNOWN, reason=str(error))
    status = _STATUSES.get(int(error.code or 0), SendStatus.FAILED)
    return RecipientResult(status=status, reason=str(error), code=error.code, retriable=error.retriable)


def _error(element: Mapping[str, Any], response: HttpResponse) -> SendError:
    code, words = _said(element)
    if code is None:
        return MaybeSent("Postmark answered 200 with an ErrorCode that is no number.", response=response)
    cls, fields = _meaning(code, words)
    said = f"ErrorCode {code}: {words or 'no explanation'}"
    return (cls or Rejected)(said, fields=fields, code=str(code), response=response)


def _said(document: Any) -> tuple[int | None, str]:
    if not isinstance(document, dict):
        return None, ""
    return number(document.get("ErrorCode")), _clean(text(document.get("Message")))


def _clean(words: str) -> str:
    return _CONTROL.sub(" ", words).strip()[:MAX_WORDS]


def _meaning(code: int | None, words: str) -> tuple[type[SendError] | None, dict[str, list[str]]]:
    match = _BLAMED.match(words) if code == 300 else None
    if match is None:
        return (None if code is None else _CODES.get(code)), {}
    return _FIELDS.get(match[1].lower(), Rejected), {match[1]: [words]}
