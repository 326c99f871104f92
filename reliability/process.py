"""A server in a process of its own, which says where it listens.

Rule: it imports the mailcore that is imported here, and this harness; nothing by accident of a folder.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import mailcore

__all__ = ["listening"]

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def listening(
    module: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """
    Start `python -m` with a module and its arguments in a folder; yield the process and its port.

    It is asked to stop in the end, unless it was killed before.
    """
    path = os.pathsep.join([str(Path(mailcore.__file__).parents[1]), str(ROOT)])
    process = subprocess.Popen(
        [sys.executable, "-m", *module],
        env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **(environment or {})},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process, _port(process.stdout or ())
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _port(output: Iterable[str]) -> int:
    said = []
    for line in output:
        said.append(line)
        if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    raise RuntimeError(f"The server did not start: {''.join(said)}")
