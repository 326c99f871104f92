"""Response → result or error: what no sample of the kit shows."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore import (
    AccountProblem,
    Context,
    HttpResponse,
    MaybeSent,
    Message,
    RecipientRejected,
    Rejected,
    SendError,
    SendResult,
    SendStatus,
)
from mailcore_postmark._adapter import PostmarkAdapter
from mailcore_postmark._options import PostmarkOptions

ADAPTER = PostmarkAdapter(PostmarkOptions())
TO = ["bob@example.com", "Eve@Example.com"]
OK: dict[str, Any] = {"ErrorCode": 0, "Message": "OK", "MessageID": "id-1"}
INACTIVE = {
    "ErrorCode": 406,
    "Message": "Found inactive addresses: eve@example.com. Inactive recipients are.",
}
CREDITS = {"ErrorCode": 405, "Message": "No credits."}
INVALID = {"ErrorCode": 300, "Message": "Invalid 'To' address: 'x'."}


def answer(document: Any, status: int = 200) -> HttpResponse:
    """Return an answer of that JSON."""
    return HttpResponse(status=status, body=json.dumps(document).encode())


def mail(**fields: Any) -> Message:
    """Return a mail to two."""
    return Message(**{"from_": "ada@example.com", "to": TO, "text": "Hello", **fields}).resolve()


class TestInactive:
    """Addresses that Postmark leaves out, and says so in a sentence."""

    @pytest.mark.parametrize(
        "said",
        [
            "inactive addresses: eve@example.com",
            "inactive addresses: eve@example.com.",
            "inactive addresses: eve@example.com. Inactive recipients are ones that bounced.",
            "inactive addresses: other@example.com, eve@example.com.\nInactive recipients are.",
            "inactive addresses:eve@example.com",
        ],
    )
    def test_is_in_the_result(self, ctx: Context, said: str) -> None:
        """Whatever letters and whatever comes after the list."""
        found = ADAPTER.parse_send(
            mail(), ctx, answer({**OK, "Message": f"Message OK, but will not deliver to {said}"})
        )

        assert [row.status for row in found.recipients.values()] == [SendStatus.QUEUED, SendStatus.REJECTED]
        assert found.recipients["Eve@Example.com"].message_id is None
        assert found.scope == "recipient"

    def test_nobody_is_left(self, ctx: Context) -> None:
        """An acceptance for nobody is none."""
        text = (
            "Message OK, but will not deliver to these inactive addresses: eve@example.com, bob@example.com"
        )
        with pytest.raises(RecipientRejected):
            ADAPTER.parse_send(mail(), ctx, answer({**OK, "Message": text}))

    def test_others_only(self, ctx: Context) -> None:
        """A sentence about nobody of ours changes nothing."""
        found = ADAPTER.parse_send(
            mail(), ctx, answer({**OK, "Message": "these inactive addresses: x@y.example"})
        )

        assert {row.status for row in found.recipients.values()} == {SendStatus.QUEUED}
        assert found.scope == "message"

    def test_a_long_list(self, ctx: Context) -> None:
        """The text of a result is short, and the list is read whole."""
        names = ", ".join(f"user{number}@example.com" for number in range(1000))
        text = f"Message OK, but will not deliver to these inactive addresses: {names}, eve@example.com"
        found = ADAPTER.parse_send(mail(), ctx, answer({**OK, "Message": text}))

        assert found.recipients["Eve@Example.com"].status is SendStatus.REJECTED
        assert len(found.recipients["Eve@Example.com"].reason) == 500

    def test_takes_no_time(self, ctx: Context) -> None:
        """A hostile sentence is read once."""
        started = time.perf_counter()
        for text in ("inactive addresses: " + "a@" * 300_000, "inactive addresses:" * 50_000, ". " * 300_000):
            ADAPTER.parse_send(mail(), ctx, answer({**OK, "Message": text}))
        assert time.perf_counter() - started < 2


class TestMerge:
    """One verdict for each address in `to`."""

    def merged(self, ctx: Context, *elements: Any, **fields: Any) -> SendResult:
        """Return what these verdicts make of a merge."""
        return ADAPTER.parse_send(mail(merge_metadata={}, **fields), ctx, answer(list(elements)))

    def test_all_accepted(self, ctx: Context) -> None:
        """There are as many ids as mails, and no one id of all."""
        found = self.merged(ctx, OK, {**OK, "MessageID": "id-2"}, cc="cc@example.com")

        assert (found.message_id, found.message_ids, found.scope) == (None, ("id-1", "id-2"), "recipient")
        assert [found.recipients[to].message_id for to in TO] == ["id-1", "id-2"]
        assert found.recipients["cc@example.com"].status is SendStatus.QUEUED

    @pytest.mark.parametrize(
        "element, status, code",
        [
            (INACTIVE, SendStatus.REJECTED, "406"),
            (INVALID, SendStatus.INVALID, "300"),
            (CREDITS, SendStatus.FAILED, "405"),
            (None, SendStatus.UNKNOWN, None),
            ({"ErrorCode": 0}, SendStatus.UNKNOWN, None),
        ],
    )
    def test_one_is_not(self, ctx: Context, element: Any, status: SendStatus, code: str | None) -> None:
        """The others are; the result says which, and why."""
        found = self.merged(ctx, OK, element)
        row = found.recipients["Eve@Example.com"]

        assert (row.status, row.code, row.message_id) == (status, code, None)
        assert row.reason
        assert (found.message_id, found.recipients["bob@example.com"].status) == ("id-1", SendStatus.QUEUED)

    @pytest.mark.parametrize(
        "elements, error",
        [
            ([INACTIVE, INVALID], RecipientRejected),
            ([CREDITS, INACTIVE], AccountProblem),
            ([INACTIVE, None], MaybeSent),
        ],
    )
    def test_none_is(self, ctx: Context, elements: list[Any], error: type[SendError]) -> None:
        """It is an error: the first one, unless a mail may be out."""
        with pytest.raises(error):
            self.merged(ctx, *elements)

    @pytest.mark.parametrize("elements", [[], [OK], [OK] * 3])
    def test_another_number(self, ctx: Context, elements: list[Any]) -> None:
        """Verdicts that do not match the recipients are of nobody."""
        with pytest.raises(MaybeSent):
            self.merged(ctx, *elements)


class TestWhole:
    """An answer to a batch that is one verdict."""

    @pytest.mark.parametrize("status", [200, 401, 422])
    def test_code_wins(self, ctx: Context, status: int) -> None:
        """Whatever the status, the code says what it is."""
        with pytest.raises(AccountProblem) as caught:
            ADAPTER.parse_batch([mail(), mail()], ctx, answer(CREDITS, status))

        assert caught.value.code == "405"
        assert "No credits." in str(caught.value)

    def test_accepted_for_many(self, ctx: Context) -> None:
        """One acceptance for several mails is none."""
        with pytest.raises(MaybeSent):
            ADAPTER.parse_batch([mail(), mail()], ctx, answer(OK))

    @pytest.mark.parametrize("status", [500, 502, 504])
    def test_trouble_keeps_its_doubt(self, ctx: Context, status: int) -> None:
        """A code does not make a failure of the server a refusal."""
        with pytest.raises(MaybeSent):
            ADAPTER.parse_send(mail(), ctx, answer(CREDITS, status))


def test_retry_after(ctx: Context) -> None:
    """How long to wait is passed on."""
    response = HttpResponse(
        status=429, headers={"Retry-After": "17"}, body=b'{"ErrorCode":429,"Message":"Slow."}'
    )
    with pytest.raises(SendError) as caught:
        ADAPTER.parse_send(mail(), ctx, response)

    assert (type(caught.value).__name__, caught.value.retry_after) == ("RateLimited", 17)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["ErrorCode", "Message", "MessageID", "To", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(values, st.sampled_from([200, 202, 400, 422, 429, 500, 503]))
def test_anything_is_a_result_or_a_send_error(document: Any, status: int) -> None:
    """Whatever Postmark answers, nothing else comes of it."""
    from datetime import UTC, datetime

    now = datetime(2025, 6, 1, tzinfo=UTC)
    ctx = Context(now=now, created=now, unique="0")
    for message in (mail(), mail(merge_metadata={})):
        try:
            assert isinstance(ADAPTER.parse_send(message, ctx, answer(document, status)), SendResult)
        except SendError as error:
            assert status != 200 or isinstance(error, MaybeSent | Rejected) or error.code  # noqa: PT017  # reason: one of three
    try:
        found = ADAPTER.parse_batch([mail()], ctx, answer(document, status))
    except SendError:
        return
    assert len(found) == 1
