"""Adapters that misread what deliveries say of sent mail."""

from __future__ import annotations

import atexit
import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
from reference.json_api import KIT, SPEC, TIMESTAMP, JsonAdapter, digest, identifier, table, text

from gallery import broken
from mailcore import (
    BounceClass,
    EndpointKind,
    EventType,
    InvalidDocument,
    TrackingEvent,
    VerifiedWebhook,
    parse_timestamp,
)

__all__ = ["CampaignEvent", "kit_without"]


def kit_without(*samples: str) -> Mapping[str, Any]:
    """Return what changes in the kit when some samples of webhooks are not there."""
    folder = TemporaryDirectory(prefix="kit-")
    atexit.register(folder.cleanup)  # it is there for as long as the gallery is
    ignored = shutil.ignore_patterns(*(f"{name}.json" for name in samples))
    shutil.copytree(KIT.folder, Path(folder.name) / "kit", ignore=ignored)
    return {"folder": Path(folder.name) / "kit"}


# Samples, kinds and ids -----------------------------------------------------------------------------


@broken("W10", "`event_type` is 'delivered' instead of 'bounced'")
class CallsABounceDelivered(JsonAdapter):
    """Has the two kinds mixed up that matter most."""

    def event_type(self, fields: Mapping[str, Any]) -> EventType:
        found = super().event_type(fields)
        return EventType.DELIVERED if found is EventType.BOUNCED else found


@broken("W10", "`bounce_class` is 'hard' instead of 'soft'")
class CallsEveryBounceHard(JsonAdapter):
    """Has one class for what bounced: an address that is full for a day is given up."""

    def event(self, element: Any) -> TrackingEvent:
        found = super().event(element)
        return attrs.evolve(found, bounce_class=found.bounce_class and BounceClass.HARD)


@broken("W10", "no event is about that mail")
class KnowsTheMailsByHeart(JsonAdapter):
    """Looks the mail up by the event's id instead of reading which it is."""

    def event(self, element: Any) -> TrackingEvent:
        found, own = super().event(element), table(element).get("id")
        return attrs.evolve(found, message_id=f"m-{own[2:]}") if isinstance(own, str) else found


@broken("W11", "The event is lost")
class RefusesKindsWithADot(JsonAdapter):
    """Takes a kind of a new form for another provider's delivery."""

    def event_type(self, fields: Mapping[str, Any]) -> EventType:
        if "." in text(fields.get("type")):
            raise InvalidDocument("That is no kind of event.")
        return super().event_type(fields)


@broken("W11", "The event is of type clicked")
class GuessesByTheFirstLetter(JsonAdapter):
    """Takes a kind it does not know for one that begins alike."""

    def event_type(self, fields: Mapping[str, Any]) -> EventType:
        found = super().event_type(fields)
        guessed = text(fields.get("type")).lower().startswith("conf")
        return EventType.CLICKED if guessed and found is EventType.UNKNOWN else found


@broken("W11", "The provider's word becomes 'conformance.unheard-of'")
class LowersTheProvidersWord(JsonAdapter):
    """Writes the provider's kind in lower case."""

    def event(self, element: Any) -> TrackingEvent:
        found = super().event(element)
        return attrs.evolve(found, provider_event=found.provider_event.lower())


@broken("W11", "No sample is of an event nobody documented", kit=kit_without("unknown-event"))
class ShowsNoUnknownEvent(JsonAdapter):
    """Comes with samples of documented events alone."""


@broken(
    "W12.types",
    "Samples show what is not declared: opened.",
    spec={"event_types": SPEC.event_types - {EventType.OPENED}},
)
class HidesThatMailWasOpened(JsonAdapter):
    """Does not declare one of the types it reports."""


@broken("W12.types", "No sample shows what is declared: clicked.", kit=kit_without("clicked"))
class ShowsNoClick(JsonAdapter):
    """Declares a type that no sample shows."""


@broken(
    "W12.unknown_declared",
    "`event_types` does not hold unknown",
    spec={"event_types": SPEC.event_types - {EventType.UNKNOWN}},
)
class HidesTheUnknown(JsonAdapter):
    """Does not declare that there may be kinds it does not know."""


