"""Message → request: what MailPace is sent is what its documentation asks for, to the byte."""

from __future__ import annotations

import base64
import json
import pickle
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.headerregistry import AddressHeader
from email.policy import default
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from mailcore import (
    Adapter,
    Address,
    Attachment,
    Context,
    HttpRequest,
    HttpResponse,
    Idempotency,
    Mailer,
    Message,
    NotSerializable,
    PluginHost,
    Secret,
    UnsupportedFeature,
)
from mailcore.testing import RecordingTransport
from mailcore_mailpace._adapter import MailPaceAdapter
from mailcore_mailpace._options import MailPaceOptions

CREATED = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
EXCHANGES = files("mailcore_mailpace") / "kit" / "exchanges"
ACCEPTED = HttpResponse(status=200, body=b'{"id":1,"status":"pending"}')
MINIMAL: dict[str, Any] = {"from_": "ada@example.com", "to": "bob@example.com", "text": "Hello"}


def context(**changes: Any) -> Context:
    """Return what core tells an adapter at the first attempt."""
    return Context(**{"now": CREATED, "created": CREATED, "unique": "0" * 32, **changes})


def adapter(**options: Any) -> Adapter:
    """Return an adapter with a token."""
    return MailPaceAdapter(MailPaceOptions(**{"api_key": "TOKEN", **options}))


def request(ctx: Context | None = None, **fields: Any) -> HttpRequest:
    """Return the request for a minimal message with these fields."""
    message = Message(**{**MINIMAL, **fields}).resolve()
    built = adapter().build_send(message, ctx or context())
    assert isinstance(built, HttpRequest)
    return built


def body(ctx: Context | None = None, **fields: Any) -> bytes:
    """Return the body for a minimal message with these fields."""
    return b"".join(request(ctx, **fields).body)


def payload(**fields: Any) -> dict[str, Any]:
    """Return the JSON for a minimal message with these fields."""
    document = json.loads(body(**fields))
    assert isinstance(document, dict)
    return document


def headers(built: HttpRequest) -> dict[str, str]:
    """Return headers as they go over the wire."""
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in built.headers}


def read_addresses(text: str) -> list[tuple[str, str]]:
    """Return (name, address) as the standard library's parser reads a list; refuse what it finds odd."""
    header = default.header_factory("To", text)
    assert isinstance(header, AddressHeader)
    assert not header.defects
    return [(address.display_name, address.addr_spec) for address in header.addresses]


class TestRequest:
    """Method, address and headers."""

    @pytest.mark.rule("MP-S1")
    def test_posts_to_the_send_endpoint_over_https(self) -> None:
        """The documented address is used, not an older host."""
        built = request()

        assert (built.method, built.url) == ("POST", "https://app.mailpace.com/api/v1/send")

    @pytest.mark.rule("MP-S2", "MP-C1")
    def test_has_the_three_required_headers_and_no_other(self) -> None:
        """The token goes into its own header; there is no `Authorization`."""
        expected = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "MailPace-Server-Token": "TOKEN",
        }

        assert headers(request()) == expected
        assert len(request().headers) == len(expected)

    @pytest.mark.rule("MP-C1")
    def test_asks_one_thing_once(self) -> None:
        """A send is one request that commits: no other endpoint is tried before or after."""
        flow = adapter().send_flow(Message(**MINIMAL).resolve(), context())

        assert next(flow).commits
        with pytest.raises(StopIteration):
            flow.send(ACCEPTED)

    def test_goes_where_api_url_says(self) -> None:
        """Another address, as for an emulator, changes the address and nothing else."""
        message = Message(**MINIMAL).resolve()
        there = adapter(api_url="http://127.0.0.1:8025/api/v1/send").build_send(message, context())

        assert isinstance(there, HttpRequest)
        assert there.url == "http://127.0.0.1:8025/api/v1/send"
        assert headers(there) == headers(request())

    def test_says_its_length(self) -> None:
        """The length is known before the body is read, so that it is not sent in chunks."""
        built = request(attachments=Attachment(content=b"12345", filename="a.txt"))

        assert len(built.body) == len(b"".join(built.body))


