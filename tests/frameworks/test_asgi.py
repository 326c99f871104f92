"""Endpoints under ASGI: what the specification asks for, and no byte more than is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from mailcore import AsyncWebhookReceiver, TrackingEvent, WebhookRequest, WebhookResponse
from mailcore.frameworks.asgi import WebhookApp
from reliability.delivery import Answer, Delivery, scope
from reliability.webhook_cases import EVENT, KEY, delivery

CONFIG = {"provider": "mailpace", "webhook_key": KEY}
Messages = Iterable[dict[str, Any]]


@pytest.fixture
def events() -> list[TrackingEvent]:
    """Return where events are stored."""
    return []


@pytest.fixture
def app(events: list[TrackingEvent]) -> WebhookApp:
    """Return an application that takes 1,000 bytes."""
    config = {**CONFIG, "max_event_bytes": 1000}
    return WebhookApp(AsyncWebhookReceiver.from_config(config, on_event=events.append))


class Conversation:
    """What a server tells an application, and what it hears."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.left = list(messages)
        self.heard: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        """Hand out the next message; a server that has none would wait for ever."""
        assert self.left, "The application waits for what will never come."
        return self.left.pop(0)

    async def send(self, message: dict[str, Any]) -> None:
        """Note a message."""
        self.heard.append(message)

    def of(self, app: Any, given: dict[str, Any]) -> Conversation:
        """Let an application have its turn."""
        asyncio.run(app(given, self.receive, self.send))
        return self

    @property
    def answer(self) -> Answer:
        """What was answered over HTTP."""
        start, body = self.heard
        headers = [(name.decode(), value.decode()) for name, value in start["headers"]]
        return Answer(status=start["status"], headers=headers, body=body["body"])


def piece(body: bytes, *, more: bool = False) -> dict[str, Any]:
    """Return one piece of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


def talk(app: Any, sent: Delivery, *messages: dict[str, Any], **given: Any) -> Conversation:
    """Call an application with a scope of which some parts are different; None: not there."""
    made = {**scope(sent, mounted=True), **given}
    made = {name: value for name, value in made.items() if value is not None}
    return Conversation(*messages).of(app, made)


class TestProtocol:
    """The application as a server sees it."""

    def test_headers_are_small(self, app: WebhookApp) -> None:
        """Names of headers are bytes in small letters."""
        heard = talk(app, delivery(method="GET"), piece(b"")).heard
        assert dict(heard[0]["headers"])[b"allow"] == b"POST, HEAD"

    def test_head(self, app: WebhookApp) -> None:
        """A HEAD is told the length of a body that it does not get."""
        answer = talk(app, delivery(b"", path="/mailpace/sideways/", method="HEAD")).answer
        assert (answer.status, answer.body) == (404, b"")
        assert dict(answer.headers)["content-length"] == str(len(b"There is no such endpoint.\n"))

    @pytest.mark.parametrize(
        "path, root, status",
        [
            ("/mailpace/tracking/", "", 200),
            ("/mailpace/tracking/", None, 200),
            ("/mail/mailpace/tracking/", "/mail", 200),
            ("/mail/mailpace/tracking/", "/mail/", 200),
            ("/mailpace/tracking/", "/mail", 200),  # a server that leaves it out of the path
            ("/mailpace/tracking/", "/elsewhere", 200),
            ("/api/mail/mailpace/tracking", "/api/mail", 200),
            ("/mail/mailpace/tracking/", "", 404),
            ("/mail/mail/mailpace/tracking/", "/mail", 404),
            ("/mail", "/mail", 404),
            ("", "", 404),
            ("/mailpace/tracking//", "", 404),
            ("/mailpace/tracking/\n", "", 404),
        ],
    )
    def test_mounting(self, app: WebhookApp, path: str, root: str | None, status: int) -> None:
        """`root_path` says how much of the path is not the application's."""
        assert talk(app, delivery(), piece(EVENT), path=path, root_path=root).answer.status == status

    @pytest.mark.parametrize(
        "given, url",
        [
            ({}, "http://app.example.com/mail/mailpace/tracking/"),
            ({"query_string": b"a=b%20c"}, "http://app.example.com/mail/mailpace/tracking/?a=b%20c"),
            ({"raw_path": b"/mail/mailp%61ce/tracking"}, "http://app.example.com/mail/mailp%61ce/tracking"),
            ({"raw_path": None, "path": "/mail/mailpace/tracking/", "scheme": "https"},
             "https://app.example.com/mail/mailpace/tracking/"),
            ({"headers": [], "scheme": None}, "http://127.0.0.1:80/mail/mailpace/tracking/"),
            ({"headers": [], "server": None}, "http:///mail/mailpace/tracking/"),
            ({"headers": [], "server": ("/run/socket", None)}, "http:///run/socket/mail/mailpace/tracking/"),
        ],
    )  # fmt: skip
    def test_address(
        self, app: WebhookApp, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], url: str
    ) -> None:
        """The receiver is told the address that was asked for."""
        seen: list[WebhookRequest] = []

        async def receive(self: Any, request: WebhookRequest, *, kind: Any) -> WebhookResponse:
            seen.append(request)
            return WebhookResponse(status=299)

        monkeypatch.setattr(AsyncWebhookReceiver, "receive", receive)
        assert talk(app, delivery(length=None), piece(b""), **given).answer.status == 299
        assert seen[0].url == url

    def test_websocket(self, app: WebhookApp) -> None:
        """A websocket is refused before it is open."""
        said = Conversation({"type": "websocket.connect"}).of(app, {"type": "websocket"})
        assert said.heard == [{"type": "websocket.close"}]

    def test_something_else(self, app: WebhookApp) -> None:
        """A protocol that it does not know is an error, as the specification asks for."""
        with pytest.raises(NotImplementedError, match="mqtt"):
            Conversation().of(app, {"type": "mqtt"})


