"""Webhooks → events and mail: what no sample of the kit shows."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore import (
    ConfigurationError,
    EventType,
    InboundMessage,
    MemoryReplayStore,
    PluginHost,
    TrackingEvent,
    WebhookReceiver,
    WebhookRequest,
)
from mailcore_postmark import _events, _inbound

AUTH = ("Authorization", f"Basic {b64encode(b'postmark:secret').decode()}")
DELIVERY: dict[str, Any] = {
    "RecordType": "Delivery",
    "MessageID": "m-1",
    "Recipient": "bob@example.com",
    "DeliveredAt": "2025-06-01T12:00:00.1234567Z",
}
BOUNCE: dict[str, Any] = {
    "RecordType": "Bounce",
    "ID": 42,
    "Type": "HardBounce",
    "MessageID": "m-1",
    "Email": "bob@example.com",
    "BouncedAt": "2025-06-01T12:00:00Z",
}


def request(document: Any, *headers: tuple[str, str]) -> WebhookRequest:
    """Return a delivery of that JSON."""
    return WebhookRequest(headers=[AUTH, *headers], body=json.dumps(document).encode())


class TestIdentity:
    """By what one event is told from another."""

    @pytest.mark.parametrize(
        "change",
        [
            {"Recipient": "eve@example.com"},
            {"MessageID": "m-2"},
            {"RecordType": "Open"},
            {"DeliveredAt": "2025-06-01T12:00:00.1234568Z"},
            {"OriginalLink": "https://example.com/b"},
            {"ServerID": 7},
        ],
    )
    def test_another_event(self, change: dict[str, Any]) -> None:
        """What happened, when, to whose mail, each counts, to the last digit."""
        assert _events.event(DELIVERY).event_id != _events.event({**DELIVERY, **change}).event_id

    def test_the_same_event(self) -> None:
        """Order and what says nothing of the event do not."""
        again = dict(reversed([*DELIVERY.items(), ("Tag", "x"), ("Geo", {"IP": "1.2.3.4"})]))
        assert _events.event(again).event_id == _events.event(DELIVERY).event_id

    def test_postmarks_own_id(self) -> None:
        """A bounce and a complaint have one each, which may be the same number."""
        complaint = {**BOUNCE, "RecordType": "SpamComplaint", "Type": "SpamComplaint"}

        assert _events.event(BOUNCE).event_id == "Bounce-42"
        assert _events.event(complaint).event_id == "SpamComplaint-42"

    @pytest.mark.parametrize("own", [None, 0, "", True, 1.5, [], {}])
    def test_no_id(self, own: Any) -> None:
        """Where there is none, the rest tells; a reactivation is not the suppression before it."""
        assert len(_events.event({**BOUNCE, "ID": own}).event_id) == 64
        change = {
            "RecordType": "SubscriptionChange",
            "Recipient": "b@example.com",
            "ChangedAt": "2025-06-01T12:00:00Z",
        }
        ids = {_events.event({**change, "SuppressSending": on}).event_id for on in (True, False)}
        assert len(ids) == 2


class TestReceiver:
    """By way of a receiver."""

    def test_needs_a_secret(self, host: PluginHost) -> None:
        """Without basic auth, nobody could be told from Postmark."""
        with pytest.raises(ConfigurationError):
            WebhookReceiver.from_config({"provider": "postmark"}, environ={}, host=host, on_event=print)

    @pytest.mark.parametrize("headers", [[], [("Authorization", "Basic eDp5")], [AUTH, AUTH]])
    def test_others_are_refused(
        self, make_receiver: Callable[..., WebhookReceiver], headers: list[tuple[str, str]]
    ) -> None:
        """A missing, a wrong and a doubled password are 401."""
        seen: list[Any] = []
        receiver = make_receiver(on_event=seen.append)
        response = receiver.receive(
            WebhookRequest(headers=headers, body=json.dumps(DELIVERY).encode()), kind="tracking"
        )

        assert (response.status, seen) == (401, [])

    def test_a_trace_id_is_handled_once(self, make_receiver: Callable[..., WebhookReceiver]) -> None:
        """While it is the same, so is the delivery, whatever its body; a blank one says nothing."""
        seen: list[TrackingEvent] = []
        receiver = make_receiver(on_event=seen.append, replay_store=MemoryReplayStore())
        for trace, tag in (("t-1", "a"), ("t-1", "b"), ("t-2", "a"), (" ", "a"), (" ", "b")):
            sent = request({**DELIVERY, "Tag": tag}, ("X-PM-Webhook-Trace-Id", trace))
            assert receiver.receive(sent, kind="tracking").status == 200

        assert [event.tags for event in seen] == [("a",), ("a",), ("a",), ("b",)]

    def test_two_trace_ids_are_none(self, make_receiver: Callable[..., WebhookReceiver]) -> None:
        """A doubled header is not Postmark's: the body tells."""
        seen: list[TrackingEvent] = []
        receiver = make_receiver(on_event=seen.append, replay_store=MemoryReplayStore())
        traces = [("X-PM-Webhook-Trace-Id", "t-1"), ("X-PM-Webhook-Trace-Id", "t-2")]
        for tag in ("a", "b"):
            receiver.receive(request({**DELIVERY, "Tag": tag}, *traces), kind="tracking")

        assert len(seen) == 2

    def test_misrouted(self, make_receiver: Callable[..., WebhookReceiver]) -> None:
        """An event at the endpoint of mail is kept and acknowledged."""
        seen: list[Any] = []
        receiver = make_receiver(on_event=seen.append, on_inbound=seen.append)

        assert receiver.receive(request(DELIVERY), kind="inbound").status == 200
        assert seen == []


