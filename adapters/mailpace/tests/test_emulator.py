"""The emulator does what MailPace's documentation says; the ids name its facts."""

from __future__ import annotations

import ast
import base64
import hashlib
import importlib.util
import json
import random
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import mailcore_mailpace.emulator
from mailcore import EmulatedDelivery, EndpointKind, HttpRequest, HttpResponse, Secret
from mailcore_mailpace.emulator import AccountProblem, Fault, Mailbox, MailPaceEmulator

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
TOKEN = "mailpace-emulator-token"
URL = "https://app.mailpace.com/api/v1/send"
HOOK = "https://hooks.example.org/mailpace"
HEADERS = {"Accept": "application/json", "Content-Type": "application/json", "MailPace-Server-Token": TOKEN}
MINIMAL = {"from": "ada@example.com", "to": "bob@example.com", "textbody": "Hello"}
PICTURE = {"name": "logo.png", "content_type": "image/png", "content": "iVBORw0K"}
FULL = {
    "from": '"T Stark" <tony.stark@example.com>',
    "to": 'wasp.avengers@example.com, "Rogers, Steve" <steve.rogers@example.com>',
    "cc": "thor.odinson@example.com",
    "bcc": "beast.avengers@example.com",
    "replyto": "office.avengers@example.com",
    "subject": "Hello, Avengers!",
    "htmlbody": "<h1>Hello</h1>",
    "textbody": "Hello",
    "inreplyto": "<message-id@test.com>",
    "references": "<message-id@test.com> <message-id2@test.com>",
    "tags": ["password-reset", "2nd-tag"],
    "list_unsubscribe": "<https://www.host.com/list.cgi>, <mailto:list@host.com?subject=unsubscribe>",
    "attachments": [{**PICTURE, "cid": "<attachment-cid>"}, PICTURE],
}
TRACKING, INBOUND = EndpointKind.TRACKING, EndpointKind.INBOUND

signing = pytest.mark.skipif(importlib.util.find_spec("nacl") is None, reason="PyNaCl is not installed")


def call(
    emulator: MailPaceEmulator,
    payload: object = MINIMAL,
    *,
    now: datetime = NOW,
    url: str = URL,
    method: str = "POST",
    **headers: str | None,
) -> HttpResponse:
    """Make one request; a header given as None is left out, `_` in a name is `-`."""
    request = asking(payload, url=url, method=method, **headers)
    return emulator.handle(request, now)


def asking(
    payload: object = MINIMAL, *, url: str = URL, method: str = "POST", **headers: str | None
) -> HttpRequest:
    """Return one request, made of such parts."""
    changes = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    merged = {name.lower(): value for name, value in HEADERS.items()} | changes
    pairs: Any = [(name, value) for name, value in merged.items() if value is not None]
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return HttpRequest(method=method, url=url, headers=pairs, body=body)


def without(*names: str) -> dict[str, Any]:
    """Return the minimal payload without some fields."""
    return {name: value for name, value in MINIMAL.items() if name not in names}


def answer(response: HttpResponse) -> tuple[int, Any]:
    """Return the status and the JSON of an answer."""
    return response.status, json.loads(response.body)


def event(delivery: EmulatedDelivery) -> dict[str, Any]:
    """Return the JSON of a webhook."""
    assert isinstance(delivery.request.body, bytes)
    document = json.loads(delivery.request.body)
    assert isinstance(document, dict)
    return document


def headers_of(delivery: EmulatedDelivery) -> dict[str, str]:
    """Return the headers of a webhook as plain text."""
    return {name: str(value) for name, value in delivery.request.headers}


def names_of(deliveries: Any) -> list[str]:
    """Return the event names of webhooks."""
    return [event(delivery)["event"] for delivery in deliveries]


def tracked(url: str = HOOK, **options: Any) -> MailPaceEmulator:
    """Return an emulator with an event endpoint and one accepted mail, its `queued` event taken."""
    emulator = MailPaceEmulator(**options)
    emulator.subscribe(TRACKING, url)
    call(emulator)
    for delivery in emulator.due(NOW):
        emulator.answered(delivery.delivery_id, 200, NOW)
    return emulator


def try_until_settled(emulator: MailPaceEmulator, status: int | None) -> list[datetime]:
    """Answer every attempt alike, going to the time of the next; return when each was made."""
    moments: list[datetime] = []
    while (moment := emulator.next_due()) is not None:
        for delivery in emulator.due(moment):
            moments.append(moment)
            emulator.answered(delivery.delivery_id, status, moment)
    return moments


class TestProtocol:
    """Path, method and headers."""

    def test_accepts_a_mail(self) -> None:
        """S1, R1: a POST to /api/v1/send is answered with a number and `pending`."""
        response = call(MailPaceEmulator())

        assert response.body == b'{"id": 1, "status": "pending"}'
        assert response.headers["content-type"] == "application/json; charset=utf-8"

    def test_ids_count_up(self) -> None:
        """R1: every mail has its own id."""
        emulator = MailPaceEmulator()

        assert [answer(call(emulator))[1]["id"] for _ in range(3)] == [1, 2, 3]

    @pytest.mark.parametrize(
        "url",
        [
            "https://app.mailpace.com/",
            "https://app.mailpace.com/api/v1/sends",
            "https://app.mailpace.com/api/v1/send/batch",
            "https://app.mailpace.com/api/v1/messages/1",
            "https://app.mailpace.com/prefix/api/v1/send",
            "http://[",
            "",
        ],
    )
    def test_knows_one_path(self, url: str) -> None:
        """S1, C1: no other endpoint exists, a probe finds 404."""
        assert call(MailPaceEmulator(), url=url).status == 404

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "post"])
    def test_knows_one_method(self, method: str) -> None:
        """S1: only POST is routed."""
        assert call(MailPaceEmulator(), method=method).status == 404

    def test_serves_below_the_base_of_its_settings(self) -> None:
        """S1: the path of a base URL that was handed out is served, and so is the root."""
        emulator = MailPaceEmulator()
        api_url = emulator.settings("http://127.0.0.1:8025/mailpace/")["api_url"]

        assert api_url == "http://127.0.0.1:8025/mailpace/api/v1/send"
        assert call(emulator, url=api_url).status == 200
        assert call(emulator, url=URL).status == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"accept": None},
            {"accept": "*/*"},
            {"accept": "text/html"},
            {"accept": "application/json, text/plain"},
            {"content_type": None},
            {"content_type": "text/plain"},
            {"content_type": "application/x-www-form-urlencoded"},
            {"content_type": "application/jsonp"},
            {"accept": "*/*", "mailpace_server_token": None},
        ],
    )
    def test_insists_on_json(self, headers: dict[str, Any]) -> None:
        """S2, R9: Accept other than application/json, `*/*` too, and another body type are 406."""
        emulator = MailPaceEmulator()

        assert answer(call(emulator, **headers)) == (
            406,
            {"error": "Invalid request format or content type"},
        )
        assert emulator.sent == []

    def test_allows_a_charset(self) -> None:
        """S2: a parameter of the content type does no harm, nor does the case of a header name."""
        assert call(MailPaceEmulator(), content_type="Application/JSON; charset=utf-8").status == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"mailpace_server_token": None},
            {"mailpace_server_token": "  "},
            {"mailpace_server_token": None, "authorization": f"Bearer {TOKEN}"},
            {"mailpace_server_token": None, "ohmysmtp_server_token": TOKEN},
        ],
    )
    def test_misses_the_token(self, headers: dict[str, Any]) -> None:
        """S2, R6, C1: without its own header there is no token; a bearer is none."""
        assert call(MailPaceEmulator(), **headers).body == b'{"error": "Missing API Token"}'
        assert call(MailPaceEmulator(), **headers).status == 401

    def test_knows_a_wrong_token(self) -> None:
        """R2: a wrong token is 400, not 401."""
        response = call(MailPaceEmulator(), mailpace_server_token="wrong")

        assert (response.status, response.body) == (400, b'{"error": "Invalid API Token"}')

    def test_reveals_a_secret(self) -> None:
        """S2: a token given as a Secret is what the wire would carry."""
        pairs = [(name, Secret(TOKEN) if "Token" in name else value) for name, value in HEADERS.items()]
        request = HttpRequest(method="POST", url=URL, headers=pairs, body=json.dumps(MINIMAL).encode())

        assert MailPaceEmulator().handle(request, NOW).status == 200

    def test_reads_a_streamed_body(self) -> None:
        """S1: a body that comes in pieces is put together."""
        text = json.dumps(MINIMAL).encode()

        class Pieces:
            def __len__(self) -> int:
                return len(text)

            def __iter__(self) -> Iterator[bytes]:
                return iter([text[:9], text[9:]])

        pairs: Any = HEADERS.items()
        request = HttpRequest(method="POST", url=URL, headers=pairs, body=Pieces())

        assert MailPaceEmulator().handle(request, NOW).status == 200

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b"1",
            b'"text"',
            b"\xff\xfe{}",
            b"{}\x00",
            b'{"from": "\\ud800"}',
            b"[" * 9999,
        ],
    )
    def test_insists_on_an_object(self, body: bytes) -> None:
        """R9: what is not a JSON object is an invalid request format."""
        assert call(MailPaceEmulator(), body).status == 406


