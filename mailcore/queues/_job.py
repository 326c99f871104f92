"""One mail on its way through a queue.

Rule 1: a job holds whatever must be the same on each attempt: the message, its key, and when it was made.
Rule 2: it names a mailer and holds no setting of it: secrets are looked up where it is sent.
Rule 3: fields are added, changed and removed under a new version. `version` and `created` stay as they
        are, so that a worker knows what it cannot read, and how old that is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs

from mailcore._codec import from_json, to_json
from mailcore._message import Message
from mailcore._strict_json import MAX_DEPTH, strict_json
from mailcore._time import parse_timestamp, require_aware
from mailcore.exceptions import InvalidDocument

__all__ = ["VERSION", "Job", "OtherVersion"]

#: Of the form below.
VERSION = 1


class OtherVersion(InvalidDocument):
    """
    A job that another version of this library wrote.

    Attributes:
        created: As in the job; None where that cannot be read either.
    """

    def __init__(self, message: str, *, created: datetime | None) -> None:
        super().__init__(message)
        self.created = created


def _aware(value: datetime) -> datetime:
    return require_aware(value) or value


@attrs.frozen(kw_only=True)
class Job:
    """
    One mail that waits to be sent; has a JSON round trip.

    Attributes:
        id: Stays the same however often it is put back.
        mailer: The name of the mailer that sends it.
        provider: What that mailer sent through when the job was made.
        idempotency_key: None where the provider knows none.
        created: When it was put in the queue (aware UTC); what is sent says so too, on each attempt.
        attempts: How many ended in an error.
        hops: How often it was put back.
        not_before: When to try it, where that is later than a queue can wait in one go.
        doubt: Whether an earlier attempt may have sent it.
        once: Whether nothing stops a second attempt from being a second mail.
        noted: Whether it is in a journal until it is settled.
        files: For each attachment, the name under which its content is stored; empty: it is in the message.
    """

    id: str
    mailer: str
    provider: str = ""
    message: Message = attrs.field(repr=False)
    idempotency_key: str | None = None
    created: datetime = attrs.field(converter=_aware)
    attempts: int = 0
    hops: int = 0
    not_before: datetime | None = attrs.field(default=None, converter=require_aware)
    doubt: bool = False
    once: bool = False
    noted: bool = False
    files: tuple[str, ...] = ()
    version: int = VERSION

    @property
    def run(self) -> str:
        """What tells this stay in the queue from the ones before it was put back."""
        return f"{self.id}-{self.hops}"

    def to_json(self) -> str:
        """Return it as a JSON text."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> Job:
        """
        Return the job that `to_json` wrote.

        Raises:
            OtherVersion: It was written by another version of this library.
            InvalidDocument: It is no job.
        """
        document = strict_json(text, max_depth=2 * MAX_DEPTH)
        found: Any = document.get("version") if isinstance(document, dict) else None
        if isinstance(found, int) and found != VERSION:
            raise OtherVersion(
                f"The job is of version {found}, and this worker reads version {VERSION}.",
                created=parse_timestamp(document.get("created")),
            )
        return from_json(cls, text)
