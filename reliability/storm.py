"""An outage must not become a storm: what repeats cost the provider.

Rule 1: while a provider is down, all threads of a mailer together repeat no more than its quota pays for.
Rule 2: where 5 % of the answers are failures, repeats add less than 10 % to the requests.
"""

from __future__ import annotations

import argparse
import random
import threading
import time
from collections.abc import Callable, Sequence

from reliability import figures
from reliability.ending import ended
from reliability.fault_server import Peer, Server
from reliability.mode import http
from reliability.provider import KEYED, Provider, mail, mailer

__all__ = ["DOWN", "STEADY", "Storm", "main"]

DOWN = 1.0
STEADY = 0.05
#: What a quota of 500 tokens pays for at 14 tokens a repeat.
QUOTA_REPEATS = 500 // 14
#: Most requests for a call, where few fail.
STEADY_FACTOR = 1.1
#: Pauses of the library are that much shorter: what is counted are requests.
HASTE = 10.0


class Storm:
    """
    Send from many threads at once to a provider that fails.

    Args:
        share: Of the requests that are answered 503.

    Attributes:
        calls: How often `send` was called.
        requests: How many of them, and of their repeats, the provider saw.
        wrong: Calls that ended neither in a result nor in "not accepted".
    """

    def __init__(self, *, threads: int, share: float, seed: int = 1) -> None:
        self.calls = 0
        self.requests = 0
        self.wrong = 0
        self._threads = threads
        self._share = share
        self._random = random.Random(seed)
        self._provider = Provider()
        self._lock = threading.Lock()

    def run(self, goes_on: Callable[[], bool]) -> None:
        """Send as long as asked to."""
        server = Server(self._script, keeps=False)
        settings = self._provider.settings(server.base)
        made = mailer(KEYED, settings, sleep=lambda seconds: time.sleep(seconds / HASTE))

        def work() -> None:
            while goes_on():
                self._call(lambda: made.send(mail("storm")))

        workers = [threading.Thread(target=work) for _ in range(self._threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        made.close()
        server.close()

    def _call(self, send: Callable[[], object]) -> None:
        ending, _ = ended(send)  # type: ignore[arg-type]  # reason: what it returns is not looked at
        with self._lock:
            self.calls += 1
            self.wrong += ending.outcome not in ("accepted", "not_accepted")

    def _script(self, peer: Peer) -> None:
        while request := peer.read():
            with self._lock:
                self.requests += 1
                fails = self._random.random() < self._share
            peer.write(http(503) if fails else self._provider.answer(request))

    def most(self) -> int:
        """Return how many requests there may have been."""
        if self._share == DOWN:
            return self.calls + QUOTA_REPEATS
        return int(self.calls * STEADY_FACTOR)


def main(arguments: Sequence[str]) -> int:
    """Run both, print the figures, and return 1 where the promise is broken."""
    parser = argparse.ArgumentParser(prog="reliability storm", description="Many threads, one outage.")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the outage")
    parser.add_argument("--threads", type=int, default=100)
    given = parser.parse_args(arguments)
    broken = False
    for title, share, seconds in (("Outage", DOWN, given.seconds), ("5 % fail", STEADY, given.seconds / 4)):
        storm = Storm(threads=given.threads, share=share)
        until = time.monotonic() + seconds
        storm.run(lambda until=until: time.monotonic() < until)  # type: ignore[misc]  # reason: bound now
        found = {
            "threads": given.threads,
            "seconds": seconds,
            "calls of send": storm.calls,
            "requests": storm.requests,
            "at most": storm.most(),
            "neither accepted nor not accepted": storm.wrong,
        }
        figures.show(title, found)
        broken = broken or storm.requests > storm.most() or bool(storm.wrong)
    return 1 if broken else 0