class TestAccount:
    """What stops every mail of an account."""

    @pytest.mark.parametrize(
        "problem, text",
        [
            (
                AccountProblem.DKIM_UNVERIFIED,
                "Domain DKIM DNS not verified, please complete DKIM Verification",
            ),
            (
                AccountProblem.NO_ACTIVE_PLAN,
                "The organization that owns this domain does not have an active plan",
            ),
            (
                AccountProblem.DISABLED,
                "This organization is unable to send emails. Please contact support",
            ),
        ],
    )
    def test_tells_its_problem(self, problem: AccountProblem, text: str) -> None:
        """R7: each account problem is 403 with its own text, until it is solved."""
        emulator = MailPaceEmulator()
        emulator.account_problem = problem
        assert answer(call(emulator)) == (403, {"error": text})

        emulator.account_problem = None
        assert call(emulator).status == 200

    def test_limits_the_rate(self) -> None:
        """R10, S6: beyond the configured rate a send is 429, without Retry-After, until time passes."""
        emulator = MailPaceEmulator(rate_limit=(2, timedelta(seconds=10)))
        moments = [0, 5, 9, 10, 14, 15]

        responses = [call(emulator, now=NOW + timedelta(seconds=second)) for second in moments]

        assert [response.status for response in responses] == [200, 200, 429, 200, 429, 200]
        assert responses[2].body == b'{"error": "You are sending emails too quickly"}'
        assert "retry-after" not in responses[2].headers

    @pytest.mark.parametrize(
        "sender",
        ["ada@example.org", "ada@mail.example.com", "Ada <ada@notexample.com>", "ada@example.com.org"],
    )
    def test_knows_its_domain(self, sender: str) -> None:
        """R8: the domain of From must equal the verified one; a subdomain does not."""
        assert answer(call(MailPaceEmulator(), MINIMAL | {"from": sender})) == (
            403,
            {"error": "Verified domain does not match domain in From address of email"},
        )

    @pytest.mark.parametrize(
        "sender", ["a@EXAMPLE.com", "a@example.org", "a@bücher.example", "a@xn--bcher-kva.example"]
    )
    def test_has_several_domains(self, sender: str) -> None:
        """R8: domains compare without letter case and as A-labels."""
        emulator = MailPaceEmulator(domain=["example.com", "Example.org", "bücher.example"])

        assert call(emulator, MINIMAL | {"from": sender}).status == 200


OTHER = {**MINIMAL, "from": "Ada <ada@shop.example>"}


class TestAdopting:
    """An account that belongs to whoever asks."""

    def request(self, **changes: Any) -> HttpRequest:
        """Return a request with another token, at another address, from another domain."""
        given = {"payload": OTHER, "url": "https://x.example/base/api/v1/send", **changes}
        return asking(**given, MailPace_Server_Token="other")

    def test_is_the_account_from_then_on(self) -> None:
        """Token, path and sender's domain are good; those of before stay so."""
        emulator = MailPaceEmulator()
        assert emulator.handle(self.request(), NOW).status == 404
        emulator.adopt(self.request())
        assert emulator.handle(self.request(), NOW).status == 200
        assert call(emulator).status == 200

    @pytest.mark.parametrize(
        "payload, status",
        [
            (MINIMAL | {"from": "x@other.example"}, 403),
            (b"[", 406),
            ({**OTHER, "to": "nobody"}, 400),
            ({**OTHER, "from": "nobody"}, 400),
            ({**OTHER, "from": None}, 400),
        ],
    )
    def test_all_else_is_checked(self, payload: object, status: int) -> None:
        """What another request names is not good, nor what cannot be read, even when it is adopted itself."""
        emulator = MailPaceEmulator()
        emulator.adopt(self.request())
        if status != 403:
            emulator.adopt(self.request(payload=payload))
        assert emulator.handle(self.request(payload=payload), NOW).status == status

    def test_nobody(self) -> None:
        """Without a token there is no account."""
        emulator = MailPaceEmulator()
        emulator.adopt(asking(MailPace_Server_Token=None))
        assert call(emulator, MailPace_Server_Token=None).status == 401


