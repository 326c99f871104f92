"""Hostile messages in short: no header holds a line break of its input, and addresses stay what they are."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("nacl", reason="PyNaCl is not installed")

from fuzz import messages
from fuzz.hostile_messages import fields
from fuzz.messages import attack, attempt, made
from mailcore import HttpRequest, Message

pytestmark = pytest.mark.long


class TestMessages:
    """Written as MIME, as MailPace's JSON, as a form, and as a form with files."""

    @given(st.randoms(use_true_random=False))
    @settings(max_examples=400, deadline=None)
    def test_any(self, chance: random.Random) -> None:
        """What hypothesis draws; it makes what fails small."""
        drawn = fields(chance)
        assert attempt(drawn, lambda _: None) == [], drawn

    def test_many(self) -> None:
        """The first of a million; as many are refused as written, more or less."""
        tally = attack(1, 1600)
        assert [finding.broken for finding in tally.findings] == []
        assert min(tally.counts.values()) > 400


class Careless:
    """Writes what it is given."""

    def __init__(self, **document: Any) -> None:
        self.document = document

    def build_send(self, *_: object) -> HttpRequest:
        """Return a request with the document."""
        return HttpRequest(method="POST", url="https://x.example", body=json.dumps(self.document).encode())


class TestPromises:
    """What would go unnoticed if a promise could not be broken."""

    @pytest.mark.parametrize(
        "document, word",
        [
            ({"subject": "a\r\nBcc: x"}, "'subject' holds a line break"),
            ({"tags": ["a\0"]}, "'tags' holds a line break"),
            ({"to": "A, <evil@example.com>"}, "InvalidAddress"),
            ({"to": "bob@example.com, evil@example.com"}, "to reads back as others"),
            ({"to": "Bob <bob@example.com>"}, "to reads back as others"),
        ],
    )
    def test_sees_a_careless_adapter(
        self, document: dict[str, Any], word: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that neither quotes nor checks."""
        usual = messages._adapter

        def adapter(name: str) -> Any:
            return Careless(**document) if name == "mailpace" else usual(name)

        monkeypatch.setattr(messages, "_adapter", adapter)
        drawn = {"from_": [("a@b.example", "")], "to": [("bob@example.com", "")], "text": "x"}
        assert word in " ".join(attempt(drawn, Counter().update))

    def test_sees_a_careless_writer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One that puts a name into a header as it is."""

        def write(*_: object, **__: object) -> list[bytes]:
            return [b"From: a@b.example\r\nTo: bob@example.com\r\nX-Injected: yes\r\nSubject: a\nb\r\n\r\nx"]

        monkeypatch.setattr(messages, "MimeBody", write)
        found = list(messages.broken(Message(from_="a@b.example", to="bob@example.com", text="x").resolve()))
        assert "MIME: a header holds a line break or NUL" in found
        assert "MIME: headers nobody gave: {'x-injected'}" in found

    def test_sees_another_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever making a message raises, but for the documented."""
        monkeypatch.setattr(messages, "made", lambda _: 1 // 0)
        assert "raised ZeroDivisionError" in attempt({}, lambda _: None)[0]

    def test_refuses_what_no_mail_may_hold(self) -> None:
        """The drawn poison is poison."""
        from mailcore import InvalidMessage

        with pytest.raises(InvalidMessage):
            made({"from_": [("a@b.example", "x\r\ny")], "to": [("c@d.example", "")], "text": "x"})
