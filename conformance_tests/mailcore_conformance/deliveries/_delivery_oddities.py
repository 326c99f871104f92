"""What strangers write: values no documentation has, and mail no program should."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["MAILS", "ODD_TIMES", "ODD_VALUES", "TEXTS", "forged"]

#: Values of every JSON type, where something else is documented.
ODD_VALUES: tuple[Any, ...] = ("", "x", 7, -1, True, [], {}, [[]])

#: What is no time at all. The last is one, but no calendar of ours reaches it in UTC.
ODD_TIMES: tuple[Any, ...] = (
    "yesterday",
    "2021-13-45T99:99:99Z",
    "0000-00-00T00:00:00Z",
    "2021-02-30T00:00:00Z",
    "\u0662\u0660\u0662\u0661-\u0661\u0661-\u0661\u0666T\u0661\u0664:\u0665\u0660:\u0661\u0668Z",
    "9999-12-31T23:59:59-23:59",
)

#: Name → what is wrong with a text, and the text.
TEXTS: Mapping[str, tuple[str, str]] = {
    "controls": (
        "control characters and line breaks",
        "a\x00\x07\x1b[31m\r\nBcc: x@example.com\u202eb",
    ),
    "surrogates": ("halves of surrogate pairs", "a\ud800b\udfff"),
    "long": ("10,000 characters", "x" * 10_000),
}


def forged(address: str) -> str:
    """Return that address under a display name that looks like another, and has a comma."""
    return f'"Boss <boss@example.com>, Jr." <{address}>'


def _nested(levels: int) -> bytes:
    head = b"From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
    return b"".join(head % (level, level) for level in range(levels)) + b"\r\nend\r\n"


#: What is wrong with a mail → its source.
MAILS: Mapping[str, bytes] = {
    "nothing in it": b"",
    "no headers": b"Hello\r\n",
    "60 parts within one another": _nested(60),
    "60 mails within one another": b"Content-Type: message/rfc822\r\n\r\n" * 60 + b"Subject: end\r\n\r\nend",
    "no boundary": b"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nHello\r\n--b--\r\n",
    "a boundary that never comes": b'Content-Type: multipart/mixed; boundary="b"\r\n\r\nHello\r\n',
    "1,100 headers": b"X-A: b\r\n" * 1_100 + b"\r\nHello\r\n",
    "broken base64": b"Content-Transfer-Encoding: base64\r\n\r\n====!!!!A\r\n",
    "an unknown charset": b"Content-Type: text/plain; charset=x-none\r\n\r\n\xff\xfe\r\n",
    "bytes of no charset": b"Subject: \xff\xfe\x00\r\nFrom: \x80 <\xff@\x00>\r\n\r\n\x00\xff\xfe\r\n",
    "headers within a header": (
        b"Subject: =?utf-8?q?a=0D=0ABcc:_x@example.com?=\r\nTo: ((((((\r\nFrom: <@\r\n"
        b"Message-ID: <\r\nDate: never\r\nReferences: < < >\r\n\r\nHello\r\n"
    ),
    "only html": b"Content-Type: text/html\r\n\r\n<p>Hello\r\n",
}
