"""The emulator does what Mailgun's documentation says."""

from __future__ import annotations

import ast
import hashlib
import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

import mailcore_mailgun.emulator
from mailcore import Attachment, EndpointKind, HttpRequest, HttpResponse, MultipartBody
from mailcore_mailgun.emulator import Fault, Mailbox, MailgunEmulator

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
URL = "https://api.mailgun.net/v3/example.com/messages"
HOOK = "https://hooks.example.org/mailgun"
MAIL = {"from": "Ada <ada@example.com>", "to": "bob@example.com", "subject": "Hi", "text": "Hello"}
TRACKING, INBOUND = EndpointKind.TRACKING, EndpointKind.INBOUND


def call(
    emulator: MailgunEmulator,
    fields: Any = None,
    *,
    files: tuple[tuple[str, Attachment], ...] = (),
    url: str = URL,
    method: str = "POST",
    key: str = "mailgun-emulator-key",
    now: datetime = NOW,
    **more: Any,
) -> HttpResponse:
    """Make one request; `_` in the name of a field is `-`."""
    given = dict(MAIL) if fields is None else fields
    given = {**given, **{name.replace("_", "-"): value for name, value in more.items()}}
    pairs = [
        (name, one) for name, value in given.items() for one in ([value] if isinstance(value, str) else value)
    ]
    kind, body = "application/x-www-form-urlencoded", urlencode(pairs).encode()
    if files:
        made = MultipartBody([*pairs, *files], boundary="b")
        kind, body = made.content_type, b"".join(made)
    basic = "Basic " + b64encode(f"api:{key}".encode()).decode()
    headers = [("Content-Type", kind), ("Authorization", basic)]
    return emulator.handle(HttpRequest(method=method, url=url, headers=headers, body=body), now)


def said(response: HttpResponse) -> tuple[int, Any]:
    """Return status and message of an answer."""
    return response.status, json.loads(response.body)["message"]


def events(emulator: MailgunEmulator, now: datetime = NOW) -> list[dict[str, Any]]:
    """Return what the webhooks that are due say, each answered with 200."""
    found = []
    for made in emulator.due(now):
        assert isinstance(made.request.body, bytes)
        found.append(json.loads(made.request.body)["event-data"])
        emulator.answered(made.delivery_id, 200, now)
    return found


@pytest.fixture
def emulator() -> MailgunEmulator:
    """Return Mailgun with an endpoint for events."""
    emulator = MailgunEmulator()
    emulator.subscribe(TRACKING, HOOK)
    return emulator


class TestRequests:
    """Paths, keys and domains."""

    def test_accepted(self, emulator: MailgunEmulator) -> None:
        """The answer has an id in brackets, of the domain."""
        answer = call(emulator)
        assert said(answer) == (200, "Queued. Thank you.")
        assert (
            json.loads(answer.body)["id"]
            == emulator.sent[0].id
            == "<20300102030405.0000000000000001@example.com>"
        )

    @pytest.mark.parametrize(
        "change, status, body",
        [
            ({"url": "https://api.mailgun.net"}, 200, b"Mailgun Magnificent API"),
            ({"url": "https://api.mailgun.net/v3/example.com/mesages"}, 404, b"404 page not found"),
            ({"url": "https://api.mailgun.net/v3/a/b/messages"}, 404, b"404 page not found"),
            ({"method": "GET"}, 405, b"405 method not allowed"),
            ({"key": "wrong"}, 401, b"Forbidden"),
            ({"key": ""}, 401, b"Forbidden"),
        ],
    )
    def test_plain(self, emulator: MailgunEmulator, change: Any, status: int, body: bytes) -> None:
        """What is no call of the API is answered in plain text."""
        answer = call(emulator, **change)
        assert (answer.status, answer.body) == (status, body)
        assert emulator.sent == []

    def test_domains(self, emulator: MailgunEmulator) -> None:
        """Another domain is not found."""
        url = "https://api.mailgun.net/v3/other.example/messages"
        assert said(call(emulator, url=url)) == (404, "Domain not found: other.example")
        assert call(MailgunEmulator(domain=["a.example", "other.example"]), url=url).status == 200

    def test_adopted(self, emulator: MailgunEmulator) -> None:
        """Whoever is adopted has another key, path and domain."""
        basic = "Basic " + b64encode(b"api:theirs").decode()
        url = "http://127.0.0.1:1/base/v3/theirs.example/messages"
        request = HttpRequest(method="POST", url=url, headers=[("Authorization", basic)])
        emulator.adopt(request)
        assert call(emulator, key="theirs", url=url).status == 200

    def test_rates(self) -> None:
        """Too many in a period are told how long to wait."""
        emulator = MailgunEmulator(rate_limit=(1, timedelta(minutes=1)))
        assert call(emulator).status == 200
        status, text = said(call(emulator))
        assert (status, text.endswith("try again after 120 seconds")) == (429, True)
        assert call(emulator, now=NOW + timedelta(minutes=1)).status == 200

    @pytest.mark.parametrize(
        "fault, status, sent",
        [
            (Fault.RATE_LIMITED, 429, 0),
            (Fault.ERROR_BEFORE_QUEUEING, 500, 0),
            (Fault.ERROR_AFTER_QUEUEING, 500, 1),
        ],
    )
    def test_faults(self, emulator: MailgunEmulator, fault: Fault, status: int, sent: int) -> None:
        """Each happens once."""
        emulator.inject(fault)
        assert (call(emulator).status, len(emulator.sent)) == (status, sent)
        assert call(emulator).status == 200


