"""What an author knows to fail, and says why: a file of `[[deviation]]` tables.

Rule: the file is read strictly. A deviation that nothing matches would hide the next one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mailcore._nearest import did_you_mean
from mailcore_conformance._check import catalogue
from mailcore_conformance._kit import KitError
from mailcore_conformance._report import Deviation

__all__ = ["FILE", "read_deviations"]

#: What the file is called beside the folder of a kit.
FILE = "deviations.toml"

_FIELDS = ("id", "reason", "url")
_EXAMPLE = 'Each is a table [[deviation]] with id, reason and url, such as id = "B41.name".'


def read_deviations(path: Path) -> tuple[Deviation, ...]:
    """
    Return the deviations a file names.

    Raises:
        KitError: It cannot be used; the error says where and why.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KitError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise KitError(f"{path} is not TOML: {error}.") from None
    problem = next(_problems(document), None)
    if problem is not None:
        raise KitError(f"{path}: {problem}")
    return tuple(Deviation(**fields) for fields in document.get("deviation", ()))


def _problems(document: Mapping[str, Any]) -> Iterator[str]:
    for name in document:
        if name != "deviation":
            yield f"there is no {name!r} here. {_EXAMPLE}"
    found = document.get("deviation", [])
    if not isinstance(found, list) or not all(isinstance(fields, dict) for fields in found):
        yield f"'deviation' is no list of tables. {_EXAMPLE}"
        return
    seen: set[str] = set()
    for number, fields in enumerate(found, start=1):
        yield from _problems_of(f"deviation {number}", fields)
        if fields["id"] in seen:
            yield f"{fields['id']} is there twice."
        seen.add(fields["id"])


def _problems_of(where: str, fields: Mapping[str, Any]) -> Iterator[str]:
    for name in fields:
        if name not in _FIELDS:
            yield f"{where} has {name!r}, which means nothing.{did_you_mean(name, _FIELDS)} {_EXAMPLE}"
    for name in _FIELDS:
        if not isinstance(fields.get(name), str) or not fields[name].strip():
            yield f"{where} has no {name}, or it is no text. {_EXAMPLE}"
    if not fields["url"].startswith(("https://", "http://")):
        yield f"{where}: url is no address of a page. Say where this is documented or discussed."
    if fields["id"] not in catalogue():
        known = catalogue()
        yield f"there is no check {fields['id']!r}.{did_you_mean(fields['id'], known)}"
