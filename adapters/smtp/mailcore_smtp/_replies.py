"""Last word → result or error (RFC 5321, 4.2 and 4.3.2; RFC 3463 for the numbers within a text).

Rule 1: a yes to the end of the mail is the only acceptance. Before it, nothing can have been sent.
Rule 2: 5yz is no, 4yz is not now. The command that was answered says whose fault it is; words say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mailcore import (
    AccountProblem,
    AuthenticationFailed,
    Context,
    MaybeSent,
    Message,
    NotAccepted,
    ProtocolBug,
    RecipientRejected,
    RecipientResult,
    Rejected,
    Scope,
    SenderRejected,
    SendError,
    SendResult,
    SendStatus,
    ServiceUnavailable,
    SmtpResponse,
    TLSFailure,
    TooLarge,
)
from mailcore_smtp import _send

__all__ = ["result"]

MAX_WORDS = 500

#: What was answered with no → what that means.
_REFUSED: Mapping[str, type[SendError]] = {
    "CONNECT": AccountProblem,  # 554: this client is not served here
    "EHLO": AccountProblem,
    "STARTTLS": TLSFailure,
    "AUTH": AuthenticationFailed,
    "MAIL": SenderRejected,
    "RCPT": RecipientRejected,
}
#: Numbers that say more than the command they answer.
_CODES: Mapping[int, type[SendError]] = {
    421: ServiceUnavailable,  # the server closes
    500: ProtocolBug,
    502: ProtocolBug,
    503: ProtocolBug,
    504: ProtocolBug,
    530: AuthenticationFailed,  # it wants a login first (RFC 4954, 6)
    534: AuthenticationFailed,
    535: AuthenticationFailed,
    538: AuthenticationFailed,
    555: ProtocolBug,
}
#: Before a mail is named, a "not now" is about the server; afterwards, about the mail: greylisting is.
_ABOUT_SERVER = frozenset({"CONNECT", "EHLO", "STARTTLS", "AUTH"})
#: Numbers of an address that is none; so is 5.1.3.
_MALFORMED = frozenset({501, 553})

_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def result(message: Message, ctx: Context, response: SmtpResponse) -> SendResult:
    """
    Return the result of an accepted mail, with those who will not get it.

    Raises:
        SendError: The server did not take it, or what it said is neither yes nor no.
    """
    rows = {address.addr_spec: _row(response, address.ascii_spec) for address in message.recipients}
    if response.command != "." or response.code // 100 != 2:
        raise _error(message, response)
    found = _send.message_id(message, ctx)
    return SendResult(
        message_id=found,
        message_ids=(found,) if found else (),
        recipients=rows,
        scope="recipient",
        raw=response,
    )


def _row(response: SmtpResponse, address: str) -> RecipientResult:
    if address not in response.refused:
        return RecipientResult(status=SendStatus.QUEUED)
    code, text = response.refused[address]
    malformed = code in _MALFORMED or _enhanced(text) == "5.1.3"
    status = SendStatus.INVALID if malformed else SendStatus.REJECTED
    return RecipientResult(
        status=SendStatus.FAILED if code // 100 == 4 else status,
        reason=_words(code, text),
        code=str(code),
        retriable=code // 100 == 4,
    )


def _error(message: Message, response: SmtpResponse) -> SendError:
    if response.lacks:
        return _lacking(response)
    code = response.code
    if response.command == "RCPT" and any(one // 100 == 4 for one, _ in response.refused.values()):
        code = code if code == 421 else 450  # one of them at least may be taken later
    text = f"SMTP {response.command}: {_words(response.code, response.text)}"
    scope = None
    if code // 100 == 4:
        cls = _CODES.get(code, ServiceUnavailable if response.command in _ABOUT_SERVER else NotAccepted)
        scope = Scope.MESSAGE if cls is NotAccepted else None
    elif code // 100 == 5:
        cls = _refusal(response)
    else:  # a yes where there is a question, or a question where there is an end
        cls = MaybeSent if response.command == "." else ProtocolBug
    return cls(
        text, scope=scope, fields=_fields(message, response), code=str(response.code), response=response
    )


def _refusal(response: SmtpResponse) -> type[SendError]:
    if response.command != "RCPT" and (response.code == 552 or _enhanced(response.text) == "5.3.4"):
        return TooLarge
    return _CODES.get(response.code) or _REFUSED.get(response.command, Rejected)


def _lacking(response: SmtpResponse) -> SendError:
    if response.lacks == "AUTH":
        text = "The server does not offer AUTH PLAIN or AUTH LOGIN; nothing was sent."
        return AuthenticationFailed(text, response=response)
    text = f"The server does not offer {response.lacks}, which this mail needs; nothing was sent."
    return Rejected(text, response=response)


def _fields(message: Message, response: SmtpResponse) -> dict[str, list[str]]:
    """Return the field of each refused recipient, and what was said of those in it."""
    found: dict[str, list[str]] = {}
    for field in ("to", "cc", "bcc"):
        for address in getattr(message, field):
            if address.ascii_spec in response.refused:
                found.setdefault(field, []).append(_words(*response.refused[address.ascii_spec]))
    return found


def _enhanced(text: str) -> str:
    match = _ENHANCED.match(text)
    return match[0] if match else ""


def _words(code: int, text: str) -> str:
    return f"{code} {_CONTROL.sub(' ', text)}".strip()[:MAX_WORDS]
