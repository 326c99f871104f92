"""Values survive JSON, pickle and copy: a queue, a file, another process."""

from __future__ import annotations

import contextlib
import json
import pickle
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mailcore
from mailcore import (
    UNSET,
    Address,
    Advice,
    Attachment,
    Attempt,
    BounceClass,
    Covers,
    EndpointKind,
    EventType,
    FileContent,
    FormPart,
    Headers,
    HttpResponse,
    InboundAttachment,
    InboundMessage,
    InvalidDocument,
    LocalResponse,
    Message,
    Outcome,
    Quarantined,
    RecipientResult,
    RejectReason,
    SendResult,
    SendStatus,
    SmtpResponse,
    Spooled,
    Support,
    TrackingEvent,
    Verification,
    VerifiedWebhook,
    WebhookRequest,
    WebhookResponse,
    from_json,
    strict_json,
    to_json,
)

NOON = datetime(2030, 1, 31, 12, 0, 0, 123, tzinfo=UTC)
#: Text that looks like what bytes, files and answers are written as.
TRAPS = {"base64": "AA==", "file": {"path": "/"}, "http": {"status": 200}, "json": '{"a": 1}'}
HTTP = HttpResponse(status=200, headers=[("A", "1"), ("a", "2")], body=b"\x00\xff")
REQUEST = WebhookRequest(
    method="post", url="https://x/hook", headers=[("X-Sig", "a"), ("x-sig", "b")], body=b"\x00\xff{}",
    received_at=NOON
)  # fmt: skip
VERIFIED = VerifiedWebhook(
    request=REQUEST,
    verification=Verification(scheme="s", covers=Covers.BODY, key="k", signed_at=NOON, delivery_id="d"),
)
FULL = Message(
    from_='"Ä, B" <a@exämple.com>', to=["b@x", "Bob <c@x>"], cc=None, bcc="d@x", reply_to="e@x",
    subject="Grüße 😀",
    text="a\r\nb", html="<p>", amp_html="", in_reply_to="a@b", references="a@b c@d", list_unsubscribe="https://x/",
    attachments=[Attachment(content=b"\x00\xff", content_id="a"), Attachment(content="ä", filename="ü.txt")],
    headers={"X-B": "1", "X-A": "ä"}, tags=["a", "b"],
    metadata={"a": [1, 2.5, None, True, TRAPS], "base64": "x"},
    envelope_sender="f@x", send_at=NOON, track_opens=False, track_clicks=None, template_id="t", merge_data={},
    merge_metadata={"b@x": {"k": 1}}, merge_headers={"b@x": {"X-C": "1"}}, merge_global_data=TRAPS,
    provider_options={"mailpace": {"deep": {"er": [1]}}, "base64": {"base64": "AA=="}}, idempotency_key="k",
)  # fmt: skip
RESULT = SendResult(
    message_id=None,
    recipients={
        "ä@x": RecipientResult(
            status=SendStatus.REJECTED, message_id="1", reason="no", code="5", retriable=True
        )
    },
    scope="recipient",
    message_ids=("1", "2"),
    provider="p",
    idempotency_key="k",
    attempts=(
        Attempt(number=1, provider="p", started_at=NOON, outcome=Outcome.UNKNOWN, error="E", status=500),
    ),
    dropped=("tags",),
    advice=(Advice(code="c", field="to", text="t", url="u"),),
)
EVENT = TrackingEvent(
    event_type=EventType.BOUNCED, event_id="1", timestamp=NOON, message_id="2", rfc_message_id="<a@b>",
    recipients=("a@x",), scope="message", tags=("t",), metadata=TRAPS, reject_reason=RejectReason.BOUNCED,
    bounce_class=BounceClass.HARD, description="d", mta_response="550", user_agent="u", click_url="https://x/",
    provider="p", provider_event="e", verified_by=VERIFIED.verification, raw={"a": [TRAPS, None, 1.5]},
)  # fmt: skip
INBOUND = InboundMessage.from_parts(
    from_="a@x", text="ä",
    attachments=[InboundAttachment.from_bytes(b"\x00\xff", filename="a.bin", checksum="0")],
    raw=b"Subject: a\r\n\r\n\xff", envelope_sender="", envelope_recipients=("b@x",), event_id="1",
    timestamp=NOON,
    provider="p", provider_fields=TRAPS,
)  # fmt: skip

