"""Runs an attack many times, in several processes, and keeps what broke a promise.

Rule: what is tried depends on the seed and its number alone, so that a run can be repeated.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import multiprocessing
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import attrs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fuzz import figures

__all__ = ["Campaign", "Finding", "Tally"]

FINDINGS = Path("fuzz") / "findings"
#: Attempts a process makes before it reports.
STEP = 2000
MAX_FINDINGS = 100


@attrs.frozen
class Finding:
    """A promise that did not hold, and the input that showed it."""

    broken: str
    data: bytes


@attrs.define
class Tally:
    """What came of a number of attempts."""

    counts: Counter[str] = attrs.field(factory=Counter)
    findings: list[Finding] = attrs.field(factory=list)

    def add(self, other: Tally) -> None:
        """Take another one's counts and findings."""
        self.counts += other.counts
        self.findings += other.findings[: MAX_FINDINGS - len(self.findings)]


@attrs.frozen(kw_only=True)
class Campaign:
    """
    One attack, as a command.

    Attributes:
        name: What is attacked, for the heading.
        unit: What is counted, as the option is named.
        default: How many of them.
        attack: Takes a seed and a number, makes so many attempts, and returns what came of them.
        first: What is done once, before.
    """

    name: str
    unit: str
    default: int
    attack: Callable[[int, int], Tally]
    first: Callable[[], Tally] = Tally

    def main(self, arguments: list[str]) -> int:
        """Run it, print the figures, and return 1 where a promise was broken."""
        given = self._options().parse_args(arguments)
        total = getattr(given, self.unit)
        started = time.monotonic()
        _silence()
        tally = self.first()
        done = self._run(tally, total, given.seed, given.processes)
        kept = [_keep(finding, given.findings) for finding in tally.findings]
        seconds = time.monotonic() - started
        figures.show(
            self.name,
            {
                self.unit: done,
                **dict(sorted(tally.counts.items())),
                "broken promises": len(kept),
                "seconds": f"{seconds:.0f}, in {given.processes} processes",
            },
        )
        for finding, path in zip(tally.findings, kept, strict=True):
            Console(stderr=True).print(f"{finding.broken}: {path}", style="red")
        return 1 if kept or done < total else 0

    def _options(self) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(description=f"{self.name}.")
        parser.add_argument(f"--{self.unit}", type=int, default=self.default, help="how many")
        parser.add_argument("--seed", type=int, default=1, help="what the attempts depend on")
        parser.add_argument("--processes", type=int, default=2)
        parser.add_argument("--findings", type=Path, default=FINDINGS, help="folder for inputs that broke it")
        return parser

    def _run(self, tally: Tally, total: int, seed: int, processes: int) -> int:
        """Add to the tally, and return how many were tried: fewer than `total` after Ctrl-C."""
        console, done = Console(stderr=True), 0
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task(self.name, total=total)
            for size, found in self._pieces(total, seed, processes):
                tally.add(found)
                done += size
                progress.advance(task, size)
        return done

    def _pieces(self, total: int, seed: int, processes: int) -> Iterator[tuple[int, Tally]]:
        sizes = [min(STEP, total - at) for at in range(0, total, STEP)]
        # Spawned: a fork would share what the first process has open.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=context, initializer=_prepare) as pool:
            running = {
                pool.submit(self.attack, seed * 1_000_000_007 + number, size): size
                for number, size in enumerate(sizes)
            }
            try:
                for done in as_completed(running):
                    yield running[done], done.result()
            except KeyboardInterrupt:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # what was tried is still told
                pool.shutdown(cancel_futures=True)


def _silence() -> None:
    """Refusals are logged, and nearly everything here is refused."""
    logging.disable(logging.CRITICAL)


def _prepare() -> None:
    """Begin a process; Ctrl-C is for the first one, which then ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _silence()


def _keep(finding: Finding, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(finding.data).hexdigest()[:16]}.bin"
    path.write_bytes(finding.data)
    path.with_suffix(".txt").write_text(f"{finding.broken}\n", encoding="utf-8")
    return path
