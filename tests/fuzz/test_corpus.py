"""The hostile corpus in short: every mail and body of it, read in full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("nacl", reason="PyNaCl is not installed")

from fuzz import inbound, reading
from fuzz.corpus import CONSTRUCTS
from fuzz.inbound import attack, payload_of, promises_of_mail, promises_of_payload
from mailcore import InboundMessage

pytestmark = pytest.mark.long

#: Reading a small mail takes no 50 MiB: only larger ones are watched for it here.
LARGE = 250_000


@pytest.fixture(autouse=True)
def _shared_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow for the other tests that run beside these; the command holds mails to a second."""
    monkeypatch.setattr(reading, "MAX_SECONDS", 3.0)


class TestCorpus:
    """No accessor raises, none takes long or much, and what is read can be stored."""

    def test_is_large(self) -> None:
        """At least 500 items of 40 constructs, each of which names its threat."""
        assert len(CONSTRUCTS) == len({made.name for made in CONSTRUCTS}) >= 40
        assert sum(1 for made in CONSTRUCTS for _ in made.items()) >= 500
        assert all(made.threat.endswith(".") for made in CONSTRUCTS)

    @pytest.mark.rule("N-I4")
    @pytest.mark.parametrize("made", CONSTRUCTS, ids=lambda made: made.name)
    def test_construct(self, made: Any) -> None:
        """As raw mail, and as a provider delivers it."""
        broken = []
        for number, data in enumerate(made.items(), 1):
            if not made.is_payload:
                broken += [(number, one) for one in promises_of_mail(data)]
            body = data if made.is_payload else payload_of(data)
            kinds = ("inbound", "tracking") if made.is_payload else ("inbound",)
            broken += [(number, one) for one in promises_of_payload(body, kinds=kinds)]
        assert broken == []

    @pytest.mark.parametrize("made", CONSTRUCTS, ids=lambda made: made.name)
    def test_memory(self, made: Any) -> None:
        """No more than three times the mail, and 50 MiB."""
        large = [data for data in made.items() if len(data) >= LARGE and not made.is_payload][:1]
        assert [one for data in large for one in promises_of_mail(data, memory=True)] == []

    def test_mutations(self) -> None:
        """A few hundred of a million."""
        tally = attack(1, 300)
        assert sum(tally.counts.values()) == 300
        assert [finding.broken for finding in tally.findings] == []


class TestPromises:
    """What would go unnoticed if a promise could not be broken."""

    def test_sees_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is raised is a finding, in a mail as in a delivery."""

        def fail(_: InboundMessage) -> Iterator[str]:
            raise IndexError("list index out of range")

        monkeypatch.setattr(inbound, "faults", fail)
        assert promises_of_mail(b"") == ["raised IndexError: list index out of range"]
        found = promises_of_payload(payload_of(b""), kinds=["inbound"])
        assert found == ["raised IndexError: list index out of range"]

    def test_sees_the_unforeseen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An accessor that swallowed an error is a finding too."""
        from mailcore._inbound import message

        monkeypatch.setattr(message, "read_date", lambda *_: 1 // 0)
        assert "unforeseen" in "".join(promises_of_mail(b"Date: x\r\n\r\n"))

    def test_sees_text_that_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Line breaks in a line, and what no database takes."""
        from mailcore._inbound import message

        monkeypatch.setattr(message, "decode_header", lambda *_: "a\r\nBcc: x")
        assert "subject holds a control" in "".join(promises_of_mail(b"Subject: x\r\n\r\n"))

    def test_sees_an_unsafe_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A name that leaves its folder."""
        from mailcore._inbound import attachment

        monkeypatch.setattr(attachment, "safe_filename", lambda *_, **__: "../x")
        found = promises_of_mail(b"Content-Disposition: attachment; filename=x\r\n\r\n")
        assert "a file name is a path" in found

    def test_sees_time_and_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What takes long is measured again by what this process did."""
        monkeypatch.setattr(reading, "MAX_SECONDS", 0.0)
        monkeypatch.setattr(reading, "MAX_MEMORY", -10_000_000)
        assert "took" in promises_of_mail(b"Subject: x\r\n\r\n")[0]
        assert "MiB" in promises_of_mail(b"Subject: x\r\n\r\n", memory=True)[0]

    def test_sees_a_lost_delivery(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A delivery that should be genuine and is refused."""
        monkeypatch.setattr("fuzz.deliveries.signature", lambda _: "x")
        assert promises_of_payload(b"{}", kinds=["inbound"]) == ["answered 401 at inbound, taken by 0"]