@broken("W13", "and an event about '")
class MarksNumbersThatAreText(JsonAdapter):
    """Writes an id of digits alone in another way than sending does."""

    def event(self, element: Any) -> TrackingEvent:
        found, given = super().event(element), table(element).get("message")
        digits = isinstance(given, str) and given.isdigit()
        return attrs.evolve(found, message_id=f"#{given}") if digits else found


# Identity -------------------------------------------------------------------------------------------


@broken("W14", "has other event ids when it comes again")
class MakesIdsOfTheSignature(JsonAdapter):
    """Lets the time of the signature be part of an id that the provider does not send."""

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        when = webhook.request.headers.get(TIMESTAMP, "")
        return [
            event
            if identifier(table(event.raw).get("id")) or not event.recipients
            else attrs.evolve(event, event_id=f"{event.event_id}-{when}")
            for event in super().parse_events(webhook)
        ]


@broken("W14", "has other event ids when it comes again")
class MakesIdsOfTheHour(JsonAdapter):
    """Lets the time of receipt be part of an id that the provider does not send."""

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        when = webhook.request.received_at.isoformat()
        return [
            event
            if identifier(table(event.raw).get("id")) or not event.recipients
            else attrs.evolve(event, event_id=digest([event.event_id, when]))
            for event in super().parse_events(webhook)
        ]


@broken("W15", "Two long ids of the provider that differ at the end become one")
class CutsIds(JsonAdapter):
    """Keeps as much of an id as a column of its database holds."""

    def event_id(self, element: Any) -> str:
        return super().event_id(element)[:40] if "id" in table(element) else super().event_id(element)


def _forgetful(key: str) -> type[JsonAdapter]:
    def event_id(self: JsonAdapter, element: Any) -> str:
        fields = table(element)
        if identifier(fields.get("id")) or not isinstance(fields.get("recipient"), str):
            return JsonAdapter.event_id(self, element)
        return digest({name: value for name, value in fields.items() if name != key})

    doc = f"Leaves `{key}` out of the id it makes where the provider sends none."
    return type(f"MakesIdsWithout{key.title()}", (JsonAdapter,), {"event_id": event_id, "__doc__": doc,
                                                                "__module__": __name__})  # fmt: skip


for _aspect, _key in {"kind": "type", "time": "at", "mail": "message", "recipient": "recipient"}.items():
    broken(f"W15.{_aspect}", "have the same event_id")(_forgetful(_key))


# Odd payloads ---------------------------------------------------------------------------------------


@broken("W16.nulls", "With `events[0].url` replaced by None: The adapter raised AttributeError")
class StripsALinkThatIsNull(JsonAdapter):
    """Thinks of a key that is not there, and not of one that is null."""

    def event(self, element: Any) -> TrackingEvent:
        link = table(element).get("url", "")
        if isinstance(link, str | None):
            link.strip()
        return super().event(element)


@broken("W16.types", "replaced by 7: The adapter raised AttributeError")
class StripsADescriptionOfAnyType(JsonAdapter):
    """Thinks of a value that is not there, and not of one of another type."""

    def event(self, element: Any) -> TrackingEvent:
        (table(element).get("description") or "").strip()
        return super().event(element)


@broken("W16.types", "the event is lost, or is about another mail")
class RefusesADescriptionOfAnotherType(JsonAdapter):
    """Refuses an event for a field that nobody needs."""

    def event(self, element: Any) -> TrackingEvent:
        if not isinstance(table(element).get("description"), str | None):
            raise InvalidDocument("The description is no text.")
        return super().event(element)


@broken("W16.missing", "With `events[0].metadata` left out: The adapter raised KeyError")
class NeedsMetadata(JsonAdapter):
    """Reads an optional key as if it were always there."""

    def event(self, element: Any) -> TrackingEvent:
        fields = table(element)
        return attrs.evolve(super().event(element), metadata=table(fields and fields["metadata"]))


DOCUMENTED = {
    *("id", "type", "at", "message", "rfc_message_id", "recipient", "tags", "metadata"),
    *("reason", "bounce", "mta", "description", "user_agent", "url"),
}


@broken("W16.extra", "is another event")
class RefusesUndocumentedKeys(JsonAdapter):
    """Refuses an event with a key that the documentation does not have."""

    def event(self, element: Any) -> TrackingEvent:
        if table(element).keys() - DOCUMENTED:
            raise InvalidDocument("There is a key nobody documented.")
        return super().event(element)


