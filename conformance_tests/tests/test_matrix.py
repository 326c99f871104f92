"""The matrix says what was proved, and nothing that was only declared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailcore import Capability, Level, Support
from mailcore_conformance._check import Failed
from mailcore_conformance._matrix import LEGEND

NAME = "reference-json"


def fails(_: Any) -> None:
    """Find that something does not hold."""
    raise Failed("It was seen not to hold.")


@pytest.fixture
def report(run: Any, checks: Any, made: Any, installed: Any, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that runs three checks on the reference with these capabilities."""

    def write(*arguments: object, name: str = "report", **changes: Any) -> Path:
        checks(
            made("P90"),
            made("P91", capability=Capability.HTML),
            made("P92", fails, capability=Capability.CC),
            made("P93", fails, capability=Capability.BCC),
        )
        installed(**changes)
        deviations = tmp_path / "deviations.toml"
        known = '[[deviation]]\nid = "P93"\nreason = "It cannot."\nurl = "https://docs.example"\n'
        deviations.write_text(known if Capability.BCC in changes.get("capabilities", {}) else "", "utf-8")
        path = tmp_path / f"{name}.json"
        run("run", NAME, "--json", path, "--deviations", deviations, *arguments)
        return path

    return write


def cells(out: str) -> dict[str, list[str]]:
    """Return the rows of the Markdown table by their first cell."""
    rows = [
        [cell.strip() for cell in line.split(" | ")] for line in out.splitlines() if line.startswith("| ")
    ]
    return {row[0].strip("| `"): [cell.strip(" |") for cell in row[1:]] for row in rows}


@pytest.mark.parametrize(
    "capability, support, expected",
    [
        (Capability.HTML, Support(), "yes"),
        (Capability.HTML, Support(level=Level.LIMITED, limit=7), "limited (7)"),
        (Capability.HTML, Support(level=Level.NOT_IMPLEMENTED), "not yet"),
        (Capability.HTML, Support(level=Level.UNSUPPORTED), "-"),
        (Capability.CC, Support(), "yes, FAILS: P92"),
        (Capability.BCC, Support(), "yes, deviates: P93"),
        (Capability.TAGS, Support(limit=3), "yes (3), unproved"),
    ],
)
def test_cells(run: Any, report: Any, capability: Capability, support: Support, expected: str) -> None:
    """Declared and held is yes; declared and failing, deviating or not tested says so."""
    ran = run("matrix", "--markdown", report(capabilities={capability: support}))
    assert (ran.code, ran.err) == (0, "")
    assert [expected] == cells(ran.out)[capability.value]
    others = [name.value for name in Capability if name is not capability]
    assert [["-"]] * len(others) == [cells(ran.out)[name] for name in others]


def test_side_by_side(run: Any, report: Any) -> None:
    """Providers stand side by side, with verdict, fraction, contract and version below."""
    one = report(name="one", capabilities={Capability.HTML: Support()})
    other = json.loads(one.read_text(encoding="utf-8"))
    other["adapter"]["name"] = "other"
    two = one.with_name("two.json")
    two.write_text(json.dumps(other), encoding="utf-8")
    found = cells(run("matrix", "--markdown", one, two).out)
    assert [f"`{NAME}`", "`other`"] == found["capability"]
    assert found["send.html"] == ["yes", "yes"]
    assert [found["verdict"][0], found["checks that hold"][0]] == ["conformant", "2 of 2"]


def test_terminal(run: Any, report: Any) -> None:
    """In a terminal, the same stands in columns, with what the words mean."""
    ran = run("matrix", report(capabilities={Capability.CC: Support()}))
    assert "yes, FAILS: P92" in ran.out
    assert "not conformant" in ran.out
    assert LEGEND.split()[0] in ran.out


def test_same_adapter_twice(run: Any, report: Any) -> None:
    """Two reports of one release would be two truths."""
    path = report(capabilities={})
    ran = run("matrix", path, path)
    assert (ran.code, "only one of them" in ran.err) == (2, True)


def test_two_releases(run: Any, report: Any) -> None:
    """Two releases of one adapter are told apart by their versions."""
    one = report(name="one", capabilities={})
    other = json.loads(one.read_text(encoding="utf-8"))
    other["adapter"]["version"] = "2.0"
    one.with_name("two.json").write_text(json.dumps(other), encoding="utf-8")
    found = cells(run("matrix", "--markdown", one, one.with_name("two.json")).out)
    assert f"`{NAME} 2.0`" in found["capability"]


def test_part(run: Any, report: Any) -> None:
    """A part of the catalogue is no column."""
    ran = run("matrix", report("--only", "P90", capabilities={}))
    assert (ran.code, "part of the catalogue" in ran.err) == (2, True)


def test_forged(run: Any, report: Any) -> None:
    """A report whose verdict does not follow is refused."""
    path = report(capabilities={Capability.CC: Support()})
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**document, "verdict": "conformant"}), encoding="utf-8")
    ran = run("matrix", path)
    assert (ran.code, ran.out) == (2, "")
    assert "its checks say 'not_conformant'" in ran.err


def test_newer_capability(run: Any, report: Any) -> None:
    """A capability that this version does not know is shown as well."""
    path = report(capabilities={Capability.HTML: Support()})
    document = json.loads(path.read_text(encoding="utf-8"))
    document["capabilities"]["send.by_pigeon"] = document["capabilities"]["send.html"]
    path.write_text(json.dumps(document), encoding="utf-8")
    assert cells(run("matrix", "--markdown", path).out)["send.by_pigeon"] == ["yes, unproved"]
