"""Headers: those a caller adds, and those that come with requests and responses."""

from __future__ import annotations

import pickle
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from mailcore import Address, Headers, InvalidAddress, InvalidHeader, Message, UnsupportedFeature


class TestExtraHeaders:
    """Headers of a message that have no field."""

    @pytest.mark.rule("N-C1")
    def test_order_and_case(self) -> None:
        """They stay as written and in order."""
        message = Message(headers={"X-B": "1", "x-a": "2", "X-C": "3"})
        assert list(message.headers.items()) == [("X-B", "1"), ("x-a", "2"), ("X-C", "3")]

    @pytest.mark.rule("N-C1")
    def test_duplicates(self) -> None:
        """Two that differ in letter case only are refused, whichever is first."""
        for both in ({"X-A": "1", "x-a": "2"}, {"x-a": "1", "X-A": "2"}):
            for given in ({"headers": both}, {"merge_headers": {"a@x": both}}):
                with pytest.raises(InvalidHeader, match="twice"):
                    Message(**given)

    @pytest.mark.rule("N-C5")
    @pytest.mark.parametrize("value, text", [(5, "5"), (1.5, "1.5"), ("a", "a"), ("", "")])
    def test_values(self, value: Any, text: str) -> None:
        """Numbers become text."""
        assert Message(headers={"X-A": value}).headers == {"X-A": text}

    @pytest.mark.rule("N-C5")
    @pytest.mark.parametrize("value", [Decimal(1), True, None, b"a", ["a"], object()])
    def test_other_values(self, value: Any) -> None:
        """Nothing else does."""
        with pytest.raises(InvalidHeader, match="'X-A' is text or a number"):
            Message(headers={"X-A": value})

    @pytest.mark.parametrize("name", ["", "X A", "X:A", "X-Ä", "X-A\r\n", "\x00", 5, None], ids=ascii)
    def test_names(self, name: Any) -> None:
        """A name is printable ASCII without spaces or colon."""
        with pytest.raises(InvalidHeader, match="not a header name"):
            Message(headers={name: "a"})

    @pytest.mark.parametrize("value", [5, "X-A: 1", ["X-A"], [("X-A", "1")], b"x"])
    def test_no_mapping(self, value: Any) -> None:
        """Headers are a mapping."""
        with pytest.raises(InvalidHeader, match=r"^headers: "):
            Message(headers=value)

    @pytest.mark.rule("N-C6")
    def test_non_ascii_values(self) -> None:
        """A value keeps its characters; the wire format encodes them."""
        assert Message(headers={"X-A": "Grüße"}).headers == {"X-A": "Grüße"}
        sent = Message(from_="a@x", to="b@x", text=".", headers={"X-A": "Grüße"}).to_email()
        assert sent["X-A"] == "Grüße"
        assert bytes(sent).isascii()

    @pytest.mark.rule("N-C4")
    @pytest.mark.parametrize("name", ["To", "tO", "Cc", "Bcc", "Subject", "Sender", "Return-Path"])
    def test_spoofing(self, name: str) -> None:
        """A second voice for what a field says is refused for every provider."""
        with pytest.raises(UnsupportedFeature, match=name) as caught:
            Message(headers={name: "a@x"})
        assert (caught.value.field, caught.value.provider) == ("headers", "")

    @pytest.mark.parametrize("name", ["MIME-Version", "content-type", "Content-Transfer-Encoding"])
    def test_structure(self, name: str) -> None:
        """How the mail is encoded is not the caller's to say."""
        with pytest.raises(InvalidHeader, match="encoding"):
            Message(headers={name: "x"})


class TestHeadersWithAField:
    """Headers that become fields."""

    @pytest.mark.rule("N-C2", "N-C7")
    def test_reply_to(self) -> None:
        """Reply-To overrides the field, takes several addresses, and leaves the others alone."""
        message = Message(reply_to="c@x", headers={"X-A": "1", "reply-TO": "A <a@x>, b@x", "X-B": "2"})
        assert message.reply_to == (Address("a@x", "A"), Address("b@x"))
        assert message.headers == {"X-A": "1", "X-B": "2"}

    @pytest.mark.rule("N-C3")
    @pytest.mark.parametrize("given, sender", [({}, "old@x"), ({"envelope_sender": "bounce@x"}, "bounce@x")])
    def test_from(self, given: dict[str, str], sender: str) -> None:
        """From becomes the author; the former one gets the bounces, unless somebody else does."""
        message = Message(from_="Old <old@x>", headers={"From": "New <new@x>"}, **given)
        assert message.from_ == (Address("new@x", "New"),)
        assert message.envelope_sender == Address(sender)
        assert not message.headers

    @pytest.mark.parametrize(
        "name, field, kept",
        [
            ("In-Reply-To", "in_reply_to", "<a@b>"),
            ("References", "references", ("<a@b>",)),
        ],
    )
    def test_ids(self, name: str, field: str, kept: Any) -> None:
        """Ids are kept in brackets."""
        assert getattr(Message(headers={name: "<a@b>"}), field) == kept

    def test_list_unsubscribe(self) -> None:
        """List-Unsubscribe becomes a list of URIs; one-click stays a header."""
        message = Message(
            headers={
                "List-Unsubscribe": "<https://x/u>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            }
        )
        assert message.list_unsubscribe == ("https://x/u",)
        assert list(message.headers) == ["List-Unsubscribe-Post"]

    def test_invalid(self) -> None:
        """What the field refuses is refused here, in the field's name."""
        with pytest.raises(InvalidAddress, match=r"^reply_to: "):
            Message(headers={"Reply-To": "nobody"})


class TestHeaders:
    """Headers of a request or response."""

    PAIRS = (("Content-Type", "a"), ("X-Sig", "1"), ("x-sig", "2"))

    def test_lookup(self) -> None:
        """Names are the same in any letter case; the first value counts, all are kept."""
        headers = Headers(self.PAIRS)
        assert (headers["x-SIG"], headers.get_all("X-Sig"), headers.get("Absent")) == ("1", ("1", "2"), None)
        assert headers.get_all("absent") == ()
        assert ("CONTENT-TYPE" in headers, 5 in headers, len(headers)) == (True, False, 2)
        assert headers.pairs == self.PAIRS

    def test_equal(self) -> None:
        """Names compare in any letter case; values and repeats as they are."""
        assert Headers({"A": "1"}) == Headers([("a", "1")])
        assert Headers({"A": "1"}) != Headers([("a", "1"), ("a", "1")])
        assert Headers(Headers(self.PAIRS)).pairs == self.PAIRS

    def test_copies(self) -> None:
        """They survive pickle and copy."""
        headers = Headers(self.PAIRS)
        assert pickle.loads(pickle.dumps(headers)).pairs == deepcopy(headers).pairs == self.PAIRS

    @pytest.mark.rule("N-G10")
    def test_repr(self) -> None:
        """A repr shows names only: any value may be a credential."""
        assert repr(Headers({"Authorization": "Basic abc"})) == "Headers(authorization)"
