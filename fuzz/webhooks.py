"""Mutated deliveries against a receiver: no stray error, no forgery, documented statuses only."""

from __future__ import annotations

import json
import random
import sys
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any

from fuzz.campaign import Campaign, Finding, Tally
from fuzz.deliveries import (
    HEADER,
    MAX_EVENT,
    Delivery,
    Spy,
    expected_status,
    receiver,
    samples,
    signature,
)
from fuzz.mutations import change_bytes, change_json, spell_json
from mailcore import WebhookReceiver

__all__ = ["attack", "broken", "mutated"]

Chance = random.Random

# Bodies ---------------------------------------------------------------------------------------------


def _same(body: bytes, chance: Chance) -> bytes:
    return body


def _as_json(body: bytes, chance: Chance) -> bytes:
    """Change one value, or only how the same is written."""
    try:
        document = json.loads(body)
    except ValueError:
        return change_bytes(body, chance)
    changed = change_json(document, chance) if chance.random() < 0.8 else document
    return spell_json(changed, chance)


def _nested(body: bytes, chance: Chance) -> bytes:
    levels = chance.choice((3, 63, 64, 65, 2000))
    opening, closing = chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
    return opening * levels + (body or b"0") + closing * levels


def _padded(body: bytes, chance: Chance) -> bytes:
    return chance.choice((b"", b"\n", b"\xef\xbb\xbf")) + body + chance.choice((b"\n", b" ", b"\x00", b"{}"))


def _huge(body: bytes, chance: Chance) -> bytes:
    return body + b" " * (MAX_EVENT - len(body) + chance.choice((-1, 0, 1)))


def _signature_first(body: bytes, chance: Chance) -> bytes:
    """Put a signature before the body, as a library's combined form has it."""
    return b64decode(signature(body)) + body


_BODIES: Mapping[Callable[[bytes, Chance], bytes], int] = {
    _same: 25,
    change_bytes: 30,
    _as_json: 35,
    _nested: 3,
    _padded: 5,
    _huge: 1,
    _signature_first: 1,
}

# Signatures -----------------------------------------------------------------------------------------


def _other_last_letter(text: str, chance: Chance) -> str:
    """Spell it otherwise: four bits of the last letter decode to nothing."""
    return (
        text[:-3] + chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") + "=="
    )


def _other_bits(text: str, chance: Chance) -> str:
    raw = bytearray(b64decode(text))
    raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    return b64encode(raw).decode()


def _plus_order(text: str, chance: Chance) -> str:
    """Add a multiple of the group's order to S: the same equation holds."""
    raw = b64decode(text)
    order = 2**252 + 27742317777372353535851937790883648493
    scalar = int.from_bytes(raw[32:], "little") + chance.randint(1, 15) * order
    return b64encode(raw[:32] + scalar.to_bytes(33, "little")[:32]).decode()


def _longer(text: str, chance: Chance) -> str:
    return b64encode(b64decode(text) + bytes(chance.randint(1, 70))).decode()


def _shorter(text: str, chance: Chance) -> str:
    return b64encode(b64decode(text)[: chance.randrange(64)]).decode()


def _urlsafe(text: str, chance: Chance) -> str:
    return urlsafe_b64encode(b64decode(text)).decode()


def _padding(text: str, chance: Chance) -> str:
    return text.rstrip("=") + "=" * chance.choice((0, 1, 3, 4))


def _inserted(text: str, chance: Chance) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice("\n\t !-_=é\u2028\udcff\0,;\"'") + text[at:]


def _listed(text: str, chance: Chance) -> str:
    return text + chance.choice((",", ", ", " ", "; ")) + text


def _hex(text: str, chance: Chance) -> str:
    return b64decode(text).hex()


def _noise(text: str, chance: Chance) -> str:
    return "".join(chr(chance.choice((chance.randrange(128), chance.randrange(0x11000)))) for _ in range(88))


