"""Genuine answers of a provider, each changed in one thing.

Rule: what is changed is found by its value, wherever the API puts it: an id may be a number or a text in
JSON, in a header, or in any other body. So one check serves every API.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from mailcore import Capability, HttpResponse, Message, Response, SmtpResponse
from mailcore_conformance._sample import Exchange
from mailcore_conformance._subject import Subject

__all__ = [
    "Path",
    "at",
    "big_ids",
    "crowd",
    "dump",
    "fresh_ids",
    "id_paths",
    "ids_of",
    "inside",
    "leaves",
    "main_ids",
    "message_of",
    "numeric",
    "read",
    "renamed",
    "rewritten",
    "saying",
    "stands_in_body",
    "with_body",
    "with_ids",
    "without",
]

#: Keys and positions that lead to a value in a JSON document.
Path: TypeAlias = tuple[Any, ...]
#: One more than what a number of 64-bit floating point can tell from its neighbour.
_BIG = 2**53 + 1


# What a sample is about -----------------------------------------------------------------------------


def message_of(sample: Exchange) -> Message:
    """Return what was sent; one plain mail where the sample does not say."""
    if sample.messages:
        return sample.messages[0]
    return Message(from_="sender@example.com", to="recipient@example.com", subject="Subject", text="Text")


def crowd(subject: Subject, tag: str) -> Message:
    """Return a mail to recipients of every declared kind, that no sample names."""
    copies: dict[str, Any] = {
        field: [f"{field.title()}-{tag}@example.com"]
        for field, capability in (("cc", Capability.CC), ("bcc", Capability.BCC))
        if subject.can(capability)
    }
    return Message(
        from_=f"sender-{tag}@example.com",
        to=[f"First-{tag}@example.com", f"Second-{tag}@example.com"],
        subject=f"Subject {tag}",
        text=f"Text {tag}",
        **copies,
    )


def ids_of(expected: Mapping[str, Any]) -> tuple[str, ...]:
    """Return every id that a sample's meaning names, the message's first."""
    rows = [row for row in expected.get("recipients", {}).values() if isinstance(row, Mapping)]
    named = [expected.get("message_id"), *(row.get("message_id") for row in rows)]
    return tuple(dict.fromkeys(one for one in named if one))


def main_ids(expected: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the message's id; where it has none, those of its recipients."""
    return (expected["message_id"],) if expected.get("message_id") else ids_of(expected)


# JSON -----------------------------------------------------------------------------------------------


def read(response: Response) -> Any:
    """Return the JSON of an answer; None where it is none."""
    if isinstance(response, SmtpResponse):
        return None
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        return None


def dump(document: Any) -> bytes:
    """Return a JSON document as an API writes it."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def leaves(document: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Return every value that holds no others, and the path to it."""
    if isinstance(document, dict | list):
        items = document.items() if isinstance(document, dict) else enumerate(document)
        for key, value in items:
            yield from leaves(value, (*path, key))
    else:
        yield path, document


def inside(document: Any, path: Path) -> Any:
    """Return what is at a path."""
    for key in path:
        document = document[key]
    return document


def at(document: Any, path: Path, value: Any) -> Any:
    """Return a document with another value at a path."""
    if not path:
        return value
    copy = document.copy()
    copy[path[0]] = at(copy[path[0]], path[1:], value)
    return copy


def without(document: Any, path: Path) -> Any:
    """Return a document that lacks what is at a path."""
    copy = document.copy()
    if len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = without(copy[path[0]], path[1:])
    return copy


def rewritten(document: Any, write: Callable[[Any], Any]) -> Any:
    """Return a document with every value that holds no others passed through `write`."""
    for path, value in list(leaves(document)):
        document = at(document, path, write(value))
    return document


def with_body(response: HttpResponse, body: bytes) -> HttpResponse:
    """Return the same answer with another body."""
    return attrs.evolve(response, body=body)


# Words ----------------------------------------------------------------------------------------------


