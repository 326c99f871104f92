"""What core yields while it works, and the two ways to carry it out.

Rule: what is decided between two steps is written once, as a generator, for sync and async. Who carries
it out decides nothing: each step is answered with what came of it, or with the error.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeAlias, TypeVar

import attrs

from mailcore._http import Request
from mailcore._transport import Deadline

__all__ = ["Call", "Pause", "Steps", "drive", "drive_async"]

T = TypeVar("T")
S = TypeVar("S")


@attrs.frozen
class Pause:
    """Let that many seconds pass."""

    seconds: float


@attrs.frozen
class Call:
    """Call a function of the user's, which may block, and may be a coroutine function in async code."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


#: An adapter's flow yields requests alone. Core adds pauses, calls, and deadlines, each of which holds for
#: the requests that follow it.
Steps: TypeAlias = Generator[Request | Pause | Call | Deadline, Any, T]


def drive(flow: Generator[S, Any, T], carry_out: Callable[[S], Any]) -> T:
    """Carry out a flow's steps one by one and return what it returns; what stops one is told to the flow."""
    stopped = False
    try:
        step = next(flow)
        while True:
            try:
                found = carry_out(step)
            except Exception as failure:  # noqa: BLE001  # reason: what it proves is the flow's to say
                step = flow.throw(failure)
            except BaseException as halt:
                if stopped:  # what cleans up was stopped as well, or never ends
                    raise
                stopped = True
                step = flow.throw(halt)
            else:
                step = flow.send(found)
    except StopIteration as stop:
        value: T = stop.value
        return value
    finally:
        flow.close()


async def drive_async(flow: Generator[S, Any, T], carry_out: Callable[[S], Awaitable[Any]]) -> T:
    """Do what `drive` does, and wait for each step; the flow of one that is cancelled may still clean up."""
    stopped = False
    try:
        step = next(flow)
        while True:
            try:
                found = await carry_out(step)
            except Exception as failure:  # noqa: BLE001  # reason: what it proves is the flow's to say
                step = flow.throw(failure)
            except BaseException as halt:
                if stopped:  # what cleans up was stopped as well, or never ends
                    raise
                stopped = True
                step = flow.throw(halt)
            else:
                step = flow.send(found)
    except StopIteration as stop:
        value: T = stop.value
        return value
    finally:
        flow.close()
