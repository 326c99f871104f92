"""Standard Webhooks: the published library signs and verifies, ours must agree with it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore import (
    Context,
    EndpointKind,
    Secret,
    TrackingEvent,
    WebhookReceiver,
    WebhookRejected,
    WebhookRequest,
)
from mailcore_resend import _signature
from mailcore_resend._adapter import ResendAdapter
from mailcore_resend._options import ResendOptions
from mailcore_resend.emulator import ResendEmulator

oracle = pytest.importorskip("standardwebhooks", reason="the library of Standard Webhooks is not installed")

SECRET = "whsec_" + b64encode(b"resend-tests-signing-secret").decode()
OTHER = "whsec_" + b64encode(b"resend-tests-another-secret").decode()
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
ENDS = ("id", "timestamp", "signature")
BODY = b'{"type":"email.sent","data":{}}'


def delivery(body: bytes, *, name: str = "msg_1", at: datetime = NOW, secret: str = SECRET) -> WebhookRequest:
    """Return a delivery that the published library signed."""
    headers = {
        "svix-id": name,
        "svix-timestamp": str(int(at.timestamp())),
        "svix-signature": oracle.Webhook(secret).sign(name, at, body.decode()),
    }
    return WebhookRequest(method="POST", headers=headers, body=body)


def verify(request: WebhookRequest, *secrets: str, now: datetime = NOW) -> str:
    """Return the label of the key that verified."""
    return _signature.verify(request, [Secret(one) for one in secrets or (SECRET,)], now=now).key


@given(body=st.text(), name=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True))
def test_what_the_library_signs_is_verified(body: str, name: str) -> None:
    """Whatever is signed, its signature is good, and another secret's is not."""
    request = delivery(body.encode(), name=name)
    assert verify(request) == "key 1"
    assert verify(request, OTHER, SECRET) == "key 2"
    with pytest.raises(WebhookRejected):
        verify(request, OTHER)


@given(body=st.text())
def test_names_of_the_standard(body: str) -> None:
    """The headers may have the standard's names; where Svix's are there too, those count."""
    signed = delivery(body.encode())
    renamed = [(name.replace("svix", "webhook"), value) for name, value in signed.headers.pairs]
    assert verify(attrs.evolve(signed, headers=renamed)) == "key 1"
    forged = [("svix-id", "msg_2"), *renamed]
    with pytest.raises(WebhookRejected):
        verify(attrs.evolve(signed, headers=forged))


def test_id_that_is_signed_counts(make_receiver: Callable[..., WebhookReceiver]) -> None:
    """An event has the id that the signature covers, whatever else the headers say."""
    found: list[TrackingEvent] = []
    at = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
    signed = delivery(BODY, name="msg_signed", at=at)
    hook = attrs.evolve(signed, headers=[*signed.headers.pairs, ("webhook-id", "msg_other")], received_at=at)
    assert make_receiver(on_event=found.append).receive(hook, kind="tracking").status == 200
    assert [event.event_id for event in found] == ["msg_signed"]


def test_what_it_proves() -> None:
    """The time and the id are those that were signed."""
    proof = _signature.verify(delivery(BODY), [Secret(SECRET)], now=NOW)
    assert (proof.scheme, proof.signed_at, proof.delivery_id) == ("standard-webhooks", NOW, "msg_1")


def test_of_the_future() -> None:
    """A clock may be ahead by five minutes, and no more."""
    assert verify(delivery(BODY, at=NOW + timedelta(minutes=5)))
    with pytest.raises(WebhookRejected, match="future"):
        verify(delivery(BODY, at=NOW + timedelta(minutes=5, seconds=1)))


@given(
    headers=st.lists(
        st.tuples(
            st.sampled_from([f"{start}-{end}" for start in ("svix", "webhook") for end in ENDS]), st.text()
        )
    )
)
def test_hostile_headers(headers: list[tuple[str, str]]) -> None:
    """Whatever is in them, the one way out is `WebhookRejected`."""
    request = WebhookRequest(method="POST", headers=headers, body=BODY)
    with pytest.raises(WebhookRejected):
        verify(request)


def test_emulator_signs_as_the_library_verifies() -> None:
    """The stand-in and the published library agree, each written by somebody else."""
    emulator = ResendEmulator()
    emulator.subscribe(EndpointKind.INBOUND, "https://hooks.example.com/")
    now = datetime.now(UTC)
    emulator.receive(b"From: a@example.com\r\n\r\nHi", now)
    [made] = emulator.due(now)
    headers = {name.replace("svix-", "webhook-"): str(value) for name, value in made.request.headers}
    assert isinstance(made.request.body, bytes)
    assert (
        oracle.Webhook(emulator.signing_secret).verify(made.request.body, headers)["type"] == "email.received"
    )


def test_without_a_secret_basic_auth_vouches() -> None:
    """No key is configured: core's basic auth is all there is."""
    adapter = ResendAdapter(ResendOptions())
    ctx = Context(now=NOW, created=NOW, unique="0" * 32)
    with pytest.raises(WebhookRejected):
        adapter.verify_webhook(delivery(BODY), ctx)
