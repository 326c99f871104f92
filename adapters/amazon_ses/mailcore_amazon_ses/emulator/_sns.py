"""Amazon SNS: subscriptions, signed messages, and deliveries that come again.

SNS docs (Parsing message formats; Verifying the signatures; Message delivery retries): a confirmation before
the first notification, three more tries 20 seconds apart after a server's error, and none after a client's.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import attrs

from mailcore import EmulatedDelivery, EndpointKind, HttpRequest
from mailcore_amazon_ses.emulator._records import stamp

__all__ = ["CERTIFICATE_PATH", "Topics", "certificate", "signs"]

CERTIFICATE_PATH = "/SimpleNotificationService-656d756c61746f7200000000000000aa.pem"
TRIES = 4
GAP = timedelta(seconds=20)
_NAMES = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def certificate() -> bytes:
    """Return the certificate; its secret half is beside it, so it proves nothing anywhere else."""
    return (files("mailcore_amazon_ses.emulator") / "certificate.pem").read_bytes()


@cache
def _key() -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # here: it is optional

    return load_pem_private_key((files("mailcore_amazon_ses.emulator") / "key.pem").read_bytes(), None)


def signs() -> bool:
    """Return whether messages can be signed: cryptography is installed."""
    try:
        return _key() is not None
    except ImportError:
        return False


@attrs.define(kw_only=True)
class Waiting:
    """One message on its way to an endpoint."""

    number: int
    kind: EndpointKind
    document: Mapping[str, str]
    due_at: datetime
    tries: int = 0


class Topics:
    """
    The account's topics, one for each kind of endpoint.

    Args:
        confirm: Whether a subscription waits for its confirmation, as it does at SNS.
        version: The signature version of the topics.
    """

    def __init__(self, *, confirm: bool, version: str) -> None:
        self._confirm, self._version = confirm, version
        self.url = "https://sns.us-east-1.amazonaws.com"
        self._urls: dict[EndpointKind, str] = {}
        self._active: set[EndpointKind] = set()
        self._waiting: list[Waiting] = []
        self._in_flight: dict[str, Waiting] = {}
        self.lost: list[Mapping[str, str]] = []
        self._counted = 0

    def arn(self, kind: EndpointKind) -> str:
        """Return the name of a topic."""
        return f"arn:aws:sns:us-east-1:123456789012:mailcore-{kind.value}"

    def subscribe(self, kind: EndpointKind, url: str, now: datetime | None) -> None:
        """Send what is published from now on to `url`, once that is confirmed."""
        self._urls[kind] = url
        if not self._confirm or now is None:
            self._active.add(kind)
            return
        self._active.discard(kind)
        arn, token = self.arn(kind), uuid5(NAMESPACE_URL, url).hex
        self._add(
            kind,
            now,
            Type="SubscriptionConfirmation",
            Token=token,
            Message=f"You have chosen to subscribe to the topic {arn}.",
            SubscribeURL=f"{self.url}/?Action=ConfirmSubscription&TopicArn={arn}&Token={token}",
        )

    def confirm(self, arn: str, token: str) -> bool:
        """Take a confirmation; return whether there was anything to confirm."""
        for kind, url in self._urls.items():
            if (arn, token) == (self.arn(kind), uuid5(NAMESPACE_URL, url).hex):
                self._active.add(kind)
                return True
        return False

    def publish(self, kind: EndpointKind, document: object, subject: str, now: datetime) -> None:
        """Publish a message; who has not subscribed never hears of it."""
        if kind in self._active:
            text = document if isinstance(document, str) else json.dumps(document)
            self._add(kind, now, Type="Notification", Message=text, Subject=subject)

    def _add(self, kind: EndpointKind, now: datetime, **fields: str) -> None:
        self._counted += 1
        document = {
            "MessageId": str(uuid5(NAMESPACE_URL, f"message {self._counted}")),
            "TopicArn": self.arn(kind),
            "Timestamp": stamp(now),
            "SignatureVersion": self._version,
            "SigningCertURL": self.url + CERTIFICATE_PATH,
            **fields,
        }
        self._waiting.append(Waiting(number=self._counted, kind=kind, document=document, due_at=now))

    def due(self, now: datetime) -> Sequence[EmulatedDelivery]:
        """Return the deliveries to be made now."""
        ready = [one for one in self._waiting if one.due_at <= now]
        self._waiting = [one for one in self._waiting if one.due_at > now]
        return [self._hand_out(one) for one in ready]

    def _hand_out(self, one: Waiting) -> EmulatedDelivery:
        one.tries += 1
        delivery_id = f"{one.document['MessageId']}/{one.tries}"
        self._in_flight[delivery_id] = one
        headers = [
            ("x-amz-sns-message-type", one.document["Type"]),
            ("x-amz-sns-message-id", one.document["MessageId"]),
            ("x-amz-sns-topic-arn", one.document["TopicArn"]),
            ("Content-Type", "text/plain; charset=UTF-8"),
            ("User-Agent", "Amazon Simple Notification Service Agent"),
        ]
        body = json.dumps({**one.document, "Signature": _signature(one.document)}).encode()
        request = HttpRequest(
            method="POST", url=self._urls[one.kind], headers=headers, body=body, commits=False
        )
        return EmulatedDelivery(delivery_id=delivery_id, kind=one.kind, request=request)

    def answered(self, delivery_id: str, status: int | None, now: datetime) -> None:
        """Take an endpoint's answer."""
        if delivery_id not in self._in_flight:
            raise ValueError(f"No delivery {delivery_id!r} waits for an answer.")
        one = self._in_flight.pop(delivery_id)
        if status is not None and 200 <= status < 300:
            return
        if (status is not None and 400 <= status < 500) or one.tries == TRIES:
            self.lost.append(one.document)
            return
        one.due_at = now + GAP
        self._waiting.append(one)


def _signature(document: Mapping[str, str]) -> str:
    """Sign a message; without cryptography it goes out unsigned, for an endpoint with basic auth."""
    if not signs():
        return ""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256

    lines = [line for name in _NAMES if name in document for line in (name, document[name])]
    hashed = SHA1() if document["SignatureVersion"] == "1" else SHA256()  # noqa: S303  # reason: SNS's default
    return b64encode(_key().sign(("\n".join(lines) + "\n").encode(), PKCS1v15(), hashed)).decode()
