"""Repeats in tests: without the waiting, and as few as the test wants."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from mailcore._retry import LIMITS

__all__ = ["no_pauses", "retries"]


@contextmanager
def retries(*, max_attempts: float = math.inf) -> Iterator[None]:
    """
    Let every mailer of this process repeat without a pause, and make at most so many attempts.

    What is repeated, and what is not, is decided as in production: a wait of more than the deadline, for
    one, still ends the send.

    Args:
        max_attempts: The first included; settings that allow fewer stay. 1: nothing is repeated.
    """
    if max_attempts < 1:
        raise ValueError("max_attempts is at least 1.")
    before = LIMITS.max_attempts, LIMITS.pauses
    LIMITS.max_attempts, LIMITS.pauses = min(max_attempts, LIMITS.max_attempts), False
    try:
        yield
    finally:
        LIMITS.max_attempts, LIMITS.pauses = before


def no_pauses() -> AbstractContextManager[None]:
    """Let every mailer of this process repeat as often as ever, and not wait in between."""
    return retries()
