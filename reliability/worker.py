"""A worker of Celery, with a pool of processes, as a harness starts and kills it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from reliability.queue_app import Plan

__all__ = ["Worker"]

SCRIPT = Path(__file__).resolve().parent / "queue_app.py"


class Worker:
    """A main process and its pool, all in a group of their own."""

    def __init__(self, plan: Plan, log: Path) -> None:
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, str(SCRIPT), plan.to_json()],
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def is_alive(self) -> bool:
        """Return whether the main process is there."""
        return self._process.poll() is None

    def children(self) -> list[int]:
        """Return the processes of the pool."""
        with contextlib.suppress(OSError):
            return [int(pid) for pid in _children(self.pid).read_text(encoding="ascii").split()]
        return []

    def kill(self, signal_: int) -> None:
        """Send a signal to the main process."""
        self._process.send_signal(signal_)

    def kill_group(self, signal_: int) -> None:
        """Send a signal to the main process and to its pool."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal_)

    def wait(self, seconds: float) -> None:
        """Wait until the main process ended, and end what is left."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self.kill_group(signal.SIGKILL)
        self._process.wait()

    def end(self) -> None:
        """Ask the main process to end, and see that it does."""
        self.kill(signal.SIGTERM)
        self.wait(10)


def _children(pid: int) -> Path:
    return Path(f"/proc/{pid}/task/{pid}/children")
