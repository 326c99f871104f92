"""Inbound webhook → incoming mail, and the answer that spares the sender a bounce."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from importlib.resources import files
from typing import Any

import pytest

from mailcore import (
    Address,
    DefectCode,
    EndpointKind,
    HttpRequest,
    InboundMessage,
    MemoryReplayStore,
    WebhookReceiver,
    WebhookRequest,
    from_json,
    to_json,
)
from mailcore_mailpace.emulator import MailPaceEmulator

KIT = files("mailcore_mailpace") / "kit"
KEY = json.loads((KIT / "key.json").read_text(encoding="utf-8"))
SAMPLES = {
    path.name.removesuffix(".json"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((KIT / "webhooks").iterdir(), key=str)
}
MAILS = [name for name, sample in SAMPLES.items() if sample["expected"]["kind"] == "inbound"]
EVENTS = [name for name, sample in SAMPLES.items() if sample["expected"]["kind"] == "tracking"]
BASIC = ("Authorization", f"Basic {b64encode(b'hook:s3cret').decode()}")
RAW = "From: Eve <eve@test.com>\r\nTo: in@example.com\r\nMessage-ID: <a@test.com>\r\n\r\nHello\r\n"
MINIMAL = {"from": "Eve <eve@test.com>", "headers": [], "messageId": "<a@test.com>", "raw": RAW}
NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)


def delivery(name: str) -> WebhookRequest:
    """Return a sample as it was received."""
    given = SAMPLES[name]["request"]
    return WebhookRequest(method=given["method"], headers=given["headers"], body=given["body"].encode())


def unsigned(document: Any) -> WebhookRequest:
    """Return a delivery that basic auth vouches for."""
    return WebhookRequest(headers=[BASIC], body=json.dumps(document).encode())


def as_webhook(request: HttpRequest) -> WebhookRequest:
    """Return what an endpoint receives when that request is made."""
    headers = [(name, str(value)) for name, value in request.headers]
    return WebhookRequest(method=request.method, url=request.url, headers=headers, body=bytes(request.body))  # type: ignore[arg-type]  # reason: an emulator's webhooks are bytes


def file_of(attachment: Any, expected: dict[str, Any]) -> dict[str, Any]:
    """Return what is expected of an attachment, as it is."""
    found = {
        "filename": attachment.filename,
        "content_type": attachment.content_type,
        "content_base64": b64encode(attachment.content).decode(),
        "content_id": attachment.content_id,
    }
    return {name: found[name] for name in expected}


@pytest.fixture
def mails() -> list[InboundMessage]:
    """Return a list for what the receivers hand over."""
    return []


@pytest.fixture
def receiver(make_receiver: Callable[..., WebhookReceiver], mails: list[InboundMessage]) -> WebhookReceiver:
    """Return a receiver that trusts the key of the kit."""
    return make_receiver(webhook_key=KEY["public_key"], on_inbound=mails.append)


@pytest.fixture
def receive(
    make_receiver: Callable[..., WebhookReceiver], mails: list[InboundMessage]
) -> Callable[[Any], InboundMessage]:
    """Return a function that receives a document and returns the mail it holds."""
    receiver = make_receiver(webhook_secret="hook:s3cret", on_inbound=mails.append)

    def receive(document: Any) -> InboundMessage:
        assert receiver.receive(unsigned(document), kind="inbound").status == 200
        assert not receiver.quarantined, receiver.quarantined[0].reason
        return mails[-1]

    return receive


class TestSamples:
    """Deliveries as MailPace makes them, signed, from first byte to mail."""

    @pytest.mark.rule("MP-I2", "MP-I4")
    @pytest.mark.parametrize("name", MAILS)
    def test_becomes_the_expected_mail(
        self, name: str, receiver: WebhookReceiver, mails: list[InboundMessage]
    ) -> None:
        """Addresses, ids, texts and files are those of the mail."""
        answer = receiver.receive(delivery(name), kind="inbound")
        (expected,) = SAMPLES[name]["expected"]["messages"]
        (mail,) = mails
        lists = ("from_", "to", "cc", "bcc", "reply_to")
        texts = ("subject", "message_id", "in_reply_to", "text", "html")

        assert answer.status == 200
        assert {field: [str(item) for item in getattr(mail, field)] for field in lists} == {
            field: expected[field] for field in lists
        }
        assert {field: getattr(mail, field) for field in texts} == {field: expected[field] for field in texts}
        assert (mail.date.isoformat() if mail.date else None) == expected["date"]
        for field in ("attachments", "inlines"):
            found = getattr(mail, field)
            assert [file_of(*pair) for pair in zip(found, expected[field], strict=True)] == expected[field]
        assert [defect.code.value for defect in mail.defects] == expected["defects"]

    @pytest.mark.rule("MP-I2")
    def test_raw_is_the_mail(self, receiver: WebhookReceiver, mails: list[InboundMessage]) -> None:
        """The bytes are those of `raw`; what is large is not kept twice."""
        receiver.receive(delivery("inbound"), kind="inbound")
        document = json.loads(delivery("inbound").body)

        assert mails[0].raw == document["raw"].encode()
        assert sorted(mails[0].provider_fields) == sorted(
            document.keys() - {"raw", "attachments", "html", "text"}
        )

    @pytest.mark.rule("MP-I2")
    def test_no_envelope_is_invented(self, receiver: WebhookReceiver, mails: list[InboundMessage]) -> None:
        """MailPace tells neither the envelope nor the time of receipt; headers are no substitute."""
        receiver.receive(delivery("inbound"), kind="inbound")
        mail = mails[0]

        assert (mail.envelope_sender, mail.envelope_recipients, mail.timestamp) == (None, (), None)
        assert mail.provider == "mailpace"

    def test_survives_a_queue(self, receiver: WebhookReceiver, mails: list[InboundMessage]) -> None:
        """A mail is the same after a JSON round trip."""
        receiver.receive(delivery("inbound"), kind="inbound")
        again = from_json(InboundMessage, to_json(mails[0]))

        assert (again, again.text, len(again.attachments)) == (mails[0], mails[0].text, 1)


class TestShape:
    """The same key signs events and mail, so the shape must tell them apart."""

    @pytest.mark.rule("MP-I4")
    @pytest.mark.parametrize("name", EVENTS)
    def test_events_at_the_inbound_endpoint_are_kept(
        self, name: str, make_receiver: Callable[..., WebhookReceiver], mails: list[InboundMessage]
    ) -> None:
        """An event is no mail, whatever its payload quotes; it is acknowledged and kept."""
        receiver = make_receiver(webhook_key=SAMPLES[name]["public_key"], on_inbound=mails.append)
        answer = receiver.receive(delivery(name), kind="inbound")

        assert (answer.status, mails, len(receiver.quarantined)) == (200, [], 1)

    @pytest.mark.rule("MP-I2", "MP-I4")
    @pytest.mark.parametrize(
        "document",
        [
            {name: value for name, value in MINIMAL.items() if name != "raw"},
            {name: value for name, value in MINIMAL.items() if name != "messageId"},
            {**MINIMAL, "raw": None},
            {**MINIMAL, "raw": ["From: x"]},
            {**MINIMAL, "messageId": 7},
            {**MINIMAL, "event": "email.delivered"},
            {**MINIMAL, "event": None},
            {**MINIMAL, "event": "email.delivered", "payload": {"id": 1}},
            [MINIMAL],
            "mail",
            None,
        ],
        ids=range(11),
    )
    def test_other_shapes_are_kept(
        self, document: Any, make_receiver: Callable[..., WebhookReceiver], mails: list[InboundMessage]
    ) -> None:
        """Without `raw` and `messageId`, or with an `event`, it is no mail: a person may look at it."""
        receiver = make_receiver(webhook_secret="hook:s3cret", on_inbound=mails.append)
        answer = receiver.receive(unsigned(document), kind="inbound")
        (kept,) = receiver.quarantined
        is_event = isinstance(document, dict) and isinstance(document.get("payload"), dict)

        assert (answer.status, mails) == (200, [])
        assert kept.reason.startswith("It holds tracking data" if is_event else "Its shape is not known")

    @pytest.mark.rule("MP-I2")
    @pytest.mark.parametrize("raw", ["", "\r\n", "no headers at all", "\x00", ": :\r\n\r\n", "A" * 100_000])
    def test_any_raw_is_a_mail(self, raw: str, receive: Callable[[Any], InboundMessage]) -> None:
        """What strangers write is never an error."""
        mail = receive({**MINIMAL, "raw": raw})

        assert isinstance(mail.raw, bytes)
        assert mail.attachments == ()

    @pytest.mark.rule("MP-I2")
    @pytest.mark.parametrize("value", [7, True, [], {}, ["x"], {"a": 1}], ids=repr)
    @pytest.mark.parametrize(
        "name", ["to", "subject", "cc", "bcc", "inReplyTo", "replyTo", "html", "text", "from"]
    )
    def test_fields_of_another_type_are_noted(
        self, name: str, value: Any, receive: Callable[[Any], InboundMessage]
    ) -> None:
        """The mail is read from `raw` all the same."""
        mail = receive({**MINIMAL, name: value})

        assert (mail.text, str(mail.from_[0])) == ("Hello\n", "Eve <eve@test.com>")
        assert [(defect.code, defect.where) for defect in mail.defects] == [(DefectCode.PROVIDER_FIELD, name)]

    @pytest.mark.rule("MP-I2")
    @pytest.mark.parametrize("name", [name for name in MINIMAL if name not in {"raw", "messageId"}])
    def test_nearly_nothing_is_needed(self, name: str, receive: Callable[[Any], InboundMessage]) -> None:
        """A required field that is missing loses nothing that is in `raw`."""
        mail = receive({field: value for field, value in MINIMAL.items() if field != name})

        assert (mail.text, str(mail.from_[0])) == ("Hello\n", "Eve <eve@test.com>")


class TestLostBytes:
    """`raw` is JSON text: 8-bit parts went through a decoder that may have lost bytes."""

    LOSSY = (
        "From: Eve <eve@test.com>\r\nMessage-ID: <a@test.com>\r\n"
        "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        "Gr\ufffd\ufffde\r\n"
    )

    @pytest.mark.rule("MP-I3")
    def test_mailpaces_copy_stands_in(self, receive: Callable[[Any], InboundMessage]) -> None:
        """Where MailPace decoded the part itself, its text is shown, and a defect says so."""
        mail = receive({**MINIMAL, "raw": self.LOSSY, "text": "Grüße\r\n"})

        assert (mail.text, [defect.code for defect in mail.defects]) == ("Grüße\n", [DefectCode.REPLACED])

    @pytest.mark.rule("MP-I3")
    def test_without_a_copy_the_loss_is_noted(self, receive: Callable[[Any], InboundMessage]) -> None:
        """Nothing can bring the bytes back; nobody is told that all is well."""
        mail = receive({**MINIMAL, "raw": self.LOSSY})

        assert mail.text is not None
        assert mail.text.startswith("Gr")
        assert DefectCode.DAMAGED in [defect.code for defect in mail.defects]

    @pytest.mark.rule("MP-I3")
    def test_files_are_replaced_too(self, receive: Callable[[Any], InboundMessage]) -> None:
        """An 8-bit attachment is taken from MailPace's base64 copy."""
        content = bytes(range(128, 256))
        raw = (
            "From: Eve <eve@test.com>\r\nMessage-ID: <a@test.com>\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHi\r\n'
            "--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"
            'Content-Disposition: attachment; filename="a.bin"\r\n\r\n'
            f"{content.decode('utf-8', 'replace')}\r\n--b--\r\n"
        )
        copy = {
            "content": b64encode(content).decode(),
            "type": "attachment",
            "contentType": "application/octet-stream",
            "contentDisposition": "attachment",
            "filename": "a.bin",
            "headers": [],
            "checksum": hashlib.md5(content).hexdigest(),  # noqa: S324  # reason: what MailPace declares
            "size": len(content),
        }
        mail = receive({**MINIMAL, "raw": raw, "attachments": [copy]})

        assert mail.attachments[0].content == content
        assert DefectCode.REPLACED in [defect.code for defect in mail.defects]

    @pytest.mark.rule("MP-I3")
    def test_a_checksum_tells_what_u_fffd_does_not(self, receive: Callable[[Any], InboundMessage]) -> None:
        """Bytes may be lost without a trace: then MailPace's checksum decides for its copy."""
        raw = RAW.replace(
            "\r\n\r\nHello\r\n",
            '\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
            '--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename="a.csv"\r\n\r\n'
            "gr?n\r\n--b--\r\n",
        )
        content = b"gr\xfcn"
        checksum = hashlib.md5(content).hexdigest()  # noqa: S324  # reason: what MailPace declares
        copy = {"content": b64encode(content).decode(), "contentType": "text/csv", "filename": "a.csv"}

        assert receive({**MINIMAL, "raw": raw, "attachments": [copy]}).attachments[0].content == b"gr?n"
        summed = receive({**MINIMAL, "raw": raw, "attachments": [{**copy, "checksum": checksum}]})
        assert summed.attachments[0].content == content

    @pytest.mark.rule("MP-I3")
    @pytest.mark.parametrize("label", ["contentId", "cid"])
    def test_files_are_matched_by_their_content_id(
        self, label: str, receive: Callable[[Any], InboundMessage]
    ) -> None:
        """In either of MailPace's spellings, and in any order."""
        parts = "".join(
            f"--b\r\nContent-Type: image/png\r\nContent-ID: <{name}>\r\n\r\n\ufffd{name}\r\n"
            for name in "xyz"
        )
        head = RAW.replace("\r\n\r\nHello\r\n", '\r\nContent-Type: multipart/related; boundary="b"\r\n\r\n')
        form = {"contentId": "<{}>", "cid": "{}"}[label]
        copies = [
            {
                "content": b64encode(name.encode()).decode(),
                "contentType": "image/png",
                label: form.format(name),
            }
            for name in "zxy"
        ]
        mail = receive({**MINIMAL, "raw": f"{head}{parts}--b--\r\n", "attachments": copies})

        assert {name: file.content for name, file in mail.content_id_map.items()} == {
            "x": b"x",
            "y": b"y",
            "z": b"z",
        }

    @pytest.mark.rule("MP-I3")
    def test_nothing_is_noted_where_nothing_was_lost(self, receive: Callable[[Any], InboundMessage]) -> None:
        """UTF-8 text survives the way."""
        raw = RAW.replace("\r\n\r\n", "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", 1)
        mail = receive({**MINIMAL, "raw": raw.replace("Hello", "Grüße")})

        assert (mail.text, mail.defects) == ("Grüße\n", ())