VALUES = [
    FormPart(name="a", content=b"\x00\xff", filename="b", content_type="a/b"),
    Message(), FULL, FULL.resolve(Message(tags="d")),
    Message(**{field.name: None for field in attrs.fields(Message)}),
    Address("ä@exämple.com", "Ü"), Attachment(content=b"\xff"), Attachment(content=b"", inline=True),
    RESULT, *(attrs.evolve(RESULT, raw=raw) for raw in (
        HTTP, SmtpResponse(code=250, text="ok", refused={"a@x": (550, "no")}),
        LocalResponse(message_ids=("1",)))),
    RESULT.attempts[0], RESULT.advice[0], RESULT.recipients["ä@x"], HTTP,
    EVENT, TrackingEvent(event_type=EventType.UNKNOWN, event_id="1"),
    REQUEST, WebhookRequest(received_at=NOON, basic_auth="user"), VERIFIED, VERIFIED.verification,
    Quarantined(reason="r", kind=EndpointKind.INBOUND, webhook=VERIFIED),
    Spooled(kind=EndpointKind.TRACKING, webhook=VERIFIED),
    WebhookResponse(status=200, headers=[("A", "1")], body=b"\xff"), Support(limit=1, note="n"),
    INBOUND, InboundMessage(raw=b"\xff"), InboundMessage.from_parts(subject="a"),
    InboundAttachment.from_base64("AA=="), SmtpResponse(code=250), LocalResponse(message_ids=()),
]  # fmt: skip
each_value = pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)

