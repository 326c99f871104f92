"""Many sends at once: how near a mailer comes to what waiting alone would allow.

Rule 1: the provider takes the same time for each answer, whatever the load. Ideal is then one mail for each
        worker in that time; what is missing is work.
Rule 2: the library that carries the mail is measured by itself as well, in turn: what of the work is ours is
        the difference.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, Self

import attrs

from reliability import bare, figures
from reliability.mode import http
from reliability.provider import KEYED, async_mailer, mail, mailer

__all__ = ["GOALS", "Load", "Slow", "main"]

#: Workers → share of the ideal that is promised: tasks of an event loop, and threads.
GOALS = {"tasks": (200, 0.65), "threads": (32, 0.85)}
LIBRARIES = {"tasks": "aiohttp", "threads": "requests"}
_ANSWER = http(200, b'{"id":1,"status":"queued"}')


class Slow:
    """
    A provider in a process of its own, so that its work is not counted; also a context manager.

    Args:
        pause: Seconds that each answer takes.
    """

    def __init__(self, pause: float) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._answered = context.Value("L", 0)
        self._process = context.Process(target=_serve, args=(pause, theirs, self._answered), daemon=True)
        self._process.start()
        self.port: int = ours.recv()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.join()

    @property
    def answered(self) -> int:
        """How many requests it has answered."""
        return int(self._answered.value)

    def settings(self) -> dict[str, Any]:
        """Return the settings that select it."""
        return {"api_url": f"http://127.0.0.1:{self.port}", "api_key": "key", "max_attempts": 1}


def _serve(pause: float, parent: Connection, answered: Any) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            (length,) = (line[15:] for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:")
            await reader.readexactly(int(length))
            await asyncio.sleep(pause)
            writer.write(_ANSWER)
            answered.value += 1
        writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=512)
        parent.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@attrs.frozen
class Load:
    """
    Send from many workers at once, and measure.

    Attributes:
        workers: How many; each has one mail under way at a time.
        mails: How many each of them sends.
        pause: Seconds that the provider takes for each.
    """

    workers: int
    mails: int
    pause: float

    def ideal(self) -> float:
        """Return the mails a second that waiting alone would allow."""
        return self.workers / self.pause

    def best(self, kind: str, provider: Slow, runs: int) -> tuple[float, float]:
        """Return the most mails a second of several runs, ours and the bare library's: no machine is idle."""
        ours: Callable[[Slow], float] = {"tasks": self.tasks, "threads": self.threads}[kind]
        theirs: Callable[[str, int, int], float] = {"tasks": bare.tasks, "threads": bare.threads}[kind]
        url = provider.settings()["api_url"]
        rates = [(ours(provider), theirs(url, self.workers, self.mails)) for _ in range(runs)]
        return max(rate for rate, _ in rates), max(rate for _, rate in rates)

    def tasks(self, provider: Slow) -> float:
        """Return the mails a second of one asynchronous mailer; connections are there already."""

        async def measure() -> float:
            async with async_mailer(KEYED, provider.settings()) as made:

                async def work(number: int) -> None:
                    for _ in range(number):
                        await made.send(mail("load"))

                await asyncio.gather(*(work(1) for _ in range(self.workers)))
                start = time.perf_counter()
                await asyncio.gather(*(work(self.mails) for _ in range(self.workers)))
                return self._rate(start)

        return asyncio.run(measure())

    def threads(self, provider: Slow) -> float:
        """Return the mails a second of one mailer that threads share; connections are there already."""
        with mailer(KEYED, provider.settings()) as made:
            ready = threading.Barrier(self.workers + 1)

            def work() -> None:
                made.send(mail("load"))
                ready.wait()
                for _ in range(self.mails):
                    made.send(mail("load"))

            workers = [threading.Thread(target=work) for _ in range(self.workers)]
            for worker in workers:
                worker.start()
            ready.wait()
            start = time.perf_counter()
            for worker in workers:
                worker.join()
            return self._rate(start)

    def _rate(self, start: float) -> float:
        return self.workers * self.mails / (time.perf_counter() - start)


def main(arguments: Sequence[str]) -> int:
    """Measure both, print the figures, and return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="reliability load", description="Many sends at once.")
    parser.add_argument("--mails", type=int, default=20, help="of each worker")
    parser.add_argument("--pause", type=float, default=0.05, help="seconds the provider takes")
    parser.add_argument("--runs", type=int, default=5, help="of which the best one counts")
    given = parser.parse_args(arguments)
    missed = False
    with Slow(given.pause) as provider:
        for kind, (workers, goal) in GOALS.items():
            load = Load(workers, given.mails, given.pause)
            rate, floor = load.best(kind, provider, given.runs)
            share = rate / load.ideal()
            found = {
                kind: workers,
                "runs": given.runs,
                "mails a second, best run": round(rate),
                "ideal": round(load.ideal()),
                "share of the ideal": f"{share:.2f} (goal: {goal})",
                f"share of {LIBRARIES[kind]} by itself": f"{floor / load.ideal():.2f}",
            }
            figures.show(f"Load, {kind}", found)
            missed = missed or share < goal
    return 1 if missed else 0
