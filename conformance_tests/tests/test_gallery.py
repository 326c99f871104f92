"""
The suite bites: every adapter of the gallery fails the check it was broken for, for the reason it was.

And every check is needed: of each there is an adapter that no other check would have caught, or the table
below says why there cannot be one.
"""

from __future__ import annotations

import inspect
import multiprocessing
import os
import warnings
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from types import FunctionType

import attrs
import pytest
from gallery import Broken, load_gallery
from gallery._reach import reachable

from mailcore_conformance import Status, Verdict, catalogue
from mailcore_conformance._contract import contract

pytestmark = pytest.mark.gallery

GALLERY = load_gallery()

#: Lines in which a broken adapter may differ from a correct one.
MAX_LINES = 10

#: Scored check → why no adapter can fail it alone.
NEVER_ALONE: dict[str, str] = {}


@attrs.frozen
class Found:
    """What the suite says of one broken adapter: what fails, and where the suite itself does."""

    verdict: Verdict
    failed: Mapping[str, str]
    errors: Mapping[str, str]

    @property
    def scored(self) -> list[str]:
        """The checks that count and fail."""
        return [one for one in self.failed if one in contract().scored]


def examine(name: str) -> Found:
    """Run every check that can find a broken adapter; MAILCORE_WHOLE_GALLERY asks for all of them."""
    broken = GALLERY[name]
    checks = None if os.environ.get("MAILCORE_WHOLE_GALLERY") else reachable(broken)
    report = broken.examine(*(checks or ()))

    def ended(status: Status) -> dict[str, str]:
        return {one.check.id: one.reason for one in report.results if one.status is status}

    return Found(report.verdict, ended(Status.FAIL), ended(Status.ERROR))


@pytest.fixture(scope="session")
def found() -> Mapping[str, Found]:
    """Return what the suite says of each broken adapter, asked by as many processes as there are cores."""
    for broken in GALLERY.values():
        reachable(broken)  # here: the processes share what this finds out
    with warnings.catch_warnings(action="ignore"):  # a fork beside threads of other tests
        fork = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(os.cpu_count(), mp_context=fork) as pool:
            return dict(zip(GALLERY, pool.map(examine, GALLERY, chunksize=4), strict=True))


@pytest.mark.parametrize("name", GALLERY)
def test_is_caught(name: str, found: Mapping[str, Found]) -> None:
    """The named check fails, with the named reason, and the suite itself does not."""
    broken, said = GALLERY[name], found[name]
    assert broken.check in said.failed, f"{broken.check} holds; these fail: {said.failed}"
    assert broken.reason in said.failed[broken.check]
    assert said.errors == {}


@pytest.mark.parametrize("name", GALLERY)
def test_is_not_conformant(name: str, found: Mapping[str, Found]) -> None:
    """A scored check that fails makes the verdict."""
    if GALLERY[name].check in contract().scored:
        assert found[name].verdict in (Verdict.NOT_CONFORMANT, Verdict.PART)


def lines_of(broken: Broken) -> int:
    """Count the lines of code in which a broken adapter differs; some differ in their package alone."""
    if not broken.cls.__module__.startswith("gallery."):
        return 0
    own = [value for value in vars(broken.cls).values() if isinstance(value, FunctionType | property)]
    functions = [value.fget if isinstance(value, property) else value for value in own]
    total = 0
    for function in functions:
        source = inspect.getsource(function).splitlines()
        total += sum(1 for line in source if line.strip() and not line.strip().startswith(('"""', "#", "@")))
    return total


def test_each_differs_in_a_few_lines() -> None:
    """What is caught is a small mistake in an adapter that is otherwise correct."""
    assert {name: lines_of(one) for name, one in GALLERY.items() if lines_of(one) > MAX_LINES} == {}


def test_there_are_enough() -> None:
    """The catalogue and the gallery are as large as promised."""
    assert len(contract().scored) >= 100
    assert len(GALLERY) >= 150


def test_every_scored_check_has_a_broken_adapter() -> None:
    """No check is trusted that was never seen to fail."""
    named = {broken.check for broken in GALLERY.values()}
    assert sorted(contract().scored - named) == []
    assert sorted(named - set(catalogue())) == []


def test_every_scored_check_is_needed(found: Mapping[str, Found]) -> None:
    """Without it, some broken adapter would pass; or the table says why not."""
    needed = {known.scored[0] for known in found.values() if len(known.scored) == 1}
    assert sorted(contract().scored - needed - set(NEVER_ALONE)) == []
    assert sorted(needed & set(NEVER_ALONE)) == []