class TestBody:
    """How much is read."""

    def test_in_pieces(self, app: WebhookApp, events: list[TrackingEvent]) -> None:
        """A body comes in any number of pieces; some are empty, and one may have no body at all."""
        pieces = [piece(bytes([byte]), more=True) for byte in EVENT]
        pieces[3:3] = [piece(b"", more=True), {"type": "http.request", "more_body": True}]
        talked = talk(app, delivery(), *pieces, piece(b""))
        assert (talked.answer.status, len(events)) == (200, 1)

    @pytest.mark.parametrize("length", ["1001", "9" * 40])
    def test_announced_too_large(self, app: WebhookApp, length: str) -> None:
        """What says that it is too large is refused, and not asked for."""
        assert talk(app, delivery(length=length)).answer.status == 413

    def test_too_large_without_a_length(self, app: WebhookApp) -> None:
        """What comes without a length is read as far as is needed to see that it is too large."""
        pieces = [piece(b"x" * 400, more=True) for _ in range(1000)]
        talked = talk(app, delivery(length=None), *pieces)
        assert (talked.answer.status, len(talked.left)) == (413, 997)

    @pytest.mark.parametrize("method", ["HEAD", "GET", "PUT"])
    def test_other_methods(self, app: WebhookApp, method: str) -> None:
        """The body of what is no POST is not asked for."""
        assert talk(app, delivery(method=method)).answer.status in (200, 405)

    def test_no_length(self, app: WebhookApp, events: list[TrackingEvent]) -> None:
        """Without a length the server knows where a body ends."""
        plain = scope(delivery(), mounted=True)["headers"]
        headers = [pair for pair in plain if pair[0] != b"content-length"]
        talked = talk(app, delivery(), piece(EVENT), headers=headers)
        assert (talked.answer.status, len(events)) == (200, 1)

    @pytest.mark.parametrize("length", ["", None])
    def test_client_that_left(self, app: WebhookApp, length: str | None, events: list[TrackingEvent]) -> None:
        """Half a request is none, whether it had a length or not."""
        gone = {"type": "http.disconnect"}
        talked = talk(app, delivery(length=length), piece(EVENT, more=True), gone)
        expected = 200 if length == "" else 400  # with a length, nothing more is waited for
        assert (talked.answer.status, len(events)) == (expected, int(length == ""))
        assert talk(app, delivery(length=length), gone).answer.status == 400

    def test_ends_too_early(self, app: WebhookApp) -> None:
        """A body that is shorter than was announced is refused."""
        assert talk(app, delivery(), piece(EVENT[:-1])).answer.status == 400


class TestLifespan:
    """A server that starts and stops."""

    LIFE = ({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})

    def test_closes(self, app: WebhookApp, monkeypatch: pytest.MonkeyPatch) -> None:
        """The receivers are closed when the server stops, before it is told so."""
        talked = Conversation(*self.LIFE)

        async def close(self: Any) -> None:
            assert [message["type"] for message in talked.heard] == ["lifespan.startup.complete"]

        monkeypatch.setattr(AsyncWebhookReceiver, "close", close)
        talked.of(app, {"type": "lifespan"})
        assert [message["type"] for message in talked.heard] == [
            "lifespan.startup.complete",
            "lifespan.shutdown.complete",
        ]

    def test_fails_to_close(self, app: WebhookApp, monkeypatch: pytest.MonkeyPatch) -> None:
        """What goes wrong then is said to the server, and raised."""

        async def close(self: Any) -> None:
            raise OSError("broken")

        monkeypatch.setattr(AsyncWebhookReceiver, "close", close)
        talked = Conversation(*self.LIFE)
        with pytest.raises(OSError, match="broken"):
            talked.of(app, {"type": "lifespan"})
        assert talked.heard[-1] == {"type": "lifespan.shutdown.failed", "message": "OSError"}


class TestHandlers:
    """Functions of either colour."""

    def test_coroutine_function(self) -> None:
        """A coroutine function is awaited."""
        seen: list[TrackingEvent] = []

        async def store(event: TrackingEvent) -> None:
            await asyncio.sleep(0)
            seen.append(event)

        app = WebhookApp(AsyncWebhookReceiver.from_config(CONFIG, on_event=store))
        assert talk(app, delivery(), piece(EVENT)).answer.status == 200
        assert len(seen) == 1
