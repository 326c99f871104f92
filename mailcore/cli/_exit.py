"""How a command ends: a number for scripts, one line for people, and with --json a document for programs.

Rule 1: the number says what to do next, and is the same for every command.
Rule 2: a traceback is shown for our own bugs alone, and only where MAILCORE_DEBUG asks for it.
"""

from __future__ import annotations

import enum
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from mailcore.cli._document import error_document
from mailcore.cli._terminal import one_line, print_json
from mailcore.exceptions import (
    ConfigurationError,
    InvalidMessage,
    MailcoreError,
    MaybeSent,
    NotAccepted,
    ProtocolBug,
    Rejected,
    SendCancelled,
    UnsupportedFeature,
    WebhookRejected,
)

__all__ = ["ExitCode", "code_of", "complain", "ended"]


class ExitCode(enum.IntEnum):
    """What the number means."""

    #: It was done.
    DONE = 0
    #: A defect of mailcore or of a plugin.
    BUG = 1
    #: What you gave cannot be used.
    INPUT = 2
    #: What is configured or installed cannot work.
    CONFIGURATION = 3
    #: The provider said no.
    REJECTED = 4
    #: The mail may have been sent.
    UNKNOWN = 5
    #: Nothing was sent; repeating it is safe.
    NOT_ACCEPTED = 6
    #: Ctrl-C.
    INTERRUPTED = 130
    #: Whoever read the output went away (`| head`).
    BROKEN_PIPE = 141


#: The first class that fits decides.
_CODES: Sequence[tuple[type[MailcoreError], ExitCode]] = (
    (MaybeSent, ExitCode.UNKNOWN),
    (Rejected, ExitCode.REJECTED),
    (NotAccepted, ExitCode.NOT_ACCEPTED),
    (ConfigurationError, ExitCode.CONFIGURATION),
    (InvalidMessage, ExitCode.INPUT),
    (UnsupportedFeature, ExitCode.INPUT),
    (SendCancelled, ExitCode.INPUT),
    (WebhookRejected, ExitCode.INPUT),
)


def code_of(error: MailcoreError) -> ExitCode:
    """Return the exit code an error stands for; one nobody sorted is about the surroundings."""
    if isinstance(error, ProtocolBug) and error.response is None:
        return ExitCode.BUG  # the adapter failed by itself: no provider has said anything
    return next((code for cls, code in _CODES if isinstance(error, cls)), ExitCode.CONFIGURATION)


def complain(text: str) -> None:
    """Tell a person what is wrong, in one line beside the output."""
    print(f"mailcore: {one_line(text)}", file=sys.stderr)


def ended(error: BaseException, *, as_json: bool = False) -> ExitCode:
    """Say what stopped a command, and return its exit code."""
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    if isinstance(error, BrokenPipeError | SystemExit):
        # click and rich turn a broken pipe into SystemExit; nothing else here raises it.
        _discard_output()
        return ExitCode.BROKEN_PIPE
    code, text = _verdict(error)
    complain(text)
    if as_json and not isinstance(error, OSError):  # it may be the output itself that fails
        _print(error_document(error, message=one_line(text), exit_code=int(code)))
    return code


def _verdict(error: BaseException) -> tuple[ExitCode, str]:
    if isinstance(error, MailcoreError):
        return code_of(error), str(error)
    if isinstance(error, click.ClickException):
        return ExitCode.INPUT, _usage(error)
    if isinstance(error, OSError) and error.strerror:
        return ExitCode.CONFIGURATION, f"{error.filename or 'The output'}: {error.strerror}."
    return ExitCode.BUG, _report(error)


def _usage(error: click.ClickException) -> str:
    text = error.format_message()
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f" `{context.command_path} --help` shows how." if context else ""
    return text + ("" if text.endswith((".", "?", "?)")) else ".") + hint


def _print(document: Any) -> None:
    try:
        print_json(document)
        sys.stdout.flush()
    except OSError:  # nobody reads it, and stderr has said what is wrong
        _discard_output()


def _discard_output() -> None:
    # What is still buffered would otherwise be complained about when the interpreter ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _report(error: BaseException) -> str:
    if os.environ.get("MAILCORE_DEBUG"):
        traceback.print_exception(error)
    # Not the error's own text: a stranger's exception may quote a credential.
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"This is a bug, please report it: {type(error).__name__} at "
        f"{Path(place.filename).name}:{place.lineno}. MAILCORE_DEBUG=1 shows the traceback."
    )
