"""The contract: which checks count, and that none of them is lost."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from mailcore_conformance import Weight, catalogue
from mailcore_conformance._check import ANCHORS
from mailcore_conformance._contract import CONTRACT, contract, main, since

WRITE = "python -m mailcore_conformance._contract --write"


def test_scored_checks_are_in_the_catalogue() -> None:
    """A check that a contract names cannot vanish, or adapters would be proved by less."""
    vanished = sorted(contract().scored - set(catalogue()))
    assert vanished == [], f"Give them back, or, before the contract is published: {WRITE}"


def test_no_check_is_a_preview_yet() -> None:
    """Until the first release, every check is part of the contract."""
    must = {check.id for check in catalogue().values() if check.weight is Weight.MUST}
    preview = sorted(must - contract().scored)
    assert preview == [], f"They would be shown and not scored. Before the contract is published: {WRITE}"


def test_manners_are_not_named() -> None:
    """What is never scored is no part of a contract."""
    assert [one for one in contract().scored if catalogue()[one].weight is Weight.SHOULD] == []


def test_anchors_are_scored() -> None:
    """What the others rest on is in the catalogue, and counts."""
    anchors = {anchor for found in ANCHORS.values() for anchor in found}
    assert anchors <= set(catalogue())
    assert {catalogue()[anchor].weight for anchor in anchors} == {Weight.MUST}


def test_version() -> None:
    """The file says which version it is."""
    assert contract().version == CONTRACT


def test_since() -> None:
    """Of each check it can be told which version first named it."""
    assert since("no such check") is None
    assert {since(one) for one in contract().scored} <= {CONTRACT}


def test_comparison(checks: Any, made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A maintainer sees what is new and what is gone, and the latter is an error."""
    gone = next(iter(contract().scored), None)
    checks(made("Z98"))
    code = main([])
    out = capsys.readouterr().out
    assert "Previews: Z98" in out
    if gone is not None:
        assert (code, gone in out) == (1, True)


def test_module_runs() -> None:
    """`python -m` compares the two."""
    command = [sys.executable, "-m", "mailcore_conformance._contract"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Previews: " in done.stdout
    assert done.stderr == ""
