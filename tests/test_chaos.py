"""A local provider on a bad day: each fault is what it says, and the books stay true."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from mailcore import ConfigurationError, Mailer, MaybeSent, Message, RateLimited, SendError, SendOutcome
from mailcore.sandbox import Chaos, LocalProvider

pytestmark = pytest.mark.loopback


def mail(subject: str = "Hi") -> Message:
    """Return a mail that can be told by its subject."""
    return Message(from_="ada@example.com", to="bob@example.com", subject=subject, text="Hello")


def mailer(local: LocalProvider, **settings: Any) -> Mailer:
    """Return a mailer that takes no pauses."""
    return Mailer.from_config({**local.settings, **settings}, environ={}, sleep=lambda _: None)


class TestFaults:
    """One at a time."""

    @pytest.mark.parametrize(
        "fault,error,taken",
        [
            ("throttled", RateLimited, 0),
            ("failed", MaybeSent, 0),
            ("failed_after", MaybeSent, 1),
            ("dropped", MaybeSent, 1),
            ("garbled", MaybeSent, 1),
        ],
    )
    def test_is_what_it_says(self, fault: str, error: type[SendError], taken: int) -> None:
        """The send ends as documented, and the provider has the mail or has it not."""
        with LocalProvider("mailpace", chaos=Chaos(**{fault: 1.0})) as local:
            with mailer(local, max_attempts=1) as made, pytest.raises(error):
                made.send(mail())
            assert len(local.emulator.sent) == taken  # type: ignore[attr-defined]  # reason: MailPace's own

    def test_latency(self) -> None:
        """A slow answer runs into the clock."""
        slow = Chaos(latency=1.0)
        with (
            LocalProvider("mailpace", chaos=slow) as local,
            mailer(local, deadline=0.1) as made,
            pytest.raises(MaybeSent, match="timeout"),
        ):
            made.send(mail())

    def test_none(self) -> None:
        """Without a share of anything, everything works."""
        with LocalProvider("mailpace", chaos=Chaos()) as local, mailer(local) as made:
            assert made.send(mail()).message_id == "1"

    def test_may_change(self) -> None:
        """An outage ends while the provider serves."""
        chaos = Chaos(failed=1.0)
        with LocalProvider("mailpace", chaos=chaos) as local, mailer(local, max_attempts=1) as made:
            with pytest.raises(MaybeSent):
                made.send(mail())
            chaos.failed = 0.0
            assert made.send(mail()).message_id == "1"


class TestManyMails:
    """All at once."""

    def test_nothing_lost_nothing_twice(self) -> None:
        """What is not settled by itself is by the caller, under the same key."""
        chaos = Chaos(throttled=0.1, failed=0.1, failed_after=0.1, dropped=0.1, garbled=0.1, seed=1)
        with LocalProvider("mailpace", chaos=chaos) as local, mailer(local) as made:
            outcomes = made.send_many([mail(str(number)) for number in range(60)])
            for outcome in outcomes:
                settle(made, outcome)
            taken = Counter(sent.payload["subject"] for sent in local.emulator.sent)  # type: ignore[attr-defined]  # reason: MailPace's own
        assert taken == {str(number): 1 for number in range(60)}
        assert any(outcome.result is not None and len(outcome.result.attempts) > 1 for outcome in outcomes)


def settle(made: Mailer, outcome: SendOutcome) -> None:
    """Repeat a mail under its key until it is accepted."""
    error = outcome.error
    while error is not None:
        assert isinstance(error, SendError)
        try:
            made.send(outcome.message, idempotency_key=error.idempotency_key)
        except SendError as again:
            error = again
        else:
            return


class TestShares:
    """What is asked for."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"failed": 1.1},
            {"dropped": -0.1},
            {"latency": 61},
            {"latency": -1},
            {"failed": "1"},
            {"latency": (1, 2)},
        ],
    )
    def test_refused(self, changes: dict[str, Any]) -> None:
        """A share that is none is refused, by name."""
        with pytest.raises(ConfigurationError, match=next(iter(changes))):
            Chaos(**changes)

    def test_too_much(self) -> None:
        """No more than everything can go wrong."""
        with pytest.raises(ConfigurationError, match="more than 1"):
            Chaos(failed=0.6, dropped=0.6)

    def test_seed(self) -> None:
        """The same seed draws the same faults."""
        one, other = Chaos(failed=0.5, seed=7), Chaos(failed=0.5, seed=7)
        first = [one._drawn() for _ in range(20)]
        assert first == [other._drawn() for _ in range(20)]
        assert {None, "failed"} == set(first)
