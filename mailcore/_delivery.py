"""A webhook delivery on its way: as received, as verified, as answered.

Rule: only core makes a `VerifiedWebhook`, and only a `VerifiedWebhook` can be parsed.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs

from mailcore._form_part import FormPart, read_form
from mailcore._http import Headers, as_headers
from mailcore._strict_json import strict_json
from mailcore._time import require_aware, utc_now

__all__ = [
    "Covers",
    "Disposition",
    "EndpointKind",
    "Verification",
    "VerifiedWebhook",
    "WebhookRequest",
    "WebhookResponse",
]

#: Digits of a length that are read: more than anybody could send.
MAX_DIGITS = 20


class EndpointKind(enum.Enum):
    """What an endpoint is for. Providers treat a failing answer differently by kind."""

    #: Delivery events.
    TRACKING = "tracking"
    #: Mail from the outside.
    INBOUND = "inbound"


class Covers(enum.Enum):
    """What a successful verification proves to be the provider's."""

    #: Every byte of the body.
    BODY = "body"
    #: Some fields of the body.
    FIELDS = "fields"
    #: A token, a timestamp; the body could be anything.
    TOKEN = "token"  # noqa: S105  # reason: a kind of proof, not a credential
    #: Nothing by itself; basic auth must vouch for the sender.
    NOTHING = "nothing"


class Disposition(enum.Enum):
    """What became of a delivery; the adapter maps each to the status its provider needs."""

    #: Verified and handled.
    ACCEPTED = "accepted"
    #: Seen before.
    DUPLICATE = "duplicate"
    #: Genuine, but too old to act on.
    STALE = "stale"
    #: Genuine, not understood, and kept for a person.
    QUARANTINED = "quarantined"
    #: Genuine, but sent to the endpoint of the other kind; kept for a person.
    MISROUTED = "misrouted"
    #: A step of the provider's own protocol, answered.
    HANDSHAKE = "handshake"
    #: A HEAD request that only asks whether the endpoint is there.
    PROBE = "probe"
    #: Not shown to come from the provider.
    UNAUTHENTICATED = "unauthenticated"
    #: Larger than the endpoint allows.
    TOO_LARGE = "too_large"
    #: Neither POST nor HEAD.
    BAD_METHOD = "bad_method"
    #: A compressed body.
    BAD_ENCODING = "bad_encoding"
    #: Genuine, but nobody could keep it; the provider should try again.
    UNAVAILABLE = "unavailable"


def _as_bytes(body: bytes | bytearray | memoryview) -> bytes:
    if isinstance(body, str):
        raise TypeError("A webhook body is bytes, exactly as received; text cannot be verified.")
    return bytes(body)


def length(text: str | None) -> int | None:
    """Return what a `Content-Length` says; None for one that says nothing usable."""
    digits = (text or "").strip()
    return int(digits.lstrip("0")[:MAX_DIGITS] or 0) if digits.isascii() and digits.isdigit() else None


def _upper(method: str) -> str:
    return method.upper()


def _pairs(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(headers)


@attrs.frozen(kw_only=True, slots=False)  # no slots: a dictionary is filled in half the time
class WebhookRequest:
    """
    One delivery, exactly as received.

    Attributes:
        body: The raw bytes, before any parser or middleware touched them.
        received_at: Aware UTC.
        basic_auth: Label of the basic-auth pair core matched, or None. Set by core alone.
    """

    method: str = attrs.field(default="POST", converter=_upper)
    url: str = attrs.field(default="", repr=False)
    headers: Headers = attrs.field(factory=Headers, converter=as_headers)
    body: bytes = attrs.field(default=b"", converter=_as_bytes, repr=lambda body: f"<{len(body)} bytes>")
    received_at: datetime = attrs.field(factory=utc_now, converter=require_aware)
    basic_auth: str | None = None
    _parsed: tuple[Any, ...] = attrs.field(default=(), init=False, eq=False, repr=False)
    _form_parts: tuple[tuple[FormPart, ...], ...] = attrs.field(default=(), init=False, eq=False, repr=False)

    @property
    def announced(self) -> int:
        """How many bytes of body the sender announced (`Content-Length`); 0 where it said nothing usable."""
        return length(self.headers.get("Content-Length")) or 0

    def json(self) -> Any:
        """
        Return the body as strict JSON: UTF-8, no duplicate keys, no NaN, bounded depth.

        It is parsed once; treat the value as read-only.

        Raises:
            InvalidDocument: It is not.
        """
        if not self._parsed:
            object.__setattr__(self, "_parsed", (strict_json(self.body),))
        return self._parsed[0]

    def form_parts(self) -> tuple[FormPart, ...]:
        """
        Return the fields and files of the body, in order, at most 1,000; repeats are kept.

        It is URL-encoded, or `multipart/form-data` where the headers say so, and read once.

        Raises:
            InvalidDocument: It is not such a form, or one that could be read in two ways.
        """
        if not self._form_parts:
            parts = read_form(self.headers.get_all("Content-Type"), self.body)
            object.__setattr__(self, "_form_parts", (parts,))
        return self._form_parts[0]

    def form(self) -> Mapping[str, tuple[str, ...]]:
        """
        Return the fields of a form as text; repeats are kept, and files are left out (`form_parts`).

        Raises:
            InvalidDocument: The body is not such a form, or a field is not UTF-8.
        """
        fields: dict[str, list[str]] = {}
        for part in self.form_parts():
            if part.filename is None:
                fields.setdefault(part.name, []).append(part.strict_text)
        return {name: tuple(values) for name, values in fields.items()}


@attrs.frozen(kw_only=True)
class WebhookResponse:
    """What the endpoint answers."""

    status: int
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    body: bytes = b""


@attrs.frozen(kw_only=True)
class Verification:
    """
    What an adapter proved about a delivery.

    Attributes:
        scheme: Name of the scheme, such as `ed25519` or `basic-auth`.
        covers: What the proof extends to.
        key: Label of the key that matched, never the key.
        signed_at: When the provider signed it (aware UTC), where the scheme says so.
        delivery_id: The provider's id of this delivery, where the scheme has one; it drives the
            replay store.
    """

    scheme: str
    covers: Covers
    key: str = ""
    signed_at: datetime | None = attrs.field(default=None, converter=require_aware)
    delivery_id: str | None = None


@attrs.frozen(kw_only=True)
class VerifiedWebhook:
    """A delivery together with the proof; made by core, and good for a queue (JSON round trip)."""

    request: WebhookRequest
    verification: Verification
