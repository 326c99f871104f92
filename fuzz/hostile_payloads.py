"""Constructs that attack what a provider's JSON says of a mail, signed as it stands."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from fuzz.construct import construct

RAW = (
    "From: Ada <ada@example.com>\r\nTo: bob@example.com\r\nSubject: raw\r\nMessage-ID: <1@example.com>\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nbody\r\n"
    "--b\r\nContent-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "iVBORw0KGgo=\r\n--b--\r\n"
)
FIELDS = (
    "from",
    "to",
    "cc",
    "bcc",
    "replyTo",
    "subject",
    "inReplyTo",
    "html",
    "text",
    "headers",
    "attachments",
)


def _body(**fields: Any) -> bytes:
    return json.dumps({"raw": RAW, "messageId": "<1@example.com>", **fields}).encode("utf-8", "surrogatepass")


@construct(is_payload=True)
def fields_of_another_type() -> Iterable[bytes]:
    """Wrong, null, missing and extra fields: each is left out and noted, none is an error."""
    for name in FIELDS:
        for value in (None, 1, True, [], {}, [[]], [None], ""):
            yield _body(**{name: value})


@construct(is_payload=True)
def attachments_of_another_type() -> Iterable[bytes]:
    """Attachments whose fields are of another type, or say what is not so."""
    good = {"filename": "a.png", "content": "iVBORw0KGgo=", "contentType": "image/png"}
    for name in (*good, "checksum", "size", "contentId", "cid", "contentDisposition", "related", "headers"):
        for value in (None, 1, [], {}, "x", "\x00", "../../x", "\ud800", "=" * 5000):
            yield _body(attachments=[{**good, name: value}])
    yield _body(attachments=[good] * 3000)


@construct(is_payload=True)
def raw_and_json_disagree() -> Iterable[bytes]:
    """Raw and JSON disagree: raw is the source of truth, but where bytes of it were lost."""
    image = {"filename": "a.png", "content": "eA==", "contentType": "image/png", "checksum": "0" * 32}
    yield _body(subject="json", **{"from": "eve@example.com"}, text="json", attachments=[])
    yield _body(attachments=[image, image])
    yield _body(attachments=[{**image, "checksum": "9dd4e461268c8034f5c8564e155c67a6"}])
    yield _body(raw=RAW.replace("iVBO", "\ufffd"), attachments=[image])
    yield _body(raw="", text="json", attachments=[image])
    yield _body(raw=RAW.replace("body", "\ufffd"), text="json")
    yield _body(messageId="<2@example.com>")


@construct(is_payload=True)
def header_lists() -> Iterable[bytes]:
    """Headers of the JSON that are no headers."""
    for line in (
        "",
        ":",
        "a",
        "a:",
        ": b",
        "a\r\nb: c",
        "X: \r\nBcc: y@example.com",
        "\x00: \x00",
        "\ud800: x",
        "To: " + "(" * 60_000,
    ):
        yield _body(raw="", headers=[line, line])
    yield _body(raw="", headers=["A: b"] * 20_000)


@construct(is_payload=True)
def neither_event_nor_mail() -> Iterable[bytes]:
    """Shapes of both, of neither, or nothing: kept for a person, acknowledged."""
    for document in (
        {}, [], None, 1, "x", {"raw": RAW}, {"messageId": "x"}, {"raw": 1, "messageId": "x"}, {"raw": RAW,
        "messageId": "x", "event": "email.sent"},
        {"event": "x", "payload": {}}, {"event": "email.delivered", "payload": {"id": [1]}}, {"event": 1,
        "payload": {"id": 1}}, {"event": "x", "payload": {"id": 10**400}},
    ):  # fmt: skip
        yield json.dumps(document).encode()


@construct(is_payload=True)
def json_bombs() -> Iterable[bytes]:
    """JSON bombs: depth, digits, keys, numbers that are none; RecursionError in the standard library."""
    yield from (
        b"[" * 100_000, b'{"a":' * 100_000, b"[" * 65 + b"]" * 65, b"9" * 5000, b"-" * 1000, b"1e400",
        b"NaN", b"[Infinity]", b'{"a":1,"a":2}', b"\xef\xbb\xbf{}",
        b'"\\ud800"', b'"\\u0000"', b'{"raw":"\\ud800","messageId":"\\u0000"}',
        b"{" + b'"a":1,' * 50_000 + b'"b":1}', b"[" + b"0," * 200_000 + b"0]", b"\xff", b"",
        '{"a":1}'.encode("utf-16"), b"{'a':1}", b"{}" * 1000, b"// x\n{}", b'{"a":1,}',
        b'"' + b"\\u0041" * 100_000 + b'"', b"[1] x",
    )  # fmt: skip


@construct(is_payload=True)
def event_fields() -> Iterable[bytes]:
    """Events whose fields are of another type, or hold what no mail holds."""
    for name in (
        "id",
        "domain_id",
        "updated_at",
        "created_at",
        "to",
        "from",
        "message_id",
        "tags",
        "status",
        "subject",
    ):
        for value in (
            None,
            True,
            1.5,
            -1,
            [],
            {},
            "",
            "\x00",
            "\ud800",
            "a,b <c@d",
            "9999-12-31T23:59:59-23:59",
            "0001-01-01T00:00:00+23:59",
        ):
            yield json.dumps({"event": "email.delivered", "payload": {"id": 1, name: value}}).encode()
