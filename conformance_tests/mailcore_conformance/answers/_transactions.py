"""What a mail server's last word means, whichever command it answers (RFC 5321, 4.2).

Rule: made up, not from samples: what the first digit of a number says is the same for every server.
"""

from __future__ import annotations

from collections.abc import Iterator

from mailcore import (
    MaybeSent,
    Message,
    Outcome,
    Scope,
    SendError,
    SendResult,
    SmtpResponse,
)
from mailcore_conformance._check import not_applicable_unless
from mailcore_conformance._subject import Subject
from mailcore_conformance.answers._answers import message_of
from mailcore_conformance.answers._meaning import told

__all__ = ["early_yes", "lacking", "login", "neither", "no", "not_now"]

#: What can be answered before the mail is at its end.
BEFORE = ("CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA")
END = "."


def no(subject: Subject) -> Iterator[str]:
    """Return the commands after which a 5yz is not taken for no."""
    for command in (*BEFORE, END):
        found = _parsed(subject, 550, command)
        # Without encryption, the mail was not offered to anybody.
        outcomes = {Outcome.REJECTED, *([Outcome.NOT_ACCEPTED] if command == "STARTTLS" else [])}
        if not isinstance(found, SendError) or found.outcome not in outcomes:
            yield f"550 to {_shown(command)} becomes {told(found)}, and it means rejected."
        elif found.retriable:
            yield f"550 to {_shown(command)} becomes {told(found)}, which is said to be worth a repeat."


def not_now(subject: Subject) -> Iterator[str]:
    """Return the commands after which a 4yz is not taken for not now."""
    for command in (*BEFORE, END):
        for code in (421, 450):
            found = _parsed(subject, code, command)
            proven = isinstance(found, SendError) and found.outcome is Outcome.NOT_ACCEPTED
            if not proven or not getattr(found, "retriable", False):
                yield f"{code} to {_shown(command)} becomes {told(found)}, and it means not accepted."


def early_yes(subject: Subject) -> Iterator[str]:
    """Return the commands whose yes is taken for an acceptance, or for a doubt."""
    for command in BEFORE:
        found = _parsed(subject, 250, command)
        if isinstance(found, SendResult | MaybeSent):
            yield f"250 to {command} becomes {told(found)}, and nothing was sent."


def neither(subject: Subject) -> Iterator[str]:
    """Return what is neither yes nor no, and not taken for a doubt."""
    for code in (220, 250):
        found = _parsed(subject, code, END)
        if not isinstance(found, SendResult):
            yield f"{code} to the end of the mail becomes {told(found)}, and it means accepted."
    for code in (334, 354, 399):
        found = _parsed(subject, code, END)
        if not isinstance(found, MaybeSent):
            yield f"{code} to the end of the mail becomes {told(found)} instead of MaybeSent."


def login(subject: Subject) -> Iterator[str]:
    """Return the refusals of a login that are not the account's matter."""
    for command, code in (("AUTH", 535), ("AUTH", 534), ("MAIL", 530)):
        found = _parsed(subject, code, command)
        if not isinstance(found, SendError) or found.scope is not Scope.ACCOUNT:
            yield f"{code} to {command} becomes {told(found)}, and every mail of the account will end so."


def lacking(subject: Subject) -> Iterator[str]:
    """Return the extensions whose absence is not taken for a no that says so."""
    for name in ("SMTPUTF8", "8BITMIME", "DSN", "AUTH"):
        _require_smtp(subject)
        said = SmtpResponse(code=250, text="mail.example.com", command="EHLO", lacks=name)
        found = subject.parse(message_of(subject.accepted), said)
        if not isinstance(found, SendError) or found.outcome is Outcome.UNKNOWN or found.retriable:
            yield f"A server without {name} makes it {told(found)}, and nothing was sent."
        elif name not in str(found):
            yield f"A server without {name} makes it {told(found)}, which does not name {name}."


def _parsed(subject: Subject, code: int, command: str) -> SendResult | SendError:
    _require_smtp(subject)
    message = message_of(subject.accepted)
    refused = dict.fromkeys(_recipients(message), (code, "Words")) if command == "RCPT" else {}
    said = SmtpResponse(code=code, text="Words", command=command, refused=refused)
    return subject.parse(message, said)


def _require_smtp(subject: Subject) -> None:
    over_smtp = isinstance(subject.accepted.response, SmtpResponse)
    not_applicable_unless(over_smtp, "It sends over no SMTP.")


def _recipients(message: Message) -> list[str]:
    return [address.ascii_spec for address in message.recipients]


def _shown(command: str) -> str:
    return "the end of the mail" if command == END else command
