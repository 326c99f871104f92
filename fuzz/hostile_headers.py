"""Constructs that attack how headers are read: names, folding, words, addresses, ids, dates."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from fuzz.construct import CRLF, construct, in_line_ends

END = b"\r\n\r\nbody"
ADDRESS_HEADERS = (b"From", b"To", b"Cc", b"Bcc", b"Reply-To")


@construct()
def header_flood() -> Iterable[bytes]:
    """Headers without end: more than 1,000, or 1 MiB of them."""
    for count in (999, 1000, 1001, 10_000, 100_000):
        yield b"A: b\r\n" * count + CRLF
    yield b"".join(b"X-%d: y\r\n" % number for number in range(5000)) + CRLF
    yield (b"A: " + b"b" * 60_000 + CRLF) * 40 + CRLF


@construct()
def part_header_flood() -> Iterable[bytes]:
    """Headers of parts, each part below the bound and the mail far beyond."""
    for parts, count in ((10, 99), (300, 999), (999, 10)):
        part = b"--b\r\n" + b"A: b\r\n" * count + CRLF
        yield b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * parts


@construct()
def huge_headers() -> Iterable[bytes]:
    """One header of megabytes, in one line or folded (gh-136063: quadratic in the standard library)."""
    for name in (b"Subject", b"To", b"Content-Type", b"References", b"X"):
        yield name + b": " + b"a" * 70_000 + END
        yield name + b": a" + b"\r\n a" * 20_000 + END
    yield b"Subject: " + b"a" * 3_000_000 + END
    yield b"A" * 100_000 + b": b" + END


@construct()
def continuation_lines() -> Iterable[bytes]:
    """Folding of nothing: blank continuation lines, and one before any header."""
    for line in (b" \r\n", b"\t\r\n", b" \n", b"\t\r", b" \x00\r\n"):
        yield b"Subject: a\r\n" + line * 500 + CRLF
        yield line + b"Subject: a\r\n\r\n"
    yield b"Subject: a\r\n" + b" \r\n" * 500_000 + CRLF


@construct()
def odd_header_names() -> Iterable[bytes]:
    """Names that are empty, 8-bit, spaced or control characters: the body begins too soon, or too late."""
    for name in (b"", b" Subject", b"Subject ", b"Sub ject", b"S\xc3\xbcbject", b"\x00", b"Subject\x00",
        b"\xff",
                 b"Subject\t", b"=?utf-8?q?To?=", b"--b", b">From", b"a" * 1000):  # fmt: skip
        yield name + b": x\r\nTo: a@b.example" + END


@construct()
def header_injection() -> Iterable[bytes]:
    """Line breaks in decoded values (CVE-2024-6923): a reply would carry a header of the attacker's."""
    for character, name in product(
        (b"=0A", b"=0D", b"=0D=0A", b"=00", b"=0B", b"=85"), (b"Subject", b"From", b"X")
    ):
        yield name + b": =?utf-8?q?a" + character + b"Bcc:_x=40evil.example?= <a@b.example>" + END
    for text in (b"4oCoQmNjOiB4", b"wqDCgMKF", b"AAo="):
        yield b"Subject: =?utf-8?b?" + text + b"?=" + END


@construct()
def null_bytes_in_headers() -> Iterable[bytes]:
    """NUL, controls and 8-bit in values: no database takes NUL, and no text all bytes."""
    for name, value in product(
        (b"Subject", b"From", b"Message-ID", b"Date"), (b"\x00", b"\x1b[2J", b"\xff\xfe", b"\x7f")
    ):
        yield name + b": a" + value + b"b <c@d.example>" + END


