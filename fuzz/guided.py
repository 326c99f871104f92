"""
Inputs that a coverage-guided fuzzer chooses (atheris): webhook, inbound, address, json, form.

    python -m fuzz.guided webhook inbound --seconds 600

It needs `pip install atheris` (Linux, Python 3.11 or later).
"""

from __future__ import annotations

import argparse
import logging
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from rich.console import Console

from fuzz import figures
from fuzz.campaign import FINDINGS

__all__ = ["main"]

TARGETS = ("webhook", "inbound", "address", "json", "form")
ROOT = Path(__file__).resolve().parent.parent
#: What each target is there to reach, as paths below the repository.
REACHES = {
    "webhook": (
        "mailcore/_receiving.py",
        "mailcore/_dispatcher.py",
        "adapters/mailpace/mailcore_mailpace/_signature.py",
        "adapters/mailpace/mailcore_mailpace/_base64.py",
        "adapters/mailpace/mailcore_mailpace/_events.py",
        "adapters/mailpace/mailcore_mailpace/_inbound.py",
    ),
    "inbound": (
        "mailcore/_inbound/header.py",
        "mailcore/_inbound/body.py",
        "mailcore/_inbound/filename.py",
        "mailcore/_inbound/attachment.py",
        "mailcore/_mime/charset.py",
        "mailcore/_mime/header_reader.py",
        "mailcore/_mime/transfer.py",
        "mailcore/_mime/tree.py",
    ),
    "address": ("mailcore/_address.py", "mailcore/_address_grammar.py", "mailcore/_inbound/header.py"),
    "json": ("mailcore/_strict_json.py",),
    "form": ("mailcore/_delivery.py",),
}
_STATISTIC = re.compile(r"stat::(\w+):\s+(\d+)")
_COVERAGE = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")


def main(arguments: Sequence[str]) -> int:
    """Run the fuzzer on each target, print the figures, and return 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description="Coverage-guided fuzzing.")
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="which; all of them if not given")
    parser.add_argument("--seconds", type=int, default=720, help="for each target")
    parser.add_argument("--findings", type=Path, default=FINDINGS, help="folder for inputs that broke it")
    given = parser.parse_args(arguments)
    given.findings.mkdir(parents=True, exist_ok=True)
    return max(_guide(name, given.seconds, given.findings) for name in given.targets or TARGETS)


def _guide(name: str, seconds: int, findings: Path) -> int:
    limits = (f"-max_total_time={seconds}", "-timeout=20", "-max_len=20000")
    options = (*limits, "-print_final_stats=1", f"-artifact_prefix={findings}/{name}-")
    with tempfile.TemporaryDirectory() as folder, Console(stderr=True).status(f"{name}, for {seconds} s"):
        done = subprocess.run(
            [sys.executable, "-m", "fuzz.guided_process", name, folder, *options],
            cwd=ROOT,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        kept = [path.read_bytes() for path in Path(folder).iterdir()]
        reached = dict(_lines_reached(name, kept))
    figures.show(f"Guided fuzzing: {name}", {**_statistics(done.stderr), **reached, "ended": done.returncode})
    if done.returncode:
        Console(stderr=True).print(done.stderr[-3000:], markup=False, style="red")
    return 1 if done.returncode else 0


def _statistics(said: str) -> dict[str, object]:
    found = dict(_STATISTIC.findall(said))
    coverage = _COVERAGE.findall(said)
    edges, features, inputs = map(int, coverage[-1] if coverage else (0, 0, 0))
    return {
        "inputs tried": int(found.get("number_of_executed_units", 0)),
        "inputs kept": inputs,
        "edges": edges,
        "features": features,
    }


# Lines ----------------------------------------------------------------------------------------------


def _lines_reached(name: str, inputs: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Yield, for each file the target is there for, how many lines of its functions the inputs reach."""
    from fuzz.targets import TARGETS as CALLED

    logging.disable(logging.CRITICAL)
    wanted = {_in_use(path): path for path in REACHES[name]}
    hit: dict[str, set[int]] = {file: set() for file in wanted}

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        lines = hit.get(frame.f_code.co_filename)
        if lines is None:
            return None
        if event == "line":
            lines.add(frame.f_lineno)
        return trace

    sys.settrace(trace)
    try:
        for data in inputs:
            CALLED[name](data)
    finally:
        sys.settrace(None)
    for file, path in wanted.items():
        lines = _lines(compile(Path(file).read_text(encoding="utf-8"), file, "exec"))
        yield path, f"{len(lines & hit[file])} of {len(lines)} lines in functions"


def _in_use(path: str) -> str:
    """Return the file that runs for a path of the repository: an adapter's may be an installed copy."""
    package, *within = Path(path).parts[-2 if path.startswith("adapters/") else 0 :]
    (folder,) = import_module(package).__path__
    return str(Path(folder, *within))


def _lines(code: CodeType, *, of_function: bool = False) -> set[int]:
    """Return the lines of functions; those of modules and classes are reached by importing."""
    is_function = of_function or bool(code.co_flags & 0x2)  # CO_NEWLOCALS: no module, no class
    found = (
        {line for *_, line in code.co_lines() if line and line != code.co_firstlineno}
        if is_function
        else set()
    )
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return found.union(*(_lines(one, of_function=bool(one.co_flags & 0x1)) for one in inner))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