# Fields ---------------------------------------------------------------------------------------------


@broken("W17.recipients", "becomes 'boss@example.com'")
class FindsTheFirstAddressInAText(JsonAdapter):
    """Searches a recipient for anything that looks like an address."""

    def event(self, element: Any) -> TrackingEvent:
        said = text(table(element).get("recipient"))
        found = re.search(r"[\w.+-]+@[\w.-]+\w", said) if "<" in said else None
        event = super().event(element)
        return attrs.evolve(event, recipients=[found[0]], scope="recipient") if found else event


@broken("W17.scope", "has the scope 'recipient'")
class SpeaksOfNobody(JsonAdapter):
    """Keeps the scope where the recipient is null or not there."""

    def event(self, element: Any) -> TrackingEvent:
        known = table(element).get("recipient") is not None
        return super().event(element) if known else attrs.evolve(super().event(element), scope="recipient")


@broken("W17.provider_event", "has 'bounced' for `provider_event`")
class NamesTheKindAfterItsFields(JsonAdapter):
    """Takes whatever bounced hard for a bounce."""

    def event(self, element: Any) -> TrackingEvent:
        found = super().event(element)
        hard = table(element).get("bounce") == "hard" and found.event_type is not EventType.UNKNOWN
        return attrs.evolve(found, provider_event="bounced") if hard else found


@broken("W17.raw", "`raw` is no part of the delivery")
class KeepsNoRawPart(JsonAdapter):
    """Throws the element away once it is read."""

    def event(self, element: Any) -> TrackingEvent:
        found = super().event(element)
        return attrs.evolve(found, raw=None) if found.recipients else found


@attrs.frozen(kw_only=True)
class CampaignEvent(TrackingEvent):
    """An event with a field of its own."""

    campaign: str = ""


@broken("W17.json", "it has no way through JSON and back")
class AddsAFieldToEvents(JsonAdapter):
    """Hands over events of a class of its own, which nobody else can read back."""

    def event(self, element: Any) -> TrackingEvent:
        found = super().event(element)
        given = [field.name for field in attrs.fields(TrackingEvent) if field.init]
        return CampaignEvent(**{name: getattr(found, name) for name in given})


@broken("W17.types", "`description` is 7, which is no text")
class PassesADescriptionOfAnyTypeOn(JsonAdapter):
    """Hands a number over where text was promised."""

    def event(self, element: Any) -> TrackingEvent:
        said = table(element).get("description") or ""
        return attrs.evolve(super().event(element), description=said)


@broken("W17.recipient", "names ('fresh.person+tag@sub.example.net',)")
class LowersRecipients(JsonAdapter):
    """Writes addresses in lower case, as if the part before the @ were ours to change."""

    def event(self, element: Any) -> TrackingEvent:
        found = super().event(element)
        return attrs.evolve(found, recipients=[one.lower() for one in found.recipients])


# Batches --------------------------------------------------------------------------------------------


@broken("W18", "Only 1 come out")
class DropsWhatIsNoEvent(JsonAdapter):
    """Leaves out an element of a batch without a word."""

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        return [event for event in super().parse_events(webhook) if isinstance(event.raw, dict)]


@broken("W18", "All of them are lost")
class RefusesTheWholeBatch(JsonAdapter):
    """Refuses all events for one that makes no sense."""

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        if not all(isinstance(one, dict) for one in webhook.request.json()["events"]):
            raise InvalidDocument("There is something else among the events.")
        return super().parse_events(webhook)


@broken("W18.empty", "Of a list without events, the adapter makes 1", kit=kit_without("no-events"))
class AlwaysFindsAnEvent(JsonAdapter):
    """Makes an event of a list that holds none."""

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        return super().parse_events(webhook) or [self.event({})]


# Unknown shapes -------------------------------------------------------------------------------------


