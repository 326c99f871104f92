"""Webhooks by SNS: what is believed, what is fetched, and what becomes of it."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from mailcore import (
    Context,
    Disposition,
    EventType,
    HttpRequest,
    HttpResponse,
    MissingDependency,
    Phase,
    RejectReason,
    TransportFailure,
    WebhookReceiver,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)
from mailcore_amazon_ses._adapter import AmazonSesAdapter
from mailcore_amazon_ses._events import event
from mailcore_amazon_ses._options import AmazonSesOptions

pytest.importorskip("cryptography")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
TOPIC = "arn:aws:sns:us-east-1:123456789012:mail"
CERTIFICATE = (
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ORDER = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
DELIVERY = {
    "eventType": "Delivery",
    "mail": {"messageId": "m-1", "destination": ["bob@example.com"]},
    "delivery": {"timestamp": "2026-03-04T05:06:06.000Z", "recipients": ["bob@example.com"]},
}


def certificate(
    key: Any = KEY, *, begins: timedelta = timedelta(-1), ends: timedelta = timedelta(1)
) -> bytes:
    """Return a certificate around now."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = builder.public_key(key.public_key())
    builder = builder.not_valid_before(NOW + begins).not_valid_after(NOW + ends)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def delivery(message: Any = DELIVERY, **fields: Any) -> WebhookRequest:
    """Return a signed message of SNS."""
    document = {
        "Type": "Notification",
        "MessageId": "sns-1",
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": "2026-03-04T05:06:07.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
        **fields,
    }
    text = "".join(f"{name}\n{document[name]}\n" for name in ORDER if name in document)
    hashed = hashes.SHA1() if document["SignatureVersion"] == "1" else hashes.SHA256()  # noqa: S303  # reason: SNS's default
    document["Signature"] = b64encode(KEY.sign(text.encode(), padding.PKCS1v15(), hashed)).decode()
    return WebhookRequest(body=json.dumps(document).encode(), received_at=NOW)


def confirmation(**fields: Any) -> WebhookRequest:
    """Return a signed confirmation of a subscription."""
    url = f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t0ken"
    own = {"Type": "SubscriptionConfirmation", "SubscribeURL": url, "Token": "t0ken"}
    return delivery("You have chosen to subscribe.", **{**own, **fields})


def verify(request: WebhookRequest, *answers: HttpResponse, now: datetime = NOW) -> tuple[Any, list[str]]:
    """Drive the adapter's flow by hand; return what it returned or raised, and what it fetched."""
    adapter = AmazonSesAdapter(AmazonSesOptions(topic_arns=TOPIC))
    flow = adapter.verify_flow(request, Context(now=now, created=now, unique="0" * 32))
    given = iter(answers or [HttpResponse(status=200, body=certificate())] * 2)
    fetched: list[str] = []
    try:
        step = next(flow)
        while True:
            assert isinstance(step, HttpRequest)
            assert (step.method, step.commits) == ("GET", False)
            fetched.append(step.url)
            step = flow.send(next(given))
    except StopIteration as stop:
        return stop.value, fetched
    except WebhookRejected as error:
        return error, fetched


