"""Refusals of the provider with other words in them, and what must become of the words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import attrs

from mailcore import HttpResponse, Outcome, Response, SendError, SmtpResponse
from mailcore_conformance._check import Failed, not_applicable_unless
from mailcore_conformance._probe import new_tag
from mailcore_conformance._sample import Exchange
from mailcore_conformance._subject import NOW, Subject
from mailcore_conformance.answers._answers import crowd, message_of, saying
from mailcore_conformance.answers._malformed import HUGE, refusals
from mailcore_conformance.answers._meaning import Meaning, differences, told

__all__ = [
    "WAITS",
    "Wait",
    "leaking",
    "misread_hostile",
    "misread_samples",
    "misread_status",
    "misread_wait",
    "refused",
    "silent",
    "unclean",
    "untraceable",
]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: A forged line, a terminal's escape, and every other way to start a line.
_JUNK = "\r\nERROR forged\x1b[2J\x00\x85\u2028\u2029 "


def refused(subject: Subject) -> list[Exchange]:
    """Return the samples of single mails that were not accepted."""
    return [one for one in subject.kit.exchanges if not one.accepted and not one.is_batch]


def _refusing(subject: Subject) -> Iterator[Exchange]:
    """Return the samples in which the provider says no, and not merely something unreadable."""
    for sample in refused(subject):
        if sample.response.status >= 400 or sample.expected[0].get("outcome") != Outcome.UNKNOWN.value:
            yield sample


def _retold(subject: Subject, say: Callable[[], str]) -> Iterator[tuple[str, SendError]]:
    """Return the error that each refusal becomes where the provider says something else."""
    found = [(sample, saying(sample.response, say)) for sample in _refusing(subject)]
    not_applicable_unless(any(response for _, response in found), "No refusal in the kit says why in words.")
    for sample, response in found:
        if response is not None:
            yield sample.name, _error(subject, sample, response)


def _error(subject: Subject, sample: Exchange, response: Response) -> SendError:
    found = subject.parse(message_of(sample), response)
    if not isinstance(found, SendError):
        raise Failed(f"{sample.name} becomes {told(found)} instead of an error.")
    return found


def silent(subject: Subject) -> Iterator[str]:
    """Return the refusals whose words are lost; the words are made up, so that no table knows them."""
    mark = new_tag()
    for name, error in _retold(subject, lambda: f"Words {mark}"):
        kept = [str(error), *(text for texts in error.fields.values() for text in texts)]
        if not any(mark in text for text in kept):
            yield f"{name}: nothing of what the provider says is in the error."


def unclean(subject: Subject) -> Iterator[str]:
    """Return the refusals whose control characters reach the error's text."""
    for name, error in _retold(subject, lambda: f"Words{_JUNK}more words"):
        found = sorted({f"U+{ord(one):04X}" for one in _CONTROL.findall(str(error))})
        if found:
            yield f"{name}: {', '.join(found)} of the provider's words stand in the error's text."


def untraceable(subject: Subject) -> Iterator[str]:
    """Return the refusals whose error has lost the answer."""
    for sample in refused(subject):
        error = _error(subject, sample, sample.response)
        if error.response != sample.response:
            yield f"{sample.name}: the error does not hold the answer."


def leaking(subject: Subject) -> Iterator[str]:
    """Return the answers whose error tells of the mail what the provider did not say."""
    tag = new_tag()
    message = crowd(subject, tag)
    numbers = (400, 500)
    bare: list[Response] = [SmtpResponse(code=number) for number in numbers]
    if subject.over_http:
        bare = [HttpResponse(status=number) for number in numbers]
    answers: dict[str, Response] = {f"{one.status} without a word": one for one in bare}
    answers.update((sample.name, sample.response) for sample in refused(subject))
    for name, response in answers.items():
        error = subject.parse(message, response)
        shown = f"{error} {error!r} {error.__dict__}" if isinstance(error, SendError) else ""
        if tag in shown:
            yield f"{name}: the error shows an address or a text of the mail."


# As a sample, a status or a header says -------------------------------------------------------------


def misread_samples(subject: Subject) -> Iterator[str]:
    """Return how refusals differ from what their samples say."""
    for sample in refused(subject):
        found = subject.parse(message_of(sample), sample.response)
        yield from differences(sample.name, found, sample.expected[0])


def misread_status(subject: Subject, meaning: Meaning, status: int) -> Iterator[str]:
    """Return how a status without a body is misread."""
    not_applicable_unless(subject.over_http, "It sends over no HTTP.")
    found = subject.parse(message_of(subject.accepted), HttpResponse(status=status))
    yield from meaning.differences(found)


@attrs.frozen(kw_only=True)
class Wait:
    """
    What `Retry-After` may hold.

    Attributes:
        words: What it is.
        values: The header's values.
        least: Fewest seconds that may be read.
        most: Most seconds; less than `least` where no number is right.
        optional: Whether None may be read.
    """

    words: str
    values: tuple[str, ...]
    least: float = 0
    most: float
    optional: bool = True


_SOON = timedelta(seconds=90)

#: Name → what `Retry-After` may hold.
WAITS: Mapping[str, Wait] = {
    "seconds": Wait(words="A number of seconds", values=("90",), least=90, most=90, optional=False),
    "date": Wait(
        words="A date", values=(format_datetime(NOW + _SOON, usegmt=True),), least=90, most=90, optional=False
    ),
    "past": Wait(words="A date in the past", values=(format_datetime(NOW - _SOON, usegmt=True),), most=0),
    "huge": Wait(words="A number beyond sense", values=("9" * 400,), least=60, most=24 * 3600),
    "garbage": Wait(
        words="What is neither",
        values=("", "soon", "-5", "1e3", "\u0662", "\u00b2", "Sun, 99 Foo 2030 00:00:00 GMT"),
        most=-1,
    ),
}


def misread_wait(subject: Subject, wait: Wait) -> Iterator[str]:
    """Return how a time to wait is misread."""
    not_applicable_unless(subject.over_http, "It sends over no HTTP.")
    for value in wait.values:
        response = HttpResponse(status=429, headers=[("Retry-After", value)])
        found = subject.parse(message_of(subject.accepted), response)
        seconds = found.retry_after if isinstance(found, SendError) else -1.0
        if not (wait.optional if seconds is None else wait.least <= seconds <= wait.most):
            yield f"Retry-After: {value[:40]!a} is read as {seconds}."


# Of a shape that nobody documented ------------------------------------------------------------------

#: Statuses that some proxy or provider answers with any body, and those for each further body.
_ALL: Sequence[int] = (400, 403, 422, 500)
_ONE: Sequence[int] = (400,)


def misread_hostile(
    subject: Subject, words: str, bodies: Callable[[Sequence[Any]], Iterator[bytes]]
) -> Iterator[str]:
    """Return how a refusal of another shape than documented is misread."""
    not_applicable_unless(subject.over_http, "It sends over no HTTP.")
    message = message_of(subject.accepted)
    statuses = _ALL
    for body in bodies(refusals(subject.kit.exchanges)):
        for status in statuses:
            headers = subject.accepted.response.headers
            found = subject.parse(message, HttpResponse(status=status, headers=headers, body=body))
            wanted = Outcome.UNKNOWN if status >= 500 else Outcome.REJECTED
            if not isinstance(found, SendError) or found.outcome is not wanted:
                yield f"HTTP {status} with {words} becomes {told(found)}, and it means {wanted.value}."
            elif len(str(found)) > HUGE:
                yield f"HTTP {status} with {words} becomes a text of more than {HUGE} characters."
        statuses = _ONE