class TestIdempotencyKey:
    """The header that makes a repeated request harmless."""

    @pytest.mark.rule("MP-S3", "MP-C12")
    def test_is_the_key_of_the_context(self) -> None:
        """The key core decided on goes out as it is."""
        assert (
            headers(request(context(idempotency_key="order-17/receipt")))["Idempotency-Key"]
            == "order-17/receipt"
        )

    @pytest.mark.rule("MP-S3", "MP-C12")
    @pytest.mark.parametrize("key", [None, ""])
    def test_is_absent_where_there_is_none(self, key: str | None) -> None:
        """A blank key would be shared by all mail, so that all but the first were swallowed."""
        assert "Idempotency-Key" not in headers(request(context(idempotency_key=key)))

    @pytest.mark.rule("MP-C12")
    def test_is_made_once_a_send(self, make_mailer: Callable[..., Mailer]) -> None:
        """Where the caller gives no key, each send gets one of its own and tells it."""
        transport = RecordingTransport(ACCEPTED)
        mailer = make_mailer(transport)
        results = [mailer.send(Message(**MINIMAL)) for _ in range(3)]
        sent = [headers(built)["Idempotency-Key"] for built in transport.requests]

        assert sent == [result.idempotency_key for result in results]
        assert len(set(sent)) == 3

    @pytest.mark.rule("MP-C12")
    @pytest.mark.parametrize("to", ["bob@example.com", ["bob@example.com", "eve@example.com"]])
    def test_is_not_made_of_the_message(self, to: Any, make_mailer: Callable[..., Mailer]) -> None:
        """The same mail to the same person a minute later is another mail."""
        transport = RecordingTransport(ACCEPTED)
        mailer = make_mailer(transport)
        message = Message(**{**MINIMAL, "to": to})
        mailer.send(message)
        mailer.send(message)
        first, second = (headers(built)["Idempotency-Key"] for built in transport.requests)

        assert first != second

    @pytest.mark.rule("MP-S3")
    @pytest.mark.parametrize("length", [1, 255])
    def test_may_have_255_characters(self, length: int, make_mailer: Callable[..., Mailer]) -> None:
        """A key of the documented length goes out whole."""
        transport = RecordingTransport(ACCEPTED)
        make_mailer(transport).send(Message(**MINIMAL, idempotency_key="k" * length))

        assert headers(transport.requests[0])["Idempotency-Key"] == "k" * length

    @pytest.mark.rule("MP-S3")
    @pytest.mark.parametrize("policy", ["raise", "warn", "drop"])
    def test_is_never_cut(self, policy: str, make_mailer: Callable[..., Mailer]) -> None:
        """A longer key is refused before anything is sent, whatever may be dropped otherwise."""
        transport = RecordingTransport()
        with pytest.raises(UnsupportedFeature, match="255") as caught:
            make_mailer(transport, on_unsupported=policy).send(Message(**MINIMAL, idempotency_key="k" * 256))

        assert (caught.value.field, transport.requests) == ("idempotency_key", [])

    @pytest.mark.rule("MP-S3")
    def test_the_promise_is_registered(self, host: PluginHost) -> None:
        """A day, 255 characters; errors are not kept and bodies not compared."""
        assert host.spec("mailpace").idempotency == Idempotency(ttl=86_400, max_length=255)

    @pytest.mark.rule("MP-S3")
    def test_same_key_same_bytes(self) -> None:
        """Built again for the same key and context, the body is byte-identical: nothing in it is new."""
        fields: dict[str, Any] = {
            "html": "<p>Hi</p>",
            "tags": ["a", "b"],
            "attachments": [Attachment(content=b"x" * 1000, filename="a.txt"), Attachment(content=b"y")],
        }
        key = "3d6ad6b0-2f0f-4a63-8a53-5a9d1d1c6c55"
        first = context(idempotency_key=key)
        retry = context(idempotency_key=key, now=CREATED + timedelta(minutes=5), attempt=2)

        assert body(first, **fields) == body(first, **fields) == body(retry, **fields)
        assert headers(request(first)) == headers(request(retry))


