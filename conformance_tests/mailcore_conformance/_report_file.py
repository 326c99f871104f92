"""Reports in files.

Rule: a file is believed as far as it agrees with itself: its verdict must follow from its own list.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mailcore_conformance._kit import KitError
from mailcore_conformance._report import SCHEMA, Document, Status, derived

__all__ = ["counted", "read_report"]

#: Field → what it is, where everything that reads a report relies on it.
_FIELDS: Mapping[str, type] = {
    "verdict": str,
    "contract": str,
    "whole": bool,
    "suite": dict,
    "adapter": dict,
    "counts": dict,
    "capabilities": dict,
    "checks": list,
    "deviations": list,
    "stale_deviations": list,
    "run": dict,
}
_CHECK: Mapping[str, type] = {
    "id": str,
    "title": str,
    "section": str,
    "weight": str,
    "scored": bool,
    "status": str,
    "reason": str,
    "fix": str,
    "rests_on": list,
}


def read_report(path: Path) -> Document:
    """
    Return the report in a file.

    Raises:
        KitError: It is none, or contradicts itself.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KitError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise KitError(f"{path} is not JSON: {error}.") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise KitError(f"{path} is no report of this suite: its schema is not {SCHEMA!r}.")
    problem = _problem(document)
    if problem:
        raise KitError(f"{path} is no report: {problem}")
    return document


def counted(document: Document) -> Mapping[Status, int]:
    """Return how many of the checks that count ended in each way."""
    found = Counter(check["status"] for check in document["checks"] if check["scored"])
    return {status: found[status.value] for status in Status}


def _problem(document: Document) -> str | None:
    wrong = _wrong(document, _FIELDS) or next(
        (found for check in document["checks"] if (found := _wrong(check, _CHECK))), None
    )
    if wrong:
        return wrong
    statuses = {status.value for status in Status}
    for check in document["checks"]:
        if check["status"] not in statuses:
            return f"{check['id']} ended as {check['status']!r}, which is no status."
        if check["status"] != Status.PASS.value and not check["reason"]:
            return f"{check['id']} ended as {check['status']} without a reason."
    return _contradiction(document)


def _contradiction(document: Document) -> str | None:
    counts = counted(document)
    if document["counts"] != {status.value: number for status, number in counts.items()}:
        return "its counts are not those of its checks."
    verdict = derived(counts, stale=bool(document["stale_deviations"]), whole=document["whole"]).value
    if document["verdict"] != verdict:
        return f"it says {document['verdict']!r}, and its checks say {verdict!r}."
    return None


def _wrong(found: Any, fields: Mapping[str, type]) -> str | None:
    if not isinstance(found, dict):
        return "one of its checks is no object."
    for name, kind in fields.items():
        if not isinstance(found.get(name), kind):
            return f"{name!r} is missing, or of the wrong kind."
    return None
