"""The capability table against what the adapter does, both ways.

Rule: the table is the only thing users and core know. What it denies must not be sent, what it limits must
go out up to the limit, and what a provider may forbid is advice, never a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from mailcore import Advice, Attachment, Capability, MailcoreError, Message, UnsupportedFeature
from mailcore_conformance._check import (
    Failed,
    check,
    not_applicable_unless,
    require,
    require_none,
)
from mailcore_conformance._probe import PROBES, Probe, base, new_tag
from mailcore_conformance._subject import Sent, Subject
from mailcore_conformance._wire import Wire
from mailcore_conformance.requests._message_samples import misadvised, unrefused
from mailcore_conformance.requests._reading import built, mail, masked, name_of

#: Items that any list takes where no limit is declared.
GENEROUS = 30
#: The same, of lists of which nobody needs many.
FEW: Mapping[Capability, int] = {
    Capability.ATTACHMENTS: 10,
    Capability.MULTIPLE_FROM: 5,
    Capability.MULTIPLE_REPLY_TO: 5,
}
#: Fields whose items have no order.
UNORDERED = frozenset({"headers", "metadata"})
#: More than this many items cost time and prove nothing more.
MAX_ITEMS = 1000
MAX_KEY = 4000


def _refused(sent: Sent, subject: Subject, what: str) -> None:
    """Require that a send ended in a clear refusal, with nothing sent."""
    error = sent.error
    require(not sent.requests, f"{what} is not refused: a request is made.")
    if not isinstance(error, UnsupportedFeature):
        raise Failed(f"{what} is not refused with UnsupportedFeature, but {type(error).__name__}.")
    known = error.field in attrs.fields_dict(Message)
    require(known and error.provider == subject.spec.name, f"{what} is refused without field and provider.")


# Undeclared -----------------------------------------------------------------------------------------


def _stays_out(probe: Probe) -> Callable[[Subject], None]:
    capability, field = probe.capability, probe.field

    def run(subject: Subject) -> None:
        not_applicable_unless(not subject.can(capability), f"{capability} is declared.")
        tag = new_tag()
        message = probe.message(tag)
        _refused(subject.send(message), subject, f"{field}, which {capability} is about,")
        wire = built(subject, message)
        carried = wire is not None and _carries(subject, probe, tag, wire)
        what = f"more than one address in {field}" if probe.traces else field
        require(not carried, f"{capability} is declared unsupported, yet {what} is sent: declare it.")

    return run


def _carries(subject: Subject, probe: Probe, tag: str, wire: Wire) -> bool:
    traces = (probe.traces or probe.marks)(tag)
    if traces:
        return any(map(wire.find, traces))
    return wire.pieces != subject.wire(mail(tag)).pieces


for _probe in PROBES.values():
    check(
        f"B11.{name_of(_probe.capability)}",
        f"Undeclared, `{_probe.field}` is refused and never sent ({_probe.capability}).",
        why="Users choose providers by the table: what works and is not declared is refused to them.",
        fix=f"Declare {_probe.capability}, or leave `message.{_probe.field}` "
        f"{'but its first address ' if _probe.traces else ''}out of the payload.",
    )(_stays_out(_probe))


@check(
    "B11.idempotency_key",
    "Undeclared, a key is refused and never sent (send.idempotency_key).",
    why="A user who passes a key counts on it: taken and ignored, a repeated request sends the mail twice.",
    fix="Declare send.idempotency_key and `AdapterSpec.idempotency`, or do not send `idempotency_key`.",
)
def undeclared_key(subject: Subject) -> None:
    """Give the message a key; an adapter uses the context's alone, and there is none."""
    capability = Capability.IDEMPOTENCY_KEY
    not_applicable_unless(not subject.can(capability), f"{capability} is declared.")
    tag = new_tag()
    message = mail(tag, idempotency_key=f"key-{tag}")
    _refused(subject.send(message), subject, "idempotency_key")
    wire = built(subject, message, idempotency_key=None)
    carried = wire is not None and wire.find(f"key-{tag}")
    require(not carried, f"{capability} is declared unsupported, yet idempotency_key is sent: declare it.")


@check(
    "B11.samples",
    "What the provider cannot say is refused as each sample says, before any request.",
    why="Whoever calls `send` learns from the field and the text what to change; a request costs an answer.",
    fix="Raise `UnsupportedFeature(text, field=..., provider=...)` before the first request of the flow.",
)
def refused_samples(subject: Subject) -> None:
    """Send each sample message that cannot be said."""
    require_none(unrefused(subject))


# Limits ---------------------------------------------------------------------------------------------


def _goes_up_to_the_limit(probe: Probe) -> Callable[[Subject], None]:
    def run(subject: Subject) -> None:
        needs = " and ".join(map(str, probe.needs))
        not_applicable_unless(probe.applies(subject), f"{probe.capability} needs {needs}.")
        limit, tag = subject.limit(probe.capability), new_tag()
        number = min(FEW.get(probe.capability, GENEROUS) if limit is None else limit, MAX_ITEMS)
        _arrive(subject, probe, tag, number, limit)
        if limit is not None and limit < MAX_ITEMS:
            sent = subject.send(_several(probe, tag, limit + 1))
            _refused(sent, subject, f"{probe.field}: one more than the limit of {limit}")

    return run


def _arrive(subject: Subject, probe: Probe, tag: str, number: int, limit: int | None) -> None:
    wire = built(subject, _several(probe, tag, number))
    if wire is None:
        declared = "no limit is declared" if limit is None else f"the declared limit is {limit}"
        raise Failed(
            f"{probe.field}: {number} items are refused, and {declared}. Correct Support(limit=...)."
        )
    places = [wire.place(item) for item in probe.items(tag, number)]
    lost = places.count(-1)
    require(not lost, f"{probe.field}: of {number} items, {lost} are not in the request.")
    ordered = probe.field in UNORDERED or places == sorted(places)
    require(ordered, f"{probe.field}: the items stand in the request in another order than given.")


