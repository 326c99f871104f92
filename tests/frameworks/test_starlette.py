"""Mailcore in Starlette and in FastAPI: mailers, lifespan, dependencies, endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount

from mailcore import (
    AsyncMailer,
    AsyncMailerGroup,
    ConfigurationError,
    InboundMessage,
    Message,
    MissingOption,
    TrackingEvent,
)
from mailcore.frameworks.starlette import Mailcore
from reliability.delivery import MOUNT, Answer, Delivery, through_asgi
from reliability.webhook_cases import EVENTS, KEY, MAIL, MAILS, delivery

CONFIG = {"provider": "mailpace", "webhook_key": KEY}
MEMORY = {"provider": "memory"}
NOTE = Message(from_="ada@example.com", to="bob@example.com", text="Hello")
TWO = {"default": "main", "mailers": {"main": MEMORY, "spare": MEMORY, "both": {"group": ["main", "spare"]}}}


def application(mail: Mailcore) -> Starlette:
    """Return an application with its endpoints mounted."""
    return Starlette(routes=[Mount(MOUNT, mail.webhooks)], lifespan=mail.lifespan)


def post(app: Any, *given: Delivery) -> list[int]:
    """Let an application have deliveries."""
    return [answer.status for answer in through_asgi(app, given or [delivery()], mounted=False)]


async def live(app: Any) -> list[str]:
    """Start an application and stop it; return what it said."""
    told = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    said: list[str] = []

    async def receive() -> dict[str, Any]:
        return told.pop(0)

    async def send(message: dict[str, Any]) -> None:
        said.append(message["type"])

    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
    return said


class TestMailers:
    """What an application sends through."""

    def test_flat_settings(self) -> None:
        """One mailer's settings are enough."""

        async def send() -> None:
            async with Mailcore(MEMORY) as mail:
                assert (await mail.mailer().send(NOTE)).provider == "memory"

        asyncio.run(send())

    def test_named(self) -> None:
        """Several mailers have names, and one of them is meant where none is named."""
        mail = Mailcore(TWO)
        assert mail.mailer() is mail.mailer("main") is not mail.mailer("spare")
        assert isinstance(mail.mailer("both"), AsyncMailerGroup)
        with pytest.raises(ConfigurationError, match="no mailer 'bulk'"):
            mail.mailer("bulk")

    def test_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a configuration the environment says it, or nothing starts."""
        with pytest.raises(ConfigurationError, match="MAILCORE_URL"):
            Mailcore()
        monkeypatch.setenv("MAILCORE_URL", "memory:")
        assert isinstance(Mailcore().mailer(), AsyncMailer)


class TestDependency:
    """A mailer where FastAPI fills in what a function asks for."""

    def answer(self, app: FastAPI, path: str) -> Answer:
        """Return what one request is answered."""
        sent = Delivery(method="GET", path=path, headers=(), body=b"", length="0")
        return through_asgi(app, [sent], mounted=False)[0]

    def test_sends(self) -> None:
        """A path operation has the default mailer, or the one that the application names."""
        mail, app = Mailcore(TWO), FastAPI()
        default, named = Depends(mail.dependency()), Depends(mail.dependency("spare"))

        @app.get(f"{MOUNT}/hello")
        async def hello(mailer: AsyncMailer = default, spare: AsyncMailer = named) -> dict[str, Any]:
            assert spare is mail.mailer("spare")
            return {"provider": (await mailer.send(NOTE)).provider}

        answer = self.answer(app, "/hello?name=spare")
        assert (answer.status, answer.body) == (200, b'{"provider":"memory"}')

    def test_visitor_chooses_nothing(self) -> None:
        """The method itself is no dependency: a request would name the mailer, and is refused."""
        mail, app = Mailcore(TWO), FastAPI()
        wrong = Depends(mail.mailer)

        @app.get(f"{MOUNT}/hello")
        async def hello(mailer: Any = wrong) -> None:
            raise AssertionError("It has a mailer.")

        with pytest.raises(TypeError, match="positional-only"):
            self.answer(app, "/hello?name=spare")

    def test_overridden(self) -> None:
        """A test puts another mailer in its place, as with any dependency."""
        mail, other, app = Mailcore(CONFIG), Mailcore(MEMORY), FastAPI()
        wanted = mail.dependency()
        given = Depends(wanted)

        @app.get(f"{MOUNT}/hello")
        async def hello(mailer: AsyncMailer = given) -> str:
            return mailer.provider

        app.dependency_overrides[wanted] = other.dependency()
        assert self.answer(app, "/hello").body == b'"memory"'


class TestLifespan:
    """Where an application begins and ends."""

    @pytest.fixture
    def closed(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Return what is closed, in order."""
        found: list[str] = []

        def note(name: str) -> Any:
            async def close(self: Any) -> None:
                found.append(name)

            return close

        monkeypatch.setattr("mailcore.AsyncMailers.close", note("mailers"))
        monkeypatch.setattr("mailcore.AsyncWebhookReceiver.close", note("receiver"))
        return found

    @pytest.mark.parametrize("framework", [Starlette, FastAPI])
    def test_closes(self, framework: Any, closed: list[str]) -> None:
        """Mailers and receivers are closed when the application stops."""
        mail = Mailcore(CONFIG)
        app = framework(lifespan=mail.lifespan)
        app.mount(MOUNT, mail.webhooks)
        assert asyncio.run(live(app)) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        assert closed == ["mailers", "receiver"]

    def test_within_another(self, closed: list[str]) -> None:
        """It can be a part of the application's own."""
        mail = Mailcore(CONFIG)

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
            async with mail.lifespan(app), mail.draining():
                yield {"database": "open"}
            closed.append("database")

        assert asyncio.run(live(Starlette(lifespan=lifespan)))[-1] == "lifespan.shutdown.complete"
        assert closed == ["mailers", "receiver", "database"]

    def test_after_a_failure(self, closed: list[str]) -> None:
        """What a lifespan around it raises does not keep anything open."""
        mail = Mailcore(MEMORY)

        async def fail() -> None:
            async with mail.lifespan(Starlette()):
                raise OSError("broken")

        with pytest.raises(OSError, match="broken"):
            asyncio.run(fail())
        assert closed == ["mailers"]


