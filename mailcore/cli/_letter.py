"""The mails that options and the rows of a CSV file make together.

Rule 1: an option is a template, filled row by row; a column named like an option (`to`, `subject`) gives it
        where the option itself is not given. `name` is the name of whoever the column `to` holds.
Rule 2: what a cell holds is data: it is escaped in HTML, is no template, and is one address at most.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import attrs
import click

from mailcore._address import Address
from mailcore._characters import check_label, check_line
from mailcore._message import Message
from mailcore.cli._entry import Entry
from mailcore.cli._message import given_fields, in_options
from mailcore.cli._rows import Row, Rows
from mailcore.cli._template import Template

__all__ = ["Letter"]

#: Field → the columns it may come from; an option is spelled like the first one.
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "from_": ("from",),
    "reply_to": ("reply-to", "reply_to"),
    "tags": ("tag",),
    "idempotency_key": ("idempotency-key", "idempotency_key"),
    **{name: (name,) for name in ("to", "cc", "bcc", "subject", "text", "html")},
}
_ADDRESSES = ("from_", "to", "cc", "bcc", "reply_to")
_BODIES = ("text", "html")
#: The column that holds the names of those in the column `to`.
_NAME = "name"


@attrs.frozen
class _Part:
    """
    One value of the mail.

    Attributes:
        where: What gives it: `--subject`, or `column 'subject'`.
        is_column: Whether it is the whole of one cell.
    """

    where: str
    template: Template
    is_column: bool = False

    def line(self, row: Row) -> str:
        """Return it for one row; whatever makes it more than one line is refused by its column."""
        for column in self.template.columns:
            check_line(row.cells[column], field=f"column {column!r}")
        return self.template.fill(row.cells).strip()

    def text(self, row: Row) -> str:
        return self.template.fill(row.cells)

    def markup(self, row: Row) -> str:
        """Return it for one row as HTML; a column of HTML is HTML already."""
        return self.template.fill(row.cells, str if self.is_column else html.escape)

    def address(self, row: Row, name: str = "") -> Address | None:
        """Return the one address it is for one row; None where there is none."""
        line = self.line(row)
        found = Address.parse(line, field=self.where) if line else None
        return Address(found.addr_spec, name) if found and name and not found.display_name else found


class Letter:
    """
    Make one message for each row; iterate for them.

    Args:
        fields: What the options of `mailcore send` hold.

    Raises:
        click.UsageError: A placeholder that is no column, or nothing that says whom to write to.
    """

    def __init__(self, fields: Mapping[str, Any], rows: Rows) -> None:
        self._rows = rows
        given = given_fields(fields)
        self._attachments = given.pop("attachments", [])
        self._headers = {
            name: self._option(value, f"--header {name}") for name, value in given.pop("headers", {}).items()
        }
        self._parts = {field: self._found(field, given.get(field)) for field in _COLUMNS}
        if not any(self._parts[field] for field in ("to", "cc", "bcc")):
            raise click.UsageError(
                "Nothing says whom to write to. Name the column of addresses 'to', or give --to '{column}'. "
                f"Columns: {', '.join(rows.columns)}."
            )

    def _found(self, field: str, given: str | Iterable[str] | None) -> list[_Part]:
        if given:
            where = f"--{_COLUMNS[field][0]}"
            return [self._option(text, where) for text in ([given] if isinstance(given, str) else given)]
        columns = [name for name in _COLUMNS[field] if name in self._rows.columns]
        return [_Part(f"column {name!r}", Template.of_column(name), is_column=True) for name in columns[:1]]

    def _option(self, text: str, where: str) -> _Part:
        return _Part(where, Template.parse(text, self._rows.columns, where=where))

    def __iter__(self) -> Iterator[Entry]:
        for row in self._rows:
            held = json.dumps(sorted(row.cells.items()))
            yield Entry(
                place=f"row {row.number}",
                digest=hashlib.sha256(held.encode()).hexdigest(),
                size=len(held) + self._size,
                make=partial(self._message, row),
            )

    def wording(self, message: Message) -> AbstractContextManager[None]:
        """Let errors speak of options."""
        return in_options(message)

    @property
    def _size(self) -> int:
        texts = [part for field in _BODIES for part in self._parts[field]]
        return sum(len(text) for part in texts for text, _ in part.template.pieces)

    def _message(self, row: Row) -> Message:
        fields = {field: self._value(field, parts, row) for field, parts in self._parts.items()}
        fields["headers"] = {name: part.line(row) for name, part in self._headers.items()}
        fields["attachments"] = self._attachments
        with in_options():
            return Message(**{name: value for name, value in fields.items() if value})

    def _value(self, field: str, parts: list[_Part], row: Row) -> Any:
        if field in _ADDRESSES:
            return [address for part in parts if (address := part.address(row, self._name(field, part, row)))]
        if field == "tags":
            return [tag for part in parts if (tag := part.line(row))]
        if not parts:
            return None
        [part] = parts
        if field in _BODIES:
            return part.markup(row) if field == "html" else part.text(row)
        return part.line(row)

    def _name(self, field: str, part: _Part, row: Row) -> str:
        if field != "to" or not part.is_column:
            return ""
        name = row.cells.get(_NAME, "").strip()
        return check_label(name, field=f"column {_NAME!r}")
