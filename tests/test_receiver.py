"""A receiver does its work in one order, accepts nothing unproved, and always has an answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailcore import (
    Adapter,
    AdapterSpec,
    BounceClass,
    Claim,
    ConfigurationError,
    Context,
    Covers,
    Disposition,
    EndpointKind,
    EventType,
    HttpRequest,
    HttpResponse,
    InboundMessage,
    InvalidDocument,
    Mailer,
    MemoryReplayStore,
    Message,
    MissingDependency,
    MissingOption,
    Phase,
    PluginHost,
    Quarantined,
    Rejected,
    Secret,
    ServiceUnavailable,
    TrackingEvent,
    TransportFailure,
    Verification,
    VerifiedWebhook,
    WebhookReceiver,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
    about,
    from_json,
    hookimpl,
    parse_timestamp,
    to_json,
)
from mailcore._config import configuration
from mailcore._pip import pip_install
from mailcore.testing import RecordingTransport

NOW = datetime(2030, 1, 31, 9, tzinfo=UTC)
KEY = b"signing-key-canary"
TRACKING, INBOUND = EndpointKind.TRACKING, EndpointKind.INBOUND
MAIL = InboundMessage(raw=b"Subject: Hi\r\n\r\nHello", event_id="mail-1")


@attrs.frozen(kw_only=True)
class FakeOptions:
    """How the fake provider proves itself."""

    signing_key: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(Secret),
        metadata=about("A key.", needed_to="receive"),
    )
    covers: Covers = Covers.BODY


class FakeAdapter(Adapter):
    """HMAC over the body; each step notes that it ran, and may be told to fail."""

    ran: list[str]
    fail: Mapping[str, Any]

    def __init__(self, options: FakeOptions) -> None:
        super().__init__(options)
        self.ran = []
        self.fail = {}

    def step(self, name: str) -> Any:
        """Note a step; raise or return what the test asked for."""
        self.ran.append(name)
        wanted = self.fail.get(name)
        if isinstance(wanted, BaseException):
            raise wanted
        return wanted

    @property
    def webhook_covers(self) -> Covers:
        """As configured."""
        return self.options.covers if self.options.signing_key else Covers.NOTHING

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Any:
        """Compare the signature; without a key, leave it to basic auth."""
        wanted = self.step("verify")
        if wanted is not None:
            return wanted
        if self.options.signing_key is None:
            return super().verify_webhook(request, ctx)
        signatures = request.headers.get_all("X-Signature")
        if len(signatures) != 1 or not hmac.compare_digest(signatures[0].encode(), sign(request.body)):
            raise WebhookRejected("The signature is wrong.")
        times = request.headers.get_all("X-Signed-At")
        signed_at = datetime.fromisoformat(times[0]) if times else None
        return Verification(
            scheme="hmac", covers=self.options.covers, signed_at=signed_at,
            delivery_id=request.headers.get("X-Delivery"),
        )  # fmt: skip

    def webhook_kind(self, webhook: VerifiedWebhook) -> Any:
        """Take the shape from one key."""
        wanted = self.step("kind")
        if wanted is not None:
            return wanted
        kinds = {"event": TRACKING, "mail": INBOUND}
        return next((kind for name, kind in kinds.items() if name in webhook.request.json()), None)

    def parse_events(self, webhook: VerifiedWebhook) -> Any:
        """Return an event for each name, which may say when: `delivered at 2030-01-31T09:00:00Z`."""
        wanted = self.step("parse")
        if wanted is not None:
            return wanted
        names = webhook.request.json()["event"]
        return [
            TrackingEvent(event_type=EventType(kind), event_id=name, timestamp=parse_timestamp(when))
            for name in names
            for kind, _, when in [name.partition(" at ")]
        ]

    def parse_inbound(self, webhook: VerifiedWebhook) -> Any:
        """Return one mail."""
        wanted = self.step("parse")
        return [MAIL] if wanted is None else wanted

    def webhook_response(self, disposition: Disposition, kind: EndpointKind) -> Any:
        """Answer as usual."""
        self.step("answer")
        return super().webhook_response(disposition, kind)


class Fetching(FakeAdapter):
    """Fetch a certificate before verifying, and the mail afterwards."""

    def verify_flow(self, request: WebhookRequest, ctx: Context) -> Iterator[Any]:  # type: ignore[override]  # reason: a generator is an iterator
        """Fetch, then verify."""
        yield HttpRequest(method="GET", url="https://api.example.com/cert", commits=False)
        return self.verify_webhook(request, ctx)

    def inbound_flow(self, webhook: VerifiedWebhook, ctx: Context) -> Iterator[Any]:  # type: ignore[override]  # reason: the same
        """Fetch the mail behind the pointer."""
        response = yield HttpRequest(method="GET", url="https://api.example.com/mail", commits=False)
        return [InboundMessage(raw=response.body, event_id="fetched")]


def sign(body: bytes) -> bytes:
    """Return the fake provider's signature."""
    return hmac.new(KEY, body, hashlib.sha256).hexdigest().encode()


