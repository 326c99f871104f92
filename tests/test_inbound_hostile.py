"""Received mail that was written to do harm: no accessor raises, and none takes long."""

import time
import tracemalloc
from base64 import b64encode
from email import policy
from email.parser import BytesParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailcore import DefectCode, InboundAttachment, InboundMessage
from mailcore._inbound.filename import MAX_BYTES, safe_filename

ACCESSORS = [
    "raw_headers",
    "headers",
    "from_",
    "to",
    "cc",
    "bcc",
    "reply_to",
    "subject",
    "date",
    "message_id",
    "in_reply_to",
    "references",
    "text",
    "html",
    "attachments",
    "inlines",
    "content_id_map",
    "is_auto_generated",
]
FILE_ACCESSORS = [
    "filename",
    "content",
    "size",
    "message",
    "original_filename",
    "content_type",
    "content_id",
    "inline",
]

MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
FILE = b"Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n"


def read_everything(message: InboundMessage, depth: int = 5) -> set[DefectCode]:
    """Use every accessor, of attached mails too, and return the defect codes."""
    for name in ACCESSORS:
        getattr(message, name)
    for file in message.attachments + message.inlines:
        for name in FILE_ACCESSORS:
            getattr(file, name)
        if file.message is not None and depth:
            read_everything(file.message, depth - 1)
    return {defect.code for defect in message.defects}


def nested(levels: int) -> bytes:
    """Return multiparts within each other."""
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(levels)
    )


def attached(levels: int) -> bytes:
    """Return mails attached to each other."""
    return b"Content-Type: message/rfc822\r\n\r\n" * levels + b"Subject: innermost\r\n\r\n"


