"""What a provider cannot carry is refused before any I/O, with the installed providers that can."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from mailcore import (
    AsyncMailer,
    AsyncMailerGroup,
    HttpResponse,
    Mailer,
    MailerGroup,
    Message,
    PluginHost,
    UnsupportedFeature,
)
from mailcore.testing import RecordingTransport

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)
PLAIN = Message(from_="ada@example.com", to="bob@example.com", subject="Hello", text="Hi")
PROVIDERS = ("amazon-ses", "mailgun", "mailpace", "postmark", "resend", "smtp")

Settings = Mapping[str, Mapping[str, Any]]

#: What a message asks for → who can carry it.
CASES: dict[str, tuple[Message, tuple[str, ...]]] = {
    "nothing special": (PLAIN, PROVIDERS),
    "a template": (
        attrs.evolve(PLAIN, subject=None, text=None, template_id="1"), ("amazon-ses", "mailgun", "postmark"),
    ),
    "later": (attrs.evolve(PLAIN, send_at=NOON), ("mailgun", "resend")),
    "two authors": (attrs.evolve(PLAIN, from_=["ada@example.com", "bob@example.com"]), ("smtp",)),
    "one tag": (attrs.evolve(PLAIN, tags="a"), ("amazon-ses", "mailgun", "mailpace", "postmark")),
    "two tags": (attrs.evolve(PLAIN, tags=["a", "b"]), ("mailgun", "mailpace")),
    "another envelope": (attrs.evolve(PLAIN, envelope_sender="b@example.com"), ("amazon-ses", "smtp")),
    "a key": (attrs.evolve(PLAIN, idempotency_key="k"), ("mailpace", "resend")),
    "a key too long for one": (attrs.evolve(PLAIN, idempotency_key="k" * 256), ("resend",)),
    "metadata and a tag": (
        attrs.evolve(PLAIN, metadata={"order": "7"}, tags="a"), ("amazon-ses", "mailgun", "postmark"),
    ),
    "headers and a time": (
        attrs.evolve(PLAIN, headers={"X-A": "1"}, send_at=NOON), ("mailgun", "resend"),
    ),
    "what nobody has": (attrs.evolve(PLAIN, from_=["a@example.com", "b@example.com"], tags="a"), ()),
}  # fmt: skip


class AsyncRecording(RecordingTransport):
    """The same, for a loop."""

    async def exchange(self, request: Any, *, deadline: Any) -> Any:
        """Fail: nothing is expected to be sent."""
        return super().exchange(request, deadline=deadline)


def plain(make: Callable[..., Any], message: Message) -> None:
    """Send with a mailer."""
    make(Mailer).send(message)


def previewed(make: Callable[..., Any], message: Message) -> None:
    """Ask what would be sent."""
    make(Mailer).preview(message)


def many(make: Callable[..., Any], message: Message) -> None:
    """Send beside others, in a batch where the provider takes batches."""
    make(Mailer).send_many([message, message])[0].unwrap()


def group(make: Callable[..., Any], message: Message) -> None:
    """Send with a group of two mailers."""
    MailerGroup([make(Mailer), make(Mailer)]).send(message)


def in_a_loop(make: Callable[..., Any], message: Message) -> None:
    """Send with an asynchronous mailer."""
    asyncio.run(make(AsyncMailer).send(message))


def many_in_a_loop(make: Callable[..., Any], message: Message) -> None:
    """Send beside others, with an asynchronous mailer."""
    asyncio.run(make(AsyncMailer).send_many([message, message]))[0].unwrap()


def group_in_a_loop(make: Callable[..., Any], message: Message) -> None:
    """Send with an asynchronous group."""
    asyncio.run(AsyncMailerGroup([make(AsyncMailer), make(AsyncMailer)]).send(message))


DOORS = [plain, previewed, many, group, in_a_loop, many_in_a_loop, group_in_a_loop]


@pytest.fixture
def refused(six: PluginHost, settings: Settings) -> Callable[..., UnsupportedFeature]:
    """Return a function that sends through a door, sees that nothing is sent, and returns the refusal."""

    def send(door: Callable[..., None], provider: str, message: Message, **more: Any) -> UnsupportedFeature:
        transports = {Mailer: RecordingTransport(), AsyncMailer: AsyncRecording()}

        def make(cls: Any) -> Any:
            config = {**settings[provider], **more}
            return cls.from_config(config, environ={}, host=six, transport=transports[cls])

        with pytest.raises(UnsupportedFeature) as caught:
            door(make, message)
        assert not any(transport.requests for transport in transports.values())
        return caught.value

    return send


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("provider", PROVIDERS)
class TestEachProvider:
    """One message, one provider."""

    def test_refuses_or_carries(
        self, refused: Any, six: PluginHost, settings: Settings, provider: str, case: str
    ) -> None:
        """A provider is named as able exactly where it is, and then does not refuse the message itself."""
        message, able = CASES[case]
        if provider in able:
            mailer = Mailer.from_config(settings[provider], environ={}, host=six)
            assert mailer.preview(message)
            mailer.close()
            return
        error = refused(plain, provider, message)
        assert (error.provider, error.alternatives) == (provider, able)
        assert bool(able) == (f"carry all of this message: {', '.join(able)}." in str(error))
        assert bool(able) != ("`mailcore providers --can send." in str(error))


class TestEveryDoor:
    """The same refusal, whoever sends and however."""

    @pytest.mark.parametrize("door", DOORS)
    def test_names_who_can(self, refused: Any, door: Callable[..., None]) -> None:
        """Field, provider and the able are told, in words and as values, and survive a pickle."""
        message, able = CASES["later"]
        error = refused(door, "postmark", message)
        assert (error.field, error.provider, error.alternatives) == ("send_at", "postmark", able)
        assert str(error) == (
            "Postmark can carry no send_at (send.schedule). Remove it, or choose a provider that can carry "
            "all of this message: mailgun, resend."
        )
        assert pickle.loads(pickle.dumps(error)).alternatives == able

    def test_what_could_be_left_out(self, refused: Any) -> None:
        """Those named can carry the message as it was given, not as it was reduced on the way."""
        message = attrs.evolve(PLAIN, tags="a", send_at=NOON)
        error = refused(plain, "smtp", message, on_unsupported="drop")
        assert (error.field, error.alternatives) == ("send_at", ("mailgun",))

    def test_nothing_is_left(self, refused: Any) -> None:
        """Also where a message would be empty without what cannot be carried."""
        message = attrs.evolve(PLAIN, subject=None, text=None, amp_html="<html amp4email></html>")
        error = refused(plain, "mailpace", message, on_unsupported="drop")
        assert (error.field, error.alternatives) == ("amp_html", ("amazon-ses", "mailgun", "smtp"))

    def test_one_group_of_different_providers(self, six: PluginHost, settings: Settings) -> None:
        """A group that has nobody able says who is; one that has somebody sends."""
        taken = HttpResponse(status=200, body=b'{"id": "5a3e"}')

        def make(provider: str) -> Mailer:
            transport = RecordingTransport(taken)
            return Mailer.from_config(settings[provider], environ={}, host=six, transport=transport)

        message, able = CASES["later"]
        with pytest.raises(UnsupportedFeature) as caught:
            MailerGroup([make("smtp"), make("postmark")]).send(message)
        assert (caught.value.provider, caught.value.alternatives) == ("smtp", able)
        assert MailerGroup([make("smtp"), make("resend")]).send(message).provider == "resend"
