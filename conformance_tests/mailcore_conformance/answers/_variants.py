"""Accepted answers written otherwise, and about other recipients, that still mean the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from mailcore import HttpResponse, Message, Response, SmtpResponse
from mailcore_conformance._check import not_applicable_unless
from mailcore_conformance._sample import Exchange
from mailcore_conformance._subject import Subject
from mailcore_conformance.answers._answers import (
    at,
    crowd,
    dump,
    leaves,
    message_of,
    read,
    renamed,
    with_body,
)

__all__ = ["VARIANTS", "Variant", "crowded", "swapped", "unfamiliar"]

Variant = Callable[[HttpResponse], HttpResponse]

#: Names under which an API says how a mail is doing.
_STATUS = re.compile(r"(?:^|_)(?:status|state)$", re.IGNORECASE)


def _json(response: HttpResponse) -> Any:
    document = read(response)
    not_applicable_unless(isinstance(document, dict | list), "The answer is no JSON document.")
    return document


def _objects(document: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Return a document with every object in it changed."""
    if isinstance(document, list):
        return [_objects(item, change) for item in document]
    if isinstance(document, dict):
        return change({key: _objects(value, change) for key, value in document.items()})
    return document


def _extra(response: HttpResponse) -> HttpResponse:
    document = _json(response)
    more = {"x_new": {"a": [1, None]}, "x_more": "text"}
    first = document[:1] if isinstance(document, list) else document
    changed = {**first, **more} if isinstance(first, dict) else [{**item, **more} for item in first]
    rest = document[1:] if isinstance(document, list) else []
    return with_body(response, dump([*changed, *rest] if isinstance(document, list) else changed))


def _order(response: HttpResponse) -> HttpResponse:
    turned = _objects(_json(response), lambda fields: dict(reversed(fields.items())))
    return with_body(response, dump(turned))


def _space(response: HttpResponse) -> HttpResponse:
    text = json.dumps(_json(response), indent="\t", ensure_ascii=True)
    return with_body(response, f"\r\n {text}\n".encode())


def _type(response: HttpResponse) -> HttpResponse:
    _json(response)
    kept = [(name, value) for name, value in response.headers.pairs if name.lower() != "content-type"]
    return attrs.evolve(
        response, headers=[*kept, ("content-type", "application/vnd.api+json; charset=UTF-8")]
    )


#: Name → what is otherwise, and how it is made.
VARIANTS: Mapping[str, tuple[str, Variant]] = {
    "extra": ("with fields that are not documented yet", _extra),
    "order": ("with its fields in another order", _order),
    "space": ("with white space between its fields", _space),
    "type": ("with another JSON content type", _type),
}


def unfamiliar(response: HttpResponse) -> HttpResponse:
    """Return an answer whose status is one that nobody documented."""
    document = read(response)
    found = [
        path
        for path, value in leaves(document)
        if path and _STATUS.search(str(path[-1])) and isinstance(value, str)
    ]
    not_applicable_unless(found, "The answer to an accepted mail says no status.")
    for path in found:
        document = at(document, path, "conformance-status")
    return with_body(response, dump(document))


# Recipients -----------------------------------------------------------------------------------------


def _addresses(message: Message) -> list[str]:
    return [address.ascii_spec for address in message.recipients]


def _named(sample: Exchange) -> list[str]:
    """Return the sample's recipients that its answer names."""
    said = sample.response
    named = said.refused if isinstance(said, SmtpResponse) else said.body.decode("utf-8", "replace")
    return [one for one in _addresses(message_of(sample)) if one in named]


def over_http(sample: Exchange) -> bool:
    """Return whether a sample is of HTTP."""
    return isinstance(sample.response, HttpResponse)


def crowded(subject: Subject, sample: Exchange) -> tuple[Message, Response]:
    """Return a mail to recipients that no sample names, and the sample's answer, to that mail."""
    message = message_of(sample)
    if not _named(sample) and message.is_batch:
        return message, sample.response  # one verdict for each recipient, by position: so many there must be
    if not _named(sample):
        return crowd(subject, "crowd"), sample.response
    names = {old: f"Fresh-{place}@example.com" for place, old in enumerate(_addresses(message))}
    return _to(message, names), renamed(sample.response, names)


def swapped(sample: Exchange, first: str, second: str) -> Response:
    """Return an answer in which two recipients change places; None where it does not name both."""
    named = _named(sample)
    if not {first, second} & set(named) or (over_http(sample) and not {first, second} <= set(named)):
        return None  # a mail server names those alone whom it refuses
    return renamed(sample.response, {first: second, second: first})


def _to(message: Message, names: Mapping[str, str]) -> Message:
    fields: dict[str, Any] = {
        field: [names[address.ascii_spec] for address in getattr(message.resolve(), field)]
        for field in ("to", "cc", "bcc")
    }
    # An answer to a merge is about several mails: what is sent must be one as well.
    merges = ("merge_data", "merge_metadata", "merge_headers")
    fields |= {field: {} for field in merges if getattr(message.resolve(), field) is not None}
    return Message(from_="sender@example.com", subject="Subject", text="Text", **fields)
