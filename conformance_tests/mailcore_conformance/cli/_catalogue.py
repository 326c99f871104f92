"""`mailcore-conformance list` and `explain`: which checks there are, and what each wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from rich.padding import Padding
from rich.text import Text

from mailcore.cli._terminal import console, print_json, rows, table
from mailcore_conformance._check import Check, Section, Weight, catalogue
from mailcore_conformance._contract import CONTRACT, contract
from mailcore_conformance._explanation import explained
from mailcore_conformance._report import counts_for_verdict
from mailcore_conformance._selection import of_section, selected

__all__ = ["explain", "list_checks"]

LIST_EXAMPLES = """\b
For example:
  mailcore-conformance list
  mailcore-conformance list --section signatures
  mailcore-conformance list --json                with why each matters, and what to do

\b
scored: counts for the verdict.  preview: newer than the contract, shown and not scored.
manners: shown and never scored.
"""

EXPLAIN_EXAMPLES = """\b
For example:
  mailcore-conformance explain B10.cc
  mailcore-conformance explain W03 W04
  mailcore-conformance explain B10                each check of a family
  mailcore-conformance explain --all
"""


@click.command("list", epilog=LIST_EXAMPLES)
@click.option(
    "--section", type=click.Choice([section.value for section in Section]), metavar="SECTION",
    help=f"Only these: {', '.join(section.value for section in Section)}.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_checks(*, section: str | None, as_json: bool) -> None:
    """List the checks."""
    found = of_section(None if section is None else Section(section))
    if as_json:
        print_json({"contract": CONTRACT, "checks": [_document(check) for check in found]})
        return
    lines = [[check.id, check.title, check.capability or "", _counts(check)] for check in found]
    console().print(table(["Check", "What must hold", "Capability", "Counts"], lines))


def _document(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "title": check.title,
        "section": check.section.value,
        "capability": None if check.capability is None else check.capability.value,
        "counts": _counts(check),
        "why": check.why,
        "fix": check.fix,
        "spec": check.spec,
    }


def _counts(check: Check) -> str:
    if counts_for_verdict(check, contract().scored):
        return "scored"
    return "manners" if check.weight is Weight.SHOULD else "preview"


@click.command(epilog=EXPLAIN_EXAMPLES)
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Explain every check.")
def explain(*, ids: Sequence[str], everything: bool) -> None:
    """Say what a check wants, why, and what to do where it fails."""
    if bool(ids) == everything:
        raise click.UsageError("Name the checks to explain, or give --all.")
    screen = console()
    for check in catalogue().values() if everything else selected(ids):
        screen.print(Text.assemble((check.id, "bold"), f"  {check.title}"), soft_wrap=True)
        screen.print(Padding(rows(explained(check)), (0, 0, 1, 4)))
