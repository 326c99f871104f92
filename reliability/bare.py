"""The libraries that carry mail, without mailcore: how fast anything made of them can be.

Rule: what a program must do all the same is in it, and nothing else: one connection for each worker that is
used again, a body of the same size, and an answer that is read.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time

import aiohttp
import requests

__all__ = ["tasks", "threads"]

_BODY = json.dumps(
    {"from": "ada@example.com", "to": "bob@example.com", "subject": "load", "textbody": "Hello, Bob."}
).encode()
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}


def tasks(url: str, workers: int, mails: int) -> float:
    """Return the requests a second of tasks that share an aiohttp session."""

    async def measure() -> float:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def work(number: int) -> None:
                for _ in range(number):
                    async with session.post(url, data=_BODY, headers=_HEADERS) as answer:
                        await answer.read()

            await asyncio.gather(*(work(1) for _ in range(workers)))
            start = time.perf_counter()
            await asyncio.gather(*(work(mails) for _ in range(workers)))
            return workers * mails / (time.perf_counter() - start)

    return asyncio.run(measure())


def threads(url: str, workers: int, mails: int) -> float:
    """Return the requests a second of threads with a session of requests each."""
    ready = threading.Barrier(workers + 1)

    def work() -> None:
        with requests.Session() as session:
            session.post(url, data=_BODY, headers=_HEADERS, timeout=30)
            ready.wait()
            for _ in range(mails):
                session.post(url, data=_BODY, headers=_HEADERS, timeout=30)

    made = [threading.Thread(target=work) for _ in range(workers)]
    for worker in made:
        worker.start()
    ready.wait()
    start = time.perf_counter()
    for worker in made:
        worker.join()
    return workers * mails / (time.perf_counter() - start)