@construct()
def broken_encoded_words() -> Iterable[bytes]:
    """Encoded words with a bad charset, encoding, padding, or without an end (RFC 2047)."""
    for word in (
        b"=?", b"=??=", b"=????=", b"=?x?b?", b"=?x?b?????=", b"=?utf-8?b?a?=", b"=?utf-8?b?a=a?=",
        b"=?utf-8?x?a?=",
        b"=?rot13?q?a?=", b"=?utf-7?q?+ADw-?=", b"=?punycode?q?a=FF?=", b"=?idna?b?/w==?=",
        b"=?utf-8?b?\xff?=",
        b"=?utf-16?b?//4=?=", b"=?utf-8?q?=ZZ?=", b"=?utf-8*en?q?a?=", b"=?us-ascii?q?=FF?=", b"=?hex?q?00?=",
        b"=?utf-8?b?" + b"A" * 60_000 + b"?=", b"=?" + b"x" * 5000 + b"?q?a?=", b"=?undefined?q?a?=",
    ):  # fmt: skip
        yield b"Subject: " + word + b"\r\nFrom: " + word + b" <a@b.example>" + END


@construct()
def many_encoded_words() -> Iterable[bytes]:
    """Thousands of words, of words within words, or of characters split between words."""
    yield b"Subject: " + b"=?utf-8?q?a?= " * 4000 + END
    yield b"Subject: " + b"=?a?q?" * 10_000 + END
    yield b"Subject: " + b"=?utf-8?q?=3D=3Futf-8?q?x?=?=" * 2000 + END
    yield b"Subject: " + b"=?utf-8?b?w6k=?= =?utf-8?b?w6?= =?utf-8?b?qQ==?= " * 1000 + END
    yield b"Subject: " + b"=?utf-8?q?=C3?=\r\n =?utf-8?q?=A9?= " * 1000 + END


@construct()
def encoded_address() -> Iterable[bytes]:
    """An address inside an encoded word (gh-152519): decoded first, it is a recipient."""
    for text in (
        b"a=40b=2Eexample",
        b"x=22_=3Cevil=40x=2Eexample=3E=2C",
        b"=3Cevil=40x=2Eexample=3E",
        b"a,_b",
    ):
        for header in ADDRESS_HEADERS:
            yield header + b": =?utf-8?q?" + text + b"?= <real@b.example>" + END


@construct()
def address_without_an_end() -> Iterable[bytes]:
    """Addresses that raise IndexError or RecursionError in the standard library (CVE-2023-36632)."""
    pieces = (
        b"(",
        b"<",
        b'"',
        b'"\\',
        b"[",
        b":",
        b"@",
        b"a@",
        b"a@b <,",
        b"x:",
        b",",
        b";",
        b"\\",
        b"a.",
        b"<a@b>,",
    )
    for piece, count in product(pieces, (1, 20_000)):
        yield b"To: " + (piece * count)[:60_000] + b"\r\nFrom: <@\r\nCc: a@" + END


@construct()
def address_read_in_two_ways() -> Iterable[bytes]:
    """One text, two addresses (CVE-2023-27043, CVE-2019-16056): who is meant depends on the reader."""
    for value in (
        b"alice@a.example)bob@b.example", b"a@b@c.example", b'"a@b.example" <c@d.example>',
        b"a@x.example <b@y.example>",
        b"a@b.example, <c@d.example", b"<a@b.example><c@d.example>", b"a(<x@y.example>)@b.example",
        b"a @ b . example",
        b'"a\\"@b.example" <c@d.example>', b"a@b.example\x00@c.example", b"a@[127.0.0.1]", b"a@[IPv6:::1]",
        b"<@r.example:a@b.example>", b"<>", b"MAILER-DAEMON", b"a@b.example>", b"a..b@c.example",
        b"a@-b.example",
        b"a@b..example", b"g: a@b.example, c@d.example;", b"g: h: a@b.example;;", b"undisclosed-recipients:;",
    ):  # fmt: skip
        yield b"From: " + value + b"\r\nTo: " + value + END


@construct()
def odd_domains() -> Iterable[bytes]:
    """Domains that IDNA maps, refuses or cannot encode, look-alikes, and full stops of other scripts."""
    for domain in (
        "\u2100.example", "\U0001f4a9.example", "xn--\xff.example", "xn--a.example", "\u202ea.example",
        "a" * 300, "\u0430pple.example", "a\u3002example", "a\u3002", "a.\uff61", "a.\u200b",
        "\u00df.example", "-.example", "xn--" + "a" * 60_000,
    ):  # fmt: skip
        yield b"From: a@" + domain.encode() + b'\r\nTo: "n" <a@' + domain.encode() + b">" + END


