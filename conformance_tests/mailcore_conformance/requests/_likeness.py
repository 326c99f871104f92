"""Whether the request an adapter builds is the one a sample shows.

Rule: compared by meaning. The order of keys, spaces in JSON, boundaries, and what a raw mail says of its own
making (date and id) do not count; everything else does.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Iterator, Mapping
from hashlib import sha256
from urllib.parse import parse_qsl, urlsplit

import attrs

from mailcore import HttpRequest, Request, Secret, SmtpRequest
from mailcore_conformance._wire import File, Piece, Wire

__all__ = ["differences"]

#: Headers that speak of the program or of the connection.
_OF_THE_CLIENT = frozenset({"user-agent", "accept-encoding", "connection", "content-length", "host"})
_BOUNDARY = re.compile(r';\s*boundary=(?:"[^"]*"|[^;\s]*)', re.IGNORECASE)
_OWN_MAKING = (" Date:", " Message-ID:", "(its name)")
#: More of a value than a reason shows.
SHOWN = 60

Said = Mapping[str, list[str]]


def differences(sample: HttpRequest | SmtpRequest, request: Request, secret: str) -> Iterator[str]:
    """Yield how a request differs from a sample, which has `TOKEN` for the secret."""
    if isinstance(sample, SmtpRequest) and isinstance(request, SmtpRequest):
        yield from _compared(_transaction(request, secret), _transaction(sample, secret))
    elif isinstance(sample, HttpRequest) and isinstance(request, HttpRequest):
        yield from _of_http(sample, request, secret)
    else:
        yield f"it is {type(request).__name__}, and the sample is {type(sample).__name__}"


def _transaction(request: SmtpRequest, secret: str) -> Said:
    envelope = {
        field.name: _revealed(getattr(request, field.name)).replace(secret, "TOKEN")
        for field in attrs.fields(SmtpRequest)
        if field.name != "data"
    }
    said = ((item.path, _said(item, secret)) for item in Wire(request).leaves if _counts(item, "data"))
    return {**_grouped(said), **{name: [text] for name, text in envelope.items()}}


def _revealed(value: object) -> str:
    return value.reveal() if isinstance(value, Secret) else repr(value)


def _counts(item: Piece | File, place: str) -> bool:
    return item.path.startswith(place) and not item.path.endswith(_OWN_MAKING)


def _of_http(sample: HttpRequest, request: HttpRequest, secret: str) -> Iterator[str]:
    if request.method != sample.method:
        yield f"the method is {request.method}, and should be {sample.method}"
    yield from _url(request.url.replace(secret, "TOKEN"), sample.url)
    yield from _compared(_headers(request, secret), _headers(sample, secret))
    yield from _compared(_body(request, secret), _body(sample, secret))


def _url(built: str, sample: str) -> Iterator[str]:
    one, other = urlsplit(built), urlsplit(sample)
    for part in ("scheme", "netloc", "path", "fragment"):
        if getattr(one, part) != getattr(other, part):
            yield f"the URL's {part} is {getattr(one, part)!r}, and should be {getattr(other, part)!r}"
    queries = [parse_qsl(url.query, keep_blank_values=True) for url in (one, other)]
    yield from _compared(
        *(_grouped((f"url?{name}", repr(value)) for name, value in query) for query in queries)
    )


def _compared(built: Said, sample: Said) -> Iterator[str]:
    for place in sorted({*built, *sample}):
        if place not in built:
            yield f"{place} is missing"
        elif place not in sample:
            yield f"{place} is not in the sample"
        elif built[place] != sample[place]:
            yield f"{place} is {_shown(built[place])}, and should be {_shown(sample[place])}"


def _shown(values: list[str]) -> str:
    text = ", ".join(values)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _grouped(pairs: Iterator[tuple[str, str]]) -> Said:
    found = defaultdict(list)
    for place, value in pairs:
        found[place].append(value)
    return found


def _headers(request: HttpRequest, secret: str) -> Said:
    said = (
        (name.lower(), value.reveal() if isinstance(value, Secret) else value)
        for name, value in request.headers
    )
    return _grouped(
        (f"header {name}", repr(_BOUNDARY.sub("", _masked(value, secret))))
        for name, value in said
        if name not in _OF_THE_CLIENT
    )


def _masked(value: str, secret: str) -> str:
    if value[:6].lower() != "basic ":
        return value.replace(secret, "TOKEN")
    try:
        pair = b64decode(value[6:], validate=True).decode()
    except ValueError:
        return value
    return "Basic " + b64encode(pair.replace(secret, "TOKEN").encode()).decode()


def _body(request: HttpRequest, secret: str) -> Said:
    return _grouped(
        (item.path, _said(item, secret)) for item in Wire(request).leaves if _counts(item, "body")
    )


def _said(item: Piece | File, secret: str) -> str:
    if isinstance(item, File):
        return f"{len(item.content)} bytes of SHA-256 {sha256(item.content).hexdigest()[:8]}..."
    if item.literal:
        return item.text
    return repr(_BOUNDARY.sub("", item.text.replace(secret, "TOKEN")))
