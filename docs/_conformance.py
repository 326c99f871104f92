"""What the reference says of the conformance suite, from its catalogue and its commands."""

from __future__ import annotations

from collections.abc import Iterator

import click
from _commands import helps
from _markdown import block, meanings, table

from mailcore_conformance import Check, Section, Status, Verdict, catalogue
from mailcore_conformance._explanation import counts
from mailcore_conformance.cli._app import app
from mailcore_conformance.cli._exit import ExitCode

__all__ = ["checks", "conformance_commands", "conformance_exit_codes", "conformance_statuses"]


def checks() -> str:
    """Write every check, section by section."""
    return "\n\n".join(part for section in Section for part in _section(section))


def _section(section: Section) -> Iterator[str]:
    found = [check for check in catalogue().values() if check.section is section]
    yield f"### {section.value}"
    yield meanings(Section)[section.name]
    yield from map(_check, found)


def _check(check: Check) -> str:
    lines = [
        f"**`{check.id}`** {check.title}",
        f"- Why: {check.why}",
        f"- What to do: {check.fix}",
    ]
    if check.capability is not None:
        lines.append(f"- Applies where `{check.capability.value}` is declared.")
    if not counts(check).startswith("yes"):
        lines.append(f"- Counts: {counts(check)}.")
    return "\n".join([lines[0], "", *lines[1:]])


def conformance_commands() -> str:
    """Write what `--help` says of every command."""
    parent: click.Context | None = None
    found = helps(app, "mailcore-conformance", parent)
    return "\n\n".join(f"### `{path}`\n\n{block(text)}" for path, text in found)


def conformance_exit_codes() -> str:
    """Write what the exit codes mean."""
    said = meanings(ExitCode)
    return table(["code", "meaning"], [(int(code), said[code.name]) for code in ExitCode])


def conformance_statuses() -> str:
    """Write how a check and a run can end."""
    rows = [(f"`{found.value}`", meanings(kind)[found.name]) for kind in (Status, Verdict) for found in kind]
    return (
        table(["status of a check", "meaning"], rows[: len(Status)])
        + "\n\n"
        + table(["verdict of a run", "meaning"], rows[len(Status) :])
    )
