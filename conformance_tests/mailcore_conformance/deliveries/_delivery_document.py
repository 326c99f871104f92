"""A delivery's body as a tree whose parts can be changed: JSON, or the fields of a form.

Rule: JSON within a text (a form field, a notification around the event) is part of the tree, and is written
back as text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode

import attrs

from mailcore import WebhookRequest
from mailcore_conformance._check import NotApplicable

__all__ = ["GONE", "Document", "Place", "as_text", "covers", "shown"]

#: Where a value stands: the keys and positions that lead to it.
Place: TypeAlias = tuple[str | int, ...]

#: In place of a value: the key is not there.
GONE: Any = object()


@attrs.frozen
class _Within:
    """JSON that stands in a text."""

    value: Any


@attrs.frozen
class Document:
    """
    One body, parsed.

    Attributes:
        form: Whether it is a form: then each field is a text.
    """

    _tree: Any
    form: bool = False

    @classmethod
    def read(cls, request: WebhookRequest) -> Document:
        """
        Return the body of a delivery.

        Raises:
            NotApplicable: It is neither JSON nor a form.
        """
        try:
            return cls(_unwrapped(_container(json.loads(request.body))))
        except (ValueError, RecursionError):
            pass
        if "x-www-form-urlencoded" in request.headers.get("Content-Type", "").lower():
            fields: dict[str, Any] = {}
            for name, value in parse_qsl(request.body.decode("ascii", "replace"), keep_blank_values=True):
                fields.setdefault(name, []).append(_unwrapped(value))
            return cls({name: _one(values) for name, values in fields.items()}, form=True)
        raise NotApplicable("The body of no sample is JSON or a form, so none can be changed.")

    @property
    def whole(self) -> Any:
        """The value that contains all others."""
        return self._tree

    def nodes(self) -> Iterator[tuple[Place, Any]]:
        """Yield every value but the whole, those that contain others first."""
        yield from _nodes(self._tree, ())

    def leaves(self) -> Iterator[tuple[Place, Any]]:
        """Yield every value that holds no others."""
        yield from ((place, value) for place, value in self.nodes() if not isinstance(value, dict | list))

    def objects(self) -> Iterator[Place]:
        """Yield the places of all objects, the whole first; a form is one."""
        if isinstance(self._tree, dict):
            yield ()
        yield from (place for place, value in self.nodes() if isinstance(value, dict))

    def places(self, text: str | None) -> tuple[Place, ...]:
        """Return where a text stands, alone; a number counts as its digits."""
        if not text:
            return ()
        return tuple(place for place, value in self.leaves() if as_text(value) == text)

    def write(self, changes: Mapping[Place, Any]) -> bytes:
        """Return the body with other values at those places; `GONE` leaves the key out."""
        tree = self._tree
        for place, value in changes.items():
            tree = _changed(tree, place, value)
        if not self.form:
            return json.dumps(_wrapped(tree)).encode()
        fields = {name: _field(value) for name, value in tree.items()}
        return urlencode(fields, doseq=True, errors="surrogatepass").encode()


def as_text(value: Any) -> str | None:
    """Return a text or a whole number as text; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def covers(place: Place, others: tuple[Place, ...]) -> bool:
    """Return whether one of the others stands at that place or within it."""
    return any(other[: len(place)] == place for other in others)


def shown(place: Place) -> str:
    """Return a place as a reader writes it, such as `events[0].id`."""
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return f"`{text.removeprefix('.') or 'the whole'}`"


def _container(value: Any) -> Any:
    if isinstance(value, dict | list):
        return value
    raise ValueError("It holds nothing that could be changed.")


def _unwrapped(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unwrapped(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_unwrapped(item) for item in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return _Within(_unwrapped(_container(json.loads(value))))
        except (ValueError, RecursionError):
            return value
    return value


def _wrapped(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _wrapped(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_wrapped(item) for item in value]
    return json.dumps(_wrapped(value.value)) if isinstance(value, _Within) else value


def _field(value: Any) -> Any:
    """Return what stands in a form: texts; anything else as JSON."""
    value = _wrapped(value)
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return value
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _one(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _nodes(value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    if isinstance(value, _Within):
        value = value.value
    if isinstance(value, dict):
        inside: Any = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    else:
        return
    for step, item in inside:
        there = (*place, step)
        yield there, item.value if isinstance(item, _Within) else item
        yield from _nodes(item, there)


def _changed(tree: Any, place: Place, value: Any) -> Any:
    if not place:
        return value
    if isinstance(tree, _Within):
        return _Within(_changed(tree.value, place, value))
    step, rest = place[0], place[1:]
    copy = tree.copy()
    if value is GONE and not rest:
        del copy[step]
    elif rest:
        copy[step] = _changed(tree[step], rest, value)
    else:
        copy[step] = value
    return copy