def event(*names: str, body: bytes | None = None, **headers: str) -> WebhookRequest:
    """Return a signed delivery of these events."""
    found = json.dumps({"event": list(names) or ["delivered"]}).encode() if body is None else body
    signed = {
        "X-Signature": sign(found).decode(),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return WebhookRequest(method="POST", url="/hook", headers=signed, body=found, received_at=NOW)


def basic(text: str | bytes) -> str:
    """Return an `Authorization` value."""
    return "Basic " + base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


class Odd:
    """What no adapter returns, but one with a bug."""


class Receiving:
    """A receiver and everything it did."""

    def __init__(
        self, *, signed: bool = True, adapter: type[FakeAdapter] = FakeAdapter, replay: Any = None,
        covers: Covers = Covers.BODY, quarantine: Any = None, transport: Any = None, handlers: bool = True,
        **settings: Any,
    ) -> None:  # fmt: skip
        self.events: list[TrackingEvent] = []
        self.mails: list[InboundMessage] = []
        self.finished: list[Disposition] = []
        self.observed: list[str] = []
        self.fail: dict[str, Any] = {}
        spec = AdapterSpec(
            name="fake", factory=f"{__name__}:{adapter.__name__}", options=f"{__name__}:FakeOptions"
        )
        key = {"signing_key": KEY.decode()} if signed else {}
        found = configuration({**key, "covers": covers, **settings}, spec=spec, environ={})
        on_event, on_inbound = (self.on_event, self.on_inbound) if handlers else (None, None)
        self.receiver = WebhookReceiver(
            found, on_event=on_event, on_inbound=on_inbound, on_quarantine=quarantine, replay_store=replay,
            host=PluginHost({"observer": self}, installed=False), transport=transport, clock=lambda: NOW,
        )  # fmt: skip
        self.adapter: Any = self.receiver._adapter
        self.adapter.fail = self.fail

    def on_event(self, found: TrackingEvent) -> None:
        """Keep an event."""
        self.adapter.step("handler")
        self.events.append(found)

    def on_inbound(self, found: InboundMessage) -> None:
        """Keep a mail."""
        self.adapter.step("handler")
        self.mails.append(found)

    @hookimpl
    def mailcore_webhook_finished(self, disposition: Disposition) -> None:
        """Note what became of a delivery."""
        self.finished.append(disposition)

    @hookimpl
    def mailcore_event_received(self, event: TrackingEvent) -> None:
        """Note an event."""
        self.observed.append(event.event_id)

    @hookimpl
    def mailcore_inbound_received(self, message: InboundMessage) -> None:
        """Note a mail."""
        self.observed.append(message.event_id)

    def receive(self, request: WebhookRequest, kind: EndpointKind | str = TRACKING) -> WebhookResponse:
        """Receive a delivery."""
        return self.receiver.receive(request, kind=kind)

    @property
    def ran(self) -> list[str]:
        """The adapter's and the handlers' steps, in order."""
        return list(self.adapter.ran)


class TestOrder:
    """Size, method, encoding, basic auth, verify, age, replay, kind, parse, handler, answer."""

    def test_all_of_it(self) -> None:
        """A good delivery goes all the way."""
        fake = Receiving()
        response = fake.receive(event("delivered"))
        assert (response.status, response.headers, response.body) == (200, (), b"")
        assert fake.ran == ["verify", "kind", "parse", "handler", "answer"]
        assert fake.finished == [Disposition.ACCEPTED]
        assert fake.observed == ["delivered"]

    @pytest.mark.parametrize(
        "request_,settings,status,disposition",
        [
            (attrs.evolve(event(), body=b"x" * 101), {}, 413, Disposition.TOO_LARGE),
            (attrs.evolve(event(), method="GET", body=b"x" * 101), {}, 413, Disposition.TOO_LARGE),
            (attrs.evolve(event(), method="GET"), {}, 405, Disposition.BAD_METHOD),
            (attrs.evolve(event(Content_Encoding="gzip"), method="PUT"), {}, 405, Disposition.BAD_METHOD),
            (attrs.evolve(event(), method="HEAD"), {}, 200, Disposition.PROBE),
            (event(Content_Encoding="gzip"), {"webhook_secret": "user:pass"}, 415, Disposition.BAD_ENCODING),
            (event(), {"webhook_secret": "user:pass"}, 401, Disposition.UNAUTHENTICATED),
        ],
    )  # fmt: skip
    def test_before_the_signature(
        self, request_: WebhookRequest, settings: Mapping[str, Any], status: int, disposition: Disposition
    ) -> None:
        """What fails early costs nothing: no signature is computed, nothing is parsed, nobody is told."""
        fake = Receiving(max_event_bytes=100, replay=Unused(), **settings)
        assert fake.receive(request_).status == status
        assert fake.ran == ["answer"]
        assert fake.finished == [disposition]
        assert fake.observed == []

    @pytest.mark.rule("N-H1")
    @pytest.mark.rule("N-H2")
    def test_forged(self) -> None:
        """An unproved body is not parsed, not kept and not looked up."""
        fake = Receiving(replay=Unused())
        assert fake.receive(attrs.evolve(event(), body=b'{"event": ["bounced"]}')).status == 401
        assert fake.ran == ["verify", "answer"]
        assert list(fake.receiver.quarantined) == []

    def test_stale(self) -> None:
        """An old delivery is acknowledged; the replay store, the parser and the handler never see it."""
        fake = Receiving(replay=Unused(), max_age=60)
        old = event(X_Signed_At=(NOW - timedelta(seconds=61)).isoformat())
        assert fake.receive(old).status == 200
        assert "parse" not in fake.ran
        assert fake.finished == [Disposition.STALE]

    @pytest.mark.parametrize("age", [60, 0, -3600])
    def test_not_stale(self, age: int) -> None:
        """Up to the limit, and with a clock that is behind, a delivery is handled."""
        fake = Receiving(max_age=60)
        fake.receive(event(X_Signed_At=(NOW - timedelta(seconds=age)).isoformat()))
        assert fake.finished == [Disposition.ACCEPTED]

    def test_handler_that_nobody_would_wait_for(self) -> None:
        """A coroutine function is refused at once, or else events would be acknowledged and lost."""

        async def save(_: object) -> None:
            """Never run."""

        for name in ("on_event", "on_inbound"):
            with pytest.raises(ConfigurationError, match=f"{name} .* AsyncWebhookReceiver"):
                WebhookReceiver.from_config(
                    {"provider": "mailpace", "webhook_secret": "user:password"}, environ={}, **{name: save}
                )

    @pytest.mark.parametrize("old,fresh,expected", [(1, 0, "stale"), (1, 1, "accepted"), (0, 0, "accepted")])
    def test_stale_by_the_events_own_time(self, old: int, fresh: int, expected: str) -> None:
        """Where no time is signed, an event that is too old is not handled: a capture would last."""
        fake = Receiving(max_age=60)
        ages = [61] * old + [60] * fresh
        names = [f"delivered at {(NOW - timedelta(seconds=age)).isoformat()}" for age in ages]
        assert fake.receive(event(*names)).status == 200
        assert [disposition.value for disposition in fake.finished] == [expected]
        assert len(fake.events) == (fresh if ages else 1)

    def test_a_signed_time_is_enough(self) -> None:
        """A provider that signs anew for each attempt may deliver an old event late."""
        fake = Receiving(max_age=60)
        old = event(f"delivered at {(NOW - timedelta(days=2)).isoformat()}", X_Signed_At=NOW.isoformat())
        fake.receive(old)
        assert fake.finished == [Disposition.ACCEPTED]

    def test_duplicate(self) -> None:
        """The second delivery is acknowledged and neither parsed nor handled."""
        fake = Receiving(replay=MemoryReplayStore())
        assert [fake.receive(event()).status, fake.receive(event()).status] == [200, 200]
        assert [fake.ran.count("parse"), fake.ran.count("handler")] == [1, 1]
        assert fake.finished == [Disposition.ACCEPTED, Disposition.DUPLICATE]

    @pytest.mark.parametrize(
        "kind,body", [(INBOUND, b'{"event": ["delivered"]}'), (TRACKING, b'{"mail": 1}')]
    )
    @pytest.mark.rule("N-H4")
    def test_misrouted(self, kind: EndpointKind, body: bytes, caplog: pytest.LogCaptureFixture) -> None:
        """A delivery at the other kind's endpoint is acknowledged, kept and not parsed; the log says why."""
        fake = Receiving()
        assert fake.receive(event(body=body), kind).status == 200
        assert "parse" not in fake.ran
        assert fake.finished == [Disposition.MISROUTED]
        (kept,) = fake.receiver.quarantined
        assert kept.kind is kind
        assert f"came to the {kind.value} endpoint" in kept.reason
        assert kept.reason in caplog.text

    def test_unreadable(self) -> None:
        """What cannot be parsed reaches no handler."""
        fake = Receiving()
        fake.fail["parse"] = InvalidDocument("odd")
        assert fake.receive(event()).status == 200
        assert "handler" not in fake.ran
        assert fake.finished == [Disposition.QUARANTINED]


class Unused:
    """A replay store that must not be asked."""

    def claim(self, key: str, ttl: float) -> Claim:
        """Fail."""
        raise AssertionError(key)

    commit = release = claim


class TestEndpoint:
    """Size, method and encoding."""

    @pytest.mark.parametrize("size,status", [(64, 200), (65, 413)])
    @pytest.mark.parametrize("kind,setting", [(TRACKING, "max_event_bytes"), (INBOUND, "max_inbound_bytes")])
    def test_size(self, kind: EndpointKind, setting: str, size: int, status: int) -> None:
        """Each kind has its own limit, and the limit itself is allowed."""
        fake = Receiving(**{"max_event_bytes": 64, "max_inbound_bytes": 64, setting: 64})
        assert fake.receive(event(body=b"x" * size), kind).status == status
        assert fake.receiver.limit(kind) == fake.receiver.limit(kind.value) == 64

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "", "POST\r\n", "\u0130"])
    def test_method(self, method: str) -> None:
        """Anything but POST and HEAD is told what is allowed."""
        response = Receiving().receive(attrs.evolve(event(), method=method))
        assert response.status == 405
        assert dict(response.headers)["Allow"] == "POST, HEAD"

    @pytest.mark.parametrize("method", ["head", "HEAD"])
    def test_head(self, method: str) -> None:
        """A provider that asks whether the endpoint is there hears yes, without any proof."""
        fake = Receiving(webhook_secret="user:pass")
        assert fake.receive(WebhookRequest(method=method)).status == 200
        assert fake.events == []

    @pytest.mark.parametrize(
        "coding,status",
        [("gzip", 415), ("br", 415), ("GZIP ", 415), ("identity", 200), ("", 200), (" Identity", 200)],
    )
    def test_encoding(self, coding: str, status: int) -> None:
        """A compressed body is refused, not unpacked."""
        assert Receiving().receive(event(Content_Encoding=coding)).status == status

    @pytest.mark.parametrize("kind", ["tracking", "inbound", TRACKING, INBOUND])
    def test_kind(self, kind: EndpointKind | str) -> None:
        """Names do as well as members."""
        assert Receiving().receive(event(), kind).status == 200

    def test_unknown_kind(self) -> None:
        """A wrong call is the only thing that raises."""
        with pytest.raises(ValueError, match="events"):
            Receiving().receive(event(), "events")

    def test_text_is_no_body(self) -> None:
        """A body that somebody decoded cannot be verified."""
        with pytest.raises(TypeError, match="bytes"):
            WebhookRequest(body="{}")  # type: ignore[arg-type]  # reason: the point


