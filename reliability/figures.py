"""What a figure is worth nothing without: when, on what, from which commit, with which command."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

__all__ = ["circumstances", "print_figures", "show"]

ROOT = Path(__file__).resolve().parent.parent


def show(title: str, figures: Mapping[str, object]) -> None:
    """Print figures of this harness, and how they came about."""
    print_figures(title, figures, command=["reliability", *sys.argv[1:]], folder="reliability")


def print_figures(title: str, figures: Mapping[str, object], *, command: Sequence[str], folder: str) -> None:
    """
    Print figures, and how they came about.

    Args:
        command: What `python` was started with.
        folder: Where a change that is not committed counts, beside core and the adapters.
    """
    table = Table(title=title, show_header=False, title_justify="left")
    for name, value in {**figures, **circumstances(command, folder)}.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    Console().print(table)


def circumstances(command: Sequence[str], folder: str) -> dict[str, str]:
    """Return how figures came about; the arguments are those of `print_figures`."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, {platform.system()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "commit": _commit(folder),
        "command": " ".join(["python", *command]),
    }


def _commit(folder: str) -> str:
    commit = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--", "mailcore", "adapters", folder)
    return f"{commit or 'unknown'}{' and changes' if changed else ''}"


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607  # reason: whichever git the person uses
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return ""
    return done.stdout.strip()
