"""What the checks of signatures do to a delivery: one thing, in whatever format, and nothing beside it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import attrs
import pytest
from gallery import host_of
from reference import REFERENCES

from mailcore import WebhookRequest
from mailcore_conformance._subject import Subject
from mailcore_conformance.proofs._body_fields import fields, with_extra, with_field, with_rival
from mailcore_conformance.proofs._place import Place, flipped
from mailcore_conformance.proofs._proof import proof

PARTS = (
    b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\nt-1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="mail"; filename="m.eml"\r\n\r\n\xff\x00\r\n'
    b"--b--\r\n"
)


def json_of(document: Any) -> WebhookRequest:
    """Return a delivery of JSON whose content type hides it, as some providers' does."""
    body = json.dumps(document, separators=(",", ":")).encode()
    return WebhookRequest(headers={"Content-Type": "text/plain"}, body=body)


def form_of(text: str) -> WebhookRequest:
    """Return a delivery of form fields."""
    return WebhookRequest(headers={"Content-Type": "application/x-www-form-urlencoded"}, body=text.encode())


def parts_of(body: bytes = PARTS) -> WebhookRequest:
    """Return a delivery in parts."""
    return WebhookRequest(headers={"Content-Type": 'multipart/form-data; boundary="b"'}, body=body)


class TestJson:
    """A body of JSON, with its fields at any depth."""

    def test_fields(self) -> None:
        """Texts and numbers are found where they stand."""
        request = json_of({"signature": {"token": "t-1", "time": 7}, "events": ["a", None]})
        expected = {("signature", "token"): "t-1", ("signature", "time"): "7", ("events", 0): "a"}
        assert fields(request) == expected

    def test_changed(self) -> None:
        """One value is another one, and a number remains a number."""
        request = json_of({"signature": {"token": "t-1", "time": 7}})
        changed = with_field(with_field(request, ("signature", "time"), "8"), ("signature", "token"), "t-2")
        assert json.loads(changed.body) == {"signature": {"token": "t-2", "time": 8}}

    def test_removed(self) -> None:
        """A value that is taken out leaves the others."""
        request = json_of({"signature": {"token": "t-1", "time": 7}})
        assert json.loads(with_field(request, ("signature", "token"), None).body) == {
            "signature": {"time": 7}
        }

    @pytest.mark.parametrize("first, expected", [(True, ["x", "t-1"]), (False, ["t-1", "x"])])
    def test_rival(self, *, first: bool, expected: list[str]) -> None:
        """A second key of the same name comes before or after the first."""
        changed = with_rival(json_of({"token": "t-1"}), ("token",), "x", first=first)
        pairs = json.loads(changed.body, object_pairs_hook=list)
        assert pairs == [("token", expected[0]), ("token", expected[1])]

    def test_extra(self) -> None:
        """Objects and lists take something more."""
        assert json.loads(with_extra(json_of({"a": 1}), "x").body) == {"a": 1, "conformance": "x"}
        assert json.loads(with_extra(json_of([1]), "x").body) == [1, {"conformance": "x"}]


class TestForm:
    """A body of form fields."""

    def test_changed(self) -> None:
        """One field is another one, and the rest keeps its order."""
        changed = with_field(form_of("a=1&token=t%2B1&b="), ("token",), "t+2")
        assert parse_qsl(changed.body.decode(), keep_blank_values=True) == [
            ("a", "1"),
            ("token", "t+2"),
            ("b", ""),
        ]

    def test_removed(self) -> None:
        """A field that is taken out is gone."""
        assert with_field(form_of("a=1&token=t"), ("token",), None).body == b"a=1"

    @pytest.mark.parametrize("first, expected", [(True, b"a=2&a=1"), (False, b"a=1&a=2")])
    def test_rival(self, *, first: bool, expected: bytes) -> None:
        """A second field of the same name comes before or after the first."""
        assert with_rival(form_of("a=1"), ("a",), "2", first=first).body == expected


class TestMultipart:
    """A body in parts."""

    def test_unchanged(self) -> None:
        """A value that is replaced by itself leaves each byte as it is."""
        assert with_field(parts_of(), ("token",), "t-1").body == PARTS

    def test_changed(self) -> None:
        """One part has another text, and the bytes of a file stay."""
        changed = with_field(parts_of(), ("token",), "t-2")
        assert fields(changed)[("token",)] == "t-2"
        assert b'filename="m.eml"\r\n\r\n\xff\x00\r\n' in changed.body

    def test_removed(self) -> None:
        """A part that is taken out is gone."""
        assert set(fields(with_field(parts_of(), ("token",), None))) == {("mail",)}

    def test_rival(self) -> None:
        """A second part of the same name comes first."""
        changed = with_rival(parts_of(), ("token",), "x", first=True)
        assert changed.body.count(b'name="token"') == 2
        assert fields(changed)[("token",)] == "x"


class TestOther:
    """A body that has no fields."""

    def test_has_none(self) -> None:
        """What is neither JSON nor a form has no fields, and none can be added."""
        request = WebhookRequest(headers={"Content-Type": "message/rfc822"}, body=b"Subject: Hello\r\n\r\n")
        assert fields(request) == {}
        assert with_extra(request, "x") == request


class TestPieces:
    """A header that holds several things."""

    def test_is_found_in_its_piece(self) -> None:
        """Of `t=...,v1=...`, the signature and the time are told apart."""
        json_api = REFERENCES["json"]

        def sign(request: WebhookRequest, *, key: int, at: datetime) -> WebhookRequest:
            value = f"t={int(at.timestamp())},v1={key}ab{at.second}=="
            return attrs.evolve(request, headers=[("X-Signature", value)])

        kit = attrs.evolve(json_api.kit, sign=sign)
        found = proof(Subject(json_api.spec, kit, host=host_of(json_api.spec)))
        assert found.signatures == (Place(header="x-signature", piece=3),)
        assert found.times == (Place(header="x-signature", piece=1),)

    def test_is_changed_alone(self) -> None:
        """What stands beside a piece stays as it is."""
        request = WebhookRequest(headers={"X-Signature": "t=18,v1=ab=="})
        place = Place(header="x-signature", piece=3)
        assert place.text(request) == "ab=="
        assert place.with_text(request, "cd").headers["X-Signature"] == "t=18,v1=cd"


class TestFlipped:
    """A text with each of its letters changed."""

    @pytest.mark.parametrize("text", ["0af9", "0AF9", "Ab+/09==", "Ab-_09=", "12:30 é"])
    def test_differs_in_one_letter(self, text: str) -> None:
        """As long as it was, and different in one place."""
        for position, changed in flipped(text):
            assert len(changed) == len(text)
            assert [here for here in range(len(text)) if changed[here] != text[here]] == [position]

    def test_hex_stays_hex(self) -> None:
        """So that it is the comparison that refuses it, and not its form."""
        assert {letter for _, changed in flipped("0123456789abcdef") for letter in changed} <= set(
            "0123456789abcdef"
        )
