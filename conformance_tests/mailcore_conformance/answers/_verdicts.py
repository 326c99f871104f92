"""Batches: the request that holds several messages, and one verdict for each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from mailcore import Deadline, HttpResponse, MaybeSent, Message, SendError, SendResult
from mailcore_conformance._check import Failed, NotApplicable
from mailcore_conformance._probe import new_tag
from mailcore_conformance._sample import Exchange
from mailcore_conformance._subject import Script, Subject, drive
from mailcore_conformance._wire import Wire
from mailcore_conformance.answers._answers import (
    Path,
    at,
    crowd,
    dump,
    fresh_ids,
    id_paths,
    inside,
    main_ids,
    read,
    with_body,
    with_ids,
)
from mailcore_conformance.answers._meaning import told

__all__ = [
    "BatchAnswer",
    "Verdict",
    "answered",
    "batch_of",
    "batch_wire",
    "batches",
    "listed",
    "parts",
    "verdicts",
]

Verdict: TypeAlias = SendResult | SendError


def batches(subject: Subject) -> list[Exchange]:
    """Return the samples of batches."""
    return [one for one in subject.kit.exchanges if one.is_batch]


def batch_of(subject: Subject, tags: Sequence[str]) -> list[Message]:
    """Return one mail for each tag, to recipients of every declared kind."""
    return [crowd(subject, tag) for tag in tags]


# The adapter itself ---------------------------------------------------------------------------------


def _context(subject: Subject, **context: Any) -> Mapping[str, Any]:
    """Return what the context of a batch has: no key where none covers the whole of one."""
    idempotency = subject.spec.idempotency
    keyed = idempotency is not None and idempotency.per_batch
    return context if keyed else {**context, "idempotency_key": None}


def batch_wire(subject: Subject, messages: Sequence[Message], **context: Any) -> Wire:
    """Return the request that sends several messages, as the adapter itself builds it, decoded."""
    return Wire(subject.batch_request(messages, **_context(subject, **context)))


def verdicts(subject: Subject, messages: Sequence[Message], response: HttpResponse) -> list[Verdict]:
    """
    Return what the adapter itself makes of an answer, one verdict for each message.

    An error that it raises is every message's. Where it returns too few, what it leaves out is
    unknown; where it returns too many, nothing can be told.
    """
    script = Script([response], subject.kit.answer)
    resolved = [message.resolve() for message in messages]
    flow = subject.adapter().batch_flow(resolved, subject.context(**_context(subject)))
    try:
        found = list(drive(flow, lambda request: script.exchange(request, deadline=Deadline(60))))
    except SendError as error:
        return [error for _ in messages]
    for one in found:
        if not isinstance(one, SendResult | SendError):
            raise Failed(f"A verdict is {type(one).__name__} instead of SendResult or SendError.")
    matched = found if len(found) <= len(messages) else []
    return [*matched, *(MaybeSent("Left out.") for _ in messages[len(matched) :])]


# Samples with other ids -----------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class BatchAnswer:
    """
    The answer of a sample of a batch, and what it says.

    Attributes:
        ids: The ids of each message; None for one that was not accepted.
    """

    name: str
    messages: Sequence[Message]
    response: HttpResponse
    ids: Sequence[Sequence[str] | None]

    def verdicts(self, subject: Subject) -> list[Verdict]:
        """Return what the adapter makes of it."""
        return verdicts(subject, self.messages, self.response)

    def misread(self, found: Sequence[Verdict], *, lost: Sequence[int] = ()) -> Iterator[str]:
        """Return which verdicts are not the answer's; it says nothing of the `lost` ones."""
        for place, (one, ids) in enumerate(zip(found, self.ids, strict=True)):
            who = f"{self.name}, message {place + 1} of {len(self.ids)}"
            if place in lost:
                if not isinstance(one, MaybeSent):
                    yield f"{who}, becomes {told(one)} instead of MaybeSent."
            elif isinstance(one, SendResult) is (ids is None):
                yield f"{who}, becomes {told(one)}, and it was {'refused' if ids is None else 'accepted'}."
            elif isinstance(one, SendResult) and not set(ids or ()) <= _ids(one):
                yield f"{who}, has another id than the answer gives it."

    @property
    def id_places(self) -> Mapping[int, Sequence[Path]]:
        """Message → where its ids stand in the JSON of the answer; without those that have none there."""
        found = {place: id_paths(self.response, ids) for place, ids in enumerate(self.ids) if ids}
        return {place: paths for place, paths in found.items() if paths}

    @property
    def list_path(self) -> Path | None:
        """Where the list with one element for each message stands; None where there is none."""
        for path in (path for paths in self.id_places.values() for path in paths):
            for length, key in enumerate(path):
                if isinstance(key, int) and len(self.inside(path[:length])) == len(self.ids):
                    return path[:length]
        return None

    def inside(self, path: Path) -> Any:
        """Return what is at a path of the answer."""
        return inside(read(self.response), path)

    def spoilt(self) -> Iterator[tuple[int, str, BatchAnswer]]:
        """Return the answer with one element that cannot be read: which, what is wrong, and the answer."""
        for place, paths in self.id_places.items():
            document = read(self.response)
            for path in paths:
                document = at(document, path, None)
            yield place, "whose id is null", self._with(document)
            element = (*(self.list_path or ()), place)
            for words, value in (("that is a number", 7), ("that is null", None)):
                yield place, words, self._with(at(read(self.response), element, value))

    def shortened(self) -> BatchAnswer:
        """Return the answer without the last element."""
        path = self.list_path or ()
        return self._with(at(read(self.response), path, self.inside(path)[:-1]))

    def lengthened(self) -> BatchAnswer:
        """Return the answer with one more element before the others: another mail's."""
        path = self.list_path or ()
        place, ids = next((place, ids) for place, ids in enumerate(self.ids) if ids)
        elements = self.inside(path)
        alike = with_body(self.response, dump(elements[place]))
        another = read(with_ids(alike, fresh_ids(alike, ids, new_tag())))
        return self._with(at(read(self.response), path, [another, *elements]))

    def _with(self, document: Any) -> BatchAnswer:
        return attrs.evolve(self, response=with_body(self.response, dump(document)))