class TestBasicAuth:
    """User name and password."""

    PAIRS = "old:one,new:two"

    @pytest.mark.parametrize("pair,label", [("old:one", "old"), ("new:two", "new")])
    def test_every_pair_counts(self, pair: str, label: str) -> None:
        """While a password is rotated, both are good; the proof says which it was."""
        fake = Receiving(signed=False, webhook_secret=self.PAIRS)
        fake.adapter.fail = {}
        assert fake.receive(event(Authorization=basic(pair))).status == 200
        (found,) = fake.events
        assert found.verified_by == Verification(scheme="basic-auth", covers=Covers.NOTHING, key=label)

    @pytest.mark.parametrize(
        "value",
        [
            None, "", "Basic", "Basic ", "Basic !!!", "Bearer b2xkOm9uZQ==", "b2xkOm9uZQ==",
            basic("old:two"), basic("old:"), basic(":one"), basic("old"), basic(""), basic("old:one\n"),
            basic("OLD:one"), basic("old:one,new:two"), basic("\u00e4:\u4e2d"), basic(b"\xff\xfe:\x00"),
            "Basic \u4e2d", "Basic \udc80", "Basic b2xkOm9uZQ", "Basic b2xk Om9uZQ==", "Basic\tb2xkOm9uZQ==",
            basic("old:one") + ", " + basic("new:two"),
        ],
    )  # fmt: skip
    @pytest.mark.rule("N-H1")
    def test_anything_else_is_refused(self, value: str | None) -> None:
        """One answer for all kinds of wrong, with a challenge and without a word about why."""
        fake = Receiving(signed=False, webhook_secret=self.PAIRS)
        response = fake.receive(event(**({} if value is None else {"Authorization": value})))
        assert response.status == 401
        assert dict(response.headers)["WWW-Authenticate"] == 'Basic realm="webhooks", charset="UTF-8"'
        assert response.body == b""
        assert "parse" not in fake.ran

    @pytest.mark.parametrize("values", [("old:one", "old:one"), ("old:one", "x:y"), ("x:y", "new:two")])
    def test_twice_is_refused(self, values: Sequence[str]) -> None:
        """Two headers could be read differently by whoever stands in between."""
        request = attrs.evolve(event(), headers=[("Authorization", basic(value)) for value in values])
        assert Receiving(signed=False, webhook_secret=self.PAIRS).receive(request).status == 401

    @pytest.mark.parametrize("scheme", ["basic", "BASIC"])
    def test_scheme_in_any_case(self, scheme: str) -> None:
        """As RFC 9110 has it."""
        value = basic("old:one").replace("Basic", scheme)
        assert (
            Receiving(signed=False, webhook_secret=self.PAIRS).receive(event(Authorization=value)).status
            == 200
        )

    def test_beside_a_signature_both_are_needed(self) -> None:
        """A secret that is configured is asked for, whatever else is proved."""
        fake = Receiving(webhook_secret=self.PAIRS)
        good = event(Authorization=basic("old:one"))
        assert fake.receive(good).status == 200
        assert fake.receive(event()).status == 401
        assert fake.receive(attrs.evolve(good, body=b"{}")).status == 401

    def test_without_secrets_there_is_no_challenge(self) -> None:
        """A forged signature is no reason to ask for a password that nobody has."""
        response = Receiving().receive(attrs.evolve(event(), body=b"{}"))
        assert (response.status, response.headers) == (401, ())

    @pytest.mark.rule("N-H1")
    def test_every_pair_is_compared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The time it takes does not tell which pair matched, or how far."""
        compared: list[bytes] = []
        original = hmac.compare_digest

        def counting(left: bytes, right: bytes) -> bool:
            compared.append(right)
            return original(left, right)

        monkeypatch.setattr("mailcore._basic_auth.compare_digest", counting)
        fake = Receiving(signed=False, webhook_secret=self.PAIRS)
        for value in ("old:one", "new:two", "x:y"):
            fake.receive(event(Authorization=basic(value)))
        assert compared == [b"old:one", b"new:two"] * 3

    def test_label_is_cores_to_set(self) -> None:
        """A request that claims to be matched is matched again."""
        forged = attrs.evolve(event(), basic_auth="old")
        assert Receiving(signed=False, webhook_secret=self.PAIRS).receive(forged).status == 401

    def test_password_stays_behind(self) -> None:
        """What may be queued or kept holds no `Authorization`."""
        fake = Receiving(webhook_secret=self.PAIRS)
        verified = fake.receiver.verify(event(Authorization=basic("old:one")))
        assert isinstance(verified, VerifiedWebhook)
        assert "Authorization" not in verified.request.headers
        assert verified.request.basic_auth == "old"

    @pytest.mark.parametrize("pair", ["old:one", "old:two"])
    def test_observers_do_not_see_it(self, pair: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """A plugin that logs or queues what it is told cannot tell a password, right or nearly right."""
        seen: list[WebhookRequest] = []
        fake = Receiving(webhook_secret=self.PAIRS)
        monkeypatch.setattr(fake.receiver._host, "notify", lambda _, **told: seen.append(told.get("request")))
        fake.receive(event(Authorization=basic(pair)))
        assert "Authorization" not in seen[-1].headers


class TestProof:
    """Verification."""

    @pytest.mark.parametrize(
        "raised",
        [ValueError("x"), KeyError("x"), RecursionError(), UnicodeDecodeError("utf-8", b"", 0, 1, "x")],
    )
    def test_exception_is_a_refusal(self, raised: Exception) -> None:
        """Hostile input must not find a second way out."""
        fake = Receiving()
        fake.fail["verify"] = raised
        assert fake.receive(event()).status == 401

    def test_adapter_may_ask_for_it_again(self) -> None:
        """A key that cannot be fetched now is no forgery."""
        fake = Receiving()
        fake.fail["verify"] = WebhookRejected("No key today.", disposition=Disposition.UNAVAILABLE)
        assert fake.receive(event()).status == 503

    @pytest.mark.parametrize("returned", [True, "ok", 0, {}, object()])
    def test_something_else_is_a_refusal(self, returned: object) -> None:
        """Only a `Verification` proves anything."""
        fake = Receiving()
        fake.fail["verify"] = returned
        assert fake.receive(event()).status == 401
        assert "parse" not in fake.ran

    @pytest.mark.rule("N-H2")
    def test_refusals_are_alike(self, caplog: pytest.LogCaptureFixture) -> None:
        """Missing, doubled, malformed and wrong signatures get the same answer, and one line in the log."""
        fake = Receiving()
        good = event()
        bad = [
            attrs.evolve(good, headers={}),
            attrs.evolve(good, headers=[*good.headers.pairs, *good.headers.pairs]),
            attrs.evolve(good, headers={"X-Signature": "\u4e2d"}),
            attrs.evolve(good, headers={"X-Signature": ""}),
            attrs.evolve(good, body=good.body + b" "),
            attrs.evolve(good, body=b""),
        ]
        with caplog.at_level(logging.WARNING, "mailcore.webhooks"):
            answers = {fake.receive(request) for request in bad}
        assert answers == {WebhookResponse(status=401)}
        assert len(caplog.records) == len(bad)
        assert KEY.decode() not in caplog.text

    def test_handshake(self) -> None:
        """A step of the provider's own protocol is answered as the adapter says, and goes no further."""
        fake = Receiving(replay=Unused())
        fake.fail["verify"] = WebhookResponse(status=200, body=b"challenge")
        assert fake.receive(event()) == WebhookResponse(status=200, body=b"challenge")
        assert fake.ran == ["verify"]
        assert fake.finished == [Disposition.HANDSHAKE]

    def test_in_several_steps(self) -> None:
        """A flow may fetch what it needs to verify."""
        transport = RecordingTransport(HttpResponse(status=200))
        fake = Receiving(adapter=Fetching, transport=transport)
        assert fake.receive(event()).status == 200
        assert [request.url for request in transport.requests] == ["https://api.example.com/cert"]

    @pytest.mark.parametrize(
        "failure, status", [(TransportFailure(Phase.SENT, "Lost."), 503), (ValueError("x"), 401)]
    )
    def test_step_that_fails(self, failure: Exception, status: int) -> None:
        """Without what it needs, nothing is proved; what could not be fetched is asked for again."""
        fake = Receiving(adapter=Fetching, transport=RecordingTransport(failure))
        assert fake.receive(event()).status == status
        assert "parse" not in fake.ran

    @pytest.mark.parametrize("covers", list(Covers))
    def test_without_any_it_is_not_made(self, covers: Covers) -> None:
        """An endpoint that anyone could feed is refused at construction, naming every way out."""
        with pytest.raises(MissingOption) as caught:
            Receiving(signed=False, covers=covers)
        for spelling in (
            "signing_key",
            "MAILCORE_FAKE_SIGNING_KEY",
            "webhook_secret",
            "MAILCORE_WEBHOOK_SECRET",
        ):
            assert spelling in str(caught.value)

    def test_signature_of_nothing_is_none(self) -> None:
        """A scheme that covers nothing needs basic auth beside it."""
        with pytest.raises(MissingOption):
            Receiving(covers=Covers.NOTHING)
        Receiving(covers=Covers.NOTHING, webhook_secret="user:pass")

    @pytest.mark.parametrize("config", [{}, {"provider": None}])
    def test_no_provider(self, config: Mapping[str, Any], host: PluginHost) -> None:
        """A configuration must say whose deliveries they are."""
        with pytest.raises(ConfigurationError, match="no 'provider'"):
            WebhookReceiver.from_config(config, environ={}, host=host)