#: Values that stay in their process: they hold secrets, streams, errors or code.
AT_HOME = {
    "AdapterSpec", "BasicAuth", "Base64", "Context", "EmulatedDelivery", "EmulatedFile",
    "EmulatedMail", "HttpRequest", "Idempotency", "LocalRequest",
    "Plugin", "PluginProblem", "SendOutcome", "Settings", "SmtpRequest",
}  # fmt: skip

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
floats = st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | floats | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["base64", "file", "a", "ä"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def travelled(value: Any) -> Any:
    """Return a value as it comes out of JSON."""
    return from_json(type(value), to_json(value))


class TestRoundTrip:
    """What goes in comes out."""

    def test_all_are_here(self) -> None:
        """Every public value is in the table, or stays at home for a reason."""
        public = {name for name in mailcore.__all__ if attrs.has(getattr(mailcore, name))}
        here = {type(value).__name__ for value in VALUES} | {"FileContent", "Defect"}
        assert public - here - AT_HOME == set()
        assert here & AT_HOME == set()

    @each_value
    def test_json(self, value: Any) -> None:
        """JSON gives back an equal value, of the same types within."""
        found = travelled(value)
        assert found == value
        assert types(found) == types(value)
        assert to_json(found) == to_json(value)

    @each_value
    def test_pickle_and_copy(self, value: Any) -> None:
        """So do pickle and deepcopy."""
        for found in (pickle.loads(pickle.dumps(value)), deepcopy(value)):
            assert found == value
            assert types(found) == types(value)

    @each_value
    def test_text(self, value: Any) -> None:
        """The text is ASCII, on one line, and the same from bytes."""
        text = to_json(value)
        assert text.isascii()
        assert "\n" not in text
        assert from_json(type(value), text.encode()) == value

    def test_absence(self) -> None:
        """Not given and None stay two things."""
        found = travelled(Message(cc=None, subject=""))
        assert (found.to, found.cc, found.subject) == (UNSET, None, "")
        assert to_json(Message()) == "{}"

    def test_files(self, tmp_path: Path) -> None:
        """A file is named, not copied, and still checked when it is sent."""
        path = tmp_path / "a.bin"
        path.write_bytes(b"abc")
        message = travelled(Message(attachments=Attachment.from_path(path, root=tmp_path)))
        (attachment,) = message.attachments
        assert attachment.content == FileContent.declare(path)
        path.write_bytes(b"abcd")
        with pytest.raises(mailcore.AttachmentChanged):
            list(attachment.pieces())

    def test_inbound_accessors(self) -> None:
        """Received mail reads the same afterwards."""
        found = travelled(INBOUND)
        assert (found.subject, found.attachments, found.defects) == (
            INBOUND.subject, INBOUND.attachments, INBOUND.defects,
        )  # fmt: skip
        assert travelled(found) == INBOUND

    @given(st.dictionaries(texts, plain, max_size=4))
    @settings(deadline=None, max_examples=50)
    def test_any_metadata(self, metadata: dict[str, Any]) -> None:
        """Whatever JSON value a message takes, it brings back."""
        assert travelled(Message(metadata=metadata)).metadata == metadata
        assert travelled(attrs.evolve(EVENT, raw=metadata, metadata=metadata)).raw == metadata

    @given(st.binary(max_size=50))
    @settings(deadline=None, max_examples=50)
    def test_any_bytes(self, content: bytes) -> None:
        """Bytes are never taken for text."""
        assert travelled(Attachment(content=content)).content == content
        assert travelled(attrs.evolve(REQUEST, body=content)).body == content


def types(value: Any) -> Any:
    """Return the types of a value's fields, all the way down."""
    if attrs.has(type(value)):
        fields = [field.name for field in attrs.fields(type(value)) if field.eq]
        return type(value), [(name, types(getattr(value, name))) for name in fields]
    if isinstance(value, Headers):
        return Headers, value.pairs
    if isinstance(value, tuple):
        return tuple, [types(item) for item in value]
    if hasattr(value, "items"):
        return [(key, types(item)) for key, item in value.items()]
    return type(value)


class TestRefusing:
    """Text that holds no value."""

    @pytest.mark.parametrize(
        "cls, text",
        [
            (Message, "[]"), (Message, "null"), (Message, '"a"'), (Message, '{"to": "nobody"}'),
            (Message, '{"wings": 1}'),
            (Message, '{"send_at": "2030-01-01T00:00:00"}'), (Message, '{"send_at": "soon"}'), (Message, "{"),
            (Message, '{"attachments": [{"content": {"base64": "A"}}]}'), (Message, '{"attachments": [{}]}'),
            (Message, '{"attachments": [{"content": {"file": {"path": "/"}}}]}'),
            (Message, '{"headers": {"To": "a@x"}}'),
            (WebhookRequest, "[]"), (WebhookRequest, '{"wings": 1}'), (WebhookRequest, '{"body": "text"}'),
            (WebhookRequest, '{"body": {"base64": "Y Q=="}}'), (WebhookRequest, '{"headers": [["a"]]}'),
            (WebhookRequest, '{"received_at": "2030-01-01T00:00:00"}'), (VerifiedWebhook, "{}"),
            (TrackingEvent, '{"event_type": "flew", "event_id": "1"}'),
            (TrackingEvent, '{"event_type": "queued", "event_id": ""}'), (SendResult, '{"message_id": null}'),
            (SendResult, '{"message_id": null, "recipients": {}, "raw": {"x": 1}}'),
            (Address, '{"addr_spec": "a"}'),
        ],
    )  # fmt: skip
    def test_invalid(self, cls: type[Any], text: str) -> None:
        """Every reason is one error that names the class."""
        with pytest.raises(InvalidDocument):
            from_json(cls, text)

    @each_value
    def test_damaged(self, value: Any) -> None:
        """A text cut off, or with a field too many, is refused."""
        text = to_json(value)
        for damaged in (text[:-1], text[:-1] + ("," if text != "{}" else "") + '"wings":1}', text + text):
            with pytest.raises(InvalidDocument):
                from_json(type(value), damaged)

    @given(st.sampled_from(VALUES), st.data())
    @settings(deadline=None, max_examples=200)
    def test_replaced(self, value: Any, data: st.DataObject) -> None:
        """A field of another type is refused, or gives a value; nothing else comes out."""
        document = json.loads(to_json(value)) or {"to": None}
        name = data.draw(st.sampled_from(sorted(document)))
        document[name] = data.draw(plain)
        with contextlib.suppress(InvalidDocument):
            assert isinstance(from_json(type(value), json.dumps(document)), type(value))


class TestDepth:
    """Documents within documents."""

    def test_event_as_deep_as_a_delivery_may_be(self) -> None:
        """What a strict reader took of a delivery comes back with the event that holds it."""
        raw: Any = strict_json(b"[" * 64 + b"]" * 64)
        event = TrackingEvent(event_type=EventType.UNKNOWN, event_id="1", raw=raw)
        assert from_json(TrackingEvent, to_json(event)) == event