class TestValues:
    """What comes of single values."""

    def test_metadata_and_tag(self) -> None:
        """Null and an empty tag are nothing."""
        found = _events.event({**DELIVERY, "Tag": "", "Metadata": None})
        assert (found.tags, dict(found.metadata)) == ((), {})

    def test_suppression_without_a_word(self) -> None:
        """Where Postmark does not say which way a list changed, nobody is unsubscribed."""
        change = {"RecordType": "SubscriptionChange", "SuppressionReason": None}
        for on in (None, "false", 0):
            assert _events.event({**change, "SuppressSending": on}).event_type is EventType.UNKNOWN

    def test_time(self) -> None:
        """Times are UTC, and only of the event."""
        assert _events.event(DELIVERY).timestamp == datetime(2025, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)
        assert _events.event({**DELIVERY, "DeliveredAt": "yesterday"}).timestamp is None

    def test_nameless_and_odd_senders(self) -> None:
        """A mail keeps what can be read of its addresses."""
        found = _inbound.message(
            {
                "MessageID": "1",
                "FromFull": {"Email": "eve@example.com", "Name": "Widgets, Inc."},
                "ToFull": [
                    {"Email": "not an address", "Name": "x"},
                    {"Email": "bob@example.com", "Name": 'A "B" <c>'},
                ],
            },
            b"",
        )

        assert [str(one) for one in found.from_] == ['"Widgets, Inc." <eve@example.com>']
        assert [one.addr_spec for one in found.to] == ["bob@example.com"]

    def test_line_breaks(self) -> None:
        """A line break in a value makes no header."""
        found = _inbound.message(
            {"MessageID": "1", "FromFull": {}, "Subject": "Hi\r\nBcc: x@y.example", "Headers": []}, b""
        )
        assert "Bcc" not in found.headers
        assert found.bcc == ()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = [
    *(
        "RecordType",
        "Type",
        "ID",
        "MessageID",
        "Recipient",
        "Email",
        "Metadata",
        "Tag",
        "Details",
        "ServerID",
    ),
    *("SuppressSending", "SuppressionReason", "DeliveredAt", "OriginalLink"),
]
FIELDS = [
    *(
        "FromFull",
        "ToFull",
        "CcFull",
        "BccFull",
        "Subject",
        "MessageID",
        "Headers",
        "Attachments",
        "RawEmail",
    ),
    *("OriginalRecipient", "Date", "ReplyTo", "TextBody", "HtmlBody"),
]


@given(st.dictionaries(st.sampled_from(NAMES), values))
def test_any_event_is_an_event(document: dict[str, Any]) -> None:
    """Whatever types come, an event comes of it."""
    assert _events.event(document).event_id


@given(st.dictionaries(st.sampled_from(FIELDS), values))
def test_any_mail_is_a_mail(document: dict[str, Any]) -> None:
    """Whatever types come, a mail comes of it, and each of its values can be asked for."""
    found = _inbound.message(document, b"body")
    assert isinstance(found, InboundMessage)
    names = (
        "from_",
        "to",
        "cc",
        "bcc",
        "reply_to",
        "subject",
        "date",
        "text",
        "html",
        "attachments",
        "inlines",
    )
    for name in names:
        getattr(found, name)
    assert found.event_id
