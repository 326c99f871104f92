"""The benchmarks say what they found: their judgement, their page, and one short run."""

from __future__ import annotations

import ast
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.__main__ import main
from benchmarks.contest import Contest, Found, Spread
from benchmarks.curve import Curve, Growth, Line, Series
from benchmarks.goals import COUNTED, TIMED, Counted, Timed, verdicts
from benchmarks.names import MAPPED
from benchmarks.plots import plots
from benchmarks.record import KEPT, Record

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
WRITE = "python benchmarks --write-docs --from docs/reference/benchmarks/result.json"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def kept() -> Record:
    """Return the record that the page is made of."""
    return Record.from_json(KEPT.read_text(encoding="utf-8"))


class TestContest:
    """Figures of contenders."""

    def test_in_turn(self) -> None:
        """Each is measured once a round, and nobody is always first."""
        order: list[str] = []

        def meter(name: str) -> Callable[[], float]:
            def measure() -> float:
                order.append(name)
                return 1.0

            return measure

        told: list[float] = []
        Contest(title="t", contenders={"a": meter("a"), "b": meter("b")}).run(2, told.append)
        assert order == ["a", "b", "b", "a"]
        assert math.isclose(sum(told), 1)

    def test_ratio_is_of_rounds(self) -> None:
        """What slows a whole round down changes no ratio, as it would one of medians."""
        found = Found(title="t", rounds={"ours": [2, 20, 200], "theirs": [1, 10, 100]})
        assert found.ratio("ours", "theirs") == Spread(2, 2, 2)

    def test_spread(self) -> None:
        """The quartiles are on both sides of the median."""
        assert Spread.of([5, 1, 2, 3, 4]) == Spread(3, 2, 4)


class TestCurve:
    """Measured orders."""

    def growth(self, figures: Sequence[float], order: float, *, more_is_better: bool = False) -> Growth:
        """Return a curve over 1, 10, 100 and 1000."""
        line = Line(order=order, figures=[[figure] for figure in figures])
        numbers = [10**power for power in range(len(figures))]
        return Growth(
            title="t", x="x", y="y", more_is_better=more_is_better, numbers=numbers, lines={"a": line}
        )

    @pytest.mark.parametrize(
        "figures, order", [([5, 5, 5, 5], 0), ([9, 9, 10, 100], 1), ([1, 100, 10_000, 1_000_000], 2)]
    )
    def test_order(self, figures: Sequence[float], order: float) -> None:
        """The slope of the larger half is the order, whatever is paid once."""
        assert math.isclose(self.growth(figures, 0).order("a"), order, abs_tol=1e-9)

    def test_verdict(self) -> None:
        """A cost may grow slower than expected, and a rate faster; not the other way round."""
        quadratic, linear = [1, 100, 10_000], [1, 10, 100]
        assert self.growth(quadratic, 1).as_expected("a") is False
        assert self.growth(linear, 1).as_expected("a") is True
        assert self.growth(linear, 2).as_expected("a") is True
        assert self.growth(linear, 2, more_is_better=True).as_expected("a") is False

    def test_run(self) -> None:
        """Each line has the figures of each round, for each number, and survives its file."""
        series = {"a": Series(meter=lambda number: lambda: 3.0 * number, order=1)}
        curve = Curve(title="t", x="x", y="y", numbers=(1, 2, 4), series=series)
        found = curve.run(2, lambda _: None)
        assert found.lines["a"].figures == [[3, 3], [6, 6], [12, 12]]
        text = Record(circumstances={}, versions={}, contests={}, curves={"c": found}).to_json()
        assert Record.from_json(text).to_json() == text


class TestGoals:
    """What is held against what."""

    @pytest.mark.parametrize(
        "goal, rounds, reached",
        [
            (Timed(number=1, contest="c", of="a", against="b", limit=2), {"a": [2, 2], "b": [1, 1]}, True),
            (Timed(number=1, contest="c", of="a", against="b", limit=2), {"a": [3, 3], "b": [1, 1]}, False),
            (
                Timed(number=1, contest="c", of="a", against="b", limit=0.5, share=True),
                {"a": [1, 1], "b": [3, 3]},
                False,
            ),
            (
                Timed(number=1, contest="c", of="a", against="b", limit=2, pieces=10),
                {"a": [30e-6, 30e-6], "b": [5e-6, 5e-6]},
                False,
            ),
        ],
        ids=["reached", "missed", "share", "pieces"],
    )
    def test_reached(self, goal: Timed, rounds: dict[str, list[float]], *, reached: bool) -> None:
        """A goal is reached where its figure keeps to the limit."""
        assert goal.reached(goal.figure(Found(title="t", rounds=rounds))) is reached

    def test_all_are_measured(self, kept: Record) -> None:
        """The page's run has every contest that a goal is about, and every contender."""
        assert len(list(verdicts(kept.contests))) == len(TIMED)

    @pytest.mark.parametrize("goal", COUNTED, ids=lambda goal: goal.tests[0].rpartition("::")[2])
    def test_counted_have_tests(self, goal: Counted) -> None:
        """Each goal that is counted names tests that are there."""
        for test in goal.tests:
            path, *names = test.split("::")
            found: ast.AST = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            for name in names:
                kinds = (ast.ClassDef, ast.FunctionDef)
                inside = {node.name: node for node in ast.iter_child_nodes(found) if isinstance(node, kinds)}
                found = inside[name]


