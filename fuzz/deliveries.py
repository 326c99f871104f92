"""Deliveries as MailPace makes them, from the adapter's kit, and a receiver of them.

Rule: whether a delivery is genuine is decided here by PyNaCl and these few lines, not by the adapter.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import attrs
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

import mailcore_mailpace
from mailcore import Disposition, PluginHost, ReplayStore, Spool, WebhookReceiver, WebhookRequest, hookimpl

__all__ = ["HEADER", "Delivery", "Spy", "expected_status", "is_genuine", "receiver", "samples", "signed"]

HEADER = "X-MailPace-Signature"
#: Small, so that an attack reaches beyond them.
MAX_EVENT, MAX_INBOUND = 64 * 1024, 64 * 1024 * 1024
#: Seconds that no recorded delivery is older than.
ANY_AGE = 10_000 * 365 * 24 * 3600
_FOLDER = files("mailcore_mailpace") / "kit"
_KEY = SigningKey(bytes.fromhex(json.loads((_FOLDER / "key.json").read_text(encoding="utf-8"))["seed"]))
PUBLIC = b64encode(bytes(_KEY.verify_key)).decode()


@attrs.frozen(kw_only=True)
class Delivery:
    """What comes to an endpoint."""

    kind: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    method: str = "POST"

    def request(self) -> WebhookRequest:
        """Return it as a framework hands it over."""
        return WebhookRequest(method=self.method, headers=self.headers, body=self.body)

    def as_bytes(self) -> bytes:
        """Return it as a text that a person can read."""
        head = "".join(f"{name}: {value}\n" for name, value in self.headers)
        return f"{self.method} {self.kind}\n{head}\n".encode("utf-8", "backslashreplace") + self.body


@cache
def samples() -> tuple[Delivery, ...]:
    """Return the deliveries of the kit, each signed for the receiver here."""
    return tuple(_samples())


def _samples() -> Iterator[Delivery]:
    for file in sorted(_FOLDER.joinpath("webhooks").iterdir(), key=lambda file: file.name):
        document = json.loads(file.read_text(encoding="utf-8"))
        kind = "inbound" if file.name.startswith("inbound") else "tracking"
        yield signed(kind, document["request"]["body"].encode())


def signature(body: bytes) -> str:
    """Return what MailPace would put into the header."""
    return b64encode(_KEY.sign(body).signature).decode()


def signed(kind: str, body: bytes) -> Delivery:
    """Return a genuine delivery."""
    return Delivery(
        kind=kind, headers=(("Content-Type", "application/json"), (HEADER, signature(body))), body=body
    )


def is_genuine(delivery: Delivery) -> bool:
    """Return whether it has one signature, spelt as it must be, of exactly these bytes."""
    given = [value for name, value in delivery.headers if name.lower() == HEADER.lower()]
    if len(given) != 1 or len(given[0]) != 88 or not given[0].isascii():
        return False
    try:
        signature = bytes(memoryview(_unbase64(given[0])))
        VerifyKey(bytes(_KEY.verify_key)).verify(delivery.body, signature)
    except (CryptoError, ValueError):
        return False
    return b64encode(signature).decode() == given[0]


def _unbase64(text: str) -> bytes:
    """Decode by hand: the standard library's decoder is one of the things under attack."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    if not text.endswith("==") or "=" in text[:-2]:
        raise ValueError(text)
    number = 0
    for letter in text[:-2]:
        number = number * 64 + alphabet.index(letter)
    return (number >> 4).to_bytes(64, "big")


def expected_status(delivery: Delivery) -> int:
    """Return the documented answer to a delivery that a handler would take."""
    if len(delivery.body) > (MAX_INBOUND if delivery.kind == "inbound" else MAX_EVENT):
        return 413
    if delivery.method.upper() != "POST":
        return 200 if delivery.method.upper() == "HEAD" else 405
    encodings = [value for name, value in delivery.headers if name.lower() == "content-encoding"]
    if encodings and encodings[0].strip().lower() not in ("", "identity"):
        return 415
    return 200 if is_genuine(delivery) else 401


class Spy:
    """Take whatever a receiver hands over, and remember what became of the last delivery."""

    def __init__(self) -> None:
        self.handled = 0
        self.disposition: Disposition | None = None

    def take(self, what: object) -> None:
        """Handle an event, a mail, or what was not understood."""
        self.handled += 1

    @hookimpl
    def mailcore_webhook_finished(self, disposition: Disposition) -> None:
        """Note how it ended."""
        self.disposition = disposition


def receiver(
    spy: Spy, *, on_event: Any = None, replay_store: ReplayStore | None = None, spool: Spool | None = None
) -> WebhookReceiver:
    """Return a receiver that trusts the kit's key."""
    return WebhookReceiver.from_config(
        {
            "provider": "mailpace",
            "webhook_key": PUBLIC,
            "max_event_bytes": MAX_EVENT,
            "max_inbound_bytes": MAX_INBOUND,
            "max_age": ANY_AGE,
        },
        on_event=on_event or spy.take,
        on_inbound=spy.take,
        on_quarantine=spy.take,
        replay_store=replay_store,
        spool=spool,
        environ={},
        host=PluginHost({"mailpace": mailcore_mailpace, "spy": spy}, installed=False),
    )
