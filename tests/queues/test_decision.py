"""What a queue does after an attempt: done, again, parked, or before a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore import (
    AccountProblem,
    AttachmentChanged,
    AuthenticationFailed,
    ConfigurationError,
    HttpResponse,
    Idempotency,
    InProgress,
    InvalidMessage,
    MaybeSent,
    Message,
    NotAccepted,
    ProtocolBug,
    RateLimited,
    Rejected,
    Scope,
    SendCancelled,
    SendError,
    ServiceUnavailable,
    TLSFailure,
    UnexpectedRedirect,
    Unreachable,
    UnsupportedFeature,
)
from mailcore.queues._decision import Again, Decision, Done, GiveUp, Park, Schedule, decide, expired
from mailcore.queues._job import Job

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 24 * 3600
MAILPACE = Idempotency(ttl=DAY, max_length=255)
STORING = attrs.evolve(MAILPACE, stores_errors=True)
JOB = Job(id="a", mailer="main", provider="mailpace", message=Message(), idempotency_key="k", created=CREATED)
#: The longest pauses there are.
LATE = Schedule(random=lambda: 1.0)
NEVER_EARLY = Schedule(random=lambda: 0.0)


def decided(
    error: Exception | None, job: Job = JOB, *, promise: Idempotency | None = MAILPACE, **changes: Any
) -> Decision:
    """Decide a minute after the job was made."""
    now = changes.pop("now", CREATED + timedelta(minutes=1))
    return decide(error, job, now=now, promise=promise, schedule=changes.pop("schedule", LATE))


class TestEnds:
    """The four ends of an attempt."""

    def test_accepted(self) -> None:
        """A result is the end."""
        assert decided(None) == Done()

    @pytest.mark.parametrize("error", [Unreachable("a"), ServiceUnavailable("b"), RateLimited("c")])
    @pytest.mark.parametrize("promise", [MAILPACE, None])
    def test_not_accepted(self, error: SendError, promise: Idempotency | None) -> None:
        """Nothing was sent: it is tried again, whether there are keys or not."""
        assert decided(error, promise=promise) == Again(10.0)

    @pytest.mark.parametrize("error", [MaybeSent("a"), InProgress("b")])
    def test_unknown(self, error: SendError) -> None:
        """What may have been sent is repeated under its key, and without keys is for a person."""
        assert decided(error) == Again(10.0)
        assert isinstance(decided(error, promise=None), GiveUp)

    @pytest.mark.parametrize(
        "error",
        [
            AuthenticationFailed("a"),
            AccountProblem("b"),
            ProtocolBug("c"),
            TLSFailure("d"),
            UnexpectedRedirect("e"),
            ConfigurationError("f"),
            NotAccepted("all parked", scope=Scope.ACCOUNT),
            MaybeSent("an attempt under the same key", scope=Scope.ACCOUNT, retriable=False),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_parked(self, error: Exception) -> None:
        """What stops the account or the provider burns no job: the mailer rests."""
        assert decided(error) == Park(375.0)
        assert decided(error, schedule=NEVER_EARLY) == Park(300.0)

    @pytest.mark.parametrize(
        "error",
        [
            Rejected("a"),
            AttachmentChanged("b"),
            InvalidMessage("c"),
            UnsupportedFeature("d", field="e"),
            SendCancelled("f"),
            MaybeSent("then rejected", scope=Scope.MESSAGE, retriable=False),
            KeyError("a plugin's"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_given_up(self, error: Exception) -> None:
        """What is wrong with the message stays so: a person is told what."""
        found = decided(error)
        assert isinstance(found, GiveUp)
        assert str(error) in found.reason

    def test_unknown_without_keys_is_never_parked(self) -> None:
        """Not even where the account is stopped as well."""
        error = MaybeSent("then 401", scope=Scope.ACCOUNT, retriable=False)
        assert isinstance(decided(error, promise=None), GiveUp)


class TestPauses:
    """How long it waits."""

    @pytest.mark.parametrize("attempts,most", [(0, 10), (1, 20), (2, 40), (6, 640), (7, 900), (10_000, 900)])
    def test_doubles(self, attempts: int, most: float) -> None:
        """Each pause is drawn below twice the one before, up to the limit."""
        job = attrs.evolve(JOB, attempts=attempts)
        assert decided(Unreachable("a"), job) == Again(most)
        assert decided(Unreachable("a"), job, schedule=NEVER_EARLY) == Again(0.0)

    @given(st.floats(0, 1, exclude_max=True), st.integers(0, 40))
    def test_full_jitter(self, drawn: float, attempts: int) -> None:
        """The pause is that share of the longest one which was drawn."""
        schedule = Schedule(random=lambda: drawn)
        most = LATE.pause(Unreachable("a"), attempts)
        assert schedule.pause(Unreachable("a"), attempts) == pytest.approx(drawn * most)

    def test_what_the_provider_asks_for(self) -> None:
        """The provider's time counts where it is longer than ours, beyond our own limit too."""
        assert decided(RateLimited("a", retry_after=120.0)) == Again(120.0)
        assert decided(RateLimited("a", retry_after=21_600.0)) == Again(21_600.0)
        assert decided(RateLimited("a", retry_after=3.0)) == Again(10.0)

    def test_first_request_may_be_under_way(self) -> None:
        """Under the same key at least a second is waited."""
        assert decided(MaybeSent("a"), schedule=NEVER_EARLY) == Again(1.0)

    def test_parked_as_long_as_asked(self) -> None:
        """A group whose mailers rest says for how long."""
        error = NotAccepted("all parked", scope=Scope.ACCOUNT, retry_after=800.0)
        assert decided(error) == Park(800.0)


