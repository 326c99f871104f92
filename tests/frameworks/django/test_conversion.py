"""Django's messages become mailcore's, whole."""

from __future__ import annotations

from datetime import UTC, date, datetime
from email.message import EmailMessage as StdlibMessage
from email.message import MIMEPart
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Any

import django
import pytest
from anymail.message import AnymailMessage
from django.core import mail
from django.core.mail import EmailAttachment, EmailMessage, EmailMultiAlternatives
from django.test.utils import override_settings
from django.utils.functional import lazystr

from mailcore import UNSET, Address, Attachment, InvalidMessage, Message, UnsupportedFeature
from mailcore.frameworks.django import message_from_django

BAD_HEADER = ValueError if django.VERSION >= (6, 0) else mail.BadHeaderError
PIXEL = b"\x89PNG\r\n\x1a\n\x00\x01\x02"


def django_message(**given: Any) -> EmailMultiAlternatives:
    """Return a message of Django's; attributes that its constructor does not know are set after."""
    known = ("subject", "body", "from_email", "to", "cc", "bcc", "reply_to", "headers", "alternatives")
    fields = {"subject": "Hi", "body": "Hello", "to": ["bob@example.com"], **given}
    message = EmailMultiAlternatives(**{name: fields.pop(name) for name in known if name in fields})
    for item in fields.pop("attachments", ()):
        attach(message, item)
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def attach(message: EmailMessage, item: Any) -> None:
    """Attach a file, or a part: legacy parts are deprecated in Django 6."""
    if isinstance(item, tuple):
        message.attach(*item)
    elif isinstance(item, MIMEBase):
        message.attachments.append(item)
    else:
        message.attach(item)


def converted(**given: Any) -> Message:
    """Return what a message of Django's becomes."""
    return message_from_django(django_message(**given), provider="memory")


class TestFields:
    """What every mail has."""

    def test_everything(self) -> None:
        """Addresses, subject, bodies and headers are all there."""
        found = converted(
            subject=lazystr("Grüße"),
            from_email='"Lovelace, Ada" <ada@example.com>',
            to=["Bob <bob@example.com>", "carol@example.com"],
            cc=["dan@example.com"],
            bcc=[lazystr("eve@example.com"), ""],
            reply_to=["office@example.com"],
            headers={"X-Number": 1, "X-Lazy": lazystr("é"), "X-Yes": True},
            alternatives=[("<p>Hello</p>", "text/html"), (b"<amp>", "text/x-amp-html")],
        )
        assert found.from_ == (Address("ada@example.com", "Lovelace, Ada"),)
        assert found.to == (Address("bob@example.com", "Bob"), Address("carol@example.com"))
        assert (found.cc, found.bcc) == ((Address("dan@example.com"),), (Address("eve@example.com"),))
        assert found.reply_to == (Address("office@example.com"),)
        assert (found.subject, found.text) == ("Grüße", "Hello")
        assert (found.html, found.amp_html) == ("<p>Hello</p>", "<amp>")
        assert dict(found.headers) == {"X-Number": "1", "X-Lazy": "é", "X-Yes": "True"}

    def test_default_sender(self) -> None:
        """The setting DEFAULT_FROM_EMAIL is the sender of a message without one."""
        with override_settings(DEFAULT_FROM_EMAIL="Shop <shop@example.com>"):
            assert converted().from_ == (Address("shop@example.com", "Shop"),)

    def test_html_body(self) -> None:
        """A body of subtype html is html, with a plain alternative as its text."""
        found = converted(body="<p>", content_subtype="html", alternatives=[("plain", "text/plain")])
        assert (found.html, found.text) == ("<p>", "plain")

    def test_no_text(self) -> None:
        """Without a body there is the alternative alone."""
        found = converted(body="", alternatives=[("<p>", "text/html")])
        assert (found.html, found.text) == ("<p>", UNSET)

    def test_from_header(self) -> None:
        """A From header is what recipients see; from_email is where bounces go."""
        found = converted(from_email="bounces@example.com", headers={"From": "Ada <ada@example.com>"})
        assert found.from_ == (Address("ada@example.com", "Ada"),)
        assert found.envelope_sender == Address("bounces@example.com")

    def test_reply_to_header(self) -> None:
        """A Reply-To header stands in place of reply_to, as in Django."""
        found = converted(reply_to=["a@example.com"], headers={"Reply-To": "b@example.com"})
        assert found.reply_to == (Address("b@example.com"),)

    def test_date_header(self) -> None:
        """A moment among the headers is written as mail writes it."""
        found = converted(headers={"Date": datetime(2030, 1, 2, 3, 4, tzinfo=UTC)})
        assert found.headers["Date"] == "Wed, 02 Jan 2030 03:04:00 +0000"

    def test_to_header(self) -> None:
        """A To header that shows other recipients than the mail has is refused."""
        with pytest.raises(UnsupportedFeature, match="'To'"):
            converted(headers={"To": "list@example.com"})

    @pytest.mark.parametrize(
        "fields",
        [
            {"alternatives": [("x", "text/calendar")]},
            {"alternatives": [("a", "text/html"), ("b", "text/html")]},
            {"content_subtype": "markdown"},
        ],
    )
    def test_unsayable(self, fields: dict[str, Any]) -> None:
        """A body that no provider could be given is refused, not left out."""
        with pytest.raises(UnsupportedFeature):
            converted(**fields)

    @pytest.mark.parametrize(
        "fields", [{"subject": "a\nBcc: x@example.com"}, {"headers": {"X-A": "a\nb"}}, {"to": ["a\n@b.c"]}]
    )
    def test_injection(self, fields: dict[str, Any]) -> None:
        """A line break is refused with the error that Django raises for it."""
        with pytest.raises(BAD_HEADER) as caught:
            converted(**fields)
        assert not isinstance(caught.value, InvalidMessage)

    def test_ours_where_django_would_send(self) -> None:
        """What Django lets pass and no provider takes is an error of ours, and a ValueError."""
        with pytest.raises(InvalidMessage):
            converted(cc=["a@example.com", "b@example.com, c@example.com"], subject="\x07")


