"""Answers that arrive whole, and say anything but a plain yes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from reliability.ending import ACCEPTED, UNKNOWN, Ending, not_accepted, rejected
from reliability.fault_server import Peer
from reliability.mode import Mode, http

__all__ = ["ANSWER_MODES", "OTHER_HOST"]

#: Stands in a redirect for the address of the other server, which must get nothing.
OTHER_HOST = b"http://127.0.0.1:00000"

HTML = b"<html><body><h1>Bad Gateway</h1></body></html>"
YES = b'{"id": 1, "status": "pending"}'
ACCOUNT = "account"


def _json(status: int, document: object, *headers: str) -> bytes:
    return http(status, json.dumps(document).encode(), "Content-Type: application/json", *headers)


def _answers(row: int, table: dict[str, tuple[str, Ending, bytes]]) -> Iterable[Mode]:
    for name, (does, ending, answer) in table.items():
        yield Mode(name=name, row=row, does=does, ending=ending, act=answer, goes_on=True)


def _redirects() -> Iterable[Mode]:
    for status in (301, 302, 303, 307, 308):
        yield Mode(
            name=f"redirect-{status}",
            row=20,
            does=f"answers {status}, with another host",
            ending=not_accepted("UnexpectedRedirect", retriable=False),
            act=http(status, b"", f"Location: {OTHER_HOST.decode()}/send"),
            goes_on=True,
        )


def _refused_fields() -> Iterable[Mode]:
    """List what MailPace's documentation shows with a 400."""
    recipient = rejected("RecipientRejected")
    exceeded = "number of email addresses exceeds maximum volume"
    blocked = "Extension file type blocked, see Docs for full list of allowed file types"
    fields = {
        "400-no-to": (22, recipient, {"errors": {"to": ["undefined field"]}}),
        "400-invalid-to": (22, recipient, {"errors": {"to": ["is invalid"]}}),
        "400-blocked-to": (22, recipient, {"errors": {"to": ["contains a blocked address"]}}),
        "400-too-many": (22, recipient, {"errors": {"to": [exceeded]}}),
        "400-attachment": (21, rejected("Rejected"), {"errors": {"attachments.name": [blocked]}}),
        "400-errors-list": (21, rejected("Rejected"), {"errors": ["is invalid"]}),
        "400-sender": (21, rejected("SenderRejected"), {"error": "Email from address not parseable"}),
        "400-token": (23, rejected("AuthenticationFailed", ACCOUNT), {"error": "Invalid API Token"}),
    }
    for name, (row, ending, document) in fields.items():
        said = json.dumps(document)
        yield from _answers(row, {name: (f"answers 400, `{said}`", ending, _json(400, document))})


def _refused() -> Iterable[Mode]:
    account = rejected("AccountProblem", ACCOUNT)
    texts = {
        "dkim": (24, account, "Domain DKIM DNS not verified, please complete DKIM Verification"),
        "plan": (24, account, "The organization that owns this domain does not have an active plan"),
        "disabled": (24, account, "This organization is unable to send emails. Please contact support"),
        "sender": (
            25,
            rejected("SenderRejected"),
            "Verified domain does not match domain in From address of email",
        ),
    }
    for name, (row, ending, text) in texts.items():
        answer = _json(403, {"error": text})
        yield from _answers(row, {f"403-{name}": (f"answers 403, “{text}”", ending, answer)})
    statuses = {
        401: (23, rejected("AuthenticationFailed", ACCOUNT)),
        406: (26, rejected("ProtocolBug", "provider")),
        415: (26, rejected("ProtocolBug", "provider")),
        413: (29, rejected("TooLarge")),
        418: (36, rejected("Rejected")),
    }
    for status, (row, ending) in statuses.items():
        yield from _answers(row, {str(status): (f"answers {status}", ending, http(status))})


def _busy() -> Iterable[Mode]:
    """List answers that ask to come back."""
    down = not_accepted("ServiceUnavailable")
    yield from _answers(27, {"408": ("answers 408", down, http(408))})
    in_progress = Ending("unknown", "InProgress", "provider", retriable=True)
    yield from _answers(28, {"409": ("answers 409: the same key is being processed", in_progress, http(409))})
    yield from _answers(35, {"503": ("answers 503", down, http(503, HTML))})
    later = not_accepted("ServiceUnavailable", after=2)
    answer = http(503, HTML, "Retry-After: 2")
    yield from _answers(35, {"503-retry-after": ("answers 503, `Retry-After: 2`", later, answer)})


