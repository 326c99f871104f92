"""What an answer means, whatever it holds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore import HttpResponse, MaybeSent, Message, RateLimited, SendError, SendResult
from mailcore_mailgun._responses import bracketed, result

NOW = datetime(2030, 1, 2, tzinfo=UTC)
MESSAGE = Message(from_="a@example.com", to="b@example.com", text="x").resolve()


class TestAnswers:
    """Answers that nobody documented."""

    @given(
        st.integers(100, 599), st.binary(max_size=60), st.sampled_from(["text/plain", "application/json", ""])
    )
    def test_anything(self, status: int, body: bytes, kind: str) -> None:
        """Anything is a result or a `SendError`; only 200 with an id is a result."""
        response = HttpResponse(status=status, headers={"Content-Type": kind}, body=body)
        try:
            found: SendResult | SendError = result(MESSAGE, response, now=NOW)
        except SendError as error:
            found = error
        assert isinstance(found, SendError) or status == 200
        assert "\n" not in str(found)

    @pytest.mark.parametrize(
        "body", [b'{"id":1}', b'{"id":""}', b'{"id":"a b"}', b"[]", b"null", b'{"id":null}']
    )
    def test_no_id(self, body: bytes) -> None:
        """A success without an id is unknown."""
        with pytest.raises(MaybeSent):
            result(MESSAGE, HttpResponse(status=200, body=body), now=NOW)

    def test_long_wait(self) -> None:
        """The words name the pause where no header does."""
        body = b'{"message":"limit exceeded, try again after 120 seconds"}'
        with pytest.raises(RateLimited) as error:
            result(MESSAGE, HttpResponse(status=429, body=body), now=NOW)
        assert error.value.retry_after == 120


@pytest.mark.parametrize(
    "given_, expected",
    [
        ("a@b", "<a@b>"),
        ("<a@b>", "<a@b>"),
        ("", None),
        (None, None),
        (5, None),
        ("a b", None),
        ("<a><b>", None),
    ],
)
def test_brackets(given_: object, expected: str | None) -> None:
    """An id is one with its brackets and without."""
    assert bracketed(given_) == expected
