"""Mail through a queue, with more and more processes: how near they come to what waiting alone would allow.

Rule 1: the queue is filled before the first worker is started, so that none waits for a mail.
Rule 2: the clock starts when each process has sent one: how long they take to start is another question.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import attrs
from rich.console import Console
from rich.progress import Progress

from reliability import figures
from reliability.brokers import BROKERS, Broker
from reliability.load import Slow
from reliability.provider import KEYED, mail
from reliability.queue_app import Plan, make
from reliability.worker import Worker

__all__ = ["Throughput", "main"]

#: Seconds without any news after which a worker is taken to hang.
PATIENCE = 60.0


@attrs.frozen(kw_only=True)
class Throughput:
    """
    Fill a queue, and measure how fast it empties.

    Attributes:
        processes: Of one worker's pool.
        mails: For each of them, after the first.
        pause: Seconds that the provider takes for each.
    """

    broker: Broker
    processes: int
    mails: int
    pause: float

    def ideal(self) -> float:
        """Return the mails a second that waiting alone would allow."""
        return self.processes / self.pause

    def measure(self, provider: Slow) -> tuple[float, float]:
        """Return the mails a second that are put in the queue, and that are sent from it."""
        before = provider.answered
        with tempfile.TemporaryDirectory() as folder:
            plan = Plan(
                broker=self.broker.url,
                queue=f"workers-{uuid.uuid4().hex}",
                settings={**provider.settings(), "provider": KEYED, "deadline": 2.0},
                folder=folder,
                visibility=600.0,
                children=self.processes,
            )
            filled = self._fill(plan)
            worker = Worker(plan, Path(folder) / "worker.log")
            try:
                start, begun = self._until(provider, before + self.processes)
                end, done = self._until(provider, before + self.processes * (1 + self.mails))
            finally:
                worker.end()
        return filled, (done - begun) / (end - start)

    def _fill(self, plan: Plan) -> float:
        queue, number = make(plan), self.processes * (1 + self.mails)
        try:
            start = time.perf_counter()
            for position in range(number):
                queue.send(mail(f"load-{position}"))
            return number / (time.perf_counter() - start)
        finally:
            queue.close()
            queue.mailers.close()
            queue.app.close()

    def _until(self, provider: Slow, number: int) -> tuple[float, int]:
        """Wait until so many were answered; return when that was, and how many there are."""
        last, since = -1, time.perf_counter()
        while (answered := provider.answered) < number:
            now = time.perf_counter()
            if answered != last:
                last, since = answered, now
            if now - since > PATIENCE:
                raise RuntimeError(f"Nothing was sent for {PATIENCE:.0f} s; {number - answered} are missing.")
            time.sleep(0.001)
        return time.perf_counter(), answered


def main(arguments: Sequence[str]) -> int:
    """Measure with each number of processes, and print the figures."""
    parser = argparse.ArgumentParser(prog="reliability workers", description="Mail through a queue.")
    parser.add_argument("--broker", choices=list(BROKERS), default="redis")
    parser.add_argument(
        "--processes", type=int, nargs="+", default=[1, 2, 4, 8, 16], help="of the worker's pool"
    )
    parser.add_argument("--mails", type=int, default=50, help="for each process")
    parser.add_argument("--pause", type=float, default=0.05, help="seconds the provider takes")
    given = parser.parse_args(arguments)
    found: dict[str, object] = {"broker": given.broker, "seconds the provider takes": given.pause}
    console = Console()
    with (
        tempfile.TemporaryDirectory() as name,
        BROKERS[given.broker][1](Path(name)) as broker,
        Slow(given.pause) as provider,
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        for processes in progress.track(given.processes, description="Sending"):
            made = Throughput(broker=broker, processes=processes, mails=given.mails, pause=given.pause)
            filled, rate = made.measure(provider)
            found[f"processes: {processes}"] = (
                f"{rate:.0f} mails a second, {rate / made.ideal():.2f} of the ideal; "
                f"{filled:.0f} a second put in the queue"
            )
    figures.show("Workers", found)
    return 0
