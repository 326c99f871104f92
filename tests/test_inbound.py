"""Received mail: what its accessors say."""

import pickle
import tracemalloc
from base64 import b64encode
from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from hashlib import md5

import pytest

from mailcore import Address, DefectCode, InboundAttachment, InboundMessage, Message

PIXEL = b"\x89PNG\r\n\x1a\n\x00\x01\x02"


def mail(*lines: str, newline: str = "\r\n") -> InboundMessage:
    """Return an inbound message from header and body lines."""
    return InboundMessage(raw=newline.join(lines).encode("utf-8", "surrogateescape"))


def multipart(*parts: list[str], subtype: str = "mixed", headers: Sequence[str] = ()) -> InboundMessage:
    """Return an inbound message of several parts, each a list of lines."""
    lines = [*headers, f"Content-Type: multipart/{subtype}; boundary=outer", "", "preamble"]
    for part in parts:
        lines += ["--outer", *part]
    return mail(*lines, "--outer--", "epilogue")


def codes(message: InboundMessage) -> list[DefectCode]:
    """Return the codes of a message's defects."""
    return [defect.code for defect in message.defects]


class TestHeaders:
    """Headers decoded, looked up and scrubbed."""

    def test_plain(self) -> None:
        """The usual headers have typed values."""
        message = mail(
            "From: Ada Lovelace <ada@example.com>",
            "To: bob@example.com, Carol <carol@example.com>",
            "Cc: dan@example.com",
            "Reply-To: Office <office@example.com>",
            "Subject: Engines",
            "Date: Thu, 1 Feb 2024 10:00:00 +0100",
            "Message-ID: <1@example.com>",
            "In-Reply-To: <0@example.com>",
            "References: <a@example.com> <0@example.com>",
            "",
            "Hello",
        )
        assert message.from_ == (Address("ada@example.com", "Ada Lovelace"),)
        assert message.to == (Address("bob@example.com"), Address("carol@example.com", "Carol"))
        assert message.cc == (Address("dan@example.com"),)
        assert message.bcc == ()
        assert message.reply_to == (Address("office@example.com", "Office"),)
        assert message.subject == "Engines"
        assert message.date == datetime(2024, 2, 1, 9, tzinfo=UTC)
        assert message.date.utcoffset() == timedelta(hours=1)
        assert message.message_id == "<1@example.com>"
        assert message.in_reply_to == "<0@example.com>"
        assert message.references == ("<a@example.com>", "<0@example.com>")
        assert message.text == "Hello"
        assert message.defects == ()

    def test_absent(self) -> None:
        """An empty mail has empty accessors and no defects."""
        message = mail("", "")
        assert message.from_ == message.to == message.references == message.attachments == ()
        assert message.subject is message.date is message.message_id is message.html is None
        assert message.defects == ()

    def test_lookup(self) -> None:
        """Headers keep their order and repeats, and are found in any letter case."""
        message = mail("Received: one", "X-Tag: a", "received: two", "", "")
        assert message.headers.pairs == (("Received", "one"), ("X-Tag", "a"), ("received", "two"))
        assert message.headers.get_all("RECEIVED") == ("one", "two")
        assert message.raw_headers[1] == ("X-Tag", b" a")

    @pytest.mark.rule("N-I1")
    def test_text_is_utf8(self) -> None:
        """A raw mail given as text is read as UTF-8 bytes."""
        message = InboundMessage(raw="Subject: Grüße\n\nä 😀")
        assert message.raw == "Subject: Grüße\n\nä 😀".encode()
        assert (message.subject, message.text) == ("Grüße", "ä 😀")

    @pytest.mark.rule("N-I1")
    def test_raw_is_preferred(self) -> None:
        """Where there is a raw mail, what the provider parsed does not replace it."""
        message = InboundMessage.from_parts(
            raw=b"Subject: true\n\nbody", subject="false", text="false", to="false@example.com"
        )
        assert (message.subject, message.text, message.to) == ("true", "body", ())

    @pytest.mark.rule("N-I2")
    @pytest.mark.parametrize("line_break", ["=0D=0A", "=0A", "=0D"])
    def test_line_breaks_become_spaces(self, line_break: str) -> None:
        """An encoded line break in a subject, header, name or filename becomes a space."""
        word = f"=?utf-8?q?a{line_break}Bcc:_x?="
        message = multipart(
            [f'Content-Disposition: attachment; filename="{word}"', "", "x"],
            headers=[f"Subject: {word}", f"X-Other: {word}", f"From: {word} <ada@example.com>"],
        )
        assert message.subject == message.headers["x-other"] == "a Bcc: x"
        assert message.from_ == (Address("ada@example.com", "a Bcc: x"),)
        assert message.attachments[0].filename == "a Bcc_ x"
        assert DefectCode.SCRUBBED in codes(message)

    @pytest.mark.rule("N-I2")
    def test_controls_are_replaced(self) -> None:
        """NUL and other control characters become U+FFFD: joining what they part could make a new word."""
        assert mail("Subject: a\x00b\x1bc", "", "").subject == "a\ufffdb\ufffdc"

    @pytest.mark.rule("N-I3")
    @pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
    def test_folding(self, newline: str) -> None:
        """Folded headers are one line, whichever line ends the mail has."""
        message = mail(
            "Subject: one",
            "  two",
            "\tthree",
            "To: a@example.com,",
            " b@example.com",
            "",
            "x",
            newline=newline,
        )
        assert message.subject == "one  two three"
        assert len(message.to) == 2
        assert message.text == "x"

    @pytest.mark.rule("N-I3")
    @pytest.mark.parametrize(
        "raw, expected",
        [
            ("=?utf-8?q?caf=C3=A9?=", "café"),
            ("=?UTF-8?B?Y2Fmw6k=?= au lait", "café au lait"),
            ("=?utf-8?b?Y2Fmw6k?=", "café"),
            ("=?iso-8859-1?q?caf=E9_noir?=", "café noir"),
            ("=?koi8-r*ru?q?=D1?=", "я"),
            ("=?utf-8?q?caf=C3?= =?utf-8?q?=A9?=", "café"),
            ("=?utf-8?q?a?= =?utf-8?q?b?= c =?utf-8?q?d?=", "ab c d"),
            ("=?utf-8?q?=C3=A9?= =?iso-8859-1?q?=E9?=", "éé"),
            ("=?utf-8?q?caf=C3?= au lait", "caf\ufffd au lait"),
            ("=?x-unknown?q?caf=E9?=", "café"),
            ("=?utf-8?x?abc?= =?utf-8", "=?utf-8?x?abc?= =?utf-8"),
            ("=?utf-7?q?+ADw-script+AD4-?=", "+ADw-script+AD4-"),
        ],
    )
    def test_encoded_words(self, raw: str, expected: object) -> None:
        """RFC 2047 words are decoded; what cannot be decoded is replaced or stays."""
        assert mail(f"Subject: {raw}", "", "").subject == expected

    @pytest.mark.rule("N-I3")
    def test_8bit_headers(self) -> None:
        """Raw UTF-8 is decoded; other bytes become U+FFFD and a defect."""
        assert mail("Subject: Grüße", "", "").subject == "Grüße"
        message = InboundMessage(raw=b"Subject: Gr\xfc\xdfe\n\n")
        assert message.subject == "Gr\ufffd\ufffde"
        assert codes(message) == [DefectCode.BAD_ENCODED_TEXT]

    def test_duplicates(self) -> None:
        """Of a header that may be there once, the first counts, and a defect says so."""
        message = mail("Subject: one", "Subject: two", "", "")
        assert message.subject == "one"
        assert codes(message) == [DefectCode.DUPLICATE_HEADER]

    @pytest.mark.parametrize(
        "text, expected",
        [
            ("Mon, 1 Jan 2024 10:00:00 -0000", datetime(2024, 1, 1, 10, tzinfo=UTC)),
            ("1 Jan 2024 10:00 GMT", datetime(2024, 1, 1, 10, tzinfo=UTC)),
            ("yesterday", None),
            ("Mon, 99 Foo 2024 99:99:99 +9999", None),
            ("Fri, 31 Dec 9999 23:59:00 -2359", None),
        ],
    )
    def test_dates(self, text: str, expected: object) -> None:
        """A date is aware, or None with a defect."""
        message = mail(f"Date: {text}", "", "")
        assert message.date == expected
        assert codes(message) == ([] if expected else [DefectCode.BAD_DATE])

    @pytest.mark.parametrize(
        "text, expected",
        [("<a@b>", "<a@b>"), ("a@b", "<a@b>"), ("x <a@b> y", "<a@b>"), ("<", None), ("< >", None)],
    )
    def test_message_ids(self, text: str, expected: object) -> None:
        """An id has its brackets, whether or not the sender wrote them."""
        message = mail(f"Message-ID: {text}", f"In-Reply-To: {text}", f"References: {text}", "", "")
        assert message.message_id == message.in_reply_to == expected
        assert message.references == ((expected,) if expected else ())
        assert (DefectCode.BAD_MESSAGE_ID in codes(message)) == (expected is None)

    def test_reply(self) -> None:
        """What was read can be used in an answer: it passes the checks of outgoing mail."""
        message = mail(
            "Subject: =?utf-8?q?a=0ABcc:_x?=", "Message-ID: <1@b>", "From: Ada <ada@example.com>", "", ""
        )
        answer = Message(
            to=message.from_,
            subject=f"Re: {message.subject}",
            in_reply_to=message.message_id,
            references=message.references,
        )
        assert answer.to == message.from_


