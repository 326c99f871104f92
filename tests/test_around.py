"""Plugins hear when a send or a delivery begins and when it is over, in the context it is worked on in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

import mailcore.providers
import mailcore_mailpace
from mailcore import (
    AsyncMailer,
    HttpResponse,
    Mailer,
    Message,
    PluginHost,
    WebhookReceiver,
    WebhookRequest,
    hookimpl,
)
from mailcore.testing import RecordingTransport, deliveries

MESSAGE = Message(from_="ada@example.com", to="bob@example.net", text="Hello")
CONFIG = {"provider": "memory"}
inside: ContextVar[int] = ContextVar("inside", default=0)


class Watching:
    """A plugin that says what it hears, and how deep within it hears it."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def say(self, word: str) -> None:
        """Keep a word with the depth."""
        self.heard.append(f"{inside.get()} {word}")

    def begun(self, word: str) -> Callable[[], object]:
        """Go in, and return what goes out again."""
        self.say(word)
        token = inside.set(inside.get() + 1)

        def over() -> None:
            self.say("over")
            inside.reset(token)

        return over

    @hookimpl
    def mailcore_send_started(self, provider: str, mailer: str, messages: Any) -> Callable[[], object]:
        """Go in."""
        return self.begun(f"{provider} {mailer} {len(messages)}")

    @hookimpl
    def mailcore_webhook_started(self, provider: str, kind: Any) -> Callable[[], object]:
        """Go in."""
        return self.begun(f"{provider} {kind.value if kind else None}")

    @hookimpl
    def mailcore_request_prepared(self) -> None:
        """Say so."""
        self.say("request")

    @hookimpl
    def mailcore_send_finished(self, error: Exception | None) -> None:
        """Say how."""
        self.say(type(error).__name__ if error else "sent")

    @hookimpl
    def mailcore_webhook_finished(self, disposition: Any) -> None:
        """Say how."""
        self.say(disposition.value)


@pytest.fixture
def plugin() -> Watching:
    """Return the plugin."""
    return Watching()


@pytest.fixture
def host(plugin: Watching) -> PluginHost:
    """Return a host with it."""
    plugins = {"builtin": mailcore.providers, "mailpace": mailcore_mailpace, "watching": plugin}
    return PluginHost(plugins, installed=False)


