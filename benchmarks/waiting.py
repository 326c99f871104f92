"""Many workers and a provider that takes its time: how near to what waiting alone would allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

from benchmarks import mails
from benchmarks.clients import Postmark
from benchmarks.contest import Contest
from benchmarks.loops import async_senders
from benchmarks.meters import Meter, Work, each, wall
from benchmarks.names import AIOHTTP, ANYMAIL, ASYNC_MAILCORE, HTTPX, IDEAL, MAILCORE, SESSION, URLLIB3
from benchmarks.provider import answering

__all__ = ["CONTESTS", "PAUSE", "in_threads"]

#: Seconds that the provider takes.
PAUSE = 0.05
WORKERS = 32


def in_threads(pool: ThreadPoolExecutor, send: Callable[[], object], threads: int) -> Work:
    """Return what sends a number of mails, a multiple of so many threads, from these."""

    def work(number: int) -> None:
        for done in [pool.submit(each(send), number // threads) for _ in range(threads)]:
            done.result()

    work(threads)  # connections are there already
    return work


@contextmanager
def _waiting() -> Iterator[Contest]:
    with (
        answering(pause=PAUSE) as url,
        ThreadPoolExecutor(WORKERS) as pool,
        async_senders(Postmark(url), mails.typical) as works,
    ):
        senders, number = Postmark(url).senders(mails.typical), WORKERS * 5
        contenders: dict[str, Meter] = {IDEAL: lambda: PAUSE / WORKERS}
        for name in (URLLIB3, SESSION, HTTPX, MAILCORE):
            contenders[name] = wall(in_threads(pool, senders[name], WORKERS), number)
        for name in (AIOHTTP, ASYNC_MAILCORE):
            contenders[name] = wall(works[name](WORKERS), number)
        # Django's backend has one connection, and its messages wait for each other.
        contenders[f"{ANYMAIL}, one after the other"] = wall(each(senders[ANYMAIL]), 5)
        title = f"{WORKERS} workers and a provider that takes {PAUSE * 1000:.0f} ms: the time for each mail"
        yield Contest(title=title, contenders=contenders)


CONTESTS: Mapping[str, Callable[[], AbstractContextManager[Contest]]] = {"waiting": _waiting}