class TestAttachments:
    """Every form in which Django takes them."""

    @pytest.mark.parametrize(
        "item, expected",
        [
            (
                ("a.txt", "Grüße", "text/plain"),
                Attachment(content="Grüße", filename="a.txt", content_type="text/plain"),
            ),
            (
                ("a.csv", "a,é\n".encode(), None),
                Attachment(content="a,é\n", filename="a.csv", content_type="text/csv"),
            ),
            (
                ("a.txt", b"\xff\xfe", "text/plain"),
                Attachment(content=b"\xff\xfe", filename="a.txt", content_type="application/octet-stream"),
            ),
            (
                ("a.png", PIXEL, "image/png"),
                Attachment(content=PIXEL, filename="a.png", content_type="image/png"),
            ),
            (
                ("a.json", '{"é": 1}', "application/json"),
                Attachment(content='{"é": 1}'.encode(), filename="a.json", content_type="application/json"),
            ),
            (EmailAttachment("a.bin", b"\0", None), Attachment(content=b"\0", filename="a.bin")),
        ],
    )
    def test_files(self, item: Any, expected: Attachment) -> None:
        """A file keeps its name, type, content, and a text its charset."""
        assert converted(attachments=[item]).attachments == (expected,)

    def test_without_type(self) -> None:
        """A bare pair in the list is taken as well."""
        message = django_message()
        message.attachments = [("a.txt", "x")]
        (found,) = message_from_django(message).attachments
        assert (found.content, found.content_type) == (b"x", "text/plain")

    def test_bytes_of_text(self) -> None:
        """Bytes in the list that are a text are one."""
        message = django_message()
        message.attachments = [EmailAttachment("a.txt", "é".encode(), "text/plain")]
        (found,) = message_from_django(message).attachments
        assert (found.content, found.charset) == ("é".encode(), "utf-8")

    def test_encoding(self) -> None:
        """A text is in the charset the message names."""
        (found,) = converted(encoding="iso-8859-1", attachments=[("a.txt", "é", "text/plain")]).attachments
        assert (found.content, found.charset) == (b"\xe9", "iso-8859-1")

    def test_inline_part(self) -> None:
        """An image as a part of the standard library's is inline, under its content id."""
        part = MIMEPart()
        part.set_content(PIXEL, "image", "png", disposition="inline", cid="<logo@inline>", filename="a.png")
        legacy = MIMEImage(PIXEL, "png")
        legacy.add_header("Content-Disposition", "inline", filename="a.png")
        legacy.add_header("Content-ID", "<logo@inline>")
        for item in (part, legacy):
            message = django_message()
            message.attachments.append(item)
            (found,) = message_from_django(message).attachments
            assert (found.content, found.content_type, found.filename) == (PIXEL, "image/png", "a.png")
            assert (found.content_id, found.inline) == ("logo@inline", True)

    def test_text_part(self) -> None:
        """A part that is a text is attached all the same, and no body."""
        message = django_message()
        message.attachments.append(MIMEText("note", "plain"))
        found = message_from_django(message)
        assert (found.text, [file.content for file in found.attachments]) == ("Hello", [b"note"])

    def test_broken_part(self) -> None:
        """A part that cannot be read is a typed error."""
        message = django_message()
        part = MIMEBase("application", "pdf")
        part.set_payload(None)
        message.attachments.append(part)
        with pytest.raises(ValueError, match="no content"):
            message_from_django(message)

    def test_part_with_parts(self) -> None:
        """A part that has parts of its own is refused."""
        message = django_message()
        message.attachments.append(MIMEMultipart())
        with pytest.raises(UnsupportedFeature, match="multipart/mixed"):
            message_from_django(message)

    def test_mails(self) -> None:
        """A mail is attached whole, in whichever form it comes."""
        other = StdlibMessage()
        other["Subject"] = "Inner"
        other.set_content("inner\n")
        inner = django_message(subject="Inner", body="inner")
        for content in (other, inner, other.as_bytes(), other.as_string()):
            message = django_message()
            message.attachments = [EmailAttachment("a.eml", content, "message/rfc822")]
            (found,) = message_from_django(message).attachments
            assert (found.content_type, found.filename) == ("message/rfc822", "a.eml")
            assert b"Subject: Inner\r\n" in found.content

    def test_part_with_a_mail(self) -> None:
        """A part that holds a mail is that mail."""
        outer = StdlibMessage()
        outer.set_content("x")
        inner = StdlibMessage()
        inner["Subject"] = "Inner"
        inner.set_content("inner\n")
        outer.add_attachment(inner)
        message = django_message()
        message.attachments.append(next(iter(outer.iter_attachments())))
        (found,) = message_from_django(message).attachments
        assert found.content_type == "message/rfc822"
        assert b"Subject: Inner\r\n" in found.content


