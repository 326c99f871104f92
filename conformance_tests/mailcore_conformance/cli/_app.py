"""The commands together, and how any of them ends.

Rule: whatever happens in a command, it ends in an exit code and a complaint without a traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from mailcore._version import version
from mailcore_conformance.cli._catalogue import explain, list_checks
from mailcore_conformance.cli._exit import ExitCode, ended
from mailcore_conformance.cli._init import init
from mailcore_conformance.cli._matrix import matrix
from mailcore_conformance.cli._run import run as run_checks

__all__ = ["app", "run"]

EXAMPLES = """\b
Begin here:
  mailcore-conformance run mailpace        prove an adapter that is installed
  mailcore-conformance explain B10.cc      what a check wants, and what to do
  mailcore-conformance init acme           a new adapter, complete but for what only you know

\b
Exit codes:
  0  all that was asked for holds, or its deviation is explained
  1  something does not, or a deviation is not one any more; or a bug of the suite, which says so
  2  refused, nothing was shown: the command, the adapter's package, its kit, or a file

\b
No command opens a network connection, and none needs an account or a token.
"""


@click.group(
    invoke_without_command=True,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(version(), prog_name="mailcore-conformance")
@click.pass_context
def app(context: click.Context) -> None:
    """Prove that an adapter for mailcore does what it says."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (run_checks, list_checks, explain, matrix, init):
    app.add_command(command)


def run(arguments: Sequence[str] | None) -> int:
    """Run one command; never raises."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character is no reason to stop
    try:
        answer = app.main(given, prog_name="mailcore-conformance", standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001  # reason: the last place that can say what happened
        return ended(error, as_json=_wants_json(given))
    return answer if isinstance(answer, int) else ExitCode.HOLDS


def _wants_json(given: list[str]) -> bool:
    """Return whether standard output was to hold a JSON document; the error may be in the arguments."""
    if "--json=-" in given:
        return True
    if "--json" not in given:
        return False
    after = given[given.index("--json") + 1 :][:1]
    return after == ["-"] or given[:1] == ["list"]
