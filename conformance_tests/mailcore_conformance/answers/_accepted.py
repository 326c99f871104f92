"""Acceptances, as they are and changed, and what an adapter misreads in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mailcore import Capability, HttpResponse, Outcome, SendError, SendResult
from mailcore_conformance._check import Failed, NotApplicable, not_applicable_unless, require
from mailcore_conformance._probe import new_tag
from mailcore_conformance._sample import Exchange
from mailcore_conformance._subject import Subject
from mailcore_conformance.answers._answers import (
    big_ids,
    fresh_ids,
    ids_of,
    main_ids,
    message_of,
    with_ids,
)
from mailcore_conformance.answers._malformed import Make
from mailcore_conformance.answers._meaning import TAKEN, differences, ids_seen, partial, relabelled, told
from mailcore_conformance.answers._refused import refused
from mailcore_conformance.answers._variants import Variant, crowded, swapped, unfamiliar

__all__ = [
    "accepted",
    "forgotten_ids",
    "lost_answers",
    "misread_ids",
    "misread_large_ids",
    "misread_partial",
    "misread_recipients",
    "misread_samples",
    "misread_statuses",
    "misread_variant",
    "taken_for_documented",
    "taken_for_readable",
    "wrong_scopes",
]

_STATUSES = (200, 201, 202, 204)


def accepted(subject: Subject) -> list[Exchange]:
    """Return the samples of single mails that were accepted."""
    return [one for one in subject.kit.exchanges if one.accepted and not one.is_batch]


def _taken(subject: Subject, sample: Exchange, response: HttpResponse, words: str) -> SendResult:
    found = subject.parse(message_of(sample), response)
    if not isinstance(found, SendResult):
        raise Failed(f"{sample.name}, {words}, becomes {told(found)} instead of accepted.")
    return found


def misread_samples(subject: Subject) -> Iterator[str]:
    """Return how acceptances differ from what their samples say."""
    for sample in accepted(subject):
        found = subject.parse(message_of(sample), sample.response)
        yield from differences(sample.name, found, sample.expected[0])


# Ids ------------------------------------------------------------------------------------------------


def _exchanged(subject: Subject, sample: Exchange, new: Mapping[str, str], words: str) -> Iterator[str]:
    found = _taken(subject, sample, with_ids(sample.response, new), words)
    if ids_seen(found, sample.expected[0]) != relabelled(sample.expected[0], new):
        yield f"{sample.name}, {words}: the result has other ids than the answer."


def misread_ids(subject: Subject) -> Iterator[str]:
    """Return whether the first acceptance is read at all: with another id, or against a refusal."""
    sample = subject.accepted
    ids = ids_of(sample.expected[0])
    if not ids and not subject.can(Capability.MESSAGE_ID):
        _taken(subject, sample, sample.response, "as it is")
        refusal = refused(subject)[0]
        found = subject.parse(message_of(refusal), refusal.response)
        require(isinstance(found, SendError), f"{refusal.name} becomes {told(found)} instead of an error.")
        return
    new = fresh_ids(sample.response, ids, new_tag())
    if with_ids(sample.response, new) == sample.response:
        raise Failed(f"{sample.name}: the `message_id` that is expected stands nowhere in the answer.")
    yield from _exchanged(subject, sample, new, "with another id")


def misread_large_ids(subject: Subject) -> Iterator[str]:
    """Return the acceptances whose id is lost where it is large."""
    for sample in accepted(subject):
        new = big_ids(sample.response, ids_of(sample.expected[0]))
        yield from _exchanged(subject, sample, new, "with a large id")


def forgotten_ids(subject: Subject) -> Iterator[str]:
    """Return the acceptances whose result has an id that is not among its ids."""
    for sample in accepted(subject):
        found = _taken(subject, sample, sample.response, "as it is")
        ids = {found.message_id, *(row.message_id for row in found.recipients.values())} - {None}
        if not ids <= set(found.message_ids):
            yield f"{sample.name}: message_ids lacks an id of the result."


def lost_answers(subject: Subject) -> Iterator[str]:
    """Return the acceptances whose result does not hold the answer."""
    for sample in accepted(subject):
        if _taken(subject, sample, sample.response, "as it is").raw != sample.response:
            yield f"{sample.name}: raw is not the answer."


# Written otherwise ----------------------------------------------------------------------------------


def misread_variant(subject: Subject, words: str, make: Variant) -> Iterator[str]:
    """Return how the first acceptance is misread where it is written otherwise."""
    sample = subject.accepted
    found = subject.parse(message_of(sample), make(sample.response))
    yield from differences(f"{sample.name}, {words}", found, sample.expected[0])


def misread_statuses(subject: Subject) -> Iterator[str]:
    """Return whether a status that nobody documented undoes an acceptance."""
    sample = subject.accepted
    found = _taken(subject, sample, unfamiliar(sample.response), "with a status that nobody documented")
    if not {row.status.value for row in found.recipients.values()} <= TAKEN:
        yield f"{sample.name}: a status that nobody documented becomes a refusal."


def taken_for_readable(subject: Subject, words: str, make: Make) -> Iterator[str]:
    """Return whether an acceptance that cannot be read is taken for something else than unknown."""
    for sample, response in _unreadable(subject, make):
        found = subject.parse(message_of(sample), response)
        if told(found) != "MaybeSent":
            yield f"{sample.name}, with {words}, becomes {told(found)} instead of MaybeSent."


def _unreadable(subject: Subject, make: Make) -> Iterable[tuple[Exchange, HttpResponse]]:
    """Return each acceptance with what cannot be read in it, those that are alike once."""
    made: dict[Any, tuple[Exchange, HttpResponse]] = {}
    why_not: NotApplicable | None = None
    for sample in accepted(subject):
        try:
            response = make(sample.response, main_ids(sample.expected[0]))
        except NotApplicable as reason:
            why_not = reason
        else:
            made.setdefault((response.status, response.headers.pairs, response.body), (sample, response))
    if why_not is not None and not made:
        raise why_not
    return made.values()


def taken_for_documented(subject: Subject) -> Iterator[str]:
    """Return the other statuses of success that are taken for something else than unknown."""
    not_applicable_unless(subject.over_http, "It sends over no HTTP.")
    known = {one.response.status for one in subject.kit.exchanges if _documented(one)}
    for status in _STATUSES:
        for body, words in ((subject.accepted.response.body, "and a body"), (b"", "and no body")):
            if status in known:
                continue
            response = HttpResponse(status=status, headers=subject.accepted.response.headers, body=body)
            found = subject.parse(message_of(subject.accepted), response)
            if told(found) != "MaybeSent":
                yield f"HTTP {status} {words} becomes {told(found)}, and no sample says so."


def _documented(sample: Exchange) -> bool:
    """Return whether a sample shows that its status tells what became of the mail."""
    return any(one.get("outcome") != Outcome.UNKNOWN.value for one in sample.expected)


# Recipients -----------------------------------------------------------------------------------------


def misread_recipients(subject: Subject) -> Iterator[str]:
    """Return the recipients that a result lacks, and those that it makes up."""
    for sample in accepted(subject):
        message, response = crowded(subject, sample)
        found = subject.parse(message, response)
        if not isinstance(found, SendResult):
            raise Failed(f"{sample.name}, to others, becomes {told(found)} instead of accepted.")
        sent = {address.addr_spec for address in message.recipients}
        seen = set(found.recipients)
        yield from (f"{sample.name}: {one} is not in the result." for one in sorted(sent - seen))
        yield from (f"{sample.name}: {one} is in the result." for one in sorted(seen - sent))


def misread_partial(subject: Subject) -> Iterator[str]:
    """Return how an answer that refuses some recipients is misread, also where they change places."""
    samples = [(one, partial(one.expected[0])) for one in accepted(subject)]
    if not any(pair for _, pair in samples):
        raise Failed(
            "No sample shows an answer that takes some recipients and not others. Add one, with `recipients` "
            "in its `expected`."
        )
    for sample, pair in samples:
        if pair is not None:
            yield from _wrong_partial(subject, sample, *pair)


def _wrong_partial(subject: Subject, sample: Exchange, first: str, second: str) -> Iterator[str]:
    rows = sample.expected[0]["recipients"]
    found = _taken(subject, sample, sample.response, "as it is")
    if found.scope != "recipient":
        yield f"{sample.name}: the scope of the result is {found.scope}, and should be recipient."
    turned = swapped(sample, first, second)
    if turned is None:
        return
    names = {first: second, second: first}
    moved = {names.get(address, address): row for address, row in rows.items()}
    yield from differences(
        f"{sample.name}, with two recipients changed",
        subject.parse(message_of(sample), turned),
        {"recipients": moved},
    )


def wrong_scopes(subject: Subject) -> Iterator[str]:
    """Return the acceptances that speak of recipients where the provider does not."""
    if subject.can(Capability.RECIPIENT_STATUS):
        raise NotApplicable(f"The adapter declares {Capability.RECIPIENT_STATUS}.")
    for sample in accepted(subject):
        if _taken(subject, sample, sample.response, "as it is").scope != "message":
            yield f"{sample.name}: the scope is recipient, and {Capability.RECIPIENT_STATUS} is not declared."
