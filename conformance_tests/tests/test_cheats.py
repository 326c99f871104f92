"""Adapters that do nothing, that know the answers, or that lie about what they can get nowhere."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from gallery import host_of
from gallery._cheats import AnswerKey, Null, Silent
from reference import REFERENCES
from reference.json_api import JsonAdapter

from mailcore import Adapter
from mailcore_conformance import Report, Status, Verdict, run
from mailcore_conformance._probe import PROBES

REFERENCE = REFERENCES["json"]


def examine(cls: type[Adapter], **spec: Any) -> Report:
    """Run every check on an adapter that stands in for the JSON reference."""
    changed = attrs.evolve(REFERENCE.spec, factory=f"{cls.__module__}:{cls.__name__}", **spec)
    return run(changed, REFERENCE.kit, host=host_of(changed))


def names(prefix: str) -> set[str]:
    """Return the ids of a family of checks that has one for each field."""
    return {f"{prefix}.{probe.capability.value.removeprefix('send.')}" for probe in PROBES.values()}


def failed(report: Report) -> set[str]:
    """Return the checks that fail."""
    return {one.check.id for one in report.results if one.status is Status.FAIL}


@pytest.mark.parametrize("cls", [Null, Silent, AnswerKey])
def test_scores_nothing(cls: type[Adapter]) -> None:
    """Not one scored check holds for it."""
    found = examine(cls)
    assert [one.check.id for one in found.results if one.scored and one.status is Status.PASS] == []
    assert found.verdict is Verdict.NOT_CONFORMANT


def test_declaring_less_is_found_out() -> None:
    """An adapter that declares nothing fails for each field that it carries all the same."""
    found = examine(JsonAdapter, capabilities={}, event_types=(), idempotency=None)
    assert names("B11") - failed(found) == set()


def test_declaring_more_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter that declares everything and carries the least fails for each field it promised."""
    whole = JsonAdapter.document

    def least(self: JsonAdapter, message: Any, ctx: Any) -> dict[str, Any]:
        kept = ("from", "to", "subject", "text")
        return {name: value for name, value in whole(self, message, ctx).items() if name in kept}

    monkeypatch.setattr(JsonAdapter, "document", least)
    assert names("B10") - failed(examine(JsonAdapter)) == {"B10.multiple_from"}  # the one it does carry
