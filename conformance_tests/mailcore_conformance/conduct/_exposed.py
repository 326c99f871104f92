"""Everything an adapter lets out: requests, errors, answers, results."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import attrs

from mailcore import (
    ConfigurationError,
    Disposition,
    EndpointKind,
    HttpResponse,
    MailcoreError,
    Response,
    SendError,
    SmtpResponse,
    WebhookRejected,
    WebhookRequest,
)
from mailcore_conformance._sample import Exchange
from mailcore_conformance._subject import Subject, drive, fetch
from mailcore_conformance._wire import Piece, Wire, read_body
from mailcore_conformance.conduct._flows import finished, plain, readable, verified
from mailcore_conformance.conduct._leaks import echoing
from mailcore_conformance.conduct._options import credentials, fields, webhook_secrets

__all__ = [
    "answers",
    "bad_options",
    "echoed",
    "errors",
    "handled",
    "misplaced",
    "open_urls",
    "receiving",
    "refusals",
    "sending",
]

#: Places that carry the mail and are not read with it.
_UNSEEN = re.compile(r"bcc|rcpt|envelope|destination|recipient", re.IGNORECASE)
#: Places that recipients read, whatever else their names say.
_SEEN = re.compile(r"header|:$|\bh:", re.IGNORECASE)
#: Nothing shorter is a signature; shorter pieces of a header are names and times.
MIN_SIGNATURE = 16
#: Refusals to repeat a token in: enough for each form of them.
MAX_ECHOES = 5
#: Answers nobody can make sense of.
_UNREADABLE = ((400, b""), (401, b"<html>"), (500, b"{"))


def misplaced(wire: Wire, marks: Iterable[str]) -> list[str]:
    """Return the places of a request that hold one of some texts, and that recipients may see."""
    found = (piece for piece in wire.pieces if any(mark in piece.text for mark in marks))
    return list(dict.fromkeys(piece.path for piece in found if not _unseen(wire, piece)))


def _unseen(wire: Wire, piece: Piece) -> bool:
    if piece.path.lower().endswith(" bcc:"):  # that is for another check
        return True
    if _UNSEEN.search(piece.path) and not _SEEN.search(piece.path):
        return True
    # Some providers put all recipients into one list, and say of each what it is.
    row = piece.path.rpartition(".")[0]
    return row.endswith("]") and any(
        one.path.rpartition(".")[0] == row and one.text.lower() == "bcc" for one in wire.pieces
    )


# Sending --------------------------------------------------------------------------------------------


def _refused(subject: Subject) -> list[Exchange]:
    return [one for one in subject.kit.exchanges if not one.accepted and not one.is_batch]


def _answered(subject: Subject) -> Iterator[tuple[str, Response]]:
    """Yield the samples of refusals, and answers nobody can make sense of."""
    yield from ((one.name, one.response) for one in _refused(subject))
    if not subject.over_http:
        yield from ((f"a bare {code}", SmtpResponse(code=code)) for code in (354, 450, 550))
        return
    for status, body in (*_UNREADABLE, (subject.accepted.response.status, b"{}")):
        yield f"an unreadable {status}", HttpResponse(status=status, body=body)


def errors(subject: Subject) -> Iterator[tuple[str, Exception]]:
    """Yield the errors that answers end in, as the adapter makes them."""
    adapter, message = subject.adapter(), plain().resolve()
    for name, response in _answered(subject):
        _, found = finished(subject, adapter.send_flow(message, subject.context()), response)
        if isinstance(found, SendError):
            yield name, found


def echoed(subject: Subject) -> Iterator[tuple[str, Exception]]:
    """Yield the errors that refusals end in where the answer repeats the token."""
    for one in _refused(subject)[:MAX_ECHOES]:
        sent = subject.send(plain(), echoing(one.response, subject.secret))
        if sent.error is not None:
            yield one.name, sent.error


def sending(subject: Subject) -> None:
    """Send what is accepted and what is refused."""
    with suppress(MailcoreError):
        subject.send(plain())
    for _ in errors(subject):
        pass


def bad_options(subject: Subject) -> Iterator[tuple[str, ConfigurationError]]:
    """Yield the errors that malformed tokens end in."""
    for end in (" ", "\u00e9", "\n\n"):
        given = subject.kit.options(f"{subject.secret}{end}x")
        for name in credentials(subject):
            config = {"provider": subject.spec.name, **subject.configuration, name: given[name]}
            try:
                subject.host.adapter(config, environ={})
            except ConfigurationError as error:
                yield name, error


def open_urls(subject: Subject) -> Iterator[str]:
    """Yield each option that takes an address without encryption, or none on this machine."""
    made = subject.adapter().options
    for name in fields(subject):
        url = getattr(made, name)
        if isinstance(url, str) and url.startswith("https://"):
            if not _refused_url(subject, name, url.replace("https://", "http://", 1)):
                yield f"{name} takes an address with http."
            if _refused_url(subject, name, "http://127.0.0.1:8025"):
                yield f"{name} refuses http on this machine, where a sandbox is."


def _refused_url(subject: Subject, name: str, url: str) -> bool:
    try:
        subject.host.adapter({**subject.configuration, name: url}, environ={})
    except ConfigurationError:
        return True
    return False


# Receiving ------------------------------------------------------------------------------------------


def receiving(subject: Subject) -> None:
    """Verify and read every sample, genuine and forged."""
    adapter = subject.webhook_adapter()
    for sample in readable(subject)[:2] if webhook_secrets(subject) else ():
        verified(subject, adapter, sample)
    for found in (_forgeries(subject), handled(subject), answers(subject)):
        for _ in found:
            pass


def _forged(request: WebhookRequest) -> WebhookRequest:
    return attrs.evolve(request, body=request.body.replace(b"a", b"b", 1) + b" ")


def _forgeries(subject: Subject) -> Iterator[tuple[str, WebhookRequest, WebhookRejected]]:
    """Yield forged deliveries, and how they are refused."""
    if not webhook_secrets(subject):
        return
    adapter = subject.webhook_adapter()
    for sample in readable(subject)[:2]:
        forged = _forged(sample.request)
        for request in (forged, attrs.evolve(forged, headers=())):
            try:
                verified(subject, adapter, attrs.evolve(sample, request=request))
            except WebhookRejected as error:
                yield sample.name, request, error


def refusals(subject: Subject) -> Iterator[tuple[str, WebhookRejected, Sequence[str]]]:
    """Yield how forged deliveries are refused, and what a right signature would have been."""
    for name, request, error in _forgeries(subject):
        yield name, error, _signatures(subject, request)


def _signatures(subject: Subject, forged: WebhookRequest) -> list[str]:
    """Return what signing a forged delivery would add to it."""
    if subject.kit.sign is None:
        return []
    signed = subject.kit.sign(forged, key=0, at=forged.received_at)
    known = set(_values(forged))
    return [text for text in _values(signed) if text not in known and len(text) >= MIN_SIGNATURE]


def _values(request: WebhookRequest) -> Iterator[str]:
    for _, value in request.headers.pairs:
        yield from re.split(r"[\s,;]|(?<=[a-z0-9])=(?=.)", value)
    pieces = read_body(request.headers.get("Content-Type", "application/json"), request.body)
    yield from (piece.text for piece in pieces if isinstance(piece, Piece))


def handled(subject: Subject) -> Iterator[tuple[str, Any]]:
    """Yield what the samples become, as the adapter makes it."""
    adapter = subject.webhook_adapter()
    for sample in readable(subject):
        webhook = subject.verified(sample.request)
        adapter.webhook_kind(webhook)
        if sample.kind is EndpointKind.TRACKING:
            made: Sequence[Any] = adapter.parse_events(webhook)
        else:
            flow = adapter.inbound_flow(webhook, subject.context())
            made = drive(flow, lambda step: fetch(subject.kit.answer, step))
        yield from ((sample.name, one) for one in made)


def answers(subject: Subject) -> Iterator[tuple[str, str]]:
    """Yield what is answered to deliveries."""
    adapter = subject.webhook_adapter()
    for disposition in Disposition:
        for kind in EndpointKind:
            answer = adapter.webhook_response(disposition, kind)
            yield f"{disposition.value}, {kind.value}", f"{answer.headers} {answer.body.decode('latin-1')}"
