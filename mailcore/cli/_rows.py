"""The rows of a CSV file, one at a time.

Rule 1: nothing is guessed: what is no UTF-8, no CSV, or has a row of another length is refused by its row.
Rule 2: no more is held than one row, which is bounded, whatever the file holds.
"""

from __future__ import annotations

import csv
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

import attrs
import click

__all__ = ["Row", "Rows", "open_rows"]

#: Characters of a row; the module `csv` has a limit for each cell, 131,072.
MAX_ROW = 4 * 1024 * 1024

#: What is hard to type in a shell.
_NAMED = {"tab": "\t", "\\t": "\t"}


@attrs.frozen
class Row:
    """
    One row.

    Attributes:
        number: As a spreadsheet counts: the header is row 1, and blank rows count.
        cells: Column → cell.
    """

    number: int
    cells: Mapping[str, str]


class Rows:
    """
    Read a CSV file with a header; iterate, as often as needed, for its rows.

    Names of columns are compared without regard to case. Rows without anything in them are skipped.

    Args:
        file: It stays open, and can be read from its beginning again.
        name: What it is called.
        delimiter: One character, or `tab`.

    Raises:
        click.UsageError: It is no such file; while iterating, a row cannot be read.
    """

    def __init__(self, file: BinaryIO, *, name: str, delimiter: str = ",") -> None:
        self.name = name
        self._file = file
        self._delimiter = _NAMED.get(delimiter.lower(), delimiter)
        if len(self._delimiter) != 1 or self._delimiter in '"\r\n':
            raise click.UsageError(f"--delimiter is one character, or tab, not {delimiter!r}.")
        _, header = next(self._records(), (0, []))
        self._header = [name.strip().lower() for name in header]
        self.columns = tuple(filter(None, self._header))
        self._check_header()

    def _check_header(self) -> None:
        if not self.columns:
            raise click.UsageError(f"{self.name} is empty. Its first row names the columns.")
        twice = next((name for name in self.columns if self.columns.count(name) > 1), None)
        if twice is not None:
            raise click.UsageError(f"{self.name} has two columns {twice!r}. Rename one.")
        for other in ";\t,":
            if len(self._header) == 1 and other in self._header[0]:
                shown = "tab" if other == "\t" else f"'{other}'"
                raise click.UsageError(f"{self.name} has one column only. Give --delimiter {shown}.")

    def __iter__(self) -> Iterator[Row]:
        records = self._records()
        next(records)
        for number, cells in records:
            if len(cells) != len(self._header):
                raise click.UsageError(
                    f"Row {number} has {len(cells)} cells, and the header {len(self._header)}. A cell that "
                    f"holds the delimiter or a quote stands in quotes."
                )
            named = zip(self._header, cells, strict=True)
            yield Row(number, {name: cell for name, cell in named if name})

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield every row that holds something, the header included, with its number."""
        # A descriptor of its own, so that it can be closed whenever nobody wants more rows.
        with os.fdopen(os.dup(self._file.fileno()), encoding="utf-8-sig", newline="") as text:
            text.seek(0)
            lines = _Lines(text)
            reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
            while (cells := self._next(reader, lines)) is not None:
                if any(cell.strip() for cell in cells):
                    yield lines.row, cells

    def _next(self, reader: Iterator[list[str]], lines: _Lines) -> list[str] | None:
        lines.begin_row()
        try:
            return next(reader, None)
        except UnicodeDecodeError:
            why = 'It is not UTF-8. Save the file as "CSV UTF-8", or convert it.'
        except csv.Error as error:
            why = f"{error}. Is a quote not closed, or one within a cell not doubled?"
        except _TooLong as error:
            why = str(error)
        raise click.UsageError(f"Row {lines.row} of {self.name} cannot be read: {why}")


class _TooLong(Exception):
    """What one row may hold is exceeded."""


class _Lines:
    """Hand over lines, and no more of them for one row than it may hold."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._left = 0
        self.row = 0

    def begin_row(self) -> None:
        self.row += 1
        self._left = MAX_ROW

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(self._left + 1):
            self._left -= len(line)
            if self._left < 0:
                raise _TooLong(f"It has more than {MAX_ROW} characters. Is a quote not closed?")
            if "\0" in line:
                raise _TooLong('It holds a NUL, as UTF-16 does. Save the file as "CSV UTF-8".')
            yield line


@contextmanager
def open_rows(path: str, *, delimiter: str = ",") -> Iterator[Rows]:
    """
    Open a CSV file; `-` is standard input.

    Raises:
        click.UsageError: It cannot be read, or is no such file.
    """
    with ExitStack() as stack:
        try:
            file = sys.stdin.buffer if path == "-" else stack.enter_context(Path(path).open("rb"))
            if path == "-" or not file.seekable():
                file = stack.enter_context(_copied(file))  # it can be read only once
        except OSError as error:
            raise click.UsageError(f"{path!r} cannot be read: {error.strerror or error}.") from None
        yield Rows(file, name="standard input" if path == "-" else path, delimiter=delimiter)


def _copied(file: BinaryIO) -> BinaryIO:
    copy = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115  # reason: the caller closes it
    shutil.copyfileobj(file, copy)
    copy.flush()  # it is read by its descriptor
    return copy