class TestEndpoints:
    """What is mounted."""

    def test_handlers(self) -> None:
        """Handlers of either colour, by argument and by decorator, before mounting and after."""
        seen: list[Any] = []

        async def store(event: TrackingEvent) -> None:
            await asyncio.sleep(0)
            seen.append(event.message_id)

        mail = Mailcore(CONFIG, on_event=store)
        app = application(mail)

        @mail.on_inbound
        def read(message: InboundMessage) -> None:
            seen.append(message.subject)

        assert post(app, delivery(), delivery(MAIL, path=MAILS)) == [200, 200]
        assert seen == ["1", "Grüße"]

    def test_without_proof(self) -> None:
        """An application whose deliveries nothing would prove cannot mount them; it may still send."""
        mail = Mailcore({"provider": "mailpace", "api_key": "k"}, on_event=print)
        with pytest.raises(MissingOption, match="MAILPACE_WEBHOOK_KEY"):
            assert mail.webhooks
        assert isinstance(mail.mailer(), AsyncMailer)

    def test_no_provider_with_webhooks(self) -> None:
        """In tests, a provider without webhooks has no endpoint, and everything else works."""
        assert post(application(Mailcore(MEMORY, on_event=print))) == [404]

    def test_no_redirect(self) -> None:
        """Slashes of every number get an answer and no redirect, which would lose the delivery."""
        paths = {EVENTS: 200, EVENTS[:-1]: 200, EVENTS + "/": 404, "/" + EVENTS: 404}
        given = [delivery(path=path) for path in paths]
        assert post(application(Mailcore(CONFIG, on_event=print)), *given) == list(paths.values())

    def test_mounted_deeper(self) -> None:
        """Mounts within mounts, and a server's own root path, change nothing."""
        mail = Mailcore(CONFIG, on_event=print)
        inner = Starlette(routes=[Mount("/in", mail.webhooks)])
        app = Starlette(routes=[Mount("/mail", Mount("/deeper", inner))])
        assert post(app, delivery(path=f"/deeper/in{EVENTS}")) == [200]

    def test_drained(self, tmp_path: Path) -> None:
        """What waits in the spool is handed over while the application lives."""
        config = {**CONFIG, "defer": True, "spool": str(tmp_path / "spool")}
        stored: list[TrackingEvent] = []
        assert post(application(Mailcore(config, on_event=stored.append))) == [200]
        assert stored == []

        async def drain() -> None:
            done = asyncio.Event()

            async def store(event: TrackingEvent) -> None:
                stored.append(event)
                done.set()

            async with Mailcore(config, on_event=store) as mail, mail.draining(every=0.01):
                await asyncio.wait_for(done.wait(), 10)

        asyncio.run(drain())
        assert len(stored) == 1
        assert list((tmp_path / "spool").iterdir()) == []
