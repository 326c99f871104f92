"""What the reference says of benchmarks: the record that is kept, held against the goals."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

from _markdown import table

# The harness is in no distribution. Last on the path: mailcore is the installed one.
sys.path.append(str(Path(__file__).resolve().parent.parent))

from benchmarks.contest import Found
from benchmarks.curve import Growth
from benchmarks.goals import COUNTED, verdicts
from benchmarks.record import KEPT, Record
from benchmarks.units import formatter, seconds, times

__all__ = ["BENCHMARKS"]


@cache
def _kept() -> Record:
    return Record.from_json(KEPT.read_text(encoding="utf-8"))


def _image(name: str, words: str) -> str:
    return f"![{words}]({KEPT.parent.name}/{name}.svg)"


def circumstances(record: Record) -> str:
    """Write how the figures came about."""
    told = {
        **record.circumstances,
        "versions": ", ".join(f"{name} {it}" for name, it in record.versions.items()),
    }
    return table(
        ("what", "which"), ((name, f"`{it}`" if name == "command" else it) for name, it in told.items())
    )


def goals(record: Record) -> str:
    """Write each timed goal, and whether it is reached."""
    found = list(verdicts(record.contests))
    rows = [
        (
            str(verdict.goal.number),
            f"[{verdict.title}](#{verdict.goal.contest})",
            verdict.goal.against if verdict.goal.share else verdict.goal.of,
            str(verdict.goal),
            times(verdict.figure, "µs" if verdict.goal.pieces else "x"),
            "reached" if verdict.reached else "**missed**",
        )
        for verdict in found
    ]
    reached = sum(verdict.reached for verdict in found)
    header = ("goal", "work", "contender", "limit", "measured (half of the rounds)", "verdict")
    summary = f"{reached} of {len(found)} are reached."
    return "\n\n".join([summary, table(header, rows), _image("goals", "Each goal as the share of its limit")])


def counted(_: Record) -> str:
    """Write each goal that is counted, with the tests that count."""
    rows = [
        (
            "" if goal.number is None else str(goal.number),
            goal.promise,
            "<br>".join(f"`{test}`" for test in goal.tests),
        )
        for goal in COUNTED
    ]
    return table(("goal", "promise", "test"), rows)


def contests(record: Record) -> str:
    """Write what each contender costs, one heading for each contest."""
    return "\n\n".join(_contest(name, found) for name, found in record.contests.items())


def _contest(name: str, found: Found) -> str:
    floor = next(iter(found.rounds))
    rows = [
        (_label(each), seconds(found.spread(each).median), times(found.ratio(each, floor)))
        for each in found.rounds
    ]
    words = f"{found.title}: a bar for each contender"
    costs = table(("contender", "cost", f"times {floor}"), rows)
    return "\n\n".join([f"### {name}", f"{found.title}.", _image(name, words), costs])


def _label(name: str) -> str:
    return f"**{name}**" if "mailcore" in name else name


def growth(record: Record) -> str:
    """Write how cost grows, one heading for each curve."""
    return "\n\n".join(_curve(name, found) for name, found in record.curves.items())


def _curve(name: str, found: Growth) -> str:
    words = f"{found.title}: a line for each contender over the number of {found.x}"
    header = ("contender", *(f"{number:,}" for number in found.numbers), "order", "expected", "verdict")
    text = f"{found.title}: {found.y}, by {found.x}."
    return "\n\n".join([f"### {name}", text, _image(name, words), table(header, _lines(found))])


def _lines(found: Growth) -> Iterator[tuple[str, ...]]:
    written = formatter(found.y)
    for name, line in found.lines.items():
        expected = found.as_expected(name)
        verdict = "" if expected is None else "as expected" if expected else "**worse**"
        order = "" if line.order is None else f"{line.order:g}"
        yield _label(name), *map(written, line.medians()), f"{found.order(name):.2f}", order, verdict


#: Name of a generated part of the page → what writes it.
BENCHMARKS: Mapping[str, Callable[[], str]] = {
    "benchmark-circumstances": lambda: circumstances(_kept()),
    "benchmark-goals": lambda: goals(_kept()),
    "benchmark-counted": lambda: counted(_kept()),
    "benchmark-contests": lambda: contests(_kept()),
    "benchmark-growth": lambda: growth(_kept()),
}
