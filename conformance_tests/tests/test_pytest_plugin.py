"""The suite among an author's own tests: the same verdicts as the command's, and nothing left out."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from mailcore_conformance import ConformanceSuite, catalogue
from mailcore_conformance.suite import Outcome

# Each test is a pytest in a process of its own, most of whose seconds are its start.
pytestmark = pytest.mark.long

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

PLUGIN = """
from mailcore import hookimpl
from reference import REFERENCES

@hookimpl
def mailcore_register_adapters():
    return [REFERENCES["json"].spec]
"""

#: An author's file, with an adapter that drops what is a must, and checks made for this test.
FILE = """
import attrs

from gallery import host_of
from mailcore import Capability
from mailcore_conformance import Check, ConformanceSuite, Section, Weight, _check, _runner, catalogue
from mailcore_conformance._check import Failed, NotApplicable
from mailcore_conformance._contract import Contract
from reference import REFERENCES

def fails(_):
    raise Failed("It was seen not to hold.")

def means_nothing(_):
    raise NotApplicable("The adapter has no such thing.")

def made(check_id, run=lambda _: None, **fields):
    words = {"title": f"What {check_id} says holds.", "why": "Why.", "fix": "Mend the test."}
    return Check(**{"id": check_id, "section": Section.RESPONSES, "run": run, **words, **fields})

catalogue()
CHECKS = [CHECKS_HERE]
_check._CATALOGUE = {one.id: one for one in CHECKS}
catalogue.cache_clear()
SCORED = frozenset(one.id for one in CHECKS) - {"P96"}
_runner.contract = lambda: Contract(version="1.0", scored=SCORED)

class TestMine(ConformanceSuite):
    adapter = "reference-json"
    host = host_of(REFERENCES["json"].spec)
    deviations = DEVIATIONS
