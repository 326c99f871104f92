"""Messages: each field checked once, at construction."""

from __future__ import annotations

import contextlib
import pickle
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailcore import (
    UNSET,
    Address,
    Attachment,
    InvalidMessage,
    JsonBody,
    Message,
    NotSerializable,
    UnsupportedFeature,
)

FIELDS = [field.name for field in attrs.fields(Message)]
ADDRESSES = ["from_", "to", "cc", "bcc", "reply_to"]
MAPPINGS = [
    "metadata",
    "merge_data",
    "merge_metadata",
    "merge_headers",
    "merge_global_data",
    "provider_options",
]
NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)


class Lazy:
    """Text that a framework would only make on use."""

    def __str__(self) -> str:
        return "text"


class TestAbsence:
    """Not given, and given as nothing."""

    @pytest.mark.rule("N-B5")
    def test_not_given(self) -> None:
        """Every field is UNSET until it is given; UNSET is false and itself wherever it is copied."""
        message = Message()
        assert {getattr(message, name) for name in FIELDS} == {UNSET}
        assert (bool(UNSET), repr(UNSET)) == (False, "UNSET")
        copied = pickle.loads(pickle.dumps(message)), deepcopy(message)
        assert all(getattr(copy, name) is UNSET for name in FIELDS for copy in copied)
        assert copied == (message, message)

    @pytest.mark.parametrize("name", FIELDS)
    def test_none(self, name: str) -> None:
        """None is kept: it suppresses a default."""
        assert getattr(Message(**{name: None}), name) is None

    def test_unset_is_no_class_to_use(self) -> None:
        """There is one UNSET and nothing is made of it."""
        with pytest.raises(TypeError):
            UNSET()