class TestPage:
    """What is kept of the run in the documentation."""

    def test_record_is_read_as_written(self, kept: Record) -> None:
        """A record survives its file."""
        assert kept.to_json() == KEPT.read_text(encoding="utf-8")

    def test_plots_are_current(self, kept: Record) -> None:
        """Each plot is what the record gives, and no other lies there."""
        found = {path.name: path.read_text(encoding="utf-8") for path in KEPT.parent.glob("*.svg")}
        assert found == plots(kept), f"Run: {WRITE}"

    def test_plots_can_be_read_by_everyone(self, kept: Record) -> None:
        """Each has a title and a description, and colours for a dark page."""
        for text in plots(kept).values():
            root = ET.fromstring(text)  # noqa: S314  # reason: our own
            assert root.get("role") == "img"
            assert root.get("aria-labelledby") == "title description"
            assert [root.find(f"{SVG}{name}").text != "" for name in ("title", "desc")] == [True, True]
            assert "prefers-color-scheme: dark" in text

    def test_labels_fit(self, kept: Record) -> None:
        """No label of a bar begins left of the image."""
        for name, text in plots(kept).items():
            labels = re.findall(r'text-anchor="end">([^<]+)<', text)
            assert max(map(len, labels), default=0) <= 46, name

    def test_page_names_no_machine(self, kept: Record) -> None:
        """The command of the record is one that anybody can type."""
        assert "/" not in kept.circumstances["command"]


class TestCommand:
    """The command, in a process of its own: it configures Django."""

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Start it."""
        command = [sys.executable, str(ROOT / "benchmarks"), *arguments]
        return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)

    @pytest.mark.loopback
    def test_short_run(self, tmp_path: Path) -> None:
        """Two rounds of a contest are measured, kept and held against the goals."""
        file = tmp_path / "run.json"
        done = self.run("--only", "making-minimal", "--rounds", "2", "--json", str(file))
        record = Record.from_json(file.read_text(encoding="utf-8"))
        (found,) = record.contests.values()
        assert {len(rounds) for rounds in found.rounds.values()} == {2}
        assert min(min(rounds) for rounds in found.rounds.values()) > 0
        reached = [verdict.reached for verdict in verdicts(record.contests)]
        assert len(reached) == 2
        assert done.returncode == (0 if all(reached) else 1)

    def test_missed_goal_is_an_exit_code(
        self, tmp_path: Path, kept: Record, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A record that misses a goal is told to, and ends with 1; one that reaches all, with 0."""
        document = json.loads(kept.to_json())
        contest = document["contests"]["making-minimal"]["rounds"]
        document.update(contests={"making-minimal": {"title": "t", "rounds": contest}}, curves={})
        for cost, code in ((1e-9, 0), (1.0, 1)):
            contest[MAPPED] = [cost] * len(contest[MAPPED])
            (tmp_path / "run.json").write_text(json.dumps(document), encoding="utf-8")
            assert main(["--from", str(tmp_path / "run.json")]) == code
            assert ("missed" in capsys.readouterr().out) is bool(code)

    @pytest.mark.parametrize(
        "content, said", [(None, "cannot be read"), ("{", "is not what --json"), ("{}", "is not what --json")]
    )
    def test_no_record(self, tmp_path: Path, content: str | None, said: str) -> None:
        """A file that is no record is named."""
        file = tmp_path / "run.json"
        if content is not None:
            file.write_text(content, encoding="utf-8")
        with pytest.raises(SystemExit, match=f"{file}.* {said}"):
            main(["--from", str(file)])

    def test_profile(self) -> None:
        """A profile names the functions of mailcore, and says nothing of where they are installed."""
        done = self.run("--profile", "making-minimal")
        assert done.returncode == 0
        assert " mailcore/_message.py:" in done.stdout
        assert str(ROOT) not in done.stdout

    def test_unknown_name(self) -> None:
        """A name that nothing has is told, with the way out."""
        done = self.run("--only", "everything")
        assert (done.returncode, done.stdout) == (1, "")
        assert "nothing is called everything; --list has the names" in done.stderr
