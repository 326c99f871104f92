"""What is answered to a delivery.

Rule 1: an error makes the provider try again, or switch the endpoint off. So a delivery that was taken, in
        whatever way, is acknowledged, and one that was not is not.
Rule 2: an answer tells a stranger nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import attrs

from mailcore import Covers, Disposition, EndpointKind, WebhookRequest, WebhookResponse
from mailcore_conformance._check import Failed, check, not_applicable_unless, require, require_none
from mailcore_conformance._sample import Delivery
from mailcore_conformance._subject import Received, Subject
from mailcore_conformance.proofs._body_fields import fields, has_json, with_extra, with_field
from mailcore_conformance.proofs._proof import shortest

#: An answer is for a machine, which reads its status.
MAX_BODY = 1024
#: Statuses that cannot have a body.
BODILESS = (204, 205, 304)

#: Disposition → what it means, what goes wrong otherwise, and the statuses that say so.
_FAMILIES: Mapping[Disposition, tuple[str, str, range]] = {
    Disposition.ACCEPTED: (
        "A delivery that was handled is acknowledged.",
        "The provider sends it again, or switches the endpoint off.",
        range(200, 300),
    ),
    Disposition.DUPLICATE: (
        "A delivery that came before is acknowledged.",
        "It comes again for ever: every repeat is refused for being one.",
        range(200, 300),
    ),
    Disposition.STALE: (
        "A delivery that is too old is acknowledged.",
        "It gets no younger: each repeat is refused as well, until the endpoint is switched off.",
        range(200, 300),
    ),
    Disposition.QUARANTINED: (
        "A delivery that was not understood, and was kept, is acknowledged.",
        "A repeat cannot help. Some providers answer a refused mail with a bounce to its innocent sender.",
        range(200, 300),
    ),
    Disposition.MISROUTED: (
        "A delivery of the other kind, which was kept, is acknowledged.",
        "A repeat goes to the same endpoint, until that is switched off.",
        range(200, 300),
    ),
    Disposition.HANDSHAKE: (
        "A handshake is acknowledged.",
        "The provider does not accept the endpoint.",
        range(200, 300),
    ),
    Disposition.PROBE: (
        "A HEAD request finds the endpoint there.",
        "Providers that look first take the endpoint for broken.",
        range(200, 300),
    ),
    Disposition.UNAUTHENTICATED: (
        "A delivery that is not shown to be genuine is refused with a 4xx.",
        "Success tells a forger that it worked; a 5xx invites to try again.",
        range(400, 500),
    ),
    Disposition.TOO_LARGE: (
        "A delivery that is too large is refused with a 4xx.",
        "The sender believes that it arrived, or sends it again and again.",
        range(400, 500),
    ),
    Disposition.BAD_METHOD: (
        "A request that is no POST is refused with a 4xx.",
        "Search engines and monitors take the endpoint for a page, or for a server that is down.",
        range(400, 500),
    ),
    Disposition.BAD_ENCODING: (
        "A compressed delivery is refused with a 4xx.",
        "The sender believes that it was read.",
        range(400, 500),
    ),
    Disposition.UNAVAILABLE: (
        "A delivery that nobody could keep is not acknowledged.",
        "The provider forgets it, and it is lost for good.",
        range(400, 600),
    ),
}


def _answers(subject: Subject, disposition: Disposition) -> Iterator[tuple[str, WebhookResponse]]:
    """Yield what the adapter answers at each kind of endpoint."""
    shortest(subject)
    adapter = subject.webhook_adapter()
    for kind in EndpointKind:
        found = adapter.webhook_response(disposition, kind)
        where = f"{disposition.value} at the {kind.value} endpoint"
        if not isinstance(found, WebhookResponse):
            raise Failed(f"The answer to {where} is {type(found).__name__}, no WebhookResponse.")
        yield where, found


def _status_check(disposition: Disposition, title: str, why: str, wanted: range) -> None:
    shown = (
        f"{wanted[0] // 100}xx" if len(wanted) == 100 else f"{wanted[0] // 100}xx or {wanted[-1] // 100}xx"
    )

    @check(
        f"D02.{disposition.value}",
        title,
        why=why,
        fix=f"Answer it with {shown} in `webhook_response`; where unsure, leave it to the base class.",
    )
    def status(subject: Subject) -> None:
        require_none(
            f"The answer to {where} is {found.status!r}, not {shown}."
            for where, found in _answers(subject, disposition)
            if type(found.status) is not int or found.status not in wanted
        )


for _disposition, _family in _FAMILIES.items():
    _status_check(_disposition, *_family)


@check(
    "D01",
    "Every answer is well-formed: a small body, headers of plain text, and no address to go to.",
    why="An answer that no server can write becomes an error 500, and no machine reads a page.",
    fix="Return `WebhookResponse(status=...)` without a body, or with a word, and the headers it needs.",
)
def well_formed(subject: Subject) -> None:
    """Look at the answer to everything."""
    require_none(
        f"The answer to {where} {fault}."
        for disposition in Disposition
        for where, found in _answers(subject, disposition)
        for fault in _faults(found)
    )


def _faults(found: WebhookResponse) -> Iterator[str]:
    if not isinstance(found.body, bytes):
        yield f"has a body of type {type(found.body).__name__}"
    elif len(found.body) >= MAX_BODY:
        yield f"has a body of {len(found.body)} bytes"
    elif found.body and found.status in BODILESS:
        yield f"has a body, which {found.status} cannot have"
    for pair in found.headers:
        if len(pair) != 2 or not all(
            isinstance(text, str) and text.isascii() and text.isprintable() for text in pair
        ):
            yield "has a header that is not a pair of printable texts"
        elif pair[0].lower() in ("location", "set-cookie"):
            yield f"has the header {pair[0]}"


@check(
    "D04",
    "The answer to another method names the right one.",
    why="HTTP demands it of a 405, and whoever set the endpoint up sees at once what is wrong.",
    fix='Add the header `("Allow", "POST, HEAD")` where `webhook_response` answers 405.',
)
def allowed(subject: Subject) -> None:
    """Look at what the answer to another method allows."""
    for where, found in _answers(subject, Disposition.BAD_METHOD):
        methods = [value for name, value in found.headers if name.lower() == "allow"]
        named = any("POST" in value.split(", ") for value in methods)
        require(
            found.status != 405 or named,
            f"The answer to {where} is 405 without a header Allow that has POST.",
        )


# Deliveries as a whole ------------------------------------------------------------------------------


def _canary(subject: Subject) -> str:
    return hashlib.sha256(f"answers {subject.secret}".encode()).hexdigest()[:24]


def _said(response: WebhookResponse) -> str:
    return " ".join(
        [response.body.decode("utf-8", "replace"), *(text for pair in response.headers for text in pair)]
    )


@check(
    "D03",
    "Nothing of a delivery is in the answer to it.",
    why="A page that repeats what it was sent runs a stranger's script, or shows mail to whoever asks.",
    fix="Answer with a status; keep nothing of a request in the adapter.",
)
def silent(subject: Subject) -> None:
    """Mark deliveries, and look for the mark in the answers."""
    like, canary = shortest(subject), _canary(subject)
    marked = attrs.evolve(
        like.request,
        url=f"https://app.example/{canary}",
        headers=[*like.request.headers.pairs, ("X-Mark", canary)],
    )
    for what, request in {
        "genuine": subject.signed(like.request.body, like=attrs.evolve(like, request=marked)),
        "forged": attrs.evolve(marked, body=like.request.body + canary.encode()),
    }.items():
        found = subject.receive(request, like.kind)
        require(canary not in _said(found.response), f"The answer to a {what} delivery holds a part of it.")


@check(
    "D10.raises",
    "A delivery at which the handler raised is handled when it comes again.",
    why="The handler could not store it. If the second attempt is passed over, it is lost.",
    fix="Keep nothing between deliveries: what was handled is for core's replay store to know.",
)
def asked_again(subject: Subject) -> None:
    """Let the handler fail once."""
    like = shortest(subject)
    handled: list[object] = []
    failing = [True]

    def handle(item: object) -> None:
        if failing:
            raise RuntimeError("The store is down.")
        handled.append(item)

    request = subject.signed(like.request.body, like=like)
    kind = like.kind or EndpointKind.TRACKING
    receiver = subject.receiver(on_event=handle, on_inbound=handle)
    receiver.receive(request, kind=kind)
    failing.clear()
    receiver.receive(request, kind=kind)
    require(handled, "The handler raised, the same delivery came again, and was not handled.")


@check(
    "D10.unknown",
    "A genuine delivery of a shape that nobody documented is kept.",
    why="Providers add things. What is taken for a delivery of no events is gone, and nobody hears of it.",
    fix="Return None from `webhook_kind` for a shape that is neither; core keeps the delivery.",
)
def unknown(subject: Subject) -> None:
    """Deliver what nobody documented."""
    like = shortest(subject)
    not_applicable_unless(
        subject.covers is not Covers.FIELDS, "The fields under the signature are a documented shape."
    )
    for kind in EndpointKind:
        found = subject.receive(_unknown(subject, like), kind)
        _require_kept(f"A delivery of an unknown shape, at the {kind.value} endpoint,", found)


def _unknown(subject: Subject, like: Delivery) -> WebhookRequest:
    """Return a signed delivery in the form of a sample that says nothing the provider documents."""
    request = like.request
    if has_json(request):
        changed = attrs.evolve(request, body=b'{"conformance":"unknown"}')
    else:
        changed = with_extra(request, "unknown")
        for path in fields(request):
            changed = with_field(changed, path, None)
    return subject.signed(changed.body, like=like)


def _require_kept(what: str, found: Received) -> None:
    require(not (found.events or found.mails), f"{what} is handled as if it belonged there.")
    require(found.quarantined, f"{what} is acknowledged, and kept nowhere.")