class TestIdempotency:
    """What the header Idempotency-Key does."""

    @pytest.mark.parametrize("second", [MINIMAL, MINIMAL | {"to": "carl@example.com"}, {}, b"no json"])
    def test_replays_whatever_the_body_is(self, second: object) -> None:
        """S3: the stored answer comes again, unmarked, and nothing is sent."""
        emulator = MailPaceEmulator()
        first = call(emulator, idempotency_key="k")

        assert call(emulator, second, idempotency_key="k") == first
        assert [mail.idempotency_key for mail in emulator.sent] == ["k"]

    @pytest.mark.parametrize("hours, mails", [(23.99, 1), (24, 2)])
    def test_forgets_after_a_day(self, hours: float, mails: int) -> None:
        """S3: a key is kept for 24 hours."""
        emulator = MailPaceEmulator()
        call(emulator, idempotency_key="k")
        call(emulator, now=NOW + timedelta(hours=hours), idempotency_key="k")

        assert len(emulator.sent) == mails

    @pytest.mark.parametrize("length, status", [(255, 200), (256, 400)])
    def test_limits_the_key(self, length: int, status: int) -> None:
        """S3: a key has at most 255 characters."""
        assert call(MailPaceEmulator(), idempotency_key="k" * length).status == status

    @pytest.mark.parametrize(
        "broken", [{}, MINIMAL | {"to": "nobody"}, MINIMAL | {"from": "a@b.example"}, b"{"]
    )
    def test_keeps_no_refusal(self, broken: object) -> None:
        """S3: a failed validation stores nothing, so the mended mail may use the key."""
        emulator = MailPaceEmulator()

        assert call(emulator, broken, idempotency_key="k").status != 200
        assert call(emulator, idempotency_key="k").status == 200

    def test_belongs_to_a_token(self) -> None:
        """S3: a key is scoped to its token."""
        emulator = MailPaceEmulator()
        call(emulator, idempotency_key="k")
        emulator.token = "rotated"

        assert answer(call(emulator, idempotency_key="k", mailpace_server_token="rotated"))[1]["id"] == 2

    @pytest.mark.parametrize("blank", ["", "  "])
    def test_shares_a_blank_key(self, blank: str) -> None:
        """S3, C12: a blank key is one key for all mail, and swallows the second."""
        emulator = MailPaceEmulator()
        call(emulator, idempotency_key=blank)
        call(emulator, MINIMAL | {"to": "carl@example.com"}, idempotency_key=blank)

        assert len(emulator.sent) == 1

    def test_sends_twice_without_a_key(self) -> None:
        """S3: without the header every request is a mail."""
        emulator = MailPaceEmulator()
        call(emulator)
        call(emulator)

        assert [mail.idempotency_key for mail in emulator.sent] == [None, None]


class TestFaults:
    """What goes wrong on demand."""

    @pytest.mark.parametrize(
        "fault, status, body, sent",
        [
            (Fault.RATE_LIMITED, 429, b'{"error": "You are sending emails too quickly"}', 0),
            (Fault.ERROR_BEFORE_QUEUEING, 500, b"", 0),
            (Fault.ERROR_AFTER_QUEUEING, 500, b"", 1),
            (Fault.EDGE_BEFORE_QUEUEING, 502, None, 0),
            (Fault.EDGE_AFTER_QUEUEING, 504, None, 1),
            (Fault.CONFLICT, 409, None, 0),
        ],
    )
    def test_happens_once(self, fault: Fault, status: int, body: bytes | None, sent: int) -> None:
        """R10, R11, S3: a fault hits one request; with the same key, the next ends in one mail."""
        emulator = MailPaceEmulator()
        emulator.inject(fault)
        response = call(emulator, idempotency_key="k")

        assert (response.status, len(emulator.sent)) == (status, sent)
        assert body is None or response.body == body
        assert answer(call(emulator, idempotency_key="k")) == (200, {"id": 1, "status": "pending"})
        assert len(emulator.sent) == 1

    def test_hits_a_repeated_request(self) -> None:
        """S3, R11: an error comes before the replay; a conflict needs a key that has no answer yet."""
        emulator = MailPaceEmulator()
        call(emulator, idempotency_key="k")
        emulator.inject(Fault.ERROR_BEFORE_QUEUEING, Fault.CONFLICT)

        statuses = [call(emulator, idempotency_key=key).status for key in ("k", "k", "new", "new")]

        assert statuses == [500, 200, 409, 200]

    def test_waits_for_its_request(self) -> None:
        """S3, R11: a conflict waits for a key, an error after queueing for a mail that is queued."""
        emulator = MailPaceEmulator()
        emulator.inject(Fault.CONFLICT, Fault.ERROR_AFTER_QUEUEING)
        requests: list[tuple[object, str | None]] = [
            (MINIMAL, None),
            (MINIMAL, "k"),
            ({}, None),
            (MINIMAL, "k"),
        ]

        statuses = [call(emulator, payload, idempotency_key=key).status for payload, key in requests]

        assert statuses == [200, 409, 400, 500]


INVALID = ["is invalid"]
UNDEFINED = ["undefined field"]
BLOCKED_FILE = ["Extension file type blocked, see Docs for full list of allowed file types"]
ADDRESSES_51 = ", ".join(f"person{number}@example.com" for number in range(51))