def _limited() -> Iterable[Mode]:
    """List 429 with whatever may stand in `Retry-After`."""
    past = format_datetime(datetime(2001, 1, 1, tzinfo=UTC), usegmt=True)
    table: dict[str, tuple[str | None, float | None]] = {
        "none": (None, None),
        "0": ("0", 0),
        "3": ("3", 3),
        "99999": ("99999", 21600),
        "past": (past, 0),
        "garbage": ("soon", None),
        "negative": ("-5", None),
    }
    for name, (value, after) in table.items():
        headers = () if value is None else (f"Retry-After: {value}",)
        yield Mode(
            name=f"429-{name}",
            row=32 if value is None else 31,
            does=f"answers 429, `Retry-After: {value}`" if headers else "answers 429",
            ending=not_accepted("RateLimited", after=after),
            act=http(429, b"", *headers),
            goes_on=True,
            # Hours are for whoever can wait so long: the error says how many.
            repeated=None if name != "99999" else False,
        )
    yield Mode(
        name="429-date",
        row=31,
        does="answers 429, with a date in a minute in `Retry-After`",
        ending=not_accepted("RateLimited", after=60),
        act=_limited_until,
        goes_on=True,
        repeated=False,
    )


def _limited_until(peer: Peer, _: bytes) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    peer.write(http(429, b"", f"Retry-After: {date}"))


def _failing() -> Iterable[Mode]:
    yield from _answers(33, {"500-empty": ("answers 500 without a body", UNKNOWN, http(500))})
    for status in (502, 504):
        answer = http(status, HTML, "Content-Type: text/html")
        yield from _answers(34, {f"{status}-html": (f"answers {status} with HTML", UNKNOWN, answer)})
    for status in (507, 999):
        yield from _answers(36, {str(status): (f"answers {status}", UNKNOWN, http(status))})
    yield Mode(
        name="500-after-accept",
        row=33,
        does="takes the mail, and answers 500",
        act=http(500),
        accepts=True,
        goes_on=True,
    )


def _unreadable_yes() -> Iterable[Mode]:
    """List a 200 whose body does not say readably that the mail was taken."""
    deep = b'{"id": 1, "status": ' + b"[" * 100 + b"]" * 100 + b"}"
    unreadable = {
        "empty": (16, "no body", b""),
        "html": (16, "HTML", HTML),
        "truncated": (16, "JSON that breaks off", YES[:-4]),
        "utf-16": (16, "JSON in UTF-16", YES.decode().encode("utf-16")),
        "nan": (16, "a `NaN`", b'{"id": NaN, "status": "pending"}'),
        "duplicate-keys": (16, "two ids", b'{"id": 1, "id": 2, "status": "pending"}'),
        "deep": (16, "JSON that is nested 100 levels deep", deep),
        "null": (17, "`null`", b"null"),
        "list": (17, "`[]`", b"[]"),
        "object": (17, "`{}`", b"{}"),
        "id-bool": (17, "an id that is `true`", b'{"id": true, "status": "pending"}'),
        "id-float": (17, "an id that is `1.5`", b'{"id": 1.5, "status": "pending"}'),
        "id-blank": (17, "an id that is blank", b'{"id": " ", "status": "pending"}'),
        "id-huge": (17, "an id of 30 digits", b'{"id": 1%s, "status": "pending"}' % (b"0" * 29)),
    }
    for name, (row, does, body) in unreadable.items():
        yield from _answers(row, {f"200-{name}": (f"answers 200 with {does}", UNKNOWN, http(200, body))})
    for status in (201, 204, 299):
        # A 204 has no body, whatever its length says.
        answer = http(status, b"" if status == 204 else YES)
        does = f"answers {status}, which MailPace does not document"
        yield from _answers(19, {str(status): (does, UNKNOWN, answer)})


def _odd_yes() -> Iterable[Mode]:
    """List a 200 whose body says readably, if oddly, that the mail was taken."""
    text, status = b'{"id": "a-1", "status": "pending"}', b'{"id": 1, "status": "on its way"}'
    yield from _answers(
        17, {"200-id-text": ("answers 200 with an id that is text", ACCEPTED, http(200, text))}
    )
    yield from _answers(
        18, {"200-other-status": ("answers 200 with an unknown status", ACCEPTED, http(200, status))}
    )


ANSWER_MODES = {
    "An answer that points elsewhere": tuple(_redirects()),
    "A no": (*_refused_fields(), *_refused()),
    "Not now": (*_busy(), *_limited()),
    "An error of the server": tuple(_failing()),
    "A yes that cannot be read": tuple(_unreadable_yes()),
    "A yes": tuple(_odd_yes()),
}