class TestUnderstanding:
    """What is genuine and not understood is kept and acknowledged."""

    @pytest.mark.parametrize("kind", [TRACKING, INBOUND])
    @pytest.mark.parametrize(
        "body",
        [
            b"", b"not JSON", b"\xff\xfe", b"null", b"5", b"true", b"[]", b"{}", b'{"other": 1}', b'"text"',
            b'{"event": 1, "event": 2}', b'{"event": NaN}', b"[" * 100_000,
            b'{"event": ' + b"9" * 5000 + b"}",
        ],
    )  # fmt: skip
    @pytest.mark.rule("N-H3")
    def test_malformed(self, body: bytes, kind: EndpointKind) -> None:
        """Neither the endpoint nor an innocent sender pays for a body nobody can read."""
        fake = Receiving()
        assert fake.receive(event(body=body), kind).status == 200
        assert fake.finished == [Disposition.QUARANTINED]
        (kept,) = fake.receiver.quarantined
        assert kept.webhook.request.body == body
        assert "handler" not in fake.ran

    @pytest.mark.parametrize(
        "step,wanted",
        [
            ("kind", ValueError("x")),
            ("kind", "events"),
            ("kind", 5),
            ("parse", ValueError("x")),
            ("parse", RecursionError()),
            ("parse", 5),
            ("parse", [object()]),
            ("parse", [{"event_type": "delivered"}]),
            ("parse", [Odd()]),
        ],
    )
    @pytest.mark.rule("N-H3")
    def test_adapter_that_fails(self, step: str, wanted: object) -> None:
        """Whatever goes wrong after the proof, the delivery is kept."""
        fake = Receiving()
        fake.fail[step] = wanted
        assert fake.receive(event()).status == 200
        assert fake.finished == [Disposition.QUARANTINED]
        assert len(fake.receiver.quarantined) == 1
        assert fake.events == []

    def test_unknown_event(self) -> None:
        """An event without a name here is an event."""
        fake = Receiving()
        assert fake.receive(event("unknown")).status == 200
        assert [found.event_type for found in fake.events] == [EventType.UNKNOWN]

    def test_nothing_in_it(self) -> None:
        """A delivery without events is done with."""
        fake = Receiving()
        fake.fail["parse"] = ()
        assert fake.receive(event()).status == 200
        assert fake.finished == [Disposition.ACCEPTED]

    @pytest.mark.parametrize(
        "kind,body", [(TRACKING, b'{"event": ["delivered"]}'), (INBOUND, b'{"mail": 1}')]
    )
    def test_no_handler(self, kind: EndpointKind, body: bytes) -> None:
        """What nobody asked for is kept, since it was sent to an endpoint that somebody made."""
        fake = Receiving(handlers=False)
        assert fake.receive(event(body=body), kind).status == 200
        (kept,) = fake.receiver.quarantined
        assert "no handler" in kept.reason

    def test_own_quarantine(self) -> None:
        """What is to be kept goes to your function."""
        kept: list[Quarantined] = []
        fake = Receiving(quarantine=kept.append)
        fake.receive(event(body=b"{}"))
        assert [found.kind for found in kept] == [TRACKING]
        assert list(fake.receiver.quarantined) == []

    def test_quarantine_that_fails(self, caplog: pytest.LogCaptureFixture) -> None:
        """A delivery is kept in memory where nothing better works, and acknowledged all the same."""

        def full(found: Quarantined) -> None:
            raise OSError("No space left.")

        fake = Receiving(quarantine=full)
        assert fake.receive(event(body=b"{}")).status == 200
        assert len(fake.receiver.quarantined) == 1
        assert "kept in memory" in caplog.text

    def test_memory_is_bounded(self) -> None:
        """The last hundred are kept."""
        fake = Receiving()
        for number in range(150):
            fake.receive(event(body=str(number).encode()))
        assert [found.webhook.request.body for found in fake.receiver.quarantined] == [
            str(number).encode() for number in range(50, 150)
        ]

    def test_adapter_without_an_answer(self) -> None:
        """An answer goes back whatever the adapter does."""
        fake = Receiving()
        fake.fail["answer"] = LookupError("x")
        assert fake.receive(event()).status == 200
        assert fake.receive(attrs.evolve(event(), body=b"{}")).status == 401