class TestIdentity:
    """The id by which a redelivery is known."""

    def test_is_the_body(self, receive: Callable[[Any], InboundMessage]) -> None:
        """A redelivery is the same bytes; MailPace sends no id."""
        first, again = receive(MINIMAL), receive(MINIMAL)

        assert first.event_id == again.event_id != ""

    def test_is_not_the_message_id(self, receive: Callable[[Any], InboundMessage]) -> None:
        """Whoever guesses a Message-ID could make the real mail look like a duplicate."""
        other = {**MINIMAL, "raw": RAW.replace("Hello", "Forged")}

        assert receive(MINIMAL).event_id != receive(other).event_id

    def test_a_replay_store_hands_a_mail_over_once(
        self, make_receiver: Callable[..., WebhookReceiver], mails: list[InboundMessage]
    ) -> None:
        """A redelivery is answered 200 and not handed over again."""
        receiver = make_receiver(
            webhook_secret="hook:s3cret", on_inbound=mails.append, replay_store=MemoryReplayStore()
        )
        answers = [receiver.receive(unsigned(MINIMAL), kind="inbound").status for _ in range(3)]

        assert (answers, len(mails)) == ([200, 200, 200], 1)


class TestProof:
    """Who may hand mail in."""

    @pytest.mark.rule("MP-I4")
    def test_a_signature_is_required_where_a_key_is_set(
        self, receiver: WebhookReceiver, mails: list[InboundMessage]
    ) -> None:
        """An unsigned mail is refused, though MailPace once sent them so: basic auth is the way then."""
        answer = receiver.receive(WebhookRequest(body=delivery("inbound").body), kind="inbound")

        assert (answer.status, mails) == (401, [])

    @pytest.mark.rule("MP-I4", "MP-W7")
    def test_basic_auth_is_the_alternative(
        self, make_receiver: Callable[..., WebhookReceiver], mails: list[InboundMessage]
    ) -> None:
        """Where no key is set, the pair in the endpoint's address vouches."""
        emulator = MailPaceEmulator(sign_inbound=False)
        emulator.subscribe(EndpointKind.INBOUND, "https://hook:s3cret@example.org/mailpace/inbound/")
        emulator.receive(RAW.encode(), NOW)
        (made,) = emulator.due(NOW)
        receiver = make_receiver(webhook_secret="hook:s3cret", on_inbound=mails.append)

        assert receiver.receive(as_webhook(made.request), kind="inbound").status == 200
        assert mails[0].text == "Hello\n"


