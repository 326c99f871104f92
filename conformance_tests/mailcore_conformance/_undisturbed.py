"""Keeps what a stranger's code does to the process from outliving a run."""

from __future__ import annotations

import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

__all__ = ["undisturbed"]


@contextmanager
def undisturbed() -> Iterator[None]:
    """Take what is printed off the output, which may hold a report; all is as before afterwards."""
    root, disabled = logging.root, logging.root.manager.disable
    level, handlers = root.level, [*root.handlers]
    environ, folder = dict(os.environ), _folder()
    trace, limit, hook, err = sys.gettrace(), sys.getrecursionlimit(), sys.excepthook, sys.stderr
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            yield
    finally:
        root.manager.disable, root.handlers = disabled, handlers
        root.setLevel(level)
        if dict(os.environ) != environ:
            os.environ.clear()
            os.environ.update(environ)
        if folder is not None and _folder() != folder:
            os.chdir(folder)
        if sys.gettrace() is not trace:
            sys.settrace(trace)
        sys.setrecursionlimit(limit)
        sys.excepthook, sys.stderr = hook, err


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109  # reason: the text, to go back to
    except OSError:  # it was removed
        return None
