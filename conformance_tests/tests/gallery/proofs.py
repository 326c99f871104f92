"""Adapters that are wrong about the time of a signature, its key, or what verifying may do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
from reference.json_api import JsonAdapter
from reference.json_kit import SPEC, JsonOptions
from reference.json_values import TIMESTAMP

from gallery import broken
from gallery.signatures import Proof
from mailcore import (
    Adapter,
    Capability,
    Context,
    Covers,
    Secret,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
    about,
)

# The time -------------------------------------------------------------------------------------------


@broken("W08.old", "is handled")
class TakesOldForNew(JsonAdapter):
    """A time long ago becomes now."""

    def check_time(self, request: WebhookRequest, ctx: Context) -> datetime:
        signed_at = datetime.fromtimestamp(int(self.header(request, TIMESTAMP)), UTC)
        return ctx.now if ctx.now - signed_at > timedelta(minutes=5) else super().check_time(request, ctx)


@broken("W08.future", "is handled")
class LooksBackOnly(JsonAdapter):
    """A time in the future is never too far away."""

    def check_time(self, request: WebhookRequest, ctx: Context) -> datetime:
        signed_at = datetime.fromtimestamp(int(self.header(request, TIMESTAMP)), UTC)
        return signed_at if signed_at > ctx.now else super().check_time(request, ctx)


@broken("W08.within", "+10 s from now")
class TrustsItsOwnClock(JsonAdapter):
    """A provider whose clock is ahead of ours is a forger."""

    def check_time(self, request: WebhookRequest, ctx: Context) -> datetime:
        signed_at = super().check_time(request, ctx)
        if signed_at > ctx.now:
            raise WebhookRejected("It comes from the future.")
        return signed_at


@broken("W08.within", "-60 s from now")
class IsInAHurry(JsonAdapter):
    """A delivery may take no more than half a minute."""

    def check_time(self, request: WebhookRequest, ctx: Context) -> datetime:
        signed_at = super().check_time(request, ctx)
        if ctx.now - signed_at > timedelta(seconds=30):
            raise WebhookRejected("It is late.")
        return signed_at


@broken("W08.signed-at", "Verification.signed_at is 2030-01-02T04:04:00")
class IsInAnotherTimeZone(JsonAdapter):
    """The time is read as if it were of the next time zone."""

    def check_time(self, request: WebhookRequest, ctx: Context) -> datetime:
        return super().check_time(request, ctx) + timedelta(hours=1)


@broken("W08.signed-at", "is not set")
class KeepsTheTimeToItself(JsonAdapter):
    """The time is checked and not passed on."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        found = super().verify_webhook(request, ctx)
        return found if isinstance(found, WebhookResponse) else attrs.evolve(found, signed_at=None)


def timed(request: WebhookRequest, text: str) -> WebhookRequest:
    """Return the delivery with another time."""
    kept = [pair for pair in request.headers.pairs if pair[0].lower() != TIMESTAMP.lower()]
    return attrs.evolve(request, headers=[*kept, (TIMESTAMP, text)])


@broken("W08.missing", "header x-json-timestamp is missing")
class TakesNoTimeForNow(JsonAdapter):
    """A time that is missing is now."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        if TIMESTAMP not in request.headers:
            request = timed(request, str(int(ctx.now.timestamp())))
        return super().verify_webhook(request, ctx)


@broken("W08.garbage", "ValueError")
class ConvertsTheTimeFirst(JsonAdapter):
    """The time is made a number of before anything else."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        int(request.headers.get(TIMESTAMP, "0"))
        return super().verify_webhook(request, ctx)


