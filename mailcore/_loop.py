"""What of asyncio core needs: waiting, calling, and work on many things at once.

Rule: the only file of the engine that knows asyncio, imported when async code first needs it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Sequence,
)
from contextlib import asynccontextmanager, suppress
from inspect import iscoroutinefunction
from typing import Any, TypeVar

__all__ = ["call", "in_order", "repeating", "sleep"]

T = TypeVar("T")
R = TypeVar("R")

_log = logging.getLogger("mailcore.webhooks")

sleep = asyncio.sleep


async def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function returns: a coroutine function runs in the loop, another one in a thread."""
    if iscoroutinefunction(function):
        return await function(*arguments)
    found = await asyncio.to_thread(_called, function, *arguments)
    return await found if hasattr(found, "__await__") else found


def _called(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except StopIteration as error:  # no future can hold one: whoever waits would wait for ever
        raise RuntimeError("A function raised StopIteration.") from error


async def in_order(
    work: Callable[[Sequence[T]], Awaitable[R]],
    items: Iterable[T] | AsyncIterable[T],
    *,
    size: int,
    concurrency: int,
) -> AsyncGenerator[R, None]:
    """
    Yield `await work(chunk)` for each chunk of at most `size` items, in order.

    At most `concurrency` chunks are taken from `items` and not yet yielded. When iteration is
    closed, what was taken is finished first; when it is cancelled, what was taken is cancelled too.
    When `items` raises, the answers to what was taken are yielded before its error is raised.

    Raises:
        ValueError: `concurrency` is below 1.
    """
    if concurrency < 1:
        raise ValueError("concurrency is at least 1.")
    source = _Source(items, size)
    pending: deque[asyncio.Future[R]] = deque()
    try:
        while True:
            while len(pending) < concurrency and (chunk := await source.chunk()):
                pending.append(asyncio.ensure_future(work(chunk)))
            if not pending:
                break
            yield await pending[0]
            pending.popleft()
    except asyncio.CancelledError:
        for task in pending:
            task.cancel()
        raise
    finally:
        await asyncio.gather(*pending, return_exceptions=True)
    source.finish()


class _Source:
    """Take chunks of items until there are none, or one cannot be had."""

    def __init__(self, items: Iterable[Any] | AsyncIterable[Any], size: int) -> None:
        self._items = aiter(items) if isinstance(items, AsyncIterable) else _lifted(items)
        self._size = size
        self._failure: Exception | None = None
        self._ended = False

    async def chunk(self) -> list[Any]:
        """Return the next items; none where it has ended."""
        found: list[Any] = []
        try:
            while len(found) < self._size and not self._ended:
                found.append(await anext(self._items))
        except StopAsyncIteration:
            self._ended = True
        except Exception as error:  # noqa: BLE001  # reason: raised by `finish`, when nothing is pending
            self._failure, self._ended = error, True
        return found

    def finish(self) -> None:
        """Raise what the items raised."""
        if self._failure is not None:
            raise self._failure


async def _lifted(items: Iterable[T]) -> AsyncIterator[T]:
    for item in items:
        yield item


@asynccontextmanager
async def repeating(function: Callable[[], Awaitable[object]], *, every: float) -> AsyncIterator[None]:
    """
    Call a function again and again while the block runs.

    An error of it is logged, and does not end this. What is under way at the end is finished first.

    Args:
        every: Seconds between two calls.
    """
    stop = asyncio.Event()
    task = asyncio.create_task(_repeat(function, every, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def _repeat(function: Callable[[], Awaitable[object]], every: float, stop: asyncio.Event) -> None:
    while True:
        try:
            await function()
        except Exception:  # noqa: BLE001  # reason: the spool is the user's code, or a full disk
            _log.exception("The spool could not be drained; it is tried again.")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)
        if stop.is_set():
            return