#: Our fields → the whole payload, beyond the sender, the recipient and the text.
FIELDS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("nothing more", {}, {}),
    ("subject", {"subject": "Grüße"}, {"subject": "Grüße"}),
    ("html", {"html": "<p>Hi</p>"}, {"htmlbody": "<p>Hi</p>"}),
    ("cc", {"cc": ["c@example.com", "Dee <d@example.com>"]}, {"cc": "c@example.com, Dee <d@example.com>"}),
    ("bcc", {"bcc": ["c@example.com", "d@example.com"]}, {"bcc": "c@example.com, d@example.com"}),
    ("reply_to", {"reply_to": "Eve <e@example.com>"}, {"replyto": "Eve <e@example.com>"}),
    ("in_reply_to", {"in_reply_to": "<a@b.example>"}, {"inreplyto": "<a@b.example>"}),
    (
        "references",
        {"references": ["<a@b.example>", "<c@d.example>"]},
        {"references": "<a@b.example> <c@d.example>"},
    ),
    ("one tag", {"tags": "welcome"}, {"tags": ["welcome"]}),
    ("tags", {"tags": ["password reset", "2nd, tag"]}, {"tags": ["password reset", "2nd, tag"]}),
    (
        "list_unsubscribe",
        {"list_unsubscribe": ["https://a.example/u?x=1&y=2", "mailto:u@a.example?subject=x"]},
        {"list_unsubscribe": "<https://a.example/u?x=1&y=2>, <mailto:u@a.example?subject=x>"},
    ),
    (
        "attachment",
        {"attachments": Attachment(content=b"a,b", filename="a.csv", content_type="text/csv")},
        {"attachments": [{"name": "a.csv", "content": "YSxi", "content_type": "text/csv"}]},
    ),
]


TEXTS = ("subject", "html")
LISTS = ("cc", "bcc", "reply_to", "references", "list_unsubscribe", "tags", "attachments")


class TestFields:
    """Each field has one place, and nothing else appears."""

    @pytest.mark.rule("MP-S4")
    @pytest.mark.parametrize("fields, expected", [pytest.param(*row[1:], id=row[0]) for row in FIELDS])
    def test_maps(self, fields: dict[str, Any], expected: dict[str, Any]) -> None:
        """The payload is the minimal one and this field, under MailPace's name and in its form."""
        minimal = {"from": "ada@example.com", "to": "bob@example.com", "textbody": "Hello"}

        assert payload(**fields) == {**minimal, **expected}

    @pytest.mark.rule("MP-S4", "MP-S2")
    @pytest.mark.parametrize("name", ["accepted-full", "accepted-minimal", "accepted-nameless"])
    def test_sends_the_documented_request(self, name: str) -> None:
        """The whole request equals the sample, to the byte."""
        sample = json.loads((EXCHANGES / f"{name}.json").read_text(encoding="utf-8"))
        fields, expected = sample["message"], sample["request"]
        attachments = [
            Attachment(content=base64.b64decode(item.pop("content_base64")), **item)
            for item in fields.pop("attachments", [])
        ]
        key = dict(expected["headers"]).get("Idempotency-Key")
        message = Message(**fields, attachments=attachments).resolve()
        built = adapter().build_send(message, context(idempotency_key=key))

        assert isinstance(built, HttpRequest)
        assert (built.method, built.url) == (expected["method"], expected["url"])
        assert headers(built) == dict(expected["headers"])
        assert b"".join(built.body) == expected["body"].encode()

    @pytest.mark.rule("MP-C7")
    def test_tags_are_an_array(self) -> None:
        """Each tag is an item; the text of a list would be one strange tag."""
        assert payload(tags=("a", "b"))["tags"] == ["a", "b"]

    @pytest.mark.rule("MP-C8")
    def test_references_are_separated_by_spaces(self) -> None:
        """As in the header they become; a comma would be a part of an id."""
        assert payload(references=["<a@b.example>", "<c@d.example>"])["references"].split(" ") == [
            "<a@b.example>",
            "<c@d.example>",
        ]

    @pytest.mark.rule("MP-C5")
    @pytest.mark.parametrize(
        "absent, fields",
        [(None, (*TEXTS, *LISTS, "in_reply_to")), ("", TEXTS), ([], LISTS), ((), LISTS)],
        ids=["None", "text", "list", "tuple"],
    )
    def test_absent_fields_are_absent_keys(self, absent: Any, fields: tuple[str, ...]) -> None:
        """None, empty text and empty lists leave no trace: no null, "" or []."""
        assert payload(**dict.fromkeys(fields, absent)) == {
            "from": "ada@example.com",
            "to": "bob@example.com",
            "textbody": "Hello",
        }

    @pytest.mark.rule("MP-S4")
    def test_html_alone_is_a_mail(self) -> None:
        """One of the two bodies is enough; the other one is not made up."""
        assert payload(text=None, html="<p>Hi</p>") == {
            "from": "ada@example.com",
            "to": "bob@example.com",
            "htmlbody": "<p>Hi</p>",
        }

    def test_text_of_any_kind_arrives(self) -> None:
        """Quotes, line breaks, other scripts and symbols beyond 16 bits are what they were."""
        text = 'He said: "<b>Grüß Gott</b>" \\ 你好 😀\r\n\tEnd\u2028'

        assert payload(text=text, html=text)["htmlbody"] == text


