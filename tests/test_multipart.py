"""Forms as request bodies: URL-encoded, and with files."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from mailcore import (
    Attachment,
    AttachmentChanged,
    Body,
    FormBody,
    InvalidMessage,
    JsonBody,
    Message,
    MimeBody,
    MultipartBody,
    NotSerializable,
)


def parts(body: MultipartBody) -> Any:
    """Return the parts of a multipart body as the standard library reads them."""
    head = f"Content-Type: {body.content_type}\r\n\r\n".encode()
    return message_from_bytes(head + b"".join(body), policy=policy.compat32).get_payload()


class TestMultipartBody:
    """A form with files."""

    def test_exact_bytes(self) -> None:
        """Fields and files are framed as RFC 7578 says."""
        file = Attachment(content="hi", filename="a.txt")
        body = MultipartBody({"to": "Bob <b@example.com>", "count": 2, "file": file}, boundary="xx")
        assert body.content_type == "multipart/form-data; boundary=xx"
        assert b"".join(body) == (
            b'--xx\r\nContent-Disposition: form-data; name="to"\r\n\r\nBob <b@example.com>\r\n'
            b'--xx\r\nContent-Disposition: form-data; name="count"\r\n\r\n2\r\n'
            b'--xx\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
            b'Content-Type: text/plain; charset="utf-8"\r\n\r\nhi\r\n--xx--\r\n'
        )

    def test_body_protocol(self, tmp_path: Path) -> None:
        """It has a length and starts afresh each time; files on disk are streamed."""
        path = tmp_path / "big.bin"
        path.write_bytes(bytes(150_000))
        body = MultipartBody([("file", Attachment.from_path(path, root=tmp_path))], boundary="b")
        assert isinstance(body, Body)
        assert len(body) == len(b"".join(body)) == len(b"".join(body))
        assert max(map(len, body)) < 60_000
        assert parts(body)[0].get_payload(decode=True) == bytes(150_000)

    def test_repeats(self) -> None:
        """A name may be there several times, in order."""
        body = MultipartBody([("to", "a"), ("cc", "b"), ("to", "c")], boundary="b")
        assert [part.get_payload() for part in parts(body)] == ["a", "b", "c"]

    @pytest.mark.rule("N-D8")
    @pytest.mark.parametrize(
        "name, written",
        [
            ("naïve.txt", "naïve.txt"),
            ("日本.pdf", "日本.pdf"),
            ('a"b.txt', "a%22b.txt"),
            ("a;b\\c", "a;b\\c"),
            ("a\\b\\", "a\\b\\\\"),
        ],
    )
    def test_filenames(self, name: str, written: str) -> None:
        """Names are UTF-8 as they are; only what would end the quotes is escaped."""
        body = MultipartBody([("file", Attachment(content=b"", filename=name))], boundary="b")
        assert f'; filename="{written}"\r\n'.encode() in b"".join(body)

    @pytest.mark.rule("N-D1")
    def test_no_filename(self) -> None:
        """A file without a name has one, or it would be an ordinary field."""
        body = MultipartBody([("file", Attachment(content=b"x"))], boundary="b")
        assert b'filename="attachment"' in b"".join(body)

    def test_names_are_escaped(self) -> None:
        """A field name cannot end its quotes or its line."""
        body = MultipartBody([('a"\r\nX: y', "v")], boundary="b")
        assert b'name="a%22%0D%0AX: y"\r\n\r\nv' in b"".join(body)

    def test_boundary_in_the_content(self, tmp_path: Path) -> None:
        """A boundary that occurs in a field or a file is made longer, also across pieces."""
        assert MultipartBody([("a", "--b and --b-")], boundary="b").boundary == "b--"
        content = bytes(48 * 1024 - 3) + b"--boundary"
        assert (
            MultipartBody([("a", Attachment(content=content))], boundary="boundary").boundary == "boundary-"
        )
        path = tmp_path / "a.bin"
        path.write_bytes(content)
        body = MultipartBody([("a", Attachment.from_path(path, root=tmp_path))], boundary="boundary")
        assert [part.get_payload(decode=True) for part in parts(body)] == [content]

    def test_bodies_are_files(self, tmp_path: Path) -> None:
        """A mail, or JSON, goes into a field as a file, and what is attached to it is streamed."""
        path = tmp_path / "big.bin"
        path.write_bytes(bytes(150_000))
        mail = Message(from_="a@example.com", to="b@example.com", text="--b", attachments=[
            Attachment.from_path(path, root=tmp_path)])  # fmt: skip
        mime = MimeBody(mail, created=datetime(2030, 1, 2, tzinfo=UTC), unique="u")
        body = MultipartBody([("message", mime), ("more", JsonBody({"a": 1}))], boundary="b")
        first, second = parts(body)
        assert (first.get_content_type(), first.get_filename()) == ("message/rfc822", "message")
        assert first.get_payload(0).as_bytes().splitlines() == b"".join(mime).splitlines()
        assert (second.get_content_type(), second.get_payload()) == ("application/json", '{"a":1}')
        assert len(body) == len(b"".join(body))
        assert max(map(len, body)) < 80_000
        assert body.boundary == "b-"

    @pytest.mark.parametrize("boundary", ["", "a b", 'a"', "ü", "x" * 71, "a\r\n"])
    def test_bad_boundary(self, boundary: str) -> None:
        """A boundary that would need quotes, or is too long, is refused."""
        with pytest.raises(InvalidMessage, match="boundary"):
            MultipartBody([], boundary=boundary)

    def test_changed_file(self, tmp_path: Path) -> None:
        """A file that changed since it was attached is never sent."""
        path = tmp_path / "a.txt"
        path.write_bytes(b"one")
        body = MultipartBody([("file", Attachment.from_path(path, root=tmp_path))], boundary="b")
        path.write_bytes(b"longer")
        with pytest.raises(AttachmentChanged):
            b"".join(body)

    @pytest.mark.parametrize("value", [None, True, 1.5, b"x", ["a"]])
    def test_other_types(self, value: object) -> None:
        """Only text, whole numbers and attachments are fields."""
        with pytest.raises(NotSerializable):
            MultipartBody([("a", value)], boundary="b")


class TestFormBody:
    """A URL-encoded form."""

    def test_round_trip(self) -> None:
        """Fields come back as they were, in order."""
        pairs = [("to", "Bob <b@example.com>"), ("subject", "a+b&c=d é\r\n"), ("to", ""), ("n", 3)]
        body = FormBody(pairs)
        assert isinstance(body, Body)
        assert len(body) == len(b"".join(body)) == len(b"".join(body))
        assert parse_qsl(b"".join(body).decode(), keep_blank_values=True) == [*pairs[:3], ("n", "3")]
        assert b"".join(FormBody({"a": "b"})) == b"a=b"
        assert body.content_type == "application/x-www-form-urlencoded"

    @pytest.mark.rule("N-E2")
    @pytest.mark.parametrize("value", [None, True, 1.5, b"x", object()])
    def test_other_types(self, value: object) -> None:
        """What is neither text nor a whole number is refused, not turned into some text."""
        with pytest.raises(NotSerializable, match="amount"):
            FormBody({"amount": value})
