"""What sends a mail in an event loop: by hand with one library or another, and not by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from typing import Any, TypeAlias

import aiohttp
import httpx

from benchmarks.clients import Postmark
from benchmarks.mails import Kind
from benchmarks.meters import Work
from benchmarks.names import AIOHTTP, ASYNC_HTTPX, ASYNC_MAILCORE
from mailcore import AsyncMailer

__all__ = ["async_senders"]


#: Makes a mail and sends it.
Sender: TypeAlias = Callable[[], Coroutine[Any, Any, object]]


@contextmanager
def async_senders(postmark: Postmark, kind: Kind) -> Iterator[dict[str, Callable[[int], Work]]]:
    """Yield, by its name, what returns the work of so many tasks at once; the floor is first."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            senders = runner.run(_opened(stack, postmark, kind))
            yield {name: partial(_work, runner, send) for name, send in senders.items()}
        finally:
            runner.run(stack.aclose())


async def _opened(stack: AsyncExitStack, postmark: Postmark, kind: Kind) -> dict[str, Sender]:
    connector = aiohttp.TCPConnector(limit=0)
    session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    client = await stack.enter_async_context(httpx.AsyncClient(limits=limits))
    mailer = await stack.enter_async_context(AsyncMailer.from_config(postmark.settings(), environ={}))
    at, headers, document = postmark.address, postmark.headers, kind.document

    async def by_aiohttp() -> object:
        async with session.post(at, json=document(), headers=headers) as response:
            return await response.json()

    async def by_httpx() -> object:
        return (await client.post(at, json=document(), headers=headers)).json()

    async def by_mailcore() -> object:
        return await mailer.send(kind.message())

    return {AIOHTTP: by_aiohttp, ASYNC_HTTPX: by_httpx, ASYNC_MAILCORE: by_mailcore}


def _work(runner: asyncio.Runner, send: Sender, tasks: int) -> Work:
    async def some(number: int) -> None:
        for _ in range(number):
            await send()

    async def at_once(number: int) -> None:
        share, rest = divmod(number, tasks)
        await asyncio.gather(*(some(share + (task < rest)) for task in range(tasks)))

    runner.run(at_once(tasks))  # connections are there already
    return lambda number: runner.run(at_once(number))
