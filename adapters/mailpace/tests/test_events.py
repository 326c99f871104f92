"""Event webhook → event, and the answer that keeps the endpoint alive."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import attrs
import pytest

import mailcore_mailpace
from mailcore import (
    BounceClass,
    Context,
    Covers,
    Disposition,
    EndpointKind,
    EventType,
    MemoryReplayStore,
    PluginHost,
    RejectReason,
    TrackingEvent,
    Verification,
    VerifiedWebhook,
    WebhookReceiver,
    WebhookRejected,
    WebhookRequest,
    from_json,
    to_json,
)
from mailcore_mailpace._adapter import MailPaceAdapter
from mailcore_mailpace._options import MailPaceOptions

KIT = files("mailcore_mailpace") / "kit"
KEY = json.loads((KIT / "key.json").read_text(encoding="utf-8"))
SAMPLES = {
    path.name.removesuffix(".json"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((KIT / "webhooks").iterdir(), key=str)
}
BASIC = ("Authorization", f"Basic {b64encode(b'hook:s3cret').decode()}")
PAYLOAD = json.loads(SAMPLES["delivered"]["request"]["body"])["payload"]


def names(kind: str | None) -> list[str]:
    """Return the samples that hold what `kind` says."""
    expected = {name: sample["expected"] for name, sample in SAMPLES.items()}
    return [name for name, one in expected.items() if one["kind"] == kind and "refused" not in one]


def delivery(name: str) -> WebhookRequest:
    """Return a sample as it was received."""
    given = SAMPLES[name]["request"]
    return WebhookRequest(method=given["method"], headers=given["headers"], body=given["body"].encode())


def unsigned(document: Any) -> WebhookRequest:
    """Return a delivery that basic auth vouches for."""
    return WebhookRequest(headers=[BASIC], body=json.dumps(document).encode())


def parse(document: Any, *, key: str = "", **options: Any) -> TrackingEvent:
    """Return the event of a document that was verified with the key of that label."""
    verification = Verification(scheme="ed25519", covers=Covers.BODY, key=key)
    webhook = VerifiedWebhook(request=unsigned(document), verification=verification)
    adapter = MailPaceAdapter(MailPaceOptions(**options))
    assert adapter.webhook_kind(webhook) is EndpointKind.TRACKING
    (event,) = adapter.parse_events(webhook)
    return event


def document(kind: str = "email.delivered", **changes: Any) -> dict[str, Any]:
    """Return an event with changes to its payload; `...` takes a field out."""
    payload = {name: value for name, value in {**PAYLOAD, **changes}.items() if value is not ...}
    return {"event": kind, "payload": payload}


@pytest.fixture
def events() -> list[TrackingEvent]:
    """Return a list for what the receivers hand over."""
    return []


@pytest.fixture
def receiver(make_receiver: Callable[..., WebhookReceiver], events: list[TrackingEvent]) -> WebhookReceiver:
    """Return a receiver that trusts the key of the kit."""
    rfc8032 = SAMPLES["rfc8032-test-1"]["public_key"]
    return make_receiver(webhook_key=[KEY["public_key"], rfc8032], on_event=events.append)


class TestSamples:
    """Deliveries as MailPace makes them, signed, from first byte to event."""

    @pytest.mark.rule("MP-W1", "MP-W3")
    @pytest.mark.parametrize("name", [name for name in names("tracking") if name != "without-id"])
    def test_becomes_the_expected_event(
        self, name: str, receiver: WebhookReceiver, events: list[TrackingEvent]
    ) -> None:
        """Every field that MailPace tells is in the event; nothing is made up."""
        answer = receiver.receive(delivery(name), kind="tracking")
        (expected,) = SAMPLES[name]["expected"]["events"]
        (event,) = events
        found = json.loads(to_json(attrs.evolve(event, verified_by=None, raw=None)))

        assert answer.status == 200
        assert {field: found[field] for field in expected} == expected

    @pytest.mark.rule("MP-W3", "MP-W5")
    @pytest.mark.parametrize("name", [*names(None), "without-id"])
    def test_what_makes_no_sense_is_kept_and_acknowledged(
        self, name: str, receiver: WebhookReceiver, events: list[TrackingEvent]
    ) -> None:
        """An error would turn the endpoint off, so the answer is 200, and a person may look at it."""
        answer = receiver.receive(delivery(name), kind="tracking")
        (kept,) = receiver.quarantined
        known = "error" in SAMPLES[name]["expected"]

        assert (answer.status, events) == (200, [])
        assert kept.reason.startswith("It could not be read" if known else "Its shape is not known")
        assert kept.webhook.request.body == delivery(name).body

    @pytest.mark.parametrize("name", SAMPLES)
    def test_samples_have_a_source_and_a_good_signature(self, name: str) -> None:
        """Each says which page it is from, when it was read, what was changed; it verifies, or must not."""
        sample = SAMPLES[name]
        adapter = MailPaceAdapter(MailPaceOptions(webhook_key=sample["public_key"]))
        request = delivery(name)
        context = Context(now=request.received_at, created=request.received_at, unique="0")

        assert sample["source_url"].startswith("https://docs.mailpace.com/")
        assert datetime.strptime(sample["recorded_at"], "%Y-%m-%d").replace(tzinfo=UTC) < datetime.now(UTC)
        assert sample["edits"].endswith(".")
        refused = sample["expected"].get("refused")
        if refused is None:
            assert isinstance(adapter.verify_webhook(request, context), Verification)
        else:
            with pytest.raises(WebhookRejected, match=f"^{re.escape(refused)}$"):
                adapter.verify_webhook(request, context)


class TestShape:
    """What is an event at all."""

    @pytest.mark.rule("MP-W3", "MP-W5")
    @pytest.mark.parametrize("event", [None, 7, True, [], {}, ["email.delivered"], ...], ids=repr)
    def test_its_kind_is_a_text(self, event: Any, make_receiver: Callable[..., WebhookReceiver]) -> None:
        """Anything else is of a shape nobody documented."""
        receiver = make_receiver(webhook_secret="hook:s3cret", on_event=print)
        odd = {"payload": PAYLOAD} if event is ... else {"event": event, "payload": PAYLOAD}
        answer = receiver.receive(unsigned(odd), kind="tracking")

        assert answer.status == 200
        assert receiver.quarantined[0].reason.startswith("Its shape is not known.")


class TestKinds:
    """What each of MailPace's events means."""

    @pytest.mark.rule("MP-W1")
    @pytest.mark.parametrize(
        "kind, event_type, reason, bounce",
        [
            ("email.queued", EventType.QUEUED, None, None),
            ("email.delivered", EventType.DELIVERED, None, None),
            ("email.deferred", EventType.DEFERRED, None, BounceClass.SOFT),
            ("email.bounced", EventType.BOUNCED, RejectReason.BOUNCED, BounceClass.HARD),
            ("email.spam", EventType.REJECTED, RejectReason.SPAM, None),
        ],
    )
    def test_documented_events(
        self, kind: str, event_type: EventType, reason: RejectReason | None, bounce: BounceClass | None
    ) -> None:
        """Five are documented; MailPace's own word is kept."""
        event = parse(document(kind))

        assert (event.event_type, event.reject_reason, event.bounce_class) == (event_type, reason, bounce)
        assert event.provider_event == kind

    @pytest.mark.rule("MP-W2", "MP-C13")
    def test_spam_is_nobodys_complaint(self) -> None:
        """MailPace's filter refused to send it: the recipient never saw it and complained of nothing."""
        assert parse(document("email.spam")).event_type is EventType.REJECTED

    @pytest.mark.rule("MP-W1", "MP-W5")
    @pytest.mark.parametrize(
        "kind", ["email.opened", "email.DELIVERED", "delivered", "domain.verified", "", "x" * 1000]
    )
    def test_others_are_unknown(self, kind: str) -> None:
        """An event of a later day is handed over with MailPace's word, and is no error."""
        event = parse(document(kind))

        assert (event.event_type, event.provider_event, event.message_id) == (EventType.UNKNOWN, kind, "1200")

    @pytest.mark.rule("MP-W1")
    def test_registered_types_are_those_that_come(self, host: PluginHost) -> None:
        """The plugin declares exactly what its events can become."""
        kinds = [
            "email.queued",
            "email.delivered",
            "email.deferred",
            "email.bounced",
            "email.spam",
            "email.new",
        ]

        assert {parse(document(kind)).event_type for kind in kinds} == host.spec("mailpace").event_types


