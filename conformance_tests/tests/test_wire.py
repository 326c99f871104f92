"""Requests are read by the rules of their formats, so that a check can ask what they say."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from mailcore import (
    Address,
    Attachment,
    Base64,
    FormBody,
    HttpRequest,
    JsonBody,
    LocalRequest,
    Message,
    MimeBody,
    MultipartBody,
    Secret,
    SmtpRequest,
)
from mailcore_conformance._wire import Wire

ALL_BYTES = bytes(range(256))
#: A name that each format has to treat in some way.
NAME = 'Ünï "quoted", \\ %41.bin'
TEXT = "Grüße = 100 %\r\n.dot\n=?utf-8?q?x?=  \n"


def http(content_type: str, body: Any, **more: Any) -> Wire:
    """Return a request of that body, decoded."""
    headers = [("Content-Type", content_type), *more.pop("headers", ())]
    url = more.pop("url", "https://api.example.com/send")
    return Wire(HttpRequest(method="POST", url=url, headers=headers, body=body))


def pairs(wire: Wire) -> dict[str, str]:
    """Return the texts by place, without names."""
    return {piece.path: piece.text for piece in wire.pieces if not piece.path.endswith("(its name)")}


class TestJson:
    """JSON, with and without files."""

    def test_says_each_value_and_its_place(self) -> None:
        """A path names keys and positions; what is no text is written as JSON writes it."""
        wire = http(
            "application/json", json.dumps({"to": [{"email": "a@b.example"}], "n": 1, "no": None}).encode()
        )
        assert pairs(wire)["body.to[0].email"] == "a@b.example"
        assert {("body.n", "1"), ("body.no", "null")} == {
            (piece.path, piece.text) for piece in wire.pieces if piece.literal
        }

    def test_tells_a_number_from_a_text(self) -> None:
        """1 and "1" are two values."""
        one, other = (http("application/json", json.dumps({"n": value}).encode()) for value in (1, "1"))
        assert one.leaves != other.leaves

    def test_shows_what_is_empty(self) -> None:
        """An empty list, object or text is there, and is seen."""
        wire = http("application/json", b'{"a":[],"b":{},"c":""}')
        assert {"body.a": "[]", "body.b": "{}", "body.c": ""}.items() <= pairs(wire).items()

    def test_decodes_files(self) -> None:
        """Base64 is content, and what stands beside it is said of it."""
        body = JsonBody(
            {"files": [{"name": NAME, "inline": True, "data": Base64(Attachment(content=ALL_BYTES))}]}
        )
        (file,) = [file for file in http("application/json", body).files if file.content == ALL_BYTES]
        assert {("name", NAME), ("inline", "true")} <= set(file.beside)

    def test_names_are_texts(self) -> None:
        """A header or key may be the name of a value."""
        assert http("application/json", b'{"headers":{"X-Mine":"1"}}').find("X-Mine")

    def test_a_second_encoding_is_not_undone(self) -> None:
        """Content that was encoded twice is not the content."""
        twice = b64encode(b64encode(ALL_BYTES)).decode()
        assert not http("application/json", json.dumps({"data": twice}).encode()).find_bytes(ALL_BYTES)

    def test_is_read_where_it_cannot_be(self) -> None:
        """What says that it is JSON and is not is one text."""
        assert pairs(http("application/json", b"{oops"))["body"] == "{oops"


class TestForm:
    """URL-encoded forms."""

    def test_decodes_names_and_values(self) -> None:
        """Plus, percent and UTF-8 are undone, and repeats are kept in order."""
        wire = http(
            FormBody.content_type, FormBody([("to", "a+b@c.example"), ("to", "ü & = %41"), ("v:k&y", "")])
        )
        assert [piece.text for piece in wire.pieces if piece.path == "body.to"] == [
            "a+b@c.example",
            "ü & = %41",
        ]
        assert wire.find("v:k&y")

    def test_decodes_json_within(self) -> None:
        """A field may hold JSON, which may hold JSON."""
        inner = json.dumps({"deep": "value"})
        wire = http(FormBody.content_type, FormBody([("message", json.dumps({"inner": inner}))]))
        assert pairs(wire)["body.message.inner.deep"] == "value"

    def test_reads_a_text_in_quotes(self) -> None:
        """Some APIs take JSON in a field even where it is one text; it is not that text itself."""
        wire = http(FormBody.content_type, urlencode({"v:a": '"b \\u00fc"'}).encode())
        assert wire.find("b ü")
        assert not wire.exactly("b ü")

    def test_brackets_make_a_group(self) -> None:
        """What shares its place with a file says something of it."""
        content = b64encode(ALL_BYTES).decode()
        fields = [("file[0][name]", "a.bin"), ("file[0][data]", content), ("file[1][name]", "b.bin")]
        (file,) = http(FormBody.content_type, FormBody(fields)).files
        assert list(file.beside) == [("file[0][name]", "a.bin")]


class TestMultipart:
    """Forms with files."""

    def test_keeps_every_byte(self) -> None:
        """Files may hold all 256 values, and line ends at their ends."""
        for content in (ALL_BYTES, b"", b"\r\n", ALL_BYTES + b"\r\n--\r\n"):
            body = MultipartBody([("file", Attachment(content=content, filename="a.bin"))], boundary="edge")
            assert http(body.content_type, body).find_bytes(content)

    def test_says_name_and_type(self) -> None:
        """A name comes back as browsers write it, and a type with its parameters."""
        file = Attachment(content=b"x", filename=NAME, content_type="text/calendar; method=REQUEST")
        body = MultipartBody([("file", file), ("to", "a@b.example")], boundary="edge")
        wire = http(body.content_type, body)
        assert ("filename", NAME) in wire.files[0].beside
        assert 'method="REQUEST"' in wire.files[0].labels
        assert pairs(wire)["body.to"] == "a@b.example"

    @pytest.mark.parametrize(
        "written",
        [
            'filename="a\\"b\\\\.txt"',
            'filename="a%22b\\.txt"',
            "filename=\"?\"; filename*=utf-8''a%22b%5C.txt",
        ],
    )
    def test_reads_names_in_each_way(self, written: str) -> None:
        """Backslashes, percent signs and RFC 5987 are all in use."""
        head = f'Content-Disposition: form-data; name="file"; {written}\r\nContent-Type: text/plain'
        body = f"--edge\r\n{head}\r\n\r\nx\r\n--edge--\r\n".encode()
        assert http('multipart/form-data; boundary="edge"', body).exactly('a"b\\.txt')

    def test_without_a_boundary_says_nothing(self) -> None:
        """A body that nobody can take apart carries nothing."""
        assert http("multipart/form-data", b"--edge\r\n\r\nx\r\n--edge--").find("x\r\n") == []


def mime(**fields: Any) -> MimeBody:
    """Return a mail."""
    given = {"from_": "a@b.example", "to": "c@d.example", "text": "Hello", **fields}
    return MimeBody(Message(**given).resolve(), created=datetime(2030, 1, 2, tzinfo=UTC), unique="u")


class TestMime:
    """Raw mail."""

    def test_decodes_headers(self) -> None:
        """Encoded words, folded lines and quoted names come back."""
        sender = Address("jörg@bücher.example", "Ü, " + " ".join(["long name"] * 12))
        wire = http("message/rfc822", mime(from_=sender, subject="Grüße =?utf-8?q?x?= " * 5))
        assert wire.find(("Grüße =?utf-8?q?x?= " * 5).strip())
        (text,) = [piece.text for piece in wire.pieces if piece.path == "body From:"]
        assert Address.parse(text).display_name == sender.display_name
        assert Address.parse(text).key == sender.key

    def test_decodes_a_body(self) -> None:
        """Quoted-printable and base64 are undone."""
        for encoding, body in (
            ("quoted-printable", b"Gr=C3=BC=C3=9Fe =\r\n=3D"),
            ("base64", b64encode("Grüße =".encode())),
        ):
            head = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
            assert http("message/rfc822", head.encode() + body).find("Grüße =")

    def test_keeps_text(self) -> None:
        """Only line ends may differ."""
        wire = http("message/rfc822", mime(text=TEXT))
        (text,) = [piece.text for piece in wire.pieces if piece.path == "body text/plain"]
        assert text.replace("\r\n", "\n") == TEXT.replace("\r\n", "\n")

    def test_decodes_files(self) -> None:
        """Content, name, type and content id."""
        image = Attachment(content=ALL_BYTES, filename=NAME, content_type="image/png", content_id="a@b")
        wire = http("message/rfc822", mime(html="<p>", attachments=[image]))
        (file,) = wire.files
        assert file.content == ALL_BYTES
        assert {("filename", NAME), ("Content-ID", "<a@b>")} <= set(file.beside)

    def test_an_attached_mail_is_content(self) -> None:
        """Its headers are not the request's."""
        inner = Message(from_="x@y.example", to="evil@example.com", subject="Inner", text="x").to_email()
        wire = http("message/rfc822", mime(attachments=[Attachment.from_message(inner)]))
        assert [piece.text for piece in wire.pieces if piece.path == "body To:"] == ["c@d.example"]
        assert len(wire.files) == 1

    def test_is_found_within_json(self) -> None:
        """Some APIs take a raw mail as base64 in a field."""
        source = b64encode(b"".join(mime(subject="Grüße"))).decode()
        assert http("application/json", json.dumps({"raw": source}).encode()).find("Grüße")

    def test_is_found_within_a_form(self) -> None:
        """Or as a file of a form."""
        file = Attachment(content=b"".join(mime(subject="Grüße")), filename="mail.eml")
        body = MultipartBody([("message", file)], boundary="edge")
        assert http(body.content_type, body).find("Grüße")


