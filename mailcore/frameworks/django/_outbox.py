"""Mail that is committed together with the data it is about, and sent after that.

Rule 1: a message is a row before anybody hears that its transaction is done: no crash comes between.
Rule 2: who changes a row from what was read has it, so that any number of workers may run. No transaction
        is held open while a provider is asked.
Rule 3: every attempt has the row's own key. Where a repeat could be a second mail all the same, the row
        waits for a person.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
from django.core.mail import EmailMessage
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q
from django.utils import timezone

from mailcore import (
    ConfigurationError,
    MailcoreError,
    Mailer,
    MailerGroup,
    MaybeSent,
    Message,
    PluginHost,
    Scope,
    SendError,
    SendResult,
    from_json,
    to_json,
)
from mailcore.frameworks.django._anymail import AnymailStatus
from mailcore.frameworks.django._conversion import message_from_django
from mailcore.frameworks.django._registry import get_mailer
from mailcore.frameworks.django.signals import post_send

if TYPE_CHECKING:
    from mailcore.frameworks.django.models import OutboxMessage

__all__ = ["Outbox", "enqueue"]

#: Seconds a request that is under way may still take to reach the provider.
MARGIN = timedelta(seconds=60)
#: Seconds to wait after the first failure; each further one doubles it, up to an hour.
FIRST_WAIT, LONGEST_WAIT = 30.0, 3600.0

_log = logging.getLogger("mailcore.outbox")


def enqueue(
    message: EmailMessage | Message,
    *,
    mailer: str = "",
    not_before: datetime | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> OutboxMessage:
    """
    Put a message into the outbox, as part of the transaction that is open.

    Args:
        mailer: Which of the project's mailers is to send it; empty: the default one.
        not_before: When to send it; None: as soon as its transaction is committed.

    Raises:
        MailcoreError: It cannot be part of any mail, or there is no such mailer.
    """
    from mailcore.frameworks.django.models import OutboxMessage

    if isinstance(message, EmailMessage):
        message = message_from_django(message, provider=get_mailer(mailer or None).provider)
    now = timezone.now()
    return OutboxMessage.objects.using(using).create(
        key=message.idempotency_key or str(uuid.uuid4()),
        mailer=mailer,
        content=to_json(message),
        created=now,
        not_before=not_before or now,
    )


def _now() -> datetime:
    return timezone.now()  # looked up each time: tests of a project replace it


@attrs.frozen(kw_only=True)
class Outbox:
    """
    Send what is due; any number of workers may do so at once.

    Attributes:
        using: The database, as `DATABASES` names it.
        lease: After how long a worker that has a message is given up.
        give_up_after: How old a message may become before it is failed.
        clock: Returns the time, aware.
    """

    using: str = DEFAULT_DB_ALIAS
    lease: timedelta = timedelta(minutes=10)
    give_up_after: timedelta = timedelta(days=3)
    clock: Callable[[], datetime] = _now

    def send_due(self, *, limit: int = 100) -> Counter[str]:
        """Send at most `limit` messages and return how many are in which state now."""
        states: Counter[str] = Counter()
        for row in list(self._rows().filter(self._due()).order_by("not_before", "pk")[:limit]):
            if self._claim(row):
                states[self._sent(row)] += 1
        return states

    def forget_sent(self, *, before: datetime) -> int:
        """Delete messages that were sent and are older than that; return how many."""
        state = self._rows().model.State.SENT
        count: int = self._rows().filter(state=state, created__lt=before).delete()[0]
        return count

    def _rows(self) -> Any:
        from mailcore.frameworks.django.models import OutboxMessage

        return OutboxMessage.objects.using(self.using)

    def _due(self) -> Q:
        state, now = self._rows().model.State, self.clock()
        return Q(state=state.WAITING, not_before__lte=now) | Q(state=state.SENDING, lease_until__lte=now)

    # One message --------------------------------------------------------------------------------

    def _claim(self, row: OutboxMessage) -> bool:
        """Take a row, unless another worker was faster; from here on it may have been sent."""
        now, was = self.clock(), row.state
        mine = {
            "state": row.State.SENDING,
            "attempts": row.attempts + 1,
            "lease_until": now + self.lease,
            "doubt_since": row.doubt_since or now,
        }
        return bool(self._rows().filter(pk=row.pk, state=was, attempts=row.attempts).update(**mine))

    def _sent(self, row: OutboxMessage) -> str:
        """Send a claimed row; what nobody expected keeps neither the others nor the next round from it."""
        try:
            return self._send(row)
        except Exception:  # noqa: BLE001  # reason: whatever it is, the row is in doubt and the others are not
            _log.exception("The message %s in the outbox is left as it is.", row.key)
            return str(row.State.SENDING)

    def _send(self, row: OutboxMessage) -> str:
        """Send a claimed row, which still says what it was before the claim."""
        try:
            message, mailer = from_json(Message, row.content), get_mailer(row.mailer or None)
        except ConfigurationError as error:  # it will be sent when the settings are mended
            return self._settle(row, **self._waiting(row, error))
        except MailcoreError as error:
            return self._settle(row, state=row.State.FAILED, error=str(error))
        if row.doubt_since is not None and not self._repeatable(mailer, row.doubt_since):
            return self._settle(row, state=row.State.DOUBTFUL, error=_DOUBT)
        try:
            result = mailer.send(message, idempotency_key=row.key, created=row.created)
        except MailcoreError as error:
            state = self._settle(row, **self._after(row, error))
            _tell(row, message, mailer, error=error)
            return state
        state = self._settle(row, state=row.State.SENT, content="", message_id=result.message_id or "")
        _tell(row, message, mailer, result=result)
        return state

    def _repeatable(self, mailer: Mailer | MailerGroup, since: datetime) -> bool:
        """Return whether the provider still knows the key of a message that may have been sent."""
        if isinstance(mailer, MailerGroup):  # another of its providers has never heard of the key
            return False
        idempotency = PluginHost.default().spec(mailer.provider).idempotency
        return idempotency is not None and self.clock() + MARGIN < since + timedelta(seconds=idempotency.ttl)

    def _after(self, row: OutboxMessage, error: MailcoreError) -> dict[str, Any]:
        if isinstance(error, MaybeSent):  # in doubt since it was claimed, or since before
            waiting = self._waiting(row, error)
            del waiting["doubt_since"]
            return waiting
        again = isinstance(error, ConfigurationError) or (
            isinstance(error, SendError) and (error.retriable or error.scope is Scope.ACCOUNT)
        )
        if again and self.clock() - row.created < self.give_up_after:
            return self._waiting(row, error)
        return {"state": row.State.FAILED, "error": str(error)}

    def _waiting(self, row: OutboxMessage, error: MailcoreError) -> dict[str, Any]:
        """Return the changes that make a row wait; the attempt left no doubt beyond what there was."""
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(row.attempts, 10))
        asked = error.retry_after if isinstance(error, SendError) else None
        return {
            "state": row.State.WAITING,
            "error": str(error),
            "not_before": self.clock() + timedelta(seconds=max(wait, asked or 0.0)),
            "doubt_since": row.doubt_since,
        }

    def _settle(self, row: OutboxMessage, *, state: str, error: str = "", **values: Any) -> str:
        """Write down what became of a row, unless it was taken away in between."""
        if state in (row.State.FAILED, row.State.DOUBTFUL):
            _log.error("The message %s in the outbox is %s: %s", row.key, state, error)
        mine = self._rows().filter(pk=row.pk, state=row.State.SENDING, attempts=row.attempts + 1)
        mine.update(state=state, error=error, lease_until=None, **values)
        return str(state)


_DOUBT = (
    "It may have been sent, and a repeat could be a second mail. Look it up at the provider; then set its "
    "state to sent, or to waiting with doubt_since empty."
)


def _tell(
    row: OutboxMessage,
    message: Message,
    mailer: Mailer | MailerGroup,
    *,
    result: SendResult | None = None,
    error: MailcoreError | None = None,
) -> None:
    post_send.send_robust(
        type(row),
        message=message,
        outbox_message=row,
        result=result,
        error=error,
        status=AnymailStatus(result, error),
        mailer=mailer.name,
        provider=mailer.provider,
        esp_name=mailer.provider,
    )
