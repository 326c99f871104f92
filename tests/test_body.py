"""Request bodies: a known length, the same bytes each time, nothing read whole."""

from __future__ import annotations

import json
import os
import threading
import tracemalloc
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailcore import Attachment, AttachmentChanged, Base64, Body, JsonBody, Message, NotSerializable
from mailcore._body import StreamedBody
from mailcore._file_content import PIECE

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.just("base64-goes-here"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def attached(content: bytes) -> Base64:
    """Return content as it stands in a document."""
    return Base64(Attachment(content=content))


class TestBase64:
    """An attachment's content as base64."""

    @pytest.mark.parametrize("length", [0, 1, 2, 3, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 2])
    def test_pieces(self, length: int) -> None:
        """Pieces join to one line, and the length is known before."""
        content = os.urandom(length)
        part = attached(content)
        assert b"".join(part) == b64encode(content)
        assert len(part) == len(b64encode(content))

    @pytest.mark.parametrize("sizes", [[], [0], [1], [1, 1, 1], [2, 2], [4, 0, 5], [3, 3], [PIECE, 1, PIECE]])
    def test_another_body(self, sizes: list[int]) -> None:
        """Another body's pieces may have any length: a mail's source within JSON, for instance."""
        pieces = [os.urandom(size) for size in sizes]
        part = Base64(StreamedBody(pieces))
        assert b"".join(part) == b64encode(b"".join(pieces))
        assert len(part) == len(b64encode(b"".join(pieces)))


class TestJsonBody:
    """A document with attachments in it."""

    def test_is_a_body(self) -> None:
        """It keeps the protocol."""
        assert isinstance(JsonBody({}), Body)

    @given(documents, st.lists(st.binary(max_size=20), max_size=3))
    @settings(deadline=None)
    def test_same_as_plain_json(self, document: Any, contents: list[bytes]) -> None:
        """It is the JSON of the document, whatever the mail says, with base64 in its places."""
        streamed = JsonBody(
            {"document": document, "files": [{"content": attached(item)} for item in contents]}
        )
        plain = {"document": document, "files": [{"content": b64encode(item).decode()} for item in contents]}
        assert b"".join(streamed) == json.dumps(plain, separators=(",", ":")).encode()
        assert len(streamed) == len(b"".join(streamed))

    def test_list(self) -> None:
        """A document may be a list."""
        assert b"".join(JsonBody([{"a": attached(b"abc")}, {"b": 1}])) == b'[{"a":"YWJj"},{"b":1}]'

    def test_read_again(self) -> None:
        """A retry reads the same bytes; so do several threads at once."""
        body, found = JsonBody({"a": attached(os.urandom(3 * PIECE))}), []
        threads = [threading.Thread(target=lambda: found.append(b"".join(body))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [b"".join(body)] * 4

    @pytest.mark.parametrize("text", ["base64-goes-here", "base64-goes-here-", "xbase64-goes-here--x"])
    def test_mail_that_says_the_marker(self, text: str) -> None:
        """Whatever the text says, content stands in its own place."""
        body = JsonBody({"text": text, "a": attached(b"abc"), "b": attached(b"def")})
        assert json.loads(b"".join(body)) == {"text": text, "a": "YWJj", "b": "ZGVm"}

    @pytest.mark.parametrize(
        "value",
        [float("nan"), float("inf"), b"x", {1}, datetime(2030, 1, 1, tzinfo=UTC), object(), {b"k": 1}],
    )
    def test_refused(self, value: Any) -> None:
        """What is not JSON is a typed error, at construction."""
        for document in ({"a": value}, {"a": [{"b": value}]}):
            with pytest.raises(NotSerializable):
                JsonBody(document)

    def test_loop(self) -> None:
        """A document that holds itself is refused."""
        loop: dict[str, Any] = {}
        loop["loop"] = [loop]
        with pytest.raises(NotSerializable):
            JsonBody(loop)

    def test_message_mappings(self) -> None:
        """Mappings of a message are written as objects."""
        assert b"".join(JsonBody({"m": Message(metadata={"a": {"b": 1}}).metadata})) == b'{"m":{"a":{"b":1}}}'

    def test_memory(self, tmp_path: Path) -> None:
        """A file is never in memory as a whole."""
        path = tmp_path / "big.bin"
        with path.open("wb") as file:
            file.truncate(8_000_000)
        body = JsonBody({"a": Base64(Attachment.from_path(path, root=tmp_path))})
        tracemalloc.start()
        try:
            assert sum(len(piece) for piece in body) == len(body) > 8_000_000 * 4 // 3
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()

    def test_file_that_changed(self, tmp_path: Path) -> None:
        """A file that changed stops the body before its end."""
        path = tmp_path / "a.bin"
        path.write_bytes(b"a")
        body = JsonBody({"a": Base64(Attachment.from_path(path, root=tmp_path))})
        path.write_bytes(b"abc")
        with pytest.raises(AttachmentChanged):
            b"".join(body)


class TestMarker:
    """What stands for a file while the text around it is encoded."""

    @pytest.mark.parametrize("tail", [0, 1, 50_000])
    def test_said_by_the_mail_itself(self, tail: int) -> None:
        """A text that says the marker, however long its tail, is kept; it costs one more encoding."""
        text = "base64-goes-here" + "-" * tail
        body = JsonBody({"text": text, "file": Base64(Attachment(content=b"abc"))})
        assert json.loads(b"".join(body)) == {"text": text, "file": "YWJj"}
