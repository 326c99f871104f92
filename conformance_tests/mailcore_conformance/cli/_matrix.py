"""`mailcore-conformance matrix`: providers side by side, from the reports of their runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from mailcore.cli._terminal import console, table
from mailcore_conformance._matrix import LEGEND, matrix_markdown
from mailcore_conformance._matrix import matrix as made_of
from mailcore_conformance._report_file import read_report

__all__ = ["matrix"]

EXAMPLES = """\b
For example:
  mailcore-conformance run mailpace --json mailpace.json
  mailcore-conformance matrix mailpace.json acme.json
  mailcore-conformance matrix reports/*.json --markdown > matrix.md

\b
What a provider declares is shown with what was proved of it, so only reports are read. Exit code 2:
a file is no report, contradicts itself, or is of a part of the catalogue.
"""


@click.command(epilog=EXAMPLES)
@click.argument("reports", metavar="REPORT.json...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown.")
def matrix(*, reports: Sequence[Path], as_markdown: bool) -> None:
    """Compare providers by what their adapters declare, and what was proved."""
    found = made_of([read_report(path) for path in reports])
    if as_markdown:
        click.echo(matrix_markdown(found), nl=False)
        return
    screen = console()
    screen.print(table(["Capability", *found.providers], found.capabilities))
    screen.print()
    screen.print(table(["", *found.providers], found.verdicts))
    screen.print()
    screen.print(LEGEND)
