"""`mailcore send`: one message from the command line, or a list of them."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Any

import attrs
import click
from rich.text import Text

from mailcore._http import Request
from mailcore._mailer import Mailer
from mailcore._result import TAKEN, RecipientResult, SendResult
from mailcore.cli._document import json_option, result_document
from mailcore.cli._exit import ExitCode, complain
from mailcore.cli._list_options import ListOptions, list_options
from mailcore.cli._message import in_options, message_of
from mailcore.cli._selection import Selection, selection_options
from mailcore.cli._send_list import send_list
from mailcore.cli._terminal import console, print_json, printable, rows
from mailcore.cli._wire import Masks, request_document, request_lines
from mailcore.exceptions import MailcoreError, MaybeSent, NotAccepted

__all__ = ["send"]

EXAMPLES = """\b
For example:
  mailcore send --provider console --from ada@example.com --to bob@example.com --text Hello
  mailcore send --provider mailpace --from 'Ada <ada@example.com>' --to bob@example.com \\
      --subject Report --text @report.txt --html @report.html --attach report.pdf
  date | mailcore send --config mailcore.toml --from ada@example.com --to bob@example.com --text -
  mailcore send --url 'mailpace://?api_key=env:MY_TOKEN' --from ada@example.com \\
      --to bob@example.com --text Hello --dry-run

\b
TEXT is the text itself, @FILE, or - for standard input; @@ begins a text with @.
Tokens come from the environment or a file, never from an argument: `mailcore providers --json`
names the variables. Exit code 5 says the mail may have been sent: repeat it with the key that is shown.

\b
A list, one mail for each row or file:
  mailcore send --provider mailpace --csv people.csv --from ada@example.com \\
      --subject 'Hello {name}' --text @letter.txt --dry-run
  mailcore send --provider mailpace --csv people.csv --from ada@example.com \\
      --subject 'Hello {name}' --text @letter.txt --results results.jsonl
  mailcore send --provider mailpace --eml outbox/ --results results.jsonl

\b
The first row of a CSV file names its columns. {column} is filled in, in every option that holds text;
a column named like an option (to, cc, subject, text ...) gives it where the option is not given, and
`name` is the name that belongs to `to`. The whole list is checked before its first mail is sent.
With --results, a run that ended early can go on: the same command with --resume sends what was not
sent. The exit code is 5 if any mail may have been sent, else 4 if any was rejected, else 6 if any was
not accepted; Ctrl-C finishes what is under way, and is 130.
"""


@click.command(epilog=EXAMPLES)
@selection_options
@click.option("--from", "from_", metavar="ADDRESS", help="Sender: an address, or 'Name <address>'.")
@click.option("--to", metavar="ADDRESS", multiple=True, help="Recipient; repeat it for more.")
@click.option("--cc", metavar="ADDRESS", multiple=True, help="Visible copy.")
@click.option("--bcc", metavar="ADDRESS", multiple=True, help="Hidden copy.")
@click.option("--reply-to", metavar="ADDRESS", multiple=True, help="Where answers go.")
@click.option("--subject", metavar="LINE", help="Subject.")
@click.option("--text", metavar="TEXT", help="Plain text, @FILE or -.")
@click.option("--html", metavar="TEXT", help="HTML, @FILE or -.")
@click.option("--attach", metavar="PATH", multiple=True, help="File to attach; repeat it for more.")
@click.option("--tag", "tags", metavar="NAME", multiple=True, help="Label; repeat it for more.")
@click.option("--header", "headers", metavar="'NAME: VALUE'", multiple=True, help="Extra header of the mail.")
@click.option("--idempotency-key", metavar="KEY", help="Key under which a repeated send is taken once.")
@list_options
@click.option("--dry-run", is_flag=True, help="Check all of it, show the first request and send nothing.")
@json_option
def send(
    *, provider: str | None, config: str | None, mailer: str | None, url: str | None,
    dry_run: bool, as_json: bool, **fields: Any,
) -> int:  # fmt: skip
    """Send one message, or a list of them."""
    selection = Selection(provider=provider, config=config, mailer=mailer, url=url)
    listed = ListOptions(**{field.name: fields.pop(field.name) for field in attrs.fields(ListOptions)})
    if listed.is_given:
        configuration, name = selection.configuration(), mailer or "default"
        with listed.source(fields) as source:
            return send_list(source, configuration, listed, name=name, dry_run=dry_run, as_json=as_json)
    message = message_of(fields)
    configuration = selection.configuration()
    with Mailer(configuration, name=mailer or "default") as found, in_options(message):
        if dry_run:
            masks = Masks(configuration.settings, configuration.options)
            return _show(found.preview(message), found.provider, masks, as_json=as_json)
        try:
            # The provider `console` prints: with --json, beside the document.
            with redirect_stdout(sys.stderr if as_json else sys.stdout):
                result = found.send(message)
        except MailcoreError as error:
            if not as_json:
                _advise(error)
            raise
    return _tell(result, as_json=as_json)


def _show(request: Request, provider: str, masks: Masks, *, as_json: bool) -> int:
    if as_json:
        print_json({"dry_run": True, "provider": provider, "request": request_document(request, masks)})
    else:
        lines = ["Nothing is sent. The request would be:", "", *request_lines(request, masks)]
        console().print(Text(printable("\n".join(lines))), soft_wrap=True)
    return ExitCode.DONE


def _tell(result: SendResult, *, as_json: bool) -> int:
    if as_json:
        print_json(result_document(result))
    else:
        screen = console()
        screen.print(Text(f"Accepted by {result.provider}.", style="bold green"))
        said = {address: _status(found) for address, found in result.recipients.items()}
        names = {"message id": result.message_id, "idempotency key": result.idempotency_key}
        screen.print(rows({**names, **said, "left out": ", ".join(result.dropped)}))
    refused = any(found.status not in TAKEN for found in result.recipients.values())
    return ExitCode.REJECTED if refused else ExitCode.DONE


def _status(found: RecipientResult) -> str:
    return f"{found.status.value}: {found.reason}" if found.reason else found.status.value


def _advise(error: MailcoreError) -> None:
    """Say what can be done now, where the error itself does not."""
    if isinstance(error, MaybeSent):
        key = error.idempotency_key
        safe = f"Repeat it with --idempotency-key {key}: it is then sent at most once." if key else ""
        complain(f"The mail may have been sent. {safe}")
    elif isinstance(error, NotAccepted):
        wait = f" after {error.retry_after:.0f} seconds" if error.retry_after else ""
        complain(f"Nothing was sent; repeating it{wait} is safe.")
