"""Samples of incoming mail, and where in a delivery the mail itself stands."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import attrs

from mailcore import HttpResponse, InboundMessage, Request, Response, WebhookRequest
from mailcore_conformance._check import Failed, NotApplicable
from mailcore_conformance._sample import Delivery
from mailcore_conformance._subject import Subject, fetch
from mailcore_conformance.deliveries._delivery_document import GONE, Document, Place, shown
from mailcore_conformance.deliveries._delivery_oddities import ODD_VALUES
from mailcore_conformance.deliveries._delivery_reader import Answer, Fate, Reader

__all__ = [
    "MailCase",
    "Mutation",
    "Swap",
    "drifted_mails",
    "mail_cases",
    "mail_mutants",
    "mailed",
    "with_source",
]


@attrs.frozen
class MailCase:
    """
    One sample of one mail.

    Attributes:
        mail: What the adapter reads.
        fetched: The answers to what it fetched.
        document: The body; None where it cannot be changed.
        content: Where the source of the mail or one of its texts stands.
        source: Whether the source is in the body or was fetched.
    """

    delivery: Delivery
    mail: InboundMessage
    fetched: tuple[bytes, ...]
    document: Document | None
    content: tuple[Place, ...]
    source: bool

    @property
    def name(self) -> str:
        """The sample's name."""
        return self.delivery.name

    @property
    def changeable(self) -> Document:
        """The body; raises `NotApplicable` where it cannot be changed."""
        return self.document or Document.read(self.delivery.request)

    def request(self, changes: Mapping[Place, Any]) -> WebhookRequest:
        """Return the delivery with other values at those places, not signed."""
        return attrs.evolve(self.delivery.request, body=self.changeable.write(changes))

    def rewritten(self, subject: Subject, source: bytes) -> tuple[WebhookRequest, Answer | None]:
        """Return the delivery, and the answer to what is fetched, with that for the mail or its texts."""
        request = self.request(self._written(source)) if self.content else self.delivery.request
        if not self.fetched:
            return request, None
        instead_of = self.mail.raw if self.mail.raw in self.fetched else None
        return request, lambda step: _answered(fetch(subject.kit.answer, step), source, instead_of)

    def longer(self) -> dict[Place, Any]:
        """Return the change that makes it another mail of the same Message-ID."""
        if self.mail.raw is not None:
            return self._written(self.mail.raw + b"More of it.\r\n")
        leaves = dict(self.changeable.leaves())
        return {place: f"{leaves[place]}More of it." for place in self.content}

    def _written(self, source: bytes) -> dict[Place, Any]:
        leaves = dict(self.changeable.leaves())
        return {place: _written(source, leaves[place]) for place in self.content}


_CASES: WeakKeyDictionary[Subject, tuple[MailCase, ...]] = WeakKeyDictionary()


def mail_cases(subject: Subject) -> tuple[MailCase, ...]:
    """
    Return the samples that hold one mail each.

    Raises:
        Failed: There is none.
    """
    if subject not in _CASES:
        _CASES[subject] = tuple(_cases(subject))
    if not _CASES[subject]:
        raise Failed("No sample becomes exactly one mail. Add one.")
    return _CASES[subject]


def _cases(subject: Subject) -> Iterator[MailCase]:
    reader = Reader(subject)
    for delivery in subject.inbound():
        fetched: list[bytes] = []

        def answer(request: Request, kept: list[bytes] = fetched) -> Response:
            response = fetch(subject.kit.answer, request)
            kept.append(response.body if isinstance(response, HttpResponse) else b"")
            return response

        items = reader.mails(delivery.request, answer).items
        if len(items) == 1:
            yield _case(delivery, items[0], tuple(fetched))


def _case(delivery: Delivery, mail: InboundMessage, fetched: tuple[bytes, ...]) -> MailCase:
    try:
        document = Document.read(delivery.request)
    except NotApplicable:
        return MailCase(delivery, mail, fetched, None, (), source=False)
    leaves = [(place, value) for place, value in document.leaves() if isinstance(value, str)]
    texts = {_normal(text) for text in (mail.text, mail.html) if text and text.strip()}
    sources = [place for place, value in leaves if _is_source(value, mail.raw)]
    content = [*sources, *(place for place, value in leaves if _normal(value) in texts)]
    source = bool(sources) or mail.raw in fetched
    return MailCase(delivery, mail, fetched, document, tuple(content), source=source)


