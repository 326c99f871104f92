"""Response → result or error.

Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html, and each action's page

Rule: 200 with an id is the only acceptance. What AWS calls an error says more than its status, within 4xx.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mailcore import (
    AccountProblem,
    AuthenticationFailed,
    HttpResponse,
    MaybeSent,
    Message,
    ProtocolBug,
    RateLimited,
    RecipientResult,
    Rejected,
    SenderRejected,
    SendError,
    SendResult,
    SendStatus,
    ServiceUnavailable,
    error_for_status,
)
from mailcore_amazon_ses._fields import document, items, one_line, table, text

__all__ = ["result"]

MAX_ID = 255

#: AWS's name of an error → what it means, where the status says another thing.
_TYPES: Mapping[str, type[SendError]] = {
    "AccountSuspendedException": AccountProblem,
    "SendingPausedException": AccountProblem,
    "LimitExceededException": RateLimited,
    "MailFromDomainNotVerifiedException": SenderRejected,
    "NotFoundException": Rejected,  # a configuration set, or a template
    "ThrottlingException": RateLimited,
    "ExpiredTokenException": AuthenticationFailed,
    "IncompleteSignature": AuthenticationFailed,
    "InvalidClientTokenId": AuthenticationFailed,
    "InvalidSignatureException": AuthenticationFailed,
    "MissingAuthenticationToken": AuthenticationFailed,
    "MissingAuthenticationTokenException": AuthenticationFailed,
    "RequestExpired": AuthenticationFailed,  # by a clock that is wrong
    "SignatureDoesNotMatch": AuthenticationFailed,
    "UnrecognizedClientException": AuthenticationFailed,
    "NotAuthorized": AccountProblem,
    "MalformedHttpRequestException": ProtocolBug,
}

#: Status of one entry of a bulk request → what it says of its recipient, and what it means if none was taken.
_ENTRIES: Mapping[str, tuple[SendStatus, type[SendError]]] = {
    "MESSAGE_REJECTED": (SendStatus.REJECTED, Rejected),
    "MAIL_FROM_DOMAIN_NOT_VERIFIED": (SendStatus.FAILED, SenderRejected),
    "CONFIGURATION_SET_NOT_FOUND": (SendStatus.FAILED, Rejected),
    "TEMPLATE_NOT_FOUND": (SendStatus.FAILED, Rejected),
    "ACCOUNT_SUSPENDED": (SendStatus.FAILED, AccountProblem),
    "ACCOUNT_THROTTLED": (SendStatus.FAILED, RateLimited),
    "ACCOUNT_DAILY_QUOTA_EXCEEDED": (SendStatus.FAILED, RateLimited),
    "INVALID_SENDING_POOL_NAME": (SendStatus.FAILED, Rejected),
    "ACCOUNT_SENDING_PAUSED": (SendStatus.FAILED, AccountProblem),
    "CONFIGURATION_SET_SENDING_PAUSED": (SendStatus.FAILED, AccountProblem),
    "INVALID_PARAMETER": (SendStatus.FAILED, Rejected),
    "TRANSIENT_FAILURE": (SendStatus.FAILED, ServiceUnavailable),
    "FAILED": (SendStatus.FAILED, Rejected),
}


def result(message: Message, response: HttpResponse, *, now: datetime) -> SendResult:
    """
    Return the result of an accepted mail.

    Raises:
        SendError: It was refused, or the answer does not say readably that it was accepted.
    """
    answer = document(response)
    if response.status != 200:
        raise _error(response, answer, now)
    if message.is_batch:
        return _bulk(message, items(answer.get("BulkEmailEntryResults")), response)
    message_id = _identifier(answer.get("MessageId"))
    if not message_id:
        raise MaybeSent("Amazon SES answered 200 without a readable MessageId.", response=response)
    return SendResult.for_all(message, SendStatus.QUEUED, message_id, raw=response)


def _error(response: HttpResponse, answer: Mapping[str, Any], now: datetime) -> SendError:
    if response.status // 100 == 2:
        return MaybeSent(
            f"Amazon SES answered {response.status}, which is not documented.", response=response
        )
    name = _type(response, answer)
    said = one_line(answer.get("message")) or one_line(answer.get("Message"))
    cls = _TYPES.get(name) if 400 <= response.status < 500 else None
    words = ": ".join(filter(None, (name, said)))
    return error_for_status(response, words, now=now, code=name or None, cls=cls)


def _type(response: HttpResponse, answer: Mapping[str, Any]) -> str:
    """Return AWS's name of an error: `name:url` in a header, or `namespace#name` in the body."""
    given = response.headers.get("x-amzn-ErrorType") or text(answer.get("__type")) or text(answer.get("code"))
    return one_line(given.partition(":")[0].rpartition("#")[2])


def _identifier(value: Any) -> str:
    found = text(value)
    return found if found.isprintable() and found.strip() and len(found) <= MAX_ID else ""


def _bulk(message: Message, entries: Sequence[Any], response: HttpResponse) -> SendResult:
    if len(entries) != len(message.to):
        raise MaybeSent(
            f"Amazon SES answered for {len(entries)} mails of {len(message.to)}.", response=response
        )
    rows = [_row(table(entry), response) for entry in entries]
    taken = [
        row for row in rows if row.status is not SendStatus.FAILED and row.status is not SendStatus.REJECTED
    ]
    if not taken:
        raise _refused(rows, response)
    ids = tuple(row.message_id for row in rows if row.message_id)
    recipients = {address.addr_spec: row for address, row in zip(message.to, rows, strict=True)}
    copied = RecipientResult(status=taken[0].status)  # one with each mail that was taken
    copies = {address.addr_spec: copied for address in (*message.cc, *message.bcc)}
    return SendResult(
        message_id=ids[0] if len(ids) == len(rows) == 1 else None,
        message_ids=ids,
        recipients={**copies, **recipients},
        scope="recipient",
        raw=response,
    )


def _row(entry: Mapping[str, Any], response: HttpResponse) -> RecipientResult:
    status = text(entry.get("Status"))
    if status in _ENTRIES:
        said, meaning = _ENTRIES[status]
        return RecipientResult(
            status=said,
            reason=one_line(entry.get("Error")) or status,
            code=status,
            retriable=meaning.default_retriable,
        )
    message_id = _identifier(entry.get("MessageId"))
    if not message_id:
        words = ": ".join(filter(None, (one_line(status), one_line(entry.get("Error")))))
        raise MaybeSent(f"Amazon SES gave a mail no readable MessageId ({words}).", response=response)
    taken = SendStatus.QUEUED if status == "SUCCESS" else SendStatus.UNKNOWN
    return RecipientResult(status=taken, message_id=message_id, code=one_line(status) or None)


def _refused(rows: Sequence[RecipientResult], response: HttpResponse) -> SendError:
    """Return what it means that no mail was taken: what it means for the first one."""
    words = "; ".join(dict.fromkeys(f"{row.code}: {row.reason}" for row in rows))
    cls = _ENTRIES[rows[0].code or ""][1]
    return cls(f"HTTP {response.status}: {words}", code=rows[0].code, response=response)
