"""Message → request: what no sample of the kit shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mailcore import (
    Context,
    HttpRequest,
    HttpResponse,
    JsonBody,
    Mailer,
    Message,
    SendError,
    UnsupportedFeature,
)
from mailcore.testing import RecordingTransport
from mailcore_postmark._adapter import PostmarkAdapter
from mailcore_postmark._options import PostmarkOptions

PLAIN: dict[str, Any] = {"from_": "ada@example.com", "to": "bob@example.com", "text": "Hello"}


def written(request: object) -> Any:
    """Return the JSON of a request."""
    assert isinstance(request, HttpRequest)
    assert isinstance(request.body, JsonBody)
    return json.loads(b"".join(request.body))


def element(ctx: Context, options: PostmarkOptions | None = None, **fields: Any) -> Any:
    """Return the JSON that sends a message of these fields."""
    message = Message(**{**PLAIN, **fields}).resolve()
    return written(PostmarkAdapter(options or PostmarkOptions()).build_send(message, ctx))


class TestFields:
    """One mail."""

    def test_no_recipient_but_a_hidden_one(self, ctx: Context) -> None:
        """There is no `To` where nobody is named in it."""
        found = element(ctx, to=None, bcc="eve@example.com")

        assert "To" not in found
        assert found["Bcc"] == "eve@example.com"

    def test_international_domain(self, ctx: Context) -> None:
        """A domain goes out in its ASCII form, of a merge's recipients as well."""
        assert element(ctx, to="Bob <bob@exämple.com>")["To"] == "Bob <bob@xn--exmple-cua.com>"
        [found] = element(ctx, to="Bob <bob@exämple.com>", merge_metadata={"bob@EXÄMPLE.com": {"a": "b"}})
        assert (found["To"], found["Metadata"]) == ("Bob <bob@xn--exmple-cua.com>", {"a": "b"})

    @pytest.mark.parametrize("on, links", [(True, "HtmlAndText"), (False, "None")])
    def test_tracking(self, ctx: Context, on: bool, links: str) -> None:
        """Off is said, and is not the same as nothing."""
        found = element(ctx, track_opens=on, track_clicks=on)

        assert (found["TrackOpens"], found["TrackLinks"]) == (on, links)
        assert not {"TrackOpens", "TrackLinks"} & element(ctx).keys()

    @pytest.mark.parametrize(
        "template_id, said",
        [
            (1234, {"TemplateId": 1234}),
            ("1234", {"TemplateId": 1234}),
            ("welcome", {"TemplateAlias": "welcome"}),
            ("٣", {"TemplateAlias": "٣"}),
        ],
    )
    def test_template(self, ctx: Context, template_id: str | int, said: dict[str, Any]) -> None:
        """Digits are an id, and all else is an alias."""
        found = element(ctx, text=None, template_id=template_id)

        assert found.items() >= said.items()
        assert len({"TemplateId", "TemplateAlias"} & found.keys()) == 1

    def test_plain_file_has_no_content_id(self, ctx: Context) -> None:
        """One that is shown inline would not be listed as a file."""
        from mailcore import Attachment

        file = Attachment(content=b"a", filename="a.png", content_id="a", inline=False)
        assert "ContentID" not in element(ctx, attachments=[file])["Attachments"][0]


class TestStream:
    """The message stream."""

    def test_is_a_setting(self, ctx: Context) -> None:
        """A setting names one for all mail; a mail may name another."""
        options = PostmarkOptions(message_stream="broadcast")

        assert "MessageStream" not in element(ctx)
        assert element(ctx, options)["MessageStream"] == "broadcast"
        own = {"postmark": {"MessageStream": "receipts"}, "mailpace": {"MessageStream": "no"}}
        assert element(ctx, options, provider_options=own)["MessageStream"] == "receipts"


