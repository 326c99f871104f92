"""Whose fault an exception is: the adapter's, or the suite's own."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, TracebackType

import mailcore

__all__ = ["in_adapter", "is_borrowed", "place", "text_of", "told"]

# With the separator: an adapter's `mailcore_pigeon` may be installed beside `mailcore`.
_SUITE = str(Path(__file__).parent) + os.sep
_CORE = str(Path(mailcore.__file__).parent) + os.sep
#: Most characters of an error's own text.
MAX_TEXT = 2_000
_INTERPRETER = (str(Path(traceback.__file__).parent), sys.base_prefix, "<")


def in_adapter(error: BaseException) -> bool:
    """Return whether code that is neither the suite's nor the interpreter's raised it, or core did for it."""
    return any(map(_is_to_blame, _chain(error)))


def is_borrowed(error: BaseException, *, run: CodeType | None) -> bool:
    """
    Return whether a stranger's code raised an exception by which a check says how it ends.

    Args:
        run: Code of the check, which may be written anywhere.
    """
    walked = [frame.f_code for frame, _ in traceback.walk_tb(_traceback(error))]
    return any(code is not run and _is_foreign((code.co_filename, 0, "")) for code in walked)


def told(error: BaseException, *, package: str) -> str:
    """
    Return what an adapter raised, and where in its code.

    Args:
        package: The adapter's top-level package.
    """
    frames = [frame for one in _chain(error) for frame in _frames(one)]
    own = [frame for frame in frames if frame[2].partition(".")[0] == package]
    places = own or [frame for frame in frames if _is_foreign(frame)]
    at = f" at {place(places[-1][0], places[-1][1])}" if places else ""
    return f"The adapter raised {_name(error)}: {text_of(error)}{at}."


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


def text_of(error: BaseException) -> str:
    """Return what an error says, within reason and in one line."""
    try:
        return " ".join(str(error)[:MAX_TEXT].split()).rstrip(".") or "no text"
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  # reason: a stranger's error may fail at anything
        return "no text"


def _name(error: BaseException) -> str:
    """Return the name of an error's class, whatever a metaclass says of it."""
    return str(type.__dict__["__name__"].__get__(type(error)))


def _traceback(error: BaseException) -> TracebackType | None:
    """Return where an error comes from, whatever its class says of it."""
    found: TracebackType | None = BaseException.__dict__["__traceback__"].__get__(error)
    return found


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what caused it: the interpreter turns some errors of generators into others."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        yield found
        seen.add(id(found))
        found = BaseException.__dict__["__cause__"].__get__(found)


def _is_to_blame(error: BaseException) -> bool:
    frames = _frames(error)
    return any(map(_is_foreign, frames)) or (bool(frames) and frames[-1][0].startswith(_CORE))


def _frames(error: BaseException) -> list[tuple[str, int, str]]:
    """Return file, line and module of each frame, outermost first."""
    walked = traceback.walk_tb(_traceback(error))
    return [
        (frame.f_code.co_filename, line, str(frame.f_globals.get("__name__", ""))) for frame, line in walked
    ]


def _is_foreign(frame: tuple[str, int, str]) -> bool:
    path = frame[0]
    if path.startswith((_SUITE, _CORE)):
        return False
    return "site-packages" in path or not path.startswith(_INTERPRETER)
