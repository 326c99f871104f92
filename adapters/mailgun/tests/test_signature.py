"""A signature vouches for one token, and for nothing else."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore import Covers, Secret, WebhookReceiver, WebhookRejected, WebhookRequest
from mailcore_mailgun._signature import verify

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
KEYS = (Secret("new"), Secret("old"))
TOKEN = "1" * 25 + "a" * 25


def signed(key: str = "new", at: datetime = NOW, token: str = TOKEN) -> dict[str, str]:
    """Return the three values."""
    moment = str(int(at.timestamp()))
    made = hmac.new(key.encode(), f"{moment}{token}".encode(), hashlib.sha256).hexdigest()
    return {"timestamp": moment, "token": token, "signature": made}


def event(block: Any, **data: Any) -> WebhookRequest:
    """Return an event with that signature."""
    document = {"signature": block, "event-data": {"event": "opened", "id": "1", **data}}
    return WebhookRequest(body=json.dumps(document).encode(), received_at=NOW)


def mail(block: dict[str, str], *more: tuple[str, str]) -> WebhookRequest:
    """Return a mail with that signature."""
    fields = [("recipient", "a@example.com"), ("body-plain", "x"), *block.items(), *more]
    return WebhookRequest(body=urlencode(fields).encode(), received_at=NOW)


class TestTaken:
    """What is genuine."""

    @pytest.mark.parametrize("key, label", [("new", "key 1"), ("old", "key 2")])
    @pytest.mark.parametrize("make", [event, mail])
    def test_rotation(self, make: Callable[..., WebhookRequest], key: str, label: str) -> None:
        """Each configured key verifies, and is named by its number."""
        proof = verify(make(signed(key)), KEYS, now=NOW)
        assert (proof.covers, proof.key, proof.delivery_id, proof.signed_at) == (
            Covers.TOKEN,
            label,
            TOKEN,
            NOW,
        )

    def test_parent(self) -> None:
        """The account above a subaccount vouches for it."""
        block = {**signed("subaccount"), "parent-signature": signed("old")["signature"]}
        assert verify(event(block), KEYS, now=NOW).key == "key 2"

    def test_a_little_ahead(self) -> None:
        """Clocks differ a little."""
        assert verify(event(signed(at=NOW + timedelta(minutes=4))), KEYS, now=NOW)


class TestRefused:
    """What is not."""

    @pytest.mark.parametrize("digits", [1, 2, 24])
    def test_moved_digits(self, digits: int) -> None:
        """Digits moved between time and token make another token under the same signature."""
        block = signed()
        moved = [
            (block["timestamp"] + TOKEN[:digits], TOKEN[digits:]),
            (block["timestamp"][:-1], block["timestamp"][-1] + TOKEN),
        ]
        for timestamp, token in moved:
            with pytest.raises(WebhookRejected):
                verify(event({**block, "timestamp": timestamp, "token": token}), KEYS, now=NOW)

    def test_future(self) -> None:
        """A time ahead would be fresh for longer than anything may be."""
        with pytest.raises(WebhookRejected, match="future"):
            verify(event(signed(at=NOW + timedelta(minutes=6))), KEYS, now=NOW)

    @pytest.mark.parametrize("name", ["timestamp", "token", "signature"])
    def test_twice(self, name: str) -> None:
        """A field that is there twice says two things."""
        with pytest.raises(WebhookRejected):
            verify(mail(signed(), (name, signed()[name])), KEYS, now=NOW)

    @given(
        st.binary(max_size=80), st.sampled_from(["", "application/json", "multipart/form-data; boundary=a"])
    )
    def test_anything(self, body: bytes, kind: str) -> None:
        """Whatever arrives, the caller hears `WebhookRejected`."""
        request = WebhookRequest(headers={"Content-Type": kind}, body=body)
        with pytest.raises(WebhookRejected):
            verify(request, KEYS, now=NOW)

    @given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4))
    def test_any_block(self, value: Any) -> None:
        """The same for any value in the place of the signature or of its parts."""
        for block in (value, {**signed(), "token": value}, {**signed(), "parent-signature": value}):
            if block != signed():
                with pytest.raises(WebhookRejected):
                    verify(event(block), (Secret("x"),), now=NOW)


def test_another_body_under_a_used_token(make_receiver: Callable[..., WebhookReceiver]) -> None:
    """The second body is acknowledged, so that nobody learns anything, and not handled."""
    seen: list[Any] = []
    mails: list[Any] = []
    receiver = make_receiver(webhook_key="new", on_event=seen.append, on_inbound=mails.append)
    at = datetime.now(UTC)
    for request, kind in [(event(signed(at=at)), "tracking"), (event(signed(at=at), id="2"), "tracking"),
                          (mail(signed(at=at)), "inbound")]:  # fmt: skip
        assert receiver.receive(request, kind=kind).status == 200
    assert (len(seen), mails) == (1, [])