REFUSED_PAYLOADS: list[tuple[dict[str, Any], dict[str, list[str]]]] = [
    (without("to"), {"to": UNDEFINED}),
    (without("from"), {"from": UNDEFINED}),
    (without("textbody"), {"htmlbody": UNDEFINED, "textbody": UNDEFINED}),
    ({}, {"from": UNDEFINED, "to": UNDEFINED, "htmlbody": UNDEFINED, "textbody": UNDEFINED}),
    (MINIMAL | {"to": ""}, {"to": UNDEFINED}),
    (MINIMAL | {"to": None}, {"to": UNDEFINED}),
    (MINIMAL | {"to": []}, {"to": UNDEFINED}),
    (MINIMAL | {"to": ["bob@example.com"]}, {"to": INVALID}),  # C2
    (MINIMAL | {"to": "nobody"}, {"to": INVALID}),
    (MINIMAL | {"to": " , "}, {"to": INVALID}),
    (MINIMAL | {"to": "bob@example.com, nobody"}, {"to": INVALID}),
    (MINIMAL | {"to": "Stark, Tony <tony@example.com>"}, {"to": INVALID}),  # C3
    (MINIMAL | {"to": 'Tony "Iron <tony@example.com>'}, {"to": INVALID}),  # C3
    (MINIMAL | {"to": "bob@example.com; carl@example.com"}, {"to": INVALID}),
    (MINIMAL | {"to": "friends: bob@example.com;"}, {"to": INVALID}),
    (MINIMAL | {"to": "bob@localhost"}, {"to": INVALID}),
    (MINIMAL | {"to": "bob@[127.0.0.1]"}, {"to": INVALID}),
    (MINIMAL | {"to": "bob@exa_mple.com"}, {"to": INVALID}),
    (MINIMAL | {"to": "b" * 65 + "@example.com"}, {"to": INVALID}),
    (MINIMAL | {"to": "bob@example.com\r\nBcc: eve@example.com"}, {"to": INVALID}),
    (MINIMAL | {"to": '"Bob\u2028Brown" <bob@example.com>'}, {"to": INVALID}),
    (MINIMAL | {"to": "(" * 5000}, {"to": INVALID}),
    (MINIMAL | {"to": ADDRESSES_51}, {"to": ["number of email addresses exceeds maximum volume"]}),
    (MINIMAL | {"to": "a@example.com," * 9999}, {"to": ["number of email addresses exceeds maximum volume"]}),
    (MINIMAL | {"to": "Gone <GONE@example.com>"}, {"to": ["contains a blocked address"]}),
    (MINIMAL | {"cc": "bob@example.com, gone@example.com"}, {"cc": ["contains a blocked address"]}),
    (MINIMAL | {"bcc": "gone@example.com"}, {"bcc": ["contains a blocked address"]}),
    (MINIMAL | {"cc": "nobody", "bcc": 3}, {"cc": INVALID, "bcc": INVALID}),
    (MINIMAL | {"replyto": "nobody"}, {"replyto": INVALID}),
    (MINIMAL | {"subject": 3}, {"subject": INVALID}),
    (MINIMAL | {"subject": "Hi\r\nBcc: eve@example.com"}, {"subject": INVALID}),
    (MINIMAL | {"htmlbody": {"a": 1}, "textbody": True}, {"htmlbody": INVALID, "textbody": INVALID}),
    (MINIMAL | {"inreplyto": ["<a@b>"]}, {"inreplyto": INVALID}),
    (MINIMAL | {"references": ["<a@b>"]}, {"references": INVALID}),
    (MINIMAL | {"list_unsubscribe": False}, {"list_unsubscribe": INVALID}),
    (MINIMAL | {"tags": {"a": 1}}, {"tags": INVALID}),
    (MINIMAL | {"tags": ["a", 1]}, {"tags": INVALID}),
    (MINIMAL | {"attachments": {"name": "a.txt"}}, {"attachments": INVALID}),
    (MINIMAL | {"attachments": ["a.txt"]}, {"attachments": INVALID}),
    (
        MINIMAL | {"attachments": [{}]},
        {f"attachments.{name}": UNDEFINED for name in ("name", "content", "content_type")},
    ),
]
REFUSED_ATTACHMENTS: list[tuple[str, object, list[str]]] = [
    ("name", "setup.exe", BLOCKED_FILE),
    ("name", "archive.tar.zip", BLOCKED_FILE),
    ("name", "logo", BLOCKED_FILE),
    ("name", ".png", BLOCKED_FILE),
    ("name", "logo.png.", BLOCKED_FILE),
    ("name", "", UNDEFINED),
    ("name", 1, INVALID),
    ("name", "lo\r\ngo.png", INVALID),
    ("content", "aGVsbG8\n=", INVALID),  # C6
    ("content", "aGVs\r\nbG8=", INVALID),  # C6
    ("content", "aGVsbG8", INVALID),
    ("content", "aGVsbG9=", INVALID),  # bits that belong to no byte
    ("content", "a-_b", INVALID),
    ("content", "é", INVALID),
    ("content", ["aGVsbG8="], INVALID),
    ("content_type", None, UNDEFINED),
    ("cid", 3, INVALID),
]


class TestValidation:
    """What is accepted as a mail."""

    @pytest.mark.parametrize("payload, errors", REFUSED_PAYLOADS)
    def test_refuses_by_field(self, payload: dict[str, Any], errors: dict[str, list[str]]) -> None:
        """S4, S6, R4: each wrong field is named, and the whole mail refused."""
        emulator = MailPaceEmulator()
        emulator.block("Gone@Example.com")

        assert answer(call(emulator, payload)) == (400, {"errors": errors})
        assert emulator.sent == []

    @pytest.mark.parametrize("field, value, texts", REFUSED_ATTACHMENTS)
    def test_refuses_attachments(self, field: str, value: object, texts: list[str]) -> None:
        """S4, S6, R5: extension, dots and base64 are checked, under dotted field names."""
        payload = MINIMAL | {"attachments": [PICTURE, PICTURE | {field: value}]}

        assert answer(call(MailPaceEmulator(), payload)) == (
            400,
            {"errors": {f"attachments.{field}": texts}},
        )

    def test_tells_the_same_once(self) -> None:
        """R5: two attachments with one fault bring one message."""
        wrong = PICTURE | {"name": "setup.exe"}

        assert answer(call(MailPaceEmulator(), MINIMAL | {"attachments": [wrong, wrong]})) == (
            400,
            {"errors": {"attachments.name": BLOCKED_FILE}},
        )

    def test_answers_word_for_word(self) -> None:
        """R4, R5: the raw text of the answers is as documented."""
        emulator = MailPaceEmulator()
        blocked = MINIMAL | {"attachments": [PICTURE | {"name": "a.exe"}]}

        assert call(emulator, without("to")).body == b'{"errors": {"to": ["undefined field"]}}'
        assert call(emulator, blocked).body == (
            b'{"errors": {"attachments.name": ["Extension file type blocked, '
            b'see Docs for full list of allowed file types"]}}'
        )

    @pytest.mark.parametrize(
        "sender",
        ["nobody", "Ada, Countess <ada@example.com>", "a@example.com, b@example.com", ["a@example.com"], 1],
    )
    def test_reads_one_sender(self, sender: object) -> None:
        """R3: what is not one address in From is not parseable."""
        response = call(MailPaceEmulator(), MINIMAL | {"from": sender})

        assert (response.status, response.body) == (400, b'{"error": "Email from address not parseable"}')

    @pytest.mark.parametrize(
        "extension",
        "jpeg jpg png gif txt pdf docx xlsx pptx csv att ics ical html zip auf xml dwg PDF".split(),  # noqa: SIM905  # reason: a list of words
    )
    def test_allows_extensions(self, extension: str) -> None:
        """S6: every documented extension passes, in any letter case."""
        payload = MINIMAL | {"attachments": [PICTURE | {"name": f"file.{extension}"}]}

        assert call(MailPaceEmulator(), payload).status == 200

    @pytest.mark.parametrize("field, size, status", [("textbody", 100, 200), ("textbody", 101, 413)])
    def test_limits_the_size(self, field: str, size: int, status: int) -> None:
        """S6: the total size is limited."""
        emulator = MailPaceEmulator(max_size=100)

        assert call(emulator, MINIMAL | {field: "x" * size}).status == status

    def test_counts_decoded_attachments(self) -> None:
        """S6: an attachment counts with its decoded bytes."""
        emulator = MailPaceEmulator(max_size=len("Hello") + 6)
        two = MINIMAL | {"attachments": [PICTURE, PICTURE]}

        assert call(emulator, MINIMAL | {"attachments": [PICTURE]}).status == 200
        assert call(emulator, two).status == 413

    def test_takes_fifty_recipients(self) -> None:
        """S6: 50 addresses in `to` pass, in the given order, however many are in `cc`."""
        emulator = MailPaceEmulator()
        fifty = [f"person{number}@example.com" for number in range(50)]

        assert call(emulator, MINIMAL | {"to": ", ".join(fifty), "cc": ADDRESSES_51}).status == 200
        assert [mailbox.address for mailbox in emulator.sent[0].to] == fifty
        assert len(emulator.sent[0].cc) == 51