@construct()
def misleading_names() -> Iterable[bytes]:
    """Bidirectional and invisible characters in names: what is shown is not what is there."""
    for name in (
        "\u202egpj",
        "a\u200bb",
        "\u2066x\u2069",
        "\u200e" * 1000,
        "\ufeffa",
        "\U000e0041",
        "a\u0300" * 1000,
    ):
        yield b"From: " + name.encode() + b" <a@b.example>\r\nSubject: " + name.encode() + END


@construct()
def broken_ids() -> Iterable[bytes]:
    """Message ids that raise IndexError in the standard library (`Message-ID: <`)."""
    for value in (b"<", b"<>", b"<@", b"<a", b"a", b"<a@b> <c@d>", b"<a b@c>", b"<<a@b>>", b"[x]",
        b"<a@b\x00>", b"<" * 60_000,
                  b"<a@b> " * 9000, b"<\xff@x>", b"=?utf-8?q?<a@b>?="):  # fmt: skip
        yield b"Message-ID: " + value + b"\r\nIn-Reply-To: " + value + b"\r\nReferences: " + value + END


@construct()
def broken_dates() -> Iterable[bytes]:
    """Dates beyond the calendar, with zones beyond the day, or without end."""
    for value in (
        b"x", b"Mon, 99 Jan 99999 99:99:99 +999999999999", b"1 Jan 0001 00:00:00 +2359",
        b"31 Dec 9999 23:59:59 -2359",
        b"1 Jan 2024", b"1 Jan 2024 00:00:00 +9999", b"29 Feb 2023 00:00:00 GMT", b"1 " * 30_000, b"\xff",
        b"0",
        b"1 Jan 24 24:60:60 EST", b"1 Jan -5 00:00:00 Z", b"1 Jan 2024 00:00:00 " + b"9" * 5000, b"(((",
        b"Mon, 1 Jan 2024 \x00",
    ):  # fmt: skip
        yield b"Date: " + value + END


@construct()
def headers_there_twice() -> Iterable[bytes]:
    """A header that may be there once is there twice: filter and reader take different ones."""
    for name in (b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Reply-To", b"Content-Type",
                 b"Content-Transfer-Encoding", b"Return-Path", b"Auto-Submitted",
                 b"MIME-Version"):  # fmt: skip
        yield name + b": a@b.example\r\n" + name.upper() + b": <c@d.example>\r\n" + name.lower() + b": " + END


@construct()
def automatic_mail() -> Iterable[bytes]:
    """Null return path and signs of a robot (RFC 3834): an answer to it starts a loop."""
    for line in (
        b"Return-Path: <>", b"Return-Path: < >", b"Return-Path:", b"Auto-Submitted: auto-replied",
        b"Auto-Submitted: no; x=\xff",
        b"Auto-Submitted: \x00", b"Precedence: bulk", b"Precedence: =?utf-8?q?bulk?=", b"List-Id: <x>",
        b"List-\xff: x",
        b"X-Auto-Response-Suppress: All", b"X-Loop: " + b"x" * 60_000,
        b"Return-Path: <>\r\nReturn-Path: <a@b.example>",
    ):  # fmt: skip
        yield line + END


@construct()
def mailbox_lines() -> Iterable[bytes]:
    """Lines of a mailbox file before or among the headers."""
    for line in (b"From x@y Mon Jan 1\r\n", b">From x\r\n", b"From \r\n", b"From x" * 20_000 + CRLF):
        yield line + b"Subject: a\r\n" + line + b"To: b@c.example" + END


@construct()
def lines_that_are_no_headers() -> Iterable[bytes]:
    """Text among the headers: where the body begins is seen differently."""
    for line in (b"hello", b"\xff", b"\x00", b"--b", b"a b: c", b"=?", b"\x0b", b"\x0c"):
        yield from in_line_ends(b"Subject: a\r\n" + line + b"\r\nTo: b@c.example" + END)