class TestHandler:
    """Your function."""

    def test_events_come_in_order_and_complete(self) -> None:
        """Each event names the provider and the proof."""
        fake = Receiving()
        fake.receive(event("queued", "delivered"))
        assert [found.event_type for found in fake.events] == [EventType.QUEUED, EventType.DELIVERED]
        for found in fake.events:
            assert found.provider == "fake"
            assert found.verified_by is not None
            assert found.verified_by.scheme == "hmac"

    def test_mail(self) -> None:
        """Incoming mail names the provider."""
        fake = Receiving()
        assert fake.receive(event(body=b'{"mail": 1}'), INBOUND).status == 200
        assert [(mail.event_id, mail.provider) for mail in fake.mails] == [("mail-1", "fake")]
        assert fake.observed == ["mail-1"]

    def test_mail_behind_a_pointer(self) -> None:
        """A flow may fetch the mail."""
        transport = RecordingTransport(
            HttpResponse(status=200), HttpResponse(status=200, body=b"Subject: x\r\n\r\n")
        )
        fake = Receiving(adapter=Fetching, transport=transport)
        assert fake.receive(event(body=b'{"mail": 1}'), INBOUND).status == 200
        assert [mail.event_id for mail in fake.mails] == ["fetched"]

    @pytest.mark.parametrize(
        "failure, status",
        [
            (TransportFailure(Phase.CONNECTING, "Unreachable."), 503),
            (ServiceUnavailable("Down."), 503),
            (Rejected("Gone."), 200),
            (ValueError("x"), 200),
        ],
    )
    def test_fetch_that_fails(self, failure: Exception, status: int) -> None:
        """What could not be fetched for now is asked for again; what never can be is kept."""
        transport = RecordingTransport(HttpResponse(status=200), failure)
        fake = Receiving(adapter=Fetching, transport=transport)
        assert fake.receive(event(body=b'{"mail": 1}'), INBOUND).status == status
        assert (len(fake.receiver.quarantined), fake.mails) == (int(status == 200), [])

    @pytest.mark.rule("N-G1")
    def test_fetching_is_bounded(self) -> None:
        """Requests made from a webhook have the same deadline as a send."""
        left: list[float] = []

        class Timed(RecordingTransport):
            def exchange(self, request: Any, *, deadline: Any) -> Any:
                left.append(deadline.remaining())
                return super().exchange(request, deadline=deadline)

        Receiving(adapter=Fetching, transport=Timed(HttpResponse(status=200)), deadline=7).receive(event())
        assert 6 < left[0] <= 7

    @pytest.mark.parametrize(
        "kind,body", [(TRACKING, b'{"event": ["delivered"]}'), (INBOUND, b'{"mail": 1}')]
    )
    def test_one_that_raises(self, kind: EndpointKind, body: bytes, caplog: pytest.LogCaptureFixture) -> None:
        """What could not be stored is asked for again."""
        fake = Receiving()
        fake.fail["handler"] = OSError("The database is down.")
        assert fake.receive(event(body=body), kind).status == 503
        assert fake.finished == [Disposition.UNAVAILABLE]
        assert "The database is down." in caplog.text
        assert list(fake.receiver.quarantined) == []

    @pytest.mark.rule("N-H6")
    def test_one_that_raises_once(self) -> None:
        """The other events of the delivery are handled all the same."""
        fake = Receiving()
        failing = iter([OSError("x")])
        original = fake.adapter.step

        def step(name: str) -> Any:
            if name == "handler" and (error := next(failing, None)):
                raise error
            return original(name)

        fake.adapter.step = step
        assert fake.receive(event("queued", "sent", "delivered")).status == 503
        assert [found.event_id for found in fake.events] == ["sent", "delivered"]

    def test_observer_that_raises(self, caplog: pytest.LogCaptureFixture) -> None:
        """A plugin cannot lose an event."""
        fake = Receiving()
        fake.observed = None  # type: ignore[assignment]  # reason: makes the observer raise
        assert fake.receive(event()).status == 200
        assert len(fake.events) == 1
        assert "mailcore_event_received" in caplog.text