class TestAdded:
    """The attributes that django-anymail gave a message."""

    def test_same_names(self) -> None:
        """Those with a field of that name are that field."""
        found = converted(
            to=["bob@example.com"],
            tags=[lazystr("welcome")],
            metadata={"order": 7, "name": lazystr("é")},
            track_opens=True,
            track_clicks=False,
            template_id=12,
            merge_data={"bob@example.com": {"name": lazystr("Bob")}},
            merge_global_data={"shop": "S"},
            merge_metadata={"bob@example.com": {"n": 1}},
            merge_headers={"bob@example.com": {"X-A": "1"}},
            envelope_sender="bounces@example.com",
            idempotency_key="order-7",
        )
        assert (found.tags, dict(found.metadata)) == (("welcome",), {"order": 7, "name": "é"})
        assert (found.track_opens, found.track_clicks, found.template_id) == (True, False, "12")
        assert dict(found.merge_data["bob@example.com"]) == {"name": "Bob"}
        assert dict(found.merge_global_data) == {"shop": "S"}
        assert dict(found.merge_metadata["bob@example.com"]) == {"n": 1}
        assert dict(found.merge_headers["bob@example.com"]) == {"X-A": "1"}
        assert found.envelope_sender == Address("bounces@example.com")
        assert found.idempotency_key == "order-7"

    @pytest.mark.parametrize(
        "given, expected",
        [
            (datetime(2030, 1, 2, 3, tzinfo=UTC), datetime(2030, 1, 2, 3, tzinfo=UTC)),
            (datetime(2030, 1, 2, 3), datetime(2030, 1, 2, 2, tzinfo=UTC)),  # noqa: DTZ001  # reason: that is the point
            (date(2030, 1, 2), datetime(2030, 1, 1, 23, tzinfo=UTC)),
            (0, datetime(1970, 1, 1, tzinfo=UTC)),
        ],
    )
    def test_send_at(self, given: Any, expected: datetime) -> None:
        """A moment, a day or seconds, in Django's time zone where none is said."""
        with override_settings(TIME_ZONE="Europe/Paris"):
            assert converted(send_at=given).send_at == expected

    def test_esp_extra(self) -> None:
        """What was meant for the provider is its provider_options."""
        found = converted(esp_extra={"a": 1}, provider_options={"memory": {"b": 2}, "other": {"c": 3}})
        options = {name: dict(row) for name, row in found.provider_options.items()}
        assert options == {"memory": {"a": 1, "b": 2}, "other": {"c": 3}}

    def test_esp_extra_for_several(self) -> None:
        """Where several providers may send it, nobody knows for whom it is."""
        with pytest.raises(UnsupportedFeature, match="provider_options"):
            message_from_django(django_message(esp_extra={"a": 1}), provider="mailpace, memory")

    def test_unset(self) -> None:
        """What is not given takes the mailer's default; None suppresses it."""
        assert converted(tags=UNSET, metadata=None).tags is UNSET
        assert converted(tags=UNSET, metadata=None).metadata is None

    def test_messages_of_anymail(self) -> None:
        """A message of anymail's own class is taken as it is."""
        given = AnymailMessage("Hi", "Hello", None, ["bob@example.com"], tags=["a"])
        content_id = given.attach_inline_image(PIXEL, "a.png", "png")
        found = message_from_django(given)
        assert (found.tags, found.metadata, found.send_at) == (("a",), UNSET, UNSET)
        assert found.attachments[0].content_id == content_id
