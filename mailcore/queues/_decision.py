"""What a queue does with a job after an attempt; pure.

Rule 1: there are four ends of an attempt: done, again in a while, the mailer is parked, or a person decides.
Rule 2: what may have been sent is repeated only under a key that the provider still remembers.
Rule 3: what stops the account or the provider stops every job, so that none is given up for it: they wait.
Rule 4: a job that would be tried after its time goes to a person, whatever became of it so far.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import random
from typing import TypeAlias

import attrs

from mailcore._retry import IN_PROGRESS_FLOOR, KEY_MARGIN
from mailcore._spec import Idempotency
from mailcore.exceptions import ConfigurationError, NotAccepted, Outcome, Scope, SendError
from mailcore.queues._job import Job

__all__ = ["Again", "Decision", "Done", "GiveUp", "Park", "Schedule", "decide", "expired"]

#: Seconds that the first pause is drawn below; each further one doubles it.
BASE = 10.0
#: Doublings after which a pause is longer than any limit on it.
MOST_DOUBLINGS = 30
#: Parked jobs come back over a while, not all at once.
PARK_SPREAD = 0.25


@attrs.frozen
class Done:
    """The provider has the mail."""


@attrs.frozen
class Again:
    """
    It is tried again.

    Attributes:
        seconds: From now.
        fresh_key: Whether under another key: the provider would repeat its answer under this one.
    """

    seconds: float
    fresh_key: bool = False


@attrs.frozen
class Park:
    """
    The mailer rests, and every job with it.

    Attributes:
        seconds: Until this job is tried again.
    """

    seconds: float


@attrs.frozen
class GiveUp:
    """
    A person decides.

    Attributes:
        reason: What to tell them.
    """

    reason: str


Decision: TypeAlias = Done | Again | Park | GiveUp


@attrs.frozen(kw_only=True)
class Schedule:
    """
    How long a queue waits.

    Attributes:
        max_delay: Most seconds of a pause, unless the provider asks for more.
        park_for: Seconds a mailer rests after its account or its provider refused a mail.
        give_up_after: Seconds after which a person decides; sooner where the key is forgotten sooner.
        random: Returns a number from 0 up to 1.
    """

    max_delay: float = 900.0
    park_for: float = 300.0
    give_up_after: float = 22 * 3600.0
    random: Callable[[], float] = random

    def until(self, job: Job, promise: Idempotency | None) -> datetime:
        """Return when the job's time is over."""
        seconds = self.give_up_after
        if promise is not None:
            seconds = min(seconds, promise.ttl - min(KEY_MARGIN, promise.ttl / 10))
        return job.created + timedelta(seconds=seconds)

    def pause(self, error: SendError, attempts: int) -> float:
        """Return the seconds before the next attempt: full jitter, and no less than was asked for."""
        most = min(self.max_delay, BASE * 2.0 ** min(attempts, MOST_DOUBLINGS))
        floor = IN_PROGRESS_FLOOR if error.outcome is Outcome.UNKNOWN else 0.0
        return max(self.random() * most, floor, error.retry_after or 0.0)

    def rest(self, error: Exception) -> float:
        """Return the seconds that a parked job waits."""
        return max(self.park_for + self.spread(), getattr(error, "retry_after", None) or 0.0)

    def spread(self) -> float:
        """Return the seconds by which one parked job comes back later than another."""
        return self.park_for * PARK_SPREAD * self.random()


def decide(
    error: Exception | None, job: Job, *, now: datetime, promise: Idempotency | None, schedule: Schedule
) -> Decision:
    """
    Return what to do with a job.

    Args:
        error: What the attempt ended in; None: in a result.
        promise: What the provider promises about the job's key; None: nothing.
    """
    if error is None:
        return Done()
    wanted = _wanted(error, job, promise, schedule)
    if isinstance(wanted, Again | Park):
        return expired(job, now + timedelta(seconds=wanted.seconds), promise, schedule, error) or wanted
    return wanted


def expired(
    job: Job,
    moment: datetime,
    promise: Idempotency | None,
    schedule: Schedule,
    error: Exception | None = None,
) -> GiveUp | None:
    """Return what is left to do where the job's time is over at that moment; None where it is not."""
    until = schedule.until(job, promise)
    if moment < until:
        return None
    last = f" The last attempt: {error}" if error else ""
    why = "its key is not relied on any longer" if promise else "it is given up"
    return GiveUp(f"After {until:%Y-%m-%d %H:%M} UTC {why}.{last}")


def _wanted(error: Exception, job: Job, promise: Idempotency | None, schedule: Schedule) -> Decision:
    if isinstance(error, ConfigurationError):
        return Park(schedule.rest(error))
    if not isinstance(error, SendError) or (error.outcome is Outcome.UNKNOWN and promise is None):
        return GiveUp(_said(error))
    if error.scope is Scope.ACCOUNT or (error.scope is Scope.PROVIDER and not error.retriable):
        return Park(schedule.rest(error))
    if not error.retriable:
        return GiveUp(_said(error))
    replayed = _is_replayed(error, promise)
    if replayed and job.doubt:
        return GiveUp(_said(error))
    return Again(schedule.pause(error, job.attempts), fresh_key=replayed)


def _is_replayed(error: SendError, promise: Idempotency | None) -> bool:
    """Return whether the provider has stored this refusal and would answer with it again."""
    stores = promise is not None and promise.stores_errors
    return stores and isinstance(error, NotAccepted) and error.response is not None


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
