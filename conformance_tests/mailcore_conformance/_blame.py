"""Whose fault an exception is: the adapter's, or the suite's own."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import mailcore

__all__ = ["in_adapter", "place", "told"]

# With the separator: an adapter's `mailcore_pigeon` may be installed beside `mailcore`.
_SUITE = str(Path(__file__).parent) + os.sep
_CORE = str(Path(mailcore.__file__).parent) + os.sep
_INTERPRETER = (str(Path(traceback.__file__).parent), sys.base_prefix, "<")


def in_adapter(error: BaseException) -> bool:
    """Return whether code that is neither the suite's nor the interpreter's raised it, or core did for it."""
    frames = _frames(error)
    return any(map(_is_foreign, frames)) or (bool(frames) and frames[-1][0].startswith(_CORE))


def told(error: BaseException, *, package: str) -> str:
    """
    Return what an adapter raised, and where in its code.

    Args:
        package: The adapter's top-level package.
    """
    frames = _frames(error)
    own = [frame for frame in frames if frame[2].partition(".")[0] == package]
    places = own or [frame for frame in frames if _is_foreign(frame)]
    at = f" at {place(places[-1][0], places[-1][1])}" if places else ""
    return f"The adapter raised {type(error).__name__}: {_text(error)}{at}."


def place(path: str | Path, line: int | None = None) -> str:
    """Return a place in somebody's code as it reads anywhere: without where that code is installed."""
    parts = Path(path).parts
    if "site-packages" in parts:
        parts = parts[parts.index("site-packages") + 1 :]
    elif Path(path).is_relative_to(Path.cwd()):
        parts = Path(path).relative_to(Path.cwd()).parts
    else:
        parts = parts[-3:]
    return "/".join(parts) if line is None else f"{'/'.join(parts)}:{line}"


def _text(error: BaseException) -> str:
    try:
        return " ".join(str(error).split()).rstrip(".") or "no text"
    except Exception:  # noqa: BLE001  # reason: a stranger's error may fail at anything
        return "no text"


def _frames(error: BaseException) -> list[tuple[str, int, str]]:
    """Return file, line and module of each frame, outermost first."""
    walked = traceback.walk_tb(error.__traceback__)
    return [
        (frame.f_code.co_filename, line, str(frame.f_globals.get("__name__", ""))) for frame, line in walked
    ]


def _is_foreign(frame: tuple[str, int, str]) -> bool:
    path = frame[0]
    if path.startswith((_SUITE, _CORE)):
        return False
    return "site-packages" in path or not path.startswith(_INTERPRETER)
