"""What is said of a mail before it is sent to anybody."""

from __future__ import annotations

import time
from email.message import EmailMessage
from typing import Any

import pytest

from mailcore import InboundMessage
from mailcore.sandbox._hints import hints
from mailcore.sandbox._scan import MAX_SCANNED, Scan


def codes(*, text: str = "Hi", html: str = "", subject: str = "Hi", **more: Any) -> list[str]:
    """Return the names of the hints that a mail is given."""
    mail = EmailMessage()
    if subject:
        mail["Subject"] = subject
    for name, value in more.get("headers", ()):
        mail[name] = value
    if text:
        mail.set_content(text)
    if html:
        (mail.add_alternative if text else mail.set_content)(html, subtype="html")
    for cid in more.get("cids", ()):
        part = mail.get_payload()[-1] if text else mail
        part.add_related(b"x", "image", "png", cid=f"<{cid}>")
    return [hint.code for hint in hints(InboundMessage(raw=mail.as_bytes()), tags=more.get("tags", ()))]


def test_long_lines() -> None:
    """A line that mail servers refuse is said; one of just that length is not."""
    for length, expected in ((998, []), (999, ["long-lines"])):
        mail = InboundMessage(raw=b"Subject: Hi\r\n\r\n" + b"x" * length + b"\r\n")
        assert [hint.code for hint in hints(mail)] == expected


def test_long_mail() -> None:
    """Looking for long lines takes no longer than reading."""
    raw = b"Subject: Hi\r\n\r\n" + (b"x" * 900 + b"\r\n") * 11_000
    started = time.process_time()
    assert hints(InboundMessage(raw=raw)) == ()
    assert time.process_time() - started < 5


class TestHints:
    """Each hint has its mail, and a good mail has none."""

    @pytest.mark.parametrize(
        "mail, expected",
        [
            ({}, []),
            ({"html": "<p>Hi <img src='cid:logo' alt='Logo'>", "cids": ["logo"]}, []),
            ({"text": "", "html": "<p>Hi"}, ["no-text"]),
            ({"text": ""}, ["empty"]),
            ({"subject": ""}, ["no-subject"]),
            ({"tags": ["Newsletter-7"]}, ["no-list-unsubscribe"]),
            ({"tags": ["welcome"]}, []),
            ({"headers": [("Precedence", "bulk")]}, ["no-list-unsubscribe"]),
            ({"headers": [("List-Id", "<a.example>")]}, ["no-list-unsubscribe"]),
            ({"tags": ["news"], "headers": [("List-Unsubscribe", "<https://x.example>")]}, ["no-one-click"]),
            (
                {
                    "tags": ["news"],
                    "headers": [
                        ("List-Unsubscribe", "<https://x.example>"),
                        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
                    ],
                },
                [],
            ),
            ({"html": "<img alt='' src='cid:gone'>"}, ["broken-cid"]),
            ({"html": "<p style='background:url(cid:a%40b)'>", "cids": ["a@b"]}, []),
            ({"html": "<p>Hi", "cids": ["logo"]}, ["unused-cid"]),
            ({"html": "<img alt='' src='https://x.example/a.png'>"}, ["remote-images"]),
            ({"html": "<img src='data:image/png;base64,AA=='>"}, ["no-alt"]),
            ({"html": "<script>x</script>"}, ["scripts"]),
            ({"html": "<p onclick='x()'>Hi"}, ["scripts"]),
            ({"html": "<p>" + "x" * 105_000}, ["clipped"]),
        ],
    )
    def test_each(self, mail: dict[str, Any], expected: list[str]) -> None:
        """A mail is given the hints that it needs, and no others."""
        assert codes(**mail) == expected


class TestScan:
    """HTML, looked through."""

    def test_links(self) -> None:
        """Only what a browser opens is a link; its text is kept short."""
        scan = Scan(
            "<a href=' https://x.example/?a=1&amp;b=2'>Go <b>there</b></a><a href='javascript:x'>no</a>"
            "<a href='JavaScript:x'>no</a><a href='data:text/html,x'>no</a><a href='vbscript:x'>no</a>"
            "<a class=a href=mailto:a@b.example>Mail &amp; more</a><a href='/relative'>no</a><a>none</a>"
            "<A HREF='tel:1'>" + "x" * 500
        )
        assert scan.links == [
            ("https://x.example/?a=1&b=2", "Go there"),
            ("mailto:a@b.example", "Mail & more"),
            ("tel:1", "x" * 200),
        ]

    @pytest.mark.parametrize(
        "piece", ["<", "<!--", "<a href='", "</", "&", "<![CDATA[", "<a href=https://x>", "<p a=b "], ids=repr
    )
    def test_hostile(self, piece: str) -> None:
        """HTML that is made to keep a parser busy is done with soon."""
        started = time.monotonic()
        Scan(piece * (MAX_SCANNED // len(piece)))
        assert time.monotonic() - started < 30
