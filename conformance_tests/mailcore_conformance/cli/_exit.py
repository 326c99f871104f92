"""How a command ends: a number for scripts, and a line for people.

Rule 1: the number says what to do next: 1 is the adapter's, 2 is yours.
Rule 2: a traceback is shown for the suite's own bugs alone, and only where MAILCORE_DEBUG asks for it.
"""

from __future__ import annotations

import enum
import os
import traceback
from pathlib import Path

import click

from mailcore import MailcoreError
from mailcore.cli._exit import ended as ended_quietly
from mailcore.cli._terminal import print_json, printable
from mailcore_conformance._kit import KitError

__all__ = ["ExitCode", "complain", "ended"]


class ExitCode(enum.IntEnum):
    """What the number means."""

    #: Every check that was asked for holds, or its deviation is explained.
    HOLDS = 0
    #: One does not, or a deviation is not one any more. Or a bug of the suite.
    FAILED = 1
    #: Refused: nothing was shown, because of the command, the adapter's package, the kit or a file.
    REFUSED = 2


def complain(text: str) -> None:
    """Tell a person what is wrong, beside the output."""
    click.echo(f"mailcore-conformance: {printable(text).strip()}", err=True)


def ended(error: BaseException, *, as_json: bool = False) -> int:
    """Say what stopped a command, and return its exit code."""
    if isinstance(error, click.Abort | KeyboardInterrupt | BrokenPipeError | SystemExit):
        return ended_quietly(error)
    code, text = _verdict(error)
    complain(text)
    if as_json:
        print_json({"error": code.name.lower(), "message": text, "exit_code": int(code)})
    return code


def _verdict(error: BaseException) -> tuple[ExitCode, str]:
    if isinstance(error, KitError | MailcoreError):
        return ExitCode.REFUSED, str(error)
    if isinstance(error, click.ClickException):
        return ExitCode.REFUSED, _usage(error)
    if isinstance(error, OSError) and error.strerror:
        return ExitCode.REFUSED, f"{error.filename or 'The output'}: {error.strerror}."
    return ExitCode.FAILED, _report(error)


def _usage(error: click.ClickException) -> str:
    text = error.format_message()
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f" `{context.command_path} --help` shows how." if context else ""
    return text + ("" if text.endswith((".", "?", "?)")) else ".") + hint


def _report(error: BaseException) -> str:
    if os.environ.get("MAILCORE_DEBUG"):
        traceback.print_exception(error)
    # Not the error's own text: what an adapter puts into it may hold a credential.
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"This is a bug of the suite, please report it: {type(error).__name__} at "
        f"{Path(place.filename).name}:{place.lineno}. MAILCORE_DEBUG=1 shows the traceback."
    )
