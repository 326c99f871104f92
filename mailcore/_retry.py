"""When to try again, and how long to wait.

Rule 1: only what is safe is repeated: what was not accepted, and what is unknown under a key that the
        provider still remembers.
Rule 2: every pause has full jitter, and none outlasts the deadline of the send.
Rule 3: repeats are paid for from a quota that all sends of a mailer share, so that an outage is no storm.
Rule 4: once an attempt is unknown, the send is, until another one is accepted: that an attempt under the
        same key was refused proves nothing about the one before.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import attrs

from mailcore._adapter import Context, Flow
from mailcore._http import HttpResponse, SmtpResponse
from mailcore._result import Attempt
from mailcore._spec import Idempotency
from mailcore._steps import Pause, Steps
from mailcore.exceptions import InProgress, MaybeSent, NotAccepted, RateLimited, SendError

__all__ = ["LIMITS", "Limits", "Quota", "Repeats", "RetryPolicy", "repeated", "settled"]

T = TypeVar("T")

#: Seconds that the first pause is drawn below; each further one doubles it.
BASE = 0.5
CAP = 8.0
#: A provider that asks to slow down without saying for how long.
THROTTLED_BASE = 1.0
#: Under the same key, the first request may still be under way.
IN_PROGRESS_FLOOR = 1.0
#: A provider that asks for more is asked again by whoever can wait: a queue, a person.
MAX_WAIT = 60.0
#: Clocks differ, and a request takes time: a key is not relied on to its last second.
KEY_MARGIN = 2 * 3600.0
#: Times an answer that says yes and cannot be read is asked for again.
UNREADABLE_REPEATS = 1


@attrs.define
class Limits:
    """
    What holds for every mailer of this process, whatever its settings; only `mailcore.testing` changes it.

    Attributes:
        max_attempts: Most attempts at one message; infinity leaves it to the settings.
        pauses: Whether time passes between two attempts.
    """

    max_attempts: float = math.inf
    pauses: bool = True


LIMITS = Limits()


class Quota:
    """
    What repeats are paid from; shared by the threads of one mailer.

    Args:
        capacity: Tokens there are at first, and at most.
    """

    COST = 14
    THROTTLED_COST = 5

    def __init__(self, capacity: int = 500) -> None:
        self._capacity = capacity
        self._left = capacity
        self._lock = threading.Lock()

    @property
    def left(self) -> int:
        """Tokens there are now."""
        return self._left

    def take(self, cost: int) -> bool:
        """Pay for a repeat; False where there is not enough left."""
        with self._lock:
            if cost > self._left:
                return False
            self._left -= cost
            return True

    def give_back(self, paid: int) -> None:
        """Return what a send paid that ended well; one that paid nothing earns one token."""
        if self._left < self._capacity:  # it is full nearly always, and all threads share the lock
            with self._lock:
                self._left = min(self._capacity, self._left + max(paid, 1))


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """
    Decide about repeats for one mailer.

    Attributes:
        max_attempts: Most attempts at one message, the first included.
        idempotency: The provider's promise about repeated keys, or None.
        random: Returns a number from 0 up to 1.
    """

    max_attempts: int
    idempotency: Idempotency | None
    quota: Quota
    random: Callable[[], float]

    def pause(self, error: SendError, *, attempt: int, age: float, remaining: float) -> Pause | None:
        """
        Return how long to wait before the next attempt, and pay for it; None: there is no other.

        Args:
            attempt: Number of the attempt that ended in `error`, from 1.
            age: Seconds since the first attempt at the message, wherever that was made.
            remaining: Seconds until the deadline.
        """
        if attempt >= min(self.max_attempts, LIMITS.max_attempts) or not error.retriable:
            return None
        if not self._is_safe(error, attempt=attempt, age=age):
            return None
        seconds = self._seconds(error, attempt)
        if seconds > MAX_WAIT or seconds >= remaining or not self.quota.take(cost(error)):
            return None
        return Pause(seconds if LIMITS.pauses else 0.0)

    def _is_safe(self, error: SendError, *, attempt: int, age: float) -> bool:
        """Return whether a repeat cannot make a second mail, and can make a difference."""
        promise = self.idempotency
        if isinstance(error, NotAccepted):
            # A provider that stores errors would answer the same key with the same error.
            return error.response is None or promise is None or not promise.stores_errors
        if not isinstance(error, MaybeSent) or promise is None or error.idempotency_key is None:
            return False
        if age > promise.ttl - min(KEY_MARGIN, promise.ttl / 10):
            return False
        return not _is_success(error.response) or attempt <= UNREADABLE_REPEATS

    def _seconds(self, error: SendError, attempt: int) -> float:
        base = THROTTLED_BASE if isinstance(error, RateLimited) else BASE
        jitter = self.random() * min(CAP, base * 2.0 ** (attempt - 1))
        floor = IN_PROGRESS_FLOOR if isinstance(error, InProgress) else 0.0
        return max(jitter, floor, error.retry_after or 0.0)


def cost(error: SendError) -> int:
    """Return what a repeat after this error costs: less where the provider is up and says wait."""
    return Quota.THROTTLED_COST if isinstance(error, RateLimited) else Quota.COST


def _is_success(response: HttpResponse | SmtpResponse | None) -> bool:
    return response is not None and 200 <= response.status < 300


@attrs.frozen(kw_only=True)
class Repeats:
    """
    How often one send is tried, and by when.

    Attributes:
        policy: Decides after each failure.
        clock: Returns the time of the next attempt (aware UTC).
        remaining: Returns the seconds until the deadline.
    """

    policy: RetryPolicy
    clock: Callable[[], datetime]
    remaining: Callable[[], float]


def repeated(
    attempt: Callable[[Context], Flow[T]], ctx: Context, repeats: Repeats
) -> Steps[tuple[T, tuple[Attempt, ...]]]:
    """
    Make attempts until one ends well, and return what it returns with the attempts that failed.

    Raises:
        SendError: The last one's, with all attempts; `MaybeSent` where an earlier one is unknown.
    """
    failed: tuple[Attempt, ...] = ()
    unknown: MaybeSent | None = None
    paid = 0
    while True:
        try:
            value = yield from attempt(ctx)
        except SendError as error:
            failed += error.attempts
            unknown = error if isinstance(error, MaybeSent) else unknown
            pause = _next(error, ctx, repeats)
            if pause is None:
                raise settled(error, unknown, failed) from error.__cause__
            paid += cost(error)
        else:
            repeats.policy.quota.give_back(paid)
            return value, failed
        yield pause
        ctx = attrs.evolve(ctx, now=repeats.clock(), attempt=ctx.attempt + 1)


def _next(error: SendError, ctx: Context, repeats: Repeats) -> Pause | None:
    age = (ctx.now - ctx.created).total_seconds()
    return repeats.policy.pause(error, attempt=ctx.attempt, age=age, remaining=repeats.remaining())


def settled(error: SendError, unknown: MaybeSent | None, failed: tuple[Attempt, ...]) -> SendError:
    """Return the error a send ends in, with everything that was tried."""
    error.attempts = failed
    if unknown is None or error.outcome is unknown.outcome:
        return error
    doubtful = MaybeSent(
        f"An earlier attempt may have been sent ({unknown}); the last one was not: {error}",
        scope=error.scope,
        retriable=error.retriable,
        retry_after=error.retry_after,
        fields=error.fields,
        code=error.code,
        response=error.response,
    )
    doubtful.provider, doubtful.idempotency_key = error.provider, error.idempotency_key
    doubtful.attempts = failed
    return doubtful