class TestSent:
    """What is kept of an accepted mail."""

    def test_keeps_everything(self) -> None:
        """S4: every documented field is read, addresses by the standard library."""
        emulator = MailPaceEmulator()
        call(emulator, FULL, idempotency_key="k")
        (mail,) = emulator.sent

        assert mail.payload == FULL
        assert mail.from_ == Mailbox("T Stark", "tony.stark@example.com")
        assert mail.to == (
            Mailbox("", "wasp.avengers@example.com"),
            Mailbox("Rogers, Steve", "steve.rogers@example.com"),
        )
        assert mail.cc == (Mailbox("", "thor.odinson@example.com"),)
        assert mail.bcc == (Mailbox("", "beast.avengers@example.com"),)
        assert mail.tags == ("password-reset", "2nd-tag")
        assert (mail.id, mail.message_id) == (1, "<msg-1@mailer.mailpace.com>")
        assert (mail.status, mail.created_at, mail.updated_at) == ("queued", NOW, NOW)
        assert (mail.ignored_fields, mail.empty_fields, mail.idempotency_key) == ((), (), "k")

    def test_decodes_attachments(self) -> None:
        """S5: content is decoded, and any cid makes the part inline."""
        emulator = MailPaceEmulator()
        call(emulator, FULL)
        inline, plain = emulator.sent[0].attachments

        assert (inline.name, inline.content_type) == ("logo.png", "image/png")
        assert inline.content == b"\x89PNG\r\n"
        assert (inline.cid, inline.inline) == ("<attachment-cid>", True)
        assert (plain.cid, plain.inline) == (None, False)

    @pytest.mark.parametrize("tags, kept", [("one, two", ("one, two",)), (["a", "b"], ("a", "b")), ([], ())])
    def test_reads_tags(self, tags: object, kept: tuple[str, ...]) -> None:
        """S4, C7: tags are an array; one string is one tag."""
        emulator = MailPaceEmulator()
        call(emulator, MINIMAL | {"tags": tags})

        assert emulator.sent[0].tags == kept

    def test_loses_unknown_fields(self) -> None:
        """S7, C9: a field that is not documented is ignored without a word."""
        emulator = MailPaceEmulator()
        attachment = PICTURE | {"disposition": "inline"}
        payload = MINIMAL | {
            "headers": {"X-A": "b"},
            "template_id": 1,
            "attachments": [attachment, attachment],
        }

        assert call(emulator, payload).status == 200
        assert emulator.sent[0].ignored_fields == ("headers", "template_id", "attachments.disposition")

    @pytest.mark.parametrize("empty", ["", None, []])
    def test_tells_empty_fields(self, empty: object) -> None:
        """C5: an empty value counts as absent, and tests can see it."""
        emulator = MailPaceEmulator()
        names = ("htmlbody", "cc", "bcc", "subject", "replyto", "inreplyto", "references", "list_unsubscribe")
        fields = dict.fromkeys((*names, "tags", "attachments"), empty)

        assert call(emulator, MINIMAL | fields).status == 200
        assert emulator.sent[0].empty_fields == tuple(fields)

    def test_hands_out_copies(self) -> None:
        """The list of mail is the caller's to change."""
        emulator = MailPaceEmulator()
        call(emulator)
        emulator.sent.clear()

        assert len(emulator.sent) == 1


@signing
class TestEvents:
    """Webhooks about a mail."""

    def test_tells_of_acceptance(self) -> None:
        """W1: an accepted mail brings `email.queued` at once."""
        emulator = MailPaceEmulator()
        emulator.subscribe(TRACKING, HOOK)
        call(emulator)
        (delivery,) = emulator.due(NOW)

        assert (delivery.kind, delivery.request.method, delivery.request.url) == (TRACKING, "POST", HOOK)
        assert headers_of(delivery)["Content-Type"] == "application/json"
        assert event(delivery)["event"] == "email.queued"

    def test_tells_the_whole_mail(self) -> None:
        """W3, W4: one event per mail, with all its fields; tags as an array, times in ms and Z."""
        emulator = MailPaceEmulator(domain_id=7)
        emulator.subscribe(TRACKING, HOOK)
        call(emulator, FULL | {"tags": "one"})
        emulator.act("1", "delivered", NOW + timedelta(seconds=1.5))
        _, delivery = emulator.due(NOW + timedelta(seconds=2))
        copied = ("from", "to", "cc", "bcc", "subject", "htmlbody", "textbody", "replyto", "list_unsubscribe")

        assert event(delivery) == {
            "event": "email.delivered",
            "payload": {
                **{name: FULL[name] for name in copied},
                "status": "delivered",
                "id": 1,
                "domain_id": 7,
                "created_at": "2025-06-01T12:00:00.000Z",
                "updated_at": "2025-06-01T12:00:01.500Z",
                "message_id": "<msg-1@mailer.mailpace.com>",
                "tags": ["one"],
            },
        }

    def test_tells_absence_as_null(self) -> None:
        """W3: a field the mail lacks is null, tags too."""
        emulator = MailPaceEmulator()
        emulator.subscribe(TRACKING, HOOK)
        call(emulator, MINIMAL | {"subject": ""})
        payload = event(emulator.due(NOW)[0])["payload"]
        absent = ("cc", "bcc", "subject", "htmlbody", "replyto", "list_unsubscribe", "tags")

        assert {payload[name] for name in absent} == {None}

    @pytest.mark.parametrize("word", ["queued", "delivered", "deferred", "bounced", "spam", "teleported"])
    def test_takes_any_word(self, word: str) -> None:
        """W1, W5: every documented event, and one nobody knows."""
        emulator = tracked()
        later = NOW + timedelta(minutes=1)
        emulator.act("1", word, later)
        (delivery,) = emulator.due(later)

        assert event(delivery)["event"] == f"email.{word}"
        assert (emulator.sent[0].status, emulator.sent[0].updated_at) == (word, later)

    @pytest.mark.parametrize("message_id", ["2", "", "01", "<msg-1@mailer.mailpace.com>", "é"])
    def test_names_the_known_mail(self, message_id: str) -> None:
        """C14: only the id that send returned is known, and the error tells which are."""
        emulator = tracked()

        with pytest.raises(ValueError, match=r"the known ids are 1\."):
            emulator.act(message_id, "delivered", NOW)
        with pytest.raises(ValueError, match="none was accepted yet"):
            MailPaceEmulator().act(message_id, "delivered", NOW)

    @pytest.mark.parametrize("word, blocks", [("bounced", True), ("deferred", False), ("spam", False)])
    def test_blocks_after_a_hard_bounce(self, word: str, blocks: bool) -> None:
        """S7, R4: a hard bounce puts the addresses of `to` on the block list."""
        emulator = MailPaceEmulator()
        call(emulator, MINIMAL | {"to": "Bob <BOB@example.com>, carl@example.com", "cc": "dora@example.com"})
        emulator.act("1", word, NOW)

        assert emulator.blocked == ({"bob@example.com", "carl@example.com"} if blocks else set())
        assert call(emulator).status == (400 if blocks else 200)
        emulator.unblock("bob@example.com")
        assert call(emulator).status == 200

    def test_signs_the_raw_body(self) -> None:
        """W6: strict base64 of an Ed25519 signature over the raw bytes, by the key in the settings."""
        from nacl.signing import VerifyKey

        emulator = MailPaceEmulator(signing_seed=bytes(range(32)))
        emulator.subscribe(TRACKING, HOOK)
        call(emulator, MINIMAL | {"subject": "Grüße"})
        (delivery,) = emulator.due(NOW)
        signature = headers_of(delivery)["X-MailPace-Signature"]
        key = emulator.settings("http://localhost")["webhook_key"]

        assert (len(signature), len(key), key) == (88, 44, emulator.webhook_public_key)
        assert isinstance(delivery.request.body, bytes)
        assert "Grüße".encode() in delivery.request.body
        VerifyKey(base64.b64decode(key, validate=True)).verify(
            delivery.request.body, base64.b64decode(signature, validate=True)
        )

    def test_signs_the_published_vector(self) -> None:
        """W6: with the key of RFC 8032, test 1, the signature is the known one."""
        from mailcore_mailpace.emulator._signature import DEFAULT_SEED, public_key, sign

        body = b'{"event":"email.delivered","payload":{"id":1,"status":"delivered"}}'

        assert public_key(DEFAULT_SEED) == "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        assert sign(DEFAULT_SEED, body) == (
            "IhX48in4+iLMVqaSRPwFCfcTnQEBK57UEkVU5HAQISk85RAeY/ABOxw3sXF+72+CbXqjXXB5Xv/SIQ6ZoZGbBw=="
        )

    @pytest.mark.parametrize(
        "url, sent_to, pair",
        [
            (HOOK, HOOK, None),
            (
                "https://ada:s3cret@hooks.example.org:8443/x?y=1",
                "https://hooks.example.org:8443/x?y=1",
                "ada:s3cret",
            ),
            ("http://a%40b:p%3A%C3%A9@h.example/", "http://h.example/", "a@b:p:é"),
            ("http://ada@h.example/", "http://h.example/", "ada:"),
        ],
    )
    def test_uses_basic_auth(self, url: str, sent_to: str, pair: str | None) -> None:
        """W7: userinfo in the endpoint becomes basic auth, beside the signature, and leaves the URL."""
        emulator = tracked(url)
        emulator.act("1", "delivered", NOW)
        (delivery,) = emulator.due(NOW)
        expected = None if pair is None else f"Basic {base64.b64encode(pair.encode()).decode()}"

        assert delivery.request.url == sent_to
        assert headers_of(delivery).get("Authorization") == expected
        assert "X-MailPace-Signature" in headers_of(delivery)

    @pytest.mark.parametrize("url", ["", "hooks.example.org", "ftp://h.example/", "https://", "http://["])
    def test_refuses_an_endpoint(self, url: str) -> None:
        """W1: an endpoint is a web address."""
        with pytest.raises(ValueError, match=r"http|IPv6"):
            MailPaceEmulator().subscribe(TRACKING, url)


