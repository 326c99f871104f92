"""What a queue could not settle, and a person must.

Rule: a mail is in the list before the queue lets go of it. One that must not be sent twice is there before
it is sent, so that whatever happens to the worker, somebody knows of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

import attrs

from mailcore._outcome import Outcome
from mailcore._time import require_aware
from mailcore.queues._job import Job

__all__ = ["ReviewList", "Unsettled"]


@attrs.frozen(kw_only=True)
class Unsettled:
    """
    One mail that a person must decide about; has a JSON round trip.

    Attributes:
        id: Its place in the list.
        reason: Why it is there.
        outcome: What is known of it; `UNKNOWN`: it may have been sent.
        error: Class name of the last error; empty where there was none.
        at: Since when (aware UTC).
        mailer: Name of the mailer; empty where the job cannot be read.
        payload: The job as it was in the queue.
    """

    id: str
    reason: str
    outcome: Outcome
    error: str = ""
    at: datetime | None = attrs.field(converter=require_aware)
    mailer: str = ""
    payload: str = attrs.field(repr=False)

    @property
    def job(self) -> Job:
        """
        The job.

        Raises:
            InvalidDocument: It cannot be read, which is why it is here.
        """
        return Job.from_json(self.payload)


class ReviewList(Protocol):
    """Keep what waits for a person, durably; iterate for all there is, oldest first."""

    def add(self, unsettled: Unsettled) -> None:
        """Keep one; when this returns, it survives a crash. It replaces the one with the same id."""
        ...

    def discard(self, id: str) -> None:  # noqa: A002  # reason: it is what the field is called
        """Forget one, if it is there."""
        ...

    def __iter__(self) -> Iterator[Unsettled]: ...