def _gullible(name: str, is_odd: Callable[[bytes], bool]) -> type[JsonAdapter]:
    def webhook_kind(self: JsonAdapter, webhook: VerifiedWebhook) -> EndpointKind | None:
        if is_odd(webhook.request.body):
            return EndpointKind.TRACKING
        return JsonAdapter.webhook_kind(self, webhook)

    def parse_events(self: JsonAdapter, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        return [] if is_odd(webhook.request.body) else JsonAdapter.parse_events(self, webhook)

    methods = {"webhook_kind": webhook_kind, "parse_events": parse_events, "__module__": __name__}
    doc = "Takes a delivery of an unknown shape for one without events."
    return type(f"Swallows{name}", (JsonAdapter,), {**methods, "__doc__": doc})


def _is_json(body: bytes, *, encoding: str) -> bool:
    try:
        return isinstance(json.loads(body.decode(encoding)), dict)
    except ValueError:
        return False


_ODD: Mapping[str, tuple[str, Callable[[bytes], bool]]] = {
    "object": ("AnEmptyObject", lambda body: body == b"{}"),
    "list": ("AnEmptyList", lambda body: body == b"[]"),
    "scalar": ("ALoneValue", lambda body: body in (b"7", b"null")),
    "garbage": ("Html", lambda body: body.startswith(b"<")),
    "empty": ("AnEmptyBody", lambda body: not body),
    "encoding": ("Utf16", lambda body: _is_json(body, encoding="utf-16")),
    "deep": ("DeepLists", lambda body: body.startswith(b"[[[[")),
    "duplicate_keys": ("TheSameKeyTwice", lambda body: body.count(b'"events":') == 2),
}

for _shape, (_name, _is_odd) in _ODD.items():
    broken(f"W19.{_shape}", "instead of refusing it")(_gullible(_name, _is_odd))


# Tags, metadata, times, texts -----------------------------------------------------------------------


@broken("W40", "the event has ('None',)")
class MakesTextOfEveryTag(JsonAdapter):
    """Turns whatever stands among the tags into text."""

    def event(self, element: Any) -> TrackingEvent:
        given = table(element).get("tags")
        tags = [str(tag) for tag in given] if isinstance(given, list) else ()
        return attrs.evolve(super().event(element), tags=tags)


@broken("W40.metadata", "Metadata of True comes back as 'True'")
class MakesTextOfTrue(JsonAdapter):
    """Turns truth values of metadata into text."""

    def event(self, element: Any) -> TrackingEvent:
        found = super().event(element)
        kept = {name: str(one) if one is True else one for name, one in found.metadata.items()}
        return attrs.evolve(found, metadata=kept)


@broken("W41", "The adapter raised ValueError")
class RaisesAtADayThatIsNone(JsonAdapter):
    """Reads a time of the right form without thinking of a month of 31 days too many."""

    def event(self, element: Any) -> TrackingEvent:
        said = text(table(element).get("at"))
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z", said):
            datetime.fromisoformat(said)
        return super().event(element)


@broken("W41", "the event has 1970-01-01T00:00:00+00:00")
class MakesATimeUp(JsonAdapter):
    """Puts the beginning of all times where it cannot read one."""

    def event(self, element: Any) -> TrackingEvent:
        found = super().event(element)
        unread = found.timestamp is None and text(table(element).get("at"))[:1].isdigit()
        return attrs.evolve(found, timestamp=datetime.fromtimestamp(0, UTC)) if unread else found


@broken("W41.offset", "The time 2030-01-02T08:34")
class ForgetsTheZone(JsonAdapter):
    """Cuts the offset off a time east of Greenwich."""

    def event(self, element: Any) -> TrackingEvent:
        said = re.sub(r"\+[0-9:]{5}$", "Z", text(table(element).get("at")))
        return attrs.evolve(super().event(element), timestamp=parse_timestamp(said))


@broken("W42.controls", "The adapter raised ValueError")
class RaisesAtControlCharacters(JsonAdapter):
    """Refuses what a terminal could not show."""

    def event(self, element: Any) -> TrackingEvent:
        if not text(table(element).get("mta")).isprintable():
            raise ValueError("The server's answer cannot be shown.")
        return super().event(element)


@broken("W42.surrogates", "a field has a character that no database can hold")
class MendsNothingButNul(JsonAdapter):
    """Reads events with a parser that lets halves of surrogate pairs through."""

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        document = json.loads(webhook.request.body.replace(b"\\u0000", b"?"))
        return [self.event(element) for element in document["events"]]


@broken("W42.long", "the event is lost")
class RefusesLongAnswers(JsonAdapter):
    """Refuses an event because a server was talkative."""

    def event(self, element: Any) -> TrackingEvent:
        if len(text(table(element).get("mta"))) > 2_000:
            raise InvalidDocument("The server's answer is too long.")
        return super().event(element)