_SPELLINGS = (
    _other_last_letter, _other_bits, _plus_order, _longer, _shorter, _urlsafe, _padding, _inserted, _listed,
    _hex, _noise,
)  # fmt: skip

# Headers --------------------------------------------------------------------------------------------

_NAMES = (HEADER, HEADER.lower(), HEADER.upper())
_OTHER_NAMES = ("X-Signature", "X_MailPace_Signature", "X-MailPace-Signature ", "X-MailPace-Signature\n")
_EXTRA = (
    ("Content-Encoding", "gzip"), ("content-encoding", " Identity "), ("Content-Encoding", ""),
    ("Content-Encoding", "identity, gzip"), ("Authorization", "Basic eDp5"),
    ("Authorization", "Basic \udcff"),
    ("Content-Length", "-1"), ("Transfer-Encoding", "chunked"), ("X-Forwarded-For", "127.0.0.1"),
    ("Content-Type", "text/plain; charset=utf-7"), ("", ""), ("a\r\nb", "c\r\nd"),
)  # fmt: skip


def _headers(right: str, chance: Chance) -> list[tuple[str, str]]:
    """Return headers around a signature that is right, spelt otherwise, there twice, or not at all."""
    way = chance.random()
    if way < 0.5:
        values = [right]
    elif way < 0.85:
        values = [chance.choice(_SPELLINGS)(right, chance)]
    elif way < 0.95:
        values = [right, chance.choice((right, "", _other_bits(right, chance)))]
    else:
        values = []
    names = _NAMES if chance.random() < 0.95 else _OTHER_NAMES
    return [(chance.choice(names), value) for value in values]


def mutated(chance: Chance) -> Delivery:
    """Return a delivery of the kit with headers, body, method or endpoint changed."""
    base = chance.choice(samples())
    change = chance.choices(list(_BODIES), list(_BODIES.values()))[0]
    body = change(base.body, chance)
    # Half are signed as they are now, so that the code behind the proof is attacked too.
    right = signature(body) if chance.random() < 0.5 else base.headers[1][1]
    headers = _headers(right, chance)
    if chance.random() < 0.1:
        headers.insert(chance.randrange(len(headers) + 1), chance.choice(_EXTRA))
    kind = base.kind if chance.random() < 0.9 else chance.choice(("tracking", "inbound"))
    method = "POST" if chance.random() < 0.98 else chance.choice(("HEAD", "GET", "post", "PUT", "", "P\nOST"))
    return Delivery(kind=kind, headers=tuple(headers), body=body, method=method)


# Promises -------------------------------------------------------------------------------------------


def broken(delivery: Delivery, target: WebhookReceiver, spy: Spy, counts: Any) -> str | None:
    """Deliver it and return the promise that did not hold, if any."""
    spy.handled = 0
    try:
        status = target.receive(delivery.request(), kind=delivery.kind).status
    except Exception as error:  # noqa: BLE001  # reason: that any is raised is the finding
        return f"raised {type(error).__name__}: {error}"
    expected = expected_status(delivery)
    counts[f"answered {status}"] += 1
    if spy.handled:
        counts["handed over"] += 1
    if status != expected:
        return f"answered {status}, not {expected}"
    is_proved = expected == 200 and delivery.method.upper() == "POST"
    if bool(spy.handled) is not is_proved:
        return "handed over without proof" if spy.handled else "acknowledged, and handed to nobody"
    return None


def attack(seed: int, count: int) -> Tally:
    """Deliver that many, and return what came of them."""
    chance, spy, tally = random.Random(seed), Spy(), Tally()
    target = receiver(spy)
    for _ in range(count):
        delivery = mutated(chance)
        found = broken(delivery, target, spy, tally.counts)
        if found is not None:
            tally.findings.append(Finding(found, delivery.as_bytes()))
    return tally


CAMPAIGN = Campaign(name="Mutated webhooks", unit="pairs", default=10_000_000, attack=attack)
main = CAMPAIGN.main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