class TestSends:
    """Around each send."""

    def test_one(self, plugin: Watching, host: PluginHost) -> None:
        """Begun, worked on within, over."""
        Mailer.from_config({"provider": "memory"}, environ={}, host=host, name="news").send(MESSAGE)
        assert plugin.heard == ["0 memory news 1", "1 request", "1 sent", "1 over"]
        assert inside.get() == 0

    @pytest.mark.parametrize(
        "wrong, ending",
        [(Message(text="."), ["1 InvalidMessage"]), ("no message", [])],
        ids=["refused", "a wrong call"],
    )
    def test_that_fails(self, wrong: Any, ending: list[str], plugin: Watching, host: PluginHost) -> None:
        """It is over however it ended."""
        with pytest.raises(Exception, match=r"sender|takes a Message"):
            Mailer.from_config({"provider": "memory"}, environ={}, host=host).send(wrong)
        assert plugin.heard == ["0 memory default 1", *ending, "1 over"]
        assert inside.get() == 0

    def test_interrupted(self, plugin: Watching, host: PluginHost) -> None:
        """Also where nobody was told how."""
        transport = RecordingTransport(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            Mailer.from_config(CONFIG, environ={}, host=host, transport=transport).send(MESSAGE)
        assert plugin.heard[-1] == "1 over"
        assert inside.get() == 0

    def test_batch(self, plugin: Watching, host: PluginHost) -> None:
        """Those that go out together begin and end together, refused ones and those sent alone too."""
        alone = Message(from_="a@b.example", to="d@e.example", text=".", idempotency_key="k")
        messages = [MESSAGE, Message(text="."), alone]
        Mailer.from_config({"provider": "memory"}, environ={}, host=host).send_many(messages)
        assert plugin.heard == [
            "0 memory default 3",
            "1 InvalidMessage",
            "1 request",
            "1 sent",
            "1 request",
            "1 sent",
            "1 over",
        ]

    def test_threads_have_the_callers_context(self, plugin: Watching, host: PluginHost) -> None:
        """What is current where `send_many` is called is so in its threads, and stays so."""
        mailer = Mailer.from_config({"provider": "console"}, environ={}, host=host)
        token = inside.set(5)
        mailer.send_many([MESSAGE] * 9, concurrency=3)
        assert sorted(set(plugin.heard)) == ["5 console default 1", "6 over", "6 request", "6 sent"]
        assert inside.get() == 5
        inside.reset(token)

    def test_tasks(self, plugin: Watching, host: PluginHost) -> None:
        """In an event loop each task is within its own send alone."""

        async def send() -> int:
            mailer = AsyncMailer.from_config({"provider": "console"}, environ={}, host=host)
            await asyncio.gather(*(mailer.send(MESSAGE) for _ in range(9)))
            return inside.get()

        assert asyncio.run(send()) == 0
        assert sorted(set(plugin.heard)) == ["0 console default 1", "1 over", "1 request", "1 sent"]

    def test_cancelled_task(self, plugin: Watching, host: PluginHost) -> None:
        """A cancelled send is over, in its own context, and may have been sent."""

        class Slow:
            async def exchange(self, request: Any, *, deadline: Any) -> Any:
                reached.set()
                await asyncio.Event().wait()

            async def close(self) -> None: ...

        async def send() -> None:
            mailer = AsyncMailer.from_config(CONFIG, environ={}, host=host, transport=Slow())
            task = asyncio.create_task(mailer.send(MESSAGE))
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        reached = asyncio.Event()
        asyncio.run(send())
        assert plugin.heard[2:] == ["1 MaybeSent", "1 over"]

    def test_nobody_listens(self) -> None:
        """Then the steps are handed on as they are; there is nothing around them."""
        host = PluginHost({"builtin": mailcore.providers}, installed=False)
        mailer = Mailer.from_config(CONFIG, environ={}, host=host)
        single, batch = mailer._sent(MESSAGE, None, None), mailer._batch([MESSAGE])
        assert [steps.gi_code.co_name for steps in (single, batch)] == ["_sent", "_batch"]
        single.close()
        batch.close()


class TestDeliveries:
    """Around each delivery."""

    def test_received(self, plugin: Watching, host: PluginHost) -> None:
        """The handler runs within, and what it sends begins there."""
        pytest.importorskip("nacl")
        made = deliveries("mailpace", host=host)
        request = made.event("delivered")
        plugin.heard.clear()
        mailer = Mailer.from_config({"provider": "memory"}, environ={}, host=host)
        receiver = WebhookReceiver.from_config(
            made.settings, on_event=lambda event: mailer.send(MESSAGE), environ={}, host=host
        )
        receiver.receive(request, kind="tracking")
        sending = ["1 memory default 1", "2 request", "2 sent", "2 over"]
        assert plugin.heard == ["0 mailpace tracking", *sending, "1 accepted", "1 over"]

    def test_in_two_halves(self, plugin: Watching, host: PluginHost) -> None:
        """A delivery from a queue is one as well; whose kind nobody said is None."""
        pytest.importorskip("nacl")
        made = deliveries("mailpace", host=host)
        receiver = WebhookReceiver.from_config(made.settings, on_event=print, environ={}, host=host)
        verified: Any = receiver.verify(made.event("delivered"))
        plugin.heard.clear()
        receiver.dispatch(verified, kind="tracking")
        receiver.dispatch(verified)
        ending = ["1 accepted", "1 over"]
        assert plugin.heard == ["0 mailpace tracking", *ending, "0 mailpace None", *ending]

    def test_refused(self, plugin: Watching, host: PluginHost) -> None:
        """A forged one begins and ends too."""
        config = {"provider": "mailpace", "webhook_secret": "u:p"}
        receiver = WebhookReceiver.from_config(config, environ={}, host=host)
        receiver.receive(WebhookRequest(body=b"{}"), kind="inbound")
        assert plugin.heard == ["0 mailpace inbound", "1 unauthenticated", "1 over"]


class TestPlugins:
    """Plugins that do not behave."""

    @pytest.mark.parametrize("raises_at", ["start", "end"])
    def test_that_raise(
        self, raises_at: str, plugin: Watching, host: PluginHost, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The mail is sent, the others hear all of it, and the log says who raised."""

        class Broken:
            @hookimpl
            def mailcore_send_started(self) -> Any:
                def end() -> None:
                    raise OSError("broken")

                return end() if raises_at == "start" else end

        host.add("broken", Broken())
        Mailer.from_config({"provider": "memory"}, environ={}, host=host).send(MESSAGE)
        assert plugin.heard == ["0 memory default 1", "1 request", "1 sent", "1 over"]
        assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [
            "The plugin broken raised in mailcore_send_started; it was ignored."
        ]

    def test_that_end_nothing(self, host: PluginHost) -> None:
        """One that returns None is not called again."""

        class Brief:
            @hookimpl
            def mailcore_send_started(self) -> None: ...

        host.add("brief", Brief())
        transport = RecordingTransport(HttpResponse(status=200, body=b'{"id": 1}'))
        config = {"provider": "mailpace", "api_key": "k"}
        assert (
            Mailer.from_config(config, environ={}, host=host, transport=transport).send(MESSAGE).message_id
            == "1"
        )
