"""What a queue does with a mail that meets a fault."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import attrs

from mailcore import MemoryReplayStore
from mailcore._time import utc_now
from mailcore.queues._courier import Courier
from mailcore.queues._decision import Again, Decision, Done, Park
from mailcore.queues._job import Job
from mailcore.queues._review import Unsettled
from reliability.provider import KEYED, mail
from reliability.trial import Trial

__all__ = ["Queued"]

#: Longer than any pause.
LATER = timedelta(hours=7)


class Shelf:
    """A review list of this process."""

    def __init__(self) -> None:
        self.kept: dict[str, Unsettled] = {}

    def add(self, unsettled: Unsettled) -> None:
        """Keep one."""
        self.kept[unsettled.id] = unsettled

    def discard(self, id: str) -> None:  # noqa: A002  # reason: the protocol's name
        """Forget one."""
        self.kept.pop(id, None)

    def __iter__(self) -> Iterator[Unsettled]:
        return iter(self.kept.values())


@attrs.define
class Queued:
    """
    A queue without a broker, whose one mailer is that of a trial.

    Attributes:
        waiting: The jobs that were put back.
    """

    trial: Trial
    provider: str
    review: Shelf = attrs.field(factory=Shelf)
    waiting: list[str] = attrs.field(factory=list)
    _past: timedelta = attrs.field(default=timedelta(0))

    def send(self, name: str) -> str:
        """Put a mail in the queue, have it tried once, and return what the queue did."""
        keyed = self.provider == KEYED
        job = Job(
            id=name,
            mailer="main",
            provider=self.provider,
            message=mail(name, self.trial.mode.size),
            idempotency_key=f"key-of-{name}" if keyed else None,
            created=utc_now(),
            once=not keyed,
        )
        return self._deliver(job.to_json())

    def again(self) -> str:
        """Have what was put back tried, when its time has come."""
        self._past += LATER
        return self._deliver(self.waiting.pop())

    def _deliver(self, payload: str) -> str:
        courier = Courier(
            mailers={"main": self.trial.mailer},
            review=self.review,
            claims=MemoryReplayStore(),
            clock=self._now,
        )
        return _word(courier.deliver(payload, lambda put_back, _: self.waiting.append(put_back)))

    def _now(self) -> datetime:
        return utc_now() + self._past


def _word(decision: Decision) -> str:
    words = {Done: "done", Again: "again", Park: "parked"}
    return words.get(type(decision), "review")
