"""
The command `mailcore`.

Rule: this file works without what the extra `cli` installs, so that it can say how to get it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mailcore._extra import requires_extra
from mailcore.exceptions import MissingDependency

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command and return its exit code.

    Args:
        arguments: What stands after `mailcore`; None: as the process was started.
    """
    try:
        with requires_extra("cli", by="The command line"):
            import click  # noqa: F401  # reason: only whether it is there
            import rich  # noqa: F401  # reason: the same
    except MissingDependency as error:
        print(error, file=sys.stderr)
        return 3
    try:
        from mailcore.cli._app import run

        return run(arguments)
    except KeyboardInterrupt:  # while it was still being imported
        return 130