def with_source(subject: Subject) -> MailCase | None:
    """Return the sample with the fewest files that comes with its source; None where none does."""
    found = [case for case in mail_cases(subject) if case.source]
    return min(found, key=lambda case: len([*case.mail.attachments, *case.mail.inlines]), default=None)


def _normal(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _is_source(text: str, raw: bytes | None) -> bool:
    return bool(raw) and (text.encode("utf-8", "surrogatepass") == raw or _decoded(text) == raw)


def _decoded(text: str) -> bytes:
    """Return what a text stands for as base64; nothing where it is none."""
    if len(text) < 16 or not text.isascii():
        return b""
    try:
        return b64decode("".join(text.split()), validate=True)
    except ValueError:
        return b""


def _answered(response: Response, source: bytes, instead_of: bytes | None) -> Response:
    """Return another answer; where one was the mail's source, what is fetched before it stays."""
    if not isinstance(response, HttpResponse) or instead_of not in (None, response.body):
        return response
    return attrs.evolve(response, body=source)


def _written(source: bytes, like: str) -> str:
    """Return a source the way another stands in a body: as text, or as base64."""
    return b64encode(source).decode() if _decoded(like) else source.decode("latin-1")


class Swap:
    """
    A sample in which one text of the mail is another, wherever the mail comes from.

    Attributes:
        happened: Whether the text was there at all.
    """

    def __init__(self, subject: Subject, case: MailCase, old: bytes, new: bytes) -> None:
        self._kit, self._old, self._new = subject.kit, old, new
        self.happened = False
        request = case.delivery.request
        if case.document is None:
            self.request = attrs.evolve(request, body=self._swapped(request.body))
        else:
            changes = {place: self._text(value) for place, value in case.document.leaves()}
            real = {place: value for place, value in changes.items() if value is not None}
            self.happened = bool(real)
            self.request = case.request(real) if real else request

    def answer(self, request: Request) -> Response:
        """Answer what the flow fetches as the kit does, with the other text in it."""
        response = fetch(self._kit.answer, request)
        if isinstance(response, HttpResponse):
            return attrs.evolve(response, body=self._swapped(response.body))
        return response

    def _swapped(self, body: bytes) -> bytes:
        found = body.replace(self._old, self._new)
        self.happened = self.happened or found != body
        return found

    def _text(self, value: Any) -> str | None:
        if not isinstance(value, str):
            return None
        old, new = self._old.decode(), self._new.decode()
        if old in value:
            return value.replace(old, new)
        source = _decoded(value)
        return b64encode(source.replace(self._old, self._new)).decode() if self._old in source else None


def mailed(reader: Reader, swap: Swap) -> InboundMessage | None:
    """Return the mail that a swapped sample becomes; None where it is not one."""
    items = reader.mails(swap.request, swap.answer).items
    return items[0] if len(items) == 1 else None


@attrs.frozen
class Mutation:
    """A change of one sample, as the start of a sentence, and what became of it."""

    told: str
    fate: Fate


def mail_mutants(subject: Subject, values: Iterable[Any]) -> Iterator[Mutation]:
    """Yield each place of the samples' bodies with each of those values instead; the same place once."""
    reader, wanted, seen = Reader(subject), list(values), set()
    for case in mail_cases(subject):
        for place, value in case.changeable.nodes():
            general = tuple("*" if isinstance(step, int) else step for step in place)
            if general in seen:
                continue
            seen.add(general)
            for new in wanted:
                if new is not value and not (new is GONE and isinstance(place[-1], int)):
                    what = "left out" if new is GONE else f"replaced by {new!r}"
                    fate = reader.mails(case.request({place: new}))
                    yield Mutation(f"With {shown(place)} {what}", fate)


_DRIFTED: WeakKeyDictionary[Subject, tuple[Mutation, ...]] = WeakKeyDictionary()


def drifted_mails(subject: Subject) -> tuple[Mutation, ...]:
    """Return each place of the samples' bodies with a value of every other type instead."""
    if subject not in _DRIFTED:
        _DRIFTED[subject] = tuple(mail_mutants(subject, ODD_VALUES))
    return _DRIFTED[subject]