def _ids(result: SendResult) -> set[str | None]:
    return {result.message_id, *(row.message_id for row in result.recipients.values())}


def answered(sample: Exchange, tag: str) -> BatchAnswer:
    """Return a sample's answer with ids that nobody has seen."""
    if len(sample.messages) != len(sample.expected):
        raise Failed(f"{sample.name}: `messages` and `expected` do not have the same length.")
    named = [None if "error" in expected else main_ids(expected) for expected in sample.expected]
    new = fresh_ids(sample.response, [one for ids in named for one in ids or ()], tag)
    return BatchAnswer(
        name=sample.name,
        messages=sample.messages,
        response=with_ids(sample.response, new),
        ids=[None if ids is None else [new[one] for one in ids] for ids in named],
    )


def listed(subject: Subject) -> BatchAnswer:
    """Return the answer to a batch of which two messages or more were accepted, as a list in JSON."""
    found = [answered(sample, new_tag()) for sample in batches(subject)]
    several = [one for one in found if len(list(filter(None, one.ids))) >= 2]
    if not several:
        raise Failed("No sample of a batch has two accepted messages with ids. Add one to `exchanges`.")
    for one in several:
        if one.list_path is not None:
            return one
    raise NotApplicable("The answer to a batch is no JSON with one element for each message.")


# Parts ----------------------------------------------------------------------------------------------

_STEP = re.compile(r"[.\[ ?]?[^.\[ ?]+")


def parts(wire: Wire, marks: Sequence[str]) -> list[str]:
    """Return where in a request the part of each message begins, found by a text of each."""
    found = [wire.find(mark) for mark in marks]
    if not all(found):
        raise Failed("The subject of a message is nowhere in the request.")
    steps = [_STEP.findall(paths[0]) for paths in found]
    for length, together in enumerate(zip(*steps, strict=False), 1):
        if len(set(together)) == len(marks):
            return ["".join(one[:length]) for one in steps]
    raise NotApplicable("The messages of a batch have no parts of their own in the request.")
