"""A received mail on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from mailcore._inbound.attachment import InboundAttachment
from mailcore._inbound.message import InboundMessage
from mailcore.cli._terminal import console, one_line, printable, rows, table

__all__ = ["print_mail"]

#: The rest of a text is in --json.
MAX_LINES = 30


def print_mail(mail: InboundMessage, *, indent: int = 0) -> None:
    """Print the main fields, the text, the files and the defects."""
    shown: list[RenderableType] = [
        rows(_fields(mail)),
        *_text(mail),
        *_files((*mail.attachments, *mail.inlines)),
    ]
    for defect in mail.defects:  # last: each of the above may have found some
        line = f"defect  {defect.code.value} in {defect.where}: {one_line(defect.text)}"
        shown.append(Text(line, style="yellow"))
    console().print(Padding(Group(*shown), (0, 0, 0, indent)))


def _text(mail: InboundMessage) -> Iterator[RenderableType]:
    lines = printable(mail.text or mail.html or "").rstrip().splitlines()
    if lines:
        yield Text("\n".join(["", *lines[:MAX_LINES]]))
    if len(lines) > MAX_LINES:
        yield Text(f"… {len(lines) - MAX_LINES} more lines", style="dim")


def _fields(mail: InboundMessage) -> dict[str, str | None]:
    lists = {
        name: ", ".join(map(str, getattr(mail, name))) for name in ("from_", "to", "cc", "bcc", "reply_to")
    }
    return {
        "from": lists.pop("from_"),
        **{name.replace("_", "-"): value for name, value in lists.items()},
        "subject": mail.subject,
        "date": mail.date.isoformat() if mail.date else None,
        "message id": mail.message_id,
        "in reply to": mail.in_reply_to,
        "envelope": ", ".join(mail.envelope_recipients),
        "automatic": "yes: do not answer it" if mail.is_auto_generated else None,
    }


def _files(files: tuple[InboundAttachment, ...]) -> Iterator[RenderableType]:
    if files:
        lines = [
            [file.filename, file.content_type, f"{file.size} bytes", "inline" if file.inline else ""]
            for file in files
        ]
        yield Text()
        yield table(["File", "Type", "Size", ""], lines)
