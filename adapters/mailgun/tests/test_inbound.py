"""What an incoming mail becomes, in each form it comes in."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailcore import Attachment, InboundMessage, MultipartBody, WebhookRequest
from mailcore_mailgun._inbound import is_inbound, message

BASE = {"recipient": "desk@example.com", "sender": "eve@example.net", "body-plain": "Hello"}
NAMES = [
    *BASE,
    *("body-html", "message-headers", "content-id-map", "attachments", "attachment-count", "timestamp"),
    *("attachment-1", "subject"),
]


def form(**fields: str) -> WebhookRequest:
    """Return a mail as URL-encoded fields; `_` in a name is `-`."""
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return WebhookRequest(body=urlencode({**BASE, **named}).encode())


def parts(*pairs: tuple[str, Any]) -> WebhookRequest:
    """Return a mail as multipart/form-data."""
    body = MultipartBody([*BASE.items(), *pairs], boundary="b")
    return WebhookRequest(headers={"Content-Type": body.content_type}, body=b"".join(body))


class TestParsed:
    """Put together from what Mailgun parsed."""

    def test_files_in_order(self) -> None:
        """By their numbers, whatever their order is in the form."""
        files = [(f"attachment-{n}", Attachment(content=str(n), filename=f"{n}.txt")) for n in (10, 2, 1)]
        found = message(parts(*files, ("attachment-count", "3")))
        assert [file.filename for file in found.attachments] == ["1.txt", "2.txt", "10.txt"]
        assert found.defects == ()

    @pytest.mark.parametrize(
        "mapping", ['{"<a@b>": "attachment-1"}', '{"": "x", "": "y", "<a@b>": "attachment-1", "<a@b>": "z"}']
    )
    def test_inline(self, mapping: str) -> None:
        """The map says which are shown within the body; it may have a key twice."""
        file = Attachment(content=b"\x89\xff\x00", filename="a.png")
        found = message(parts(("attachment-1", file), ("content-id-map", mapping), ("attachment-count", "1")))
        assert found.attachments == ()
        assert (found.inlines[0].content_id, found.inlines[0].content) == ("a@b", b"\x89\xff\x00")

    def test_hostile_names(self) -> None:
        """A file's name is safe to create."""
        file = Attachment(content=b"x", filename="../../etc/passwd")
        assert message(parts(("attachment-1", file))).attachments[0].filename == "passwd"

    def test_files_left_behind(self) -> None:
        """A route that stores keeps the files, and the mail says so."""
        found = message(form(attachments=json.dumps([{"url": "u"}]), message_url="https://x"))
        assert [defect.where for defect in found.provider_defects] == ["attachments"]
        assert found.provider_fields["message-url"] == "https://x"

    @pytest.mark.parametrize(
        "sender, expected", [("", ""), ("nobody", None), ("Eve <eve@example.net>", "eve@example.net")]
    )
    def test_envelope(self, sender: str, expected: str | None) -> None:
        """A bounce is from nobody, which is not the same as unknown."""
        found = message(form(sender=sender, recipient="a@example.com, b@example.com"))
        assert found.envelope_sender == expected
        assert found.envelope_recipients == ("a@example.com", "b@example.com")


class TestRaw:
    """The mail itself."""

    def test_bytes(self) -> None:
        """No byte of it is lost, in either form."""
        raw = b"Subject: x\r\nContent-Type: text/plain; charset=latin-1\r\n\r\n\xe4\x00\xff\r\n"
        encoded = WebhookRequest(body=b"recipient=a%40example.com&" + urlencode({"body-mime": raw}).encode())
        several = parts(("body-mime", Attachment(content=raw)))
        assert message(encoded).raw == message(several).raw == raw


class TestIdentity:
    """By what mails are told apart."""

    def test_signed_anew(self) -> None:
        """Time, token and signature do not count."""
        first, second = (message(form(timestamp=t, token=t, signature=t)).event_id for t in ("1", "2"))
        assert first == second

    @pytest.mark.parametrize("name", ["recipient", "body_plain", "subject"])
    def test_another(self, name: str) -> None:
        """All else does."""
        assert message(form()).event_id != message(form(**{name: "other@example.com"})).event_id


class TestHostile:
    """Whatever the form holds."""

    @given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=20)))
    @settings(deadline=None)
    def test_any_fields(self, fields: dict[str, str]) -> None:
        """It is a mail, and its accessors have values."""
        encoded = urlencode({name: value.encode("utf-8", "replace") for name, value in fields.items()})
        request = WebhookRequest(body=encoded.encode())
        if is_inbound(request):
            found = message(request)
            assert isinstance(found, InboundMessage)
            assert isinstance(found.attachments, tuple)
            assert found.subject is None or "\n" not in found.subject

    @pytest.mark.parametrize("text", ["[" * 100_000, "{}", "[[1, 2]]", '[["A"]]', '{"A": "b"}', "null", "7"])
    def test_headers(self, text: str) -> None:
        """Headers of another form cost themselves."""
        assert message(form(message_headers=text)).text == "Hello"

    def test_old_events(self) -> None:
        """An event of the old form is no mail."""
        assert not is_inbound(WebhookRequest(body=b"event=opened&recipient=a%40example.com"))
