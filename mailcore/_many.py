"""Work on many things at once, in a bounded window, and hand back the answers in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import copy_context
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["in_order"]

T = TypeVar("T")
R = TypeVar("R")


def in_order(
    work: Callable[[Sequence[T]], R], items: Iterable[T], *, size: int, concurrency: int
) -> Iterator[R]:
    """
    Yield `work(chunk)` for each chunk of at most `size` items, in order.

    At most `concurrency` chunks are taken from `items` and not yet yielded. When iteration is
    abandoned, what was taken is finished before this returns; when `items` raises, the answers to
    what was taken are yielded before its error is raised. Each is done in a copy of the caller's context.

    Raises:
        ValueError: `concurrency` is below 1.
    """
    from concurrent.futures import ThreadPoolExecutor

    if concurrency < 1:
        raise ValueError("concurrency is at least 1.")
    source = iter(items)
    failure: Exception | None = None
    pending: deque[Future[R]] = deque()
    with ThreadPoolExecutor(concurrency, thread_name_prefix="mailcore-send") as pool:
        while True:
            try:
                while len(pending) < concurrency and (chunk := list(islice(source, size))):
                    pending.append(pool.submit(copy_context().run, work, chunk))
            except Exception as error:  # noqa: BLE001  # reason: raised below, when nothing is pending
                failure, source = error, iter(())
            if not pending:
                break
            yield pending.popleft().result()
    if failure is not None:
        raise failure