class TestFields:
    """What a form may hold."""

    @pytest.mark.parametrize(
        "fields, text",
        [
            ({"from": ""}, "from parameter is missing"),
            ({"from": "nobody"}, "from parameter is not a valid address. please check documentation"),
            ({"to": ""}, "to parameter is missing"),
            (
                {"to": ["a@example.com", "b"]},
                "to parameter is not a valid address. please check documentation",
            ),
            (
                {"to": "A, B <a@example.com>"},
                "to parameter is not a valid address. please check documentation",
            ),
            ({"cc": "x"}, "cc parameter is not a valid address. please check documentation"),
            ({"bcc": "x@y"}, "bcc parameter is not a valid address. please check documentation"),
            (
                {"text": ""},
                "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified",
            ),
            ({"html": "a", "template": "b"}, "Only one parameters 'html' or 'template' is allowed"),
            (
                {"h:X": "x" * 16384},
                "Send options (parameters starting with o:, h:, or v:) are limited to 16KB total",
            ),
            ({"o:deliverytime": "soon"}, "o:deliverytime parameter is not a valid date"),
            ({"recipient-variables": "[]"}, "recipient-variables parameter is not a valid JSON dictionary"),
        ],
    )
    def test_refused(self, emulator: MailgunEmulator, fields: dict[str, Any], text: str) -> None:
        """One thing wrong refuses the whole mail, with one sentence."""
        assert said(call(emulator, {**MAIL, **fields})) == (400, text)
        assert emulator.sent == []

    def test_read(self, emulator: MailgunEmulator) -> None:
        """Fields are kept, and read as what they are."""
        call(
            emulator,
            {
                **MAIL, "to": ["bob@example.com", "Bob <bob@example.com>", '"B, C" <c@example.com>'],
                "bcc": "d@example.com", "o:tag": ["a", "b"], "v:x": '{"y": 1}', "v:z": "5", "h:X-A": "1",
                "o:testmode": "yes", "o:deliverytime": "Fri, 04 Jan 2030 12:00:00 +0100",
            },
        )  # fmt: skip
        (mail,) = emulator.sent
        assert mail.sender == Mailbox("Ada", "ada@example.com")
        assert [box.address for box in mail.recipients] == [
            "bob@example.com",
            "c@example.com",
            "d@example.com",
        ]
        assert (mail.tags, mail.variables, mail.headers) == (
            ("a", "b"),
            {"x": {"y": 1}, "z": "5"},
            {"X-A": "1"},
        )
        assert (mail.test_mode, mail.deliver_at) == (True, datetime(2030, 1, 4, 11, tzinfo=UTC))

    def test_sizes(self) -> None:
        """Bodies and files count together."""
        emulator = MailgunEmulator(max_size=10)
        file = Attachment(content=b"12345", filename="a.bin")
        assert call(emulator, text="12345", files=(("attachment", file),)).status == 200
        assert call(emulator, text="123456", files=(("attachment", file),)).status == 413

    def test_batch(self, emulator: MailgunEmulator) -> None:
        """Each recipient reads its own values; what is missing stays as it stands."""
        rows = json.dumps({"bob@example.com": {"n": "Bob"}})
        call(
            emulator,
            recipient_variables=rows,
            text="%recipient.n% %recipient.m%",
            **{"v:who": "%recipient.n%"},
        )
        (mail,) = emulator.sent
        assert mail.personal(mail.field("text"), "bob@example.com") == "Bob %recipient.m%"
        assert events(emulator)[0]["user-variables"] == {"who": "Bob"}

    def test_mime(self, emulator: MailgunEmulator) -> None:
        """The mail is a file; its recipients are those of `to` alone."""
        raw = b"From: ada@example.com\r\nTo: x@example.com\r\nCc: y@example.com\r\nSubject: Hi\r\n\r\nHello"
        file = Attachment(content=raw, filename="m.mime", content_type="message/rfc822")
        url = f"{URL}.mime"
        assert call(emulator, {"to": "bob@example.com"}, files=(("message", file),), url=url).status == 200
        assert (emulator.sent[0].mime, emulator.sent[0].recipients) == (
            raw,
            (Mailbox("", "bob@example.com"),),
        )
        assert said(call(emulator, {"to": "bob@example.com", "message": "text"}, url=url)) == (
            400,
            "message parameter is missing",
        )


