"""Answers that cannot be read: acceptances without a usable id, and refusals of a shape nobody documented."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from mailcore import HttpResponse
from mailcore_conformance._check import not_applicable_unless
from mailcore_conformance._sample import Exchange
from mailcore_conformance.answers._answers import (
    Path,
    at,
    dump,
    id_paths,
    read,
    rewritten,
    stands_in_body,
    with_body,
    with_ids,
    without,
)

__all__ = ["HOSTILE", "HUGE", "MALFORMED", "Make", "refusals"]

#: An accepted answer and its ids → the same answer, unreadable.
Make = Callable[[HttpResponse, Sequence[str]], HttpResponse]

_DEEP = b"[" * 50_000
_MARK = "@id@"
_HTML = b"<html><body><h1>Please log in</h1></body></html>"


# Acceptances ----------------------------------------------------------------------------------------


def _whole(body: bytes) -> Make:
    def make(response: HttpResponse, ids: Sequence[str]) -> HttpResponse:
        _require(stands_in_body(response, ids), "the body")
        return with_body(response, body)

    return make


def _places(response: HttpResponse, ids: Sequence[str]) -> list[Path]:
    paths = id_paths(response, ids)
    _require(paths, "the JSON")
    return paths


def _require(found: object, where: str) -> None:
    not_applicable_unless(found, f"The provider's id does not stand in {where} of the answer.")


def _id_is(value: Any) -> Make:
    def make(response: HttpResponse, ids: Sequence[str]) -> HttpResponse:
        document = read(response)
        for path in _places(response, ids):
            document = at(document, path, value)
        return with_body(response, dump(document))

    return make


def _written(text: Callable[[bytes], bytes]) -> Make:
    """Return what writes an id as no encoder would; `text` is given the key before it."""

    def make(response: HttpResponse, ids: Sequence[str]) -> HttpResponse:
        paths = _places(response, ids)
        key = str(paths[0][-1]).encode()
        body = _id_is(_MARK)(response, ids).body
        return with_body(response, body.replace(b'"%s"' % _MARK.encode(), text(key)))

    return make


def _missing(response: HttpResponse, ids: Sequence[str]) -> HttpResponse:
    kept = [(name, value) for name, value in response.headers.pairs if not _holds(value, ids)]
    if len(kept) < len(response.headers.pairs):
        return attrs.evolve(response, headers=kept)
    document = read(response)
    for path in reversed(_places(response, ids)):
        document = without(document, path)
    return with_body(response, dump(document))


def _empty(response: HttpResponse, ids: Sequence[str]) -> HttpResponse:
    pairs = [(name, "" if _holds(value, ids) else value) for name, value in response.headers.pairs]
    if pairs != list(response.headers.pairs):
        return attrs.evolve(response, headers=pairs)
    if not id_paths(response, ids) and stands_in_body(response, ids):
        return with_ids(response, dict.fromkeys(ids, ""))
    return _id_is("")(response, ids)


def _holds(text: str, ids: Sequence[str]) -> bool:
    return any(one in text for one in ids)


def _truncated(response: HttpResponse, ids: Sequence[str]) -> HttpResponse:
    _places(response, ids)
    return with_body(response, response.body[:-1])


#: Name → what it is, and how it is made.
MALFORMED: Mapping[str, tuple[str, Make]] = {
    "empty": ("an empty body", _whole(b"")),
    "html": ("an HTML page", _whole(_HTML)),
    "list": ("an empty list", _whole(b"[]")),
    "null": ("the JSON null", _whole(b"null")),
    "deep": ("JSON of 50,000 levels", _whole(_DEEP)),
    "truncated": ("a body that ends too early", _truncated),
    "bad-utf8": ("an id that is not UTF-8", _written(lambda _: b'"id-\xff\xfe"')),
    "duplicate-id": ("two different ids", _written(lambda key: b'"one","%s":"two"' % key)),
    "nan-id": ("NaN for an id", _written(lambda _: b"NaN")),
    "huge-id": ("a number of 5,000 digits for an id", _written(lambda _: b"7" * 5000)),
    "missing-id": ("no id", _missing),
    "empty-id": ("an empty id", _empty),
    "null-id": ("null for an id", _id_is(None)),
    "bool-id": ("true for an id", _id_is(value=True)),
    "object-id": ("an object for an id", _id_is({})),
}


# Refusals -------------------------------------------------------------------------------------------


def refusals(samples: Sequence[Exchange]) -> list[Any]:
    """Return the JSON documents with which the provider says no, one of each shape."""
    shapes: dict[str, Any] = {}
    for sample in samples:
        document = read(sample.response)
        if sample.response.status >= 400 and isinstance(document, dict | list):
            shapes.setdefault(str(rewritten(document, lambda _: 0)), document)
    return list(shapes.values())[:2]


def _reshaped(value: Any) -> Callable[[Sequence[Any]], Iterator[bytes]]:
    """Return bodies in which that value stands where the provider puts its words."""

    def bodies(documents: Sequence[Any]) -> Iterator[bytes]:
        yield dump({"error": value, "errors": value, "message": value})
        for document in documents:
            yield dump(rewritten(document, lambda one: value if isinstance(one, str) else one))
            if isinstance(document, dict):
                yield dump(dict.fromkeys(document, value))

    return bodies


def _only(body: bytes) -> Callable[[Sequence[Any]], Iterator[bytes]]:
    return lambda _: iter((body,))


#: Most characters of an error's text: it ends up in a log line.
HUGE = 2000

#: Name → what it is, and the bodies, from the documents with which the provider says no.
HOSTILE: Mapping[str, tuple[str, Callable[[Sequence[Any]], Iterator[bytes]]]] = {
    "html": ("an HTML page", _only(_HTML)),
    "list": ("a list", _only(b"[1]")),
    "number": ("a number", _only(b"5")),
    "null": ("the JSON null", _only(b"null")),
    "deep": ("JSON of 50,000 levels", _only(_DEEP)),
    "bad-utf8": ("bytes that are not UTF-8", _only(b'{"error":"\xff\xfe"}')),
    "error-dict": ("objects for words", _reshaped({"a": {"b": []}})),
    "error-list": ("lists for words", _reshaped([[], None, 1])),
    "error-null": ("null for words", _reshaped(None)),
    "error-number": ("numbers for words", _reshaped(1.5)),
    "huge": ("words without end", _reshaped("long " * 2_000)),
}
