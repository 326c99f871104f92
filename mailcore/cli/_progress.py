"""How far a long command is, for whoever watches a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["progress"]


@contextmanager
def progress(label: str, total: int | None = None, *, shown: bool = True) -> Iterator[Callable[[], None]]:
    """
    Show a bar on standard error while something is done; yield what is called after each step.

    Where standard error is no terminal, nothing is shown.

    Args:
        total: Steps in all; None: nobody knows yet.
    """
    if not (shown and sys.stderr.isatty()):
        yield lambda: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(
        *columns,
        console=Console(file=sys.stderr),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # what goes to a file or a pipe goes on to it
    )
    with bar:
        task = bar.add_task(label, total=total)
        yield lambda: bar.advance(task)
