"""Events and results: one vocabulary, and the declared types whatever a provider writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest

from mailcore import (
    Attempt,
    BounceClass,
    EventType,
    Message,
    Outcome,
    RecipientResult,
    RejectReason,
    SendOutcome,
    SendResult,
    SendStatus,
    TrackingEvent,
    Unreachable,
    Verification,
    WebhookRequest,
    parse_timestamp,
)
from mailcore._delivery import Covers

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)
NAIVE = NOON.replace(tzinfo=None)
EAST = timezone(timedelta(hours=5, minutes=30))


def event(**given: Any) -> TrackingEvent:
    """Return an event that is complete."""
    return TrackingEvent(**{"event_type": EventType.DELIVERED, "event_id": "1", **given})


class TestVocabulary:
    """Words that users store and compare."""

    @pytest.mark.parametrize(
        "kind, words",
        [
            (
                EventType,
                (
                    "queued sent rejected failed bounced deferred delivered autoresponded opened clicked "
                    "complained unsubscribed subscribed inbound inbound_failed unknown"
                ),
            ),
            (RejectReason, "invalid bounced timed_out blocked spam unsubscribed other"),
            (BounceClass, "hard soft"),
            (SendStatus, "queued sent rejected invalid failed unknown"),
            (Outcome, "accepted not_accepted rejected unknown"),
        ],
    )
    def test_words(self, kind: Any, words: str) -> None:
        """They stay as they are; the name is the word in capitals."""
        assert [member.value for member in kind] == words.split()
        assert [member.name.lower() for member in kind] == words.split()


@pytest.mark.rule("N-H7")
class TestTrackingEvent:
    """Events have the declared types or do not exist."""

    def test_least(self) -> None:
        """A type and an id are enough; lists and mappings are never None."""
        found = event()
        assert (found.tags, found.recipients, found.metadata) == ((), (), {})
        assert (found.timestamp, found.message_id, found.reject_reason) == (None, None, None)

    @pytest.mark.parametrize(
        "given",
        [
            {"event_id": ""}, {"event_id": None}, {"event_id": 5}, {"event_type": "flew"},
            {"event_type": None},
            {"timestamp": NAIVE}, {"message_id": 5}, {"tags": [None]}, {"tags": [5]}, {"recipients": [None]},
            {"reject_reason": RejectReason.SPAM},
            {"event_type": EventType.DEFERRED, "reject_reason": RejectReason.OTHER},
        ],
    )  # fmt: skip
    def test_refused(self, given: dict[str, Any]) -> None:
        """Drifting types are refused where the event is made."""
        with pytest.raises(ValueError, match=r"id|valid EventType|time zone|text|reject reason"):
            event(**given)

    def test_one_tag(self) -> None:
        """One text is one tag, not its letters."""
        assert event(tags="welcome").tags == ("welcome",)
        assert event(recipients="a@x").recipients == ("a@x",)

    @pytest.mark.parametrize("kind", [EventType.REJECTED, EventType.BOUNCED, EventType.FAILED])
    def test_reason(self, kind: EventType) -> None:
        """A refusal may have a reason."""
        assert event(event_type=kind, reject_reason=RejectReason.SPAM).reject_reason is RejectReason.SPAM

    def test_times_in_utc(self) -> None:
        """Every time is kept in UTC."""
        east = NOON.astimezone(EAST)
        attempt = Attempt(number=1, provider="p", started_at=east, outcome=Outcome.ACCEPTED)
        signed = Verification(scheme="s", covers=Covers.BODY, signed_at=east)
        kept = [
            event(timestamp=east).timestamp, attempt.started_at, signed.signed_at,
            WebhookRequest(received_at=east).received_at,
        ]  # fmt: skip
        assert [(time, time.tzinfo) for time in kept] == [(NOON, UTC)] * 4

    @pytest.mark.parametrize(
        "make",
        [
            lambda: Attempt(number=1, provider="p", started_at=NAIVE, outcome=Outcome.ACCEPTED),
            lambda: Verification(scheme="s", covers=Covers.BODY, signed_at=NAIVE),
            lambda: WebhookRequest(received_at=NAIVE),
        ],
    )
    def test_naive_times(self, make: Any) -> None:
        """A time without a zone is refused."""
        with pytest.raises(ValueError, match="no time zone"):
            make()

    def test_metadata_is_a_copy(self) -> None:
        """What an adapter passes may change later."""
        metadata = {"a": 1}
        found = event(metadata=metadata)
        metadata["a"] = 2
        assert found.metadata == {"a": 1}

    def test_repr(self) -> None:
        """The raw element, which may be a whole mail, does not show."""
        assert "geheim" not in repr(event(raw={"text": "geheim"}))


class TestTimestamps:
    """Times as providers write them."""

    @pytest.mark.parametrize(
        "text, found",
        [
            ("2030-01-31T12:00:00Z", NOON),
            ("2030-01-31T12:00:00.000Z", NOON),
            ("2030-01-31 12:00:00 UTC", NOON),
            ("2030-01-31T17:30:00+05:30", NOON),
            ("2030-01-31T17:30:00+0530", NOON),
            ("2030-01-31T12:00:00+00", NOON),
            ("2030-01-31T12:00:00", NOON),
            (" 2030-01-31T12:00:00Z ", NOON),
            ("2030-01-31T12:00:00.5Z", NOON.replace(microsecond=500_000)),
            ("2030-01-31T12:00:00,123456789Z", NOON.replace(microsecond=123_456)),
        ],
    )
    def test_read(self, text: str, found: datetime) -> None:
        """A time without a zone is UTC; digits past microseconds are dropped."""
        assert parse_timestamp(text) == found
        assert parse_timestamp(text).tzinfo is UTC

    @pytest.mark.parametrize(
        "text",
        [
            None, "", 5, 1893456000, "now", "2030-01-31", "2030-13-01T00:00:00Z", "2030-02-30T00:00:00Z",
            "2030-01-31T25:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "x" * 9999,
            "२०३०-01-31T12:00:00Z", "2030-01-31T12:00:00Z\n2030", b"2030-01-31T12:00:00Z",
            ["2030-01-31T12:00:00Z"],
        ],
    )  # fmt: skip
    def test_not_a_time(self, text: Any) -> None:
        """Anything else is None, never an error."""
        assert parse_timestamp(text) is None


class TestResults:
    """What became of a send."""

    RESULT = SendResult(message_id="1", recipients={"a@x": RecipientResult(status=SendStatus.QUEUED)})

    def test_ids_are_text(self) -> None:
        """An id that would never equal an event's is refused."""
        with pytest.raises(ValueError, match="text"):
            attrs.evolve(self.RESULT, message_id=5)

    def test_recipients_are_a_copy(self) -> None:
        """Nothing changes a result afterwards."""
        rows = {"a@x": RecipientResult(status=SendStatus.SENT)}
        result = SendResult(message_id=None, recipients=rows)
        rows.clear()
        assert list(result.recipients) == ["a@x"]
        with pytest.raises(TypeError):
            result.recipients["b@x"] = None

    def test_outcomes(self) -> None:
        """An outcome gives its result or raises its error."""
        error = Unreachable("no route")
        assert SendOutcome(Message(), self.RESULT, None).unwrap() is self.RESULT
        with pytest.raises(Unreachable) as caught:
            SendOutcome(Message(), None, error).unwrap()
        assert caught.value is error
