"""
The command `mailcore-conformance`.

Rule: this file works without what the package depends on, so that it can say what is missing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command and return its exit code.

    Args:
        arguments: What stands after `mailcore-conformance`; None: as the process was started.
    """
    try:
        from mailcore import MissingDependency, requires_extra
    except ModuleNotFoundError as error:
        sys.stderr.write(f"mailcore-conformance: {error}. Install this package again, with what it needs.\n")
        return 2
    try:
        with requires_extra("cli", by="The command line"):
            from mailcore_conformance.cli._app import run
    except MissingDependency as error:
        sys.stderr.write(f"mailcore-conformance: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return run(arguments)