class TestFields:
    """What an event tells."""

    @pytest.mark.rule("MP-C15")
    @pytest.mark.parametrize(
        "given, expected",
        [
            ("2021-11-16T14:50:18.027Z", datetime(2021, 11, 16, 14, 50, 18, 27_000, tzinfo=UTC)),
            ("2021-11-16T14:50:18Z", datetime(2021, 11, 16, 14, 50, 18, tzinfo=UTC)),
            ("2021-11-16T15:50:18.027+01:00", datetime(2021, 11, 16, 14, 50, 18, 27_000, tzinfo=UTC)),
            ("2021-11-16T14:50:18", datetime(2021, 11, 16, 14, 50, 18, tzinfo=UTC)),
            ("yesterday", None),
            ("2021-13-45T99:99:99Z", None),
            ("", None),
            (None, None),
            (1637074218, None),
            (..., None),
        ],
    )
    def test_time_is_that_of_the_event(self, given: Any, expected: datetime | None) -> None:
        """`updated_at`, never `created_at`, which all events of a mail share; else None."""
        assert parse(document(updated_at=given)).timestamp == expected

    @pytest.mark.rule("MP-C14")
    @pytest.mark.parametrize("given", [1200, "1200"])
    def test_mail_is_named_by_the_id_of_the_send(self, given: Any) -> None:
        """`id` as text, which `send` returned; the Message-ID is something else."""
        event = parse(document(id=given))

        assert (event.message_id, event.rfc_message_id) == ("1200", "<msg-1200@mailer.mailpace.com>")

    @pytest.mark.rule("MP-W3")
    @pytest.mark.parametrize(
        "to, expected",
        [
            ("a@example.com", ("a@example.com",)),
            (
                "a@example.com, b@example.com,c@example.com",
                ("a@example.com", "b@example.com", "c@example.com"),
            ),
            ('"Rogers, Steve" <steve@example.com>, b@example.com', ("steve@example.com", "b@example.com")),
            ("Steve Rogers <steve@example.com>", ("steve@example.com",)),
            ("jürgen@bücher.example", ("jürgen@bücher.example",)),
            (None, ()),
            (..., ()),
            ("", ()),
            (" ", ()),
            (",", ()),
            ("Rogers, Steve <steve@example.com>", ()),
            ("not an address", ()),
            (["a@example.com"], ()),
            (7, ()),
        ],
    )
    def test_recipients_are_read_like_a_header(self, to: Any, expected: tuple[str, ...]) -> None:
        """A comma in a quoted name separates nothing; what cannot be read is left to `raw`."""
        event = parse(document(to=to))

        assert event.recipients == expected
        assert event.raw["payload"].get("to", ...) == to

    @pytest.mark.rule("MP-W4")
    def test_speaks_of_the_mail(self) -> None:
        """What became of one of several recipients is not known, and cc and bcc are not named."""
        event = parse(document(to="a@example.com, b@example.com", cc="c@example.com", bcc="d@example.com"))

        assert (event.scope, event.recipients) == ("message", ("a@example.com", "b@example.com"))

    @pytest.mark.rule("MP-W3")
    @pytest.mark.parametrize(
        "tags, expected",
        [
            (["a", "b"], ("a", "b")),
            ([], ()),
            (None, ()),
            (..., ()),
            ("a", ("a",)),
            ("", ()),
            (["a", None, 7, "", "b"], ("a", "b")),
            ({"a": "b"}, ()),
        ],
    )
    def test_tags(self, tags: Any, expected: tuple[str, ...]) -> None:
        """A list; one text is one tag; older payloads have none."""
        assert parse(document(tags=tags)).tags == expected

    def test_raw_is_the_whole_document(self) -> None:
        """What has no field of its own is readable in MailPace's terms."""
        assert parse(document(new_field=[1])).raw == document(new_field=[1])

    @pytest.mark.rule("MP-W3")
    @pytest.mark.parametrize("name", [*PAYLOAD, "event"])
    @pytest.mark.parametrize(
        "value", [None, True, 0, -1, 1.5, "", "x", "\x00\ud800", [], [[]], {}, {"a": []}, ...]
    )
    def test_any_value_anywhere_is_no_error(
        self,
        name: str,
        value: Any,
        make_receiver: Callable[..., WebhookReceiver],
        events: list[TrackingEvent],
    ) -> None:
        """Whatever a field holds, the delivery is handed over or kept, and answered 200."""
        receiver = make_receiver(webhook_secret="hook:s3cret", on_event=events.append)
        odd = document(**{name: value}) if name != "event" else {**document(), "event": value}
        odd = {key: item for key, item in odd.items() if item is not ...}
        answer = receiver.receive(unsigned(odd), kind="tracking")

        assert answer.status == 200
        assert len(events) + len(receiver.quarantined) == 1