class Store(MemoryReplayStore):
    """Remember what was asked; fail on demand."""

    def __init__(self, broken: str = "") -> None:
        super().__init__()
        self.calls: list[tuple[str, str]] = []
        self.broken = broken

    def call(self, name: str, key: str) -> None:
        """Note a call."""
        self.calls.append((name, key))
        if name == self.broken:
            raise ConnectionError("The store is down.")

    def claim(self, key: str, ttl: float) -> Claim:
        """Note it and do it."""
        self.call("claim", key)
        return super().claim(key, ttl)

    def commit(self, key: str) -> None:
        """Note it and do it."""
        self.call("commit", key)
        super().commit(key)

    def release(self, key: str) -> None:
        """Note it and do it."""
        self.call("release", key)
        super().release(key)

    def __len__(self) -> int:
        return 0


class TestReplay:
    """A delivery is handled once where a store remembers it."""

    def test_empty_store_is_a_store(self) -> None:
        """A store that counts as false is used like any other."""
        store = Store()
        Receiving(replay=store).receive(event())
        assert [name for name, _ in store.calls] == ["claim", "commit"]

    def test_without_a_store_each_is_handled(self) -> None:
        """At least once is the promise that needs no store."""
        fake = Receiving()
        fake.receive(event())
        fake.receive(event())
        assert len(fake.events) == 2

    def test_failed_handling_is_given_back(self) -> None:
        """A redelivery of what was not stored is handled."""
        store = Store()
        fake = Receiving(replay=store)
        fake.fail["handler"] = OSError("x")
        assert fake.receive(event()).status == 503
        del fake.fail["handler"]
        assert fake.receive(event()).status == 200
        assert [name for name, _ in store.calls] == ["claim", "release", "claim", "commit"]
        assert len(fake.events) == 1

    def test_in_progress(self) -> None:
        """While one worker handles a delivery, another one asks the provider to come back."""
        store = Store()
        fake = Receiving(replay=store)
        fake.receive(event())
        ((_, key), _) = store.calls
        store.release(key)
        store.claim(key, 60)
        assert fake.receive(event()).status == 503
        assert len(fake.events) == 1

    @pytest.mark.parametrize(
        "other,same",
        [
            (event("delivered", X_Delivery="1"), True),
            (event("bounced", X_Delivery="1"), True),
            (event("delivered", X_Delivery="2"), False),
        ],
    )
    def test_identity_is_the_providers(self, other: WebhookRequest, *, same: bool) -> None:
        """The provider's id of a delivery tells one from the next."""
        fake = Receiving(replay=MemoryReplayStore())
        fake.receive(event("delivered", X_Delivery="1"))
        fake.receive(other)
        assert (Disposition.DUPLICATE in fake.finished) is same

    def test_identity_is_the_body(self) -> None:
        """Without such an id, the same bytes are the same delivery."""
        fake = Receiving(replay=MemoryReplayStore())
        for request in (event("delivered"), event("bounced"), event("delivered")):
            fake.receive(request)
        assert fake.finished == [Disposition.ACCEPTED, Disposition.ACCEPTED, Disposition.DUPLICATE]

    def test_misrouted_delivery_can_come_back(self) -> None:
        """What went to the wrong endpoint is handled when it comes to the right one."""
        fake = Receiving(replay=MemoryReplayStore())
        fake.receive(event(X_Delivery="1"), INBOUND)
        fake.receive(event(X_Delivery="1"), TRACKING)
        assert fake.finished == [Disposition.MISROUTED, Disposition.ACCEPTED]

    def test_token_turns_the_store_on(self) -> None:
        """A token that vouches for any body is good for one delivery."""
        fake = Receiving(covers=Covers.TOKEN)
        fake.receive(event("delivered", X_Delivery="token-1"))
        fake.receive(event("bounced", X_Delivery="token-1"))
        assert fake.finished == [Disposition.ACCEPTED, Disposition.DUPLICATE]
        assert Receiving(covers=Covers.BODY).receiver._dispatcher.replay is None

    def test_token_is_good_for_one_endpoint(self) -> None:
        """Whoever saw a token of an event cannot make a mail with it."""
        fake = Receiving(covers=Covers.TOKEN)
        fake.receive(event("delivered", X_Delivery="token-1"), TRACKING)
        fake.receive(event(body=b'{"mail": "forged"}', X_Delivery="token-1"), INBOUND)
        assert fake.finished == [Disposition.ACCEPTED, Disposition.DUPLICATE]
        assert fake.mails == []

    @pytest.mark.parametrize(
        "broken,status,handled", [("claim", 503, 0), ("commit", 200, 1), ("release", 503, 0)]
    )
    def test_store_that_fails(self, broken: str, status: int, handled: int) -> None:
        """A store that is down loses nothing: what is not claimed is asked for again."""
        fake = Receiving(replay=Store(broken))
        if broken == "release":
            fake.fail["handler"] = OSError("x")
        assert fake.receive(event()).status == status
        assert len(fake.events) == handled


