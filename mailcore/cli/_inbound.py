"""`mailcore inbound`: received mail.

Rule: what is saved stays in the folder it is saved to, and overwrites nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click
from rich.text import Text

from mailcore import _config
from mailcore._adapter import Context
from mailcore._delivery import Covers, EndpointKind, Verification, VerifiedWebhook, WebhookRequest
from mailcore._inbound.attachment import InboundAttachment
from mailcore._inbound.message import InboundMessage
from mailcore._steps import drive
from mailcore.cli._document import inbound_document, json_option
from mailcore.cli._mail import print_mail
from mailcore.cli._source import read_bytes
from mailcore.cli._terminal import console, print_json, printable
from mailcore.exceptions import InvalidDocument, UnsupportedFeature

__all__ = ["inbound"]

EXAMPLES = """\b
For example:
  mailcore inbound parse message.eml
  mailcore inbound parse delivery.json --provider mailpace --json
  curl -s https://example.com/message.eml | mailcore inbound parse - --save files/

\b
Nothing is verified here: `mailcore webhook check` verifies a captured delivery first.
File names are made safe, and nothing outside the folder of --save is ever written.
"""

#: How a mail begins, perhaps after the line that mail folders put before it; no JSON and no form does.
_HEADER = re.compile(rb"(?:>?From [^\r\n]*\r?\n)?[A-Za-z0-9][A-Za-z0-9_.-]*[ \t]*:")


@click.group(epilog=EXAMPLES)
def inbound() -> None:
    """Work with received mail."""


@inbound.command(epilog=EXAMPLES)
@click.argument("file", metavar="FILE")
@click.option("--provider", metavar="NAME", help="FILE is a captured inbound delivery of this provider.")
@click.option("--save", metavar="DIR", help="Write the attached files into this folder.")
@json_option
def parse(*, file: str, provider: str | None, save: str | None, as_json: bool) -> None:
    """Show what is in a mail: a raw message (.eml), or a captured delivery with --provider."""
    data = read_bytes(file)
    mails = _delivered(data, provider) if provider else [_raw(data)]
    saved = [str(path) for mail in mails for path in _save(mail, Path(save))] if save else []
    if as_json:
        print_json({"messages": [inbound_document(mail) for mail in mails], "saved": saved})
        return
    for mail in mails:
        print_mail(mail)
    for path in saved:
        console().print(Text(printable(f"saved   {path}")), soft_wrap=True)


def _raw(data: bytes) -> InboundMessage:
    if data.lstrip().startswith(b"{"):
        raise click.UsageError("It looks like JSON. Say whose delivery it is: --provider NAME.")
    if not data.strip():
        raise click.UsageError("It is empty.")
    if not _HEADER.match(data):
        raise click.UsageError("This is no mail: it does not begin with a header such as 'From: ...'.")
    return InboundMessage(raw=data)


def _delivered(data: bytes, provider: str) -> Sequence[InboundMessage]:
    """Return the mails of a delivery, on the caller's word that it is genuine."""
    adapter = _config.configuration({"provider": provider}).adapter()
    if _HEADER.match(data):
        raise click.UsageError("This is a mail as it was sent, and a raw mail needs no --provider.")
    taken = Verification(scheme="none", covers=Covers.NOTHING)
    webhook = VerifiedWebhook(request=WebhookRequest(body=data), verification=taken)
    kind = adapter.webhook_kind(webhook)
    if kind is not EndpointKind.INBOUND:
        what = f"{kind.value} data" if kind else "a shape that is not known"
        raise InvalidDocument(f"It is no inbound delivery of {provider}: it holds {what}.")
    now = datetime.now(UTC)
    flow = adapter.inbound_flow(webhook, Context(now=now, created=now, unique="parse"))
    mails: Sequence[InboundMessage] = drive(flow, _refuse)
    return mails


def _refuse(_: object) -> NoReturn:
    # The address would be taken from a delivery that nobody verified.
    raise UnsupportedFeature(
        "This provider keeps the mail itself elsewhere, and it is fetched for verified deliveries only. "
        "Use `mailcore webhook check`.",
        field="raw",
    )


def _save(mail: InboundMessage, folder: Path) -> Iterator[Path]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in (*mail.attachments, *mail.inlines):
            yield _write(file, folder)
    except OSError as error:
        raise click.UsageError(f"{folder} cannot be written to: {error.strerror or error}.") from None


def _write(file: InboundAttachment, folder: Path) -> Path:
    name = Path(file.filename).name  # already safe; nothing here depends on it
    number = 1
    while True:
        path = folder / (name if number == 1 else f"{Path(name).stem}-{number}{Path(name).suffix}")
        try:
            # Exclusive: no file is overwritten, and no symbolic link is followed.
            with path.open("xb") as target:
                target.write(file.content)
                return path
        except FileExistsError:
            number += 1