"""


_TESTED: dict[Any, Outcomes] = {}


@attrs.frozen
class Outcomes:
    """How pytest ended, and each test: how, and in which words."""

    code: int
    tests: dict[str, tuple[str, str]]
    out: str


@pytest.fixture
def tested(tmp_path: Path) -> Callable[..., Outcomes]:
    """Return a function that runs pytest in a process of its own, with the repository's own strictness."""

    def run(*arguments: str, cwd: Path = tmp_path) -> Outcomes:
        xml = tmp_path / "results.xml"
        place = os.pathsep.join([str(tmp_path), str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
        plugin = ["-p", "mailcore_conformance.pytest_plugin", "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), *plugin]
        done = subprocess.run(
            [*command, f"--junitxml={xml}", *arguments],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": place, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        return Outcomes(done.returncode, _results(xml), done.stdout + done.stderr)

    return run


def _results(xml: Path) -> dict[str, tuple[str, str]]:
    if not xml.exists():
        return {}
    found = {}
    for case in ET.parse(xml).iter("testcase"):  # noqa: S314  # reason: pytest has just written it
        child = next(iter(case), None)
        kind = "passed" if child is None else child.get("type") or child.tag
        text = "" if child is None else f"{child.get('message')}\n{child.text}"
        found[case.get("name", "")] = (kind.removeprefix("pytest."), text)
    return found


@pytest.fixture
def author(tmp_path: Path, tested: Any) -> Callable[..., Outcomes]:
    """Return a function that runs an author's file with these checks."""

    def run(checks: str, *arguments: str, deviations: str = "", more: str = "") -> Outcomes:
        tables = [
            f'[[deviation]]\nid = "{one}"\nreason = "It cannot."\nurl = "https://docs.example"\n'
            for one in deviations.split()
        ]
        (tmp_path / "known.toml").write_text("".join(tables))
        text = FILE.replace("CHECKS_HERE", checks).replace("DEVIATIONS", repr(str(tmp_path / "known.toml")))
        (tmp_path / "test_mine.py").write_text(text + more)
        key = (checks, arguments, deviations, more)
        if key not in _TESTED:  # each of them is a process
            _TESTED[key] = tested(str(tmp_path / "test_mine.py"), *arguments)
        return _TESTED[key]

    return run


ALL = """
    made("P90"),
    made("P91", fails),
    made("P92", means_nothing),
    made("P93", fails),
    made("P94"),
    made("P95", fails, weight=Weight.SHOULD),
    made("P96", fails),
    made("P97", lambda subject: subject.no_such_method),
    made("W10", fails, section=Section.EVENTS),
    made("W90", section=Section.EVENTS),
"""


class TestVerdicts:
    """One test for each check, and one for the verdict."""

    def test_each_status(self, author: Any) -> None:
        """A pass passes; what does not apply is skipped; a deviation and what does not count is expected."""
        ran = author(ALL, deviations="P93 P94")
        kinds = {name: kind for name, (kind, _) in ran.tests.items()}
        assert ran.code == 1
        assert kinds == {
            "test_check[P90]": "passed",
            "test_check[P91]": "failure",
            "test_check[P92]": "skip",
            "test_check[P93]": "xfail",
            "test_check[P94]": "failure",
            "test_check[P95]": "xfail",
            "test_check[P96]": "xfail",
            "test_check[P97]": "failure",
            "test_check[W10]": "failure",
            "test_check[W90]": "failure",
            "test_verdict": "failure",
        }

    def test_words(self, author: Any) -> None:
        """A test that fails says what was seen and what to do, and shows none of the suite's code."""
        ran = author(ALL, deviations="P93 P94")
        words = {name: text for name, (_, text) in ran.tests.items()}
        assert "It was seen not to hold." in words["test_check[P91]"]
        assert "Do: Mend the test." in words["test_check[P91]"]
        assert "mailcore-conformance explain P91" in words["test_check[P91]"]
        assert "The adapter has no such thing." in words["test_check[P92]"]
        assert "It cannot. https://docs.example" in words["test_check[P93]"]
        assert "no deviation any more" in words["test_check[P94]"]
        assert "good manners" in words["test_check[P95]"]
        assert "preview" in words["test_check[P96]"]
        assert "W10 fails" in words["test_check[W90]"]
        assert "is not conformant with contract 1.0" in words["test_verdict"]
        assert "suite.py" not in "".join(text for kind, (_, text) in ran.tests.items() if kind == "failure")
        assert "Traceback" not in ran.out
        assert "def test_check" not in ran.out

    def test_conformant(self, author: Any) -> None:
        """Where all holds, all pass."""
        ran = author('made("P90"), made("P92", means_nothing)')
        assert (ran.code, ran.tests["test_verdict"][0]) == (0, "passed")

    def test_nothing_applies(self, author: Any) -> None:
        """Skips alone are no success."""
        ran = author('made("P92", means_nothing)')
        assert (ran.code, ran.tests["test_verdict"][0]) == (1, "failure")
        assert "nothing that counts applies" in ran.tests["test_verdict"][1]

    def test_deselecting_changes_no_verdict(self, author: Any) -> None:
        """The verdict is that of the whole catalogue, whichever tests were left."""
        ran = author(ALL, "--deselect", "test_mine.py::TestMine::test_check", "-k", "verdict or P90")
        assert (ran.code, ran.tests["test_verdict"][0]) == (1, "failure")

    def test_selecting(self, author: Any) -> None:
        """One check alone can be run, and passes alone."""
        ran = author(ALL, "-k", "P90")
        assert (ran.code, ran.tests) == (0, {"test_check[P90]": ("passed", "")})


class TestOverriding:
    """An author cannot change a check, only explain a deviation."""

    @pytest.mark.parametrize("name", ["test_check", "test_verdict", "outcome", "pytest_generate_tests"])
    def test_is_refused(self, name: str) -> None:
        """A class that defines one of the suite's tests anew is no class."""
        with pytest.raises(TypeError, match=f"TestMine defines {name}, which belongs to the suite"):
            type("TestMine", (ConformanceSuite,), {name: None})

    def test_is_refused_in_pytest(self, author: Any) -> None:
        """So no test of such a file runs."""
        more = "\nclass TestYours(TestMine):\n    def test_verdict(self):\n        pass\n"
        ran = author('made("P90")', more=more)
        assert ran.code == 2
        assert "belongs to the suite" in ran.out

    def test_own_tests_beside(self, author: Any) -> None:
        """Tests of one's own may stand in the class."""
        more = "\nclass TestYours(TestMine):\n    def test_more(self):\n        pass\n"
        ran = author('made("P90")', more=more)
        assert (ran.code, ran.tests["test_more"][0]) == (0, "passed")


class TestRefusals:
    """What cannot be run fails once, in words."""

    def test_told_once(self, author: Any) -> None:
        """The first test says why; the others do not repeat it, and none passes."""
        more = '\nclass TestNone(ConformanceSuite):\n    adapter = "nobody"\n'
        ran = author('made("P90"), made("P91")', "-k", "TestNone", more=more)
        kinds = sorted(kind for kind, _ in ran.tests.values())
        assert (ran.code, kinds) == (1, ["failure", "skip", "skip"])
        assert "nobody" in "".join(text for kind, text in ran.tests.values() if kind == "failure")

    def test_no_name(self, author: Any) -> None:
        """Without a name, the test says where to put one."""
        more = "\nclass TestNone(ConformanceSuite):\n    pass\n"
        ran = author('made("P90")', "-k", "TestNone and verdict", more=more)
        assert (ran.code, "--mailcore-adapter=NAME" in ran.tests["test_verdict"][1]) == (1, True)

    def test_outcome(self) -> None:
        """A refusal is told by the first that reads it."""
        outcome = Outcome(refused="There is no kit.")
        with pytest.raises(pytest.fail.Exception, match=r"There is no kit\."):
            outcome.read()
        with pytest.raises(pytest.skip.Exception):
            outcome.read()


class TestOptions:
    """The command line of pytest."""

    @pytest.fixture
    def reference(self, tmp_path: Path) -> None:
        """Install the reference."""
        info = tmp_path / "acme_reference-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-reference\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[mailcore.plugins]\nacme = acme_reference\n")
        (tmp_path / "acme_reference.py").write_text(PLUGIN)

    @pytest.mark.usefixtures("reference")
    def test_without_a_file(self, tested: Any) -> None:
        """`pytest --pyargs mailcore_conformance.suite` runs every check on the adapter that is named."""
        ran = tested("--pyargs", "mailcore_conformance.suite", "--mailcore-adapter=reference-json")
        expected = {*(f"test_check[{one}]" for one in catalogue()), "test_verdict"}
        assert expected == set(ran.tests), ran.out
        assert "error" not in {kind for kind, _ in ran.tests.values()}

    @pytest.mark.usefixtures("reference")
    def test_kit_and_deviations(self, tested: Any, tmp_path: Path) -> None:
        """The other options name a kit, and what is known to fail."""
        (tmp_path / "known.toml").write_text("[[deviations]]\n")
        arguments = (
            "--pyargs",
            "mailcore_conformance.suite",
            "--mailcore-adapter=reference_json",
            "-kverdict",
        )
        ran = tested(*arguments, "--mailcore-deviations=known.toml")
        assert "known.toml: there is no 'deviations' here" in ran.tests["test_verdict"][1]
        ran = tested(*arguments, "--mailcore-kit=none.py:KIT")
        assert "There is no file none.py" in ran.tests["test_verdict"][1]

    def test_help(self, tested: Any) -> None:
        """Pytest --help has the options."""
        out = tested("--help").out
        assert [f"--mailcore-{name}" in out for name in ("adapter", "kit", "deviations")] == [True] * 3


def test_plugin_imports_nothing() -> None:
    """Loading the plugin, as every pytest does where it is installed, imports pytest and nothing more."""
    program = (
        "import sys, pytest; before = set(sys.modules); import mailcore_conformance.pytest_plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["mailcore_conformance", "mailcore_conformance.pytest_plugin"]
