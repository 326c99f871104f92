"""Which of several mailers takes a mail: the decisions of `MailerGroup` and `AsyncMailerGroup`.

Rule 1: a mail moves on after "not accepted", and after "rejected" where that is about the account or the
        provider. What is wrong with the message itself is wrong everywhere.
Rule 2: what may have been sent moves on only where the caller says so: no key stops another provider from
        sending it twice.
Rule 3: an account that refuses one mail refuses the next, so its mailer is parked for a while.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable
from typing import Generic, Literal, Protocol, TypeVar

import attrs

from mailcore._http import Request
from mailcore._message import Message
from mailcore._result import Attempt, SendResult
from mailcore._retry import settled
from mailcore.exceptions import (
    ConfigurationError,
    MailcoreError,
    MaybeSent,
    NotAccepted,
    Outcome,
    Scope,
    SendError,
    UnsupportedFeature,
)

__all__ = ["Failover", "Strategy"]

Strategy = Literal["failover", "round-robin"]

STRATEGIES: tuple[Strategy, ...] = ("failover", "round-robin")


class Member(Protocol):
    """What a group asks of a mailer, besides sending."""

    name: str

    @property
    def provider(self) -> str: ...

    def preview(self, message: Message, *, idempotency_key: str | None = None) -> Request: ...


M = TypeVar("M", bound=Member)


class Failover(Generic[M]):
    """Decide whose turn it is, and whether a mail moves on; its arguments are those of `MailerGroup`."""

    def __init__(
        self,
        mailers: Iterable[M],
        *,
        name: str = "group",
        strategy: Strategy = "failover",
        fail_over_on_unknown: bool = False,
        park_for: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.mailers = tuple(mailers)
        if not self.mailers:
            raise ConfigurationError("A group needs at least one mailer.")
        if strategy not in STRATEGIES:
            raise ConfigurationError(f"strategy is one of {', '.join(STRATEGIES)}, not {strategy!r}.")
        self._rotates = strategy == "round-robin"
        self._over_unknown = fail_over_on_unknown
        self._park_for = park_for
        self._clock = clock
        self._lock = threading.Lock()
        self._turn = 0
        self._parked: dict[int, float] = {}

    @property
    def provider(self) -> str:
        """The providers of its mailers, in their order."""
        return ", ".join(dict.fromkeys(mailer.provider for mailer in self.mailers))

    @property
    def parked(self) -> tuple[M, ...]:
        """The mailers that are left alone now."""
        with self._lock:
            return tuple(self.mailers[number] for number in self._parked_now())

    def preview(self, message: Message, *, idempotency_key: str | None = None) -> Request:
        """Return the first request that the preferred mailer would make, and make none."""
        return self.mailers[0].preview(message, idempotency_key=idempotency_key)

    def _turns(self) -> Generator[M, SendResult, SendResult]:
        """Yield whose turn it is; to be sent what that mailer returned, or thrown what it raised."""
        tried: tuple[Attempt, ...] = ()
        unknown: MaybeSent | None = None
        last: SendError | UnsupportedFeature | None = None
        for number in self._order():
            try:
                result = yield self.mailers[number]
            except UnsupportedFeature as error:  # another provider may carry it
                last = last or error
            except SendError as error:
                tried += error.attempts
                unknown = error if isinstance(error, MaybeSent) else unknown
                last = settled(error, unknown, tried)
                if not self._moves_on(error, number):
                    raise last from error.__cause__
            else:
                return attrs.evolve(result, attempts=(*tried, *result.attempts))
        raise last or self._all_parked()

    def _order(self) -> list[int]:
        with self._lock:
            first = self._turn
            if self._rotates:
                self._turn = (self._turn + 1) % len(self.mailers)
            parked = self._parked_now()
        numbers = range(first, first + len(self.mailers))
        return [one for one in (number % len(self.mailers) for number in numbers) if one not in parked]

    def _parked_now(self) -> list[int]:
        now = self._clock()
        self._parked = {number: until for number, until in self._parked.items() if until > now}
        return sorted(self._parked)

    def _moves_on(self, error: SendError, number: int) -> bool:
        if error.outcome is Outcome.UNKNOWN:
            return self._over_unknown
        if error.scope is Scope.ACCOUNT:
            with self._lock:
                self._parked[number] = self._clock() + self._park_for
        return error.outcome is Outcome.NOT_ACCEPTED or error.scope is not Scope.MESSAGE

    def _all_parked(self) -> MailcoreError:
        with self._lock:
            wait = min(self._parked.values(), default=self._clock()) - self._clock()
        return NotAccepted(
            f"Nothing was sent: every mailer of {self.name!r} is parked, because its account refused mail. "
            "Mend one of the accounts.",
            scope=Scope.ACCOUNT,
            retry_after=max(wait, 0.0),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {', '.join(mailer.name for mailer in self.mailers)})"
