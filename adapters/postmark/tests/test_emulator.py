"""The emulator does what Postmark's documentation says: each rule by itself, without the adapter."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailcore import EndpointKind, HttpRequest, HttpResponse
from mailcore_postmark.emulator import AccountProblem, Fault, PostmarkEmulator

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
MAIL: dict[str, Any] = {"From": "Ada <ada@example.com>", "To": "bob@example.com", "TextBody": "Hello"}
TEMPLATE: dict[str, Any] = {
    "From": "ada@example.com",
    "To": "bob@example.com",
    "TemplateAlias": "welcome",
    "TemplateModel": {},
}
URL = "https://hooks.example.org/postmark"


def ask(
    emulator: PostmarkEmulator,
    document: Any,
    path: str = "/email",
    *,
    token: str | None = "",
    method: str = "POST",
    accept: str = "application/json",
) -> HttpResponse:
    """Return the answer to a request; None sends no token."""
    headers = [("Accept", accept), ("Content-Type", "application/json; charset=utf-8")]
    if token is not None:
        headers.append(("x-postmark-server-token", token or emulator.token))
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    url = f"https://api.postmarkapp.com{path}"
    return emulator.handle(HttpRequest(method=method, url=url, headers=headers, body=body), NOW)


def said(response: HttpResponse) -> Any:
    """Return the JSON of an answer."""
    return json.loads(response.body)


def refusal(emulator: PostmarkEmulator, path: str = "/email", **fields: Any) -> tuple[int, int, str]:
    """Return status, code and words of a refusal of such a mail."""
    response = ask(emulator, {**(TEMPLATE if "emplate" in path else MAIL), **fields}, path)
    return response.status, said(response)["ErrorCode"], said(response)["Message"]


def happened(emulator: PostmarkEmulator, now: datetime = NOW) -> list[dict[str, Any]]:
    """Return the webhooks that are due, each answered with 200."""
    found = emulator.due(now)
    for one in found:
        emulator.answered(one.delivery_id, 200, now)
    return [json.loads(one.request.body) for one in found if isinstance(one.request.body, bytes)]


@pytest.fixture
def emulator() -> PostmarkEmulator:
    """Return Postmark with an endpoint of each kind."""
    emulator = PostmarkEmulator()
    for kind in EndpointKind:
        emulator.subscribe(kind, URL)
    return emulator


class TestAccess:
    """Who may ask what."""

    @pytest.mark.parametrize("path", ["", "/", "/emails", "/email/single", "/v1/email", "/EMAIL"])
    def test_other_paths(self, emulator: PostmarkEmulator, path: str) -> None:
        """There are four endpoints."""
        assert ask(emulator, MAIL, path).status == 404

    def test_other_methods(self, emulator: PostmarkEmulator) -> None:
        """They are posted to."""
        assert ask(emulator, MAIL, method="GET").status == 404

    def test_slash(self, emulator: PostmarkEmulator) -> None:
        """Postmark's page writes one of them with a slash."""
        assert ask(emulator, TEMPLATE, "/email/withTemplate/").status == 200

    @pytest.mark.parametrize(
        "token, text", [(None, "No Account or Server API tokens"), ("x", "valid Server token")]
    )
    def test_token(self, emulator: PostmarkEmulator, token: str | None, text: str) -> None:
        """Without a token, or with another, it is 401 and code 10."""
        response = ask(emulator, MAIL, token=token)

        assert (response.status, said(response)["ErrorCode"]) == (401, 10)
        assert text in said(response)["Message"]

    def test_test_token(self, emulator: PostmarkEmulator) -> None:
        """Postmark's token for tests checks a mail and sends none."""
        assert ask(emulator, MAIL, token="POSTMARK_API_TEST").status == 200
        assert ask(emulator, {**MAIL, "To": "x"}, token="POSTMARK_API_TEST").status == 422
        assert emulator.sent == []

    def test_types(self, emulator: PostmarkEmulator) -> None:
        """JSON must be asked for."""
        assert said(ask(emulator, MAIL, accept="*/*"))["ErrorCode"] == 409

    @pytest.mark.parametrize(
        "body, code",
        [(b"", 402), (b"{", 402), (b"\xff", 402), (b'{"a":"\\ud800"}', 402), (b"[]", 403), (b"7", 403)],
    )
    def test_json(self, emulator: PostmarkEmulator, body: bytes, code: int) -> None:
        """It must be JSON, and an object."""
        response = ask(emulator, body)
        assert (response.status, said(response)["ErrorCode"]) == (422, code)

    @pytest.mark.parametrize("problem", AccountProblem)
    def test_account(self, emulator: PostmarkEmulator, problem: AccountProblem) -> None:
        """An account that may not send."""
        emulator.account_problem = problem
        assert refusal(emulator)[:2] == (422, problem.value.code)

    def test_adopted(self, emulator: PostmarkEmulator) -> None:
        """Whoever is taken for the owner may send from anywhere, below any base."""
        mail = {**MAIL, "From": "ada@elsewhere.example"}
        body = json.dumps([mail]).encode()
        headers = [
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
            ("X-Postmark-Server-Token", "mine"),
        ]
        request = HttpRequest(
            method="POST", url="http://127.0.0.1/base/email/batch", headers=headers, body=body
        )
        assert emulator.handle(request, NOW).status == 404
        emulator.adopt(request)
        assert said(emulator.handle(request, NOW))[0]["ErrorCode"] == 0


