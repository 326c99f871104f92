"""Adapters whose table of capabilities says one thing, and whose requests say another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reference.json_api import SPEC, JsonAdapter

from gallery import broken
from gallery._changed import Changed, Document, changing, samples_with
from mailcore import (
    Advice,
    Capability,
    Context,
    Idempotency,
    InvalidAttachment,
    Message,
    Support,
    UnsupportedFeature,
)
from mailcore_conformance._probe import PROBES

DOCS = "https://docs.json-api.example/limits"


def without(*capabilities: Capability) -> dict[str, Any]:
    """Return what the JSON reference declares, but for some of it."""
    kept = {name: found for name, found in SPEC.capabilities.items() if name not in capabilities}
    return {"capabilities": kept}


def declaring(capability: Capability, support: Support) -> dict[str, Any]:
    """Return what the JSON reference declares, with one row of its own."""
    return {"capabilities": {**SPEC.capabilities, capability: support}}


# Undeclared, and carried ----------------------------------------------------------------------------


def _add_undeclared(capability: Capability) -> None:
    name = capability.value.partition(".")[2]
    title = name.title().replace("_", "")
    docs = f"Carries `{PROBES[capability].field}`, and does not declare {capability}."
    cls = type(f"Carries{title}Undeclared", (JsonAdapter,), {"__doc__": docs, "__module__": __name__})
    broken(
        f"B11.{name}",
        f"{capability} is declared unsupported, yet",
        spec=without(capability),
    )(cls)


for _capability in PROBES:
    if _capability not in (Capability.REPLY_TO, Capability.ATTACHMENTS):
        _add_undeclared(_capability)


@broken(
    "B11.reply_to",
    "send.reply_to is declared unsupported, yet reply_to is sent: declare it",
    spec=without(Capability.REPLY_TO, Capability.MULTIPLE_REPLY_TO),
)
class CarriesReplyToUndeclared(Changed):
    """Carries one address for answers, and declares none."""

    def change(self, document: Document, message: Message) -> None:
        if not message.html:
            document.update({"reply_to": document["reply_to"][:1]} if message.reply_to else {})


@broken(
    "B11.attachments",
    "send.attachments is declared unsupported, yet attachments is sent: declare it",
    spec=without(Capability.ATTACHMENTS, Capability.INLINE_IMAGES),
)
class CarriesAttachmentsUndeclared(Changed):
    """Carries files, and declares none; images in the HTML of a mail without AMP it does not."""

    def change(self, document: Document, message: Message) -> None:
        for file in document.get("attachments", ()) if not message.amp_html else ():
            file.pop("content_id", None)


def _no_keys(sample: Document) -> None:
    headers = sample.get("request", {}).get("headers", [])
    headers[:] = [pair for pair in headers if pair[0] != "Idempotency-Key"]


@broken(
    "B11.idempotency_key",
    "send.idempotency_key is declared unsupported, yet idempotency_key is sent: declare it",
    spec={**without(Capability.IDEMPOTENCY_KEY), "idempotency": None},
    kit={"folder": samples_with(_no_keys)},
)
class CarriesKeyUndeclared(JsonAdapter):
    """Sends the key of the message, and declares none."""

    def headers(self, message: Message, ctx: Context) -> list[Any]:
        key = [("Idempotency-Key", message.idempotency_key)] if message.idempotency_key else []
        return [*super().headers(message, ctx), *key]


# Limits ---------------------------------------------------------------------------------------------

#: Capability → the field in the payload, and how much of it is taken.
_CUT: Mapping[Capability, tuple[str, int]] = {
    Capability.CC: ("cc", 20),
    Capability.BCC: ("bcc", 20),
    Capability.MULTIPLE_FROM: ("from", 4),
    Capability.MULTIPLE_REPLY_TO: ("reply_to", 4),
    Capability.REFERENCES: ("references", 20),
    Capability.LIST_UNSUBSCRIBE: ("list_unsubscribe", 20),
    Capability.ATTACHMENTS: ("attachments", 9),
    Capability.TAGS: ("tags", 8),
    Capability.HEADERS: ("headers", 20),
    Capability.METADATA: ("metadata", 15),
}


def _add_cut(capability: Capability) -> None:
    name, (field, number) = capability.value.partition(".")[2], _CUT[capability]

    def change(document: Document, message: Message) -> None:
        given = document.get(field, [])
        cut = dict([*given.items()][:number]) if isinstance(given, dict) else given[:number]
        document.update({field: cut} if given else {})

    changing(
        f"B12.{name}",
        "are not in the request",
        f"Cuts{name.title().replace('_', '')}",
        f"Takes {number} items of `{field}`, and declares no such limit.",
        change,
    )


for _capability in _CUT:
    _add_cut(_capability)


@broken("B12.references", "the items stand in the request in another order than given")
class SortsReferences(Changed):
    """Puts a thread in alphabetical order."""

    def change(self, document: Document, message: Message) -> None:
        if len(message.references) > 2:
            document["references"].sort()


@broken("B12.cc", "30 items are refused, and no limit is declared. Correct Support(limit=...)")
class UndeclaredLimit(Changed):
    """Knows a limit, and does not declare it."""

    def change(self, document: Document, message: Message) -> None:
        if len(message.cc) > 20:
            raise UnsupportedFeature("At most 20 copies.", field="cc")


@broken(
    "B12.tags",
    "100 items are refused, and the declared limit is 100",
    spec=declaring(Capability.TAGS, Support(limit=100, url=DOCS)),
)
class BoastsOfTags(Changed):
    """Declares more tags than it takes."""

    def change(self, document: Document, message: Message) -> None:
        if len(message.tags) > 10:
            raise UnsupportedFeature("At most 10 tags.", field="tags")


@broken(
    "B12.multiple_from",
    "one more than the limit of 3 is not refused: a request is made",
    spec=declaring(Capability.MULTIPLE_FROM, Support(limit=3, url=DOCS)),
)
class LimitOfNoEffect(JsonAdapter):
    """Declares a limit that core cannot count, and does not count either."""


@broken(
    "B12.idempotency_key",
    "one of 33 characters is not refused: a request is made",
    spec={
        **declaring(Capability.IDEMPOTENCY_KEY, Support(url=DOCS)),
        "idempotency": Idempotency(ttl=3600, max_length=32, conflict_status=409, per_batch=True),
    },
)
class KeyLengthInOnePlace(JsonAdapter):
    """Says how long a key may be where core does not look for it."""


# Policies -------------------------------------------------------------------------------------------


def _has(name: str) -> Callable[[Message], bool]:
    return lambda message: any(file.filename == name for file in message.attachments)


#: Name of the check → name of the adapter, what it refuses, and what it says.
_POLICIES: Mapping[str, tuple[str, Callable[[Message], bool], str]] = {
    "recipients": ("RefusesMany", lambda message: len(message.to) > 50, "A mail to 60 recipients is refused"),
    "subject": (
        "RefusesLongSubjects",
        lambda message: len(message.subject or "") > 998,
        "A subject of 1,500 characters is refused",
    ),
    "extension": ("RefusesPrograms", _has("setup.exe"), "An attachment called setup.exe is refused"),
    "dots": ("RefusesDots", _has("a.b.c.txt"), "An attachment called a.b.c.txt is refused"),
    "size": (
        "RefusesLargeFiles",
        lambda message: sum(map(len, message.attachments)) > 500_000,
        "An attachment of 1 MB is refused",
    ),
}


def _add_policy(name: str) -> None:
    adapter, breaks, told = _POLICIES[name]

    def change(document: Document, message: Message) -> None:
        if breaks(message):
            raise InvalidAttachment("The provider's policy is against it.", field="to")

    changing(f"B14.{name}", f"{told} by the adapter", adapter, "Takes a policy for a limit.", change)


for _name in _POLICIES:
    _add_policy(_name)


@broken("B14.total", "AttributeError: 'NoneType' object has no attribute 'rpartition'")
class AdvisesOnNames(JsonAdapter):
    """Expects every file to have a name."""

    def advise(self, message: Message) -> Sequence[Advice]:
        names = [file.filename.rpartition(".")[2] for file in message.attachments]
        advice = Advice(code="json.exe", field="attachments", text="No exe.")
        return [*super().advise(message), *(advice for name in names if name == "exe")]


@broken("B14.total", "lacks a code, a text, or a field of Message (field='from')")
class AdvisesOnNoField(JsonAdapter):
    """Names the field as the provider does."""

    def advise(self, message: Message) -> Sequence[Advice]:
        many = [Advice(code="json.many", field="from", text="Too many.")] if len(message.to) > 50 else []
        return [*super().advise(message), *many]


@broken("B14.total", "advise returns str")
class AdvisesInWords(JsonAdapter):
    """Gives its advice as mere text."""

    def advise(self, message: Message) -> Any:
        return super().advise(message) if message.to else ["Give an address in 'to'."]
