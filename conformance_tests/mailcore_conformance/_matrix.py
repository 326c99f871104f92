"""Providers side by side: what each declares, and whether that was proved.

Rule: a capability counts as proved where its checks ran and held, and neither for being declared nor for
being tested alone. Only reports are read, so the matrix can say nothing that no run has shown.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from mailcore import Capability, Level
from mailcore_conformance._kit import KitError
from mailcore_conformance._markdown import code, escaped, table
from mailcore_conformance._report import BAD, Document, Status, Verdict
from mailcore_conformance._summary import passing

__all__ = ["LEGEND", "Matrix", "Proof", "matrix", "matrix_markdown"]


class Proof(enum.Enum):
    """What the checks of a capability say of a declaration."""

    #: Its checks ran, and all hold.
    PROVED = "proved"
    #: One does not hold, and the author says why.
    DEVIATES = "deviates"
    #: One does not hold.
    FAILS = "fails"
    #: None ran.
    UNPROVED = "unproved"


_WORDS = {
    Level.FULL: "yes",
    Level.LIMITED: "limited",
    Level.NOT_IMPLEMENTED: "not yet",
    Level.UNSUPPORTED: "-",
}
_VERDICTS = {
    Verdict.CONFORMANT: "conformant",
    Verdict.WITH_DEVIATIONS: "conformant, deviations",
    Verdict.NOT_CONFORMANT: "not conformant",
}

LEGEND = (
    "yes, limited: declared, and proved by the checks of that capability.  FAILS: declared, and a check of "
    "it does not hold.  deviates: one does not, for a reason the report gives.  unproved: declared, and "
    "nothing tested it.  not yet: the provider could, the adapter cannot.  A number is the most that can be "
    "carried."
)


@attrs.frozen(kw_only=True)
class Matrix:
    """Providers as columns; `lines` are a name and one cell for each provider."""

    providers: tuple[str, ...]
    capabilities: tuple[tuple[str, ...], ...]
    verdicts: tuple[tuple[str, ...], ...]


def matrix(documents: Sequence[Document]) -> Matrix:
    """
    Return the matrix of some reports.

    Raises:
        KitError: One is of a part of the catalogue, or two are of the same release of an adapter.
    """
    for document in documents:
        if not document["whole"]:
            raise KitError(
                f"The report of {document['adapter']['name']} is of a part of the catalogue. Run all checks."
            )
    names = _names(documents)
    declared = {name for document in documents for name in document["capabilities"]}
    known = [name.value for name in Capability]
    rows = [*known, *sorted(declared.difference(known))]
    return Matrix(
        providers=names,
        capabilities=tuple((name, *(cell(document, name) for document in documents)) for name in rows),
        verdicts=(
            ("verdict", *(_VERDICTS[Verdict(document["verdict"])] for document in documents)),
            ("checks that hold", *(_fraction(document) for document in documents)),
            ("contract", *(str(document["contract"]) for document in documents)),
            ("version", *(document["adapter"].get("version") or "?" for document in documents)),
        ),
    )


def _names(documents: Sequence[Document]) -> tuple[str, ...]:
    names = [document["adapter"]["name"] for document in documents]
    if len(set(names)) == len(names):
        return tuple(names)
    names = [f"{one['adapter']['name']} {one['adapter'].get('version') or '?'}" for one in documents]
    for name in names:
        if names.count(name) > 1:
            raise KitError(f"Two reports are of {name}; only one of them can be shown.")
    return tuple(names)


def cell(document: Document, capability: str) -> str:
    """Return what is to be said of one capability of one provider."""
    support = document["capabilities"].get(capability)
    level = Level(support["level"]) if support else Level.UNSUPPORTED
    if level not in (Level.FULL, Level.LIMITED):
        return _WORDS[level]
    limit = support["limit"]
    word = _WORDS[level] if limit is None else f"{_WORDS[level]} ({limit})"
    found, ids = proof(document, capability)
    if found is Proof.PROVED:
        return word
    if found is Proof.UNPROVED:
        return f"{word}, unproved"
    return f"{word}, {'FAILS' if found is Proof.FAILS else 'deviates'}: {_some(ids)}"


def proof(document: Document, capability: str) -> tuple[Proof, list[str]]:
    """Return what the checks of a capability say, and the ids of those that do not hold."""
    checks = [check for check in document["checks"] if check["capability"] == capability and check["scored"]]
    failing = _ids(checks, BAD)
    deviating = _ids(checks, (Status.KNOWN_DEVIATION,))
    if failing:
        return Proof.FAILS, failing
    if deviating:
        return Proof.DEVIATES, deviating
    return (Proof.PROVED if _ids(checks, (Status.PASS,)) else Proof.UNPROVED), []


def _ids(checks: Sequence[Mapping[str, Any]], statuses: Sequence[Status]) -> list[str]:
    wanted = {status.value for status in statuses}
    return [check["id"] for check in checks if check["status"] in wanted]


def _some(ids: list[str]) -> str:
    return ", ".join(ids) if len(ids) <= 3 else f"{', '.join(ids[:2])} and {len(ids) - 2} more"


def _fraction(document: Document) -> str:
    passed, applicable = passing(document)
    return f"{passed} of {applicable}"


def matrix_markdown(found: Matrix) -> str:
    """Return the matrix as Markdown."""
    head = ["capability", *(code(name) for name in found.providers)]
    lines = [(code(name), *map(escaped, cells)) for name, *cells in found.capabilities]
    lines += [(name, *map(escaped, cells)) for name, *cells in found.verdicts]
    return f"{table(head, lines)}\n\n{LEGEND}\n"