class TestMail:
    """What is a mail."""

    def test_accepted(self, emulator: PostmarkEmulator) -> None:
        """The answer names the recipients as given, with an id that counts."""
        found = said(ask(emulator, {**MAIL, "To": "Bob <bob@example.com>, eve@example.com"}))

        assert found == {
            "To": "Bob <bob@example.com>, eve@example.com",
            "SubmittedAt": "2025-06-01T12:00:00.0000000Z",
            "MessageID": "00000000-0000-0000-0000-000000000001",
            "ErrorCode": 0,
            "Message": "OK",
        }

    def test_hidden_recipients_alone(self, emulator: PostmarkEmulator) -> None:
        """Without `To`, the answer has none."""
        assert "To" not in said(ask(emulator, {**MAIL, "To": None, "Bcc": "bob@example.com"}))

    @pytest.mark.parametrize(
        "fields, code",
        [
            ({"From": "ada@example.org"}, 400),
            ({"From": ""}, 300),
            ({"From": "ada@example.com, bob@example.com"}, 300),
            ({"To": "nobody"}, 300),
            ({"To": "bob@example"}, 300),
            ({"To": "Widgets, Inc. <w@example.com>"}, 300),
            ({"To": 7}, 300),
            ({"To": None}, 300),
            ({"Cc": "a@x_y.example"}, 300),
            ({"ReplyTo": "nobody"}, 300),
            ({"TextBody": ""}, 300),
            ({"Bcc": ", ".join(f"{n}@example.com" for n in range(50))}, 300),
            ({"Tag": "x" * 1001}, 300),
            ({"Metadata": {str(n): "v" for n in range(11)}}, 300),
            ({"Metadata": {"n" * 21: "v"}}, 300),
            ({"Metadata": {"n": "v" * 81}}, 300),
            ({"Metadata": {"a": "v", "A": "v"}}, 300),
            ({"Metadata": {"a": {}}}, 300),
            ({"Metadata": "a"}, 300),
            ({"Attachments": [{"Name": "a", "ContentType": "text/plain", "Content": "?"}]}, 300),
            ({"Attachments": [{"Name": "", "ContentType": "text/plain", "Content": ""}]}, 300),
            ({"Attachments": ["a"]}, 300),
            ({"Attachments": "a"}, 403),
            ({"Subject": 7}, 403),
            ({"TrackOpens": "yes"}, 403),
            ({"TrackLinks": "Some"}, 403),
            ({"Headers": {"X-A": "1"}}, 403),
            ({"Headers": [{"Name": "X-A"}]}, 403),
        ],
    )
    def test_refused(self, emulator: PostmarkEmulator, fields: dict[str, Any], code: int) -> None:
        """One thing wrong is 422 with its code, and nothing is sent."""
        assert refusal(emulator, **fields)[:2] == (422, code)
        assert emulator.sent == []

    def test_limits_are_allowed(self, emulator: PostmarkEmulator) -> None:
        """Exactly as much as documented is taken."""
        fields = {
            "Bcc": ", ".join(f"{n}@example.com" for n in range(49)),
            "Tag": "x" * 1000,
            "Metadata": {**{str(n): "v" for n in range(9)}, "n" * 20: "v" * 80},
        }
        assert ask(emulator, {**MAIL, **fields}).status == 200

    def test_size(self, emulator: PostmarkEmulator) -> None:
        """More than 10 MB is 413, alone, and not in a batch."""
        large = {**MAIL, "TextBody": "x" * 10 * 1024 * 1024}
        assert ask(emulator, large).status == 413
        assert ask(emulator, [large], "/email/batch").status == 200

    def test_what_it_holds(self, emulator: PostmarkEmulator) -> None:
        """A test can look at a mail, decoded, and at what Postmark would have lost."""
        files = [{"Name": "a.png", "ContentType": "image/png", "Content": "YQ==", "ContentID": "cid:a"}]
        ask(emulator, {**MAIL, "Attachments": files, "Priority": "high", "MessageStream": "broadcast"})
        [sent] = emulator.sent

        assert (sent.from_, sent.to) == (("Ada", "ada@example.com"), (("", "bob@example.com"),))
        assert [(file.content, file.content_id) for file in sent.attachments] == [(b"a", "a")]
        assert (sent.ignored_fields, sent.stream, sent.template) == (("Priority",), "broadcast", None)