class TestProof:
    """Who speaks."""

    @pytest.mark.parametrize("version", ["1", "2"])
    def test_both_versions(self, version: str) -> None:
        """SHA-1 and SHA-256, with and without a subject."""
        for subject in ({}, {"Subject": "Größe\n"}):
            found, fetched = verify(delivery(SignatureVersion=version, **subject))

            assert (found.scheme, found.key, found.delivery_id) == ("sns-rsa", "topic 1", "sns-1")
            assert found.signed_at == NOW
            assert fetched == [CERTIFICATE]

    @pytest.mark.parametrize(
        "begins, ends",
        [(timedelta(seconds=1), timedelta(1)), (timedelta(-2), timedelta(seconds=-1))],
    )
    def test_certificate_out_of_date(self, begins: timedelta, ends: timedelta) -> None:
        """A certificate is good while it is valid, by the time of the receiver."""
        answer = HttpResponse(status=200, body=certificate(begins=begins, ends=ends))

        assert isinstance(verify(delivery(), answer)[0], WebhookRejected)

    def test_certificate_at_its_ends(self) -> None:
        """Its first and last seconds count."""
        answer = HttpResponse(status=200, body=certificate(begins=timedelta(0), ends=timedelta(0)))

        assert not isinstance(verify(delivery(), answer)[0], WebhookRejected)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"x",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            certificate(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
            certificate(ec.generate_private_key(ec.SECP256R1())),
        ],
        ids=["empty", "text", "no certificate", "another key", "no RSA"],
    )
    def test_another_certificate(self, body: bytes) -> None:
        """What is no certificate, or of another key, proves nothing; nothing else is raised."""
        found, _ = verify(delivery(), HttpResponse(status=200, body=body))

        assert str(found) == "No valid certificate of Amazon SNS verifies the signature."

    @pytest.mark.parametrize(
        "status, disposition",
        [(404, None), (403, None), (429, Disposition.UNAVAILABLE), (503, Disposition.UNAVAILABLE)],
    )
    def test_certificate_not_there(self, status: int, disposition: Disposition | None) -> None:
        """Where SNS cannot serve its certificate now, it shall deliver again; a wrong one is refused."""
        found, _ = verify(delivery(), HttpResponse(status=status))

        assert isinstance(found, WebhookRejected)
        assert found.disposition is disposition

    def test_nothing_is_fetched_for_strangers(self) -> None:
        """Another topic, an odd address, a time to come: refused before anything is fetched."""
        hostile = [
            delivery(TopicArn=TOPIC + "x"),
            delivery(SigningCertURL="https://evil.example/SimpleNotificationService-0123456789abcdef.pem"),
            delivery(Timestamp="2026-03-04T05:11:08.000Z"),
            delivery(SignatureVersion="9"),
            confirmation(SubscribeURL="https://sns.us-east-1.amazonaws.com/?Action=Other"),
            WebhookRequest(body=b'{"Type": "Notification", "Type": "Notification"}'),
            attrs.evolve(delivery(), body=delivery().body.replace(b'"Signature": "', b'"Signature": "!')),
        ]
        for request in hostile:
            found, fetched = verify(request)

            assert isinstance(found, WebhookRejected)
            assert fetched == []

    def test_regions(self) -> None:
        """China's domain, and a stand-in where one is set; the latter alone, then."""
        china = CERTIFICATE.replace("us-east-1.amazonaws.com", "cn-north-1.amazonaws.com.cn")
        assert not isinstance(verify(delivery(SigningCertURL=china))[0], WebhookRejected)
        adapter = AmazonSesAdapter(AmazonSesOptions(topic_arns=TOPIC, sns_url="http://127.0.0.1:8025"))
        context = Context(now=NOW, created=NOW, unique="0" * 32)
        with pytest.raises(WebhookRejected):
            next(adapter.verify_flow(delivery(), context))

    def test_without_cryptography(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Sending works without it; receiving says what to install."""
        for name in list(sys.modules):
            if name.partition(".")[0] == "cryptography":
                monkeypatch.setitem(sys.modules, name, None)
        assert AmazonSesAdapter(AmazonSesOptions())
        with pytest.raises(MissingDependency, match=r"pip install .*\[signatures\]"):
            AmazonSesAdapter(AmazonSesOptions(topic_arns=TOPIC))


class TestHandshake:
    """SNS's own protocol."""

    def test_confirms_own_topic(self) -> None:
        """A subscription to a topic of `topic_arns` is confirmed, after the proof."""
        found, fetched = verify(confirmation())

        assert found == WebhookResponse(status=200)
        assert fetched[0] == CERTIFICATE
        assert fetched[1].startswith("https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&")

    def test_not_before_the_proof(self) -> None:
        """Nobody can make us confirm what SNS did not sign."""
        other = certificate(rsa.generate_private_key(public_exponent=65537, key_size=2048))
        found, fetched = verify(confirmation(), HttpResponse(status=200, body=other))

        assert isinstance(found, WebhookRejected)
        assert fetched == [CERTIFICATE]

    def test_confirmation_fails(self) -> None:
        """SNS delivers the confirmation again where it could not take it."""
        answers = [HttpResponse(status=200, body=certificate()), HttpResponse(status=500)]
        found, _ = verify(confirmation(), *answers)

        assert isinstance(found, WebhookRejected)
        assert found.disposition is Disposition.UNAVAILABLE

    def test_unsubscribed(self) -> None:
        """The end of a subscription is acknowledged; its SubscribeURL would undo it, and is left alone."""
        found, fetched = verify(confirmation(Type="UnsubscribeConfirmation"))

        assert found == WebhookResponse(status=200)
        assert fetched == [CERTIFICATE]

    def test_greeting(self) -> None:
        """What SES publishes to try a topic is acknowledged, and kept from a person's desk."""
        found, _ = verify(delivery("Successfully validated SNS topic for Amazon SES event publishing."))

        assert found == WebhookResponse(status=200)

    def test_unreachable(self, make_receiver: Callable[..., WebhookReceiver]) -> None:
        """Where the certificate cannot be fetched at all, SNS is asked to come again."""

        def fail(request: HttpRequest) -> HttpResponse:
            raise TransportFailure(Phase.CONNECTING, "down")

        receiver = make_receiver(fail, topic_arns=TOPIC, clock=lambda: NOW, on_event=lambda _: None)
        response = receiver.receive(delivery(), kind="tracking")

        assert response.status == 503


def event_of(detail: str, kind: str, **fields: Any) -> Any:
    """Return the event of a record that says that."""
    mail = {"messageId": "m-1", "destination": ["one@example.com", "two@example.com"]}
    record = {"eventType": kind, "mail": mail, detail: fields}
    return event({"MessageId": "sns-1", "Timestamp": "2026-03-04T05:06:07.000Z"}, record, tag_name="tag")


class TestEvents:
    """Records that are about several; the kit has those about one."""

    def test_bounce_of_two(self) -> None:
        """Both are named, and both servers' words are kept, once each."""
        rows = [
            {"emailAddress": '"Doe, Jane" <one@example.com>', "diagnosticCode": "smtp; 550 one"},
            {"emailAddress": "<two@example.com>", "diagnosticCode": "smtp; 550 two"},
            {"emailAddress": "three@example.com", "diagnosticCode": "smtp; 550 two"},
            None,
        ]
        found = event_of("bounce", "Bounce", bounceType="Permanent", bouncedRecipients=rows)

        assert found.recipients == ("one@example.com", "two@example.com", "three@example.com")
        assert found.scope == "recipient"
        assert found.mta_response == "smtp; 550 one; smtp; 550 two"
        assert found.reject_reason is RejectReason.BOUNCED

    def test_delivery_to_two(self) -> None:
        """The same of deliveries."""
        found = event_of("delivery", "Delivery", recipients=["one@example.com", "two@example.com", 7])

        assert found.event_type is EventType.DELIVERED
        assert found.recipients == ("one@example.com", "two@example.com")

    def test_complaint_of_two(self) -> None:
        """SES lists everybody who may have complained."""
        rows = [{"emailAddress": "one@example.com"}, {"emailAddress": "two@example.com"}]
        found = event_of("complaint", "Complaint", complainedRecipients=rows)

        assert (len(found.recipients), found.scope) == (2, "recipient")

    @pytest.mark.parametrize("kind, detail", [("Open", "open"), ("Click", "click"), ("Send", "send")])
    def test_nobody_in_particular(self, kind: str, detail: str) -> None:
        """Of a mail to several, an opening is of the mail."""
        found = event_of(detail, kind)

        assert (len(found.recipients), found.scope) == (2, "message")

    def test_no_ids(self) -> None:
        """A record without any id is told apart from others by its content."""
        one, other = (event({}, {"eventType": "Open", "mail": {"n": n}}, tag_name="tag") for n in (1, 2))

        assert one.event_id != other.event_id


def inbound(**action: Any) -> Mapping[str, Any]:
    """Return a notification of received mail."""
    mail = {"messageId": "r-1", "source": "eve@example.net", "timestamp": "2026-03-04T05:06:06.000Z"}
    receipt = {"recipients": ["desk@example.com"], "action": action}
    return {"notificationType": "Received", "mail": mail, "receipt": receipt}


class TestInbound:
    """Mail in S3."""

    @pytest.fixture
    def asked(self) -> list[HttpRequest]:
        """Return a list of what is fetched."""
        return []

    @pytest.fixture
    def receive(
        self, make_receiver: Callable[..., WebhookReceiver], asked: list[HttpRequest]
    ) -> Callable[..., Any]:
        """Return a function that receives a notification, and returns mails and what is kept for a person."""

        def receive(record: Mapping[str, Any], stored: HttpResponse, **config: Any) -> Any:
            def answer(request: HttpRequest) -> HttpResponse:
                asked.append(request)
                return HttpResponse(status=200, body=certificate()) if request.url == CERTIFICATE else stored

            mails: list[Any] = []
            keys = {"access_key_id": "AKID", "secret_access_key": "secret"}
            receiver = make_receiver(
                answer, topic_arns=TOPIC, clock=lambda: NOW, on_inbound=mails.append, **keys, **config
            )
            response = receiver.receive(delivery(record), kind="inbound")
            return response.status, mails, receiver.quarantined

        return receive

    def test_fetched(self, receive: Callable[..., Any], asked: list[HttpRequest]) -> None:
        """The object is asked for with a signature, in its own region, once the notification is proved."""
        record = inbound(type="S3", bucketName="my-S3-bucket", objectKey="in/r 1")
        stored = HttpResponse(status=200, body=b"Subject: Hi\r\n\r\n\xff\r\n")
        status, mails, _ = receive(record, stored, bucket_region="eu-west-1")

        assert status == 200
        assert mails[0].raw == stored.body
        assert (mails[0].event_id, mails[0].envelope_sender) == ("r-1", "eve@example.net")
        assert asked[1].url == "https://s3.eu-west-1.amazonaws.com/my-S3-bucket/in/r%201"
        assert "Authorization" in dict(asked[1].headers)

    @pytest.mark.parametrize("status, code", [(429, "SlowDown"), (500, "InternalError"), (503, "SlowDown")])
    def test_not_for_now(
        self, status: int, code: str, receive: Callable[..., Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        """What S3 cannot give at this moment is asked for again: SNS repeats after a 503."""
        record = inbound(type="S3", bucketName="my-S3-bucket", objectKey="r-1")
        stored = HttpResponse(status=status, body=f"<Error><Code>{code}</Code></Error>".encode())
        found, mails, kept = receive(record, stored)

        assert (found, mails, list(kept)) == (503, [], [])
        assert f"it is asked for again: HTTP {status}: {code}" in caplog.text

    @pytest.mark.parametrize("status", [301, 403, 404])
    def test_not_there(self, status: int, receive: Callable[..., Any]) -> None:
        """What S3 does not give is kept for a person, with S3's word for it, and acknowledged."""
        record = inbound(type="S3", bucketName="my-S3-bucket", objectKey="r-1")
        found, mails, kept = receive(record, HttpResponse(status=status, body=b"<Code>AccessDenied</Code>"))

        assert (found, mails) == (200, [])
        assert f"Amazon S3 answered {status} (AccessDenied)" in kept[0].reason

    @pytest.mark.parametrize(
        "bucket", ["", ".", "..", "a", "a/b", "-ab", "ab-", "a b c", "ä-b-c", "a?b", "x" * 256]
    )
    def test_odd_bucket(self, bucket: str, receive: Callable[..., Any], asked: list[HttpRequest]) -> None:
        """A name that no bucket has is never part of an address."""
        receive(inbound(type="S3", bucketName=bucket, objectKey="r-1"), HttpResponse(status=200))

        assert [one.url for one in asked] == [CERTIFICATE]
