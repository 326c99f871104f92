"""Where a delivery holds its proof, and whether an adapter takes a delivery for genuine.

Rule 1: nothing is assumed of a scheme. What differs between two keys is the signature, and what differs
        between two moments, whatever the key, is the time.
Rule 2: a delivery is refused with `WebhookRejected` and with nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import attrs

from mailcore import (
    Context,
    Covers,
    Verification,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)
from mailcore_conformance._blame import told
from mailcore_conformance._check import Failed, NotApplicable, not_applicable_unless
from mailcore_conformance._sample import Delivery
from mailcore_conformance._subject import NOW, Subject, drive, fetch
from mailcore_conformance.proofs._body_fields import fields
from mailcore_conformance.proofs._place import Place, forged, pieces

__all__ = [
    "Proof",
    "Verifier",
    "forgery",
    "genuine",
    "holding",
    "not_refused",
    "presented",
    "proof",
    "shortest",
    "signed_places",
    "unless_covers",
]


@attrs.frozen
class Proof:
    """
    What the proof of a delivery consists of.

    Attributes:
        signatures: What depends on the key.
        times: What depends on the moment, and not on the key.
    """

    signatures: tuple[Place, ...]
    times: tuple[Place, ...]

    @property
    def in_headers(self) -> bool:
        """Whether all of the signature stands beside the body."""
        return all(place.header is not None for place in self.signatures)


@lru_cache(maxsize=4)
def proof(subject: Subject) -> Proof:
    """
    Return where the proof stands.

    Raises:
        Failed: The kit signs with every key alike.
    """
    like = shortest(subject)
    body = like.request.body
    first, other = (subject.signed(body, like=like, key=key) for key in (0, 1))
    later = subject.signed(body, like=like, at=NOW + timedelta(hours=1))
    signatures = tuple(_differences(first, other))
    if not signatures:
        raise Failed("kit.sign gives the same for key=0 and key=1. Give each number a key of its own.")
    return Proof(signatures, tuple(place for place in _differences(first, later) if place not in signatures))


def _differences(one: WebhookRequest, other: WebhookRequest) -> Iterator[Place]:
    theirs = _values(other)
    for place, value in _values(one).items():
        if place not in theirs or value == theirs[place]:
            continue
        here, there = (pieces(text) for text in (value, theirs[place]))
        if len(here) != len(there) or len(here) == 1:
            yield place
        else:
            yield from (
                attrs.evolve(place, piece=number)
                for number in range(len(here))
                if here[number] != there[number]
            )


def _values(request: WebhookRequest) -> Mapping[Place, str]:
    headers = {Place(header=name): request.headers[name] for name in request.headers}
    return {**headers, **{Place(field=path): text for path, text in fields(request).items()}}


def signed_places(subject: Subject, request: WebhookRequest) -> list[Place]:
    """
    Return where the fields stand of which the kit says that the signature covers them.

    Raises:
        Failed: It names none, or none that the delivery has.
    """
    names = subject.kit.signed_fields
    found = [
        Place(field=path)
        for path in fields(request)
        if path[-1] in names or ".".join(map(str, path)) in names
    ]
    if not found:
        raise Failed(
            f"Verification covers {subject.covers.value}, and kit.signed_fields names no field of the "
            "shortest sample. List the fields that the signature covers."
        )
    return found


def holding(subject: Subject) -> list[Delivery]:
    """Return the samples that hold something to handle."""
    return [
        one for one in subject.kit.deliveries if one.expected.get("events") or one.expected.get("messages")
    ]


def shortest(subject: Subject) -> Delivery:
    """
    Return the smallest sample that holds something: what negatives are made from.

    Raises:
        NotApplicable: The adapter takes no webhooks.
    """
    found = holding(subject)
    not_applicable_unless(found, "The adapter takes no webhooks.")
    return min(found, key=lambda one: len(one.request.body))


def genuine(subject: Subject, *, key: int = 0, at: datetime = NOW) -> WebhookRequest:
    """Return the shortest sample, signed anew."""
    like = shortest(subject)
    return subject.signed(like.request.body, like=like, key=key, at=at)


def forgery(subject: Subject) -> WebhookRequest:
    """Return the shortest sample with a signature of the right form that nobody made."""
    request = genuine(subject)
    for place in proof(subject).signatures:
        request = place.with_text(request, forged(place.text(request)))
    return request


def presented(subject: Subject, request: WebhookRequest) -> WebhookRequest:
    """Return a delivery as core hands it to the adapter, its basic auth matched where that is the proof."""
    if subject.kit.webhook_options is not None:
        return request
    return attrs.evolve(subject.vouched(request), basic_auth="conformance")


def unless_covers(subject: Subject, *wanted: Covers) -> None:
    """Raise `NotApplicable` where the proof extends to something else."""
    names = " or ".join(one.value for one in wanted)
    not_applicable_unless(
        subject.covers in wanted, f"Verification covers {subject.covers.value}; this is about {names}."
    )


class Verifier:
    """One adapter that verifies deliveries, at a time when they are fresh."""

    def __init__(self, subject: Subject, *, keys: Sequence[int] = (0,)) -> None:
        self._subject = subject
        self._adapter = subject.host.adapter(subject.webhook_configuration(keys), environ={})
        self._calls = 0

    def __call__(self, request: WebhookRequest, *, at: datetime = NOW) -> Verification | WebhookResponse:
        """Return what the adapter itself makes of a delivery; what it raises passes through."""
        answer = self._subject.kit.answer
        self._calls += 1
        context = Context(now=at, created=at, unique=f"{self._calls:032x}")
        found: Verification | WebhookResponse = drive(
            self._adapter.verify_flow(request, context), lambda step: fetch(answer, step)
        )
        return found

    def takes(self, request: WebhookRequest, *, at: datetime = NOW) -> Verification:
        """
        Return the proof of a delivery that is genuine.

        Raises:
            Failed: The adapter refuses it, or answers it.
        """
        try:
            found = self(request, at=at)
        except WebhookRejected as error:
            raise Failed(f"It is refused: {error}") from None
        if not isinstance(found, Verification):
            raise Failed(f"It becomes {type(found).__name__} instead of a Verification.")
        return found

    def finding(self, what: str, request: WebhookRequest, *, at: datetime = NOW) -> str | None:
        """Return what is wrong unless a delivery is refused with `WebhookRejected`."""
        try:
            self(request, at=at)
        except WebhookRejected:
            return None
        except (Failed, NotApplicable):
            raise
        except Exception as error:  # noqa: BLE001  # reason: whatever else a stranger's code raises is the finding
            package = self._subject.spec.factory.partition(":")[0].partition(".")[0]
            return f"{what}: {told(error, package=package)}"
        return f"{what}: it is taken for genuine."


def not_refused(
    subject: Subject,
    cases: Iterable[tuple[str, WebhookRequest]],
    *,
    keys: Sequence[int] = (0,),
    at: datetime = NOW,
) -> Iterator[str]:
    """Yield a finding for each case that is not refused as it must be."""
    verifier = Verifier(subject, keys=keys)
    for what, request in cases:
        finding = verifier.finding(what, request, at=at)
        if finding is not None:
            yield finding