class TestIdentity:
    """The id by which a redelivery is known."""

    @pytest.mark.rule("MP-C16")
    @pytest.mark.parametrize(
        "other",
        [
            document("email.bounced"),
            document(updated_at="2021-11-16T14:50:18.028Z"),
            document(id=1201),
            document(domain_id=8),
        ],
        ids=["event", "updated_at", "id", "domain_id"],
    )
    def test_each_event_of_a_mail_has_its_own(self, other: dict[str, Any]) -> None:
        """Domain, mail, event and time make it: a second deferral is not a duplicate of the first."""
        assert parse(other).event_id != parse(document()).event_id

    @pytest.mark.rule("MP-C16")
    def test_redeliveries_share_it(self) -> None:
        """The same event, written otherwise, is the same event."""
        again = dict(reversed(document()["payload"].items())) | {"subject": "changed"}

        assert parse({"payload": again, "event": "email.delivered"}).event_id == parse(document()).event_id

    @pytest.mark.rule("MP-C16")
    def test_without_a_time_the_payload_makes_it(self) -> None:
        """Two different payloads are two events, the same one twice is one."""
        bare = document(updated_at=...)

        assert parse(bare).event_id == parse(bare).event_id
        assert parse(bare).event_id != parse(document(updated_at=..., subject="Other")).event_id

    @pytest.mark.rule("MP-C16")
    def test_a_replay_store_hands_an_event_over_once(
        self, make_receiver: Callable[..., WebhookReceiver], events: list[TrackingEvent]
    ) -> None:
        """A redelivery is answered 200 and not handed over; the next event of the same mail is."""
        receiver = make_receiver(
            webhook_secret="hook:s3cret", on_event=events.append, replay_store=MemoryReplayStore()
        )
        later = document("email.bounced", updated_at="2021-11-16T15:00:00.000Z")
        answers = [
            receiver.receive(unsigned(item), kind="tracking") for item in (document(), document(), later)
        ]

        assert [answer.status for answer in answers] == [200, 200, 200]
        assert [event.event_type for event in events] == [EventType.DELIVERED, EventType.BOUNCED]

    def test_survives_a_queue(self) -> None:
        """An event is the same after a JSON round trip, and so is a verified delivery."""
        event = attrs.evolve(parse(document()), raw=None)
        verification = Verification(scheme="ed25519", covers=Covers.BODY, key="key 1")
        webhook = VerifiedWebhook(request=delivery("delivered"), verification=verification)

        assert from_json(TrackingEvent, to_json(event)) == event
        assert from_json(VerifiedWebhook, to_json(webhook)) == webhook