class TestEvents:
    """What happens to a mail, and how it is told."""

    def test_signed(self, emulator: MailgunEmulator) -> None:
        """Time and token are signed; the token has 50 letters and is another one each time."""
        call(emulator)
        call(emulator)
        blocks = [json.loads(bytes(made.request.body))["signature"] for made in emulator.due(NOW)]
        for block in blocks:
            text = f"{block['timestamp']}{block['token']}".encode()
            made = hmac.new(b"mailgun-emulator-signing-key", text, hashlib.sha256).hexdigest()
            assert (block["signature"], len(block["token"]), block["timestamp"]) == (
                made,
                50,
                str(int(NOW.timestamp())),
            )
        assert len({block["token"] for block in blocks}) == 2

    def test_one_each(self, emulator: MailgunEmulator) -> None:
        """Each recipient has events of its own, whose id has no brackets."""
        call(emulator, to=["a@example.com", "b@example.com"], **{"o:tag": "t", "v:x": "1"})
        found = events(emulator)
        assert [(one["event"], one["recipient"]) for one in found] == [
            ("accepted", "a@example.com"),
            ("accepted", "b@example.com"),
        ]
        assert f"<{found[0]['message']['headers']['message-id']}>" == emulator.sent[0].id
        assert (found[0]["tags"], found[0]["user-variables"]) == (["t"], {"x": "1"})

    @pytest.mark.parametrize(
        "word, event, more",
        [
            ("failed", "failed", {"severity": "permanent", "reason": "bounce"}),
            ("permanent_fail", "failed", {"severity": "permanent"}),
            ("temporary_fail", "failed", {"severity": "temporary", "reason": "generic"}),
            ("clicked", "clicked", {"url": "https://example.com/"}),
        ],
    )
    def test_words(self, emulator: MailgunEmulator, word: str, event: str, more: dict[str, Any]) -> None:
        """Mailgun's words for events and for webhooks are both taken."""
        call(emulator)
        events(emulator)
        emulator.act(emulator.sent[0].id, word, NOW)
        (found,) = events(emulator)
        assert found["event"] == event
        assert more.items() <= found.items()

    @pytest.mark.parametrize(
        "word, reason, code",
        [("failed", "bounce", 605), ("unsubscribed", "unsubscribe", 606), ("complained", "complaint", 607)],
    )
    def test_suppressed(self, emulator: MailgunEmulator, word: str, reason: str, code: int) -> None:
        """Later mail to the address is taken and not delivered."""
        call(emulator)
        emulator.act(emulator.sent[0].id, word, NOW)
        events(emulator)
        assert call(emulator, to="BOB@example.com").status == 200
        accepted, failed = events(emulator)
        assert (accepted["event"], failed["reason"]) == ("accepted", f"suppress-{reason}")
        assert failed["delivery-status"]["code"] == code

    def test_test_mode(self, emulator: MailgunEmulator) -> None:
        """Mail of the test mode is said to be delivered, with code 650."""
        call(emulator, **{"o:testmode": "yes"})
        assert [one.get("delivery-status", {}).get("code") for one in events(emulator)] == [None, 650]

    @pytest.mark.parametrize("act", [("<no@example.com>", "delivered"), ("", "delivered"), ("1", "sneezed")])
    def test_nothing(self, emulator: MailgunEmulator, act: tuple[str, str]) -> None:
        """An unknown mail or event is an error of the caller's."""
        call(emulator)
        with pytest.raises(ValueError, match=r"id|event"):
            emulator.act(act[0] if act[0] != "1" else emulator.sent[0].id, act[1], NOW)


