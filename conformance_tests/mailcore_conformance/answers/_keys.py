"""Where a request holds an idempotency key, and what else is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailcore_conformance._wire import Wire

__all__ = ["differences_apart", "holders", "places"]

#: Headers that sign or seal the request: they differ wherever anything does.
_SEALS = re.compile(r"header .*(?:authorization|signature|digest|sha256|content-length)", re.IGNORECASE)


def places(wire: Wire, key: str) -> list[str]:
    """Return where a request has the key, whole and alone, or between the quotes of a structured header."""
    return [piece.path for piece in wire.pieces if piece.text in (key, f'"{key}"')]


def holders(wire: Wire, key: str) -> set[str]:
    """Return where a request has the key, alone or among other things, and where it names those places."""
    found = set(wire.find(key))
    return found | {f"{path} (its name)" for path in found}


def differences_apart(first: Wire, second: Wire, but: set[str]) -> Iterator[str]:
    """Return where two requests differ, but for some places and for what seals the whole."""
    seen, other = (
        [
            (piece.path, piece.text)
            for piece in wire.pieces
            if piece.path not in but and not _SEALS.fullmatch(piece.path)
        ]
        for wire in (first, second)
    )
    for path in dict.fromkeys(path for path, _ in [*seen, *other]):
        if [text for at, text in seen if at == path] != [text for at, text in other if at == path]:
            yield path