class TestHalves:
    """Verify here, handle there."""

    def test_round_trip(self) -> None:
        """A verified delivery survives a queue and is handled as if it had come at once."""
        here, there = Receiving(), Receiving()
        verified = here.receiver.verify(event("delivered", X_Delivery="1", X_Signed_At=NOW.isoformat()))
        assert isinstance(verified, VerifiedWebhook)
        text = to_json(verified)
        assert KEY.decode() not in text
        received = from_json(VerifiedWebhook, text)
        assert received == verified
        assert there.receiver.dispatch(received, kind=TRACKING) is Disposition.ACCEPTED
        assert [found.event_id for found in there.events] == ["delivered"]
        assert here.ran == ["verify"]
        assert "verify" not in there.ran

    def test_refused_half(self) -> None:
        """What is not proved is not passed on."""
        with pytest.raises(WebhookRejected) as caught:
            Receiving().receiver.verify(attrs.evolve(event(), body=b"{}"))
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize(
        "changes, disposition",
        [
            ({"method": "DELETE"}, Disposition.BAD_METHOD),
            ({"method": "HEAD"}, Disposition.PROBE),
            ({"headers": [("Content-Encoding", "gzip")]}, Disposition.BAD_ENCODING),
            ({"headers": []}, Disposition.UNAUTHENTICATED),
        ],
    )
    def test_refused_half_says_what_to_answer(
        self, changes: dict[str, Any], disposition: Disposition
    ) -> None:
        """The first half checks all that `receive` checks, and its error says what to answer."""
        receiver = Receiving().receiver
        with pytest.raises(WebhookRejected) as caught:
            receiver.verify(attrs.evolve(event(), **changes))
        assert caught.value.disposition is disposition
        assert receiver.answer(disposition, "tracking") == receiver.receive(
            attrs.evolve(event(), **changes), kind="tracking"
        )

    def test_handshake_half(self) -> None:
        """A step of the provider's own protocol is to be answered."""
        fake = Receiving()
        fake.fail["verify"] = WebhookResponse(status=204)
        assert fake.receiver.verify(event()) == WebhookResponse(status=204)

    @pytest.mark.parametrize(
        "body,expected",
        [
            (b'{"event": ["delivered"]}', Disposition.ACCEPTED),
            (b'{"mail": 1}', Disposition.ACCEPTED),
            (b"{}", Disposition.QUARANTINED),
        ],
    )
    def test_kind_by_shape(self, body: bytes, expected: Disposition) -> None:
        """One queue for both kinds: the shape says which it is."""
        fake = Receiving()
        verified = fake.receiver.verify(event(body=body))
        assert isinstance(verified, VerifiedWebhook)
        assert fake.receiver.dispatch(verified) is expected

    def test_answer(self) -> None:
        """A framework that did the halves itself gets the answer for what became of them."""
        receiver = Receiving().receiver
        assert receiver.answer(Disposition.UNAVAILABLE, "tracking").status == 503
        assert receiver.answer(Disposition.ACCEPTED, INBOUND).status == 200

    @pytest.mark.parametrize("disposition", list(Disposition))
    @pytest.mark.parametrize("kind", list(EndpointKind))
    def test_every_disposition_has_an_answer(self, disposition: Disposition, kind: EndpointKind) -> None:
        """No disposition is without a status, and only the unproved get a 4xx."""
        status = Receiving().receiver.answer(disposition, kind).status
        refused = {
            Disposition.UNAUTHENTICATED: 401,
            Disposition.BAD_METHOD: 405,
            Disposition.TOO_LARGE: 413,
            Disposition.BAD_ENCODING: 415,
            Disposition.UNAVAILABLE: 503,
        }
        assert status == refused.get(disposition, 200)


headers = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "X-Signature",
                "X-Signed-At",
                "X-Delivery",
                "Authorization",
                "Content-Encoding",
                "Content-Type",
                "",
            ]
        )
        | st.text(max_size=10),
        st.text(max_size=60)
        | st.sampled_from(["Basic b2xkOm9uZQ", "Basic ====", "identity", NOW.isoformat()]),
    ),
    max_size=6,
)
documents = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
)
bodies = st.binary(max_size=200) | documents.map(lambda value: json.dumps(value).encode())


class TestHostile:
    """Whatever arrives."""

    @given(
        st.sampled_from(["POST", "HEAD", "GET", ""]) | st.text(max_size=5),
        headers,
        bodies,
        st.sampled_from(EndpointKind),
    )
    @example("POST", [("X-Signature", "\ud800")], b"", TRACKING)
    @example("POST", [("Authorization", "Basic \ud800")], b"", TRACKING)
    def test_unproved(
        self, method: str, pairs: list[tuple[str, str]], body: bytes, kind: EndpointKind
    ) -> None:
        """Nothing raises, nothing is accepted, and nothing is kept."""
        for fake in (
            Receiving(webhook_secret="old:one"),
            Receiving(),
            Receiving(signed=False, webhook_secret="old:one"),
        ):
            response = fake.receive(WebhookRequest(method=method, headers=pairs, body=body), kind)
            assert response.status in (401, 405, 413, 415) or method.upper() == "HEAD"
            assert (fake.events, fake.mails, list(fake.receiver.quarantined)) == ([], [], [])

    @given(bodies, st.sampled_from(EndpointKind))
    @pytest.mark.rule("N-H3")
    def test_proved(self, body: bytes, kind: EndpointKind) -> None:
        """A genuine delivery is acknowledged, whatever it holds."""
        fake = Receiving()
        assert fake.receive(event(body=body), kind).status == 200
        assert len(fake.finished) == 1


SEED = bytes(range(32))
OTHER = bytes(range(1, 33))