class TestRequest:
    """What is not the body."""

    def test_url(self) -> None:
        """Path, query and fragment are decoded."""
        wire = http("text/plain", b"", url="https://api.example.com/t/a%2Fb?rcpt=x%2By%40z.example&e=#end")
        assert {
            "url": "api.example.com/t/a/b",
            "url?rcpt": "x+y@z.example",
            "url?e": "",
            "url#": "end",
        }.items() <= pairs(wire).items()

    def test_headers(self) -> None:
        """Secrets are what the transport would reveal, and JSON is read."""
        headers = [("Authorization", Secret("token")), ("X-Api", '{"category":"news"}')]
        found = pairs(http("text/plain", b"", headers=headers))
        assert found["header Authorization"] == "token"
        assert found["header X-Api.category"] == "news"

    def test_smtp(self) -> None:
        """The envelope and the mail."""
        wire = Wire(
            SmtpRequest(
                server="mail.example.com:587",
                mail_from="bounces@example.com",
                rcpt_to=["c@d.example", "hidden@d.example"],
                data=mime(subject="Hi"),
                options=["SMTPUTF8"],
            )
        )
        assert [piece.text for piece in wire.pieces if piece.path == "RCPT TO"] == [
            "c@d.example",
            "hidden@d.example",
        ]
        assert wire.find("SMTPUTF8")
        assert pairs(wire)["data Subject:"] == "Hi"

    def test_local(self) -> None:
        """Messages that stay in this process are read as JSON, files included."""
        file = Attachment(content=ALL_BYTES, filename="a.bin")
        message = Message(from_="a@b.example", to="c@d.example", subject="Hi", attachments=[file]).resolve()
        wire = Wire(LocalRequest(messages={"id-1": message}, destination="memory"))
        assert pairs(wire)["message.id-1.subject"] == "Hi"
        (found,) = [file for file in wire.files if file.content == ALL_BYTES]
        assert ("filename", "a.bin") in found.beside


class TestLooking:
    """What a check may ask."""

    def test_where_a_text_stands(self) -> None:
        """Within another text, as all of one, and before another."""
        wire = http("application/json", b'{"a":"one two","b":"two"}')
        assert wire.find("two") == ["body.a", "body.b"]
        assert [piece.path for piece in wire.exactly("two")] == ["body.b"]
        assert wire.place("one") < wire.place("two")
        assert wire.place("three") == -1
        assert wire.find("one two\0") == []

    def test_leaves_are_what_wraps_nothing(self) -> None:
        """How JSON within a field is written does not count."""
        one, other = (
            http(FormBody.content_type, FormBody([("m", json.dumps({"a": 1, "b": [2]}, indent=indent))]))
            for indent in (None, 2)
        )
        assert one.leaves == other.leaves
        assert one.pieces != other.pieces
