"""Requests that no client should make, made from a genuine one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import attrs

from mailcore import HttpRequest

__all__ = ["hostile"]

#: Bodies of any kind, readable or not.
_BODIES = {
    "a body of NUL bytes": b"\0" * 64,
    "a body that is no UTF-8": b"\xff\xfe\xfd",
    "a body that is null": b"null",
    "a body that is a list": b"[]",
    "a body that is a number": b"1e999",
    "a body that is text": b'"text"',
    "a body with half a character": b'{"subject":"\\ud800"}',
    "a deeply nested body": b"[" * 20_000,
    "a body that ends early": b'{"from":',
    "a form without names": b"&&&=&%",
    "a multipart body without parts": b"--x--",
}
_VALUES: tuple[Any, ...] = (None, 5, "", [], {}, [None], [[]], {"email": 5})


def hostile(genuine: HttpRequest) -> Iterator[tuple[str, HttpRequest]]:
    """Yield such requests, each with what is wrong with it."""
    for method in ("GET", "DELETE", "", "\r\n"):
        yield f"the method {method!r}", attrs.evolve(genuine, method=method)
    for url in ("", "http://[", f"{genuine.url}?a=%zz&a", genuine.url + "/" * 5000):
        yield f"the URL {url[:60]!r}", attrs.evolve(genuine, url=url)
    yield "no headers", attrs.evolve(genuine, headers=())
    yield "every header twice", attrs.evolve(genuine, headers=[*genuine.headers, *genuine.headers])
    yield "huge headers", attrs.evolve(genuine, headers=[*genuine.headers, ("X-Huge", "\u00e9" * 70_000)])
    cut = [(name, value[:-1]) for name, value in genuine.headers if isinstance(value, str)]
    yield "headers that end early", attrs.evolve(genuine, headers=cut)
    for label, body in _BODIES.items():
        yield label, attrs.evolve(genuine, body=body)
    yield from _wrong_types(genuine)


def _wrong_types(genuine: HttpRequest) -> Iterator[tuple[str, HttpRequest]]:
    """Yield the genuine request with each of its fields as something else, where it is JSON."""
    try:
        document = json.loads(b"".join([genuine.body] if isinstance(genuine.body, bytes) else genuine.body))
    except ValueError:
        return
    for name in document if isinstance(document, dict) else ():
        for value in _VALUES:
            body = json.dumps({**document, name: value}).encode()
            yield f"{name} as {json.dumps(value)}", attrs.evolve(genuine, body=body)