class TestTemplates:
    """Mail by template."""

    @pytest.mark.parametrize(
        "fields, code",
        [
            ({"TemplateAlias": None}, 403),
            ({"TemplateModel": None}, 403),
            ({"TemplateModel": []}, 403),
            ({"TemplateId": True}, 403),
        ],
    )
    def test_refused(self, emulator: PostmarkEmulator, fields: dict[str, Any], code: int) -> None:
        """It needs a name and a model."""
        assert refusal(emulator, "/email/withTemplate", **fields)[1] == code

    def test_known_ones(self) -> None:
        """Where templates are named, others are not there."""
        emulator = PostmarkEmulator(templates=[7, "welcome"])

        assert ask(emulator, TEMPLATE, "/email/withTemplate").status == 200
        assert (
            ask(emulator, {**TEMPLATE, "TemplateAlias": None, "TemplateId": 7}, "/email/withTemplate").status
            == 200
        )
        assert refusal(emulator, "/email/withTemplate", TemplateAlias="other")[1] == 1101

    def test_batch(self, emulator: PostmarkEmulator) -> None:
        """A batch of them is an object, unlike another."""
        assert len(said(ask(emulator, {"Messages": [TEMPLATE] * 2}, "/email/batchWithTemplates"))) == 2
        assert said(ask(emulator, [TEMPLATE], "/email/batchWithTemplates"))["ErrorCode"] == 403


class TestBatch:
    """Many mails."""

    def test_each_has_its_verdict(self, emulator: PostmarkEmulator) -> None:
        """The status is 200, whatever became of them."""
        response = ask(emulator, [MAIL, {**MAIL, "To": "x"}, MAIL], "/email/batch")

        assert response.status == 200
        assert [one["ErrorCode"] for one in said(response)] == [0, 300, 0]

    @pytest.mark.parametrize("number, code", [(500, 0), (501, 410)])
    def test_limit(self, emulator: PostmarkEmulator, number: int, code: int) -> None:
        """500 mails are taken, and one more is one refusal of all."""
        found = said(ask(emulator, [MAIL] * number, "/email/batch"))
        assert (found[0] if isinstance(found, list) else found)["ErrorCode"] == code

    def test_needs_a_list(self, emulator: PostmarkEmulator) -> None:
        """One mail is no batch."""
        assert said(ask(emulator, MAIL, "/email/batch"))["ErrorCode"] == 403