class TestTime:
    """A job has its time."""

    @pytest.mark.parametrize(
        "promise,hours",
        [
            (MAILPACE, 22),
            (None, 22),
            (attrs.evolve(MAILPACE, ttl=3600), 0.9),
            (attrs.evolve(MAILPACE, ttl=10 * DAY), 22),
        ],
    )
    def test_ends(self, promise: Idempotency | None, hours: float) -> None:
        """It ends two hours before the key is forgotten, a tenth of a short life, and after 22 h anyway."""
        end = CREATED + timedelta(hours=hours)
        assert LATE.until(JOB, promise) == end
        assert expired(JOB, end - timedelta(seconds=1), promise, LATE) is None
        assert expired(JOB, end, promise, LATE) is not None

    @pytest.mark.parametrize("error", [Unreachable("down"), MaybeSent("down"), AccountProblem("down")])
    def test_no_attempt_after_it(self, error: Exception) -> None:
        """What would be tried after its time is given up now, and the last error is told."""
        now = CREATED + timedelta(hours=22) - timedelta(seconds=9)
        found = decided(error, now=now)
        assert isinstance(found, GiveUp)
        assert "2026-01-01 22:00 UTC" in found.reason
        assert "down" in found.reason

    def test_accepted_after_it(self) -> None:
        """What was accepted late was accepted."""
        assert decided(None, now=CREATED + timedelta(days=3)) == Done()


class TestStoredErrors:
    """A provider that repeats its refusals under the same key."""

    ANSWERED = ServiceUnavailable("a", response=HttpResponse(status=503))

    def test_another_key(self) -> None:
        """What was refused is tried under another key."""
        assert decided(self.ANSWERED, promise=STORING) == Again(10.0, fresh_key=True)

    def test_same_key(self) -> None:
        """What got no answer left nothing to repeat."""
        assert decided(Unreachable("a"), promise=STORING) == Again(10.0)
        assert decided(self.ANSWERED) == Again(10.0)

    def test_doubt(self) -> None:
        """Another key could be a second mail where an earlier attempt may have been sent."""
        assert isinstance(decided(self.ANSWERED, attrs.evolve(JOB, doubt=True), promise=STORING), GiveUp)
