"""What a message becomes on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest

from mailcore import (
    Attachment,
    HttpRequest,
    HttpResponse,
    Mailer,
    Message,
    UnsupportedFeature,
    WebhookRequest,
)
from mailcore.testing import RecordingTransport

OK = HttpResponse(status=200, body=b'{"id":"<1@example.com>","message":"Queued. Thank you."}')
BASE: dict[str, Any] = {"from_": "Ada <ada@example.com>", "to": "bob@example.com", "text": "Hello"}
IMAGE = {"content": b"\x89PNG", "filename": "company.png", "content_id": "logo"}


@pytest.fixture
def sent(make_mailer: Callable[..., Mailer]) -> Callable[..., HttpRequest]:
    """Return a function that sends a message and returns the request."""

    def send(config: dict[str, Any] | None = None, **fields: Any) -> HttpRequest:
        transport = RecordingTransport(OK)
        make_mailer(transport, **(config or {})).send(Message(**{**BASE, **fields}))
        (request,) = transport.requests
        assert isinstance(request, HttpRequest)
        return request

    return send


def fields(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the fields of either form."""
    kind, body = dict(request.headers)["Content-Type"], b"".join(request.body)
    if kind == "application/x-www-form-urlencoded":
        return parse_qsl(body.decode(), keep_blank_values=True)
    delivery = WebhookRequest(headers={"Content-Type": str(kind)}, body=body)
    return [(part.name, part.text) for part in delivery.form_parts() if part.filename is None]


def files(request: HttpRequest) -> list[tuple[str, str | None, bytes]]:
    """Return field, name and content of each file."""
    headers = {"Content-Type": str(dict(request.headers)["Content-Type"])}
    delivery = WebhookRequest(headers=headers, body=b"".join(request.body))
    return [
        (part.name, part.filename, part.content)
        for part in delivery.form_parts()
        if part.filename is not None
    ]


class TestWhere:
    """Endpoint, region, domain and key."""

    @pytest.mark.parametrize(
        "config, url",
        [
            ({}, "https://api.mailgun.net/v3/example.com/messages"),
            ({"region": "eu"}, "https://api.eu.mailgun.net/v3/example.com/messages"),
            ({"domain": "mg.exämple.com"}, "https://api.mailgun.net/v3/mg.xn--exmple-cua.com/messages"),
            (
                {"api_url": "https://proxy.example.com/a/"},
                "https://proxy.example.com/a/v3/example.com/messages",
            ),
        ],
    )
    def test_urls(self, sent: Callable[..., HttpRequest], config: dict[str, Any], url: str) -> None:
        """The region chooses the host, the sender or the setting the domain."""
        assert sent(config).url == url

    def test_hostile_domain(self, sent: Callable[..., HttpRequest]) -> None:
        """Whatever the sender's domain is, it stays one step of the path."""
        url = sent(from_="ada@[127.0.0.1]").url
        assert url == "https://api.mailgun.net/v3/%5B127.0.0.1%5D/messages"


class TestForm:
    """The usual way."""

    def test_least(self, sent: Callable[..., HttpRequest]) -> None:
        """What the message lacks is no field."""
        expected = [("from", "Ada <ada@example.com>"), ("to", "bob@example.com"), ("text", "Hello")]
        assert fields(sent()) == expected

    def test_repeats(self, sent: Callable[..., HttpRequest]) -> None:
        """Each address and each tag is a field of its own; a comma in a name makes no recipient."""
        request = sent(to=['"Bob, Inc." <bob@example.com>', "eve@example.com"], tags=["a", "b"])
        found = fields(request)
        assert [value for name, value in found if name == "to"] == [
            '"Bob, Inc." <bob@example.com>',
            "eve@example.com",
        ]
        assert [value for name, value in found if name == "o:tag"] == ["a", "b"]

    def test_file_named_as_its_id(self, sent: Callable[..., HttpRequest]) -> None:
        """An inline file without another name goes under its content id."""
        image = Attachment(content=b"x", content_type="image/png", content_id="logo")
        request = sent(attachments=[image, Attachment(content=b"y", filename="a.txt")], html="<img>")
        assert request.url.endswith("/messages")
        assert files(request) == [("inline", "logo", b"x"), ("attachment", "a.txt", b"y")]

    @pytest.mark.parametrize(
        "value, texts",
        [
            (True, ["yes"]),
            (False, ["no"]),
            (5, ["5"]),
            (["a", 1], ["a", "1"]),
            ({"a": [True]}, ['{"a": [true]}']),
        ],
    )
    def test_own_options(self, sent: Callable[..., HttpRequest], value: Any, texts: list[str]) -> None:
        """Fields of the user's own win over the message's, each in the form that Mailgun reads."""
        request = sent(tags="lost", provider_options={"mailgun": {"o:tag": value}, "other": {"o:x": "y"}})
        assert [value for name, value in fields(request) if name.startswith("o:")] == texts