@broken("W08.tampered", "is spelt otherwise")
class VerifiesTheNumber(JsonAdapter):
    """Leading zeros of the time are taken off before it is verified."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        given = request.headers.get(TIMESTAMP, "")
        return super().verify_webhook(timed(request, given.lstrip("0")) if given[:1] == "0" else request, ctx)


@broken("W08.tampered", "is +60 s off")
class AllowsForDrift(JsonAdapter):
    """Where a signature does not fit, a time a minute earlier is tried."""

    def signature_ok(self, request: WebhookRequest) -> str | None:
        earlier = str(int(self.header(request, TIMESTAMP)) - 60)
        return super().signature_ok(request) or super().signature_ok(timed(request, earlier))


# Keys and passwords ---------------------------------------------------------------------------------


@broken("W07", "another key")
class TrustsItsMaker(JsonAdapter):
    """One more key is trusted, which is in the code."""

    def keys(self) -> Sequence[Secret]:
        return [*super().keys(), Secret("reference-key-1")] if super().keys() else ()


@broken("W09.second", "key 2 of the 3")
class KnowsNewestAndOldest(JsonAdapter):
    """Of several keys, the first and the last are trusted."""

    def keys(self) -> Sequence[Secret]:
        return super().keys()[:: max(1, len(super().keys()) - 1)]


@broken("W09.order", "key 1 of the 2")
class ExpectsKeysInOrder(JsonAdapter):
    """A key that stands before one that is earlier in the alphabet is passed over."""

    def keys(self) -> Sequence[Secret]:
        keys = super().keys()
        return keys[1:] if len(keys) > 1 and keys[1].reveal() < keys[0].reveal() else keys


@broken("W09.dropped", "no longer configured")
class NeverForgetsAKey(JsonAdapter):
    """The first key there ever was is trusted for good."""

    def keys(self) -> Sequence[Secret]:
        return [*super().keys(), Secret("reference-key-0")] if super().keys() else ()


class Relabelled(JsonAdapter):
    """Says something else of what it proved by a key."""

    def changes(self) -> dict[str, Any]:
        """Return what is said otherwise."""
        return {}

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        """Verify, and say something else of it."""
        found = super().verify_webhook(request, ctx)
        return (
            attrs.evolve(found, **self.changes())
            if self.keys() and not isinstance(found, WebhookResponse)
            else found
        )


@broken("W33", "Verification.key holds the key")
class LabelIsTheKey(Relabelled):
    """The label of the key is the key."""

    def changes(self) -> dict[str, Any]:
        return {"key": self.keys()[0].reveal()}


@broken("W33", "a part of it")
class LabelIsTheKeysBeginning(Relabelled):
    """The label is the first eight letters of the key."""

    def changes(self) -> dict[str, Any]:
        return {"key": self.keys()[0].reveal()[:8]}


@broken("W33", "Verification.scheme is empty")
class NamesNoScheme(Relabelled):
    """The scheme has no name."""

    def changes(self) -> dict[str, Any]:
        return {"scheme": ""}


@broken("W33", "Verification.key is empty")
class NamesNoKey(Relabelled):
    """The key has no label."""

    def changes(self) -> dict[str, Any]:
        return {"key": ""}


@broken("W33", "webhook_covers says body")
class SaysTwoThings(Relabelled):
    """Less is covered than announced."""

    def changes(self) -> dict[str, Any]:
        return {"covers": Covers.FIELDS}


@broken("W34.none", "neither a key nor basic auth")
class AlwaysClaimsAProof(JsonAdapter):
    """The body counts as covered even where there is no key."""

    webhook_covers = Covers.BODY  # type: ignore[assignment]  # reason: the mistake


@attrs.frozen(kw_only=True)
class UnmarkedOptions(JsonOptions):
    """Settings that do not say what the key is needed for."""

    webhook_key: Any = attrs.field(
        default=None,
        converter=attrs.fields(JsonOptions).webhook_key.converter,
        metadata=about("Key (or keys) that sign webhooks."),
    )


@broken(
    "W34.none", "does not name the option webhook_key", spec={"options": "gallery.proofs:UnmarkedOptions"}
)
class DoesNotSayWhatIsMissing(JsonAdapter):
    """The key is not marked as needed to receive."""


@broken("W34.both", "without a signature is not refused")
class TakesEitherProof(JsonAdapter):
    """Where basic auth matched, the signature is not looked at."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        if request.basic_auth is not None:
            return Adapter.verify_webhook(self, request, ctx)
        return super().verify_webhook(request, ctx)


HIDDEN = (Capability.WEBHOOK_SIGNATURE, Capability.WEBHOOK_REPLAY_WINDOW)
SHOWN = {name: found for name, found in SPEC.capabilities.items() if name not in HIDDEN}


@broken("W39", "webhook.signature is not declared", spec={"capabilities": SHOWN})
class HidesItsSignatures(JsonAdapter):
    """It verifies, and does not declare it."""