class TestAnswers:
    """MailPace turns an endpoint off at the first HTTP error, so an error is the last resort."""

    @pytest.mark.rule("MP-W5")
    @pytest.mark.parametrize(
        "disposition, status",
        [
            (Disposition.ACCEPTED, 200),
            (Disposition.DUPLICATE, 200),
            (Disposition.STALE, 200),
            (Disposition.QUARANTINED, 200),
            (Disposition.MISROUTED, 200),
            (Disposition.PROBE, 200),
            (Disposition.HANDSHAKE, 200),
            (Disposition.UNAUTHENTICATED, 401),
            (Disposition.BAD_METHOD, 405),
            (Disposition.TOO_LARGE, 413),
            (Disposition.BAD_ENCODING, 415),
            (Disposition.UNAVAILABLE, 503),
        ],
    )
    def test_status(self, disposition: Disposition, status: int) -> None:
        """Whatever was shown to come from MailPace and could be kept is answered 200."""
        adapter = MailPaceAdapter(MailPaceOptions())

        assert {adapter.webhook_response(disposition, kind).status for kind in EndpointKind} == {status}

    def test_every_disposition_is_in_the_table(self) -> None:
        """A disposition that core adds later needs a decision here."""
        adapter = MailPaceAdapter(MailPaceOptions())

        assert all(adapter.webhook_response(item, EndpointKind.TRACKING) for item in Disposition)
        assert len(Disposition) == 12

    @pytest.mark.rule("MP-W5")
    def test_only_a_forgery_gets_an_error(self, receiver: WebhookReceiver) -> None:
        """The same odd body is an error unsigned, and none signed."""
        odd = delivery("not-an-object")

        assert receiver.receive(WebhookRequest(body=odd.body), kind="tracking").status == 401
        assert receiver.receive(odd, kind="tracking").status == 200

    @pytest.mark.rule("MP-W5", "MP-I4")
    @pytest.mark.parametrize("name", names("inbound"))
    def test_mail_at_the_wrong_endpoint_is_kept(
        self, name: str, receiver: WebhookReceiver, events: list[TrackingEvent]
    ) -> None:
        """The same key signs both, so a captured mail could be replayed here: it is no event."""
        answer = receiver.receive(delivery(name), kind="tracking")

        assert (answer.status, events, len(receiver.quarantined)) == (200, [], 1)


