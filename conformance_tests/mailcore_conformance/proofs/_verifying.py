"""What verifying as a whole does: what it takes, what it parses, and what it fetches."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import attrs

from mailcore import (
    Capability,
    Context,
    Covers,
    HttpRequest,
    Request,
    Response,
    Verification,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)
from mailcore_conformance._check import Failed, not_applicable_unless, require
from mailcore_conformance._sample import Delivery
from mailcore_conformance._subject import NOW, UNIQUE, Subject, drive, fetch
from mailcore_conformance.proofs._body_fields import fields, with_extra
from mailcore_conformance.proofs._place import Place
from mailcore_conformance.proofs._proof import (
    Verifier,
    forgery,
    genuine,
    presented,
    proof,
    shortest,
    unless_covers,
)

__all__ = ["elsewhere", "few", "samples", "unparsed"]

#: A certificate, its issuer's, and a list of those withdrawn.
MAX_FETCHES = 3
STRANGER = "stranger.example"


# Genuine deliveries ---------------------------------------------------------------------------------


def samples(subject: Subject) -> None:
    """Verify each sample as it is, one that nobody saw before, and one that is nothing."""
    declared = subject.can(Capability.WEBHOOK_TRACKING) or subject.can(Capability.WEBHOOK_INBOUND)
    not_applicable_unless(declared, "The adapter takes no webhooks.")
    verifier = Verifier(subject)
    for delivery in subject.kit.deliveries:
        _require_genuine(verifier, presented(subject, delivery.request), delivery)
    like = shortest(subject)
    unseen = subject.signed(_unseen(subject, like.request).body, like=like)
    try:
        verifier.takes(presented(subject, unseen))
    except Failed as failure:
        raise Failed(f"A delivery like {like.name}, with a body never seen before: {failure}") from None
    with suppress(WebhookRejected):
        verifier(WebhookRequest(body=b"nonsense", received_at=NOW))
        raise Failed("A delivery of nonsense, without any header, is taken for genuine.")


def _require_genuine(verifier: Verifier, request: WebhookRequest, delivery: Delivery) -> None:
    if delivery.refused is not None or delivery.expected.get("error") == WebhookRejected.__name__:
        return  # a sample of what is to be refused
    try:
        found = verifier(request, at=request.received_at)
    except WebhookRejected as error:
        raise Failed(f"{delivery.name} is refused: {error}") from None
    wanted = (Verification, WebhookResponse) if "response" in delivery.expected else Verification
    require(isinstance(found, wanted), f"{delivery.name} becomes {type(found).__name__}, no Verification.")


def _unseen(subject: Subject, request: WebhookRequest) -> WebhookRequest:
    text = hashlib.sha256(subject.secret.encode()).hexdigest()
    changed = with_extra(request, text)
    return changed if changed != request else attrs.evolve(request, body=request.body + text.encode())


def unparsed(subject: Subject) -> None:
    """Verify signed bodies that no parser takes."""
    unless_covers(subject, Covers.BODY)
    not_applicable_unless(proof(subject).in_headers, "The signature is in the body.")
    verifier, like = Verifier(subject), shortest(subject)
    bodies = {
        "text": b"neither JSON nor a form",
        "bytes that are no text": b"\xff\xfe\x00\xd8",
        "half a JSON object": b'{"a":',
        "JSON null": b"null",
        "deeply nested JSON": b"[" * 5000,
    }
    for what, body in bodies.items():
        try:
            verifier.takes(subject.signed(body, like=like))
        except Failed as failure:
            raise Failed(f"The signed body is {what}: {failure}") from None


# Requests -------------------------------------------------------------------------------------------


def _watched(subject: Subject, request: WebhookRequest, watch: Callable[[Request], object]) -> None:
    """Verify a delivery, and show each request that this takes."""
    context = Context(now=NOW, created=NOW, unique=UNIQUE)

    def exchange(step: Request) -> Response:
        watch(step)
        return fetch(subject.kit.answer, step)

    with suppress(WebhookRejected):
        drive(subject.webhook_adapter().verify_flow(request, context), exchange)


def few(subject: Subject) -> None:
    """Count the requests that verifying takes."""
    for what, request in {"genuine": genuine(subject), "forged": forgery(subject)}.items():
        made: list[Request] = []

        def watch(step: Request, made: list[Request] = made, what: str = what) -> None:
            made.append(step)
            require(not step.commits, f"Verifying a {what} delivery makes a request with commits=True.")
            few_enough = len(made) <= MAX_FETCHES
            require(few_enough, f"Verifying a {what} delivery takes more than {MAX_FETCHES} requests.")

        _watched(subject, request, watch)


def elsewhere(subject: Subject) -> None:
    """Point each address in a delivery to a stranger, and see who is asked."""
    request = genuine(subject)
    known: list[str] = []
    _watched(subject, request, lambda step: known.append(_origin(step)))

    def watch(step: Request) -> None:
        origin = _origin(step)
        where = (
            "an address without https" if origin.startswith("http:") else "an address that the delivery names"
        )
        require(origin in known, f"Verification fetches from {where}; anyone can write that.")

    for changed in _misled(request):
        _watched(subject, changed, watch)


def _origin(step: Request) -> str:
    parts = urlsplit(step.url if isinstance(step, HttpRequest) else "")
    return f"{parts.scheme}://{parts.netloc}"


def _misled(request: WebhookRequest) -> Iterator[WebhookRequest]:
    places = [Place(header=name) for name in request.headers] + [
        Place(field=path) for path in fields(request)
    ]
    for place in places:
        url = urlsplit(place.value(request).strip())
        if url.scheme not in ("http", "https") or not url.netloc:
            continue
        for netloc in (STRANGER, f"{url.netloc}.{STRANGER}", f"{url.netloc}@{STRANGER}", f"x{url.netloc}"):
            yield place.with_value(request, url._replace(netloc=netloc).geturl())
        yield place.with_value(request, url._replace(scheme="http").geturl())
