"""Workers that are killed at any moment, and then the books are compared.

Rule 1: with keys, every mail arrives exactly once.
Rule 2: without keys, none arrives twice, and each that is missing is in the review list.
Rule 3: a kill counts when a process that could hold mail was there to be killed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs
from rich.console import Console
from rich.progress import Progress

from mailcore import Attachment
from mailcore.queues.celery import MailQueue
from mailcore.stores.folder import ReviewFolder
from reliability import figures
from reliability.brokers import BROKERS, Broker
from reliability.chaos import Chaos
from reliability.fault_server import Server
from reliability.provider import KEYED, KEYLESS, Provider, mail
from reliability.queue_app import Plan, make
from reliability.worker import Worker

__all__ = ["METHODS", "Kills", "main"]

#: What a worker says of each.
STRUCK = "WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL) Job:"
#: Mails that arrive before a worker that was started is taken to be at work.
BUSY = 5
#: Seconds without any news after which what is missing is called lost.
PATIENCE = 60.0
#: Each so many mails has an attachment that the broker does not get.
ATTACHED = 10


# The ways to kill --------------------------------------------------------------------------------


def _child(worker: Worker, chance: random.Random) -> bool:
    """SIGKILL of one process of the pool."""
    found = worker.children()
    if found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(found), signal.SIGKILL)
    return bool(found)


def _all(worker: Worker, chance: random.Random) -> bool:
    """SIGKILL of a whole worker."""
    found = worker.children()
    if found:
        worker.kill_group(signal.SIGKILL)
        worker.wait(5)
    return bool(found)


def _stop(number: int) -> Callable[[Worker, random.Random], bool]:
    def kill(worker: Worker, chance: random.Random) -> bool:
        found = worker.children()
        if found:
            worker.kill(number)
            worker.wait(10)
        return bool(found)

    return kill


METHODS: Mapping[str, Callable[[Worker, random.Random], bool]] = {
    "SIGKILL of a process of the pool": _child,
    "SIGKILL of a worker": _all,
    "SIGTERM of a worker": _stop(signal.SIGTERM),
    "SIGQUIT of a worker": _stop(signal.SIGQUIT),
}
#: How often each is used, compared with the others: a worker takes a second or two to start.
WEIGHTS = (120, 2, 1, 1)


@attrs.define(kw_only=True)
class Kills:
    """
    Send mail through workers that are killed.

    Attributes:
        broker: What is between.
        keys: Whether the provider knows idempotency keys.
        kills: How often something is killed from outside.
        share, main_share: See `Plan`: further kills, from inside.
        harm: Share of the provider's answers that are harmed.
        pause: Most seconds between kills from outside.
        weights: How often each method is used.
        journaled: Whether what Redis may lose is put back from a journal.
        seconds: After which nothing is killed any more.
        backlog: Mails that wait at the broker, so that no process is without one for long.
    """

    broker: Broker
    folder: Path
    kills: int
    keys: bool = True
    share: float = 0.0
    main_share: float = 0.0
    harm: float = 0.05
    pause: float = 0.1
    workers: int = 2
    backlog: int = 60
    seconds: float = float("inf")
    weights: Sequence[int] = WEIGHTS
    journaled: bool = True
    seed: int = 1
    provider: Provider = attrs.field(factory=Provider)
    killed: Counter[str] = attrs.field(factory=Counter)
    names: list[str] = attrs.field(factory=list)
    requests: int = 0
    _begun: dict[int, int] = attrs.field(factory=dict, init=False)

    def run(self, tell: Callable[[], object] = lambda: None) -> float:
        """Send and kill; return the seconds that took."""
        begin = time.monotonic()
        chaos = Chaos(self.provider, share=self.harm, seed=self.seed)
        server = Server(chaos.script, keeps=False)
        settings = {
            **self.provider.settings(server.base),
            "provider": KEYED if self.keys else KEYLESS,
            "max_attempts": 1,
            "deadline": 2.0,
        }
        plan = Plan(
            broker=self.broker.url,
            queue=f"kills-{uuid.uuid4().hex}",
            settings=settings,
            folder=str(self.folder),
            share=self.share,
            main_share=self.main_share,
            journaled=self.journaled,
        )
        try:
            self._run(plan, tell)
        finally:
            server.close()
        self.requests = chaos.answered
        return time.monotonic() - begin

    def _run(self, plan: Plan, tell: Callable[[], object]) -> None:
        queue, done = make(plan), threading.Event()
        sender = threading.Thread(target=self._feed, args=(queue, done))
        workers = [self._worker(plan) for _ in range(self.workers)]
        sender.start()
        try:
            self._kill(workers, plan, tell)
            done.set()
            sender.join()
            self._settle(workers, attrs.evolve(plan, share=0.0, main_share=0.0))
        finally:
            done.set()
            for worker in workers:
                worker.kill(signal.SIGTERM)
            for worker in workers:
                worker.wait(10)
            queue.mailers.close()
            queue.app.close()

    def _worker(self, plan: Plan) -> Worker:
        worker = Worker(plan, self.folder / "worker.log")
        self._begun[worker.pid] = self.provider.number()
        return worker

    def _is_busy(self, worker: Worker) -> bool:
        """Return whether mail has arrived since it was started: one that still starts holds none."""
        return self.provider.number() - self._begun[worker.pid] > BUSY

    def _feed(self, queue: MailQueue, done: threading.Event) -> None:
        """Keep some mails waiting."""
        while not done.is_set():
            if len(self.names) - self.provider.number() - self._shelved() > self.backlog:
                done.wait(0.02)
                continue
            self.send(queue, f"kill-{len(self.names):07}")

    def send(self, queue: MailQueue, name: str) -> None:
        """Put one mail in the queue."""
        message = mail(name)
        if len(self.names) % ATTACHED == 0:
            file = Attachment(content=b"x" * 2000, filename="a.txt")
            message = attrs.evolve(message, attachments=[file])
        self.names.append(name)
        queue.send(message)

    def _kill(self, workers: list[Worker], plan: Plan, tell: Callable[[], object]) -> None:
        chance = random.Random(self.seed)
        until = time.monotonic() + self.seconds
        while sum(self.killed.values()) < self.kills and time.monotonic() < until:
            time.sleep(chance.random() * self.pause)
            number = chance.randrange(len(workers))
            if not workers[number].is_alive():  # it killed itself, or its last one did
                workers[number].wait(0)
                workers[number] = self._worker(plan)
                continue
            (method,) = chance.choices(list(METHODS), self.weights)
            if self._is_busy(workers[number]) and METHODS[method](workers[number], chance):
                self.killed[method] += 1
                self._begun[workers[number].pid] = (
                    self.provider.number() - BUSY
                )  # until the next mail arrives
                tell()

    def _settle(self, workers: list[Worker], plan: Plan) -> None:
        """Wait until every mail has arrived or is in the review list, or nothing happens any more."""
        for number, worker in enumerate(workers):
            worker.kill_group(signal.SIGKILL)
            worker.wait(5)
            workers[number] = self._worker(plan)
        last, since = -1, time.monotonic()
        while (left := len(self._missing())) and time.monotonic() - since < PATIENCE:
            if left != last:
                last, since = left, time.monotonic()
            time.sleep(0.1)

    def _missing(self) -> set[str]:
        return set(self.names) - set(self.provider.taken()) - set(self._reviewed())

    def _shelved(self) -> int:
        """Return how many mails are in the review list; those that are being sent without a key are."""
        return sum(1 for _ in (self.folder / "review").glob("*.json"))

    def _reviewed(self) -> Iterator[str]:
        review = ReviewFolder(self.folder / "review")
        return (str(unsettled.job.message.subject) for unsettled in review)

    # The books ----------------------------------------------------------------------------------

    def figures(self) -> dict[str, int]:
        """Compare what was sent with what the provider has."""
        taken, reviewed = self.provider.taken(), set(self._reviewed())
        return {
            "lost": len(self._missing()),
            "duplicated": sum(number - 1 for number in taken.values()),
            "in the review list, though it has a key": len(reviewed) if self.keys else 0,
        }

    def story(self) -> dict[str, object]:
        """Tell what happened on the way."""
        deaths = self._deaths()
        return {
            "broker": self.broker.name,
            "mails": len(self.names),
            "requests": self.requests,
            "kills": sum(self.killed.values()) + sum(deaths.values()),
            **self.killed,
            "SIGKILL from within, before or after a step": sum(deaths.values()),
            "processes of a pool that died with a mail in hand": self._struck(),
        }

    def _struck(self) -> int:
        path = self.folder / "worker.log"
        return path.read_text(encoding="utf-8", errors="replace").count(STRUCK) if path.exists() else 0

    def _deaths(self) -> Counter[str]:
        path = self.folder / "deaths"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return Counter(lines)


def main(arguments: Sequence[str]) -> int:
    """Send and kill, print the figures, and return 1 where the promise is broken."""
    parser = argparse.ArgumentParser(prog="reliability kills", description="Workers that are killed.")
    parser.add_argument("--broker", choices=list(BROKERS), default="redis")
    parser.add_argument("--kills", type=int, default=200, help="from outside")
    parser.add_argument(
        "--share", type=float, default=0.04, help="of steps that a process dies before or after"
    )
    parser.add_argument("--main-share", type=float, default=0.0005, help="the same for main processes")
    parser.add_argument("--harm", type=float, default=0.05, help="share of the provider's answers harmed")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="after which no more is killed")
    parser.add_argument("--whole-workers", action="store_true", help="use SIGKILL of whole workers alone")
    parser.add_argument("--without-journal", action="store_true", help="see what Redis loses")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-keys", action="store_true", help="the provider knows no keys")
    given = parser.parse_args(arguments)
    # Who is told to end still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    console = Console()
    with tempfile.TemporaryDirectory() as name, BROKERS[given.broker][1](Path(name)) as broker:
        made = Kills(
            broker=broker,
            folder=Path(name),
            kills=given.kills,
            weights=(0, 1, 0, 0) if given.whole_workers else WEIGHTS,
            journaled=not given.without_journal,
            seconds=given.seconds,
            keys=not given.without_keys,
            share=given.share,
            main_share=given.main_share,
            harm=given.harm,
            seed=given.seed,
        )
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("Killing", total=given.kills)
            seconds = made.run(lambda: progress.advance(task))
        found = made.figures()
        figures.show("Kills", {**found, **made.story(), "seconds": f"{seconds:.1f}"})
    return 1 if any(found.values()) else 0