def _several(probe: Probe, tag: str, number: int) -> Message:
    fields = probe.many(tag, number) if probe.many else {}
    return Message(**{**base(tag), **fields})


for _probe in PROBES.values():
    # What one address cannot be without is told by the capability for several.
    if _probe.many and _probe.capability is not Capability.REPLY_TO:
        check(
            f"B12.{name_of(_probe.capability)}",
            f"`{_probe.field}` goes out up to the declared limit, and not beyond ({_probe.capability}).",
            why="What is cut off is lost without a word; what is refused without need cannot be sent at all.",
            fix=f"Pass on all of `message.{_probe.field}`, in order, and declare what the API cannot carry.",
            capability=_probe.capability,
        )(_goes_up_to_the_limit(_probe))


@check(
    "B12.idempotency_key",
    "A key that is longer than the provider takes is refused.",
    why="Two keys that are cut to one make the provider take two mails for the same, and drop the second.",
    fix="Declare the length in both places: Support(limit=...), and Idempotency(max_length=...).",
    capability=Capability.IDEMPOTENCY_KEY,
)
def key_length(subject: Subject) -> None:
    """Send a key that is one character longer than what is declared, in either place."""
    promise = subject.spec.idempotency
    limits = [subject.limit(Capability.IDEMPOTENCY_KEY), promise.max_length if promise else None]
    length = min((limit for limit in limits if limit is not None), default=None)
    if length is not None and length < MAX_KEY:
        sent = subject.send(mail(new_tag(), idempotency_key="k" * (length + 1)))
        _refused(sent, subject, f"idempotency_key: one of {length + 1} characters")


# Advice ---------------------------------------------------------------------------------------------


def _goes_out(fields: Callable[[str], Mapping[str, Any]], what: str) -> Callable[[Subject], None]:
    def run(subject: Subject) -> None:
        message = mail(new_tag(), **fields(new_tag()))
        try:
            subject.request(message)
        except MailcoreError as error:
            told = masked(f"{type(error).__name__}: {error}")
            raise Failed(f"{what} is refused by the adapter ({told}).") from None
        sent = subject.send(message, on_advice="warn")
        require(sent.requests, f"{what} is not sent by a mailer with default settings.")

    return run


def _file(name: str, size: int = 3) -> Callable[[str], Mapping[str, Any]]:
    return lambda _: {"attachments": [Attachment(content=b"x" * size, filename=name)]}


#: Name, what it is, the fields, and the capability without which there is no such message.
_ODD: Sequence[tuple[str, str, Callable[[str], Mapping[str, Any]], Capability | None]] = (
    (
        "recipients",
        "A mail to 60 recipients",
        lambda tag: {"to": [f"to-{number}-{tag}@example.com" for number in range(60)]},
        None,
    ),
    ("subject", "A subject of 1,500 characters", lambda _: {"subject": "long words " * 136 + "end."}, None),
    ("extension", "An attachment called setup.exe", _file("setup.exe"), Capability.ATTACHMENTS),
    ("dots", "An attachment called a.b.c.txt", _file("a.b.c.txt"), Capability.ATTACHMENTS),
    ("size", "An attachment of 1 MB", _file("large.bin", 1_000_000), Capability.ATTACHMENTS),
)

for _name, _what, _fields, _capability in _ODD:
    check(
        f"B14.{_name}",
        f"{_what} may break a policy, and is sent all the same.",
        why="Policies differ between plans and change: a provider that would take it is not asked.",
        fix="Return Advice from `advise` instead of raising in build_send; the provider has the last word.",
        capability=_capability,
    )(_goes_out(_fields, _what))


def _kinds() -> list[Message]:
    """Return messages that are odd in the ways an adviser may stumble over."""
    tag = new_tag()
    names = (None, "noext", ".hidden", "a.b.c", "UPPER.EXE", "ünï.çö", ".", "x" * 300)
    files = [Attachment(content=b"", filename=name) for name in names]
    messages = [mail(tag, **fields(tag)) for _, _, fields, _ in _ODD]
    messages += [mail(tag, attachments=files), mail(tag, text=None, attachments=files[:1])]
    messages += [mail(tag, to=None, cc=f"cc-{tag}@example.com"), mail(tag, subject=None, text="x")]
    return messages + [probe.message(tag) for probe in PROBES.values()]


@check(
    "B14.total",
    "Advice is given on any message, and says what it is about.",
    why="Advice without code, field and text can neither be filtered nor acted on; raised, it is lost.",
    fix="Return Advice(code=..., field='to', text=...) values, and expect any field to be absent.",
)
def advice(subject: Subject) -> None:
    """Ask for advice on many kinds of messages."""
    adapter = subject.adapter()
    fields = attrs.fields_dict(Message)
    found = [one for message in _kinds() for one in adapter.advise(message.resolve())]
    require_none(f"advise returns {type(one).__name__}." for one in found if not isinstance(one, Advice))
    require_none(
        f"The advice {one.code!r} lacks a code, a text, or a field of Message (field={one.field!r})."
        for one in found
        if not (one.code and one.text and one.field in fields)
    )


@check(
    "B14.samples",
    "Each sample message gets exactly the advice it names, on both sides of each limit.",
    why="Advice at the wrong number is noise or comes too late; a code that changes breaks every filter.",
    fix="Compare with the provider's page, and correct `advise`; or mend the sample's `expected`.",
)
def advised_samples(subject: Subject) -> None:
    """Ask for advice on each sample message."""
    require_none(misadvised(subject))