@signing
class TestDelivery:
    """When an event is tried, and what the answer does."""

    def test_hands_out_once(self) -> None:
        """W5: a delivery under way is not handed out again, an accepted one never."""
        emulator = tracked()
        emulator.act("1", "delivered", NOW)
        (delivery,) = emulator.due(NOW)
        assert list(emulator.due(NOW + timedelta(days=1))) == []

        emulator.answered(delivery.delivery_id, 204, NOW)
        assert emulator.next_due() is None
        assert not emulator.endpoint_disabled

    def test_keeps_the_order(self) -> None:
        """W1: events are handed out in the order in which they happened."""
        emulator = tracked()
        emulator.act("1", "deferred", NOW + timedelta(seconds=2))
        emulator.act("1", "delivered", NOW + timedelta(seconds=1))

        assert emulator.next_due() == NOW + timedelta(seconds=1)
        assert names_of(emulator.due(NOW)) == []
        assert names_of(emulator.due(NOW + timedelta(hours=1))) == ["email.delivered", "email.deferred"]

    @pytest.mark.parametrize("status", [199, 301, 400, 401, 404, 422, 429, 500, 503])
    def test_disables_at_once(self, status: int) -> None:
        """W5: any HTTP error turns the endpoint off; waiting and later events are lost."""
        emulator = tracked()
        for word in ("deferred", "delivered"):
            emulator.act("1", word, NOW)
        first, second = emulator.due(NOW)
        emulator.act("1", "bounced", NOW)
        emulator.answered(first.delivery_id, status, NOW)
        emulator.answered(second.delivery_id, None, NOW)
        emulator.act("1", "spam", NOW)

        assert emulator.endpoint_disabled
        assert list(emulator.due(NOW + timedelta(days=9))) == []
        assert [json.loads(body)["event"] for body in emulator.lost_events] == [
            "email.deferred",
            "email.bounced",
            "email.delivered",
            "email.spam",
        ]

    def test_is_enabled_by_hand(self) -> None:
        """W5: once its owner enables the endpoint, new events arrive; lost ones stay lost."""
        emulator = tracked()
        emulator.act("1", "deferred", NOW)
        emulator.answered(emulator.due(NOW)[0].delivery_id, 500, NOW)
        emulator.enable()
        emulator.act("1", "delivered", NOW)

        assert not emulator.endpoint_disabled
        assert names_of(emulator.due(NOW)) == ["email.delivered"]

    def test_is_enabled_by_a_new_url(self) -> None:
        """W5: a new endpoint starts enabled."""
        emulator = tracked()
        emulator.act("1", "deferred", NOW)
        emulator.answered(emulator.due(NOW)[0].delivery_id, 500, NOW)
        emulator.subscribe(TRACKING, "https://other.example.org/")
        emulator.act("1", "delivered", NOW)

        assert [delivery.request.url for delivery in emulator.due(NOW)] == ["https://other.example.org/"]

    def test_retries_a_timeout(self) -> None:
        """W5: what cannot be reached is retried ten times with growing gaps, then disabled."""
        emulator = tracked()
        emulator.act("1", "delivered", NOW)
        moments = try_until_settled(emulator, None)
        gaps = [after - before for before, after in pairwise(moments)]

        assert len(moments) == 1 + 10
        assert gaps == sorted(set(gaps))
        assert emulator.endpoint_disabled
        assert len(emulator.lost_events) == 1

    def test_repeats_the_same_bytes(self) -> None:
        """W5: a retry has the body, signature and id of the first attempt."""
        emulator = tracked()
        emulator.act("1", "delivered", NOW)
        (first,) = emulator.due(NOW)
        emulator.answered(first.delivery_id, None, NOW)

        assert list(emulator.due(NOW + timedelta(days=1))) == [first]

    @pytest.mark.parametrize("delivery_id", ["", "tracking-1", "nonsense"])
    def test_knows_what_is_under_way(self, delivery_id: str) -> None:
        """An answer to nothing is a mistake of the driver, told at once."""
        with pytest.raises(ValueError, match="waits for an answer; none does"):
            tracked().answered(delivery_id, 200, NOW)

    def test_needs_an_endpoint(self) -> None:
        """W1: without an endpoint no event is kept for later."""
        emulator = MailPaceEmulator()
        call(emulator)
        emulator.subscribe(TRACKING, HOOK)

        assert emulator.next_due() is None


