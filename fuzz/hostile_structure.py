"""Constructs that attack how a mail is taken apart: parts, boundaries, nesting, attached mails."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from fuzz.construct import CRLF, construct, in_line_ends, multipart

TEXT = b"Content-Type: text/plain\r\n\r\nx"
MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


@construct()
def part_bomb() -> Iterable[bytes]:
    """Part bomb (gh-75630): boundary lines without end, 21 s in the standard library for 2 MB."""
    for count, end in product((999, 1000, 1001, 5000, 100_000), (b"\r\n", b"\n")):
        yield MIXED + (b"--b" + end) * count
    yield MIXED + b"--b\r\n" * 400_000


@construct()
def wide_and_deep() -> Iterable[bytes]:
    """Part bomb that multiplies: many parts, each of many parts."""
    for outer, inner in ((9, 100), (99, 99), (999, 2), (30, 34)):
        part = b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n" + b"--c\r\n" * inner
        yield MIXED + part * outer


@construct()
def near_boundaries() -> Iterable[bytes]:
    """Lines that almost are the boundary: counting every one of them would refuse ordinary patches."""
    for line in (b"--bx", b"-b", b"--B", b" --b", b"--b-", b"--", b"--b\x00", b"--b--x", b"---b"):
        yield MIXED + (line + CRLF) * 5000


@construct()
def dashes() -> Iterable[bytes]:
    """A body of nothing but dashes, for readers that go back."""
    for size in (10, 1000, 1_000_000):
        yield MIXED + b"-" * size
        yield MIXED + b"--b" + b"-" * size


@construct()
def nested_multiparts() -> Iterable[bytes]:
    """Nesting: 1,000 levels are a RecursionError in the standard library."""
    for levels in (2, 10, 48, 49, 50, 51, 300, 1000):
        level = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
        yield b"".join(level % (number, number) for number in range(levels)) + b"\r\nx"


@construct()
def one_boundary_for_all_levels() -> Iterable[bytes]:
    """Nesting that cannot be told apart: each level has the same boundary."""
    for levels in (2, 10, 50, 1000):
        yield MIXED + (b"--b\r\n" + MIXED) * levels + b"--b--\r\n"


@construct()
def boundary_that_begins_another() -> Iterable[bytes]:
    """Boundaries of which one is the begin of the other: an inner one may not end the outer part."""
    for outer, inner in ((b"b", b"bb"), (b"bb", b"b"), (b"b", b"b-"), (b"b", b"b--"), (b"b ", b"b")):
        yield multipart(multipart(TEXT, TEXT, boundary=inner), TEXT, boundary=outer)


@construct()
def odd_boundaries() -> Iterable[bytes]:
    """Boundaries that are empty, endless, patterns, or not ASCII."""
    for text in (
        b"", b" ", b"b" * 70, b"b" * 200, b"b" * 201, b"b" * 60_000, b"(.*)+$", b"a b", b"\xff", b"\xc3\xa9",
        b"\x00", b"=?utf-8?q?b?=", b"\\", b'\\"', b"b\r\n b",
    ):  # fmt: skip
        yield multipart(TEXT, boundary=text)


@construct()
def boundary_not_declared() -> Iterable[bytes]:
    """A multipart without a usable boundary parameter: `get_content` raises KeyError."""
    for head in (
        b"",
        b"; boundary",
        b"; boundary=",
        b'; boundary="',
        b";;;;",
        b"; charset=b",
        b"; Boundary*=b",
    ):
        yield b"Content-Type: multipart/mixed" + head + b"\r\n\r\n--b\r\n\r\nx\r\n--b--"


@construct()
def boundary_twice() -> Iterable[bytes]:
    """Two boundaries, or two types: scanners and readers choose differently."""
    yield b"Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n\r\nx\r\n--b\r\n\r\ny"
    yield b"Content-Type: multipart/mixed; boundary*0=a; boundary=b\r\n\r\n--a\r\n\r\nx\r\n--b\r\n\r\ny"
    yield b"Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx"
    yield b"Content-Type: multipart/mixed; boundary=b\r\nContent-Type: text/html\r\n\r\n--b\r\n\r\nx"


@construct()
def cut_off() -> Iterable[bytes]:
    """A mail that ends anywhere: within a header, a boundary, a part."""
    whole = b"From: a@b.example\r\nSubject: s\r\n" + multipart(TEXT, b"Content-Type: a/b\r\n\r\nfile")
    for at in range(0, len(whole), 8):
        yield whole[:at]


@construct()
def nothing_closed() -> Iterable[bytes]:
    """Multiparts without their closing boundary, in every line end."""
    for mail in (
        multipart(TEXT, closed=False),
        multipart(multipart(TEXT, boundary=b"c", closed=False), TEXT),
    ):
        yield from in_line_ends(mail)


@construct()
def around_the_parts() -> Iterable[bytes]:
    """Preamble and epilogue: text where no reader looks, and boundaries after the last one."""
    for before, after in product(
        (b"", b"preamble\r\n", b"x" * 100_000 + CRLF), (b"epilogue", b"--b\r\n\r\nlate")
    ):
        yield MIXED + before + b"--b\r\n" + TEXT + b"\r\n--b--\r\n" + after


@construct()
def attached_mails() -> Iterable[bytes]:
    """message/rfc822 within message/rfc822: nesting by another door."""
    for levels in (1, 2, 49, 50, 51, 1000):
        yield b"Content-Type: message/rfc822\r\n\r\n" * levels + b"Subject: innermost\r\n\r\n"
    yield multipart(*[b"Content-Type: message/rfc822\r\n\r\nSubject: one\r\n\r\nx"] * 100)


@construct()
def attached_bombs() -> Iterable[bytes]:
    """A part bomb inside an attached mail, where a count over the outer mail does not see it."""
    bomb = MIXED.replace(b"=b", b"=c") + b"--c\r\n" * 50_000
    yield multipart(b"Content-Type: message/rfc822\r\n\r\n" + bomb)
    yield multipart(*[b"Content-Type: message/rfc822\r\n\r\n" + bomb[:5000]] * 20)


@construct()
def encoded_attached_mails() -> Iterable[bytes]:
    """An attached mail in base64 or quoted-printable, which RFC 2046 forbids."""
    for encoding, body in (
        (b"base64", b"U3ViamVjdDogcw0KDQp4"),
        (b"quoted-printable", b"Subject: =73=0D=0A=0D=0Ax"),
    ):
        yield b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n" + body


@construct()
def special_messages() -> Iterable[bytes]:
    """Other message and multipart types: partial, external-body, delivery-status, digest, signed."""
    for kind in (b"partial; number=1; total=2; id=x", b"external-body; access-type=URL; url=http://x",
        b"global",
                 b"delivery-status", b"disposition-notification", b"x-none"):  # fmt: skip
        yield b"Content-Type: message/" + kind + b"\r\n\r\nSubject: s\r\n\r\nx"
    for subtype in (b"digest", b"signed", b"encrypted", b"report", b"parallel", b"byteranges", b"", b"*"):
        yield multipart(b"\r\nSubject: s\r\n\r\nx", TEXT, subtype=subtype)


@construct()
def encoded_multiparts() -> Iterable[bytes]:
    """A multipart that claims a transfer encoding, so that its boundaries hide in it."""
    for encoding in (b"base64", b"quoted-printable", b"x-uuencode", b"8bit"):
        yield b"Content-Transfer-Encoding: " + encoding + CRLF + multipart(TEXT)


@construct()
def bodies_beside_bodies() -> Iterable[bytes]:
    """Several texts and htmls: which one is the body differs from reader to reader."""
    html = b"Content-Type: text/html\r\n\r\n<p>x</p>"
    for parts in ((TEXT, TEXT), (html, TEXT, html), (TEXT, html, TEXT), (html,), (TEXT,) * 50):
        for subtype in (b"alternative", b"mixed", b"related"):
            yield multipart(*parts, subtype=subtype)


@construct()
def mixed_line_ends() -> Iterable[bytes]:
    """Line ends that change within a mail: where headers end is seen differently (SMTP smuggling)."""
    for one, two, three in product((b"\r\n", b"\n", b"\r"), repeat=3):
        yield b"Subject: a" + one + b"To: x@y.example" + two + three + b"body" + one + b"." + two


@construct()
def only_one_byte() -> Iterable[bytes]:
    """Megabytes of a single byte."""
    for byte in (b"\r", b"\n", b"\x00", b" ", b":", b"-", b"=", b"\xff", b"("):
        yield byte * 300_000
    yield b"\r\n" * 300_000


@construct()
def nearly_nothing() -> Iterable[bytes]:
    """Mails of a byte or two."""
    yield from (b"", b"\x00", b":", b"\r\n", b"\n", b" ", b"a", b"a:", b": a", b"--", b"\xff\xfe", b"From ")