#: Display names that break a list when they are written as they are.
NAMES = [
    "Ada",
    "Ada Lovelace",
    "Lovelace, Ada",
    'Ada "The Countess" Lovelace',
    "Ada \\ Lovelace",
    '"',
    "\\",
    "Ada (Countess)",
    "ada@elsewhere.example",
    "Mallory <mallory@evil.example>",
    "a; b: c.",
    "Зоя",
    "Grüße, Jürgen",
    "名前",
    "Dr. Ada L. (PhD), FRS",
]


class TestAddresses:
    """Lists of addresses are one text, in which no name can add or break a recipient."""

    @pytest.mark.rule("MP-C2")
    @pytest.mark.parametrize("field, theirs", [("to", "to"), ("cc", "cc"), ("bcc", "bcc")])
    def test_lists_are_comma_separated_text(self, field: str, theirs: str) -> None:
        """One text, not an array."""
        assert (
            payload(**{field: ["a@example.com", "b@example.com"]})[theirs] == "a@example.com, b@example.com"
        )

    @pytest.mark.rule("MP-C3")
    @pytest.mark.parametrize("name", NAMES)
    def test_names_are_quoted_and_escaped(self, name: str) -> None:
        """Another parser reads the same name and address back, between two others."""
        to = ["a@example.com", Address("ada@example.com", name), "z@example.com"]

        assert read_addresses(payload(to=to)["to"]) == [
            ("", "a@example.com"),
            (name, "ada@example.com"),
            ("", "z@example.com"),
        ]

    @pytest.mark.rule("MP-C3")
    @pytest.mark.parametrize("field", ["from_", "reply_to"])
    def test_so_are_those_of_sender_and_reply_to(self, field: str) -> None:
        """A comma in the sender's name does not make two senders."""
        theirs = {"from_": "from", "reply_to": "replyto"}[field]
        text = payload(**{field: Address("ada@example.com", "Lovelace, Ada")})[theirs]

        assert text == '"Lovelace, Ada" <ada@example.com>'

    @pytest.mark.rule("MP-C4")
    def test_order_is_kept(self) -> None:
        """Recipients go out in the order given."""
        addresses = [f"user{number}@example.com" for number in (7, 3, 9, 1, 5)]

        assert payload(to=addresses)["to"].split(", ") == addresses

    def test_domains_are_in_ascii_form(self) -> None:
        """An international domain is written as A-labels; an international local part stays."""
        to = ["jürgen@bücher.example", "straße@example.com"]

        assert payload(to=to)["to"] == "jürgen@xn--bcher-kva.example, straße@example.com"


