"""The emulator's rules, the adapter at work with it, and boto3 pointed at it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from mailcore import (
    AccountProblem,
    Attachment,
    AuthenticationFailed,
    EndpointKind,
    EventType,
    HttpRequest,
    HttpResponse,
    Mailer,
    Message,
    RateLimited,
    Rejected,
    RejectReason,
    SendError,
    SendStatus,
    WebhookReceiver,
    WebhookRequest,
)
from mailcore.testing import RecordingTransport
from mailcore_amazon_ses.emulator import AccountProblem as Problem
from mailcore_amazon_ses.emulator import AmazonSesEmulator

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
BASE = "http://127.0.0.1:8025"
HOOK = "https://hooks.example.com/ses"
MINIMAL: dict[str, Any] = {
    "from_": "ada@example.com",
    "to": "bob@example.com",
    "subject": "Hi",
    "text": "Hello",
}


class Bench:
    """An adapter with an emulator for its wire."""

    def __init__(self, emulator: AmazonSesEmulator, host: Any) -> None:
        self.emulator, self.now = emulator, NOW
        config = {"provider": "amazon-ses", "max_attempts": 1, **emulator.settings(BASE)}
        transport = RecordingTransport(lambda request: emulator.handle(request, self.now))
        self.mailer = Mailer.from_config(
            config, environ={}, host=host, transport=transport, clock=lambda: self.now
        )
        self.events: list[Any] = []
        self.mails: list[Any] = []
        self.receiver = WebhookReceiver.from_config(
            config,
            environ={},
            host=host,
            transport=RecordingTransport(lambda request: emulator.handle(request, self.now)),
            clock=lambda: self.now,
            on_event=self.events.append,
            on_inbound=self.mails.append,
        )

    def send(self, **fields: Any) -> Any:
        """Send a mail."""
        return self.mailer.send(Message(**{**MINIMAL, **fields}))

    def deliver(self) -> list[int]:
        """Make what is due, and return how it was answered."""
        statuses = []
        for made in self.emulator.due(self.now):
            headers = [(name, str(value)) for name, value in made.request.headers]
            assert isinstance(made.request.body, bytes)
            request = WebhookRequest(headers=headers, body=made.request.body, received_at=self.now)
            statuses.append(self.receiver.receive(request, kind=made.kind).status)
            self.emulator.answered(made.delivery_id, statuses[-1], self.now)
        return statuses


@pytest.fixture
def bench(host: Any) -> Callable[..., Bench]:
    """Return a function that makes an emulator and an adapter for it."""
    pytest.importorskip("cryptography")
    return lambda **how: Bench(AmazonSesEmulator(**how), host)


class TestSending:
    """What the emulator takes."""

    def test_raw(self, bench: Callable[..., Bench]) -> None:
        """A mail is kept as it was sent, hidden recipients apart."""
        made = bench()
        file = Attachment(content=bytes(range(256)) * 50, filename="all.bin")
        result = made.send(bcc="di@example.com", tags="receipt", metadata={"order": 17}, attachments=file)
        mail = made.emulator.sent[0]

        assert result.message_id == mail.message_id
        assert list(mail.recipients) == ["bob@example.com", "di@example.com"]
        assert mail.tags == {"tag": ["receipt"], "order": ["17"]}
        assert mail.source is not None
        assert b"di@example.com" not in mail.source

    def test_bulk(self, bench: Callable[..., Bench]) -> None:
        """One mail for each address in `to`, each with an id of its own."""
        made = bench(templates=["Receipt"])
        fields = {"to": ["a@example.com", "b@example.com"], "template_id": "Receipt", "merge_data": {}}
        result = made.send(**fields, subject=None, text=None)

        assert result.scope == "recipient"
        assert result.message_ids == tuple(mail.message_id for mail in made.emulator.sent)
        assert [row.status for row in result.recipients.values()] == [SendStatus.QUEUED] * 2

    @pytest.mark.parametrize(
        "how, fields, error",
        [
            ({"domain": "other.example"}, {}, Rejected),
            ({"templates": []}, {"template_id": "x", "subject": None, "text": None}, Rejected),
            (
                {"configuration_sets": []},
                {"provider_options": {"amazon-ses": {"ConfigurationSetName": "x"}}},
                Rejected,
            ),
            ({}, {"to": [f"r{number}@example.com" for number in range(51)]}, Rejected),
            ({"rate_limit": (0, timedelta(seconds=1))}, {}, RateLimited),
        ],
        ids=["sender", "template", "configuration set", "recipients", "rate"],
    )
    def test_refused(
        self, how: dict[str, Any], fields: dict[str, Any], error: type[SendError], bench: Callable[..., Bench]
    ) -> None:
        """What SES refuses, with its own name for it."""
        made = bench(**how)
        with pytest.raises(error) as raised:
            made.send(**fields)
        assert raised.value.code
        assert made.emulator.sent == []

    @pytest.mark.parametrize("problem", Problem)
    def test_account(self, problem: Problem, bench: Callable[..., Bench]) -> None:
        """An account that may not send."""
        made = bench()
        made.emulator.account_problem = problem
        with pytest.raises(AccountProblem):
            made.send()

    def test_rate_recovers(self, bench: Callable[..., Bench]) -> None:
        """The period passes."""
        made = bench(rate_limit=(1, timedelta(seconds=1)))
        made.send()
        with pytest.raises(RateLimited):
            made.send()
        made.now += timedelta(seconds=1)
        assert made.send().message_id


def signed(bench: Bench) -> HttpRequest:
    """Return a request that the emulator takes."""
    request = bench.mailer.preview(Message(**MINIMAL))
    assert isinstance(request, HttpRequest)
    return request


class TestProof:
    """What the emulator believes."""

    def test_changed(self, bench: Callable[..., Bench]) -> None:
        """Another body, another header, another time: each is refused, and the request itself is taken."""
        made = bench()
        request = signed(made)
        body = b"".join(request.body)  # type: ignore[arg-type]  # reason: a Body
        others = [
            attrs.evolve(request, body=body + b" "),
            attrs.evolve(
                request, headers=[(n, "text/plain" if n == "Content-Type" else v) for n, v in request.headers]
            ),
            attrs.evolve(request, url=request.url + "?x=1"),
            attrs.evolve(request, headers=[pair for pair in request.headers if pair[0] != "Authorization"]),
            attrs.evolve(
                request, headers=[(n, "x" if n == "Authorization" else v) for n, v in request.headers]
            ),
            attrs.evolve(request, headers=[(n, "x" if n == "X-Amz-Date" else v) for n, v in request.headers]),
        ]
        assert [made.emulator.handle(other, NOW).status for other in others] == [403] * 6
        assert made.emulator.handle(request, NOW + timedelta(minutes=16)).status == 403
        assert made.emulator.handle(request, NOW + timedelta(minutes=14)).status == 200

    def test_another_key(self, bench: Callable[..., Bench], make_mailer: Callable[..., Mailer]) -> None:
        """A key that is not the account's, until its owner is adopted."""
        made = bench()
        mailer = make_mailer(
            RecordingTransport(lambda request: made.emulator.handle(request, datetime.now(UTC)))
        )
        message = Message(**{**MINIMAL, "from_": "ada@adopted.example"})
        with pytest.raises(AuthenticationFailed):
            mailer.send(message)
        # The domain is told by the request where the request says it outside the raw mail, or in it.
        made.emulator.adopt(mailer.preview(message))  # type: ignore[arg-type]  # reason: HTTP
        assert mailer.send(message).message_id

    @pytest.mark.parametrize(
        "document",
        [
            None,
            [],
            {},
            {"Content": {}},
            {"Content": {"Raw": {}, "Simple": {}}},
            {"Content": {"Raw": {"Data": "*"}}},
            {"Content": {"Raw": 7}},
            {"Content": {"Template": {}}},
            {"Content": {"Template": {"TemplateName": "x", "TemplateData": "x"}}},
            {"Content": {"Template": {"TemplateName": "x", "Headers": [{"Name": "x"}]}}},
            {"Content": {"Template": {"TemplateName": "x", "Headers": [{"Name": "x", "Value": "é"}]}}},
            {"Content": {"Template": {"TemplateName": "x", "Attachments": [{"FileName": "x"}]}}},
            {"Content": {"Template": {"TemplateName": "x", "Attachments": 7}}},
            {"Content": {"Simple": {"Subject": {"Data": "x"}, "Body": {}}}},
            {"EmailTags": [{"Name": "a b", "Value": "x"}]},
            {"EmailTags": [{"Name": "a", "Value": "x"}, {"Name": "a", "Value": "y"}]},
            {"EmailTags": 7},
            {"Destination": 7},
            {"Destination": {"ToAddresses": ["jörg@example.com"]}},
            {"Destination": {}},
            {"FromEmailAddress": "x"},
            {"ReplyToAddresses": ["x"]},
            {"ConfigurationOverrides": {"Tracking": {"OpenTrackingEnabled": "yes"}}},
            {"ConfigurationSetName": 7},
        ],
        ids=str,
    )
    def test_malformed(self, document: Any, bench: Callable[..., Bench]) -> None:
        """What is not of the documented form is a 400, from a key that is trusted."""
        made = bench()
        emulator = made.emulator
        request = signed(made)
        emulator.adopt(request)
        simple = {"Simple": {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}}
        right = {
            "FromEmailAddress": "ada@example.com",
            "Destination": {"ToAddresses": ["bob@example.com"]},
            "Content": simple,
        }
        good = attrs.evolve(request, body=json.dumps(right).encode())
        assert emulator.handle(good, NOW).status == 200
        changed = {**right, **document} if document else document
        answer = emulator.handle(attrs.evolve(request, body=json.dumps(changed).encode()), NOW)
        assert answer.status == 400
        assert len(emulator.sent) == 1