MIME = (
    b"Return-Path: <bounces@test.com>\r\n"
    b"From: =?utf-8?q?A=2C_Person?= <person_a@test.com>\r\n"
    b"To: Person B <person_b@example.com>\r\n"
    b"Subject: Gr\xc3\xbc\xc3\x9fe\r\n"
    b"Cc: c@test.com\r\n"
    b"Reply-To: reply@test.com\r\n"
    b"In-Reply-To: <before@test.com>\r\n"
    b"Message-ID: <mail@test.com>\r\n"
    b'Content-Type: multipart/mixed; boundary="M"\r\n\r\n'
    b'--M\r\nContent-Type: multipart/related; boundary="R"\r\n\r\n'
    b"--R\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n<p>Gr\xfc\xdfe</p>\r\n"
    b"--R\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\niVBORw0K\r\n"
    b"--R--\r\n"
    b"--M\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n"
    b'--M\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="a.txt"\r\n\r\nfile\r\n'
    b"--M--\r\n"
)


def received(raw: bytes, **options: Any) -> EmulatedDelivery:
    """Return the webhook of a received mail."""
    emulator = MailPaceEmulator(**options)
    emulator.subscribe(INBOUND, HOOK)
    emulator.receive(raw, NOW)
    (delivery,) = emulator.due(NOW)
    return delivery


@signing
class TestInbound:
    """Mail from the outside."""

    def test_has_the_documented_fields(self) -> None:
        """I2: camelCase fields, no event and no id."""
        delivery = received(MIME)
        document = event(delivery)
        document.pop("attachments")

        assert isinstance(delivery.request.body, bytes)
        assert "Grüße".encode() in delivery.request.body

        assert document.pop("headers")[1:4] == [
            "From: =?utf-8?q?A=2C_Person?= <person_a@test.com>",
            "To: Person B <person_b@example.com>",
            "Subject: Grüße",
        ]
        assert document == {
            "from": '"A, Person" <person_a@test.com>',
            "to": "Person B <person_b@example.com>",
            "subject": "Grüße",
            "cc": "c@test.com",
            "replyTo": "reply@test.com",
            "inReplyTo": "<before@test.com>",
            "messageId": "<mail@test.com>",
            "html": "<p>Grüße</p>",
            "text": "Hello",
            "raw": MIME.decode(errors="replace"),
        }

    def test_has_the_attachments(self) -> None:
        """I2: decoded size and MD5; contentId in brackets, cid without; related where it is."""
        inline, plain = event(received(MIME))["attachments"]
        content = b"\x89PNG\r\n"

        assert inline == {
            "content": "iVBORw0K",
            "type": "attachment",
            "contentType": "image/png",
            "contentDisposition": "attachment",
            "headers": ["Content-Type: image/png", "Content-ID: <logo>", "Content-Transfer-Encoding: base64"],
            "checksum": hashlib.md5(content, usedforsecurity=False).hexdigest(),
            "size": len(content),
            "contentId": "<logo>",
            "cid": "logo",
            "related": True,
        }
        assert (plain["filename"], plain["content"], plain["size"]) == ("a.txt", "ZmlsZQ==", 4)
        assert not {"contentId", "cid", "related"} & set(plain)

    def test_attaches_a_nameless_text(self) -> None:
        """I2: a text that says it is an attachment is no body, even without a file name."""
        document = event(received(b"Content-Disposition: attachment\r\n\r\nnotes"))

        assert "text" not in document
        assert [attachment["size"] for attachment in document["attachments"]] == [5]

    def test_leaves_out_what_is_not_there(self) -> None:
        """I2: only four fields are always there; a Message-ID is invented where none is."""
        assert event(received(b"\r\n")) == {
            "from": "",
            "headers": [],
            "messageId": "<inbound-1@mailer.mailpace.com>",
            "raw": "\r\n",
            "text": "",
        }

    def test_loses_bytes_in_raw(self) -> None:
        """I3: raw is text, so a byte that is not UTF-8 becomes U+FFFD."""
        assert event(received(b"Subject: a\r\n\r\n\xff"))["raw"] == "Subject: a\r\n\r\n\ufffd"

    def test_attaches_a_mail(self) -> None:
        """I2: a mail in a mail is one attachment."""
        nested = b"Subject: inner\n\nx\n"
        outer = b"Content-Type: message/rfc822\n\n" + nested
        (attachment,) = event(received(outer))["attachments"]

        assert base64.b64decode(attachment["content"]) == nested
        assert attachment["contentType"] == "message/rfc822"

    def test_is_signed_like_an_event(self) -> None:
        """I4: the same header and key sign inbound mail, unless that is switched off."""
        from mailcore_mailpace.emulator._signature import DEFAULT_SEED, sign

        signed, unsigned = received(MIME), received(MIME, sign_inbound=False)

        assert isinstance(signed.request.body, bytes)
        assert signed.kind is INBOUND
        assert headers_of(signed)["X-MailPace-Signature"] == sign(DEFAULT_SEED, signed.request.body)
        assert "X-MailPace-Signature" not in headers_of(unsigned)

    @pytest.mark.parametrize("status", [None, 404, 500])
    def test_bounces_after_five_tries(self, status: int | None) -> None:
        """I1: five tries with growing gaps, then the mail bounces; the endpoints stay enabled."""
        emulator = MailPaceEmulator()
        emulator.subscribe(INBOUND, HOOK)
        emulator.receive(MIME, NOW)
        moments = try_until_settled(emulator, status)
        gaps = [after - before for before, after in pairwise(moments)]
        (bounced,) = emulator.bounced_inbound

        assert len(moments) == 5
        assert gaps == sorted(set(gaps))
        assert (bounced.to, bounced.message_id) == ("bounces@test.com", "<mail@test.com>")
        assert bounced.bounced_at == moments[-1]
        assert not emulator.endpoint_disabled

    def test_does_not_bounce_once_stored(self) -> None:
        """I1: a 2xx after a failure ends the tries."""
        emulator = MailPaceEmulator()
        emulator.subscribe(INBOUND, HOOK)
        emulator.receive(MIME, NOW)
        (delivery,) = emulator.due(NOW)
        emulator.answered(delivery.delivery_id, 503, NOW)
        later = NOW + timedelta(hours=1)
        emulator.answered(emulator.due(later)[0].delivery_id, 200, later)

        assert (emulator.next_due(), emulator.bounced_inbound) == (None, [])

    def test_goes_on_while_events_are_off(self) -> None:
        """W5, I1: a disabled event endpoint does not stop inbound mail."""
        emulator = tracked()
        emulator.subscribe(INBOUND, HOOK)
        emulator.act("1", "delivered", NOW)
        emulator.answered(emulator.due(NOW)[0].delivery_id, 500, NOW)
        emulator.receive(MIME, NOW)

        assert [delivery.kind for delivery in emulator.due(NOW)] == [INBOUND]

    @pytest.mark.parametrize(
        "raw, to",
        [(b"From: Ada <ada@test.com>\r\n\r\n", "ada@test.com"), (b"\r\n", ""), (MIME, "bounces@test.com")],
    )
    def test_bounces_without_an_endpoint(self, raw: bytes, to: str) -> None:
        """I1: with nowhere to go, a mail returns to its Return-Path, else its From."""
        emulator = MailPaceEmulator()
        emulator.receive(raw, NOW)

        assert [bounced.to for bounced in emulator.bounced_inbound] == [to]

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"\xff\x00\r\n",
            b"From: \xff\xfe <\r\nTo: ((((\r\nSubject: =?x?q?=FF?=\r\n\r\n",
            b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xe9",
            b"Content-Type: text/plain; charset=\xff\r\n\r\n\xe9",
            b"Content-Type: text/plain; charset=undefined\r\n\r\n\xe9",
            b"Content-Type: multipart/mixed\r\n\r\nno boundary",
            b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n!!",
            b"Content-Disposition: attachment; filename*=x'y'%FF\r\nContent-Transfer-Encoding: x\r\n\r\nx",
            b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000)),
        ],
    )
    def test_takes_any_bytes(self, raw: bytes) -> None:
        """I2: whatever arrives is delivered, as JSON that UTF-8 can carry."""
        assert {"from", "headers", "messageId", "raw"} <= set(event(received(raw)))


