"""Defaults: what a message takes from its mailer, and what an adapter sees."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from mailcore import UNSET, Address, Attachment, InvalidAddress, InvalidMessage, Message, to_json
from mailcore._resolve import combine

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)
A, B = Attachment(content=b"a"), Attachment(content=b"b")
BASE = Message(from_="s@x", to="r@x", text=".")

#: Field, default, given, both.
COMBINED = [
    ("from_", "d@x", "g@x", (Address("g@x"),)),
    ("to", "d@x", ["g@x", "d@x"], (Address("d@x"), Address("g@x"))),
    ("cc", "d@x", "g@x", (Address("d@x"), Address("g@x"))),
    ("bcc", "d@x", "g@x", (Address("d@x"), Address("g@x"))),
    ("reply_to", "d@x", "g@x", (Address("d@x"), Address("g@x"))),
    ("subject", "d", "g", "g"),
    ("text", "d", "g", "g"),
    ("html", "d", "g", "g"),
    ("amp_html", "d", "g", "g"),
    ("attachments", A, [B, A], (A, B)),
    ("headers", {"X-D": "1", "X-B": "2"}, {"x-b": "3"}, {"X-D": "1", "x-b": "3"}),
    ("in_reply_to", "d@x", "g@x", "<g@x>"),
    ("references", "d@x", "g@x", ("<g@x>",)),
    ("list_unsubscribe", "https://d/", "https://g/", ("https://g/",)),
    ("tags", ["d", "b"], ["b", "g"], ("d", "b", "g")),
    ("metadata", {"d": 1, "b": {"x": 1}}, {"b": {"y": 1}}, {"d": 1, "b": {"y": 1}}),
    ("envelope_sender", "d@x", "g@x", Address("g@x")),
    ("send_at", NOON, NOON.replace(year=2031), NOON.replace(year=2031)),
    ("track_opens", True, False, False),
    ("track_clicks", True, False, False),
    ("template_id", "d", 5, "5"),
    ("merge_data", {"r@x": {"d": 1, "b": 1}}, {"r@x": {"b": 2}}, {"r@x": {"d": 1, "b": 2}}),
    ("merge_metadata", {"r@x": {"d": 1}}, {"r@x": {"b": 2}}, {"r@x": {"d": 1, "b": 2}}),
    ("merge_headers", {"r@x": {"X-D": "1"}}, {"r@x": {"x-d": "2"}}, {"r@x": {"x-d": "2"}}),
    ("merge_global_data", {"d": 1}, {"g": 2}, {"d": 1, "g": 2}),
    ("idempotency_key", "d", "g", "g"),
    (
        "provider_options",
        {"p": {"a": {"d": 1}, "b": 1}}, {"p": {"a": {"g": 2}}}, {"p": {"a": {"d": 1, "g": 2}, "b": 1}},
    ),
]  # fmt: skip


def resolved(name: str, given: Any, default: Any) -> Any:
    """Return what an adapter sees of one field; the rest of the message is complete."""
    message = attrs.evolve(BASE, **{name: given})
    return getattr(message.resolve(Message(**{name: default})), name)


@pytest.mark.rule("N-E5")
class TestCombining:
    """One rule a field."""

    def test_every_field_is_here(self) -> None:
        """The table below speaks of every field of a message."""
        assert [name for name, *_ in COMBINED] == [field.name for field in attrs.fields(Message)]

    @pytest.mark.parametrize("name, default, given, both", COMBINED, ids=lambda value: str(value)[:12])
    def test_both(self, name: str, default: Any, given: Any, both: Any) -> None:
        """Lists and mappings combine with the default first; other fields replace it."""
        assert resolved(name, given, default) == both
        assert getattr(combine(Message(**{name: given}), Message(**{name: default})), name) == both

    @pytest.mark.parametrize("name, default, given, both", COMBINED, ids=lambda value: str(value)[:12])
    def test_one(self, name: str, default: Any, given: Any, both: Any) -> None:
        """What only one side gives is taken as it is."""
        for value in (default, given):
            kept = getattr(Message(**{name: value}), name)
            assert resolved(name, value, UNSET) == resolved(name, value, None) == kept
            assert resolved(name, UNSET if name != "to" else value, value) == kept

    @pytest.mark.parametrize("name, default, given, both", COMBINED, ids=lambda value: str(value)[:12])
    def test_cancelled(self, name: str, default: Any, given: Any, both: Any) -> None:
        """None on the message cancels the default; what is left is plain absence."""
        others = Message(cc="c@x", html=".", from_="s@x")
        message = attrs.evolve(others, **{name: None})
        if name == "from_":
            with pytest.raises(InvalidMessage, match=r"^from_"):
                message.resolve(Message(from_=default))
            return
        seen = (
            getattr(message.resolve(Message(**{name: default})), name) if name not in ("cc", "html") else None
        )
        assert not seen
        assert seen is not UNSET
        assert getattr(combine(message, Message(**{name: default})), name) is None

    def test_neither_side_changes(self) -> None:
        """Combining changes neither the message nor the defaults."""
        message = Message(**{"to": "r@x", **{name: given for name, _, given, _ in COMBINED if name != "to"}})
        defaults = Message(**{name: default for name, default, _, _ in COMBINED})
        before = to_json(message), to_json(defaults)
        message.resolve(defaults)
        combine(message, defaults)
        assert (to_json(message), to_json(defaults)) == before

    def test_header_that_became_a_field(self) -> None:
        """A default given as a header is overridden by the field it became."""
        defaults = Message(headers={"Reply-To": "d@x", "X-A": "1"})
        found = attrs.evolve(BASE, reply_to=None).resolve(defaults)
        assert (found.reply_to, found.headers) == ((), {"X-A": "1"})


class TestResolving:
    """What an adapter sees."""

    def test_nothing_unset(self) -> None:
        """A resolved message holds no UNSET, and no None where a list or mapping is meant."""
        seen = BASE.resolve()
        assert UNSET not in [getattr(seen, field.name) for field in attrs.fields(Message)]
        assert (seen.cc, seen.tags, seen.headers, seen.metadata) == ((), (), {}, {})
        assert (seen.subject, seen.html, seen.merge_data, seen.send_at) == (None, None, None, None)

    def test_twice(self) -> None:
        """Resolving what is resolved changes nothing."""
        seen = attrs.evolve(BASE, merge_data={"R@X": {}}, to="R@X").resolve(Message(tags="a"))
        assert seen.resolve() == seen.resolve(Message()) == seen

    @pytest.mark.rule("N-B1")
    @pytest.mark.parametrize("name", ["subject", "html", "amp_html", "template_id"])
    def test_empty_text(self, name: str) -> None:
        """An empty text is none, from the message or from the defaults; it hides the default."""
        assert resolved(name, "", UNSET) is None
        assert resolved(name, UNSET, "") is None
        assert resolved(name, "", "default") is None

    @pytest.mark.parametrize(
        "given, field",
        [
            ({"to": "r@x", "text": "."}, "from_"),
            ({"from_": "s@x", "text": "."}, "to"),
            ({"from_": "s@x", "text": ".", "to": "nobody:;"}, "to"),
            ({"from_": "s@x", "to": "r@x"}, "text"),
            ({"from_": "s@x", "to": "r@x", "text": "", "subject": "a"}, "text"),
        ],
    )
    def test_incomplete(self, given: dict[str, str], field: str) -> None:
        """A mail has a sender, a recipient and content; the error names what is missing."""
        with pytest.raises(InvalidMessage, match=f"^{field}: ") as caught:
            Message(**given).resolve()
        assert caught.value.field == field

    @pytest.mark.rule("N-A15")
    @pytest.mark.parametrize("name", ["to", "cc", "bcc"])
    def test_one_recipient_is_enough(self, name: str) -> None:
        """Any of the recipient fields alone makes a mail."""
        assert Message(from_="s@x", text=".", **{name: "r@x"}).resolve().recipients == (Address("r@x"),)

    @pytest.mark.parametrize(
        "content", [{"html": "."}, {"template_id": 1}, {"attachments": A}, {"amp_html": "."}]
    )
    def test_content(self, content: dict[str, Any]) -> None:
        """Any kind of content is enough."""
        assert Message(from_="s@x", to="r@x", **content).resolve()


@pytest.mark.rule("N-A13")
class TestMergeKeys:
    """Values for single recipients find them."""

    TO = ("Ada@EXÄMPLE.com", "bob@example.com")

    def keys(self, *keys: str, name: str = "merge_data") -> list[str]:
        """Return the keys that an adapter sees."""
        message = attrs.evolve(BASE, to=self.TO, **{name: {key: {"X": "1"} for key in keys}})
        return list(getattr(message.resolve(), name))

    @pytest.mark.parametrize("name", ["merge_data", "merge_metadata", "merge_headers"])
    @pytest.mark.parametrize(
        "key", ["Ada@EXÄMPLE.com", "Ada@exämple.com", "Ada@xn--exmple-cua.com", "Ada L. <Ada@exämple.COM>"]
    )
    def test_spellings(self, name: str, key: str) -> None:
        """The domain may be in any letter case or its IDNA form; the adapter sees the key as sent."""
        assert self.keys(key, name=name) == ["Ada@EXÄMPLE.com"]

    @pytest.mark.parametrize("key", ["ada@exämple.com", "eve@example.com"])
    def test_nobody(self, key: str) -> None:
        """A key that matches no recipient is an error, not lost; local parts differ by letter case."""
        with pytest.raises(InvalidMessage, match=f"^merge_data: .*'{key}' matches no address"):
            self.keys(key)

    def test_one_recipient_twice(self) -> None:
        """Two spellings of one recipient would lose one's values."""
        with pytest.raises(InvalidMessage, match=r"^merge_data: .*one recipient"):
            self.keys("Ada@exämple.com", "Ada@EXÄMPLE.com")

    def test_no_address(self) -> None:
        """A key is an address."""
        with pytest.raises(InvalidAddress, match=r"^merge_data: "):
            self.keys("ada")

    def test_defaults_in_another_spelling(self) -> None:
        """Rows of the defaults and of the message meet by key; another spelling of it is refused."""
        message = attrs.evolve(BASE, merge_data={"r@X": {"a": 1}})
        assert message.resolve(Message(merge_data={"r@X": {"b": 2}})).merge_data == {"r@x": {"a": 1, "b": 2}}
        with pytest.raises(InvalidMessage, match=r"^merge_data: "):
            message.resolve(Message(merge_data={"r@x": {"b": 2}}))