class TestMerge:
    """One mail for each address in `to`."""

    def test_each_has_its_own(self, ctx: Context) -> None:
        """Values of one recipient are in no other's mail; copies and defaults are in each."""
        found = element(
            ctx,
            to=["bob@example.com", "eve@example.com"],
            cc="all@example.com",
            metadata={"a": "0", "b": "0"},
            headers={"X-A": "0", "X-B": "0"},
            merge_metadata={"bob@example.com": {"a": "1"}},
            merge_headers={"eve@example.com": {"x-a": "2"}},
        )

        assert [one["To"] for one in found] == ["bob@example.com", "eve@example.com"]
        assert [one["Cc"] for one in found] == ["all@example.com"] * 2
        assert [one["Metadata"] for one in found] == [{"a": "1", "b": "0"}, {"a": "0", "b": "0"}]
        assert [{item["Name"]: item["Value"] for item in one["Headers"]} for one in found] == [
            {"X-A": "0", "X-B": "0"},
            {"X-B": "0", "x-a": "2"},
        ]

    def test_empty_is_one_as_well(self, ctx: Context) -> None:
        """Presence counts, also of values for a template that there is not."""
        assert [one["To"] for one in element(ctx, merge_data={})] == ["bob@example.com"]

    def test_too_many_costs_no_request(self, make_mailer: Callable[..., Mailer]) -> None:
        """What no batch can hold is refused before anything is sent."""
        transport = RecordingTransport(HttpResponse(status=200))
        to = [f"{number}@example.com" for number in range(501)]
        with pytest.raises(UnsupportedFeature) as caught:
            make_mailer(transport).send(Message(**{**PLAIN, "to": to}, merge_metadata={}))

        assert (caught.value.field, caught.value.provider, transport.requests) == ("to", "postmark", [])


class TestBatches:
    """`send_many`, by way of a mailer."""

    def test_each_kind_has_its_endpoint(self, make_mailer: Callable[..., Mailer]) -> None:
        """Plain mail, templates and merges never share a request, and each outcome is its own mail's."""

        def answer(request: HttpRequest) -> HttpResponse:
            document = written(request)
            found = document if isinstance(document, list) else document.get("Messages", document)
            many = [{"ErrorCode": 0, "MessageID": one["To"], "Message": "OK"} for one in found]
            return HttpResponse(status=200, body=json.dumps(many).encode())

        transport = RecordingTransport(answer)
        kinds: list[dict[str, Any]] = [
            {},
            {"text": None, "template_id": "welcome"},
            {"merge_metadata": {}},
            {},
            {"text": None, "template_id": 7},
            {"text": None, "template_id": 7, "merge_data": {}},
        ]
        messages = [Message(**{**PLAIN, "to": f"{n}@example.com", **kind}) for n, kind in enumerate(kinds)]
        outcomes = make_mailer(transport).send_many(messages)

        assert [one.unwrap().message_id for one in outcomes] == [f"{n}@example.com" for n in range(6)]
        paths = [request.url.removeprefix("https://api.postmarkapp.com") for request in transport.requests]
        sizes = [
            len(doc if isinstance(doc := written(one), list) else doc["Messages"])
            for one in transport.requests
        ]
        assert list(zip(paths, sizes, strict=True)) == [
            ("/email/batch", 1),
            ("/email/batchWithTemplates", 1),
            ("/email/batch", 2),
            ("/email/batchWithTemplates", 2),
        ]

    def test_lost_answer(self, make_mailer: Callable[..., Mailer]) -> None:
        """Without a readable answer, every mail of the batch is in doubt, and none is repeated."""
        transport = RecordingTransport(HttpResponse(status=200, body=b"[]"))
        outcomes = make_mailer(transport, max_attempts=4).send_many([Message(**PLAIN)] * 2)

        assert [type(one.error).__name__ for one in outcomes] == ["MaybeSent"] * 2
        assert [one.error.retriable for one in outcomes if isinstance(one.error, SendError)] == [False] * 2
        assert len(transport.requests) == 1
