"""What the reference says of the command line, from the commands themselves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import click
from _markdown import block, meanings, table

from mailcore.cli._app import app
from mailcore.cli._exit import ExitCode

__all__ = ["commands", "demo", "exit_codes", "helps"]


def commands() -> str:
    """Write what `--help` says of every command."""
    return "\n\n".join(f"## `{path}`\n\n{block(text)}" for path, text in helps(app, "mailcore", None))


def helps(command: click.Command, path: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    """Yield the path of a command, and of each below it, with what its `--help` says."""
    context = click.Context(
        command,
        info_name=path.rpartition(" ")[2],
        parent=parent,
        terminal_width=100,
        **command.context_settings,
    )
    yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from helps(command.commands[name], f"{path} {name}", context)


def demo() -> str:
    """Write what `mailcore demo` prints, without what the requests and answers hold."""
    command = [sys.executable, "-m", "mailcore.cli", "demo"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "default"}
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8", env=environment)  # noqa: S603  # reason: our own command
    kept = re.findall(r"^(?:\d  |   (?:[→←=]|Provider says|email\.) ?).*", done.stdout, re.MULTILINE)
    text = "\n".join(line.rstrip() for line in kept)
    text = re.sub(r"(127\.0\.0\.1):\d+", r"\1", text)
    return block(re.sub(r"^(?=\d  )", "\n", text, flags=re.MULTILINE))


def exit_codes() -> str:
    """Write what the exit codes mean."""
    said = meanings(ExitCode)
    return table(["code", "meaning"], [(int(code), said[code.name]) for code in ExitCode])