class TestAnswers:
    """MailPace tries five times, then the sender gets a bounce."""

    @pytest.mark.rule("MP-I1")
    def test_acknowledged_once_stored(
        self, make_receiver: Callable[..., WebhookReceiver], mails: list[InboundMessage]
    ) -> None:
        """A handler that fails is tried again; one that returns is done."""
        emulator = MailPaceEmulator()
        emulator.subscribe(EndpointKind.INBOUND, "https://example.org/mailpace/inbound/")
        failures = iter([OSError("disk full"), OSError("disk full")])

        def store(mail: InboundMessage) -> None:
            if (failure := next(failures, None)) is not None:
                raise failure
            mails.append(mail)

        receiver = make_receiver(webhook_key=emulator.webhook_public_key, on_inbound=store)
        emulator.receive(RAW.encode(), NOW)
        statuses = []
        while (moment := emulator.next_due()) is not None:
            for made in emulator.due(moment):
                statuses.append(receiver.receive(as_webhook(made.request), kind="inbound").status)
                emulator.answered(made.delivery_id, statuses[-1], moment)

        assert (statuses, len(mails), emulator.bounced_inbound) == ([503, 503, 200], 1, [])

    @pytest.mark.rule("MP-I1")
    def test_what_cannot_be_understood_does_not_bounce(
        self, receiver: WebhookReceiver, mails: list[InboundMessage]
    ) -> None:
        """A retry would not help, and the sender is not to blame."""
        assert receiver.receive(delivery("inbound-without-raw"), kind="inbound").status == 200
        assert (mails, len(receiver.quarantined)) == ([], 1)