class TestDeliveries:
    """When a webhook is tried, and what an answer does."""

    @pytest.mark.parametrize("status", [None, 204, 302, 401, 503])
    def test_retries(self, emulator: MailgunEmulator, status: int | None) -> None:
        """All but 200 and 406 is tried again for eight hours, the same bytes each time."""
        call(emulator)
        at, bodies, waits = NOW, [], []
        for minutes in (0, 10, 15, 30, 60, 120, 240):
            assert emulator.due(at + timedelta(minutes=minutes, seconds=-1)) == []
            at += timedelta(minutes=minutes)
            (made,) = emulator.due(at)
            bodies.append(made.request.body)
            waits.append(minutes)
            emulator.answered(made.delivery_id, status, at)
        assert emulator.due(at + timedelta(days=9)) == []
        assert len(set(map(bytes, bodies))) == 1
        assert emulator.lost_webhooks == bodies[:1]

    def test_not_acceptable(self, emulator: MailgunEmulator) -> None:
        """406 ends it."""
        call(emulator)
        (made,) = emulator.due(NOW)
        emulator.answered(made.delivery_id, 406, NOW)
        assert emulator.due(NOW + timedelta(days=9)) == []
        with pytest.raises(ValueError, match="waits"):
            emulator.answered(made.delivery_id, 200, NOW)

    def test_basic_auth(self, emulator: MailgunEmulator) -> None:
        """A name and a password in the URL become a header."""
        emulator.subscribe(TRACKING, "https://us%65r:p%40ss@hooks.example.org/a")
        call(emulator)
        (made,) = emulator.due(NOW)
        assert made.request.url == "https://hooks.example.org/a"
        assert ("Authorization", "Basic " + b64encode(b"user:p@ss").decode()) in made.request.headers

    def test_bad_url(self, emulator: MailgunEmulator) -> None:
        """An endpoint is a URL."""
        with pytest.raises(ValueError, match="URL"):
            emulator.subscribe(TRACKING, "hooks")


class TestRoutes:
    """Mail from the outside."""

    RAW = (
        b"Return-Path: <bounce@example.net>\r\nFrom: Eve <eve@example.net>\r\nTo: desk@example.com\r\n"
        b"Subject: Hi\r\n\r\nGr\xfc\xdfe\r\n"
    )

    def test_parsed(self, emulator: MailgunEmulator) -> None:
        """The fields of the documentation, and every header."""
        emulator.subscribe(INBOUND, f"{HOOK}/inbound")
        emulator.receive(self.RAW, NOW)
        (made,) = emulator.due(NOW)
        fields = parse_qs(bytes(made.request.body).decode(), keep_blank_values=True)
        assert (fields["sender"], fields["recipient"]) == (["bounce@example.net"], ["desk@example.com"])
        assert fields["Subject"] == fields["subject"] == ["Hi"]
        assert ["From", "Eve <eve@example.net>"] in json.loads(fields["message-headers"][0])
        assert {"timestamp", "token", "signature", "body-plain", "stripped-text"} <= set(fields)

    def test_raw(self, emulator: MailgunEmulator) -> None:
        """Where the URL ends in mime, the mail itself."""
        emulator.subscribe(INBOUND, f"{HOOK}/inbound_mime")
        emulator.receive(self.RAW, NOW)
        (made,) = emulator.due(NOW)
        assert parse_qs(bytes(made.request.body).decode(), encoding="latin-1")["body-mime"] == [
            self.RAW.decode("latin-1")
        ]

    def test_no_route(self, emulator: MailgunEmulator) -> None:
        """Without a route, mail goes nowhere."""
        emulator.receive(self.RAW, NOW)
        assert emulator.due(NOW) == []


def test_shares_nothing_with_the_adapter() -> None:
    """It imports its own files, and public names."""
    for path in Path(mailcore_mailgun.emulator.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mailcore"):
                assert node.module == "mailcore" or node.module.startswith("mailcore_mailgun.emulator")
