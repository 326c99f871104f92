"""What an event becomes, whatever it holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore import BounceClass, EventType, RejectReason, TrackingEvent
from mailcore_mailgun._events import event, is_event, moment

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = [
    *("id", "timestamp", "severity", "reason", "recipient", "message", "tags", "user-variables"),
    *("delivery-status", "reject", "client-info", "url"),
]


class TestMeaning:
    """`failed` is many things."""

    @pytest.mark.parametrize(
        "severity, reason, expected",
        [
            ("temporary", "bounce", (EventType.DEFERRED, None, BounceClass.SOFT)),
            ("permanent", "bounce", (EventType.BOUNCED, RejectReason.BOUNCED, BounceClass.HARD)),
            ("permanent", "suppress-complaint", (EventType.REJECTED, RejectReason.SPAM, None)),
            ("permanent", "old", (EventType.BOUNCED, RejectReason.TIMED_OUT, BounceClass.SOFT)),
            ("permanent", "new one", (EventType.BOUNCED, RejectReason.OTHER, BounceClass.HARD)),
            ("permanent", None, (EventType.BOUNCED, RejectReason.OTHER, BounceClass.HARD)),
            (None, "bounce", (EventType.FAILED, RejectReason.OTHER, None)),
            (["permanent"], {}, (EventType.FAILED, RejectReason.OTHER, None)),
        ],
    )
    def test_failures(self, severity: Any, reason: Any, expected: Any) -> None:
        """Severity decides, and then the reason."""
        found = event({"event": "failed", "severity": severity, "reason": reason})
        assert (found.event_type, found.reject_reason, found.bounce_class) == expected

    def test_unknown(self) -> None:
        """A kind that is new costs nothing but its meaning."""
        found = event({"event": "email.preened", "id": "1"})
        assert (found.event_type, found.provider_event) == (EventType.UNKNOWN, "email.preened")


class TestHostile:
    """Values of other types."""

    @given(st.dictionaries(st.sampled_from(NAMES), values))
    def test_anything(self, data: dict[str, Any]) -> None:
        """Each costs itself and not the event."""
        assert isinstance(event({**data, "event": "delivered"}), TrackingEvent)

    @given(values)
    def test_shapes(self, value: Any) -> None:
        """What is no event is none."""
        assert not is_event(value) or isinstance(value["event-data"]["event"], str)

    @pytest.mark.parametrize("value", [None, True, [], "x", "nan", 1e300, -1e300, "inf", 10**30])
    def test_no_times(self, value: Any) -> None:
        """What is no time is None."""
        assert moment(value) is None


def test_ids_ignore_the_signature() -> None:
    """An event that is signed anew has its old id; another recipient's has another."""
    data = {"event": "opened", "id": "1", "timestamp": 1.5, "recipient": "a@example.com"}
    assert event(data).event_id == event(dict(data)).event_id
    assert event(data).event_id != event({**data, "recipient": "b@example.com"}).event_id
