"""A text with `{placeholders}`, each the name of a column.

Rule 1: what looks like a placeholder is one, or an error; a typo is never sent.
Rule 2: what else stands in braces stays as it is: style sheets, and what providers fill in themselves
        (`{{unsubscribe}}`).
Rule 3: what is filled in is text: no placeholder is looked for in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping

import attrs
import click

from mailcore._nearest import did_you_mean

__all__ = ["Template"]

_BRACED = re.compile(r"(\{+)([^{}]*)(\}+)")
#: What no style sheet has between braces.
_NAME = re.compile(r"[^:;\"\r\n]+")


@attrs.frozen
class Template:
    """
    A text to be filled.

    Attributes:
        pieces: Literal text, each with the column that comes after it, or None.
    """

    pieces: tuple[tuple[str, str | None], ...]

    @classmethod
    def parse(cls, text: str, columns: Collection[str], *, where: str) -> Template:
        """
        Return the template that `text` is.

        Args:
            where: What it is, for errors: `--subject`.

        Raises:
            click.UsageError: A placeholder that is no column.
        """
        return cls(tuple(_pieces(text, columns, where)))

    @classmethod
    def of_column(cls, column: str) -> Template:
        """Return what is filled with the whole of one cell."""
        return cls((("", column),))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is filled from, in order."""
        return tuple(column for _, column in self.pieces if column is not None)

    def fill(self, cells: Mapping[str, str], written: Callable[[str], str] = str) -> str:
        """
        Return the text with the cells of one row.

        Args:
            written: How a cell is written into the text; as it is, unless given.
        """
        return "".join(
            text if column is None else text + written(cells[column]) for text, column in self.pieces
        )


def _pieces(text: str, columns: Collection[str], where: str) -> Iterator[tuple[str, str | None]]:
    begin = 0
    for found in _BRACED.finditer(text):
        column = _column(found, columns, where)
        if column is not None:
            yield text[begin : found.start()], column
            begin = found.end()
    yield text[begin:], None


def _column(found: re.Match[str], columns: Collection[str], where: str) -> str | None:
    opening, inner, closing = found.groups()
    inner = inner.strip()
    name, single = inner.lower(), len(opening) == len(closing) == 1
    if name in columns:
        if single:
            return name
        raise click.UsageError(
            f"{where} holds {found.group()}. A placeholder has single braces: {{{inner}}}."
        )
    if single and _NAME.fullmatch(inner):
        raise click.UsageError(
            f"{where} holds {{{inner}}}, and there is no such column.{did_you_mean(name, columns)} "
            f"Columns: {', '.join(columns)}."
        )
    return None
