"""The source that is made of a mail, and what is left of headers once credentials are gone."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore import EmulatedFile, EmulatedMail, InboundMessage, Secret
from mailcore.sandbox._masking import masked
from mailcore.sandbox._source import source_of

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def read(**fields: Any) -> InboundMessage:
    """Return a mail as it reads once it is written."""
    mail = EmulatedMail(message_id="1", sender="a@x.example", recipients=("b@x.example",), **fields)
    return InboundMessage(raw=source_of(mail, NOW))


def _basic(pair: str) -> str:
    return f"Basic {b64encode(pair.encode()).decode()}"


class TestSource:
    """What is written reads back."""

    def test_whole(self) -> None:
        """Headers, bodies, files and images."""
        mail = read(
            headers=(("From", "Zoë <a@x.example>"), ("Subject", "Grüße")),
            text="Hi\nthere",
            html='<img src="cid:logo">',
            files=(
                EmulatedFile(
                    filename='a "b".png', content_type="image/png", content=b"\0", content_id="logo"
                ),
                EmulatedFile(filename="c.pdf", content_type="application/pdf", content=b"%PDF" * 100),
            ),
        )
        assert (mail.subject, mail.from_[0].display_name, mail.date) == ("Grüße", "Zoë", NOW)
        assert (mail.text, mail.html) == ("Hi\nthere", '<img src="cid:logo">')
        assert mail.content_id_map["logo"].content == b"\0"
        assert [file.content for file in mail.attachments] == [b"%PDF" * 100]

    def test_header_stays_on_its_line(self) -> None:
        """A line break in a value adds no header."""
        mail = read(headers=(("Subject", "a\r\nBcc: c@x.example\n\nbody"),), text="Hi")
        assert (mail.subject, mail.bcc, mail.text) == ("a Bcc: c@x.example body", (), "Hi")

    def test_body_stays_in_its_part(self) -> None:
        """A text that holds the boundary is not split at it."""
        text = "--=_alternative_1\nContent-Type: text/html\n\n<b>no</b>\n--=_alternative_1--"
        mail = read(text=text, html="<p>yes")
        assert (mail.text, mail.html) == (text, "<p>yes")

    def test_type_of_a_file(self) -> None:
        """A file that says it is a multipart is a file all the same."""
        odd = EmulatedFile(filename="a", content_type='multipart/mixed; boundary="x"', content=b"--x\n")
        mail = read(text="Hi", files=(odd,))
        assert [file.content for file in mail.attachments] == [b"--x\n"]

    def test_given_source_is_kept(self) -> None:
        """A mail that came as MIME is shown as it came."""
        mail = EmulatedMail(message_id="1", sender="", recipients=(), source=b"A: b\n\nc")
        assert source_of(mail, NOW) == b"A: b\n\nc"

    @given(text=st.text(min_size=1), html=st.text())
    def test_any_text(self, text: str, html: str) -> None:
        """Whatever the text, there is a mail, and long lines are kept."""
        mail = read(text=text, html=html)
        assert mail.text is not None
        assert read(text="x" * 5000).text == "x" * 5000


class TestMasking:
    """No credential is kept."""

    @pytest.mark.parametrize(
        "name, value, kept",
        [
            ("MailPace-Server-Token", "t", "****"),
            ("x-api-key", "t", "****"),
            ("Authorization", "Bearer t", "Bearer ****"),
            ("authorization", "t", "****"),
            (
                "Authorization",
                f"Basic {b64encode(b'api:t').decode()}",
                f"Basic {b64encode(b'api:****').decode()}",
            ),
            ("Authorization", "Basic !", "Basic ****"),
            ("Cookie", "a=t", "****"),
            ("X-Anything", Secret("t"), "****"),
            ("Idempotency-Key", "k", "k"),
            ("Content-Type", "text/plain", "text/plain"),
        ],
    )
    def test_header(self, name: str, value: Any, kept: str) -> None:
        """What opens something is masked; what says what is asked stays."""
        assert masked([(name, value)]) == ((name, kept),)

    def test_signature_of_aws(self) -> None:
        """The key's name stays, the proof does not."""
        value = f"AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature={'a' * 64}"
        assert masked([("Authorization", value)])[0][1].endswith(f"SignedHeaders=host, Signature={'0' * 64}")
