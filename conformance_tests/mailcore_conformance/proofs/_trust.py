"""Which keys and passwords are trusted, and what is said of the one that matched.

Rule: a key is trusted exactly while it is configured, and its label may be shown to anyone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from mailcore import (
    Capability,
    ConfigurationError,
    Covers,
    Secret,
    Verification,
    WebhookReceiver,
    WebhookRequest,
)
from mailcore_conformance._check import Failed, not_applicable_unless, require, require_none
from mailcore_conformance._subject import Subject
from mailcore_conformance.proofs._proof import Verifier, genuine, holding, not_refused, proof, shortest

__all__ = [
    "alone",
    "any_of_several",
    "any_order",
    "both",
    "dropped",
    "matched",
    "none",
    "said",
    "undeclared",
    "unmatched",
]

#: The credentials that `Subject.vouched` presents.
CREDENTIALS = "conformance:correct"
_BASIC = "Basic Y29uZm9ybWFuY2U6Y29ycmVjdA=="
#: Shorter pieces of a key are in any text.
TELLING = 6


# Several keys ---------------------------------------------------------------------------------------


def _each_verifies(subject: Subject, keys: Sequence[int]) -> None:
    verifier = Verifier(subject, keys=keys)
    for place, key in enumerate(keys, 1):
        try:
            verifier.takes(genuine(subject, key=key))
        except Failed as failure:
            raise Failed(f"Signed with key {place} of the {len(keys)} configured: {failure}") from None


def any_of_several(subject: Subject) -> None:
    """Trust three keys."""
    _each_verifies(subject, (0, 1, 2))


def any_order(subject: Subject) -> None:
    """Trust two keys, the new one first."""
    _each_verifies(subject, (1, 0))


def dropped(subject: Subject) -> None:
    """Trust another key than the one that was trusted before."""
    request = genuine(subject)
    Verifier(subject).takes(request)
    require_none(
        not_refused(subject, [("It is signed with a key that is no longer configured", request)], keys=(1,))
    )


# What is said of a proof ----------------------------------------------------------------------------


def said(subject: Subject) -> None:
    """Look at the verification of a genuine delivery."""
    found = Verifier(subject).takes(genuine(subject))
    _require_sound(found, _texts(subject.webhook_configuration()))
    require(
        found.covers is not Covers.NOTHING, "webhook.signature is declared, and verification covers nothing."
    )
    require(
        found.covers is subject.covers,
        f"Verification covers {found.covers.value}, and webhook_covers says {subject.covers.value}.",
    )


def _require_sound(found: Verification, secrets: Iterable[str]) -> None:
    require(isinstance(found.scheme, str) and found.scheme, "Verification.scheme is empty.")
    require(isinstance(found.key, str) and found.key, "Verification.key is empty: name the key that matched.")
    for secret in secrets:
        showing = secret in found.key or (len(found.key) >= TELLING and found.key in secret)
        require(not showing, "Verification.key holds the key, or a part of it. A label is no secret.")


def _texts(value: Any) -> Iterator[str]:
    """Yield what a configuration holds that could be a key."""
    if isinstance(value, Secret):
        value = value.reveal()
    if isinstance(value, str):
        yield from [value] if len(value) >= TELLING else []
    elif isinstance(value, Mapping):
        yield from (text for name, item in value.items() if name != "provider" for text in _texts(item))
    elif isinstance(value, Iterable):
        yield from (text for item in value for text in _texts(item))


def undeclared(subject: Subject) -> None:
    """Compare what is declared with what the kit and the adapter do."""
    signs = subject.kit.sign is not None or subject.covers is not Covers.NOTHING
    tested = subject.can(Capability.WEBHOOK_SIGNATURE) or not signs
    require(
        tested, "It verifies, or its kit signs, and webhook.signature is not declared: none of it was tested."
    )


def none(subject: Subject) -> None:
    """Configure a receiver without any proof of origin."""
    shortest(subject)
    needed = [name for name in subject.webhook_configuration() if name not in ("provider", "webhook_secret")]
    not_applicable_unless(needed or subject.kit.sign is None, "Verification needs no option.")
    try:
        WebhookReceiver.from_config({"provider": subject.spec.name}, environ={}, host=subject.host)
    except ConfigurationError as error:
        unnamed = needed and not any(name in str(error) for name in needed)
        require(not unnamed, f"The error does not name the option {' or '.join(needed)}: {error}")
        return
    raise Failed("A receiver is made that has neither a key nor basic auth.")


# Basic auth -----------------------------------------------------------------------------------------


def both(subject: Subject) -> None:
    """Configure keys and basic auth, and deliver with one of the two."""
    like, signed = shortest(subject), genuine(subject)
    unsigned = _with_credentials(signed, _BASIC)
    for place in proof(subject).signatures:
        unsigned = place.with_value(unsigned, None)
    for what, request in {"without a signature": unsigned, "without basic auth": signed}.items():
        found = subject.receive(request, like.kind, webhook_secret=CREDENTIALS)
        require(found.refused, f"Both are configured, and a delivery {what} is not refused.")
    found = subject.receive(_with_credentials(signed, _BASIC), like.kind, webhook_secret=CREDENTIALS)
    require(found.events or found.mails, "Both are configured, and a delivery with both is not handled.")


def _relying(subject: Subject) -> Subject:
    """Return the adapter as it is where basic auth alone vouches."""
    kit = attrs.evolve(subject.kit, webhook_options=None, sign=None)
    relying = Subject(subject.spec, kit, host=subject.host)
    covers = relying.covers
    not_applicable_unless(covers is Covers.NOTHING, f"Without a key, verification covers {covers.value}.")
    return relying


def alone(subject: Subject) -> None:
    """Deliver a sample of each kind with basic auth, to a receiver without a key."""
    shortest(subject)
    relying = _relying(subject)
    for delivery in {one.kind: one for one in holding(subject)}.values():
        found = relying.delivered(delivery)
        handled = found.events or found.mails
        require(handled, f"{delivery.name} comes with the right basic auth, and is not handled.")


def unmatched(subject: Subject) -> None:
    """Ask the adapter itself of deliveries whose basic auth core did not match."""
    request = shortest(subject).request
    cases = {
        "no credentials": request,
        "a password": _with_credentials(request, _BASIC),
        "another password": _with_credentials(request, "Basic eDp4"),
        "half a header": _with_credentials(request, "Basic"),
        "a token": _with_credentials(request, "Bearer x"),
    }
    found = ((f"With {what} that core did not match", one) for what, one in cases.items())
    require_none(not_refused(_relying(subject), found))


def _with_credentials(request: WebhookRequest, value: str) -> WebhookRequest:
    return attrs.evolve(request, headers=[*request.headers.pairs, ("Authorization", value)])


def matched(subject: Subject) -> None:
    """Look at the verification of a delivery whose basic auth core matched."""
    request = _with_credentials(shortest(subject).request, _BASIC)
    found = Verifier(_relying(subject)).takes(attrs.evolve(request, basic_auth="conformance"))
    user, password = CREDENTIALS.split(":")
    _require_sound(found, (password, _BASIC.split()[1]))
    require(found.key == user, "Verification.key is not the label that `WebhookRequest.basic_auth` gives.")
    require(
        found.covers is Covers.NOTHING,
        f"Basic auth proves nothing of a body; {found.covers.value} is claimed.",
    )