class TestInactive:
    """Addresses that get nothing."""

    @pytest.mark.parametrize(
        "event, reason",
        [
            ("HardBounce", "HardBounce"),
            ("SpamComplaint", "SpamComplaint"),
            ("SubscriptionChange", "ManualSuppression"),
        ],
    )
    def test_after_an_event(self, emulator: PostmarkEmulator, event: str, reason: str) -> None:
        """All inactive is 406, some are named in the acceptance, in lower case."""
        sent = said(ask(emulator, {**MAIL, "To": "Bob@example.com"}))
        emulator.act(sent["MessageID"], event, NOW)

        assert emulator.suppressed == {"bob@example.com": reason}
        status, code, text = refusal(emulator)
        assert (status, code) == (422, 406)
        assert "Found inactive addresses: bob@example.com. Inactive" in text
        found = said(ask(emulator, {**MAIL, "Cc": "eve@example.com"}))
        assert found["ErrorCode"] == 0
        assert "will not deliver to these inactive addresses: bob@example.com. Inactive" in found["Message"]
        assert emulator.sent[-1].reached == ("eve@example.com",)

    def test_by_hand(self, emulator: PostmarkEmulator) -> None:
        """The owner can suppress and reactivate, but for one that complained; each is told once."""
        emulator.suppress("Bob@example.com", NOW)
        emulator.reactivate("bob@example.com", NOW)
        emulator.reactivate("bob@example.com", NOW)
        told = [
            (one["SuppressSending"], one["SuppressionReason"], one["MessageID"]) for one in happened(emulator)
        ]
        assert told == [(True, "ManualSuppression", None), (False, None, None)]
        emulator.act(said(ask(emulator, MAIL))["MessageID"], "SpamComplaint", NOW)
        emulator.reactivate("bob@example.com", NOW)
        assert refusal(emulator)[1] == 406


class TestEvents:
    """Webhooks of what happens to a mail."""

    def test_one_for_each_recipient(self, emulator: PostmarkEmulator) -> None:
        """Postmark tells of each, hidden ones too; a test may pick one."""
        sent = said(
            ask(
                emulator,
                {**MAIL, "Cc": "cc@example.com", "Bcc": "bcc@example.com", "Tag": "t", "Metadata": {"n": 1}},
            )
        )
        emulator.act(sent["MessageID"], "Delivery", NOW)
        found = happened(emulator)
        assert [one["Recipient"] for one in found] == ["bob@example.com", "cc@example.com", "bcc@example.com"]
        assert [(one["Tag"], one["Metadata"], one["DeliveredAt"]) for one in found] == [
            ("t", {"n": "1"}, "2025-06-01T12:00:00.0000000Z")
        ] * 3
        emulator.act(sent["MessageID"], "Open", NOW, recipient="cc@example.com")
        assert [one["Recipient"] for one in happened(emulator)] == ["cc@example.com"]

    def test_a_hard_bounce_comes_twice(self, emulator: PostmarkEmulator) -> None:
        """As itself, and as the change of the list; others once. Bounces have ids that count."""
        sent = said(ask(emulator, MAIL))["MessageID"]
        emulator.act(sent, "SoftBounce", NOW)
        emulator.act(sent, "HardBounce", NOW)
        found = happened(emulator)
        assert [(one["RecordType"], one.get("Type"), one.get("ID")) for one in found] == [
            ("Bounce", "SoftBounce", 1),
            ("Bounce", "HardBounce", 2),
            ("SubscriptionChange", None, None),
        ]

    def test_unknown(self, emulator: PostmarkEmulator) -> None:
        """What nobody can mean is an error."""
        sent = said(ask(emulator, MAIL))["MessageID"]
        with pytest.raises(ValueError, match="no event 'Thrown'"):
            emulator.act(sent, "Thrown", NOW)
        with pytest.raises(ValueError, match="No mail has the id"):
            emulator.act("x", "Delivery", NOW)
        with pytest.raises(ValueError, match="waits for an answer"):
            emulator.answered("x", 200, NOW)

    def test_basic_auth(self, emulator: PostmarkEmulator) -> None:
        """A user name and password in the URL go into the header."""
        emulator.subscribe(EndpointKind.TRACKING, "https://us%3Aer:pass@hooks.example.org/x")
        emulator.act(said(ask(emulator, MAIL))["MessageID"], "Delivery", NOW)
        [made] = emulator.due(NOW)

        assert made.request.url == "https://hooks.example.org/x"
        assert dict(made.request.headers)["Authorization"] == "Basic dXM6ZXI6cGFzcw=="