# name → (mail, a defect it must have, or None)
CORPUS = {
    "empty": (b"", None),
    "nul bytes": (b"\x00" * 100, DefectCode.BAD_HEADER_LINE),
    "random bytes": (bytes(range(256)) * 4, DefectCode.BAD_HEADER_LINE),
    "only line ends": (b"\r\n" * 1_000_000, None),
    "only carriage returns": (b"\r" * 1_000_000, None),
    "no header lines": (b"hello\r\nworld", DefectCode.BAD_HEADER_LINE),
    "mailbox line": (b"From x@y Mon Jan 1\r\nSubject: a\r\n\r\n", None),
    "header without a name": (b": x\r\nSubject: a\r\n\r\n", DefectCode.BAD_HEADER_LINE),
    "8-bit header name": (b"S\xc3\xbcbject: a\r\n\r\n", DefectCode.BAD_HEADER_LINE),
    "10,000 headers": (b"A: b\r\n" * 10_000 + b"\r\n", DefectCode.TOO_MANY_HEADERS),
    "10,000 headers in a part": (MIXED + b"--b\r\n" + b"A: b\r\n" * 10_000, DefectCode.TOO_MANY_HEADERS),
    "a million part headers": (
        MIXED + (b"--b\r\n" + b"A: b\r\n" * 999 + b"\r\n") * 300,
        DefectCode.TOO_MANY_HEADERS,
    ),
    "endless header": (b"Subject: " + b"a" * 3_000_000, DefectCode.HEADER_TOO_LONG),
    "endless continuation": (b"Subject: a\r\n" + b" \r\n" * 1_000_000, DefectCode.HEADER_TOO_LONG),
    "part bomb": (MIXED + b"--b\r\n" * 400_000, DefectCode.TOO_MANY_PARTS),
    "part bomb, bare newlines": (MIXED + b"--b\n" * 5_000_000, DefectCode.TOO_MANY_PARTS),
    "wide and deep": (
        MIXED + (b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n" + b"--c\r\n" * 99) * 99,
        DefectCode.TOO_MANY_PARTS,
    ),
    "almost boundaries": (MIXED + b"--bx\r\n" * 500_000, DefectCode.NO_BOUNDARY),
    "dashes": (MIXED + b"-" * 5_000_000, DefectCode.NO_BOUNDARY),
    "nested 1,000": (nested(1_000), DefectCode.TOO_DEEP),
    "nested 50 around 2 MB": (nested(49) + b"\r\n" + b"--b\r\n" * 400_000, DefectCode.UNCLOSED),
    "attached 1,000": (attached(1_000), None),
    "one boundary for all levels": (MIXED + (b"--b\r\n" + MIXED) * 50, DefectCode.NO_BOUNDARY),
    "boundary of a boundary": (MIXED + b"--b\r\n\r\nx\r\n--b--\r\n--b\r\n\r\ny\r\n--b--", None),
    "empty boundary": (
        b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\nx',
        DefectCode.NO_BOUNDARY,
    ),
    "huge boundary": (
        b"Content-Type: multipart/mixed; boundary=" + b"b" * 50_000 + b"\r\n\r\n--b",
        DefectCode.NO_BOUNDARY,
    ),
    "boundary of special characters": (
        b'Content-Type: multipart/mixed; boundary="(.*)+$"\r\n\r\n--(.*)+$\r\n\r\nx',
        None,
    ),
    "type without subtype": (b"Content-Type: multipart\r\n\r\nx", None),
    "type of slashes": (b"Content-Type: ////;;;;====\r\n\r\nx", None),
    "60,000 parameters": (b"Content-Type: a/b" + b";a=b" * 15_000 + b"\r\n\r\n", None),
    "parameter sections": (b"Content-Type: a/b" + b";a*999*=%zz" * 5_000 + b"\r\n\r\n", None),
    "huge section number": (b"Content-Disposition: x; filename*" + b"9" * 10_000 + b"*=x\r\n\r\n", None),
    "parameter charset": (
        b"Content-Disposition: attachment; filename*=rot13''%ff\r\n\r\n",
        DefectCode.BAD_CHARSET,
    ),
    "unclosed quotes": (b'Content-Type: text/plain; name="' + b'\\"' * 30_000 + b"\r\n\r\n", None),
    "unknown charset": (b"Content-Type: text/plain; charset=x\r\n\r\n\xff", DefectCode.BAD_CHARSET),
    "utf-7": (b"Content-Type: text/html; charset=utf-7\r\n\r\n+ADw-script+AD4-", DefectCode.BAD_CHARSET),
    "charset of NUL": (b"Content-Type: text/plain; charset=\x00\r\n\r\nx", DefectCode.BAD_CHARSET),
    "charset idna": (b"Content-Type: text/plain; charset=idna\r\n\r\n\xff", DefectCode.BAD_CHARSET),
    "charset bz2": (b"Content-Type: text/plain; charset=bz2\r\n\r\nBZh9", DefectCode.BAD_CHARSET),
    "surrogates in utf-8": (
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xed\xa0\x80",
        DefectCode.BAD_TEXT,
    ),
    "half of utf-16": (
        b"Content-Type: text/plain; charset=utf-16\r\n\r\n\xff\xfe\x00\xd8a",
        DefectCode.BAD_TEXT,
    ),
    "base64 of garbage": (FILE + b"\xff!*" * 1_000, DefectCode.BAD_BASE64),
    "base64 of padding": (FILE + b"a=" * 8_000_000, DefectCode.BAD_BASE64),
    "one base64 character": (FILE + b"a", DefectCode.BAD_BASE64),
    "unknown encoding": (
        b"Content-Type: a/b\r\nContent-Transfer-Encoding: \x00\r\n\r\nx",
        DefectCode.BAD_ENCODING,
    ),
    "encoded multipart": (
        MIXED.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + b"--b\r\n\r\nx",
        None,
    ),
    "quoted-printable of signs": (
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=" * 3_000_000,
        None,
    ),
    "parentheses": (b"To: " + b"(" * 60_000 + b"\r\n\r\n", DefectCode.BAD_ADDRESS),
    "quotes": (b"To: " + b'"\\' * 30_000 + b"\r\n\r\n", DefectCode.BAD_ADDRESS),
    "angle brackets": (b"To: " + b"<" * 60_000 + b"\r\n\r\n", DefectCode.BAD_ADDRESS),
    "half an address": (b"To: <@\r\nFrom: a@\r\nCc: @b\r\n\r\n", DefectCode.BAD_ADDRESS),
    "spaces in an address": (b"To: a" + b" " * 60_000 + b"\r\n\r\n", DefectCode.BAD_ADDRESS),
    "many at signs": (b"To: " + b"a@" * 30_000 + b"\r\n\r\n", DefectCode.BAD_ADDRESS),
    "many broken items": (b"To: " + b"a@b <," * 10_000 + b"\r\n\r\n", DefectCode.BAD_ADDRESS),
    "many groups": (b"To: " + b"x:" * 30_000 + b"\r\n\r\n", DefectCode.BAD_ADDRESS),
    "homograph domain": (b"From: a@" + "\u2100.example".encode() + b"\r\n\r\n", None),
    "forbidden domain": (b"From: a@" + "\U0001f4a9.example".encode() + b"\r\n\r\n", DefectCode.BAD_ADDRESS),
    "encoded line break": (b"Subject: =?utf-8?q?a=0d=0aBcc:_x?=\r\n\r\n", DefectCode.SCRUBBED),
    "bidirectional name": (b"From: =?utf-8?b?4oCu?= <a@b.example>\r\n\r\n", None),
    "unfinished words": (b"Subject: " + b"=?a?q?" * 10_000 + b"\r\n\r\n", None),
    "words within words": (b"Subject: " + b"=?utf-8?q?=3D=3Futf-8?q?x?=?=" * 2_000 + b"\r\n\r\n", None),
    "bad words": (
        b"Subject: =?utf-8?b?a?= =?x?b?????= =??q??= =?utf-8?b?\xff?=\r\n\r\n",
        DefectCode.BAD_ENCODED_TEXT,
    ),
    "broken ids": (
        b"Message-ID: <\r\nIn-Reply-To: <>\r\nReferences: <<>> \x00\r\n\r\n",
        DefectCode.BAD_MESSAGE_ID,
    ),
    "bad dates": (b"Date: Mon, 99 Jan 99999 99:99:99 +999999999999\r\n\r\n", DefectCode.BAD_DATE),
    "long date": (b"Date: " + b"1 " * 30_000 + b"\r\n\r\n", DefectCode.BAD_DATE),
    "hostile file name": (
        b'Content-Disposition: attachment; filename="../../\x00\xe2\x80\xaegpj.exe"\r\n\r\n',
        DefectCode.BAD_FILENAME,
    ),
    "long file name": (
        b"Content-Disposition: attachment; filename=" + b"%" * 60_000 + b"\r\n\r\n",
        DefectCode.BAD_FILENAME,
    ),
    "content ids": (MIXED + b"--b\r\nContent-ID: <>\r\n\r\n--b\r\nContent-ID: \xff <x> cid:\r\n\r\n", None),
    "lone carriage returns": (b"Subject: a\rBcc: b\r\rbody\r--x", None),
}


class TestCorpus:
    """Each construct is read within its bounds."""

    @pytest.mark.rule("N-I4")
    @pytest.mark.parametrize("name", CORPUS)
    def test_construct(self, name: str) -> None:
        """No accessor raises, none takes long, and the defect is noted."""
        raw, expected = CORPUS[name]
        start = time.process_time()
        found = read_everything(InboundMessage(raw=raw))
        assert time.process_time() - start < 1
        assert DefectCode.UNREADABLE not in found
        assert expected is None or expected in found

    @pytest.mark.parametrize("name", CORPUS)
    def test_as_parts(self, name: str) -> None:
        """The same values, given by a provider in parts, raise no more than in a raw mail."""
        text = CORPUS[name][0][:100_000].decode("latin-1")
        file = InboundAttachment.from_base64(
            text, filename=text, content_type=text, content_id=text, checksum=text
        )
        message = InboundMessage.from_parts(
            headers=[(text, text), ("To", text)],
            from_=text,
            to=[text, text],
            subject=text,
            date=text,
            message_id=text,
            text=text,
            html=text,
            attachments=[file, file],
        )
        assert DefectCode.UNREADABLE not in read_everything(message)

    def test_beyond_a_bound_is_empty(self) -> None:
        """A mail with too many parts has no text, html or files, but its headers are read."""
        message = InboundMessage(raw=b"Subject: bomb\r\n" + MIXED + b"--b\r\n\r\nx\r\n" * 1_001)
        assert (message.text, message.html, message.attachments, message.inlines) == (None, None, (), ())
        assert message.subject == "bomb"

    def test_within_the_bounds(self) -> None:
        """999 parts, 49 levels and 1,000 headers are read."""
        assert (
            len(InboundMessage(raw=MIXED + b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n" * 999).attachments) == 999
        )
        assert InboundMessage(raw=nested(49) + b"\r\nx").text == "x"
        assert len(InboundMessage(raw=b"A: b\r\n" * 1_000 + b"\r\n").headers.pairs) == 1_000

    def test_long_header_is_left_out(self) -> None:
        """A header of more than 64 KiB is left out; the others are read."""
        message = InboundMessage(raw=b"X: " + b"a" * 70_000 + b"\r\nSubject: s\r\n\r\nbody")
        assert (message.subject, message.text, "x" in message.headers) == ("s", "body", False)

    def test_attached_without_end(self) -> None:
        """Mails within mails are opened to a bound, also one by one."""
        message, levels = InboundMessage(raw=attached(200)), 0
        while message.attachments and message.attachments[0].message:
            message, levels = message.attachments[0].message, levels + 1
        assert levels == 50
        assert DefectCode.TOO_DEEP in {defect.code for defect in message.defects}

    def test_memory(self) -> None:
        """Reading all of a 20 MB mail takes less memory than the mail itself again."""
        content = b64encode(bytes(15_000_000))
        raw = MIXED + b"--b\r\n\r\nbody\r\n--b\r\n" + FILE + content + b"\r\n--b--\r\n"
        tracemalloc.start()
        message = InboundMessage(raw=raw)
        read_everything(message)
        assert tracemalloc.get_traced_memory()[1] < len(raw)
        tracemalloc.stop()
        assert len(message.attachments[0].content) == 15_000_000


PIECES = st.sampled_from(
    [
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n\r\n",
        b"--b\r\n",
        b"--b--\r\n",
        b"--c\r\n",
        b" ",
        b"\t",
        b'"',
        b"\\",
        b"(",
        b")",
        b"<",
        b">",
        b",",
        b";",
        b":",
        b"@",
        b"=",
        b"=?utf-8?q?",
        b"=?utf-8?b?",
        b"?=",
        b"=0A",
        b"a@b.example",
        b"<a@b>",
        b"\x00",
        b"\xff",
        b"\xc3\xa9",
        "\u202e".encode(),
        b"From: ",
        b"To: ",
        b"Subject: ",
        b"Date: ",
        b"Message-ID: ",
        b"References: ",
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: multipart/alternative; boundary=c\r\n",
        b"Content-Type: message/rfc822\r\n",
        b"Content-Type: text/html; charset=",
        b"utf-16",
        b"iso-2022-jp",
        b"x-none",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        b"Content-ID: <",
        b"Content-Disposition: attachment; filename",
        b"*0*=",
        b"*=utf-8''%C3",
        b"aGVsbG8",
        b"Mon, 1 Jan 2024 10:00:00 +0000",
    ]
)


class TestFuzz:
    """Any bytes at all."""

    @settings(max_examples=150, deadline=None, database=None)
    @given(st.lists(st.one_of(PIECES, st.binary(max_size=8)), max_size=60).map(b"".join))
    def test_no_accessor_raises(self, raw: bytes) -> None:
        """Nothing raises, and nothing fails in an unforeseen way; text can be stored anywhere."""
        message = InboundMessage(raw=raw)
        assert DefectCode.UNREADABLE not in read_everything(message)
        texts = [message.subject, message.text, message.html, *(value for _, value in message.headers.pairs)]
        for text in filter(None, texts):
            text.encode()
            assert "\x00" not in text

    @settings(max_examples=100, deadline=None, database=None)
    @given(st.text())
    def test_filenames(self, name: str) -> None:
        """A safe name is one short component, and safe already when it is made safe again."""
        safe = safe_filename(name, default="attachment")
        assert 0 < len(safe.encode()) <= MAX_BYTES
        assert not set(safe) & set('/\\\0\r\n<>:"|?*')
        assert safe not in (".", "..")
        assert safe_filename(safe, default="attachment") == safe

    @settings(max_examples=100, deadline=None, database=None)
    @given(
        st.recursive(
            st.sampled_from([b"", b"x", b"x\r\n", b"two\r\nlines", b"--not\r\n"]),
            lambda parts: st.lists(parts, min_size=1, max_size=3).map(tuple),
            max_leaves=8,
        )
    )
    def test_structure_is_that_of_the_standard_library(self, tree: Any) -> None:
        """On mail that is well formed, the parts are those that `email` finds."""
        raw = _write(tree, "b")
        theirs = [
            part
            for part in BytesParser(policy=policy.compat32).parsebytes(raw).walk()
            if not part.is_multipart()
        ]
        message = InboundMessage(raw=raw)
        ours = [file.content for file in message.attachments]
        assert ours == [part.get_payload(decode=True) for part in theirs]


def _write(tree: Any, boundary: str) -> bytes:
    """Return a mail of nested parts."""
    if isinstance(tree, bytes):
        return b"Content-Type: a/b\r\n\r\n" + tree
    mark = b"--" + boundary.encode()
    parts = [mark + b"\r\n" + _write(part, f"{boundary}{number}") for number, part in enumerate(tree)]
    head = f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode()
    return head + b"\r\n".join([*parts, mark + b"--"])