class TestMime:
    """Where the form would lose something."""

    @pytest.mark.parametrize(
        "more",
        [
            {"html": "<img>", "attachments": Attachment(**IMAGE)},
            {"html": "<img>", "attachments": Attachment(content=b"x", filename="a.png", inline=True)},
            {"attachments": Attachment(content="x", content_type="text/calendar; method=REQUEST")},
            {"to": None, "cc": "bob@example.com"},
        ],
    )
    def test_when(self, sent: Callable[..., HttpRequest], more: dict[str, Any]) -> None:
        """Each reason by itself is enough."""
        assert sent(**more).url.endswith("/messages.mime")

    def test_what(self, sent: Callable[..., HttpRequest]) -> None:
        """The envelope is in fields with the options, all else in the mail; bcc is not shown."""
        request = sent(
            cc="eve@example.com", bcc="hidden@example.com", html="<img src='cid:logo'>", tags="a",
            attachments=Attachment(**IMAGE), headers={"X-A": "1"}, metadata={"order": 17},
        )  # fmt: skip
        ((field, name, mail),) = files(request)
        assert fields(request) == [
            ("to", "bob@example.com"), ("to", "eve@example.com"), ("to", "hidden@example.com"),
            ("v:order", "17"), ("o:tag", "a"),
        ]  # fmt: skip
        assert (field, name) == ("message", "message")
        assert b"hidden" not in mail
        assert b'filename="company.png"' in mail
        assert b"Content-ID: <logo>" in mail
        assert b"X-A: 1" in mail

    def test_same_bytes(self, make_mailer: Callable[..., Mailer]) -> None:
        """The same send makes the same mail: its id and date come from the context."""
        mailer = make_mailer(RecordingTransport())
        message = Message(**BASE, html="<img>", attachments=Attachment(**IMAGE))
        first = mailer.preview(message)
        assert b"".join(first.body) == b"".join(first.body)

    @pytest.mark.parametrize(
        "more, field",
        [
            ({"merge_data": {}, "html": "<img>", "attachments": Attachment(**IMAGE)}, "attachments"),
            ({"template_id": "t", "to": None, "cc": "bob@example.com"}, "to"),
        ],
    )
    def test_never(self, sent: Callable[..., HttpRequest], more: dict[str, Any], field: str) -> None:
        """A batch would show its recipients to each other, so it is refused."""
        with pytest.raises(UnsupportedFeature) as error:
            sent(**more)
        assert error.value.field == field


class TestBatch:
    """What each recipient has of its own."""

    def test_rows_are_full(self, sent: Callable[..., HttpRequest]) -> None:
        """Each recipient has each name, from its row, the defaults, or empty."""
        request = sent(
            to=["bob@example.com", "eve@exämple.com"],
            merge_data={"bob@example.com": {"name": "Bob", "n": 1}, "eve@exämple.com": {"name": "Eve"}},
            merge_global_data={"n": 0, "all": "x"},
        )
        found = dict(fields(request))
        assert json.loads(found["recipient-variables"]) == {
            "bob@example.com": {"name": "Bob", "n": 1, "all": "x"},
            "eve@xn--exmple-cua.com": {"name": "Eve", "n": 0, "all": "x"},
        }

    def test_empty_is_a_batch(self, sent: Callable[..., HttpRequest]) -> None:
        """Even without values, nobody sees the others."""
        request = sent(to=["bob@example.com", "eve@example.com"], merge_data={})
        rows = json.loads(dict(fields(request))["recipient-variables"])
        assert rows == {"bob@example.com": {}, "eve@example.com": {}}

    def test_headers_and_metadata(self, sent: Callable[..., HttpRequest]) -> None:
        """They refer to the recipient's value; whoever has none gets the message's, in any letter case."""
        request = sent(
            to=["bob@example.com", "eve@example.com"],
            headers={"X-Who": "-"}, metadata={"who": "?", "list": ["a"]},
            merge_headers={"bob@example.com": {"x-who": "Bob"}},
            merge_metadata={"eve@example.com": {"who": 2}},
        )  # fmt: skip
        found = dict(fields(request))
        assert found["h:X-Who"] == "%recipient.h:X-Who%"
        assert (found["v:who"], found["v:list"]) == ("%recipient.v:who%", '["a"]')
        assert json.loads(found["recipient-variables"]) == {
            "bob@example.com": {"h:X-Who": "Bob", "v:who": "?"},
            "eve@example.com": {"h:X-Who": "-", "v:who": "2"},
        }

    def test_template(self, sent: Callable[..., HttpRequest]) -> None:
        """A stored template gets values for all, and references to those of each."""
        request = sent(
            text=None,
            template_id="t",
            merge_data={"bob@example.com": {"name": "Bob"}},
            merge_global_data={"n": 1},
        )
        found = dict(fields(request))
        assert found["template"] == "t"
        assert json.loads(found["t:variables"]) == {"n": 1, "name": "%recipient.name%"}

    def test_values_for_all_are_no_batch(self, sent: Callable[..., HttpRequest]) -> None:
        """With a template they go to all, who see each other as in any mail."""
        request = sent(
            text=None, template_id="t", to=["a@example.com", "b@example.com"], merge_global_data={"n": 1}
        )
        assert "recipient-variables" not in dict(fields(request))
