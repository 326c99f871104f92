"""The fields of a delivery's body, read and changed: JSON, a form, multipart.

Rule: a field is changed where it stands; all others keep their values and their order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode

import attrs

from mailcore import WebhookRequest

__all__ = ["Path", "fields", "has_json", "with_extra", "with_field", "with_rival"]

#: Keys and positions that lead to a value; of a form, the one name.
Path: TypeAlias = tuple[str | int, ...]
Pairs: TypeAlias = list[tuple[str, str]]

_NAME = re.compile(rb'\bname="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
#: Stands for a key that is there already, until the text is made.
_RIVAL = "conformance-rival-of-a-key"


def fields(request: WebhookRequest) -> Mapping[Path, str]:
    """Return the texts and numbers of the body by where they stand; none where it has no such form."""
    document = _json(request)
    if document is not None:
        return dict(_leaves(document, ()))
    found: dict[Path, str] = {}
    for name, value in _pairs(request) or []:
        found.setdefault((name,), value)
    return found


def has_json(request: WebhookRequest) -> bool:
    """Return whether the body is a JSON object or list, whatever its content type says."""
    return _json(request) is not None


def with_field(request: WebhookRequest, path: Path, value: Any) -> WebhookRequest:
    """Return the delivery with another value in one field; None takes the field out."""
    document = _json(request)
    if document is None:
        return _edited(request, lambda pairs: _replaced(pairs, path, value))
    holder, key = _holder(document, path), path[-1]
    if value is None:
        del holder[key]
    else:
        holder[key] = _like(holder[key], value)
    return _with_json(request, document)


def with_rival(request: WebhookRequest, path: Path, value: str, *, first: bool) -> WebhookRequest:
    """Return the delivery with a second field of the same name, before or after the one there is."""
    document = _json(request)
    if document is None:
        return _edited(request, lambda pairs: _rivalled(pairs, path, value, first=first))
    holder, key = _holder(document, path), path[-1]
    if not isinstance(key, str):
        return request  # an element of a list has no name to share
    before = dict(holder)
    holder.clear()
    holder.update({_RIVAL: value, **before} if first else {**before, _RIVAL: value})
    changed = _with_json(request, document)
    return attrs.evolve(changed, body=changed.body.replace(_RIVAL.encode(), json.dumps(key)[1:-1].encode()))


def with_extra(request: WebhookRequest, text: str) -> WebhookRequest:
    """Return the delivery with something more in its body that no provider documents."""
    document = _json(request)
    if document is None:
        return _edited(request, lambda pairs: [*pairs, ("conformance", text)])
    if isinstance(document, list):
        document.append({"conformance": text})
    else:
        document["conformance"] = text
    return _with_json(request, document)


# JSON -----------------------------------------------------------------------------------------------


def _json(request: WebhookRequest) -> Any:
    """Return the JSON of the body, new each time; None where it is none."""
    if request.body.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        return None


def _with_json(request: WebhookRequest, document: Any) -> WebhookRequest:
    return attrs.evolve(request, body=json.dumps(document, separators=(",", ":")).encode())


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, (*path, name))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _leaves(item, (*path, position))
    elif value is not None:
        yield path, value if isinstance(value, str) else json.dumps(value)


def _like(before: Any, value: Any) -> Any:
    """Return a number where a number is replaced by the text of one."""
    if isinstance(before, int | float) and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _holder(document: Any, path: Path) -> Any:
    for step in path[:-1]:
        document = document[step]
    return document


# Forms ----------------------------------------------------------------------------------------------


def _replaced(pairs: Pairs, path: Path, value: Any) -> Pairs:
    kept = [(name, text) for name, text in pairs if name != path[0] or value is not None]
    return [(name, str(value) if name == path[0] else text) for name, text in kept]


def _rivalled(pairs: Pairs, path: Path, value: str, *, first: bool) -> Pairs:
    rival = (str(path[0]), value)
    return [rival, *pairs] if first else [*pairs, rival]


def _edited(request: WebhookRequest, edit: Callable[[Pairs], Pairs]) -> WebhookRequest:
    pairs = _pairs(request)
    if pairs is None:
        return request
    boundary = _boundary(request)
    if boundary is None:
        return attrs.evolve(request, body=urlencode(edit(pairs), errors="replace").encode())
    return attrs.evolve(request, body=_multipart(request.body, boundary, pairs, edit(pairs)))


def _pairs(request: WebhookRequest) -> Pairs | None:
    """Return the fields of a form in order; None where the body is no form."""
    boundary = _boundary(request)
    if boundary is not None:
        return [
            (name, content.decode("utf-8", "replace")) for name, _, content in _parts(request.body, boundary)
        ]
    if "x-www-form-urlencoded" not in request.headers.get("Content-Type", "").lower():
        return None
    return parse_qsl(request.body.decode("ascii", "replace"), keep_blank_values=True)


def _boundary(request: WebhookRequest) -> bytes | None:
    kind = request.headers.get("Content-Type", "")
    found = _BOUNDARY.search(kind) if "multipart/form-data" in kind.lower() else None
    return None if found is None else found[1].encode()


def _parts(body: bytes, boundary: bytes) -> list[tuple[str, bytes, bytes]]:
    """Return name, head and content of each part."""
    found = []
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        found.append((name[1].decode("utf-8", "replace") if name else "", head, content))
    return found


def _multipart(body: bytes, boundary: bytes, before: Pairs, after: Pairs) -> bytes:
    """Return the body with the parts of `after`; one that stands in `before` too keeps its bytes."""
    there = dict(zip(before, _parts(body, boundary), strict=True))
    text = b""
    for name, value in after:
        plain = (
            b'\r\nContent-Disposition: form-data; name="%b"' % name.encode(),
            value.encode("utf-8", "replace"),
        )
        head, content = there[name, value][1:] if (name, value) in there else plain
        text += b"--" + boundary + head + b"\r\n\r\n" + content + b"\r\n"
    return text + b"--" + boundary + b"--\r\n"