class TestFields:
    """What each field takes and keeps."""

    @pytest.mark.parametrize("name", ADDRESSES)
    def test_addresses(self, name: str) -> None:
        """One address bare or any list; always kept as a tuple."""
        for value in ("Ada <a@x>", ["Ada <a@x>"], Address("a@x", "Ada"), ["Ada <a@x>", None]):
            assert getattr(Message(**{name: value}), name) == (Address("a@x", "Ada"),)

    @pytest.mark.parametrize(
        "name, value, kept",
        [
            ("tags", "one", ("one",)),
            ("tags", ["a", "b"], ("a", "b")),
            ("template_id", 5, "5"),
            ("in_reply_to", "a@b", "<a@b>"),
            ("references", "<a@b> c@d", ("<a@b>", "<c@d>")),
            ("references", ["a@b", "<c@d>"], ("<a@b>", "<c@d>")),
            ("list_unsubscribe", "<https://x/u>, <mailto:u@x>", ("https://x/u", "mailto:u@x")),
            ("list_unsubscribe", ["https://x/u"], ("https://x/u",)),
            ("track_opens", False, False),
            ("provider_options", {"amazon_ses": {"a": 1}}, {"amazon-ses": {"a": 1}}),
            ("idempotency_key", "order-1", "order-1"),
            ("attachments", Attachment(content=b""), (Attachment(content=b""),)),
        ],
    )
    def test_kept(self, name: str, value: object, kept: object) -> None:
        """Each field has one form, whatever was given."""
        assert getattr(Message(**{name: value}), name) == kept

    @pytest.mark.parametrize(
        "name, value",
        [
            ("tags", ""), ("tags", [" "]), ("tags", "a\r\nb"), ("track_opens", 1), ("track_clicks", "yes"),
            ("idempotency_key", ""), ("idempotency_key", " "), ("idempotency_key", "a b"),
            ("idempotency_key", "ä"), ("idempotency_key", "a\n"), ("idempotency_key", 5),
            ("in_reply_to", ""), ("in_reply_to", "a b"), ("in_reply_to", "<a><b>"), ("references", ["<a b>"]),
            ("list_unsubscribe", ["javascript:x"]), ("list_unsubscribe", ["https://x/a b"]),
            ("list_unsubscribe", ["https://x>, <https://evil"]), ("template_id", "a\n"),
            ("text", "a\x00"), ("text", "\ud800"), ("html", "\ud800"), ("amp_html", "\x00"),
            ("attachments", "file.pdf"), ("attachments", [b"x"]), ("provider_options", {"a": 1}),
        ],
    )  # fmt: skip
    def test_refused(self, name: str, value: object) -> None:
        """The error names the field."""
        with pytest.raises(InvalidMessage, match=f"^{name}") as caught:
            Message(**{name: value})
        assert caught.value.field.startswith(name)

    @pytest.mark.rule("N-B4")
    @pytest.mark.parametrize("bad", ["\r", "\n", "\r\nBcc: x@y", "\x00", "\x85", "\u2028"], ids=ascii)
    def test_line_breaks(self, bad: str) -> None:
        """Where a line is meant, no break gets in."""
        for values in (
            {"subject": f"a{bad}"},
            {"headers": {"X-A": f"a{bad}"}},
            {"headers": {f"X-A{bad}": "a"}},
            {"merge_headers": {"a@x": {"X-A": f"a{bad}"}}},
            {"tags": [f"a{bad}"]},
            {"in_reply_to": f"a@b{bad}"},
            {"list_unsubscribe": [f"https://x/{bad}"]},
        ):
            with pytest.raises(InvalidMessage):
                Message(**values)

    @pytest.mark.rule("N-E1")
    @pytest.mark.parametrize("name", FIELDS)
    @pytest.mark.parametrize(
        "value",
        [5.5, Lazy(), b"x", [Lazy()], {"a": Lazy()}, {5: 5}, [["a"]], {"a": {5: 1}}, {"a@x": {"b": Lazy()}}],
    )
    def test_types(self, name: str, value: object) -> None:
        """What is of another type is our error, never Python's own."""
        with pytest.raises((InvalidMessage, UnsupportedFeature)):
            Message(**{name: value})

    @given(st.sampled_from(FIELDS), st.recursive(
        st.none() | st.text(max_size=5) | st.integers() | st.binary(max_size=5) | st.floats(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    ))  # fmt: skip
    @settings(deadline=None, max_examples=200)
    @example("to", [0])
    def test_any_value(self, name: str, value: object) -> None:
        """A value is taken or refused by one of our errors."""
        with contextlib.suppress(InvalidMessage, UnsupportedFeature):
            Message(**{name: value})


class TestTimes:
    """When to send."""

    @pytest.mark.rule("N-E4")
    @pytest.mark.parametrize("value", [datetime(2030, 1, 1), date(2030, 1, 1), 1893456000, "2030-01-01"])  # noqa: DTZ001  # reason: what is refused
    def test_refused(self, value: object) -> None:
        """Only an aware time says when."""
        with pytest.raises(InvalidMessage, match=r"^send_at: needs a datetime with a time zone"):
            Message(send_at=value)

    @pytest.mark.rule("N-E4")
    def test_utc(self) -> None:
        """The moment is kept, in UTC."""
        zone = timezone(timedelta(hours=2))
        kept = Message(send_at=NOON.astimezone(zone)).send_at
        assert (kept, kept.tzinfo) == (NOON, UTC)


class TestMappings:
    """Values that travel to a provider and back."""

    @pytest.mark.rule("N-E2")
    @pytest.mark.parametrize("name", MAPPINGS)
    @pytest.mark.parametrize(
        "value", [Decimal(1), NOON, date(2030, 1, 1), object(), {1}, b"x", float("nan"), float("inf"), 10**20]
    )
    def test_objects(self, name: str, value: object) -> None:
        """What JSON cannot carry is a TypeError that names its place and type."""
        for inner in (value, [value], {"deep": [value]}):
            rows = {"a@x": {"k": inner}} if name not in ("metadata", "merge_global_data") else {"k": inner}
            with pytest.raises(NotSerializable, match=rf"^{name}\[.*{type(value).__name__}") as caught:
                Message(**{name: rows})
            assert isinstance(caught.value, TypeError)

    @pytest.mark.rule("N-E2")
    @pytest.mark.parametrize("value", [[Decimal(1)], [5], [NOON], [None]])
    def test_tags(self, value: list[object]) -> None:
        """Tags are text."""
        with pytest.raises(NotSerializable, match=r"^tags: "):
            Message(tags=value)

    def test_depth(self) -> None:
        """Nesting has an end, a value that holds itself too."""
        loop: dict[str, Any] = {}
        loop["loop"] = loop
        with pytest.raises(NotSerializable, match="levels deep"):
            Message(metadata=loop)

    @pytest.mark.parametrize("name", MAPPINGS)
    @pytest.mark.parametrize("key", [5, None, "\ud800", "\x00"], ids=ascii)
    def test_keys(self, name: str, key: object) -> None:
        """Keys are text, at every level."""
        for rows in ({key: {"a": 1}}, {"a": {key: 1}}):
            with pytest.raises(InvalidMessage, match=f"^{name}"):
                Message(**{name: rows})

    @pytest.mark.rule("N-E6")
    def test_copied(self) -> None:
        """The caller's mapping may change later; the message's cannot."""
        metadata, options = {"a": 1}, {"mailpace": {"b": 2}}
        message = Message(metadata=metadata, provider_options=options)
        metadata["a"] = options["mailpace"]["b"] = 9
        assert (message.metadata, message.provider_options) == ({"a": 1}, {"mailpace": {"b": 2}})
        with pytest.raises(TypeError):
            message.metadata["a"] = 9
        assert (metadata, options) == ({"a": 9}, {"mailpace": {"b": 9}})

    def test_provider_twice(self) -> None:
        """Two spellings of one provider's name do not lose either's options."""
        with pytest.raises(InvalidMessage, match=r"^provider_options"):
            Message(provider_options={"amazon_ses": {"a": 1}, "amazon-ses": {"b": 2}})


class TestMessage:
    """The message as a whole."""

    def test_frozen(self) -> None:
        """Nothing is changed after construction."""
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            Message(subject="a").subject = "b"

    @pytest.mark.rule("N-A17")
    def test_envelope_sender(self) -> None:
        """Bounces go to a bare address; its domain has an ASCII form."""
        sender = Message(envelope_sender="Bounces <b@exämple.com>").envelope_sender
        assert (sender.to_text(), sender.display_name) == ("b@xn--exmple-cua.com", "")

    def test_recipients(self) -> None:
        """Everybody, in the order of the fields."""
        message = Message(bcc="c@x", cc="b@x", to=["a@x", "d@x"])
        assert [address.addr_spec for address in message.recipients] == ["a@x", "d@x", "b@x", "c@x"]

    @pytest.mark.parametrize("name", ["merge_data", "merge_metadata", "merge_headers"])
    def test_batch(self, name: str) -> None:
        """Presence means batch, even of nothing."""
        assert Message(**{name: {}}).is_batch
        assert not Message(**{name: None}).is_batch
        assert not Message(merge_global_data={"a": 1}).is_batch

    def test_repr(self) -> None:
        """A repr says which fields there are and nothing of what they hold."""
        message = Message(
            to="ada@example.com", subject="Geheim", text="Geheim", metadata={"Geheim": 1}, cc=None
        )
        assert repr(message) == "Message(to, subject, text, metadata)"

    def test_copies(self) -> None:
        """A full message survives pickle, copy and evolve."""
        message = Message(to="a@x", metadata={"a": [1]}, attachments=Attachment(content=b"x"), send_at=NOON)
        assert pickle.loads(pickle.dumps(message)) == deepcopy(message) == message
        assert attrs.evolve(message, subject="b").metadata == {"a": [1]}

    @given(st.text(max_size=30) | st.text(st.sampled_from('a\r\n\x00\x85\u2028:,"<>@'), max_size=9))
    @settings(deadline=None, max_examples=200)
    def test_no_injection(self, text: str) -> None:
        """Every field that becomes a line refuses a text, or holds one line."""
        for name in ("subject", "tags", "in_reply_to", "references", "list_unsubscribe", "template_id"):
            try:
                kept = getattr(Message(**{name: text}), name)
            except InvalidMessage:
                continue
            assert not set("\r\n\x00\x85\u2028\u2029") & set("".join(kept))

    def test_frozen_maps_are_json(self) -> None:
        """Mappings a message keeps can be written into a request as they are."""
        message = Message(merge_data={"a@x": {"k": [1]}})
        assert b"".join(JsonBody({"data": message.merge_data})) == b'{"data":{"a@x":{"k":[1]}}}'


class TestHugeNumbers:
    """Numbers that nothing writes out."""

    @pytest.mark.parametrize(
        "given",
        [
            {"headers": {"X-A": 10**5000}},
            {"template_id": 10**5000},
            {"metadata": {"a": 10**5000}},
            {"send_at": datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))},
        ],
    )
    def test_refused(self, given: dict[str, Any]) -> None:
        """They are refused like any other value that no mail can have."""
        with pytest.raises(InvalidMessage):
            Message(**given)