class TestAttachments:
    """Files arrive whole, under their name, and where they were meant to be shown."""

    @pytest.mark.rule("MP-C6", "MP-S4")
    @pytest.mark.parametrize("size", [0, 1, 2, 3, 56, 57, 58, 76, 77, 3000, 200_001])
    def test_content_is_one_line_of_base64(self, size: int) -> None:
        """Decoded strictly, any bytes are what they were; no line is wrapped."""
        content = random.Random(size).randbytes(size)
        (sent,) = payload(attachments=Attachment(content=content, filename="a.txt"))["attachments"]

        assert base64.b64decode(sent["content"], validate=True) == content
        assert not set(sent["content"]) & set("\r\n ")

    def test_every_byte_value_arrives(self) -> None:
        """All 256 byte values, in every position of a base64 group."""
        content = bytes(range(256)) * 3
        (sent,) = payload(attachments=Attachment(content=content, filename="a.txt"))["attachments"]

        assert base64.b64decode(sent["content"]) == content

    def test_files_are_streamed_from_disk(self, tmp_path: Path) -> None:
        """A declared file arrives like bytes, and is read anew for each reading of the body."""
        content = random.Random(1).randbytes(300_000)
        (tmp_path / "a.txt").write_bytes(content)
        built = request(attachments=Attachment.from_path("a.txt", root=tmp_path))
        first, again = b"".join(built.body), b"".join(built.body)

        assert first == again == body(attachments=Attachment(content=content, filename="a.txt"))

    @pytest.mark.rule("MP-S5")
    @pytest.mark.parametrize("spelling", ["logo", "<logo>", "cid:logo"])
    def test_content_ids_are_bracketed(self, spelling: str) -> None:
        """However callers write it, MailPace gets `<logo>`."""
        logo = Attachment(content=b"x", filename="logo.png", content_id=spelling)

        assert payload(attachments=logo)["attachments"][0]["cid"] == "<logo>"

    @pytest.mark.rule("MP-S5")
    def test_plain_files_have_no_content_id(self) -> None:
        """Any `cid` would show the file within the text, so a plain one has none."""
        plain = Attachment(content=b"x", filename="a.txt")
        explicit = Attachment(content=b"x", filename="a.txt", content_id="a", inline=False)
        sent = payload(attachments=[plain, explicit])["attachments"]

        assert [sorted(item) for item in sent] == [["content", "content_type", "name"]] * 2

    @pytest.mark.rule("MP-S5")
    def test_inline_needs_a_content_id(self) -> None:
        """Nothing could refer to it, and MailPace would show it as a plain file."""
        nameless = Attachment(content=b"x", filename="logo.png", inline=True)
        with pytest.raises(UnsupportedFeature, match="content_id=") as caught:
            payload(attachments=nameless)

        assert (caught.value.field, caught.value.provider) == ("attachments", "mailpace")

    @pytest.mark.parametrize(
        "content_type, name",
        [
            ("text/plain", "attachment.txt"),
            ("application/pdf", "attachment.pdf"),
            ("x-odd/type", "attachment.txt"),
        ],
    )
    def test_a_name_is_made_where_there_is_none(self, content_type: str, name: str) -> None:
        """MailPace needs a name with an extension."""
        (sent,) = payload(attachments=Attachment(content=b"x", content_type=content_type))["attachments"]

        assert sent["name"] == name

    def test_charset_goes_with_the_type(self) -> None:
        """A text whose charset is known says so."""
        note = Attachment(content="Grüße".encode("latin-1"), filename="a.txt", charset="iso-8859-1")

        assert (
            payload(attachments=note)["attachments"][0]["content_type"] == 'text/plain; charset="iso-8859-1"'
        )

    def test_names_are_sent_as_they_are(self) -> None:
        """Other scripts and quotes in a file name need no encoding in JSON."""
        name = 'Übersicht "2025" 総計.pdf'

        assert payload(attachments=Attachment(content=b"x", filename=name))["attachments"][0]["name"] == name


#: What MailPace does not offer, by the field that asks for it.
NOT_OFFERED: dict[str, Any] = {
    "headers": {"X-Priority": "1"},
    "template_id": "welcome",
    "metadata": {"user": 7},
    "merge_data": {"bob@example.com": {"name": "Bob"}},
    "merge_metadata": {"bob@example.com": {"user": 7}},
    "merge_headers": {"bob@example.com": {"X-User": "7"}},
    "merge_global_data": {"site": "Example"},
    "send_at": datetime(2030, 1, 31, 9, tzinfo=UTC),
    "envelope_sender": "bounces@example.com",
    "track_opens": True,
    "track_clicks": True,
    "amp_html": "<html ⚡4email></html>",
    "from_": ["ada@example.com", "bob@example.com"],
    "reply_to": ["ada@example.com", "bob@example.com"],
}