class TestAddresses:
    """Addresses: strict first, then item by item, never guessed."""

    @pytest.mark.rule("N-I5")
    @pytest.mark.parametrize(
        "text", ["MAILER-DAEMON", "garbage (", "<>", '"', "a@", "=?utf-8?q?x=40y.example?=", "\x00"]
    )
    def test_unusable(self, text: str) -> None:
        """A From that holds no address is empty, with a defect."""
        message = mail(f"From: {text}", "", "")
        assert message.from_ == ()
        assert DefectCode.BAD_ADDRESS in codes(message)

    @pytest.mark.parametrize(
        "text, expected",
        [
            ("Widgets, Inc. <w@example.com>", [Address("w@example.com", "Inc.")]),
            ("MAILER-DAEMON, b@example.com", [Address("b@example.com")]),
            ('"A, B" <a@example.com>, nobody', [Address("a@example.com", "A, B")]),
            ("a@example.com;b@example.com", [Address("a@example.com"), Address("b@example.com")]),
            (
                "Team: a@example.com, nobody, b@example.com;",
                [Address("a@example.com"), Address("b@example.com")],
            ),
            ("a@example.com <A@example.com>", [Address("A@example.com")]),
            ("evil@example.org <a@example.com>", []),
            ("a@example.com)b@example.org", []),
            ('"a@example.com" <b@example.com>, x', [Address("b@example.com", "a@example.com")]),
            ("a@b@example.com, c@example.com", [Address("c@example.com")]),
            ("Mr. A: B <a@example.com>", [Address("a@example.com", "B")]),
        ],
    )
    def test_recovery(self, text: str, expected: object) -> None:
        """The clear items of a broken list are taken; an address two readers see differently is not."""
        message = mail(f"To: {text}", "", "")
        assert list(message.to) == expected
        assert codes(message) == [DefectCode.BAD_ADDRESS]

    def test_words_never_become_addresses(self) -> None:
        """An encoded word is decoded after the list is split, so it adds no recipient."""
        word = "=?utf-8?q?A=2C_evil=40example.org=2C_=3Cx=40y=3E?="
        message = mail(f"From: {word} <ada@example.com>", "", "")
        assert message.from_ == (Address("ada@example.com", "A, evil@example.org, <x@y>"),)

    def test_names(self) -> None:
        """Names lose bidirectional controls, keep everything else."""
        message = mail("From: =?utf-8?b?4oCuYWJj?= <a@example.com>", "To: Jürgen <j@example.com>", "", "")
        assert message.from_ == (Address("a@example.com", "abc"),)
        assert message.to == (Address("j@example.com", "Jürgen"),)

    def test_tabs(self) -> None:
        """A list folded with tabs is a list like any other."""
        message = mail("To: a@example.com,", "\tb@example.com", "", "")
        assert (len(message.to), message.defects) == (2, ())

    def test_empty_groups(self) -> None:
        """`undisclosed-recipients:;` is no address and no defect."""
        message = mail("To: undisclosed-recipients:;", "", "")
        assert (message.to, message.defects) == ((), ())

    def test_repeated_headers(self) -> None:
        """Addresses of repeated headers are all there; for From a defect says so."""
        message = mail(
            "To: a@example.com", "To: b@example.com", "From: a@example.com", "From: b@example.com", "", ""
        )
        assert len(message.to) == len(message.from_) == 2
        assert codes(message) == [DefectCode.DUPLICATE_HEADER]


