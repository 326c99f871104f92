"""What is captured in a test never leaves, is what would have been sent, and can be asserted about."""

from __future__ import annotations

import asyncio
import re
import threading
from typing import Any

import pytest

import mailcore.providers
import mailcore_mailpace
from mailcore import (
    AdapterSpec,
    AsyncMailer,
    ConfigurationError,
    HttpResponse,
    InvalidMessage,
    Mailer,
    Mailers,
    MaybeSent,
    Message,
    Phase,
    PluginHost,
    RecipientRejected,
    SendError,
    TransportFailure,
    UnsupportedFeature,
    hookimpl,
)
from mailcore._stand_in import STAND_INS
from mailcore.testing import Outbox, RecordingTransport, captured, no_pauses
from mailcore.transports.requests import RequestsTransport
from mailcore_mailpace.emulator import AccountProblem, Fault

CONFIG = {"provider": "mailpace", "api_key": "a-token-of-mine"}


class Nobody:
    """A plugin with an adapter that ships no emulator."""

    @hookimpl
    def mailcore_register_adapters(self) -> list[AdapterSpec]:
        """Offer `acme`: MailPace's adapter under another name."""
        (mailpace,) = mailcore_mailpace.mailcore_register_adapters()
        return [AdapterSpec(name="acme", factory=mailpace.factory, options=mailpace.options)]


@pytest.fixture
def host() -> PluginHost:
    """Return a host with MailPace, the built-in providers, and one that has no emulator."""
    plugins = {"builtin": mailcore.providers, "mailpace": mailcore_mailpace, "acme": Nobody()}
    return PluginHost(plugins, installed=False)


def mail(**fields: Any) -> Message:
    """Return a message."""
    return Message(**{"from_": "Ada <ada@shop.example>", "to": "bob@example.net", "text": "Hello", **fields})