def saying(response: Response, say: Callable[[], str]) -> Response:
    """Return a refusal that says something else in its texts of some length; None where it has none."""
    if isinstance(response, SmtpResponse):
        refused = {address: (code, say()) for address, (code, _) in response.refused.items()}
        return None if response.lacks else attrs.evolve(response, text=say(), refused=refused)
    document = read(response)
    paths = [path for path, value in leaves(document) if isinstance(value, str) and len(value) >= 8]
    for path in paths:
        document = at(document, path, say())
    if paths:
        return with_body(response, dump(document))
    plain = response.headers.get("Content-Type", "").lower().startswith("text/plain")
    return with_body(response, say().encode()) if plain and response.body else None


# Ids ------------------------------------------------------------------------------------------------


def numeric(value: Any) -> bool:
    """Return whether a JSON value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def id_paths(response: HttpResponse, ids: Sequence[str]) -> list[Path]:
    """Return where ids stand in the JSON of an answer."""
    found = list(leaves(read(response)))
    exact = [path for path, value in found if not isinstance(value, bool) and str(value) in ids]
    if exact:
        return exact
    return [path for path, value in found if isinstance(value, str) and any(one in value for one in ids)]


def stands_in_body(response: HttpResponse, ids: Sequence[str]) -> bool:
    """Return whether an answer says an id in its body."""
    return any(one.encode() in response.body for one in ids)


def _numbers(response: HttpResponse) -> set[str]:
    return {str(value) for _, value in leaves(read(response)) if numeric(value)}


def fresh_ids(response: HttpResponse, ids: Sequence[str], tag: str) -> dict[str, str]:
    """
    Return an id that nobody has seen for each id of an answer: numbers for numbers, text for text.

    They do not sort as the answer has them.
    """
    numbers = _numbers(response)
    digits = str(int(tag[1:8], 16)).zfill(9)
    return {
        one: f"{97 - place}{digits}" if one in numbers else f"{97 - place}-fresh-{tag}"
        for place, one in enumerate(ids)
    }


def big_ids(response: HttpResponse, ids: Sequence[str]) -> dict[str, str]:
    """Return large ids: numbers that floating point cannot hold, long texts."""
    numbers = _numbers(response)
    return {
        one: str(_BIG + 2 * place) if one in numbers else f"Az09-_.{place}" * 25
        for place, one in enumerate(ids)
    }


def with_ids(response: HttpResponse, new: Mapping[str, str]) -> HttpResponse:
    """Return an answer with other ids in the places of the old ones, and of the same JSON type."""
    document = read(response)
    texts = {str(value) for _, value in leaves(document)} | {value for _, value in response.headers.pairs}
    within = [old for old in new if old not in texts]  # such as an id in a sentence

    def put(text: str) -> str:
        if text in new:
            return new[text]
        for old in within:
            text = text.replace(old, new[old])
        return text

    def write(value: Any) -> Any:
        if isinstance(value, str):
            return put(value)
        return int(new[str(value)]) if numeric(value) and str(value) in new else value

    headers = [(name, put(value)) for name, value in response.headers.pairs]
    if isinstance(document, dict | list):
        return attrs.evolve(response, headers=headers, body=dump(rewritten(document, write)))
    body = response.body.decode("utf-8", "replace")
    for old, fresh in new.items():
        body = body.replace(old, fresh)
    return attrs.evolve(response, headers=headers, body=body.encode())


# Recipients -----------------------------------------------------------------------------------------


def renamed(response: Response, names: Mapping[str, str]) -> Response:
    """Return an answer about other addresses; two may change places."""
    if isinstance(response, SmtpResponse):
        refused = {names.get(address, address): said for address, said in response.refused.items()}
        return attrs.evolve(response, refused=refused)
    body = response.body
    for place, old in enumerate(sorted(names, key=len, reverse=True)):
        body = body.replace(old.encode(), b"\x00%d\x00" % place)
    for place, old in enumerate(sorted(names, key=len, reverse=True)):
        body = body.replace(b"\x00%d\x00" % place, names[old].encode())
    return with_body(response, body)
