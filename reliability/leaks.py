"""Many sends, good and bad: memory and open files stay as they are.

Rule: what grows is the client. The server keeps nothing, and every fourth answer breaks off.
"""

from __future__ import annotations

import argparse
import gc
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
from rich.console import Console
from rich.progress import track

from reliability import figures
from reliability.ending import ended
from reliability.fault_server import Peer, Server
from reliability.mode import http
from reliability.provider import KEYED, Provider, mail, mailer

__all__ = ["Sample", "main", "samples", "slope"]

YES = http(200, b'{"id": 1, "status": "pending"}')
#: Sends between two looks.
STEP = 1000
#: Bytes a send may leave behind, and open files: what is measured is not exact to the byte.
MAX_SLOPE = 10.0
MAX_FILES = 4


@attrs.frozen
class Sample:
    """What the process held after that many sends."""

    sends: int
    memory: int
    files: int


def samples(sends: int, *, step: int) -> Iterator[Sample]:
    """Send, and yield what is held after each step."""
    server = Server(_every_fourth_breaks, keeps=False)
    settings = {**Provider().settings(server.base), "max_attempts": 1}
    with mailer(KEYED, settings) as made:
        for number in range(1, sends + 1):
            ended(lambda: made.send(mail("leak")))
            if number % step == 0:
                gc.collect()
                yield Sample(number, _memory(), len(list(Path("/dev/fd").iterdir())))
    server.close()


def _every_fourth_breaks(peer: Peer) -> None:
    for _ in range(3):
        if not peer.read():
            return
        peer.write(YES)
    if peer.read():
        peer.write(YES[:-7])


def _memory() -> int:
    """Return the bytes this process has in memory."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def slope(found: Sequence[Sample]) -> float:
    """Return the bytes that each send leaves behind: the line that fits the later half best."""
    later = found[len(found) // 2 :]
    mean_x = sum(one.sends for one in later) / len(later)
    mean_y = sum(one.memory for one in later) / len(later)
    over = sum((one.sends - mean_x) * (one.memory - mean_y) for one in later)
    return over / (sum((one.sends - mean_x) ** 2 for one in later) or 1)


def main(arguments: Sequence[str]) -> int:
    """Send, print the figures, and return 1 where something grows."""
    parser = argparse.ArgumentParser(prog="reliability leaks", description="Memory and open files.")
    parser.add_argument("--sends", type=int, default=100_000)
    given = parser.parse_args(arguments)
    console = Console()
    steps = track(
        samples(given.sends, step=STEP),
        "Sending",
        total=given.sends // STEP,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    found = list(steps)
    grown, files = slope(found), [one.files for one in found]
    figures.show(
        "Leaks",
        {
            "sends": given.sends,
            "memory at first": f"{found[0].memory / 2**20:.1f} MiB",
            "memory at last": f"{found[-1].memory / 2**20:.1f} MiB",
            "bytes a send leaves behind": f"{grown:.2f}",
            "open files": f"{min(files)} to {max(files)}",
        },
    )
    return 1 if grown > MAX_SLOPE or max(files) - min(files) > MAX_FILES else 0
