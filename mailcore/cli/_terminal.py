"""What people and programs see.

Rule 1: with --json, one JSON document is all there is on standard output.
Rule 2: text from mail and providers is text: it can neither style nor steer the terminal.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TextIO, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["console", "logs_on_stderr", "one_line", "print_json", "printable", "quiet", "rows", "table"]

#: Wide enough for a line of a table; a file or a pipe has no edge to wrap at.
PIPE_WIDTH = 200

_BLANKS = re.compile(" +$", re.MULTILINE)
# Control characters steer terminals; bidirectional ones make text read as another.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def console() -> Console:
    """Return where to print: plain and unwrapped where it is no terminal."""
    if sys.stdout.isatty():
        return Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    plain = cast("TextIO", _Trimmed(sys.stdout))
    return Console(file=plain, width=PIPE_WIDTH, highlight=False, markup=False, emoji=False)


class _Trimmed:
    """Write to a stream without the blanks that tables fill their lines with."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(_BLANKS.sub("", text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def printable(text: str) -> str:
    """Return text without characters that would steer the terminal."""
    return _STEERING.sub("\ufffd", text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """Return text on one line, and without what would steer the terminal."""
    return printable(" ".join(text.split()))


def print_json(document: Any) -> None:
    """Print the one document of `--json`."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(document, indent=2, ensure_ascii=not unicode))


def table(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> Table:
    """Return a table of plain text."""
    made = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for line in lines:
        made.add_row(*(Text(printable(cell)) for cell in line))
    return made


def rows(pairs: Mapping[str, str | None]) -> Table:
    """Return names and values as two columns; what has no value is left out."""
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs.items():
        if value:
            made.add_row(name, Text(printable(value)))
    return made


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"mailcore: {record.levelname.lower()}: {one_line(record.getMessage())}"


class _Stderr(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)


@contextmanager
def logs_on_stderr() -> Iterator[None]:
    """Show the library's warnings, one line each and without tracebacks, while a command runs."""
    handler = _Stderr(logging.WARNING)
    handler.setFormatter(_OneLine())
    logger = logging.getLogger("mailcore")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@contextmanager
def quiet(name: str) -> Iterator[None]:
    """Silence one logger where the command itself says what it would say."""
    logger = logging.getLogger(name)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
