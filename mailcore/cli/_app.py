"""The commands together, and how any of them ends.

Rule: whatever happens in a command, it ends in an exit code and at most one line of complaint.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from mailcore._version import version
from mailcore.cli._demo import demo
from mailcore.cli._doctor import doctor
from mailcore.cli._exit import ExitCode, ended
from mailcore.cli._inbound import inbound
from mailcore.cli._plugins import plugins
from mailcore.cli._providers import providers
from mailcore.cli._sandbox import sandbox
from mailcore.cli._send import send
from mailcore.cli._terminal import logs_on_stderr
from mailcore.cli._webhook import webhook

__all__ = ["app", "run"]

EXAMPLES = """\b
Begin here:
  mailcore demo                  see all of it work; no account needed
  mailcore sandbox               send to every provider on this machine, and look at the mail
  mailcore providers             what each installed provider can do
  mailcore send --help           send one message
  mailcore doctor                find out why something does not work

\b
Exit codes:
  0  done                        4  the provider said no
  1  a bug of ours               5  the mail may have been sent
  2  your input                  6  nothing was sent; repeating it is safe
  3  configuration

\b
With --json, standard output holds one JSON document, whatever happens. That of an error is
  {"error": "...", "message": "...", "exit_code": ...}
and, where a send was tried, has its "outcome" and all else that is known. The line on standard
error stays.
"""


@click.group(
    invoke_without_command=True,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(version(), prog_name="mailcore")
@click.pass_context
def app(context: click.Context) -> None:
    """Send and receive email through any provider, with one message, event and inbound schema."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (demo, sandbox, send, providers, plugins, doctor, webhook, inbound):
    app.add_command(command)


def run(arguments: Sequence[str] | None) -> int:
    """Run one command; never raises."""
    given = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character is no reason to stop
    try:
        with logs_on_stderr():
            answer = app.main(arguments, prog_name="mailcore", standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001  # reason: the last place that can say what happened
        return ended(error, as_json="--json" in given)  # as given: the error may be in the arguments
    return answer if isinstance(answer, int) else ExitCode.DONE
