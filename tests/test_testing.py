"""The doubles that users' tests are given do what they say."""

from __future__ import annotations

import asyncio

import pytest

import mailcore_mailpace
from mailcore import (
    AsyncMailer,
    Deadline,
    HttpRequest,
    HttpResponse,
    Mailer,
    Message,
    NotAccepted,
    Phase,
    PluginHost,
    RateLimited,
    TransportFailure,
)
from mailcore._retry import LIMITS, Limits
from mailcore.testing import RecordingTransport, no_pauses, outbox, retries

MESSAGE = Message(from_="ada@example.com", to=["bob@example.com"], text="Hello")
REQUEST = HttpRequest(method="POST", url="https://api.example.com/send")


class TestRecordingTransport:
    """Requests on record, answers from a script."""

    def test_answers_in_order(self) -> None:
        """Each answer once, and the last one from then on."""
        transport = RecordingTransport(
            HttpResponse(status=500), lambda request: request.url, HttpResponse(status=200)
        )
        answers = [transport.exchange(REQUEST, deadline=Deadline(1)) for _ in range(4)]
        assert [getattr(answer, "status", answer) for answer in answers] == [500, REQUEST.url, 200, 200]
        assert transport.requests == [REQUEST] * 4

    def test_exceptions_are_raised(self) -> None:
        """Networks that fail can be played."""
        transport = RecordingTransport(TransportFailure(Phase.SENT, "Lost."))
        with pytest.raises(TransportFailure, match="Lost"):
            transport.exchange(REQUEST, deadline=Deadline(1))
        assert transport.requests == [REQUEST]

    def test_without_a_script(self) -> None:
        """A request that nobody expected is a failed assertion, and on record."""
        transport = RecordingTransport()
        with pytest.raises(AssertionError, match="expected"):
            transport.exchange(REQUEST, deadline=Deadline(1))
        assert transport.requests == [REQUEST]


class TestRetries:
    """Repeats without the waiting."""

    @pytest.fixture
    def waited(self) -> list[float]:
        """Return the pauses that `send` makes, in seconds."""
        return []

    @pytest.fixture
    def answers(self) -> list[object]:
        """Return what the provider says: nothing, so that each attempt fails."""
        return [TransportFailure(Phase.CONNECTING, "Nobody is there.")]

    @pytest.fixture
    def mailer(self, answers: list[object], waited: list[float]) -> Mailer:
        """Return a mailer that is made before the switch is thrown."""
        return Mailer.from_config(
            {"provider": "mailpace", "api_key": "k"},
            environ={},
            host=PluginHost({"mailpace": mailcore_mailpace}, installed=False),
            transport=RecordingTransport(*answers),
            sleep=waited.append,
            random=lambda: 0.5,
        )

    def attempts(self, mailer: Mailer) -> int:
        """Return how often a send is tried."""
        with pytest.raises(NotAccepted) as caught:
            mailer.send(MESSAGE)
        return len(caught.value.attempts)

    def test_no_pauses(self, mailer: Mailer, waited: list[float]) -> None:
        """As many attempts as ever, and no time between them; after the block it is as before."""
        with no_pauses():
            assert self.attempts(mailer) == 4
        assert waited == [0, 0, 0]
        assert self.attempts(mailer) == 4
        assert waited[3:] == [0.25, 0.5, 1]

    def test_fewer_attempts(self, mailer: Mailer, waited: list[float]) -> None:
        """The smallest number counts: that of a block, of one around it, or of the settings."""
        with retries(max_attempts=9):
            assert self.attempts(mailer) == 4
            with retries(max_attempts=2):
                assert self.attempts(mailer) == 2
                with retries(max_attempts=3):
                    assert self.attempts(mailer) == 2
            assert self.attempts(mailer) == 4
        assert set(waited) == {0}

    def test_other_threads(self, mailer: Mailer, waited: list[float]) -> None:
        """It holds for the process."""
        with retries(max_attempts=2):
            outcomes = mailer.send_many([MESSAGE] * 8, concurrency=4)
        assert {len(outcome.error.attempts) for outcome in outcomes} == {2}  # type: ignore[union-attr]  # reason: each failed
        assert set(waited) == {0}

    @pytest.mark.parametrize(
        "answers", [[HttpResponse(status=429, headers={"Retry-After": "61"}), HttpResponse(status=500)]]
    )
    def test_decisions_stay(self, mailer: Mailer) -> None:
        """A wait that is too long to be made ends the send, though none would be made."""
        with no_pauses(), pytest.raises(RateLimited) as caught:
            mailer.send(MESSAGE)
        assert (caught.value.retry_after, len(caught.value.attempts)) == (61, 1)

    def test_none_at_all(self) -> None:
        """There is always a first attempt, and an error in a block leaves nothing behind."""
        with pytest.raises(ValueError, match="at least 1"), retries(max_attempts=0):
            pass
        with pytest.raises(KeyError), retries(max_attempts=1):
            raise KeyError
        assert Limits() == LIMITS


class TestOutbox:
    """What a program sent."""

    def test_is_a_copy(self, host: PluginHost) -> None:
        """The messages so far, in order."""
        mailer = Mailer.from_config({"provider": "memory"}, environ={}, host=host)
        assert outbox(mailer) == []
        mailer.send(MESSAGE)
        outbox(mailer).clear()
        assert [str(message.to[0]) for message in outbox(mailer)] == ["bob@example.com"]

    def test_of_an_async_mailer(self, host: PluginHost) -> None:
        """A mailer in an event loop keeps its messages too."""
        mailer = AsyncMailer.from_config({"provider": "memory"}, environ={}, host=host)
        asyncio.run(mailer.send(MESSAGE))
        assert [str(message.to[0]) for message in outbox(mailer)] == ["bob@example.com"]

    @pytest.mark.parametrize("transport,provider", [(None, "console"), (RecordingTransport(), "memory")])
    def test_of_another_mailer(
        self, host: PluginHost, transport: RecordingTransport | None, provider: str
    ) -> None:
        """A mailer that keeps nothing is no mailer for tests."""
        mailer = Mailer.from_config({"provider": provider}, environ={}, host=host, transport=transport)
        with pytest.raises(TypeError, match="'memory'"):
            outbox(mailer)
