"""When a send is repeated, and how long it waits before that."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from mailcore import (
    AccountProblem,
    Context,
    HttpResponse,
    Idempotency,
    InProgress,
    MaybeSent,
    RateLimited,
    Rejected,
    Scope,
    SendError,
    ServiceUnavailable,
    TLSFailure,
    Unreachable,
)
from mailcore._retry import LIMITS, Quota, Repeats, RetryPolicy, repeated, settled
from mailcore._steps import Pause, drive

DAY = 24 * 3600
NOW = datetime(2030, 1, 31, 9, tzinfo=UTC)
PROMISE = Idempotency(ttl=DAY, max_length=255)


def policy(**changes: Any) -> RetryPolicy:
    """Return a policy that draws the longest pause there is."""
    values: dict[str, Any] = {
        "max_attempts": 4,
        "idempotency": PROMISE,
        "quota": Quota(),
        "random": lambda: 1.0,
    }
    return RetryPolicy(**{**values, **changes})


def keyed(error: SendError) -> SendError:
    """Return the error of a send under a key."""
    error.idempotency_key = "key"
    return error


def seconds(error: SendError, *, attempt: int = 1, policy: RetryPolicy = policy(), **when: float) -> float:  # noqa: B008  # reason: a policy is a value
    """Return how long a policy waits; -1 where it gives up."""
    found = policy.pause(error, attempt=attempt, **{"age": 0.0, "remaining": 1000.0, **when})
    return -1.0 if found is None else found.seconds


def tried(*errors: SendError, quota: Quota) -> str:
    """Make attempts that end in these errors and then well, and return what the last one returns."""
    endings = iter(errors)

    def attempt(ctx: Context) -> Iterator[Any]:
        yield from ()
        for error in endings:
            raise error
        return "sent"

    repeats = Repeats(policy=policy(quota=quota), clock=lambda: NOW, remaining=lambda: 1000.0)
    value, _ = drive(
        repeated(attempt, Context(now=NOW, created=NOW, unique="u"), repeats), lambda pause: None
    )
    return value


class TestWhat:
    """Which errors are repeated."""

    @pytest.mark.parametrize(
        "error",
        [
            Unreachable("no connection"),
            ServiceUnavailable("down", response=HttpResponse(status=503)),
            RateLimited("slow down", response=HttpResponse(status=429)),
            keyed(MaybeSent("no answer")),
            keyed(MaybeSent("an empty 500", response=HttpResponse(status=500))),
            keyed(InProgress("wait", response=HttpResponse(status=409))),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_repeated(self, error: SendError) -> None:
        """What was not accepted, and what is unknown under a key."""
        assert seconds(error) > 0

    @pytest.mark.parametrize(
        "error",
        [
            Rejected("no"),
            AccountProblem("no plan"),
            TLSFailure("not trusted"),
            MaybeSent("without a key"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_not_repeated(self, error: SendError) -> None:
        """What would fail again, and what could make a second mail."""
        assert seconds(error) == -1

    def test_unknown_without_promise(self) -> None:
        """A key means nothing to a provider that does not remember it."""
        assert seconds(keyed(MaybeSent("no answer")), policy=policy(idempotency=None)) == -1

    def test_not_accepted_without_promise(self) -> None:
        """What is proved not to be sent needs no key."""
        assert seconds(Unreachable("no connection"), policy=policy(idempotency=None)) > 0

    def test_provider_that_stores_errors(self) -> None:
        """It would answer the same key with the same error; without an answer, nothing is stored."""
        stores = policy(idempotency=Idempotency(ttl=DAY, max_length=255, stores_errors=True))
        refused = ServiceUnavailable("down", response=HttpResponse(status=503))
        assert seconds(refused, policy=stores) == -1
        assert seconds(Unreachable("no connection"), policy=stores) > 0

    @pytest.mark.parametrize("age, repeated", [(0, True), (22 * 3600, True), (22 * 3600 + 1, False)])
    def test_key_is_forgotten(self, age: float, repeated: bool) -> None:
        """Two hours before the provider forgets the key, it is no longer relied on."""
        assert (seconds(keyed(MaybeSent("no answer")), age=age) > 0) is repeated

    def test_short_lived_key(self) -> None:
        """A key of an hour keeps nine tenths of it."""
        hourly = policy(idempotency=Idempotency(ttl=3600, max_length=255))
        assert seconds(keyed(MaybeSent("no answer")), policy=hourly, age=3240) > 0
        assert seconds(keyed(MaybeSent("no answer")), policy=hourly, age=3241) == -1

    def test_unreadable_success_is_asked_for_once_more(self) -> None:
        """An answer that says yes and cannot be read is no outage: more of them would not help."""
        for status, asked_for_again in [(200, False), (299, False), (300, True), (199, True)]:
            unreadable = keyed(MaybeSent("without an id", response=HttpResponse(status=status)))
            assert seconds(unreadable, attempt=1) > 0
            assert (seconds(unreadable, attempt=2) > 0) is asked_for_again

    def test_attempts(self) -> None:
        """The last attempt is the last."""
        assert seconds(Unreachable("no connection"), attempt=3) > 0
        assert seconds(Unreachable("no connection"), attempt=4) == -1
        assert seconds(Unreachable("no connection"), policy=policy(max_attempts=1)) == -1


class TestHowLong:
    """The pause."""

    def test_doubles_up_to_a_cap(self) -> None:
        """Each is drawn below twice the one before."""
        many = policy(max_attempts=99)
        found = [seconds(Unreachable("no"), attempt=attempt, policy=many) for attempt in range(1, 8)]
        assert found == [0.5, 1, 2, 4, 8, 8, 8]

    def test_has_full_jitter(self) -> None:
        """Any length from nothing is as likely."""
        assert seconds(Unreachable("no"), policy=policy(random=lambda: 0.0)) == 0
        assert seconds(Unreachable("no"), policy=policy(random=lambda: 0.5)) == 0.25

    def test_throttled_starts_higher(self) -> None:
        """A provider that asks to slow down gets more time."""
        assert seconds(RateLimited("slow down")) == 1

    def test_in_progress_waits_a_second(self) -> None:
        """The first request may still run."""
        assert seconds(keyed(InProgress("wait")), policy=policy(random=lambda: 0.0)) == 1

    @pytest.mark.parametrize(
        "asked, expected", [(0.0, 0.5), (0.2, 0.5), (7.0, 7.0), (60.0, 60.0), (61.0, -1)]
    )
    def test_what_the_provider_asks_for(self, asked: float, expected: float) -> None:
        """At least that; more than a minute is somebody else's to wait for."""
        assert seconds(ServiceUnavailable("down", retry_after=asked)) == expected

    def test_never_outlasts_the_deadline(self) -> None:
        """A pause that leaves no time to send is not made."""
        assert seconds(Unreachable("no"), remaining=0.6) == 0.5
        assert seconds(Unreachable("no"), remaining=0.5) == -1

    def test_is_nothing_in_a_test(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where a process waits for nothing, the repeat is made all the same."""
        monkeypatch.setattr(LIMITS, "pauses", False)
        assert seconds(Unreachable("no")) == 0

    def test_is_a_value(self) -> None:
        """A pause says how long."""
        assert policy().pause(Unreachable("no"), attempt=1, age=0, remaining=9) == Pause(0.5)


class TestQuota:
    """What repeats cost."""

    def test_runs_out(self) -> None:
        """An outage is repeated at as often as there are tokens for, and no more."""
        quota = Quota()
        down = policy(quota=quota)
        repeats = sum(seconds(Unreachable("no"), policy=down) > 0 for _ in range(100))
        assert repeats == 500 // 14

    def test_throttling_costs_less(self) -> None:
        """A provider that answers is not down."""
        quota = Quota()
        slow = policy(quota=quota)
        assert sum(seconds(RateLimited("slow"), policy=slow) > 0 for _ in range(200)) == 100

    def test_what_is_given_back(self) -> None:
        """A success returns what its repeats cost, or one token, up to the capacity."""
        quota = Quota(capacity=30)
        assert quota.take(28)
        assert not quota.take(3)
        quota.give_back(14)
        assert quota.left == 16
        quota.give_back(0)
        assert quota.left == 17
        quota.give_back(99)
        assert quota.left == 30

    def test_success_returns_what_its_repeats_cost(self) -> None:
        """Not more and not less, whatever each of them cost."""
        quota = Quota()
        quota.take(100)
        assert tried(RateLimited("slow"), Unreachable("no"), quota=quota) == "sent"
        assert quota.left == 400

    def test_a_pause_that_is_not_made_costs_nothing(self) -> None:
        """Giving up is free."""
        quota = Quota()
        assert seconds(Unreachable("no"), policy=policy(quota=quota), remaining=0) == -1
        assert quota.left == 500

    def test_threads_share_it(self) -> None:
        """However many take at once, no token is spent twice."""
        quota = Quota(capacity=500)
        taken: list[bool] = []

        def take() -> None:
            taken.extend(quota.take(5) for _ in range(50))

        threads = [threading.Thread(target=take) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(taken) == 100
        assert quota.left == 0


class TestSettled:
    """What a send ends in, when an attempt before the last one may have been sent."""

    def test_keeps_all_that_the_last_answer_said(self) -> None:
        """Whose fault it is and what to do about it is not lost with the class of the error."""
        last = Rejected(
            "no",
            scope=Scope.ACCOUNT,
            retriable=True,
            retry_after=7.0,
            fields={"to": ["unknown"]},
            code="17",
            response=HttpResponse(status=400),
        )
        error = settled(keyed(last), MaybeSent("lost"), ())
        assert type(error) is MaybeSent
        for name in ("scope", "retriable", "retry_after", "fields", "code", "response", "idempotency_key"):
            assert getattr(error, name) == getattr(last, name)