class TestRetries:
    """What an answer of an endpoint does."""

    def attempts(
        self, emulator: PostmarkEmulator, status: int | None
    ) -> tuple[list[int], list[dict[str, str]]]:
        """Return after how many minutes each try is made, and the headers of it."""
        minutes, headers = [], []
        while (due := emulator.next_due()) is not None:
            [made] = emulator.due(due)
            minutes.append(int((due - NOW).total_seconds() // 60))
            headers.append({name: str(value) for name, value in made.request.headers})
            emulator.answered(made.delivery_id, status, due)
        return minutes, headers

    @pytest.mark.parametrize("status", [500, 503, 408, 429, None])
    def test_events_come_again(self, emulator: PostmarkEmulator, status: int | None) -> None:
        """Six times within the hour and a bit, under one trace id; then they are lost."""
        emulator.act(said(ask(emulator, MAIL))["MessageID"], "Delivery", NOW)
        minutes, headers = self.attempts(emulator, status)

        assert minutes == [0, 1, 6, 16, 26, 36, 51]
        assert len({one["X-PM-Webhook-Trace-Id"] for one in headers}) == 1
        assert [one.get("X-PM-Retries-Remaining") for one in headers] == [None, "5", "4", "3", "2", "1", "0"]
        assert len(emulator.lost_events) == 1

    @pytest.mark.parametrize("status, lost", [(200, 0), (400, 1), (401, 1), (403, 1), (404, 1), (422, 1)])
    def test_events_do_not(self, emulator: PostmarkEmulator, status: int, lost: int) -> None:
        """Any other error is final."""
        emulator.act(said(ask(emulator, MAIL))["MessageID"], "Delivery", NOW)

        assert self.attempts(emulator, status)[0] == [0]
        assert len(emulator.lost_events) == lost

    @pytest.mark.parametrize("status", [500, 401, 404, 204, None])
    def test_mail_comes_again(self, emulator: PostmarkEmulator, status: int | None) -> None:
        """Ten times within half a day, after anything but 200."""
        emulator.receive(b"From: eve@example.net\r\n\r\nHi", NOW)

        assert self.attempts(emulator, status)[0] == [0, 1, 6, 16, 26, 36, 51, 81, 141, 261, 621]
        assert len(emulator.inbound_errors) == 1

    @pytest.mark.parametrize("status, lost", [(200, 0), (403, 1)])
    def test_mail_does_not(self, emulator: PostmarkEmulator, status: int, lost: int) -> None:
        """403 stops it."""
        emulator.receive(b"From: eve@example.net\r\n\r\nHi", NOW)

        assert self.attempts(emulator, status)[0] == [0]
        assert len(emulator.inbound_errors) == lost

    def test_nowhere(self) -> None:
        """Without an endpoint, events are not made, and mail is an error."""
        emulator = PostmarkEmulator()
        emulator.act(said(ask(emulator, MAIL))["MessageID"], "Delivery", NOW)
        emulator.receive(b"From: eve@example.net\r\n\r\nHi", NOW)

        assert (emulator.due(NOW + timedelta(days=1)), len(emulator.inbound_errors)) == ([], 1)

    @pytest.mark.parametrize("url", ["ftp://x.example", "hooks", "https://"])
    def test_bad_endpoint(self, emulator: PostmarkEmulator, url: str) -> None:
        """An endpoint is a URL."""
        with pytest.raises(ValueError, match="http or https"):
            emulator.subscribe(EndpointKind.TRACKING, url)


class TestFaults:
    """Trouble on demand."""

    @pytest.mark.parametrize(
        "fault, status, sent",
        [
            (Fault.RATE_LIMITED, 429, 0),
            (Fault.MAINTENANCE, 503, 0),
            (Fault.ERROR_BEFORE_TAKING, 500, 0),
            (Fault.ERROR_AFTER_TAKING, 500, 1),
            (Fault.EDGE_AFTER_TAKING, 504, 1),
        ],
    )
    def test_happens_once(self, emulator: PostmarkEmulator, fault: Fault, status: int, sent: int) -> None:
        """And says whether the mail is out."""
        emulator.inject(fault)
        assert ask(emulator, MAIL).status == status
        assert len(emulator.sent) == sent
        assert ask(emulator, MAIL).status == 200


class TestInbound:
    """Mail from the outside."""

    RAW = (
        b"Return-Path: <forged@example.net>\r\nFrom: Eve <eve@example.net>\r\n"
        b"To: Desk <desk+7@in.example.com>\r\n"
        b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <1@example.net>\r\nX-A: 1\r\n\r\nHello\r\n"
    )

    def test_fields(self, emulator: PostmarkEmulator) -> None:
        """What has a field of its own is no header, and the envelope comes first."""
        emulator.receive(self.RAW, NOW, sender="bounces@example.net", recipient="hidden@in.example.com")
        [found] = happened(emulator)

        assert found["FromFull"] == {"Email": "eve@example.net", "Name": "Eve", "MailboxHash": ""}
        assert found["ToFull"] == [{"Email": "desk+7@in.example.com", "Name": "Desk", "MailboxHash": "7"}]
        assert [one["Email"] for one in found["BccFull"]] == ["hidden@in.example.com"]
        assert (found["Subject"], found["TextBody"].strip()) == ("Grüße", "Hello")
        assert found["OriginalRecipient"] == "hidden@in.example.com"
        assert [one["Name"] for one in found["Headers"]] == ["Return-Path", "Message-ID", "X-A"]
        assert found["Headers"][0]["Value"] == "<bounces@example.net>"
        assert "RawEmail" not in found

    def test_source(self, emulator: PostmarkEmulator) -> None:
        """The mail itself is there where the setting says so, with line feeds alone."""
        emulator.raw_email = True
        emulator.receive(self.RAW, NOW)
        [found] = happened(emulator)
        assert found["RawEmail"] == self.RAW.decode().replace("\r\n", "\n")
        assert found["OriginalRecipient"] == "desk+7@in.example.com"

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"\xff\xfe\x00",
            b"From: \xff <\xff@\xff>\r\nTo: ,,,;\r\n\r\n\xff",
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n",
            b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xe4",
            b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx",
            b"Content-Transfer-Encoding: base64\r\n\r\n!!!",
            b"From: " + b"(" * 5000 + b"\r\n\r\nx",
        ],
    )
    def test_hostile(self, emulator: PostmarkEmulator, raw: bytes) -> None:
        """Whatever comes, a webhook comes of it."""
        emulator.raw_email = True
        emulator.receive(raw, NOW)
        assert len(happened(emulator)) == 1


def test_knows_no_time_of_its_own() -> None:
    """A time without a zone is nobody's."""
    with pytest.raises(ValueError, match="aware"):
        PostmarkEmulator().due(datetime(2025, 6, 1))  # noqa: DTZ001  # reason: that is what is refused