class TestNotOffered:
    """What cannot be carried is refused, never lost on the way."""

    @pytest.mark.rule("MP-S7", "MP-C9")
    @pytest.mark.parametrize("field", NOT_OFFERED)
    def test_is_refused_before_anything_is_sent(self, field: str, make_mailer: Callable[..., Mailer]) -> None:
        """The error names the field and the provider; no request is made."""
        transport = RecordingTransport()
        message = Message(**{**MINIMAL, field: NOT_OFFERED[field]})
        with pytest.raises(UnsupportedFeature, match="MailPace") as caught:
            make_mailer(transport).send(message)

        assert (caught.value.field, caught.value.provider) == (field, "mailpace")
        assert transport.requests == []

    @pytest.mark.rule("MP-C9")
    def test_is_left_out_only_on_request(self, make_mailer: Callable[..., Mailer]) -> None:
        """With `on_unsupported="drop"` the field is in no part of the request, and the result says so."""
        transport = RecordingTransport(ACCEPTED)
        message = Message(**MINIMAL, headers={"X-Priority": "urgent"}, metadata={"user": "u-7"})
        result = make_mailer(transport, on_unsupported="drop").send(message)
        sent = b"".join(transport.requests[0].body)

        assert sorted(result.dropped) == ["headers", "metadata"]
        assert not [word for word in (b"X-Priority", b"urgent", b"u-7", b"metadata") if word in sent]

    @pytest.mark.parametrize(
        "fields, named",
        [
            ({"to": None, "cc": "c@example.com"}, "to"),
            ({"to": None, "bcc": "c@example.com"}, "to"),
            ({"text": None, "attachments": Attachment(content=b"x", filename="a.txt")}, "text"),
        ],
    )
    @pytest.mark.rule("MP-S4")
    def test_what_mailpace_requires_is_required(self, fields: dict[str, Any], named: str) -> None:
        """A mail without `to`, or without text and html, could not be sent."""
        with pytest.raises(UnsupportedFeature) as caught:
            request(**fields)

        assert (caught.value.field, caught.value.provider) == (named, "mailpace")


class TestProviderOptions:
    """The way to say what the common schema cannot."""

    def test_are_merged_into_the_payload(self) -> None:
        """Fields of the payload are added as they are, nested ones too."""
        options = {"mailpace": {"new_field": {"a": [1, {"b": None}]}, "flag": True}}

        assert payload(provider_options=options) == {**payload(), **options["mailpace"]}

    def test_win_over_the_message(self) -> None:
        """What is said in MailPace's own terms is meant."""
        assert payload(subject="A", provider_options={"mailpace": {"subject": "B"}})["subject"] == "B"

    def test_of_other_providers_are_ignored(self) -> None:
        """One message may carry extras for several providers."""
        assert payload(provider_options={"postmark": {"MessageStream": "x"}}) == payload()

    def test_must_be_json(self) -> None:
        """What JSON cannot say is refused when the message is made."""
        with pytest.raises(NotSerializable):
            Message(**MINIMAL, provider_options={"mailpace": {"when": CREATED}})


class TestToken:
    """The token is in one header, and in nothing that can be shown."""

    @pytest.mark.rule("MP-S2")
    def test_is_in_the_header_alone(self, token: str, make_mailer: Callable[..., Mailer]) -> None:
        """It is not in the address, in the body or in another header."""
        transport = RecordingTransport(ACCEPTED)
        make_mailer(transport).send(Message(**MINIMAL))
        (sent,) = transport.requests
        places = [name for name, value in headers(sent).items() if token in value]

        assert places == ["MailPace-Server-Token"]
        assert token not in sent.url
        assert token.encode() not in b"".join(sent.body)

    def test_never_shows(self, token: str, make_mailer: Callable[..., Mailer]) -> None:
        """No repr, text or format of what holds it, and of what comes of it, shows it."""
        transport = RecordingTransport(ACCEPTED)
        mailer = make_mailer(transport)
        result = mailer.send(Message(**MINIMAL))
        options = MailPaceOptions(api_key=token)
        holders = [mailer, result, result.raw, options, MailPaceAdapter(options), transport.requests[0]]

        assert not [item for item in holders if token in f"{item!r} {item} {vars(type(item))}"]

    def test_is_not_pickled(self, token: str, make_mailer: Callable[..., Mailer]) -> None:
        """What holds it refuses to be pickled; what comes of a send can be, without it."""
        transport = RecordingTransport(ACCEPTED)
        result = make_mailer(transport).send(Message(**MINIMAL))
        for holder in (MailPaceOptions(api_key=token), transport.requests[0]):
            with pytest.raises(TypeError, match="Secret"):
                pickle.dumps(holder)

        assert token.encode() not in pickle.dumps(result)
