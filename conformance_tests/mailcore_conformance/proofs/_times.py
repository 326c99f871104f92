"""The time that a signature holds.

Rule: a delivery that was recorded must not work for ever, in either direction of time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from mailcore import WebhookRequest
from mailcore_conformance._check import Failed, not_applicable_unless, require, require_none
from mailcore_conformance._subject import NOW, Subject
from mailcore_conformance.proofs._place import Place
from mailcore_conformance.proofs._proof import Verifier, genuine, not_refused, proof, shortest

__all__ = ["TIMES"]

#: Further away than any provider's clock or queue.
FAR = timedelta(days=30)
#: How far a clock may be wrong, and how long a delivery may be under way.
NEAR = (timedelta(seconds=-60), timedelta(seconds=-10), timedelta(0), timedelta(seconds=10))
#: What may stand where a time is expected; the first is a number in other digits.
GARBAGE = (
    "١٨٩٣٥٥٣٤٤٥",
    "",
    "x",
    "now",
    "nan",
    "inf",
    "1e400",
    "-1",
    "0x70dbd880",
    "9" * 20,
    "9" * 5000,
    "1_893_553_445",
    "1893553445.0",
    "2030-02-31T00:00:00Z",
    "é",
    "\x00",
)


def _not_handled(subject: Subject, at: datetime, when: str) -> None:
    like = shortest(subject)
    found = subject.receive(genuine(subject, at=at), like.kind)
    require(not (found.events or found.mails), f"A delivery signed {when} is handled.")


def old(subject: Subject) -> None:
    """Deliver what was signed long ago."""
    _not_handled(subject, NOW - FAR, "30 days ago")


def future(subject: Subject) -> None:
    """Deliver what will be signed one day."""
    _not_handled(subject, NOW + FAR, "30 days from now")


def within(subject: Subject) -> None:
    """Deliver what was signed just now, by a clock that is not quite ours."""
    verifier = Verifier(subject)
    for away in NEAR:
        try:
            verifier.takes(genuine(subject, at=NOW + away))
        except Failed as failure:
            raise Failed(f"Signed {away.total_seconds():+.0f} s from now: {failure}") from None


def signed_at(subject: Subject) -> None:
    """Compare the time of the proof with the one that was signed."""
    at = NOW - timedelta(seconds=5)
    found = Verifier(subject).takes(genuine(subject, at=at)).signed_at
    if found is None:
        raise Failed("Verification.signed_at is not set.")
    seen = found.astimezone(UTC).isoformat()
    right = abs(found - at) < timedelta(seconds=1)
    require(right, f"Signed at {at.isoformat()}, and Verification.signed_at is {seen}.")


def _places(subject: Subject) -> Sequence[Place]:
    places = proof(subject).times
    not_applicable_unless(places, "The time stands within the signature.")
    return places


def missing(subject: Subject) -> None:
    """Take the time out."""
    request = genuine(subject)
    cases = [(f"The {place.shown} is missing", place.with_value(request, None)) for place in _places(subject)]
    require_none(not_refused(subject, cases))


def garbage(subject: Subject) -> None:
    """Put something that is no time in its place."""
    request = genuine(subject)
    require_none(
        not_refused(
            subject,
            (
                (f"The {place.shown} is odd, way {number}", place.with_text(request, text))
                for place in _places(subject)
                for number, text in enumerate(GARBAGE, 1)
            ),
        )
    )


def tampered(subject: Subject) -> None:
    """Put another time in its place, and other spellings of the same."""
    request = genuine(subject)
    require_none(not_refused(subject, _other_times(subject, request, _places(subject))))


def _other_times(
    subject: Subject, request: WebhookRequest, places: Sequence[Place]
) -> Iterator[tuple[str, WebhookRequest]]:
    for away in (1, -1, 60, -60, 300, 86_400):
        later = genuine(subject, at=NOW + timedelta(seconds=away))
        for place in places:
            yield f"The {place.shown} is {away:+} s off", place.with_text(request, place.text(later))
    for place in places:
        text = place.text(request)
        for other in (f"0{text}", f"+{text}", f" {text}", f"{text} ", text.replace("T", " ")):
            if other != text:
                yield f"The {place.shown} is spelt otherwise", place.with_text(request, other)


#: What a time must withstand → a title, what goes wrong otherwise, what to do, and the deed.
TIMES: Mapping[str, tuple[str, str, str, Callable[[Subject], None]]] = {
    "old": (
        "A delivery signed long ago is not handled.",
        "A delivery that was recorded would work for ever.",
        "Return the signed time as `Verification.signed_at`, or refuse what is outside the tolerance.",
        old,
    ),
    "future": (
        "A delivery signed long from now is not handled.",
        "It never grows old, so it can be repeated for ever.",
        "Refuse a time outside the tolerance in either direction: `abs(ctx.now - signed_at)`.",
        future,
    ),
    "within": (
        "A delivery signed within seconds of now is taken, even where its clock is ahead of ours.",
        "Two clocks never agree; genuine deliveries would be refused at random.",
        "Allow some minutes in both directions.",
        within,
    ),
    "signed-at": (
        "The proof says when the delivery was signed.",
        "Core decides by it what is too old, and applications see it.",
        "Return the signed time as `Verification.signed_at`, aware and in UTC.",
        signed_at,
    ),
    "missing": (
        "A delivery without its time is refused.",
        "Whoever leaves the time out would escape its limits.",
        "Raise `WebhookRejected` where the time is missing; take no other time for it.",
        missing,
    ),
    "garbage": (
        "A time that is none is refused.",
        "A number too large or in other digits raises errors of many kinds.",
        "Match the one form of the provider's time before converting it, and raise `WebhookRejected`.",
        garbage,
    ),
    "tampered": (
        "Another time than the signed one is refused, and so is another spelling of it.",
        "A recorded delivery could be given a new time.",
        "Verify the signature over the text of the time as it came, not over a number made from it.",
        tampered,
    ),
}