class TestMailPace:
    """The same with a real adapter: Ed25519 over the body."""

    @pytest.fixture
    def signing(self) -> Any:
        """Return the library that signs, where it is installed."""
        return pytest.importorskip("nacl.signing")

    @pytest.fixture
    def receive(self, signing: Any) -> Callable[..., Any]:
        """Return a function that delivers a signed body to a receiver with these settings."""
        mailpace = pytest.importorskip("mailcore_mailpace")
        host = PluginHost({"mailpace": mailpace}, installed=False)

        def key(seed: bytes) -> str:
            return base64.b64encode(bytes(signing.SigningKey(seed).verify_key)).decode()

        def deliver(
            document: object, *, seed: bytes = SEED, **config: Any
        ) -> tuple[WebhookResponse, Any, Any]:
            events: list[TrackingEvent] = []
            kind = config.pop("kind", "tracking")
            receiver = WebhookReceiver.from_config(
                {"provider": "mailpace", "webhook_key": key(SEED), "max_age": 10**10, **config},
                on_event=events.append, on_inbound=lambda mail: None, environ={}, host=host,
            )  # fmt: skip
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            signature = base64.b64encode(signing.SigningKey(seed).sign(body).signature).decode()
            request = WebhookRequest(headers={"X-MailPace-Signature": signature}, body=body)
            return receiver.receive(request, kind=kind), events, receiver.quarantined

        deliver.key = key  # type: ignore[attr-defined]  # reason: a second function for the tests
        return deliver

    EVENT: Mapping[str, Any] = {
        "event": "email.delivered",
        "payload": {"id": 1, "domain_id": 7, "to": "bob@example.com"},
    }

    def test_genuine(self, receive: Callable[..., Any]) -> None:
        """A signed event is handled."""
        response, events, _ = receive(self.EVENT)
        assert response.status == 200
        assert [(found.event_type, found.message_id) for found in events] == [(EventType.DELIVERED, "1")]

    def test_forged(self, receive: Callable[..., Any]) -> None:
        """Another key's signature is not."""
        response, events, kept = receive(self.EVENT, seed=OTHER)
        assert (response.status, events, list(kept)) == (401, [], [])

    def test_rotated(self, receive: Callable[..., Any]) -> None:
        """While a key is rotated, both are good; the event says which it was."""
        keys = [receive.key(OTHER), receive.key(SEED)]  # type: ignore[attr-defined]  # reason: see the fixture
        response, events, _ = receive(self.EVENT, webhook_key=keys)
        assert response.status == 200
        assert events[0].verified_by.key == "key 2"

    @pytest.mark.parametrize("domain,status", [(7, 1), (8, 0)])
    def test_bound_key(self, receive: Callable[..., Any], domain: int, status: int) -> None:
        """A key speaks for its own domain; what it says of another is kept for a person."""
        response, events, kept = receive(self.EVENT, webhook_key={str(domain): receive.key(SEED)})  # type: ignore[attr-defined]  # reason: see the fixture
        assert response.status == 200
        assert (len(events), len(kept)) == (status, 1 - status)

    @pytest.mark.rule("N-H5")
    def test_unknown_event(self, receive: Callable[..., Any]) -> None:
        """A kind that nobody documented is dispatched with its own name."""
        _, events, _ = receive({"event": "email.teleported", "payload": {"id": 1}})
        assert [(found.event_type, found.provider_event) for found in events] == [
            (EventType.UNKNOWN, "email.teleported")
        ]

    @pytest.mark.parametrize(
        "document",
        [
            b"{",
            [],
            {},
            {"event": 1},
            {"event": "email.delivered", "payload": []},
            {"event": "x", "payload": {}},
        ],
    )
    @pytest.mark.rule("N-H3")
    def test_malformed(self, receive: Callable[..., Any], document: object) -> None:
        """Kept and acknowledged: a 4xx would cost the endpoint."""
        response, events, kept = receive(document)
        assert (response.status, events, len(kept)) == (200, [], 1)

    @pytest.mark.rule("N-H4")
    def test_misrouted(self, receive: Callable[..., Any]) -> None:
        """The same key signs both kinds, so the shape must tell."""
        response, events, kept = receive(self.EVENT, kind="inbound")
        assert (response.status, events, len(kept)) == (200, [], 1)

    @pytest.mark.rule("N-H7")
    @pytest.mark.rule("N-H14")
    @pytest.mark.parametrize("value", [None, 5, True, [None], {"a": 1}, "", ["one", None], "not a date"])
    @pytest.mark.parametrize(
        "field", ["tags", "updated_at", "created_at", "to", "message_id", "domain_id", "errors"]
    )
    def test_types_do_not_drift(self, receive: Callable[..., Any], field: str, value: object) -> None:
        """A field of another type is absent from the event, whose own types stay."""
        response, (found,), _ = receive({"event": "email.bounced", "payload": {"id": 1, field: value}})
        assert response.status == 200
        assert isinstance(found.tags, tuple)
        assert all(isinstance(tag, str) and tag for tag in found.tags)
        assert found.timestamp is None or found.timestamp.tzinfo is UTC
        assert isinstance(found.message_id, str)

    @pytest.mark.rule("N-H8")
    def test_event_id_is_stable(self, receive: Callable[..., Any]) -> None:
        """A redelivery has the id of the first; another event of the same mail has another."""
        payload = {"id": 1, "updated_at": "2025-06-01T12:00:00Z"}
        ids = [
            receive({"event": kind, "payload": {**payload, **extra}})[1][0].event_id
            for kind, extra in [
                ("email.delivered", {}),
                ("email.delivered", {}),
                ("email.bounced", {}),
                ("email.delivered", {"updated_at": "2025-06-01T12:00:01Z"}),
            ]
        ]
        assert ids[0] == ids[1]
        assert len(set(ids)) == 3

    @pytest.mark.rule("N-H11")
    @pytest.mark.parametrize(
        "kind,event_type,bounce",
        [
            ("email.deferred", EventType.DEFERRED, BounceClass.SOFT),
            ("email.bounced", EventType.BOUNCED, BounceClass.HARD),
        ],
    )
    def test_temporary_and_final(
        self, receive: Callable[..., Any], kind: str, event_type: EventType, bounce: BounceClass
    ) -> None:
        """What is tried again is deferred, what is given up is bounced."""
        _, (found,), _ = receive({"event": kind, "payload": {"id": 1}})
        assert (found.event_type, found.bounce_class) == (event_type, bounce)

    @pytest.mark.rule("N-H13")
    def test_speaks_of_the_message(self, receive: Callable[..., Any]) -> None:
        """MailPace says what became of a mail, not of which recipient."""
        _, (found,), _ = receive(
            {"event": "email.bounced", "payload": {"id": 1, "to": "a@b.example, c@d.example"}}
        )
        assert (found.scope, found.recipients) == ("message", ("a@b.example", "c@d.example"))

    @pytest.mark.rule("N-H15")
    def test_without_the_library(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without PyNaCl, listing and sending work; a key to verify with says what to install."""
        for name in [name for name in sys.modules if name.partition(".")[0] == "nacl"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "nacl", None)
        host = PluginHost({"mailpace": pytest.importorskip("mailcore_mailpace")}, installed=False)
        assert (list(host.adapters), host.problems) == (["mailpace"], [])
        transport = RecordingTransport(HttpResponse(status=200, body=b'{"id": 1, "status": "pending"}'))
        mailer = Mailer.from_config(
            {"provider": "mailpace", "api_key": "k"}, environ={}, host=host, transport=transport
        )
        assert (
            mailer.send(Message(from_="ada@example.com", to="bob@example.com", text="Hello")).message_id
            == "1"
        )
        key = base64.b64encode(bytes(range(32))).decode()
        command = re.escape(pip_install("mailcore-mailpace", "signatures"))
        with pytest.raises(MissingDependency, match=command):
            WebhookReceiver.from_config({"provider": "mailpace", "webhook_key": key}, environ={}, host=host)

    @pytest.mark.rule("N-H9")
    def test_timestamp_is_the_events(self, receive: Callable[..., Any]) -> None:
        """Not the mail's creation, which all of its events share."""
        payload = {"id": 1, "created_at": "2025-06-01T12:00:00Z", "updated_at": "2025-06-01T12:00:09Z"}
        _, (found,), _ = receive({"event": "email.delivered", "payload": payload})
        assert found.timestamp == datetime(2025, 6, 1, 12, 0, 9, tzinfo=UTC)