class TestWebhooks:
    """What the emulator tells, and to whom."""

    def test_confirmation(self, bench: Callable[..., Bench]) -> None:
        """SNS waits for the confirmation, which the receiver gives; before that, nothing is told."""
        made = bench(confirm=True, signature_version="2")
        made.emulator.subscribe(EndpointKind.TRACKING, HOOK)
        made.send()
        assert made.deliver() == [200]
        assert made.events == []
        result = made.send()
        assert made.deliver() == [200]
        assert [event.message_id for event in made.events] == [result.message_id]

    def test_confirms_nothing_else(self, bench: Callable[..., Bench]) -> None:
        """A confirmation of something that nobody asked for is refused."""
        made = bench(confirm=True)
        for query in ("", "?Action=ConfirmSubscription&TopicArn=x&Token=y", "?Action=Other"):
            request = HttpRequest(method="GET", url=f"{BASE}/{query}", commits=False)
            assert made.emulator.handle(request, NOW).status == 400

    def test_story(self, bench: Callable[..., Bench]) -> None:
        """A mail bounces; the next one to that address is not even tried."""
        made = bench()
        made.emulator.subscribe(EndpointKind.TRACKING, HOOK)
        result = made.send(tags="receipt", metadata={"order": "17"})
        made.emulator.act(result.message_id, "Bounce", NOW)
        made.send()
        assert made.deliver() == [200] * 4
        kinds = [(event.event_type, event.reject_reason) for event in made.events]

        assert kinds == [
            (EventType.QUEUED, None),
            (EventType.BOUNCED, RejectReason.BOUNCED),
            (EventType.QUEUED, None),
            (EventType.REJECTED, RejectReason.BLOCKED),
        ]
        assert made.events[0].tags == ("receipt",)
        assert made.events[0].metadata == {"order": "17"}
        assert made.emulator.suppressed == {"bob@example.com"}

    def test_tries(self, bench: Callable[..., Bench]) -> None:
        """Three more tries 20 seconds apart where the server failed, none where it refused."""
        made = bench()
        made.emulator.subscribe(EndpointKind.TRACKING, HOOK)
        made.send()
        moments = []
        for seconds in range(0, 100, 10):
            now = NOW + timedelta(seconds=seconds)
            for one in made.emulator.due(now):
                moments.append(seconds)
                made.emulator.answered(one.delivery_id, 503 if seconds else None, now)
        assert moments == [0, 20, 40, 60]
        assert len(made.emulator.lost) == 1
        made.send()
        [one] = made.emulator.due(NOW)
        made.emulator.answered(one.delivery_id, 401, NOW)
        assert len(made.emulator.lost) == 2
        with pytest.raises(ValueError, match="waits for an answer"):
            made.emulator.answered(one.delivery_id, 200, NOW)

    @pytest.mark.parametrize("how", ["SNS", "S3"])
    def test_inbound(self, how: str, bench: Callable[..., Bench]) -> None:
        """Received mail comes byte for byte, within the notification or from the bucket."""
        made = bench(inbound=how)
        made.emulator.subscribe(EndpointKind.INBOUND, HOOK)
        raw = b"From: eve@example.net\r\nTo: desk@example.com\r\nSubject: Hi\r\n\r\n\xff\xfe\r\n"
        made.emulator.receive(raw, NOW)
        assert made.deliver() == [200]
        [mail] = made.mails

        assert mail.raw == raw
        assert (mail.envelope_sender, mail.envelope_recipients) == ("eve@example.net", ("desk@example.com",))

    def test_unknown_mail(self, bench: Callable[..., Bench]) -> None:
        """Nothing happens to a mail that was never sent."""
        with pytest.raises(ValueError, match="No mail has the id"):
            bench().emulator.act("x", "Bounce", NOW)

    def test_stored_mail_needs_the_key(self, bench: Callable[..., Bench]) -> None:
        """S3 answers nobody else."""
        made = bench(inbound="S3")
        made.emulator.receive(b"Subject: Hi\r\n\r\n", NOW)
        request = HttpRequest(method="GET", url=f"{BASE}/s3/mailcore-emulator/x", commits=False)
        assert made.emulator.handle(request, NOW).status == 403


