"""Forms that webhooks hold, with files: strict, capped, and nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailcore import Attachment, FormPart, InvalidDocument, MultipartBody, WebhookRequest, from_json, to_json

HEADERS = {"Content-Type": "multipart/form-data; boundary=xx"}
FIELD = b'Content-Disposition: form-data; name="a"'


def multipart(
    *parts: bytes, end: bytes = b"--xx--\r\n", kind: str = HEADERS["Content-Type"]
) -> WebhookRequest:
    """Return a delivery of such parts; each is headers, a blank line and content."""
    body = b"".join(b"--xx\r\n" + part + b"\r\n" for part in parts) + end
    return WebhookRequest(headers={"Content-Type": kind}, body=body)


class TestReading:
    """What a form holds."""

    def test_fields_and_files(self) -> None:
        """Both are parts; `form` has the fields alone, as text."""
        request = multipart(
            FIELD + b"\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\nline 2",
            b'Content-Disposition: form-data; name="f"; filename="x.png"\r\n'
            b"Content-Type: image/png\r\n\r\n\x89\x00\xff",
            FIELD + b"\r\n\r\n",
        )
        assert request.form_parts() == (
            FormPart(name="a", content="Grüße\r\nline 2".encode()),
            FormPart(name="f", content=b"\x89\x00\xff", filename="x.png", content_type="image/png"),
            FormPart(name="a", content=b""),
        )
        assert request.form() == {"a": ("Grüße\r\nline 2", "")}
        assert request.form_parts() is request.form_parts()

    @pytest.mark.parametrize(
        "kind",
        [
            "multipart/form-data; boundary=xx",
            'Multipart/Form-Data;boundary="xx"',
            "multipart/form-data; charset=utf-8; boundary=xx; a=b",
        ],
    )
    def test_content_types(self, kind: str) -> None:
        """The header may be written in several ways."""
        assert multipart(FIELD + b"\r\n\r\n1", kind=kind).form() == {"a": ("1",)}

    @pytest.mark.parametrize(
        "labels, name, filename",
        [
            (b'name="a"; filename=""', "a", ""),
            (b"name=a; filename=b.txt", "a", "b.txt"),
            (b'filename="b"; name="a"', "a", "b"),
            (b'name="a%22b"; filename="c%0D%0Ad%25"', 'a"b', "c\r\nd%25"),
            (b'name="a"; filename="x\\"y\\\\z\\n"', "a", 'x"y\\z\\n'),
            (b"name=\"a\"; filename*=utf-8''%C3%A4.txt", "a", "ä.txt"),
            (b'name="a"; filename="a.txt"; filename*=utf-8\'\'%C3%A4.txt', "a", "ä.txt"),
            (b'name="a"; filename="\xff"', "a", "\ufffd"),
            ('name="ä"; filename="日本.pdf"'.encode(), "ä", "日本.pdf"),
        ],
    )
    def test_labels(self, labels: bytes, name: str, filename: str) -> None:
        """Names come in the forms that browsers and libraries write."""
        part = multipart(b"Content-Disposition: form-data; " + labels + b"\r\n\r\n").form_parts()[0]
        assert (part.name, part.filename) == (name, filename)

    def test_bytes_are_kept(self) -> None:
        """A mail in another charset, in either kind of form, is not lost for being no UTF-8."""
        fields = WebhookRequest(body=b"raw=Gr%FC%DFe&b=%00")
        (raw, nul) = fields.form_parts()
        assert (raw.content, raw.text, nul.content, nul.text) == (
            b"Gr\xfc\xdfe",
            "Gr\ufffd\ufffde",
            b"\0",
            "\ufffd",
        )
        with pytest.raises(InvalidDocument):
            fields.form()
        with pytest.raises(InvalidDocument):
            multipart(FIELD + b"\r\n\r\n\xff").form()

    @given(st.lists(st.tuples(st.text(max_size=9), st.binary(max_size=40)), max_size=4))
    @example([("\\", b"")])
    @example([("a\\\\", b"")])
    @settings(deadline=None, max_examples=100)
    def test_what_core_writes(self, files: list[tuple[str, bytes]]) -> None:
        """What `MultipartBody` writes is read back."""
        names = [name.encode("utf-8", "replace").decode().replace("\0", "") for name, _ in files]
        pairs = [
            (name, Attachment(content=content, filename="f"))
            for name, (_, content) in zip(names, files, strict=True)
        ]
        body = MultipartBody([("text", "a\r\n--xx\r\nb"), *pairs], boundary="xx")
        request = WebhookRequest(headers={"Content-Type": body.content_type}, body=b"".join(body))
        found = request.form_parts()
        assert request.form() == {"text": ("a\r\n--xx\r\nb",)}
        if not any(set(name) & set('\\"%\r\n') for name in names):
            assert [(part.name, part.content) for part in found[1:]] == [
                (name, content) for name, (_, content) in zip(names, files, strict=True)
            ]

    def test_travels(self) -> None:
        """A request that was read is written and restored like any other."""
        request = multipart(FIELD + b"\r\n\r\n1")
        assert request.form()
        assert from_json(WebhookRequest, to_json(request)) == request


class TestStrict:
    """What could be read in two ways is read in none."""

    @pytest.mark.parametrize(
        "request_",
        [
            WebhookRequest(headers=HEADERS, body=b""),
            WebhookRequest(headers=HEADERS, body=b"a=1"),
            WebhookRequest(headers=HEADERS, body=b"preamble\r\n--xx--\r\n"),
            WebhookRequest(headers=[*HEADERS.items(), *HEADERS.items()], body=b"--xx--"),
            multipart(FIELD + b"\r\n\r\n1", kind="multipart/form-data"),
            multipart(FIELD + b"\r\n\r\n1", kind="multipart/form-data; boundary=yy"),
            multipart(FIELD + b"\r\n\r\n1", kind=f"multipart/form-data; boundary={'x' * 71}"),
            multipart(FIELD + b"\r\n\r\n1", kind="multipart/form-data; boundary=é"),
            multipart(FIELD + b"\r\n\r\n1", end=b""),
            multipart(FIELD + b"\r\n\r\n1", end=b"--xx"),
            multipart(FIELD + b"\r\n\r\n1", end=b"--xx--\r\nmore"),
            multipart(FIELD + b"\r\n\r\n1", end=b"--xx--more"),
            multipart(FIELD + b"\r\n\r\n1\r\n--xxx\r\nb"),
            multipart(FIELD + b"\r\n\r\n1\r\n--xx \r\nb"),
            multipart(FIELD),
            multipart(FIELD + b"\r\n"),
            multipart(b"\r\n\r\n1"),
            multipart(b"\r\n1"),
            multipart(FIELD + b"\n\n1"),
            multipart(FIELD + b"\r\n folded\r\n\r\n1"),
            multipart(FIELD + b"\r\n" + FIELD + b"\r\n\r\n1"),
            multipart(FIELD + b"; name=b\r\n\r\n1"),
            multipart(FIELD + b"; other=b\r\n\r\n1"),
            multipart(FIELD + b'; filename="b\r\n\r\n1'),
            multipart(b'Content-Disposition: form-data; filename="b"\r\n\r\n1'),
            multipart(b'Content-Disposition: attachment; name="a"\r\n\r\n1'),
            multipart(b"Content-Type: text/plain\r\n\r\n1"),
            multipart(FIELD + b"\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ=="),
            multipart(FIELD + b"\r\nX: " + b"x" * 17_000 + b"\r\n\r\n1"),
            multipart(*[FIELD + b"\r\n\r\n1"] * 1001),
        ],
    )
    def test_refused(self, request_: WebhookRequest) -> None:
        """The error says what is wrong and quotes nothing."""
        with pytest.raises(InvalidDocument, match=r"^The form [a-zA-Z0-9 ,-]+\.$"):
            request_.form()

    def test_most_parts(self) -> None:
        """A thousand parts are read."""
        assert len(multipart(*[FIELD + b"\r\n\r\n1"] * 1000).form_parts()) == 1000

    @given(st.binary(max_size=200))
    @settings(deadline=None, max_examples=200)
    def test_anything(self, junk: bytes) -> None:
        """Whatever the body holds, it is a form or `InvalidDocument`."""
        for body in (junk, b"--xx\r\n" + junk, b"--xx\r\n" + FIELD + b"\r\n\r\n" + junk + b"\r\n--xx--"):
            request = WebhookRequest(headers=HEADERS, body=body)
            try:
                assert all(isinstance(part.content, bytes) for part in request.form_parts())
            except InvalidDocument:
                continue

    def test_work_is_bounded(self) -> None:
        """Boundaries alone, by the million, end at once."""
        body = b"--xx\r\n" * 2_000_000
        with pytest.raises(InvalidDocument):
            WebhookRequest(headers=HEADERS, body=body).form_parts()
