"""`mailcore sandbox`: every provider on this machine, and a mailbox to look at."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from mailcore.cli._document import json_option
from mailcore.cli._exit import ExitCode, complain
from mailcore.cli._plugins import listed_plugins
from mailcore.cli._program import program
from mailcore.cli._terminal import console, print_json, printable

if TYPE_CHECKING:
    from mailcore.sandbox.web import SandboxServer

__all__ = ["sandbox"]

TOKEN = "MAILCORE_SANDBOX_TOKEN"  # noqa: S105  # reason: the variable, not the token

EXAMPLES = """\b
For example:
  mailcore sandbox
  mailcore sandbox --file sandbox.db --webhook-url http://127.0.0.1:8000/webhooks
  mailcore sandbox --webhook-url 'http://127.0.0.1:8000/mail/{provider}/{kind}/'
  mailcore sandbox --port 0 --smtp-port 0 --json

\b
Paste the settings that are printed into your application and open the page: each mail that you send
appears there, and its buttons let it be delivered, bounce and so on, which your webhook endpoint is
told, signed as the provider signs. Any key and any sender are taken; --strict takes only the printed
key and senders at example.com.

\b
{provider} and {kind} (tracking or inbound) in the webhook URL are filled in.
Changes over HTTP need the header X-Mailcore-Token: MAILCORE_SANDBOX_TOKEN sets it, else it is random.
Nothing leaves this machine but webhooks. Ctrl-C ends it.
"""

_HOST = "Address to listen on. Others than this machine's let others read the mail."
_ALLOW_HOST = "Name that the page may be asked by, besides localhost; repeat it for more."


def _number(
    name: str, default: int, metavar: str, about: str, *, least: int = 0, most: int
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    return click.option(
        name, type=click.IntRange(least, most), default=default, metavar=metavar,
        help=f"{about}  [default: {default}]",
    )  # fmt: skip


@click.command(epilog=EXAMPLES)
@_number("--port", 8025, "PORT", "Port of the page and of the providers' APIs; 0: any free one.", most=65535)
@_number("--smtp-port", 1025, "PORT", "Port for SMTP; 0: any free one.", most=65535)
@click.option("--file", metavar="PATH", help="File that keeps the mail; else it is in memory.")
@click.option("--webhook-url", default="", metavar="URL", help="Where webhooks go; else set it on the page.")
@_number("--keep", 10_000, "NUMBER", "How many mails are kept.", least=1, most=1_000_000)
@click.option("--strict", is_flag=True, help="Take only the printed keys, and senders at example.com.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help=_HOST)
@click.option("--allow-host", "allow_hosts", metavar="NAME", multiple=True, help=_ALLOW_HOST)
@click.option("--cert", metavar="PATH", help="Certificate (PEM), for clients that insist on https.")
@click.option("--key", metavar="PATH", help="Private key of the certificate (PEM).")
@json_option
def sandbox(
    *, file: str | None, keep: int, cert: str | None, key: str | None, as_json: bool, **options: Any
) -> int:
    """Run every provider on this machine, with a page that shows the mail."""
    from mailcore.sandbox.web import SandboxServer

    if (cert is None) != (key is None):
        raise click.UsageError("--cert and --key go together.")
    host = listed_plugins()
    for signaled in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signaled, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        with SandboxServer(
            host.adapters.values(),
            file=Path(file) if file else None,
            most=keep,
            tls=(Path(cert), Path(key)) if cert and key else None,
            token=os.environ.get(TOKEN, ""),
            **options,
        ) as server:
            if as_json:
                print_json(_document(server))
            else:
                _tell(server, file)
            sys.stdout.flush()
            server.wait()
        complain("The sandbox ended by itself.")
        return ExitCode.BUG
    return ExitCode.DONE


def _document(server: SandboxServer) -> dict[str, Any]:
    return {
        "url": server.url,
        "page": f"{server.url}/?token={server.token}",
        "token": server.token,
        "smtp": {name: server.settings["smtp"][name] for name in ("host", "port")},
        "settings": server.settings,
    }


def _tell(server: SandboxServer, file: str | None) -> None:
    screen = console()
    page = f"{server.url}/?token={server.token}"
    screen.print(Text.assemble(("Open      ", "bold"), (page, "bold cyan")), soft_wrap=True)
    for line in _lines(server, file):
        screen.print(Text(printable(line)), soft_wrap=True)


def _lines(server: SandboxServer, file: str | None) -> Iterator[str]:
    from mailcore.sandbox.web._to_paste import first_mail, to_paste

    webhooks = server.sandbox.post.endpoint
    smtp = server.settings["smtp"]
    yield f"SMTP      {smtp['host']}:{smtp['port']}, not encrypted, any user and password"
    yield f"Mail      {f'in {file}' if file else 'in memory, gone at the end; --file keeps it'}"
    yield f"Webhooks  {f'to {webhooks}' if webhooks else 'nowhere yet; --webhook-url or the page says where'}"
    yield f"Try it    {program()} {first_mail(server.settings)}"
    yield ""
    yield "Settings to paste (mailcore.toml; another client needs the URL and the key):"
    for text in to_paste(server.settings).values():
        yield from ("", *text.splitlines())
    yield ""
    yield "Ctrl-C ends it."
