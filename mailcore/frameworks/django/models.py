"""Two tables: deliveries that were handled, and mail that waits to be sent."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models

__all__ = ["OutboxMessage", "ReplayClaim"]


class ReplayClaim(models.Model):
    """One delivery that was claimed or handled, of `DjangoReplayStore`; times are seconds since the epoch."""

    #: A digest of the store's key: databases differ in what length and letter case of a key they tell apart.
    key: models.CharField[str, str] = models.CharField(max_length=64, primary_key=True)
    committed: models.BooleanField[bool, bool] = models.BooleanField(default=False)
    ttl: models.FloatField[float, float] = models.FloatField()
    until: models.FloatField[float, float] = models.FloatField()
    forget: models.FloatField[float, float] = models.FloatField(db_index=True)

    objects: ClassVar[models.Manager[ReplayClaim]] = models.Manager()

    def __str__(self) -> str:
        return self.key


class OutboxState(models.TextChoices):
    """What became of a message in the outbox."""

    #: It is to be sent when its time comes.
    WAITING = "waiting"
    #: A worker has it; where its lease ran out, the worker died.
    SENDING = "sending"
    #: The provider took it.
    SENT = "sent"
    #: It will never be sent as it is.
    FAILED = "failed"
    #: It may have been sent, and no key would keep a repeat from being a second mail: a person decides.
    DOUBTFUL = "doubtful"


class OutboxMessage(models.Model):
    """
    One message that is committed with the data it is about, and sent after it.

    Attributes:
        key: The idempotency key of every attempt.
        mailer: Which of the project's mailers sends it; empty: the default one.
        content: The message as JSON; empty once it was sent.
        not_before: When it is due.
        lease_until: When a worker that has it is given up.
        doubt_since: Since when it may have been sent; None: it was not.
    """

    State = OutboxState

    key: models.CharField[str, str] = models.CharField(max_length=255, unique=True)
    mailer: models.CharField[str, str] = models.CharField(max_length=100, blank=True)
    content: models.TextField[str, str] = models.TextField(blank=True)
    state: models.CharField[str, str] = models.CharField(
        max_length=10, choices=OutboxState.choices, default=OutboxState.WAITING
    )
    created: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    not_before: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    lease_until: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        null=True, blank=True
    )
    doubt_since: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        null=True, blank=True
    )
    attempts: models.PositiveIntegerField[int, int] = models.PositiveIntegerField(default=0)
    error: models.TextField[str, str] = models.TextField(blank=True)
    message_id: models.CharField[str, str] = models.CharField(max_length=255, blank=True)

    objects: ClassVar[models.Manager[OutboxMessage]] = models.Manager()

    class Meta:
        """Find quickly what is due."""

        indexes: ClassVar = [models.Index(fields=["state", "not_before"], name="mailcore_outbox_due")]

    def __str__(self) -> str:
        return f"{self.key} ({self.state})"
