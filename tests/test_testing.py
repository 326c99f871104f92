"""The doubles that users' tests are given do what they say."""

from __future__ import annotations

import pytest

from mailcore import Deadline, HttpRequest, HttpResponse, Mailer, Message, Phase, PluginHost, TransportFailure
from mailcore.testing import RecordingTransport, outbox

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


class TestOutbox:
    """What a program sent."""

    def test_is_a_copy(self, host: PluginHost) -> None:
        """The messages so far, in order."""
        mailer = Mailer.from_config({"provider": "memory"}, environ={}, host=host)
        assert outbox(mailer) == []
        mailer.send(MESSAGE)
        outbox(mailer).clear()
        assert [str(message.to[0]) for message in outbox(mailer)] == ["bob@example.com"]

    @pytest.mark.parametrize("transport,provider", [(None, "console"), (RecordingTransport(), "memory")])
    def test_of_another_mailer(
        self, host: PluginHost, transport: RecordingTransport | None, provider: str
    ) -> None:
        """A mailer that keeps nothing is no mailer for tests."""
        mailer = Mailer.from_config({"provider": provider}, environ={}, host=host, transport=transport)
        with pytest.raises(TypeError, match="'memory'"):
            outbox(mailer)