@pytest.mark.loopback
class TestBoto:
    """AWS's own client takes the emulator for SES."""

    @pytest.fixture
    def client(self, host: Any) -> Any:
        """Return boto3's client, pointed at an emulator that is served over HTTP."""
        boto3 = pytest.importorskip("boto3")
        from mailcore.sandbox import LocalProvider

        with LocalProvider(host.spec("amazon-ses")) as local:
            client = boto3.client(
                "sesv2",
                region_name="us-east-1",
                endpoint_url=local.url,
                aws_access_key_id=local.settings["access_key_id"],
                aws_secret_access_key=local.settings["secret_access_key"],
            )
            yield client, local.emulator
            client.close()

    def test_sends(self, client: Any) -> None:
        """Simple, raw, templated and bulk."""
        boto, emulator = client
        who = {"FromEmailAddress": "ada@example.com", "Destination": {"ToAddresses": ["bob@example.com"]}}
        simple = {"Subject": {"Data": "Hi"}, "Body": {"Text": {"Data": "Grüße"}}}
        template = {"Template": {"TemplateName": "Receipt", "TemplateData": "{}"}}
        raw = {"Raw": {"Data": b"From: ada@example.com\r\nTo: bob@example.com\r\n\r\nHi\r\n"}}
        ids = [boto.send_email(**who, Content=one)["MessageId"] for one in ({"Simple": simple}, template)]
        ids.append(boto.send_email(Content=raw)["MessageId"])
        entries = [{"Destination": {"ToAddresses": [f"{name}@example.com"]}} for name in ("a", "b")]
        answer = boto.send_bulk_email(
            FromEmailAddress="ada@example.com", DefaultContent=template, BulkEmailEntries=entries
        )
        ids += [row["MessageId"] for row in answer["BulkEmailEntryResults"]]

        assert [mail.message_id for mail in emulator.sent] == ids

    def test_errors(self, client: Any) -> None:
        """Errors arrive under SES's names."""
        boto, emulator = client
        raw = {"Raw": {"Data": b"From: ada@other.example\r\nTo: bob@example.com\r\n\r\nHi\r\n"}}
        with pytest.raises(boto.exceptions.MessageRejected):
            boto.send_email(Content=raw)
        emulator.account_problem = Problem.PAUSED
        with pytest.raises(boto.exceptions.SendingPausedException):
            boto.send_email(Content={"Raw": {"Data": raw["Raw"]["Data"].replace(b"other.", b"")}})


class TestAnswers:
    """Whatever is asked."""

    def test_nothing_there(self) -> None:
        """Other paths and methods are answered as AWS does."""
        emulator = AmazonSesEmulator()
        for method, path in [("GET", "/v2/email/outbound-emails"), ("POST", "/"), ("GET", "/s3/other/x")]:
            answer = emulator.handle(HttpRequest(method=method, url=BASE + path), NOW)
            assert isinstance(answer, HttpResponse)
            assert answer.status == 404
