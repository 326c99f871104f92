"""A report as people read it in a terminal.

Rule: only the JSON document is read, and its text can neither style nor steer the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mailcore.cli._terminal import printable, rows
from mailcore_conformance._report import Document, Status, Verdict
from mailcore_conformance._summary import (
    GROUPS,
    Finding,
    SectionCount,
    closing,
    exit_code,
    facts,
    findings,
    sections,
    unscored,
)

__all__ = ["show"]

Again = Callable[[str], Mapping[str, str]]

BAR = 20
#: So many checks with one reason are shown with their titles; of more, only the first.
MAX_TITLES = 4
MAX_REASON = 700
MAX_FOLLOWING = 120
_STYLES = {
    Status.ERROR: "bold magenta",
    Status.FAIL: "bold red",
    Status.BLOCKED: "yellow",
    Status.KNOWN_DEVIATION: "cyan",
}


def show(document: Document, screen: Console, *, again: Again = lambda _: {}) -> None:
    """
    Print a report: what was run, section by section, what does not hold, the verdict.

    Args:
        again: Id of a check → how to repeat it, each way under a word.
    """
    screen.print(rows(facts(document)))
    screen.print()
    screen.print(_sections(sections(document), screen))
    for finding in findings(document):
        screen.print()
        _print_finding(finding, again, screen)
    screen.print()
    good = "bold" if document["verdict"] == Verdict.PART.value else "bold green"
    style = "bold red" if exit_code(document) else good
    screen.print(Text(printable(closing(document)), style=style), soft_wrap=True)


def _sections(found: list[SectionCount], screen: Console) -> Table:
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column()
    made.add_column(justify="right")
    made.add_column(no_wrap=True)
    made.add_column(style="dim")
    full, empty = ("█", "░") if screen.encoding.startswith("utf") else ("#", ".")
    for one in found:
        made.add_row(Text(one.name), one.text, _bar(one, full, empty), ", ".join(one.notes))
    return made


def _bar(one: SectionCount, full: str, empty: str) -> Text:
    if not one.applicable:
        return Text("")
    filled = one.passed * BAR // one.applicable  # rounded down, so a single failure stays visible
    style = "green" if one.passed == one.applicable else "red"
    return Text.assemble((full * filled, style), (empty * (BAR - filled), "dim"))


def _print_finding(finding: Finding, again: Again, screen: Console) -> None:
    if finding.after:
        _print_following(finding, screen)
        return
    titled = finding.checks if len(finding.checks) <= MAX_TITLES else finding.checks[:1]
    for check in titled:
        screen.print(_headline(finding.status, check), soft_wrap=True)
    also = ", ".join(check["id"] for check in finding.checks[len(titled) :])
    ways = again(finding.lead["id"]) if finding.status in (Status.FAIL, Status.ERROR) else {}
    told = {"seen": _cut(finding.reason, MAX_REASON), **dict(finding.advice), "also": also, **ways}
    screen.print(Padding(rows(told), (0, 0, 0, 4)))


def _headline(status: Status, check: Mapping[str, Any]) -> Text:
    aside = unscored(check)
    return Text.assemble(
        (GROUPS[status], _STYLES[status]),
        "  ",
        (printable(check["id"]), "bold"),
        f"  {printable(check['title'])}",
        (f"  ({aside})" if aside else "", "dim"),
    )


def _print_following(finding: Finding, screen: Console) -> None:
    """Print a line for each reason of failures that may mend themselves with another."""
    heading = (GROUPS[finding.status], _STYLES[finding.status])
    screen.print(Text.assemble(heading, f"  {printable(finding.reason)}"), soft_wrap=True)
    reasons: dict[str, list[str]] = {}
    for check in finding.checks:
        reasons.setdefault(_cut(check["reason"], MAX_FOLLOWING), []).append(check["id"])
    for reason, ids in reasons.items():
        screen.print(Padding(Text(printable(reason)), (0, 0, 0, 4)))
        screen.print(Padding(Text(printable(", ".join(ids)), style="dim"), (0, 0, 0, 8)))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
