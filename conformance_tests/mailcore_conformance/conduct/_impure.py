"""Catches an adapter at reading what it was not given: the clock, chance, the environment, files, a log.

Rule 1: the interpreter itself is asked (sys.setprofile), so that no way to import a function hides it.
Rule 2: what core does on the adapter's behalf (reading an attached file) is core's; importing is nobody's.
"""

from __future__ import annotations

import gc
import logging
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import mailcore
from mailcore_conformance._blame import place

__all__ = ["KINDS", "watched"]

# With the separator: an adapter's `mailcore_pigeon` may be installed beside `mailcore`.
_CORE = str(Path(mailcore.__file__).parent) + os.sep
_SUITE = str(Path(__file__).parents[1]) + os.sep
#: Makes options and adapters.
_CONFIGURATION = str(Path(_CORE, "_config.py"))
#: The only adapters within core.
_PROVIDERS = str(Path(_CORE, "providers")) + os.sep
_LIBRARY = str(Path(logging.__file__).parents[1])
#: What is read in order to log or to warn is a part of that.
_LOGGING = (str(Path(logging.__file__).parent), warnings.__file__)

#: Module → its functions written in C that read it, by what they read.
_COMPILED: Mapping[str, Mapping[str, str]] = {
    "clock": {
        "time": "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time sleep",
        "datetime": "datetime.now datetime.utcnow datetime.today date.today",
    },
    "random": {
        "posix": "urandom getrandom",
        "nt": "urandom",
        "_uuid": "generate_time_safe",
    },
    "environment": {
        "posix": "getpid getppid getcwd uname getlogin",
        "nt": "getpid getppid getcwd getlogin",
        "_socket": "gethostname",
        "sys": "_getframe _current_frames",  # who calls is none of an adapter's business
    },
    "files": {
        "_io": "open open_code",
        "io": "open",
        "posix": "open listdir scandir stat",
        "nt": "open listdir scandir stat",
    },
    "logging": {"builtins": "print", "_warnings": "warn warn_explicit"},
}
KINDS = tuple(_COMPILED)
_READS: Mapping[tuple[str, str], str] = {
    (module, name): kind
    for kind, modules in _COMPILED.items()
    for module, names in modules.items()
    for name in names.split()
}


def _code(function: Any) -> CodeType:
    found: CodeType = function.__code__
    return found


#: The same for functions written in Python.
_PYTHON: Mapping[CodeType, str] = {
    _code(type(os.environ).__getitem__): "environment",
    _code(type(os.environ).__iter__): "environment",
    _code(logging.Logger._log): "logging",  # noqa: SLF001  # reason: every way to log leads through it
    **{
        _code(getattr(logging.Logger, name)): "logging"
        for name in ("debug", "info", "warning", "error", "critical", "log")
    },
}
_SEED = _code(random.Random.seed)
#: All their names, for a quick look.
_NAMES = frozenset(
    {
        *(name.rpartition(".")[2] for _, name in _READS),
        *(code.co_name for code in (*_PYTHON, _SEED)),
        *(name for name in dir(random.Random) if not name.startswith("_")),
    }
)


@contextmanager
def watched() -> Iterator[Callable[[], list[tuple[str, str]]]]:
    """Watch what is called; yields what returns each kind of finding with what and where it was."""
    found: dict[tuple[str, str], None] = {}

    def watch(frame: FrameType, event: str, function: Any) -> None:
        kind = name = None
        if event == "c_call":
            name = function.__name__
            kind = _compiled(function) if name in _NAMES else None
        elif event == "call":
            name = frame.f_code.co_name  # its code is slow to look up
            kind = _python(frame) if name in _NAMES else None
        if kind is not None:
            place, log = _adapter_frame(frame)
            if place is not None:
                found["logging" if log else kind, f"{name} is called at {place}"] = None

    before, collects = sys.getprofile(), gc.isenabled()
    gc.disable()  # a test runner may have functions of its own called at each collection
    sys.setprofile(watch)
    try:
        yield lambda: list(found)
    finally:
        sys.setprofile(before)
        if collects:
            gc.enable()


def _compiled(function: Any) -> str | None:
    owner = getattr(function, "__self__", None)
    if isinstance(owner, random.Random):
        shared = owner is random._inst or isinstance(owner, random.SystemRandom)  # noqa: SLF001  # reason: no public name
        return "random" if shared else None
    module = function.__module__ or getattr(owner, "__module__", "")
    return _READS.get((module, function.__qualname__))


def _python(frame: FrameType) -> str | None:
    if frame.f_code is _SEED and frame.f_locals.get("a") is None:
        return "random"
    return _PYTHON.get(frame.f_code)


def _adapter_frame(frame: FrameType | None) -> tuple[str | None, bool]:
    """
    Return the place in somebody's code that led here, and whether it did by logging.

    None where core or an import led here.
    """
    log = False
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(("<frozen importlib", _SUITE)) or _of_core(name):
            return None, log
        if not name.startswith("<") and not _of_library(name):
            return (None if _in_making(frame) else place(name, frame.f_lineno)), log
        log = log or name.startswith(_LOGGING)
        frame = frame.f_back
    return None, log


def _in_making(frame: FrameType) -> bool:
    """Return whether options or an adapter are being made: that is before any work."""
    above: FrameType | None = frame
    while above is not None and not above.f_code.co_filename.startswith(_SUITE):
        if above.f_code.co_filename == _CONFIGURATION:
            return True
        above = above.f_back
    return False


def _of_core(name: str) -> bool:
    return name.startswith(_CORE) and not name.startswith(_PROVIDERS)


def _of_library(name: str) -> bool:
    return name.startswith(_LIBRARY) and "site-packages" not in name
