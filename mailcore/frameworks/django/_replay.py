"""Remembers deliveries in the project's database, for all its processes on all its machines.

Rule: each step is one statement that the database decides alone: who inserts the row, or renews the one
that ran out, has the claim.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, IntegrityError, transaction
from django.db.models import F

from mailcore import Claim

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from mailcore.frameworks.django.models import ReplayClaim

__all__ = ["DjangoReplayStore"]


class DjangoReplayStore:
    """
    Remember deliveries in a table: a `ReplayStore`; needs the app and its migration.

    Args:
        using: The database, as `DATABASES` names it.
        lease: Seconds after which a claim that was neither committed nor released runs out.
        clock: Seconds since the epoch, as every process sees them.

    Raises:
        django.db.Error: From any method, where the table cannot be read or written.
    """

    def __init__(
        self,
        *,
        using: str = DEFAULT_DB_ALIAS,
        lease: float = 300.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._using = using
        self._lease = lease
        self._clock = clock

    def claim(self, key: str, ttl: float) -> Claim:
        """Do what `ReplayStore.claim` says."""
        now = self._clock()
        # A claim that ran out is remembered for its ttl: whoever commits it late still says it was handled.
        new = {
            "committed": False,
            "ttl": ttl,
            "until": now + self._lease,
            "forget": now + self._lease + ttl,
        }
        self._rows().filter(forget__lte=now).delete()
        if self._row(key).filter(until__lte=now).update(**new) or self._inserted(key, new):
            return Claim.CLAIMED
        # A row that is gone by now was given back at this moment: whoever asks again gets it.
        committed = self._row(key).values_list("committed", flat=True).first()
        return Claim.DUPLICATE if committed else Claim.IN_PROGRESS

    def commit(self, key: str) -> None:
        """Do what `ReplayStore.commit` says."""
        now = self._clock()
        until = now + F("ttl")
        late = {
            "committed": True,
            "ttl": self._lease,
            "until": now + self._lease,
            "forget": now + self._lease,
        }
        if not self._row(key).update(committed=True, until=until, forget=until):
            self._inserted(key, late)

    def release(self, key: str) -> None:
        """Do what `ReplayStore.release` says."""
        self._row(key).delete()

    def _inserted(self, key: str, values: dict[str, Any]) -> bool:
        try:
            # By itself: a refused insert must not end a transaction of the caller's.
            with transaction.atomic(using=self._using):
                self._rows().create(key=_digest(key), **values)
        except IntegrityError:
            return False
        return True

    def _row(self, key: str) -> QuerySet[ReplayClaim]:
        return self._rows().filter(key=_digest(key))

    def _rows(self) -> QuerySet[ReplayClaim]:
        from mailcore.frameworks.django.models import ReplayClaim

        return ReplayClaim.objects.using(self._using)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
