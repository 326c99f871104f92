"""The options of `mailcore send` that make a list of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import attrs
import click

from mailcore.cli._eml import MailFiles
from mailcore.cli._entry import Source
from mailcore.cli._letter import Letter
from mailcore.cli._message import OPTIONS
from mailcore.cli._rows import open_rows

__all__ = ["ListOptions", "list_options"]

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--csv", metavar="FILE", help="Send one mail for each row; - is standard input."),
    click.option(
        "--delimiter",
        metavar="CHARACTER",
        help="What separates the cells: one character, or tab. [default: ,]",
    ),
    click.option(
        "--eml",
        metavar="PATH",
        multiple=True,
        help="Send the mail that stands in a file, or those in a folder's files *.eml; repeat it for more.",
    ),
    click.option("--results", metavar="FILE", help="Write how each mail of a list ended: JSON, a line each."),
    click.option("--resume", is_flag=True, help="Go on with the run whose --results FILE there is."),
    click.option(
        "--concurrency",
        metavar="N",
        type=click.IntRange(1, 64),
        help="Requests that are under way at once. [default: 8]",
    ),
)


def list_options(command: F) -> F:
    """Give a command the options that make a list of what it sends."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@attrs.frozen(kw_only=True)
class ListOptions:
    """
    What the command line says of a list.

    Raises:
        click.UsageError: It says two things at once, or says how to send a list, and of none.
    """

    csv: str | None = None
    delimiter: str | None = None
    eml: tuple[str, ...] = ()
    results: str | None = None
    resume: bool = False
    concurrency: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.csv is not None and self.eml:
            raise click.UsageError("--csv and --eml exclude each other: give one.")
        if self.delimiter is not None and self.csv is None:
            raise click.UsageError("--delimiter is of --csv. Give --csv as well.")
        given = [name for name in ("results", "resume", "concurrency") if getattr(self, name)]
        if given and not self.is_given:
            raise click.UsageError(f"--{given[0]} is of a list. Give --csv or --eml as well.")
        if self.resume and self.results is None:
            raise click.UsageError("--resume goes on with the run of a file. Give --results FILE as well.")

    @property
    def is_given(self) -> bool:
        """Whether there is a list."""
        return self.csv is not None or bool(self.eml)

    @contextmanager
    def source(self, fields: Mapping[str, Any]) -> Iterator[Source]:
        """
        Open the list.

        Args:
            fields: What the options hold that make a message.

        Raises:
            click.UsageError: It cannot be read, or does not go with those options.
        """
        if self.csv is None:
            for name, option in OPTIONS.items():
                if fields.get(name):
                    raise click.UsageError(f"{option} does not go with --eml: the mail is sent as it stands.")
            yield MailFiles(self.eml)
            return
        if self.csv == "-" in (fields["text"], fields["html"]):
            raise click.UsageError("Only one of --csv, --text and --html can be read from standard input.")
        with open_rows(self.csv, delimiter=self.delimiter or ",") as rows:
            yield Letter(fields, rows)
