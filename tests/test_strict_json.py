"""Strict JSON: one meaning, bounded work, one error."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailcore import InvalidDocument, WebhookRequest, strict_json

floats = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.text() | st.integers(-(10**19), 10**19) | floats,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class TestReading:
    """JSON that is taken."""

    @pytest.mark.parametrize(
        "text, value",
        [
            ('{"a":[1,2.5,true,null,"x"]}', {"a": [1, 2.5, True, None, "x"]}),
            ("5", 5),
            (" null\n", None),
            ('"\\ud83d\\ude00"', "😀"),
            ('["\\\\u0000"]', ["\\u0000"]),
            ("9" * 20, 10**20 - 1),
            ("-" + "9" * 20, -(10**20) + 1),
            ("[" * 64 + "]" * 64, json.loads("[" * 64 + "]" * 64)),
            ('"' + "[" * 99 + '"', "[" * 99),
        ],
        ids=lambda value: str(value)[:16],
    )
    def test_taken(self, text: str, value: Any) -> None:
        """Bytes and text mean the same."""
        assert strict_json(text) == strict_json(text.encode()) == value

    @pytest.mark.parametrize(
        "text, value",
        [
            ('"\\u0000a"', "\ufffda"),
            ('"\\ud800a"', "\ufffda"),
            ('"é\\u0000"', "é\ufffd"),
            ('{"\\udfff":"\\u0000"}', {"\ufffd": "\ufffd"}),
            ('{"é":1,"a\\u0000":2}', {"é": 1, "a\ufffd": 2}),
            ('["é",[{"a":["\\u0000"]}],"é"]', ["é", [{"a": ["\ufffd"]}], "é"]),
        ],
        ids=["nul", "surrogate", "beyond ascii", "key", "another key", "within"],
    )
    def test_mended(self, text: str, value: Any) -> None:
        """Characters that nothing can hold become U+FFFD, wherever they are."""
        assert strict_json(text) == strict_json(text.encode()) == value

    @pytest.mark.parametrize("text", ['"é"', '["a", "é"]', '{"é": "a"}'], ids=["text", "list", "key"])
    def test_good_text_stays(self, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """What needs no mending is not copied."""
        monkeypatch.setattr("mailcore._strict_json._scrub", None)
        assert strict_json(text) == json.loads(text)

    def test_lone_surrogate_in_text(self) -> None:
        """A text that holds what UTF-8 cannot is mended like its escape."""
        assert strict_json('"\ud800"') == "\ufffd"


class TestRefusing:
    """What parsers disagree about."""

    @pytest.mark.parametrize(
        "data",
        [
            b"", b" ", b"{", b"[1,]", b"{'a':1}", b'{"a":1}x', b"nul", b"01", b"+1", b".5", b"\xff",
            b'"\xe4"',
            b'"\xed\xa0\x80"', b"\xef\xbb\xbf1", "1".encode("utf-16"), b'"\x00"', b'"a\nb"',
            b'{"a":1,"a":1}', b'[{"a":{"b":1,"b":2}}]', b'{"\\u0061":1,"a":1}', b'{"\\u0000":1,"\\ud800":1}',
            b"NaN", b"[Infinity]", b'{"a":-Infinity}', b"1e999", b"-1e999", b"9" * 21, b"[" * 65 + b"]" * 65,
            b'{"a":' * 65 + b"1" + b"}" * 65,
        ],
        ids=lambda data: repr(data[:16]),
    )  # fmt: skip
    def test_refused(self, data: bytes) -> None:
        """One error, which quotes nothing of the input."""
        with pytest.raises(InvalidDocument) as caught:
            strict_json(data)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None

    def test_private(self) -> None:
        """The error does not show what stood in the document."""
        with pytest.raises(InvalidDocument) as caught:
            strict_json('{"secret": hunter2, "secret": hunter2}')
        assert "hunter2" not in str(caught.value)
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        "text, expected",
        [
            ("{", "The text is not UTF-8 JSON (JSONDecodeError)."),
            ("1e999", "The JSON has a number that is too large."),
            ("9" * 21, "The JSON has a number of more than 20 digits."),
            ("NaN", "The JSON has NaN, which is not a JSON value."),
            ('{"a":1,"a":1}', "The JSON has an object with a duplicate key."),
            ("[" * 65 + "]" * 65, "The JSON is nested more than 64 levels deep."),
            ("[" * 9_999 + "]" * 9_999, "The JSON is nested too deeply."),
        ],
        ids=lambda value: str(value)[:16],
    )
    def test_says_what_is_wrong(self, text: str, expected: str) -> None:
        """Whoever reads the log learns which rule the document broke."""
        with pytest.raises(InvalidDocument) as caught:
            strict_json(text)
        assert str(caught.value) == expected

    @pytest.mark.parametrize(
        "text, depth, taken",
        [("[{}]", 2, True), ("[{}]", 1, False), ("[]", 1, True), ("[]", 0, False), ('"["', 0, True)],
    )
    def test_depth_is_the_callers(self, text: str, depth: int, taken: bool) -> None:
        """Levels are counted in values; a bracket within a text is none."""
        with contextlib.nullcontext() if taken else pytest.raises(InvalidDocument):
            strict_json(text, max_depth=depth)

    @pytest.mark.parametrize("piece", [b"[", b'{"a":', b"[{", b"9", b'"\\ud800', b"1e9"])
    def test_bounded_work(self, piece: bytes) -> None:
        """Megabytes of one thing end in the error, soon."""
        started = time.process_time()
        with pytest.raises(InvalidDocument):
            strict_json(piece * (1_000_000 // len(piece)))
        assert time.process_time() - started < 2


class TestAnything:
    """What holds for every input."""

    @given(st.binary() | st.text())
    @settings(deadline=None, max_examples=200)
    @example("\ud800")
    @example(b"[[[[")
    def test_one_error(self, data: bytes | str) -> None:
        """Nothing but a value or `InvalidDocument` comes out."""
        with contextlib.suppress(InvalidDocument):
            strict_json(data)

    @given(
        st.lists(st.sampled_from([*list('{}[]:,"\\ue019-+.'), "null", "NaN", '"a"', "\\ud800"]), max_size=12)
    )
    @settings(deadline=None, max_examples=200)
    def test_agrees(self, pieces: list[str]) -> None:
        """What is taken means what the standard library takes it for, but for unusable characters."""
        text = "".join(pieces)
        try:
            found = strict_json(text)
        except InvalidDocument:
            return
        assert "\ufffd" in repr(found) or found == json.loads(text)

    @given(values)
    @settings(deadline=None, max_examples=100)
    def test_round_trip(self, value: Any) -> None:
        """Every JSON value comes back, but for NUL."""
        text = json.dumps(value)
        if "\\u0000" not in text:
            assert strict_json(text) == value


class TestRequests:
    """The body of a delivery."""

    def test_parsed_once(self) -> None:
        """The value is kept; the bytes stay as received."""
        request = WebhookRequest(body=b'{"a": [1]}')
        assert request.json() is request.json()
        assert request.body == b'{"a": [1]}'

    @pytest.mark.parametrize(
        "body, fields",
        [
            (b"a=1&b=%C3%A4+%2B&a=2", {"a": ("1", "2"), "b": ("ä +",)}),
            (b"a=", {"a": ("",)}),
            (b"a%00=b%00", {"a\ufffd": ("b\ufffd",)}),  # NUL would not survive a queue
        ],
    )
    def test_form(self, body: bytes, fields: dict[str, tuple[str, ...]]) -> None:
        """Repeats and blanks are kept."""
        assert WebhookRequest(body=body).form() == fields

    @pytest.mark.parametrize("body", [b"a", b"a=%FF", b"a=\xff", b"a=1&" * 1001 + b"a=1", b"a=1&&b=2"])
    def test_no_form(self, body: bytes) -> None:
        """Anything else is refused."""
        with pytest.raises(InvalidDocument):
            WebhookRequest(body=body).form()

    def test_text_is_no_body(self) -> None:
        """Text cannot be verified, so it is refused."""
        with pytest.raises(TypeError, match="bytes"):
            WebhookRequest(body="{}")
