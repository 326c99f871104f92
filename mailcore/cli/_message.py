"""The message that the options of `mailcore send` make.

Rule: whoever gave options is answered in options, not in the names of fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from mailcore._attachment import Attachment
from mailcore._message import Message
from mailcore._unset import UNSET
from mailcore.cli._source import read_text
from mailcore.exceptions import InvalidMessage, UnsupportedFeature

__all__ = ["OPTIONS", "given_fields", "in_options", "message_of"]

#: Field → the option that gives it.
OPTIONS = {
    "from_": "--from",
    "reply_to": "--reply-to",
    "attachments": "--attach",
    "attach": "--attach",
    "filename": "--attach",
    "tags": "--tag",
    "headers": "--header",
    "in_reply_to": "--header In-Reply-To",
    "references": "--header References",
    "list_unsubscribe": "--header List-Unsubscribe",
    "idempotency_key": "--idempotency-key",
    **{name: f"--{name}" for name in ("to", "cc", "bcc", "subject", "text", "html")},
}
#: Headers that have an option; given twice, one voice would silence the other.
_OWN_OPTION = {name: f"--{name}" for name in ("from", "to", "cc", "bcc", "reply-to", "subject")}
#: Field that is needed → how to ask for it.
_NEEDED = {
    "from_": "There is no sender. Give --from, or a default for it in --config.",
    "to": "There is no recipient. Give --to, --cc or --bcc.",
    "text": "There is no content. Give --text, --html or --attach.",
}
#: How an error begins that is about a field, or about one item of it.
_PREFIX = re.compile(r"(?P<field>\w+)(?:\['(?P<item>[^']*)'\])?: ")


def message_of(fields: Mapping[str, Any]) -> Message:
    """Return the message the options make; what is not given is left to the mailer's defaults."""
    given = given_fields(fields)
    with in_options():
        return Message(**given)


def given_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a message that options give, their files read."""
    if fields["text"] == fields["html"] == "-":
        raise click.UsageError("Only one of --text and --html can be read from standard input.")
    made: Mapping[str, Any] = {
        **fields,
        "text": read_text(fields["text"]),
        "html": read_text(fields["html"]),
        "headers": _headers(fields["headers"]),
        "attachments": [_attachment(path) for path in fields["attach"]],
    }
    given = {name: value for name, value in made.items() if value not in (None, (), [], {})}
    given.pop("attach", None)
    return given


def _headers(given: Sequence[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in given:
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon:
            raise click.UsageError(f"--header is of the form 'Name: value', not {line!r}.")
        if name in headers:
            raise click.UsageError(f"--header {name} is there twice.")
        if name.lower() in _OWN_OPTION:
            raise click.UsageError(
                f"--header {name} has an option of its own. Use {_OWN_OPTION[name.lower()]}."
            )
        headers[name] = value
    return headers


def _attachment(path: str) -> Attachment:
    # Whoever types a path may read what it leads to: no folder needs to be guarded here.
    full = Path(path).resolve()
    with in_options():
        return Attachment.from_path(full, root=full.anchor, filename=Path(path).name)


@contextmanager
def in_options(message: Message | None = None) -> Iterator[None]:
    """
    Let errors about a field speak of its option.

    Args:
        message: What the options made: a field it lacks was given elsewhere, and keeps its name. None: it
            is being made, so that every field is an option's.
    """
    try:
        yield
    except (InvalidMessage, UnsupportedFeature) as error:
        error.args = (_reworded(error, message),)
        raise


def _reworded(error: InvalidMessage | UnsupportedFeature, message: Message | None) -> str:
    field, text = error.field.partition("[")[0], str(error)
    if message is not None and getattr(message, field, UNSET) is UNSET:
        return _NEEDED[field] if field in _NEEDED and text.startswith(f"{field}: There is no") else text
    if field not in OPTIONS:
        return text
    if "_" in field:  # it is no word of a sentence
        text = re.sub(rf"\b{field}(?!\w|: )", OPTIONS[field], text)
    found = _PREFIX.match(text)
    if found is None or found["field"] != field:
        return text
    item = f" {found['item']}" if found["item"] else ""
    return f"{OPTIONS[field]}{item}: {text[found.end() :]}"