class TestHostility:
    """Requests that no client of good will makes."""

    def test_always_answers(self) -> None:
        """Whatever the JSON values are, there is an answer and never an exception."""
        generator = random.Random(1)
        values: list[Any] = [
            None,
            "",
            "x",
            "a@example.com",
            0,
            -1.5,
            True,
            [],
            {},
            [[]],
            [{}],
            ["a"],
            {"name": {}},
            "\x00",
            "é@é",
        ]
        names = [*FULL, "name", "content", "unknown", ""]
        emulator = MailPaceEmulator()
        for _ in range(2000):
            payload = {name: generator.choice(values) for name in generator.sample(names, 5)}
            items = [{name: generator.choice(values) for name in (*PICTURE, "cid")}, PICTURE]
            changed = MINIMAL | payload | generator.choice([{}, {"attachments": items}])

            assert call(emulator, changed).status in {200, 400, 403}

    @pytest.mark.parametrize(
        "name, value",
        [
            ("MailPace-Server-Token", "\ud800"),
            ("Idempotency-Key", "\x00é"),
            ("", ""),
            ("Accept", "\r\n"),
            ("é", "é"),
        ],
    )
    def test_takes_any_header(self, name: str, value: str) -> None:
        """Whatever the headers are, there is an answer."""
        pairs: Any = [(name, value), *HEADERS.items()]
        request = HttpRequest(method="POST", url=URL, headers=pairs, body=json.dumps(MINIMAL).encode())

        assert MailPaceEmulator().handle(request, NOW).status in {200, 400, 406}

    def test_takes_any_bytes(self) -> None:
        """Whatever the body is, there is an answer."""
        generator = random.Random(2)
        text = json.dumps(FULL).encode()
        for _ in range(500):
            body = bytearray(text)
            for _ in range(generator.randint(1, 4)):
                body[generator.randrange(len(body))] = generator.randrange(256)

            assert call(MailPaceEmulator(), bytes(body)).status in {200, 400, 403, 406}

    def test_serves_several_threads(self) -> None:
        """The same key from many threads is one mail, and no id is given twice."""
        emulator = MailPaceEmulator()

        def work() -> None:
            for number in range(20):
                call(emulator, idempotency_key=f"k{number}")
                call(emulator)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [mail.id for mail in emulator.sent] == list(range(1, 20 + 80 + 1))


class TestConstruction:
    """What an emulator is made of."""

    def test_is_deterministic(self) -> None:
        """Two emulators that are told the same do the same."""

        def story() -> list[object]:
            emulator = MailPaceEmulator()
            responses = [call(emulator, payload).body for payload in (FULL, {}, MINIMAL)]
            return [*responses, emulator.sent]

        assert story() == story()

    def test_offers_its_settings(self) -> None:
        """The settings select this emulator, token and all."""
        settings = MailPaceEmulator(token="secret").settings("http://127.0.0.1:1")

        assert settings["api_url"] == "http://127.0.0.1:1/api/v1/send"
        assert settings["api_key"] == "secret"

    @pytest.mark.parametrize("seed", [b"", b"x" * 31, b"x" * 33])
    def test_insists_on_the_seed(self, seed: bytes) -> None:
        """W6: an Ed25519 seed has 32 bytes."""
        with pytest.raises(ValueError, match="signing_seed is 32 bytes"):
            MailPaceEmulator(signing_seed=seed)

    def test_insists_on_aware_times(self) -> None:
        """A time without a zone would be read with the machine's own."""
        with pytest.raises(ValueError, match="aware"):
            call(MailPaceEmulator(), now=NOW.replace(tzinfo=None))

    def test_sends_without_pynacl(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """W6: only webhooks need PyNaCl; the settings leave its key out, subscribing names the package."""
        monkeypatch.setitem(sys.modules, "nacl.signing", None)
        emulator = MailPaceEmulator()

        assert call(emulator).status == 200
        assert set(emulator.settings("http://localhost")) == {"api_url", "api_key"}
        with pytest.raises(ModuleNotFoundError, match="pip install pynacl"):
            emulator.subscribe(TRACKING, HOOK)

    def test_shares_nothing_with_the_adapter(self) -> None:
        """The emulator imports six values of core and nothing else of ours."""
        folder = Path(mailcore_mailpace.emulator.__file__).parent
        trees = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.glob("*.py")]
        imports = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        ours = [node for node in imports if (node.module or "").startswith("mailcore")]
        values = {alias.name for node in ours if node.module == "mailcore" for alias in node.names}
        modules = {node.module for node in ours if node.module != "mailcore"}

        emulated = {"EmulatedDelivery", "EmulatedFile", "EmulatedMail"}
        assert values == {*emulated, "EndpointKind", "HttpRequest", "HttpResponse"}
        assert all(module and module.startswith("mailcore_mailpace.emulator.") for module in modules)
