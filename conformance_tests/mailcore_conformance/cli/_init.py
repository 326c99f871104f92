"""`mailcore-conformance init`: a new adapter to fill in."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from mailcore.cli._terminal import console
from mailcore_conformance._init import write_adapter

__all__ = ["init"]

EXAMPLES = """\b
For example:
  mailcore-conformance init acme                        writes ./mailcore-acme
  mailcore-conformance init amazon-ses --folder adapters/amazon-ses

\b
The package installs and runs as it is. It is for an invented JSON API; what only you know raises
NotImplementedError, and the suite leads from one such place to the next.
"""


@click.command(epilog=EXAMPLES)
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to write. [default: ./mailcore-NAME]")
def init(*, name: str, folder: Path | None) -> None:
    """Write the package of a new adapter for the provider NAME."""
    made = write_adapter(name, folder)
    screen = console()
    for path in made.files:
        screen.print(Text(path.as_posix(), style="dim"), soft_wrap=True)
    screen.print()
    where = "this folder" if made.folder == Path() else str(made.folder)
    screen.print(Text(f"The adapter {made.name} is in {where}. Next:", style="bold"), soft_wrap=True)
    for line in made.next_steps:
        screen.print(Text(f"  {line}"), soft_wrap=True)
