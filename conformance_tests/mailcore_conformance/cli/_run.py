"""`mailcore-conformance run`: prove one adapter.

Rule: what goes to a file or to standard output is made of the one JSON document.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from mailcore.cli._terminal import console
from mailcore_conformance._check import Check, catalogue
from mailcore_conformance._markdown import markdown
from mailcore_conformance._report import Document
from mailcore_conformance._selection import selected
from mailcore_conformance._summary import exit_code
from mailcore_conformance._target import find
from mailcore_conformance._terminal import show
from mailcore_conformance.cli._exit import ExitCode, complain

__all__ = ["run"]

STDOUT = "-"

EXAMPLES = """\b
For example:
  mailcore-conformance run mailpace
  mailcore-conformance run acme --plugin ./mailcore-acme     a package that is not installed
  mailcore-conformance run acme --only B10.cc --only W03     some checks; B10 means each B10.
  mailcore-conformance run acme --repro                      how to repeat each failure alone
  mailcore-conformance run acme --json report.json --markdown report.md
  mailcore-conformance run acme --kit tests/kit.py:KIT       a kit the adapter does not name

\b
A kit is what an adapter's author supplies: settings, a way to sign, and genuine samples. An adapter
names its own in AdapterSpec.conformance_kit.

\b
Exit code 0: all holds, but for known deviations. 1: something does not. 2: refused, nothing was shown.
A part of the catalogue (--only) ends with 0 where no check of it fails, and is no proof of the whole.
"""


@click.command("run", epilog=EXAMPLES)
@click.argument("name")
@click.option("--kit", metavar="PLACE", help="The kit: path.py:NAME or package.module:NAME.")
@click.option("--plugin", metavar="FOLDER", help="Take the adapter from this folder with a pyproject.toml.")
@click.option("--only", metavar="ID", multiple=True, help="Run this check or family; repeat it for more.")
@click.option(
    "--deviations", metavar="FILE",
    help="What is known to fail, and why. [default: deviations.toml beside the kit's folder]",
)  # fmt: skip
@click.option("--repro", is_flag=True, help="Say how to repeat each failure alone.")
@click.option("--json", "json_file", metavar="FILE", help="Write the report as JSON; - is standard output.")
@click.option(
    "--markdown", "markdown_file", metavar="FILE", help="Write the report as Markdown; - is standard output."
)
def run(
    *,
    name: str,
    kit: str | None,
    plugin: str | None,
    only: Sequence[str],
    deviations: str | None,
    repro: bool,
    json_file: str | None,
    markdown_file: str | None,
) -> int:
    """Run every check on the adapter NAME, and say what holds."""
    if json_file is not None and json_file == markdown_file:
        where = "Standard output" if json_file == STDOUT else json_file
        raise click.UsageError(f"{where} can hold one document: --json or --markdown.")
    target = find(name, kit=kit, plugin=plugin, deviations=deviations)
    checks = selected(only)
    with _opened(json_file) as json_to, _opened(markdown_file) as markdown_to:
        with _progress(len(checks) or len(catalogue())) as step:
            document = target.run([check.id for check in checks], progress=step).document()
        if json_to is not None:
            json_to.write(_json(document, json_to))
        if markdown_to is not None:
            markdown_to.write(markdown(document))
    taken = STDOUT in (json_file, markdown_file)
    if repro or not taken:
        show(document, _screen(taken=taken), again=target.again if repro else lambda _: {})
    code = exit_code(document)
    if code == ExitCode.REFUSED:
        complain(_nothing(document))
    return code


@contextmanager
def _opened(place: str | None) -> Iterator[TextIO | None]:
    """Open a file before anything is run: what it held before is no report of this run."""
    if place is None:
        yield None
    elif place == STDOUT:
        yield sys.stdout
    else:
        try:
            with Path(place).open("w", encoding="utf-8") as file:
                yield file
        except OSError as error:
            # A full disk shows only at the end, and without the name.
            error.filename = error.filename or place
            raise


def _screen(*, taken: bool) -> Console:
    return Console(stderr=True, highlight=False, markup=False, emoji=False) if taken else console()


def _json(document: Document, file: TextIO) -> str:
    unicode = (file.encoding or "").lower().replace("-", "") == "utf8"
    return json.dumps(document, indent=2, ensure_ascii=not unicode) + "\n"


def _nothing(document: Document) -> str:
    if document["whole"]:
        return "Nothing that counts applies to this adapter, so nothing was shown."
    reasons = dict.fromkeys(f"{check['id']}: {check['reason']}" for check in document["checks"])
    return " ".join(["Nothing that was asked for applies to this adapter.", *list(reasons)[:3]])


@contextmanager
def _progress(total: int) -> Iterator[Callable[[Check], object] | None]:
    """Show how far it is, on a terminal, and leave nothing of it there."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda check: progress.update(task, advance=1, description=check.section.value)
