"""Constructs that attack how content is decoded: charsets, transfer encodings, labels, file names."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from itertools import product

from fuzz.construct import construct, in_line_ends, multipart


@construct()
def charsets_that_are_none() -> Iterable[bytes]:
    """Charsets that are unknown, no text codecs, or dangerous; LookupError even with `errors="replace"`."""
    for charset in (
        b"x-none", b"", b"\x00", b"\xff", b"utf-7", b"idna", b"punycode", b"rot13", b"bz2", b"zlib", b"hex",
        b"uu", b"base64",
        b"unicode_escape", b"raw_unicode_escape", b"undefined", b"mbcs", b"oem", b"../../x", b"a" * 5000,
        b"utf-8;q=1",
        b"=?utf-8?q?utf-8?=", b"unknown-8bit", b"utf_8_sig", b"charmap", b"string_escape",
    ):  # fmt: skip
        for body in (b"+ADw-script+AD4-\xff\x00", b"BZh9\\ud800"):
            yield b"Content-Type: text/html; charset=" + charset + b"\r\n\r\n" + body


@construct()
def text_that_is_not_its_charset() -> Iterable[bytes]:
    """Bytes that the declared charset does not have, in every charset that mail is written in."""
    charsets = (
        b"utf-8", b"us-ascii", b"iso-8859-1", b"windows-1252", b"iso-8859-8-i", b"gb2312", b"gb18030",
        b"big5", b"shift_jis",
        b"euc-jp", b"iso-2022-jp", b"euc-kr", b"iso-2022-kr", b"koi8-r", b"utf-16", b"utf-16le",
        b"utf-16be", b"utf-32", b"tis-620",
    )  # fmt: skip
    bodies = (b"\xff\xfe\x00\xd8a", b"\xed\xa0\x80", b"\x1b$B\xff", b"\x1b$)C\x0e\xff\x0f", bytes(range(256)))
    for charset, body in product(charsets, bodies[:3]):
        yield b"Content-Type: text/plain; charset=" + charset + b"\r\n\r\n" + body
    yield b"\r\n" + bodies[4] * 1000


@construct()
def escape_floods() -> Iterable[bytes]:
    """Megabytes of escape sequences, for decoders that keep a state."""
    for charset, piece in (
        (b"iso-2022-jp", b"\x1b$B"),
        (b"iso-2022-kr", b"\x0e\x0f"),
        (b"utf-16", b"\xff\xfe"),
        (b"gb18030", b"\x81\x30"),
    ):
        yield b"Content-Type: text/plain; charset=" + charset + b"\r\n\r\n" + piece * 200_000


@construct()
def base64_garbage() -> Iterable[bytes]:
    """Base64 that is none: `get_content()` returns the undecoded bytes, without an error."""
    head = b"Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    for body in (
        b"a", b"ab", b"abc", b"a===", b"=", b"====", b"a=b=c=", b"aGVsbG8=aGVsbG8=", b"\xff!*",
        b"aGVs\x00bG8=", b"aGVs-_8=", b"YQ==YQ==",
        b"aGVsbG8=\r\n-- \r\nsignature", b"a=" * 500_000, b"\xff" * 500_000, b"A" * 999_999,
        b"A\r\n" * 200_000,
    ):  # fmt: skip
        yield head + body


@construct()
def quoted_printable_garbage() -> Iterable[bytes]:
    """Quoted-printable that is none: loose signs, soft breaks without end, raw 8-bit."""
    head = b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    for body in (
        b"=",
        b"=Z",
        b"=\r\n",
        b"=0",
        b"a=\x00",
        b"=" * 500_000,
        b"=\r\n" * 200_000,
        b"=FF" * 200_000,
        b" " * 500_000,
        b"\xff=\n\r=",
    ):
        yield head + body


@construct()
def transfer_encodings() -> Iterable[bytes]:
    """Transfer encodings that are unknown, two at once, or spelt oddly."""
    for name in (b"\x00", b"x-uuencode", b"BASE64 ", b"base64; x", b"base64, 8bit", b'"base64"',
        b"base64(comment)", b"\xff", b"gzip",
                 b"7bit\r\n base64", b"=?utf-8?q?base64?=", b"b" * 60_000):  # fmt: skip
        yield b"Content-Transfer-Encoding: " + name + b"\r\n\r\naGVsbG8="


@construct()
def unsafe_filenames() -> Iterable[bytes]:
    """File names that leave their folder, hide their type, or name a device."""
    for name in (
        "../../etc/passwd", "..\\..\\x", "/etc/passwd", "C:\\x", "\\\\host\\share", "a\x00.txt",
        "\u202egpj.exe", "con", "AUX.txt", "com¹", ".", "..",
        "...", " ", ".htaccess", "a" * 300 + ".pdf", "é" * 200, "a.pdf ", "a:b", "a\u2028b", "\U0001f4a9",
        "e\u0301" * 90, "-rf", "%2e%2e%2f", "~", "a\tb", "nul ",
    ):  # fmt: skip
        encoded = name.encode()
        yield b'Content-Disposition: attachment; filename="' + encoded.replace(b"\\", b"\\\\") + b'"\r\n\r\nx'
        yield (
            b"Content-Disposition: attachment; filename*=utf-8''"
            + b"".join(b"%%%02X" % byte for byte in encoded)
            + b"\r\n\r\nx"
        )


@construct()
def filenames_with_line_breaks() -> Iterable[bytes]:
    """Line breaks in a file name (gh-100612): a header injection when it is used again."""
    for name in (b"=?utf-8?q?a=0d=0aX:_y?=", b"a\r\n X: y", b"a\rb", b"a\x0bb", b"=?utf-8?b?4oCo?="):
        yield b'Content-Disposition: attachment; filename="' + name + b'"\r\n\r\nx'
        yield b'Content-Type: text/plain; name="' + name + b'"\r\n\r\nx'


@construct()
def parameter_continuations() -> Iterable[bytes]:
    """RFC 2231: sections missing, twice, out of order, huge, or in a charset of their own."""
    for text in (
        b"filename*0=a; filename*2=c", b"filename*1=b; filename*0=a", b"filename*0=a; filename*0=b",
        b"filename*999*=%zz" * 3,
        b"filename*" + b"9" * 10_000 + b"*=x", b"filename*=rot13''%ff", b"filename*=''", b"filename*='",
        b"filename*0*=utf-8''%C3; filename*1*=%A9",
        b"filename*0*=utf-8''a; filename*1=%41", b"filename*=utf-8''%00%0d%0a", b"filename**=x",
        b"filename*0=" + b"; filename*1=x" * 9000,
        b"filename*=utf-16''%ff%fe%00%d8", b"filename*-1=x", b"filename*01=x", b"filename*0x1=y",
        b"filename*=utf-7''+ADw-",
    ):  # fmt: skip
        yield b"Content-Disposition: attachment; " + text + b"\r\n\r\nx"


@construct()
def parameter_floods() -> Iterable[bytes]:
    """Parameters without end, quotes that do not close, and signs of nothing."""
    for text in (
        b"; a=b" * 12_000,
        b';a="' + b'\\"' * 30_000,
        b";" * 60_000,
        b";=" * 30_000,
        b'; a="b" c' * 6000,
        b"; a*0=b" * 8000,
        b";a= \t" * 10_000,
    ):
        yield b"Content-Type: text/plain" + text + b"\r\n\r\nx"
        yield b"Content-Disposition: attachment" + text + b"\r\n\r\nx"


@construct()
def types_that_are_none() -> Iterable[bytes]:
    """Types without a subtype, of slashes, of controls, or long."""
    for text in (b"", b"/", b"text", b"text/", b"/plain", b"////;;;;====", b"text/plain/x", b"\x00/\x00",
        b"a" * 60_000 + b"/b", b"text /plain", b"*/*",
                 b"text/plain (comment)", b"=?utf-8?q?text/html?=", b"TEXT/HTML", b"multipart",
                 b"multipart/"):  # fmt: skip
        yield b"Content-Type: " + text + b"\r\n\r\nx"


@construct()
def content_ids() -> Iterable[bytes]:
    """Content ids that are empty, broken, or shared by several files."""
    part = b"Content-Type: image/png\r\nContent-ID: %s\r\nContent-Disposition: inline\r\n\r\nx"
    for one, two in (
        (b"<a>", b"<a>"),
        (b"<>", b""),
        (b"cid:a", b"<cid:a>"),
        (b"\xff", b"\x00"),
        (b"<a", b"a>"),
        (b"<" * 5000, b"<a> <b>"),
    ):
        yield multipart(part % one, part % two, subtype=b"related")
    yield multipart(*[part % b"<same>"] * 900)


@construct()
def hostile_html() -> Iterable[bytes]:
    """HTML that does harm where it is shown; it passes untouched, under a type that says so."""
    for html in (
        b"<script>x</script>",
        b"<img src=cid:a onerror=x>",
        b"\x00<p>",
        b"<" * 500_000,
        b"<!--" * 50_000,
        b"\xff\xfe<\x00p\x00",
    ):
        yield b"Content-Type: text/html\r\n\r\n" + html


@construct()
def huge_lines() -> Iterable[bytes]:
    """A line of megabytes where SMTP allows 998 bytes, and megabytes of short lines."""
    for size in (999, 100_000, 3_000_000):
        yield b"Subject: a\r\n\r\n" + b"x" * size
    yield from in_line_ends(b"Subject: a\r\n\r\n" + b"x\r\n" * 200_000)


@construct()
def bytes_lost_on_the_way() -> Iterable[bytes]:
    """U+FFFD where a decoder lost bytes, in text, in base64 and in names."""
    lost = "\ufffd".encode()
    yield b"Subject: " + lost + b"\r\n\r\n" + lost
    yield (
        b"Content-Type: a/b; name="
        + lost
        + b"\r\nContent-Transfer-Encoding: base64\r\n\r\naGVs"
        + lost
        + b"bG8="
    )
    yield multipart(*[b"Content-Type: a/b\r\n\r\n" + lost] * 300)


@construct()
def archives_and_images() -> Iterable[bytes]:
    """Files that grow when they are opened: nothing here opens them."""
    for kind, content in (
        (b"application/zip", b"PK\x03\x04" + bytes(1000)),
        (b"application/gzip", b"\x1f\x8b" + bytes(1000)),
        (b"image/svg+xml", b"<svg onload=x>"),
    ):
        yield (
            b"Content-Type: "
            + kind
            + b"; name=x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + b64encode(content)
        )
