"""Messages as MIME, and to and from the standard library's `email`."""

import contextlib
import re
import string
from base64 import b64decode
from datetime import datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.header import Header
from email.message import EmailMessage
from email.message import Message as LegacyMessage
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailcore import (
    Address,
    Attachment,
    Body,
    InboundMessage,
    InvalidAddress,
    InvalidAttachment,
    InvalidHeader,
    InvalidMessage,
    Message,
    MimeBody,
    UnsupportedFeature,
)

CREATED = datetime(2024, 2, 1, 10, 30, tzinfo=timezone(timedelta(hours=1)))
PIXEL = b"\x89PNG\r\n\x1a\n\x00\x01\x02"


def message(**fields: Any) -> Message:
    """Return a message with a sender and a recipient."""
    return Message(**{"from_": "Ada <ada@example.com>", "to": "bob@example.com", **fields})


def write(given: Message, **options: Any) -> bytes:
    """Return a message as MIME bytes."""
    return b"".join(MimeBody(given, created=CREATED, unique="u1", **options))


def reread(given: Message) -> InboundMessage:
    """Return what the inbound reader, which shares no code with the writer's, makes of it."""
    found = InboundMessage(raw=write(given))
    assert [part for part in found.defects if part.where != "To"] == []
    return found


class TestMimeBody:
    """A message as the bytes of a mail."""

    def test_plain(self) -> None:
        """A plain text message is a short, readable mail."""
        expected = (
            "Date: Thu, 01 Feb 2024 09:30:00 +0000",
            "Message-ID: <bb82030dbc2bcaba32a90bf2e207a84a@example.com>",
            "From: Ada <ada@example.com>",
            "To: bob@example.com",
            "Subject: Hi",
            "X-Tag: 1",
            "MIME-Version: 1.0",
            'Content-Type: text/plain; charset="utf-8"',
            "Content-Transfer-Encoding: 7bit",
            "",
            "Hello",
            "",
        )
        assert (
            write(message(subject="Hi", text="Hello\n", headers={"X-Tag": 1}))
            == "\r\n".join(expected).encode()
        )

    def test_body_protocol(self) -> None:
        """It has a length, and is the same at each iteration and each construction."""
        given = message(text="Grüße " * 50, attachments=[Attachment(content=bytes(200_000))])
        body = MimeBody(given, created=CREATED, unique="u1")
        assert isinstance(body, Body)
        assert len(body) == len(b"".join(body)) == len(b"".join(body))
        assert b"".join(body) == write(given)
        assert b"".join(MimeBody(given, created=CREATED, unique="u2")) != write(given)

    def test_own_date_and_id(self) -> None:
        """A Date or Message-ID among the message's headers is used instead of the generated one."""
        raw = write(
            message(
                text="x",
                headers={"date": "Mon, 1 Jan 2024 00:00:00 +0000", "Message-Id": "<own@example.com>"},
            )
        )
        assert raw.lower().count(b"date:") == raw.lower().count(b"message-id:") == 1
        assert b"<own@example.com>" in raw

    def test_naive_time(self) -> None:
        """A time without a zone is refused."""
        with pytest.raises(ValueError, match="time zone"):
            MimeBody(message(text="x"), created=datetime(2024, 1, 1), unique="u")  # noqa: DTZ001  # reason: that is the point

    def test_headers(self) -> None:
        """Every header field is written so that it reads back."""
        found = reread(
            message(
                cc=[Address("carol@example.com", "Carol, C.")],
                bcc="dan@example.com",
                reply_to="office@example.com",
                subject="Grüße, Bob",
                text="x",
                in_reply_to="1@example.com",
                references=["0@example.com", "1@example.com"],
                list_unsubscribe=["https://example.com/u?a=b", "mailto:u@example.com"],
            )
        )
        assert found.cc == (Address("carol@example.com", "Carol, C."),)
        assert (found.bcc, found.reply_to) == ((), (Address("office@example.com"),))
        assert (found.subject, found.in_reply_to) == ("Grüße, Bob", "<1@example.com>")
        assert found.references == ("<0@example.com>", "<1@example.com>")
        assert found.headers["list-unsubscribe"] == "<https://example.com/u?a=b>, <mailto:u@example.com>"

    def test_bcc(self) -> None:
        """Bcc is written only on request."""
        given = message(text="x", bcc="dan@example.com")
        assert b"dan@" not in write(given)
        assert b"Bcc: dan@example.com\r\n" in write(given, include_bcc=True)

    def test_several_authors(self) -> None:
        """Of several authors the first is the sender."""
        assert b"\r\nSender: a@example.com\r\n" in write(
            message(from_="a@example.com, b@example.com", text="x")
        )

    @pytest.mark.rule("N-A6")
    @pytest.mark.parametrize(
        "name",
        [
            "Foo <evil@example.org>, " + "long " * 30,
            'quote " backslash \\ ' * 5,
            "(comment) " * 30,
            "Ünïcödé, " * 40,
            "=?utf-8?q?evil=40example.org?=",
            "x" * 500,
            "a\u2003b",
        ],
    )
    def test_names_are_folded_safely(self, name: str) -> None:
        """Whatever a display name holds and however long it is, it reads back as one recipient."""
        given = message(to=[Address("bob@example.com", name.strip()), "carol@example.com"], text="x")
        assert reread(given).to == given.to
        parsed = message_from_bytes(write(given), policy=policy.compat32)
        assert parsed.keys() == [
            "Date",
            "Message-ID",
            "From",
            "To",
            "MIME-Version",
            "Content-Type",
            "Content-Transfer-Encoding",
        ]

    @pytest.mark.parametrize("text", ["=?utf-8?q?x?=", " spaces at the ends ", "a  b", "x" * 300, "ü" * 300])
    def test_text_headers(self, text: str) -> None:
        """A subject or header reads back as it was, also where it looks like something else."""
        found = reread(message(subject=text, headers={"X-Any": text}, text="x"))
        assert found.subject == found.headers["x-any"] == text

    @settings(max_examples=150, deadline=None, database=None)
    @given(
        st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])),
        st.text(string.printable[:95], max_size=300),
    )
    def test_any_text(self, text: str, plain: str) -> None:
        """Any subject, header and name reads back as it was, in lines of bounded length."""
        try:
            given = message(
                subject=text, to=[Address("bob@example.com", plain)], headers={"X-Any": plain}, text=text
            )
        except InvalidAddress:
            return
        raw = write(given)
        found = InboundMessage(raw=raw)
        assert (found.subject or "", found.headers["x-any"].strip()) == (text or "", plain.strip())
        assert found.to == given.to or plain != plain.strip()
        assert (found.text or "").rstrip("\n") == text.rstrip("\n")
        assert max(len(line) for line in raw.split(b"\r\n")) <= 998
        assert raw.isascii()

    def test_eai(self) -> None:
        """A non-ASCII local part needs SMTPUTF8; a domain never does."""
        plain = MimeBody(message(to="bob@exämple.com", text="ü"), created=CREATED, unique="u")
        assert (plain.needs_smtputf8, b"bob@xn--exmple-cua.com" in b"".join(plain)) == (False, True)
        assert (
            MimeBody(message(to="böb@example.com", text="x"), created=CREATED, unique="u").needs_smtputf8
            is True
        )

    @pytest.mark.parametrize("field", ["in_reply_to", "headers"])
    def test_too_long_for_a_line(self, field: str) -> None:
        """A value that no line can hold is refused or encoded, never cut."""
        if field == "headers":
            assert reread(message(text="x", headers={"X-Long": "a" * 5_000})).headers["x-long"] == "a" * 5_000
        else:
            with pytest.raises(InvalidHeader):
                write(message(text="x", in_reply_to="a" * 1_000))

    @pytest.mark.rule("N-B1")
    def test_html_only(self) -> None:
        """A message with html alone has no text part."""
        found = reread(message(html="<p>ü</p>"))
        assert (found.text, found.html) == (None, "<p>ü</p>")
        assert b"text/plain" not in write(message(html="<p>", text=""))

    @pytest.mark.rule("N-D4")
    @pytest.mark.rule("N-D5")
    def test_structure(self) -> None:
        """Alternatives, related images and attachments are nested as mail programs expect them."""
        given = message(
            text="plain",
            html='<img src="cid:logo">',
            amp_html="<html amp4email>",
            attachments=[
                Attachment(content=PIXEL, filename="logo.png", content_id="logo"),
                Attachment(content=b"pdf", filename="a.pdf"),
                Attachment(content=PIXEL, filename="b.png", content_id="dropped", inline=False),
            ],
        )
        parsed = message_from_bytes(write(given), policy=policy.compat32)
        assert [part.get_content_type() for part in parsed.walk()] == [
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "text/x-amp-html",
            "multipart/related",
            "text/html",
            "image/png",
            "application/pdf",
            "image/png",
        ]
        found = reread(given)
        assert found.content_id_map["logo"].content == PIXEL
        assert [(file.filename, file.content_id) for file in found.attachments] == [
            ("a.pdf", None),
            ("b.png", None),
        ]

    def test_attachments_alone(self) -> None:
        """A message of attachments has no empty text; one of nothing has an empty text."""
        assert reread(message(attachments=[Attachment(content=b"x", filename="a.bin")])).text is None
        assert reread(message(template_id="t")).text == ""

    @pytest.mark.rule("N-D6")
    def test_no_content_id(self) -> None:
        """An inline file without a content id gets none: nothing could refer to it."""
        raw = write(message(html="x", attachments=[Attachment(content=PIXEL, filename="a.png", inline=True)]))
        assert b"content-id" not in raw.lower()
        assert [file.filename for file in InboundMessage(raw=raw).inlines] == ["a.png"]

    @pytest.mark.rule("N-D8")
    @pytest.mark.parametrize(
        "name", ["naïve.txt", "日本語" * 30 + ".pdf", 'a"b\\c.txt', "=?utf-8?q?x?=.txt", "x" * 250, "a; b=c"]
    )
    def test_filenames(self, name: str) -> None:
        """Every file name survives, in a form that other readers know (RFC 2231)."""
        raw = write(message(text="x", attachments=[Attachment(content=b"x", filename=name)]))
        assert InboundMessage(raw=raw).attachments[0].original_filename == name
        assert (
            next(iter(message_from_bytes(raw, policy=policy.default).iter_attachments())).get_filename()
            == name
        )
        assert max(map(len, raw.split(b"\r\n"))) <= 998

    @pytest.mark.rule("N-D3")
    def test_text_attachment(self) -> None:
        """A text attachment keeps its bytes and their charset."""
        given = message(
            text="x", attachments=[Attachment(content="é", charset="iso-8859-1", filename="a.txt")]
        )
        (file,) = reread(given).attachments
        assert (file.content, file.charset) == (b"\xe9", "iso-8859-1")

    @pytest.mark.rule("N-D9")
    def test_attached_mail(self) -> None:
        """An attached mail is message/rfc822, CRLF, not encoded; its charset stays its own."""
        inner = EmailMessage()
        inner["Subject"] = "inner"
        inner.set_content("Grüße\n", charset="iso-8859-1")
        raw = write(message(text="x", attachments=[Attachment.from_message(inner, filename="a.eml")]))
        (part,) = [
            part for part in message_from_bytes(raw).walk() if part.get_content_type() == "message/rfc822"
        ]
        assert (part["Content-Transfer-Encoding"], part.get_param("charset")) == ("7bit", None)
        assert raw.count(b"\n") == raw.count(b"\r\n")
        assert InboundMessage(raw=raw).attachments[0].message.text == "Grüße\n"

    @pytest.mark.rule("N-D9")
    @pytest.mark.parametrize(
        "content, content_type",
        [
            (b"Subject: x\n\ny\n", "message/rfc822"),
            (b"Subject: x\r\n\r\n\xff", "application/octet-stream"),
            (b"Subject: x\r\n\r\n" + b"a" * 2_000, "application/octet-stream"),
        ],
    )
    def test_attached_mail_as_bytes(self, content: bytes, content_type: str) -> None:
        """A mail that cannot travel unencoded is attached as a plain file, its bytes intact."""
        given = message(text="x", attachments=[Attachment(content=content, content_type="message/rfc822")])
        (file,) = reread(given).attachments
        assert file.content_type == content_type
        assert b"\n" not in write(given).replace(b"\r\n", b"")
        assert file.content.replace(b"\r\n", b"\n") == content.replace(b"\r\n", b"\n")

    def test_attachment_bytes(self, tmp_path: Path) -> None:
        """Files of any size around the line length come back whole, from memory and from disk."""
        for size in (0, 1, 2, 3, 56, 57, 58, 49_152, 49_153, 100_001):
            content = bytes(number % 251 for number in range(size))
            path = tmp_path / f"{size}.bin"
            path.write_bytes(content)
            files = [Attachment(content=content), Attachment.from_path(path, root=tmp_path)]
            body = MimeBody(message(text="x", attachments=files), created=CREATED, unique="u")
            raw = b"".join(body)
            assert len(body) == len(raw)
            assert [file.content for file in InboundMessage(raw=raw).attachments] == [content, content]
            assert max(map(len, raw.split(b"\r\n"))) <= 78

    @pytest.mark.parametrize(
        "text, encoding",
        [
            ("plain\n", "7bit"),
            ("From here\n", "quoted-printable"),
            ("a\n\nFrom here", "quoted-printable"),
            ("Grüße an alle, die das lesen \t\nund weiter=\n", "quoted-printable"),
            ("a" * 2_000, "quoted-printable"),
            ("a" + "é" * 20 + "b" * 200, "quoted-printable"),
            ("ab" + "é" * 20 + "b" * 200, "quoted-printable"),
            ("é trailing \nspace\t\n" + "b" * 40, "quoted-printable"),
            ("=é" * 40 + "x" * 900, "quoted-printable"),
            ("日本語" * 100, "base64"),
            ("a\r\nb\rc\n", "7bit"),
        ],
    )
    def test_text_encodings(self, text: str, encoding: str) -> None:
        """Text is readable where it can be, and reads back as it was."""
        raw = write(message(text=text))
        assert f"Content-Transfer-Encoding: {encoding}\r\n".encode() in raw
        assert (
            not re.search(rb"\r\nFrom |=[0-9A-F]?\r\n\r\n|[ \t]\r\n", raw.partition(b"\r\n\r\n")[2])
            or encoding == "7bit"
        )
        assert InboundMessage(raw=raw).text == text.replace("\r\n", "\n").replace("\r", "\n")
        assert max(map(len, raw.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76
        assert (
            message_from_bytes(raw).get_payload(decode=True).decode().replace("\r\n", "\n")
            == InboundMessage(raw=raw).text
        )

    def test_boundary_in_the_text(self) -> None:
        """A text that holds the boundary gets another one."""
        first = write(message(text="x", html="y"))
        boundary = InboundMessage(raw=first).headers["content-type"].partition('"')[2][:-1]
        found = reread(message(text=f"--{boundary}\r\n\r\nevil", html="y"))
        assert found.text == f"--{boundary}\n\nevil"
        assert found.html == "y"

    def test_check(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What does not read back as it was meant is an error, not a mail."""
        monkeypatch.setattr(
            "mailcore._mime.writer.text_units", lambda text: [f" {text}\r\nBcc: evil@example.org"]
        )
        with pytest.raises(InvalidHeader):
            write(message(subject="x", text="x"))
        monkeypatch.undo()
        monkeypatch.setattr(
            "mailcore._mime.writer.address_units", lambda addresses: [" ada@example.com, evil@example.org"]
        )
        with pytest.raises(InvalidHeader):
            write(message(text="x"))


class TestToEmail:
    """A message for programs that take the standard library's."""

    def test_round_trip(self) -> None:
        """What can be said in an email comes back the same."""
        given = message(
            to=[Address("bob@example.com", "Bob, B."), Address("böb@exämple.com", "Grüße")],
            cc="carol@example.com",
            reply_to="office@example.com",
            subject="Grüße " * 20,
            text="text\n",
            html="<b>ü</b>",
            headers={"X-Tag": "ü"},
            in_reply_to="<1@example.com>",
            references="<0@example.com> <1@example.com>",
            list_unsubscribe="<https://example.com/u>",
            attachments=[
                Attachment(content=PIXEL, filename="ü.png", content_id="logo"),
                Attachment(content="é", charset="iso-8859-1", filename="a.txt"),
            ],
        )
        email = given.to_email()
        assert isinstance(email, EmailMessage)
        expected = message(
            **{
                field: getattr(given, field)
                for field in (
                    "cc",
                    "reply_to",
                    "subject",
                    "text",
                    "html",
                    "headers",
                    "in_reply_to",
                    "references",
                    "list_unsubscribe",
                    "attachments",
                )
            },
            to=[Address("bob@example.com", "Bob, B."), Address("böb@xn--exmple-cua.com", "Grüße")],
        )
        assert Message.from_email(email) == expected

    def test_never_folded_again(self) -> None:
        """Writing the email out does not fold its headers anew, which would lose quotes."""
        name = "Foo <evil@example.org>, " + "long " * 30
        email = message(to=[Address("bob@example.com", name)], text="x").to_email()
        assert InboundMessage(raw=email.as_bytes()).to == (Address("bob@example.com", name),)
        assert [address.addr_spec for address in email["To"].addresses] == ["bob@example.com"]

    def test_eai(self) -> None:
        """A non-ASCII local part is UTF-8 in the email."""
        assert (
            "To: böb@example.com\r\n".encode()
            in message(to="böb@example.com", text="x").to_email().as_bytes()
        )

    def test_left_out(self) -> None:
        """Bcc, Date and Message-ID are left to whoever sends it."""
        assert message(text="x", bcc="dan@example.com").to_email().keys()[:2] == ["From", "To"]

    @pytest.mark.parametrize("fields", [{"template_id": "t"}, {"merge_data": {}}])
    def test_templates(self, fields: dict[str, Any]) -> None:
        """A template or merge data cannot be said in an email."""
        with pytest.raises(UnsupportedFeature):
            message(text="x", **fields).to_email()


def email(**headers: Any) -> EmailMessage:
    """Return an `EmailMessage` with headers, `_` for `-`."""
    result = EmailMessage()
    for name, value in headers.items():
        result[name.replace("_", "-")] = value
    return result


class TestFromEmail:
    """Messages made with the standard library."""

    def test_modern(self) -> None:
        """An `EmailMessage` with bodies and files becomes a message."""
        given = email(
            From="Ada <ada@example.com>",
            To="bob@example.com, Carol <carol@example.com>",
            Subject="Grüße",
            X_Tag="a",
        )
        given.set_content("text")
        given.add_alternative("<b>", subtype="html")
        given.add_attachment(b"pdf", maintype="application", subtype="pdf", filename="ü.pdf")
        found = Message.from_email(given)
        assert found.from_ == (Address("ada@example.com", "Ada"),)
        assert found.to == (Address("bob@example.com"), Address("carol@example.com", "Carol"))
        assert (found.subject, found.text, found.html) == ("Grüße", "text\n", "<b>\n")
        assert dict(found.headers) == {"X-Tag": "a"}
        assert found.attachments == (
            Attachment(content=b"pdf", filename="ü.pdf", content_type="application/pdf"),
        )

    def test_legacy(self) -> None:
        """So does a legacy message, with `Header` objects and encoded words."""
        given = MIMEMultipart()
        given["From"] = "=?utf-8?q?J=C3=BCrgen?= <j@example.com>"
        given["To"] = "a@example.com"
        given["To"] = "b@example.com"
        given["Subject"] = Header("Grüße", "utf-8")
        given["X-Tag"] = Header("ü" * 100, "utf-8")
        given.attach(MIMEText("tëxt", "plain", "iso-8859-1"))
        given.attach(MIMEApplication(PIXEL, "png", name="a.png"))
        found = Message.from_email(given)
        assert found.from_ == (Address("j@example.com", "Jürgen"),)
        assert found.to == (Address("a@example.com"), Address("b@example.com"))
        assert (found.subject, found.text, found.headers["X-Tag"]) == ("Grüße", "tëxt", "ü" * 100)
        assert (found.attachments[0].filename, found.attachments[0].content) == ("a.png", PIXEL)

    def test_text_without_charset(self) -> None:
        """Text that was never encoded is taken as it is."""
        given = LegacyMessage()
        given["Subject"] = "x"
        given.set_payload("Grüße €")
        assert Message.from_email(given).text == "Grüße €"

    def test_own_fields(self) -> None:
        """Headers with a field of their own fill it; those of one transmission are left out."""
        given = email(
            In_Reply_To="<1@example.com>",
            References="<0@example.com> <1@example.com>",
            Date="Mon, 1 Jan 2024 00:00:00 +0000",
            Message_ID="<2@example.com>",
            Received="from x",
            Bcc="dan@example.com",
            From="a@example.com",
            Sender="a@example.com",
        )
        found = Message.from_email(given)
        assert (found.in_reply_to, found.references) == (
            "<1@example.com>",
            ("<0@example.com>", "<1@example.com>"),
        )
        assert (found.bcc, dict(found.headers)) == ((Address("dan@example.com"),), {})

    @pytest.mark.rule("N-B3")
    def test_bodies(self) -> None:
        """The type of a part, not its place, says which body it is."""
        given = email()
        given.set_content("<b>", subtype="html")
        given.make_alternative()
        part = EmailMessage()
        part.set_content("text")
        given.attach(part)
        found = Message.from_email(given)
        assert (found.text, found.html) == ("text\n", "<b>\n")

    @pytest.mark.rule("N-B2")
    @pytest.mark.parametrize("subtype", ["html", "calendar"])
    def test_alternatives(self, subtype: str) -> None:
        """A second html body or another alternative cannot be sent, and says so."""
        given = email()
        given.set_content("<b>", subtype="html")
        given.add_alternative("x", subtype=subtype)
        with pytest.raises(UnsupportedFeature):
            Message.from_email(given)

    @pytest.mark.parametrize("subtype", ["signed", "report", "encrypted"])
    def test_structures(self, subtype: str) -> None:
        """A structure that sending would change is refused."""
        given = MIMEMultipart(subtype)
        given.attach(MIMEText("x"))
        with pytest.raises(UnsupportedFeature):
            Message.from_email(given)

    @pytest.mark.rule("N-D4")
    @pytest.mark.parametrize(
        "disposition, content_id, inline, kept",
        [
            ("inline", "<logo>", True, "logo"),
            (None, "<logo>", True, "logo"),
            ("inline", None, True, None),
            ("attachment", "<logo>", False, None),
            (None, None, False, None),
        ],
    )
    def test_inline(
        self, disposition: str | None, content_id: str | None, inline: object, kept: str | None
    ) -> None:
        """Inline is what says so, or has a content id and no disposition; an attachment drops its id."""
        given = email(Content_Type="image/png")
        for name, value in (("Content-Disposition", disposition), ("Content-ID", content_id)):
            if value:
                given[name] = value
        given.set_payload("x")
        (file,) = Message.from_email(given).attachments
        assert (file.inline, file.content_id) == (inline, kept)

    @pytest.mark.rule("N-D9")
    @pytest.mark.parametrize("kind", [EmailMessage, LegacyMessage])
    def test_attached_message(self, kind: type[LegacyMessage]) -> None:
        """An attached message becomes message/rfc822, CRLF and 7-bit, without a charset of its own."""
        inner = kind()
        inner["Subject"] = "inner"
        inner["Content-Type"] = "text/plain; charset=utf-8"
        inner["Content-Transfer-Encoding"] = "base64"
        inner.set_payload("R3LDvMOfZQ==\n")
        outer = email()
        outer.set_content("outer")
        outer.make_mixed()
        wrapper = LegacyMessage()
        wrapper["Content-Type"] = "message/rfc822"
        wrapper.set_payload([inner])
        outer.attach(wrapper)
        found = Message.from_email(outer)
        (file,) = found.attachments
        assert (file.content_type, file.charset, found.text) == ("message/rfc822", None, "outer\n")
        assert file.content.count(b"\n") == file.content.count(b"\r\n")
        assert b64decode(file.content.splitlines()[-1]) == "Grüße".encode()

    @pytest.mark.rule("N-D11")
    def test_wrong_charset(self) -> None:
        """Text that is not in the charset it names is a typed error, in a body and in an attachment."""
        body = message_from_bytes(b"Content-Type: text/plain; charset=utf-8\n\n\xff")
        with pytest.raises(InvalidMessage):
            Message.from_email(body)
        file = message_from_bytes(b"Content-Type: text/plain; charset=utf-8; name=a\n\n\xff")
        with pytest.raises(InvalidAttachment):
            Message.from_email(file)

    @pytest.mark.parametrize(
        "raw, error",
        [
            (b"From: Widgets, Inc. <w@example.com>\n\n", InvalidAddress),
            (b"To: evil@example.org <a@example.com>\n\n", InvalidAddress),
            (b"Subject: =?utf-8?q?a=0ABcc:_x?=\n\n", InvalidMessage),
            (b"Subject: a\nSubject: b\n\n", InvalidMessage),
            (b"X-A: a\nX-A: b\n\n", InvalidMessage),
            (b"Sender: other@example.com\n\n", UnsupportedFeature),
            (b"Content-Type: multipart/mixed\n\nx", InvalidMessage),
            (b'Content-Disposition: attachment; filename="a\xe2\x80\xae"\n\n', InvalidAttachment),
        ],
    )
    def test_refused(self, raw: bytes, error: type[Exception]) -> None:
        """What cannot be sent safely is a typed error, whichever way the email was made."""
        with pytest.raises(error):
            Message.from_email(message_from_bytes(raw))

    def test_no_parts(self) -> None:
        """An email whose structure was never finished is a typed error."""
        given = LegacyMessage()
        given["Content-Type"] = "multipart/mixed"
        given.set_payload("x")
        with pytest.raises(InvalidMessage, match="no parts"):
            Message.from_email(given)
        given.set_payload(["x"])
        with pytest.raises(InvalidMessage, match="cannot be read"):
            Message.from_email(given)

    def test_words_never_become_addresses(self) -> None:
        """An encoded word in a parsed address list is a name, never a second recipient."""
        raw = b"To: =?utf-8?q?a=40b=2C_evil=40example.org?= <bob@example.com>\n\n"
        for rules in (policy.compat32, policy.default):
            found = Message.from_email(message_from_bytes(raw, policy=rules))
            assert [address.addr_spec for address in found.to] == ["bob@example.com"]

    @settings(max_examples=100, deadline=None, database=None)
    @given(
        st.lists(
            st.sampled_from(
                [
                    b"To: ",
                    b"a@b",
                    b"<",
                    b"\n",
                    b"\n\n",
                    b"--b\n",
                    b"Content-Type: multipart/mixed; boundary=b\n",
                    b"Content-Type: message/rfc822\n",
                    b"\xff",
                    b"=?utf-8?q?=0A?=",
                    b"Subject: ",
                    b"x",
                    b"Content-Transfer-Encoding: base64\n",
                    b"Content-Disposition: attachment; filename*=x",
                ]
            ),
            max_size=30,
        )
    )
    def test_any_email(self, pieces: list[bytes]) -> None:
        """Any email is a message or a typed error."""
        for rules in (policy.compat32, policy.default):
            with contextlib.suppress(InvalidMessage, UnsupportedFeature):
                Message.from_email(message_from_bytes(b"".join(pieces), policy=rules))