class TestRoundTrip:
    """A mail written by the standard library, through the emulator, and read."""

    @pytest.mark.rule("MP-I2")
    def test_everything_arrives(
        self, make_receiver: Callable[..., WebhookReceiver], mails: list[InboundMessage]
    ) -> None:
        """Names, texts, files and their bytes."""
        mail = EmailMessage()
        mail["From"] = '"Lovelace, Ada" <ada@test.com>'
        mail["To"] = "Anyone <anything@in.example.com>"
        mail["Subject"] = "Grüße 😀"
        mail["Message-ID"] = "<a@test.com>"
        mail["References"] = "<x@test.com> <y@test.com>"
        mail.set_content("Hallo, Welt! ß\n")
        mail.add_alternative('<p>Hallo <img src="cid:logo"></p>\n', subtype="html")
        mail.get_payload()[1].add_related(b"\x89PNG", "image", "png", cid="<logo>")  # type: ignore[index, union-attr]  # reason: the alternative just added
        mail.add_attachment(bytes(range(256)), "application", "pdf", filename="Übersicht.pdf")
        emulator = MailPaceEmulator()
        emulator.subscribe(EndpointKind.INBOUND, "https://example.org/mailpace/inbound/")
        emulator.receive(mail.as_bytes(), NOW)
        (made,) = emulator.due(NOW + timedelta(seconds=1))
        receiver = make_receiver(webhook_key=emulator.webhook_public_key, on_inbound=mails.append)
        receiver.receive(as_webhook(made.request), kind="inbound")
        (found,) = mails

        assert found.from_ == (Address("ada@test.com", "Lovelace, Ada"),)
        assert (found.subject, found.text) == ("Grüße 😀", "Hallo, Welt! ß\n")
        assert found.html == '<p>Hallo <img src="cid:logo"></p>\n'
        assert found.references == ("<x@test.com>", "<y@test.com>")
        assert found.content_id_map["logo"].content == b"\x89PNG"
        assert [(item.filename, item.content) for item in found.attachments] == [
            ("Übersicht.pdf", bytes(range(256)))
        ]
        assert found.defects == ()