class TestBoundKeys:
    """A key may be bound to its domain, so that one domain's owner cannot speak for another."""

    @pytest.mark.rule("MP-W6")
    @pytest.mark.parametrize("domain_id", [7, "7"])
    def test_events_of_its_own_domain_pass(self, domain_id: Any) -> None:
        """The payload's `domain_id` equals the key's."""
        options = {"webhook_key": {"7": KEY["public_key"]}}

        assert parse(document(domain_id=domain_id), key="domain 7", **options).message_id == "1200"

    @pytest.mark.rule("MP-W6", "MP-W5")
    @pytest.mark.parametrize("domain_id", [8, "8", None, ...])
    def test_events_of_another_domain_are_kept(
        self, domain_id: Any, make_receiver: Callable[..., WebhookReceiver], events: list[TrackingEvent]
    ) -> None:
        """Genuine, but not that key's to say: quarantined, and answered 200."""
        nacl = pytest.importorskip("nacl.signing")
        receiver = make_receiver(webhook_key={"7": KEY["public_key"]}, on_event=events.append)
        body = json.dumps(document(domain_id=domain_id)).encode()
        signature = nacl.SigningKey(bytes.fromhex(KEY["seed"])).sign(body).signature
        headers = [("X-MailPace-Signature", b64encode(signature).decode())]
        answer = receiver.receive(WebhookRequest(headers=headers, body=body), kind="tracking")

        assert (answer.status, events) == (200, [])
        assert "domain 7" in receiver.quarantined[0].reason


def test_the_plugin_has_no_problem() -> None:
    """The adapter is offered, with all that its registration points to."""
    host = PluginHost({"mailpace": mailcore_mailpace}, installed=False)

    assert (list(host.adapters), host.problems) == (["mailpace"], [])
