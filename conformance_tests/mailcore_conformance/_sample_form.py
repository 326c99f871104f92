"""What may stand in a sample.

Rule: a name that means nothing is refused, with the one that was meant. It would compare nothing, and the
sample would prove less than its author believes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import attrs

from mailcore import (
    BounceClass,
    EventType,
    InboundMessage,
    Outcome,
    RecipientResult,
    RejectReason,
    Scope,
    SendStatus,
    SmtpRequest,
    SmtpResponse,
    TrackingEvent,
    exceptions,
)
from mailcore._nearest import did_you_mean

__all__ = ["check_form"]

_PROVENANCE = ("source_url", "recorded_at", "edits")
#: Folder → what a sample in it may hold beside its provenance.
_TOP: Mapping[str, Sequence[str]] = {
    "exchanges": ("message", "messages", "request", "response", "expected"),
    "webhooks": ("public_key", "request", "expected"),
    "messages": ("message", "expected"),
    "settings": ("options", "for", "expected"),
}
_REQUEST = ("method", "url", "headers", "body", "body_base64", "received_at")
_RESPONSE = ("status", "headers", "body", "body_base64")
#: The same of SMTP.
_TRANSACTION = [field.name for field in attrs.fields(SmtpRequest) if field.name != "commits"]
_LAST_WORD = [field.name for field in attrs.fields(SmtpResponse)]
_EXPECTED: Mapping[str, Sequence[str]] = {
    "exchanges": (
        *("message_id", "message_ids", "status", "recipients"),
        *("error", "outcome", "scope", "retriable", "retry_after", "text", "fields", "code"),
    ),
    "webhooks": ("kind", "events", "messages", "response", "error", "text", "refused"),
    "messages": ("advice", "unsupported"),
    "settings": ("error", "text", "deliveries"),
}
_EVENT = [field.name for field in attrs.fields(TrackingEvent)]
_MAIL = [name for name in dir(InboundMessage) if not name.startswith("_")]
_RECIPIENT = [field.name for field in attrs.fields(RecipientResult)]

#: Name → the words that its value is one of.
_WORDS: Mapping[str, Sequence[str]] = {
    "event_type": [one.value for one in EventType],
    "reject_reason": [one.value for one in RejectReason],
    "bounce_class": [one.value for one in BounceClass],
    "outcome": [one.value for one in Outcome],
    "scope": [*(one.value for one in Scope), "recipient"],
    "error": exceptions.__all__,
}
_STATUS = [one.value for one in SendStatus]


def check_form(folder: str, document: Any) -> None:
    """
    Do nothing where a sample has the form of those in its folder.

    Raises:
        ValueError: It has not; the text says where, and what was meant.
    """
    _table(document, "It")
    for name in _PROVENANCE:
        if not document.get(name):
            raise ValueError(f"It does not say where it comes from: add {name}.")
    _date(document["recorded_at"])
    _names(document, (*_PROVENANCE, *_TOP[folder]), "It")
    if "expected" not in document:
        raise ValueError("It lacks expected: what it means.")
    if "request" in document:
        _request(document["request"])
    if folder == "exchanges":
        _response(document.get("response"))
    expected = document["expected"]
    for one in expected if isinstance(expected, list) else [expected]:
        _expected(folder, one)


def _request(request: Any) -> None:
    if isinstance(request, Mapping) and "server" in request:
        _names(request, _TRANSACTION, "request")
    else:
        _message_of_http(request, _REQUEST, "request")


def _response(response: Any) -> None:
    if isinstance(response, Mapping) and "code" in response:
        _names(response, _LAST_WORD, "response")
        _code(response["code"])
        for said in response.get("refused", {}).values():
            if not isinstance(said, list) or len(said) != 2:
                raise ValueError("response.refused is of the form {address: [number, text]}.")
            _code(said[0])
    else:
        _message_of_http(response, _RESPONSE, "response")
        _status(response.get("status"))


def _code(value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 200 <= value <= 599:
        raise ValueError(f"response has the code {value!r}, and no number of an SMTP reply.")


def _expected(folder: str, expected: Any) -> None:
    _names(expected, _EXPECTED[folder], "expected")
    _words(expected, "expected")
    if folder == "exchanges":
        _one_of("expected.status", expected.get("status"), _STATUS)
        for one in (expected.get("recipients") or {}).values():
            _names(one, _RECIPIENT, "expected.recipients")
            _one_of("expected.recipients: status", one.get("status"), _STATUS)
    for event in expected.get("events", ()):
        _names(event, _EVENT, "expected.events")
        _words(event, "expected.events")
    if folder == "webhooks":
        for mail in expected.get("messages", ()):
            _names(mail, _MAIL, "expected.messages")


def _table(value: Any, where: str) -> None:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} is {_kind(value)}, and no JSON object.")  # noqa: TRY004  # reason: a sample is data


def _kind(value: Any) -> str:
    kinds = {list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def _names(value: Any, known: Iterable[str], where: str) -> None:
    _table(value, where)
    for name in value:
        if name not in known:
            raise ValueError(f"{where} has {name!r}, which means nothing.{did_you_mean(name, known)}")


def _words(value: Mapping[str, Any], where: str) -> None:
    for name, words in _WORDS.items():
        if name in value:
            _one_of(f"{where}.{name}", value[name], words)


def _one_of(where: str, value: Any, words: Sequence[str]) -> None:
    if value is not None and value not in words:
        near = did_you_mean(str(value), words)
        raise ValueError(f"{where} is {value!r}, which is none of {', '.join(words)}.{near}")


def _message_of_http(value: Any, known: Iterable[str], where: str) -> None:
    _names(value, known, where)
    for pair in value.get("headers", ()):
        texts = isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) for one in pair)
        if not texts:
            raise ValueError(f"{where}.headers is a list of [name, value], both of them text.")


def _status(value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 100 <= value <= 599:
        raise ValueError(f"response.status is {value!r}, and no number of an HTTP status.")


def _date(value: Any) -> None:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"recorded_at is {value!r}, and no date such as 2030-01-31.") from None
