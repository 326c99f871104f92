"""Deliveries that are no deliveries: any body, any headers.

Rule: whatever a stranger sends, the answer is `WebhookRejected`.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from mailcore import Headers, WebhookRequest
from mailcore_conformance._check import Failed, require_none
from mailcore_conformance._subject import Subject
from mailcore_conformance.proofs._proof import Verifier, forgery, genuine, not_refused, proof

__all__ = ["bodies", "headers", "renamed"]


def bodies(subject: Subject) -> None:
    """Send bodies of all kinds, with a forged signature and without any."""
    bad = forgery(subject)
    bare = attrs.evolve(bad, headers=_plain_headers(subject, bad))
    texts = {
        "an empty body": b"",
        "a body of one byte": b"x",
        "a NUL": b"\x00",
        "bytes that are no text": b"\xff\xfe\x00\xd8",
        "half a JSON object": b'{"',
        "JSON null": b"null",
        "a JSON list": b"[[]]",
        "a JSON number": b"1e999",
        "deeply nested JSON": b"[" * 5000,
        "a form without names": b"=&=&%",
        "half a multipart body": b"--",
    }
    cases = [
        (f"With {what}, {how}", attrs.evolve(one, body=body))
        for what, body in texts.items()
        for how, one in (("signed by nobody", bad), ("without a signature", bare))
    ]
    require_none(not_refused(subject, cases))


def headers(subject: Subject) -> None:
    """Send headers of all kinds, with a genuine body and a forged signature."""
    request = forgery(subject)
    plain = _plain_headers(subject, request)
    added: Mapping[str, list[tuple[str, str]]] = {
        "no headers": [],
        "200 headers": [(f"X-Header-{number}", "x" * 50) for number in range(200)],
        "one header 200 times": [("X-Header", "x")] * 200,
        "a header without a name": [("", "x")],
        "names of odd characters": [(f"X-{letter}", "x") for letter in '\x00\r\n\u2028é"=,;: '],
        "values of odd characters": [
            ("X-Header", value) for value in ("\x00", "\r\n", "é", "\udcff", "\U0001f600")
        ],
        "a long value": [("X-Header", "x" * 10_000)],
        "odd types of content": [
            ("Content-Type", value) for value in ("", "é", ";;=", "multipart/form-data")
        ],
        "odd credentials": [
            ("Authorization", value) for value in ("", "Basic", "Basic é", "Bearer x", "Digest =")
        ],
    }
    cases = [
        (f"With {what}", attrs.evolve(request, headers=Headers([*some, *extra])))
        for what, extra in added.items()
        for some in ((), plain, request.headers.pairs)
    ]
    require_none(not_refused(subject, cases))


def _plain_headers(subject: Subject, request: WebhookRequest) -> list[tuple[str, str]]:
    """Return the headers that are no part of the proof."""
    found = proof(subject)
    ours = {place.header for place in (*found.signatures, *found.times)}
    return [pair for pair in request.headers.pairs if pair[0].lower() not in ours]


def renamed(subject: Subject) -> None:
    """Write the names of the headers in other letters."""
    request, verifier = genuine(subject), Verifier(subject)
    for how, spell in {
        "capitals": str.upper,
        "small letters": str.lower,
        "swapped letters": str.swapcase,
    }.items():
        renamed = attrs.evolve(
            request, headers=[(spell(name), value) for name, value in request.headers.pairs]
        )
        try:
            verifier.takes(renamed)
        except Failed as failure:
            raise Failed(f"With header names in {how}: {failure}") from None