class TestCapturing:
    """Where mail goes."""

    def test_provider_and_its_settings_stay(self, host: PluginHost) -> None:
        """The adapter maps, the emulator answers: to this token, for a domain it was never told of."""
        mailer = Mailer.from_config(CONFIG, environ={}, host=host)
        with captured() as outbox:
            result = mailer.send(mail(subject="Hi"))
        assert (result.provider, result.message_id) == ("mailpace", "1")
        assert [message.subject for message in outbox] == ["Hi"]
        assert [request.url for request in outbox.requests] == ["https://app.mailpace.com/api/v1/send"]
        assert "a-token-of-mine" not in repr(outbox.requests)

    @pytest.mark.parametrize(
        "url", ["https://eu.example.com/mail/api/v1/send", "http://127.0.0.1:9/api/v1/send"]
    )
    def test_any_address(self, url: str, host: PluginHost) -> None:
        """An address of one's own is served too."""
        with (
            captured() as outbox,
            Mailer.from_config({**CONFIG, "api_url": url}, environ={}, host=host) as mailer,
        ):
            mailer.send(mail())
        assert len(outbox) == 1

    @pytest.mark.parametrize("made", ["before", "within"])
    def test_every_way_of_making_one(self, made: str, host: PluginHost) -> None:
        """A mailer made before the block, and one of `Mailers` or of a URL, end in it too."""

        def make() -> list[Any]:
            tables = {"a": CONFIG, "b": {"provider": "console"}, "c": {"group": ["a", "b"]}}
            named = Mailers({"mailers": tables}, environ={}, host=host)
            return [*named.values(), Mailer.from_url("mailpace://?api_key=x", environ={}, host=host)]

        mailers = make() if made == "before" else []
        with captured() as outbox:
            for mailer in mailers or make():
                mailer.send(mail())
        assert [sent.mailer for sent in outbox.sent] == ["a", "b", "a", "default"]
        assert [sent.provider for sent in outbox.sent] == ["mailpace", "console", "mailpace", "mailpace"]

    def test_console_is_silent(self, host: PluginHost, capsys: pytest.CaptureFixture[str]) -> None:
        """What would be printed is kept instead."""
        with captured() as outbox:
            Mailer.from_config({"provider": "console"}, environ={}, host=host).send(mail())
        assert (len(outbox), capsys.readouterr().out) == (1, "")

    def test_a_transport_of_ones_own(self, host: PluginHost) -> None:
        """A real transport that was given is replaced; a double stays, and its mail is in the outbox."""
        settings = Mailer.from_config(CONFIG, environ={}, host=host).settings
        double = RecordingTransport(HttpResponse(status=200, body=b'{"id": 77, "status": "pending"}'))
        with captured() as outbox:
            for transport in (RequestsTransport(settings), double):
                Mailer.from_config(CONFIG, environ={}, host=host, transport=transport).send(mail())
        assert [sent.result.message_id for sent in outbox.sent] == ["1", "77"]
        assert (len(double.requests), len(outbox.requests)) == (1, 1)

    def test_ends_with_the_block(self, host: PluginHost) -> None:
        """Nothing of it stays: not the double, nor the plugin."""
        mailer = Mailer.from_config({"provider": "memory"}, environ={}, host=host)
        before = list(host.plugins)
        with captured() as outbox:
            mailer.send(mail())
        mailer.send(mail())
        assert len(outbox) == 1
        assert (STAND_INS, host.plugins) == ([], before)

    def test_a_block_within(self, host: PluginHost) -> None:
        """The inner one takes what is sent in it."""
        mailer = Mailer.from_config(CONFIG, environ={}, host=host)
        with captured() as outer:
            mailer.send(mail(subject="1"))
            with captured() as inner:
                mailer.send(mail(subject="2"))
            mailer.send(mail(subject="3"))
        assert [message.subject for message in outer] == ["1", "3"]
        assert [message.subject for message in inner] == ["2"]

    def test_many_at_once(self, host: PluginHost) -> None:
        """Other threads' mail, batches and all, is there exactly once."""
        mailers = [
            Mailer.from_config(config, environ={}, host=host) for config in (CONFIG, {"provider": "memory"})
        ]
        subjects = [f"{number}" for number in range(40)]
        with captured() as outbox:
            threads = [
                threading.Thread(target=mailer.send_many, args=([mail(subject=text) for text in subjects],))
                for mailer in mailers
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert sorted(message.subject or "" for message in outbox) == sorted(subjects * 2)

    def test_async(self, host: PluginHost) -> None:
        """Mailers in an event loop are captured as well, many at once."""

        async def send() -> None:
            async with AsyncMailer.from_config(CONFIG, environ={}, host=host, name="loop") as mailer:
                await mailer.send_many([mail(subject=str(number)) for number in range(20)])

        with captured() as outbox:
            asyncio.run(send())
        outbox.assert_count(20, mailer="loop", provider="mailpace")
        assert len({sent.result.message_id for sent in outbox.sent}) == 20

    def test_plugins_and_defaults_show(self, host: PluginHost) -> None:
        """What is kept is what the mailer made of the message."""

        class Tagging:
            @hookimpl
            def mailcore_before_send(self, message: Message) -> Message:
                return mail(subject=f"[shop] {message.subject}", cc=message.cc)

        host.add("tagging", Tagging())
        config = {**CONFIG, "defaults": {"cc": "log@shop.example"}}
        with captured() as outbox:
            Mailer.from_config(config, environ={}, host=host).send(mail(subject="Hi"))
        outbox.assert_sent(subject="[shop] Hi", cc="log@shop.example")


class TestChecks:
    """What is refused in production is refused here."""

    @pytest.mark.parametrize(
        "message, error",
        [(mail(to=()), InvalidMessage), (mail(track_opens=True), UnsupportedFeature)],
        ids=["incomplete", "unsupported"],
    )
    def test_by_core(self, message: Message, error: type[Exception], host: PluginHost) -> None:
        """Completeness and capabilities are checked, and nothing is in the outbox."""
        with captured() as outbox, pytest.raises(error):
            Mailer.from_config(CONFIG, environ={}, host=host).send(message)
        assert (list(outbox), outbox.requests) == ([], [])

    def test_by_the_provider(self, host: PluginHost) -> None:
        """The provider's own checks are the emulator's; what it refuses is in `unsent`."""
        mailer = Mailer.from_config(CONFIG, environ={}, host=host)
        with captured() as outbox:
            outbox.emulator("mailpace", host=host).block("bob@example.net")  # type: ignore[attr-defined]  # reason: MailPace's own
            with pytest.raises(RecipientRejected):
                mailer.send(mail())
            outbox.emulator("mailpace").account_problem = AccountProblem.DISABLED  # type: ignore[attr-defined]  # reason: the same
            with pytest.raises(SendError):
                mailer.send(mail(to="carol@example.net"))
        assert len(outbox) == 0
        assert isinstance(outbox.unsent[0].error, RecipientRejected)
        with pytest.raises(AssertionError, match=r"ended in an error: RecipientRejected: .*blocked"):
            outbox.assert_sent(to="bob@example.net")

    def test_no_token_is_no_account(self, host: PluginHost) -> None:
        """Settings without what sending needs are refused as ever."""
        with captured(), pytest.raises(ConfigurationError, match="api_key"):
            Mailer.from_config({"provider": "mailpace"}, environ={}, host=host)

    def test_faults_are_repeated(self, host: PluginHost) -> None:
        """The mailer's repeats run, and do not wait."""
        waited: list[float] = []
        mailer = Mailer.from_config(CONFIG, environ={}, host=host, sleep=waited.append)
        with captured() as outbox, no_pauses():
            outbox.emulator("mailpace", host=host).inject(Fault.ERROR_AFTER_QUEUEING)  # type: ignore[attr-defined]  # reason: MailPace's own
            result = mailer.send(mail())
        assert (len(result.attempts), len(outbox), waited) == (2, 1, [0.0])


class TestScript:
    """Answers of the test's own."""

    def test_in_place_of_the_emulator(self, host: PluginHost) -> None:
        """Each answer once, the last one from then on; failures too."""
        mailer = Mailer.from_config({**CONFIG, "max_attempts": 1}, environ={}, host=host)
        with captured() as outbox:
            outbox.script("mailpace", TransportFailure(Phase.SENT, "Lost."), HttpResponse(status=403))
            for error in (MaybeSent, SendError, SendError):
                with pytest.raises(error):
                    mailer.send(mail())
        assert len(outbox.unsent) == len(outbox.requests) == 3

    def test_of_a_provider_without_an_emulator(self, host: PluginHost) -> None:
        """No answer is made up; the error says how to give one."""
        mailer = Mailer.from_config({**CONFIG, "provider": "acme"}, environ={}, host=host)
        with captured() as outbox:
            with pytest.raises(ConfigurationError, match=r"outbox\.script\('acme', HttpResponse"):
                mailer.send(mail())
            outbox.script("acme", HttpResponse(status=200, body=b'{"id": 5}'))
            assert mailer.send(mail()).message_id == "5"

    def test_of_an_emulator_that_cannot_adopt(
        self, host: PluginHost, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that would refuse the program's token is no stand-in, and the error says what it lacks."""
        monkeypatch.delattr("mailcore_mailpace.emulator.MailPaceEmulator.adopt")
        with captured(), pytest.raises(ConfigurationError, match="adopt"):
            Mailer.from_config(CONFIG, environ={}, host=host).send(mail())


@pytest.fixture
def sent(host: PluginHost) -> Outbox:
    """Return an outbox with three messages."""
    mailer = Mailer.from_config({"provider": "memory"}, environ={}, host=host, name="news")
    with captured() as outbox:
        mailer.send(mail(subject="Welcome", to="Bob <bob@example.net>", tags=["first"]))
        mailer.send(mail(subject="Invoice 7", to=["carol@example.net", "dan@example.net"], html="<p>7</p>"))
        mailer.send(mail(subject="Invoice 8", to="bob@example.net", metadata={"order": 8}))
    return outbox


class TestOutbox:
    """As a sequence."""

    def test_sequence(self, sent: Outbox) -> None:
        """Oldest first; the last one at -1."""
        assert [message.subject for message in sent] == ["Welcome", "Invoice 7", "Invoice 8"]
        assert sent[-1].subject == "Invoice 8"
        assert [message.subject for message in sent[:1]] == ["Welcome"]
        assert repr(sent) == "<Outbox: 3 messages>"
        with pytest.raises(IndexError, match=r"no message 3\. 3 messages were sent"):
            sent[3]

    def test_clear(self, sent: Outbox) -> None:
        """Forgets what was sent."""
        sent.clear()
        sent.assert_not_sent()
        with pytest.raises(AssertionError, match="Nothing was sent"):
            sent.assert_sent()


class TestAssertions:
    """What is asserted of the messages."""

    @pytest.mark.parametrize(
        "fields",
        [
            {"subject": "Welcome"},
            {"to": "bob@example.net", "tags": ["first"]},
            {"to": "Bob <bob@EXAMPLE.net>"},
            {"to": ["bob@example.net"], "cc": None, "html": None, "attachments": ()},
            {"from_": "ada@shop.example", "subject": re.compile("^Wel").search},
            {"to": lambda addresses: addresses[0].domain == "example.net", "subject": "Welcome"},
            {"provider": "memory", "mailer": "news", "subject": "Welcome"},
        ],
        ids=" ".join,
    )
    def test_values_that_fit(self, fields: dict[str, Any], sent: Outbox) -> None:
        """Values are read as `Message` reads them; a function is called; the message is returned."""
        message = next(message for message in sent.matching(**fields) if message.subject == "Welcome")
        assert message is sent[0]
        assert sent.assert_sent(**fields) in list(sent)

    @pytest.mark.parametrize(
        "fields",
        [
            {"subject": "welcome"},
            {"to": "carol@example.net"},
            {"to": ["dan@example.net", "carol@example.net"]},
            {"to": "Robert <bob@example.net>"},
            {"to": "Bob@example.net"},
            {"tags": []} | {"subject": "Welcome"},
            {"metadata": {"order": 9}},
            {"html": None, "subject": "Invoice 7"},
            {"subject": re.compile("^elcome").search},
            {"provider": "mailpace"},
            {"mailer": "default"},
        ],
        ids=" ".join,
    )
    def test_values_that_do_not(self, fields: dict[str, Any], sent: Outbox) -> None:
        """A value counts as a whole, and so does a name where one is given."""
        sent.assert_not_sent(**fields)
        with pytest.raises(AssertionError, match=r"No message has .*\n?The nearest one"):
            sent.assert_sent(**fields)

    def test_nearest_is_shown(self, sent: Outbox) -> None:
        """A failure shows the message that comes nearest, and in what it differs."""
        with pytest.raises(AssertionError) as caught:
            sent.assert_sent(to="bob@example.net", subject="Invoice 9")
        assert str(caught.value).splitlines() == [
            "No message has to='bob@example.net', subject='Invoice 9'. 3 messages were sent.",
            "The nearest one is number 3, through mailer 'news' (memory):",
            "  subject is 'Invoice 8', not 'Invoice 9'",
        ]

    def test_count(self, sent: Outbox) -> None:
        """Just so many; a failure lists those there are, or shows the nearest one."""
        sent.assert_count(3)
        sent.assert_count(2, to="bob@example.net")
        sent.assert_count(0, to="eve@example.net")
        with pytest.raises(AssertionError) as caught:
            sent.assert_count(1, to="bob@example.net")
        assert str(caught.value).splitlines() == [
            "Expected one message with to='bob@example.net', found 2. 3 messages were sent.",
            "  number 1, through mailer 'news' (memory): to Bob <bob@example.net>, subject 'Welcome'",
            "  number 3, through mailer 'news' (memory): to bob@example.net, subject 'Invoice 8'",
        ]
        with pytest.raises(AssertionError, match=r"(?s)found 1.*subject is 'Invoice 8', not 'Invoice 7'"):
            sent.assert_count(2, subject="Invoice 7")

    def test_not_sent(self, sent: Outbox) -> None:
        """Without any value: nothing at all was sent."""
        with pytest.raises(AssertionError, match="Expected no message, found 3"):
            sent.assert_not_sent()

    def test_long_values_are_cut(self, sent: Outbox) -> None:
        """A failure stays readable."""
        with pytest.raises(AssertionError) as caught:
            sent.assert_sent(text="x" * 10_000)
        assert len(str(caught.value)) < 1500
        assert "characters)" in str(caught.value)

    def test_misspelt_field(self, sent: Outbox) -> None:
        """A field that no message has is the test's mistake."""
        with pytest.raises(TypeError, match=r"no field 'subjct'\. Did you mean 'subject'"):
            sent.assert_not_sent(subjct="Welcome")
