"""Mutated deliveries in short: no stray error, no forgery, documented statuses only."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import attrs
import pytest

pytest.importorskip("nacl", reason="PyNaCl is not installed")

from fuzz.deliveries import HEADER, Spy, expected_status, is_genuine, receiver, samples, signed
from fuzz.flips import accepted
from fuzz.webhooks import attack, broken, mutated
from mailcore_mailpace._signature import KeyRing

pytestmark = pytest.mark.long

PAIRS = 20_000


def found_in(seed: int, count: int, target: Any, spy: Spy) -> set[str]:
    """Return the promises that mutations break."""
    chance = random.Random(seed)
    return {one for _ in range(count) if (one := broken(mutated(chance), target, spy, Counter()))}


class TestMutations:
    """20,000 of ten million."""

    @pytest.mark.rule("MP-C17", "MP-W6")
    @pytest.mark.parametrize("seed", range(4))
    def test_no_promise_is_broken(self, seed: int, caplog: pytest.LogCaptureFixture) -> None:
        """Every outcome is met, and each is the one that PyNaCl alone and the documented table give."""
        caplog.set_level("CRITICAL")
        tally = attack(seed, PAIRS // 4)
        assert [finding.broken for finding in tally.findings] == []
        assert {f"answered {status}" for status in (200, 401, 405, 413, 415)} < set(tally.counts)

    def test_any_time_is_recent_enough(self) -> None:
        """An event of the year 21 is handed over as well: nothing here is too old by its own time."""
        spy = Spy()
        [sample] = [one for one in samples() if b"2021-11-16T14:50:17.731Z" in one.body]
        old = signed("tracking", sample.body.replace(b"2021-11-16T14:50:17", b"0021-11-16T14:50:17"))
        assert broken(old, receiver(spy), spy, Counter()) is None


class TestPromises:
    """What would go unnoticed if a promise could not be broken."""

    def test_sees_a_forgery(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A ring that takes any signature."""
        monkeypatch.setattr(KeyRing, "verify", lambda ring, _: ring._keys[0][0])
        spy = Spy()
        assert "answered 200, not 401" in found_in(1, 300, receiver(spy), spy)

    def test_sees_another_spelling(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A decoder that takes each of the texts that decode to the same bytes."""
        from base64 import b64decode

        def loose(text: str, length: int) -> bytes | None:
            try:
                raw = b64decode(text)
            except ValueError:
                return None
            return raw if len(raw) == length else None

        monkeypatch.setattr("mailcore_mailpace._signature.decoded", loose)
        spy = Spy()
        assert "answered 200, not 401" in found_in(1, 4000, receiver(spy), spy)

    def test_sees_a_stray_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever a receiver raises."""
        spy = Spy()
        target = receiver(spy)
        monkeypatch.setattr(target, "_precheck", lambda *_: 1 // 0)
        assert "raised ZeroDivisionError" in "".join(found_in(1, 10, target, spy))

    def test_sees_a_lost_delivery(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A genuine delivery that nobody gets."""
        spy = Spy()
        target = receiver(spy)
        monkeypatch.setattr(spy, "take", None)
        monkeypatch.setattr(target, "_dispatcher", attrs.evolve(target._dispatcher, handlers={}))
        monkeypatch.setattr(target._dispatcher.quarantine, "_keep", lambda _: None)
        assert "acknowledged, and handed to nobody" in found_in(1, 300, target, spy)


class TestOracle:
    """The judge of the mutations, who shares no code with the judged."""

    @pytest.mark.parametrize("sample", samples())
    def test_knows_the_genuine(self, sample: Any) -> None:
        """Deliveries of the kit, signed."""
        assert is_genuine(sample)
        assert expected_status(sample) == 200

    @pytest.mark.parametrize("value", ["", "=" * 88, "A" * 88, "!" * 86 + "==", "A" * 86 + "=="])
    def test_knows_the_forged(self, value: str) -> None:
        """A signature that is none, of something else, or there twice."""
        genuine = signed("tracking", b"{}")
        forged = [
            attrs.evolve(genuine, headers=((HEADER, value),)),
            attrs.evolve(genuine, headers=(*genuine.headers, (HEADER.lower(), value))),
            attrs.evolve(genuine, body=b"{ }"),
        ]
        assert not any(map(is_genuine, forged))


class TestBits:
    """Every bit, changed one at a time; a body of 4 KiB."""

    @pytest.mark.rule("MP-C17", "MP-W6")
    @pytest.mark.parametrize("what, step, bits", [("key", 1, 256), ("signature", 1, 512), ("body", 11, 2979)])
    def test_none_is_accepted(self, what: str, step: int, bits: int) -> None:
        """All of key and signature, and every eleventh of the body; the command tries them all."""
        found = list(accepted(what, step))
        assert (len(found), sum(found)) == (bits, 0)