class TestBodies:
    """Text and HTML."""

    def test_alternatives(self) -> None:
        """The first plain and the first html part are the bodies."""
        message = multipart(
            ["Content-Type: text/plain", "", "plain"],
            ["Content-Type: text/html; charset=utf-8", "", "<b>ü</b>"],
            subtype="alternative",
        )
        assert (message.text, message.html) == ("plain", "<b>ü</b>")
        assert message.attachments == message.inlines == ()

    def test_further_texts(self) -> None:
        """A text without a name that is not the body is reachable as an inline file."""
        message = multipart(["", "first"], ["", "footer"], ["Content-Type: text/calendar", "", "BEGIN"])
        assert message.text == "first"
        assert [file.content for file in message.inlines] == [b"footer", b"BEGIN"]
        assert message.attachments == ()

    @pytest.mark.rule("N-I4")
    @pytest.mark.parametrize(
        "charset, body, expected, code",
        [
            ("", b"\xc3\xa9", "é", None),
            ("", b"\xe9\x80", "é€", DefectCode.BAD_CHARSET),
            ("us-ascii", b"\xc3\xa9", "é", None),
            ("iso-8859-1", b"\xe9\x93", "é“", None),
            ("ISO_8859-1", b"\xe9", "é", None),
            ("utf-8", b"a\xffb", "a\ufffdb", DefectCode.BAD_TEXT),
            ("gb2312", b"\xc4\xe3", "你", None),
            ("iso-2022-jp", b'\x1b$B$"\x1b(B', "あ", None),
            ("utf-16", b"\xff\xfea\x00", "a", None),
            ("no-such", b"\xe9", "é", DefectCode.BAD_CHARSET),
            ("utf-7", b"+ADw-script+AD4-", "+ADw-script+AD4-", DefectCode.BAD_CHARSET),
            ("punycode", b"\xff", "ÿ", DefectCode.BAD_CHARSET),
            ("unicode_escape", b"\\x3c", "\\x3c", DefectCode.BAD_CHARSET),
            ("rot13", b"abc", "abc", DefectCode.BAD_CHARSET),
            ("a\x00b", b"abc", "abc", DefectCode.BAD_CHARSET),
        ],
    )
    def test_charsets(self, charset: str, body: bytes, expected: object, code: DefectCode | None) -> None:
        """Only mail charsets are used; without a usable one the text is UTF-8, else Latin-1."""
        head = f'Content-Type: text/plain; charset="{charset}"'.encode()
        message = InboundMessage(raw=head + b"\n\n" + body)
        assert message.text == expected
        assert [defect.code for defect in message.defects][-1:] == ([code] if code else [])

    @pytest.mark.rule("N-I6")
    def test_attached_mail_is_not_the_body(self) -> None:
        """An html-only mail with a forwarded mail has no text, rather than the forwarded one."""
        message = multipart(
            ["Content-Type: text/html", "", "<p>outer</p>"],
            [
                "Content-Type: message/rfc822",
                "",
                "Subject: inner",
                "Content-Type: text/plain",
                "",
                "inner text",
            ],
        )
        assert (message.text, message.html) == (None, "<p>outer</p>")
        inner = message.attachments[0].message
        assert (inner.subject, inner.text, inner.nesting) == ("inner", "inner text", 1)

    @pytest.mark.rule("N-I6")
    @pytest.mark.parametrize("encoding", ["base64", "8bit", "quoted-printable"])
    def test_attached_mail_encodings(self, encoding: str) -> None:
        """The bytes of an attached mail are right, whatever its encoding and charset."""
        inner = b"Subject: x\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n\xe9\r\n"
        coded = {
            "base64": b64encode(inner),
            "8bit": inner,
            "quoted-printable": inner.replace(b"=", b"=3D").replace(b"\xe9", b"=E9"),
        }
        raw = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\n"
        (attached,) = InboundMessage(raw=raw + coded[encoding]).attachments
        assert attached.content == inner
        assert attached.message.text == "é\n"

    def test_digest(self) -> None:
        """The parts of a digest are mails unless they say otherwise."""
        message = multipart(["", "Subject: one", "", "x"], subtype="digest")
        assert message.attachments[0].message.subject == "one"

    def test_missing_boundary(self) -> None:
        """A multipart without a boundary is one text; nothing is lost."""
        message = mail("Content-Type: multipart/mixed", "", "--x", "", "hello")
        assert "hello" in message.text
        assert codes(message) == [DefectCode.NO_BOUNDARY]

    def test_encoded_multipart(self) -> None:
        """A multipart has no transfer encoding of its own (RFC 2045)."""
        message = mail("Content-Type: multipart/mixed", "Content-Transfer-Encoding: base64", "", "aGVsbG8=")
        assert message.text == "aGVsbG8="

    def test_mailbox_line(self) -> None:
        """The line that begins a mail in a mailbox file is no header."""
        assert mail("From x@example.com Mon Jan  1 10:00:00 2024", "Subject: s", "", "").subject == "s"

    def test_missing_end(self) -> None:
        """A mail without its last boundary is read to the end, with a defect."""
        message = mail("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "hello")
        assert message.text == "hello"
        assert codes(message) == [DefectCode.UNCLOSED]

    def test_outer_boundary_ends_inner(self) -> None:
        """An inner multipart ends where the outer one goes on."""
        message = multipart(
            ["Content-Type: multipart/alternative; boundary=inner", "", "--inner", "", "text"],
            ["Content-Type: application/pdf", "", "pdf"],
        )
        assert message.text == "text"
        assert message.attachments[0].content == b"pdf"

    def test_patch_lines_are_not_boundaries(self) -> None:
        """Lines that begin with dashes but are no declared boundary are content."""
        patch = "\n".join(["--- a/file", "+++ b/file", "--outerx", "x --outer", "--"] * 2_000)
        message = multipart(["", patch])
        assert message.text == patch
        assert message.defects == ()

    def test_body_newlines(self) -> None:
        r"""Bodies have \n line ends and no NUL."""
        assert mail("", "a", "b\x00", "").text == "a\nb\ufffd\n"


class TestAttachments:
    """Files: which parts are files, their names and their content."""

    @pytest.mark.rule("N-I7")
    def test_filename_without_disposition(self) -> None:
        """A part with a name but no disposition is an attachment."""
        message = multipart(["", "body"], ['Content-Type: text/plain; name="notes.txt"', "", "notes"])
        assert message.text == "body"
        assert [file.filename for file in message.attachments] == ["notes.txt"]

    @pytest.mark.parametrize(
        "headers, inline",
        [
            (["Content-Disposition: inline"], True),
            (["Content-ID: <logo>"], True),
            (["Content-ID: <logo>", "Content-Disposition: attachment"], False),
            (["Content-Disposition: attachment"], False),
            ([], False),
        ],
    )
    def test_inline(self, headers: list[str], inline: object) -> None:
        """Inline is what says so, or has a content id and no disposition."""
        message = multipart(["Content-Type: image/png", *headers, "", "x"])
        assert (len(message.inlines), len(message.attachments)) == (inline, not inline)

    @pytest.mark.rule("N-I8")
    def test_duplicate_content_ids(self) -> None:
        """The first of two parts with one content id keeps it; the other is still an inline file."""
        part = ["Content-Type: image/png", "Content-ID: <logo>", ""]
        message = multipart([*part, "first"], [*part, "second"])
        assert message.content_id_map["logo"].content == b"first"
        assert len(message.inlines) == 2
        assert codes(message) == [DefectCode.DUPLICATE_CONTENT_ID]

    @pytest.mark.rule("N-I8")
    def test_unnamed(self) -> None:
        """A file without a name is kept, under a name that can be used."""
        message = multipart(
            ["Content-Disposition: attachment", "", "x"], ["Content-Type: message/rfc822", "", "x"]
        )
        assert [file.filename for file in message.attachments] == ["attachment", "message.eml"]
        assert [file.original_filename for file in message.attachments] == [None, None]

    @pytest.mark.rule("N-I9")
    @pytest.mark.parametrize(
        "given, safe",
        [
            ("report.pdf", "report.pdf"),
            ("/etc/passwd", "passwd"),
            ("..\\\\..\\\\boot.ini", "boot.ini"),
            ("../", "attachment"),
            ("..", "attachment"),
            (".htaccess", "htaccess"),
            ("a\x00b.txt", "ab.txt"),
            ("CON", "_CON"),
            ("lpt1.txt", "_lpt1.txt"),
            ("COM¹.log", "_COM¹.log"),
            ("file.txt:evil.exe", "file.txt_evil.exe"),
            ("name. . ", "name"),
            ("\u202egpj.exe", "gpj.exe"),
            ("e\u0301.txt", "é.txt"),
            ("x" * 300 + ".pdf", "x" * 146 + ".pdf"),
            ("é" * 200, "é" * 75),
            ("a" + "é" * 100, "a" + "é" * 74),
            ("a" * 145 + " .txt", "a" * 145 + " .txt"),
            ("x" * 200 + ".tar.gz", "x" * 147 + ".gz"),
            ("x" * 200 + "." + "y" * 20, "x" * 129 + "." + "y" * 20),
            ("x." + "y" * 200, "x." + "y" * 148),
            ("x" * 145 + "." + "y" * 50 + ".txt", "x" * 145 + ".txt"),
            ("X" * 200 + ".txt", "X" * 146 + ".txt"),
            ("." * 200 + "X.txt", "X.txt"),
            ("x" + "y" * 4096, "y" * 150),
            ("reports/", "reports"),
            ("reports\\\\", "reports"),
            ("reports/XX", "XX"),
            ("   ", "attachment"),
            ("a" + " " * 200 + ".txt", "a.txt"),
        ],
    )
    def test_filenames(self, given: str, safe: str) -> None:
        """A hostile name becomes one that is safe in any folder; the original is kept apart."""
        (file,) = multipart([f'Content-Disposition: attachment; filename="{given}"', "", "x"]).attachments
        assert file.filename == safe
        assert file.original_filename == given.replace("\\\\", "\\")
        assert [defect.code for defect in file.defects] == (
            [] if safe == given else [DefectCode.BAD_FILENAME]
        )

    @pytest.mark.rule("N-I3")
    @pytest.mark.parametrize(
        "params",
        [
            "filename*=utf-8''na%C3%AFve%20file.txt",
            "filename*=utf-8'en'na%C3%AFve%20file.txt; filename=fallback.txt",
            "filename=fallback.txt; filename*=utf-8''na%C3%AFve%20file.txt",
            "filename*0*=utf-8''na%C3%AF; filename*1=\"ve file\"; filename*2*=%2Etxt",
            "filename*1=\"ve file.txt\"; filename*0*=iso-8859-1''na%EF",
            'filename="=?utf-8?q?na=C3=AFve_file=2Etxt?="',
            'filename="naïve file.txt"',
            "filename = naïve file.txt ; size=1",
        ],
    )
    def test_filename_forms(self, params: str) -> None:
        """Names are read in every form that mail programs write (RFC 2231, RFC 2047, raw UTF-8)."""
        (file,) = multipart([f"Content-Disposition: attachment; {params}", "", "x"]).attachments
        assert file.filename == "naïve file.txt"

    def test_content(self) -> None:
        """Content is decoded from its transfer encoding; size is that of the content."""
        message = multipart(
            ["Content-Type: image/png", "Content-Transfer-Encoding: base64", "", b64encode(PIXEL).decode()],
            ["Content-Type: a/b", "Content-Transfer-Encoding: Quoted-Printable", "", "a=3Db=", "c"],
            ["Content-Type: a/b", "", "plain"],
        )
        assert [file.content for file in message.attachments] == [PIXEL, b"a=bc", b"plain"]
        assert message.attachments[0].size == len(PIXEL)
        assert message.defects == ()

    @pytest.mark.parametrize(
        "encoded, content",
        [
            ("aGVs*bG8=", b"hello"),
            ("aGVsbG8", b"hello"),
            ("aGVsbG8=d29ybGQ=", b"helloworld"),
            ("aGVsbG8=A", b"hello"),
            ("????", b""),
            ("a=" * 3_000, None),
        ],
    )
    def test_bad_base64(self, encoded: str, content: bytes | None) -> None:
        """Broken base64 is decoded as far as possible, with a defect."""
        (file,) = multipart(
            ["Content-Type: a/b", "Content-Transfer-Encoding: base64", "", encoded]
        ).attachments
        assert isinstance(file.content, bytes) if content is None else file.content == content
        assert [defect.code for defect in file.defects] == [DefectCode.BAD_BASE64]

    def test_unknown_encoding(self) -> None:
        """With an unknown transfer encoding the bytes stay as they are, with a defect."""
        (file,) = multipart(["Content-Type: a/b", "Content-Transfer-Encoding: rot13", "", "x"]).attachments
        assert file.content == b"x"
        assert [defect.code for defect in file.defects] == [DefectCode.BAD_ENCODING]

    @pytest.mark.rule("N-I12")
    def test_decoded_on_use(self) -> None:
        """Headers and text decode no attachment, and reading one takes no second copy of the mail."""
        head = ["Content-Type: a/b", "Content-Transfer-Encoding: base64", ""]
        message = multipart(["", "body"], [*head, b64encode(b"x" * 3_000_000).decode()])
        tracemalloc.start()
        assert (message.text, len(message.attachments)) == ("body", 1)
        assert tracemalloc.get_traced_memory()[1] < 500_000
        assert len(message.attachments[0].content) == 3_000_000
        assert tracemalloc.get_traced_memory()[1] < 3_500_000
        tracemalloc.stop()


class TestDamage:
    """Bytes that were lost before the mail arrived."""

    @pytest.mark.rule("MP-I3")
    def test_lost_bytes_come_from_the_copy(self) -> None:
        """A binary part that went through text has U+FFFD; the provider's own copy is shown instead."""
        raw = multipart(["Content-Type: image/png; name=a.png", "", "\ufffdPNG"]).raw
        copy = InboundAttachment.from_base64(
            b64encode(PIXEL).decode(), filename="a.png", content_type="image/png"
        )
        message = InboundMessage.from_parts(raw=raw, attachments=[copy])
        assert message.attachments[0].content == PIXEL
        assert codes(message) == [DefectCode.REPLACED]

    @pytest.mark.rule("MP-I3")
    def test_lost_bytes_without_a_copy(self) -> None:
        """Without a copy the damaged bytes are shown, with a defect."""
        message = multipart(["Content-Type: image/png; name=a.png", "", "\ufffdPNG"])
        assert message.attachments[0].content == "\ufffdPNG".encode()
        assert codes(message) == [DefectCode.DAMAGED]

    @pytest.mark.rule("MP-I3")
    def test_checksum(self) -> None:
        """A checksum that disagrees with raw and agrees with the copy decides for the copy."""
        raw = multipart(["Content-Type: a/b; name=a", "", "P?NG"]).raw
        checksum = md5(PIXEL, usedforsecurity=False).hexdigest()
        good = InboundAttachment.from_bytes(PIXEL, filename="a", checksum=checksum)
        assert InboundMessage.from_parts(raw=raw, attachments=[good]).attachments[0].content == PIXEL
        bad = InboundAttachment.from_bytes(b"other", filename="a", checksum=checksum)
        assert InboundMessage.from_parts(raw=raw, attachments=[bad]).attachments[0].content == b"P?NG"

    @pytest.mark.rule("MP-I3")
    def test_undamaged_stays(self) -> None:
        """The copy is not used where nothing was lost."""
        raw = multipart(["Content-Type: a/b; name=a", "", "fine"]).raw
        copy = InboundAttachment.from_bytes(b"other", filename="a")
        message = InboundMessage.from_parts(raw=raw, attachments=[copy])
        assert message.attachments[0].content == b"fine"
        assert message.defects == ()

    @pytest.mark.rule("MP-I3")
    def test_pairing(self) -> None:
        """Copies pair by content id, then name; files with damaged labels pair by position."""
        head = "Content-Disposition: attachment"
        raw = multipart(
            [f"{head}; filename=b", "", "\ufffd"],
            [f"{head}; filename=a", "", "\ufffd"],
            [f"{head}; filename=\ufffd", "", "\ufffd"],
        ).raw
        copies = [InboundAttachment.from_bytes(name.encode(), filename=name) for name in ("ü", "a", "b")]
        message = InboundMessage.from_parts(raw=raw, attachments=copies)
        assert [file.content for file in message.attachments] == [b"b", b"a", "ü".encode()]

    @pytest.mark.rule("MP-I3")
    def test_no_pair(self) -> None:
        """Where copies are left over, none is taken for a file it may not be."""
        raw = multipart(["Content-Type: a/b; name=\ufffd", "", "\ufffd"]).raw
        copies = [InboundAttachment.from_bytes(name.encode(), filename=name) for name in ("x", "y")]
        (file,) = InboundMessage.from_parts(raw=raw, attachments=copies).attachments
        assert file.content == "\ufffd".encode()

    @pytest.mark.rule("MP-I3")
    def test_text(self) -> None:
        """A text part that lost bytes is the provider's."""
        message = InboundMessage.from_parts(raw="Subject: x\n\ncaf\ufffd", text="café")
        assert message.text == "café"
        assert codes(message) == [DefectCode.REPLACED]


class TestFromParts:
    """A mail that a provider gives only in parts."""

    def test_same_accessors(self) -> None:
        """Every accessor works without a raw mail."""
        message = InboundMessage.from_parts(
            headers=[("X-Tag", "a"), ("Subject", "replaced"), ("References", "<a@b> <c@d>")],
            from_="Ada <ada@example.com>",
            to=["bob@example.com", Address("carol@example.com", "Carol, C.")],
            subject="Grüße",
            date=datetime(2024, 1, 1, 10, tzinfo=UTC),
            message_id="<1@example.com>",
            text="a\r\nb",
            html="<b>",
            attachments=[
                InboundAttachment.from_bytes(
                    PIXEL, content_type="image/png", content_id="<logo>", inline=True
                )
            ],
            event_id="e1",
            provider="example",
        )
        assert message.raw is None
        assert message.from_ == (Address("ada@example.com", "Ada"),)
        assert message.to == (Address("bob@example.com"), Address("carol@example.com", "Carol, C."))
        assert (message.subject, message.headers["x-tag"], message.references) == (
            "Grüße",
            "a",
            ("<a@b>", "<c@d>"),
        )
        assert message.date == datetime(2024, 1, 1, 10, tzinfo=UTC)
        assert message.message_id == "<1@example.com>"
        assert (message.text, message.html) == ("a\nb", "<b>")
        assert message.content_id_map["logo"].content == PIXEL
        assert message.attachments == ()
        assert message.defects == ()

    def test_items_stay_apart(self) -> None:
        """Nothing in one item of a list reaches into the next."""
        message = InboundMessage.from_parts(to=['"Ada', 'b@example.com" <c@example.com>'])
        assert message.to == ()

    @pytest.mark.rule("N-I10")
    def test_bcc_is_added(self) -> None:
        """A bcc that only the provider knows is there; empty fields are no defects."""
        message = InboundMessage.from_parts(raw=b"To: a@example.com\n\n", bcc="b@example.com", cc="")
        assert message.bcc == (Address("b@example.com"),)
        assert (message.cc, message.defects) == ((), ())

    def test_unusable_text(self) -> None:
        """Lone surrogates and NUL, which no database holds, become U+FFFD."""
        message = InboundMessage.from_parts(text="a\ud800\x00b", subject="\ud800")
        assert message.text == "a\ufffd\ufffdb"
        assert message.subject == "?"

    @pytest.mark.rule("N-I1")
    def test_encoded_values(self) -> None:
        """Header values of a provider may be decoded or not."""
        assert InboundMessage.from_parts(subject="=?utf-8?q?caf=C3=A9?=").subject == "café"

    def test_checksum(self) -> None:
        """Provider content that disagrees with its own checksum has a defect."""
        (file,) = InboundMessage.from_parts(
            attachments=[InboundAttachment.from_bytes(b"x", checksum="0" * 32)]
        ).attachments
        assert file.content == b"x"
        assert [defect.code for defect in file.defects] == [DefectCode.DAMAGED]


class TestAutomatic:
    """Mail that should not be answered."""

    @pytest.mark.parametrize(
        "header",
        [
            "Auto-Submitted: auto-replied",
            "Auto-Submitted: auto-generated; x=y",
            "Precedence: bulk",
            "List-Id: <list.example.com>",
            "List-Unsubscribe: <https://example.com/u>",
            "X-Auto-Response-Suppress: All",
            "Return-Path: <>",
            "X-Autoreply: yes",
        ],
    )
    def test_automatic(self, header: str) -> None:
        """Each sign of a robot counts (RFC 3834)."""
        assert mail(header, "", "").is_auto_generated is True

    @pytest.mark.parametrize(
        "header",
        ["Auto-Submitted: no", "Precedence: first-class", "X-Auto-Response-Suppress: None", "Subject: list"],
    )
    def test_person(self, header: str) -> None:
        """Ordinary mail is not automatic."""
        assert mail(header, "", "").is_auto_generated is False

    def test_null_sender(self) -> None:
        """An empty envelope sender is a bounce; an unknown one says nothing."""
        assert InboundMessage(raw=b"\n", envelope_sender="").is_auto_generated is True
        assert InboundMessage(raw=b"\n").is_auto_generated is False

    @pytest.mark.rule("N-I11")
    def test_return_path_is_no_envelope(self) -> None:
        """A Return-Path in the mail, which anybody can write, is never the envelope sender."""
        assert mail("Subject: x", "Return-Path: <ceo@example.com>", "", "").envelope_sender is None


class TestValue:
    """An inbound message is a value."""

    def test_attributes_are_everything(self) -> None:
        """Equality, copies and pickles know the constructor attributes and nothing that was computed."""
        raw = multipart(["Content-Type: a/b; name=x", "", "\ufffd" * 1_000]).raw
        message = InboundMessage(raw=raw, event_id="e", provider="p", provider_fields={"a": 1})
        before = len(pickle.dumps(message))
        assert message.attachments[0].content
        assert len(pickle.dumps(message)) == before
        for copy in (pickle.loads(pickle.dumps(message)), deepcopy(message)):
            assert copy == message
            assert copy.defects == ()
            assert copy.attachments == message.attachments
        assert pickle.loads(pickle.dumps(message.attachments[0])).content

    def test_time(self) -> None:
        """A time is kept in UTC; one without a zone is refused."""
        aware = datetime(2024, 1, 1, tzinfo=UTC).astimezone()
        assert InboundMessage(timestamp=aware).timestamp.tzinfo is UTC
        with pytest.raises(ValueError, match="time zone"):
            InboundMessage(timestamp=datetime(2024, 1, 1))  # noqa: DTZ001  # reason: that is the point

    def test_repr_is_private(self) -> None:
        """A repr shows no content."""
        message = InboundMessage.from_parts(
            raw=b"Subject: secret\n\nsecret", text="secret", provider_fields={"a": "secret"}
        )
        assert "secret" not in repr(message) + repr(message.attachments)

    def test_raw_is_not_parsed_early(self) -> None:
        """Nothing is read before an accessor is used."""
        tracemalloc.start()
        InboundMessage(raw=bytes(5_000_000), provider="p")
        assert tracemalloc.get_traced_memory()[1] < 5_100_000
        tracemalloc.stop()

    def test_accessor_fault_is_a_defect(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Should reading fail in an unforeseen way, the accessor is empty and a defect says so."""
        monkeypatch.setattr("mailcore._inbound.message.parse_tree", lambda *_: 1 / 0)
        message = mail("", "x")
        assert (message.text, message.attachments) == (None, ())
        assert set(codes(message)) == {DefectCode.UNREADABLE}


class TestSpacesInNames:
    """Spaces that belong to a name."""

    def test_within_quotes_they_stay(self) -> None:
        """A quoted name is what is between the quotes, runs of spaces included."""
        mail = InboundMessage(raw=b'To: "A  B" <a@example.com>\r\n\r\n')
        assert [address.display_name for address in mail.to] == ["A  B"]

    def test_broken_list_is_read_up_to_a_number(self) -> None:
        """A list of thousands of broken items costs a bounded time, and brings what is clear at its start."""
        mail = InboundMessage(raw=b"To: a@example.com, " + b"x@@y," * 10_000 + b"\r\n\r\n")
        assert [address.addr_spec for address in mail.to] == ["a@example.com"]
