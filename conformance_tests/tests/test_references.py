"""The correct adapters, one for each shape of API, hold every check that applies to them."""

from __future__ import annotations

import pytest
from gallery import host_of
from reference import REFERENCES

from mailcore_conformance import Report, Status, Verdict, Weight, run

REPORTS: dict[str, Report] = {}


def report(name: str) -> Report:
    """Return the report on a reference; each is examined once."""
    if name not in REPORTS:
        found = REFERENCES[name]
        REPORTS[name] = run(found.spec, found.kit, host=host_of(found.spec))
    return REPORTS[name]


each_reference = pytest.mark.parametrize("name", REFERENCES)


@each_reference
def test_is_conformant(name: str) -> None:
    """Nothing that counts fails or is blocked, and nothing goes wrong in the suite itself."""
    found = report(name)
    bad = (Status.FAIL, Status.BLOCKED, Status.ERROR)
    wrong = [one for one in found.results if one.status in bad and one.check.weight is Weight.MUST]
    assert [f"{one.check.id}: {one.reason}" for one in wrong] == []
    assert found.verdict is Verdict.CONFORMANT


@each_reference
def test_what_does_not_apply_says_why(name: str) -> None:
    """A check that is left out names the reason."""
    found = report(name)
    assert [
        one.check.id
        for one in found.results
        if one.status is Status.NOT_APPLICABLE and not one.reason.endswith(".")
    ] == []


def test_every_check_applies_to_one_of_them() -> None:
    """No check is without a correct adapter that it says yes to; one is about adapters that are installed."""
    results = [one for name in REFERENCES for one in report(name).results]
    passed = {one.check.id for one in results if one.status is Status.PASS}
    assert {one.check.id for one in results} - passed == {"L01"}


@each_reference
def test_two_runs_agree(name: str) -> None:
    """But for the time, a second run gives the same document."""
    found = REFERENCES[name]
    first, second = (report(name), run(found.spec, found.kit, host=host_of(found.spec)))
    assert {**first.document(), "run": None} == {**second.document(), "run": None}
