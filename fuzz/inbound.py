"""The hostile corpus, and mutations of it: every accessor is total, soon, and small."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterable
from functools import cache

from fuzz.campaign import Campaign, Finding, Tally
from fuzz.corpus import items
from fuzz.deliveries import Spy, receiver, samples, signed
from fuzz.mutations import change_bytes, change_json, spell_json
from fuzz.reading import bounded_memory, bounded_time, faults
from mailcore import Disposition, InboundMessage, WebhookReceiver

__all__ = ["attack", "payload_of", "promises_of_mail", "promises_of_payload"]

#: Larger mails are in the corpus as they are; mutations of them would be few.
MAX_MUTATED = 4000


def payload_of(raw: bytes) -> bytes:
    """Return what MailPace would post for a mail: text, in which 8-bit parts were decoded."""
    return json.dumps({"raw": raw.decode("utf-8", "replace"), "messageId": "<1@example.com>"}).encode()


def promises_of_mail(raw: bytes, *, memory: bool = False) -> list[str]:
    """Return the promises that do not hold for a raw mail."""
    found: list[str] = []

    def read() -> None:
        found.extend(faults(InboundMessage(raw=raw)))

    return _guarded(read, found, len(raw), memory=memory)


def promises_of_payload(
    body: bytes, *, kinds: Iterable[str] = ("inbound", "tracking"), memory: bool = False
) -> list[str]:
    """Return the promises that do not hold for a genuine delivery with that body."""
    found: list[str] = []
    reader, target = _target()
    for kind in kinds:

        def deliver(kind: str = kind) -> None:
            reader.handled, reader.found = 0, found
            status = target.receive(signed(kind, body).request(), kind=kind).status
            is_large = reader.disposition is Disposition.TOO_LARGE
            if not is_large and (status != 200 or not reader.handled):
                found.append(f"answered {status} at {kind}, taken by {reader.handled}")

        _guarded(deliver, found, len(body), memory=memory)
    return found


class _Reader(Spy):
    """Read all of what is handed over; what is raised here, the receiver would only log."""

    found: list[str]

    def take(self, what: object) -> None:
        super().take(what)
        try:
            if isinstance(what, InboundMessage):
                self.found.extend(faults(what))
        except Exception as error:  # noqa: BLE001  # reason: that any is raised is the finding
            self.found.append(f"raised {type(error).__name__}: {error}"[:200])


@cache
def _target() -> tuple[_Reader, WebhookReceiver]:
    reader = _Reader()
    return reader, receiver(reader)


def _guarded(work: Callable[[], None], found: list[str], size: int, *, memory: bool) -> list[str]:
    try:
        late = bounded_memory(work, size) if memory else bounded_time(work)
    except Exception as error:  # noqa: BLE001  # reason: that any is raised is the finding
        found.append(f"raised {type(error).__name__}: {error}"[:200])
        return found
    if late is not None:
        found.append(late)
    return found


@cache
def _seeds() -> tuple[tuple[bytes, bool], ...]:
    corpus = [(data, made.is_payload) for made, _, data in items() if len(data) <= MAX_MUTATED]
    return (*corpus, *((sample.body, True) for sample in samples()))


def attack(seed: int, count: int) -> Tally:
    """Read that many mutations."""
    chance, tally = random.Random(seed), Tally()
    for _ in range(count):
        data, is_payload = chance.choice(_seeds())
        changed = _changed(data, chance, is_payload=is_payload)
        is_posted = is_payload or chance.random() < 0.1
        if is_posted and not is_payload:
            changed = payload_of(changed)
        broken = promises_of_payload(changed) if is_posted else promises_of_mail(changed)
        tally.counts["as payloads" if is_posted else "as mails"] += 1
        tally.findings += [Finding(one, changed) for one in broken]
    return tally


def _changed(data: bytes, chance: random.Random, *, is_payload: bool) -> bytes:
    if is_payload and chance.random() < 0.5:
        try:
            return spell_json(change_json(json.loads(data), chance), chance)
        except (ValueError, RecursionError):
            pass
    other = chance.choice(_seeds())[0]
    if chance.random() < 0.1 and not is_payload:  # the head of one mail, the body of another
        data = data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]
    return change_bytes(data, chance, times=8)


def _corpus() -> Tally:
    """Read the corpus as it is: each item for time, and for memory."""
    tally = Tally()
    for made, _, data in items():
        for memory in (False, True):
            body = data if made.is_payload else payload_of(data)
            broken = [] if made.is_payload else promises_of_mail(data, memory=memory)
            broken += promises_of_payload(body, memory=memory)
            tally.findings += [Finding(f"{made.name}: {one}", data) for one in broken]
        tally.counts["of the corpus"] += 1
    return tally


CAMPAIGN = Campaign(name="Hostile mail", unit="mutations", default=1_000_000, attack=attack, first=_corpus)
main = CAMPAIGN.main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
