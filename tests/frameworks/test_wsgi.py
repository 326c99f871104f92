"""Endpoints under WSGI: what PEP 3333 asks for, and no byte more than is needed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from wsgiref.validate import validator

import pytest

from mailcore import ConfigurationError, TrackingEvent, WebhookReceiver, WebhookRequest, WebhookResponse
from mailcore.frameworks.wsgi import WebhookApp
from reliability.delivery import Answer, Delivery, environ, through_wsgi
from reliability.webhook_cases import EVENT, KEY, delivery

CONFIG = {"provider": "mailpace", "webhook_key": KEY}


class Counted(io.BytesIO):
    """Count what is read, and hand it out in pieces."""

    taken = 0
    piece = 1 << 20

    def read(self, size: int | None = -1) -> bytes:
        """Read at most a piece."""
        assert size is not None
        assert size >= 0, "everything at once is more than is allowed"
        found = super().read(min(size, self.piece))
        self.taken += len(found)
        return found


class Untouchable(io.BytesIO):
    """A body that a server would wait for."""

    def read(self, size: int | None = -1) -> bytes:
        """Fail the test."""
        raise AssertionError("The body is read.")


@pytest.fixture
def events() -> list[TrackingEvent]:
    """Return where events are stored."""
    return []


@pytest.fixture
def app(events: list[TrackingEvent]) -> Iterator[WebhookApp]:
    """Return an application that takes 1,000 bytes."""
    config = {**CONFIG, "max_event_bytes": 1000}
    with WebhookApp(WebhookReceiver.from_config(config, on_event=events.append)) as app:
        yield app


def call(app: Any, sent: Delivery, **given: Any) -> Answer:
    """Call an application with an environment of which some parts are different; None: not there."""
    made = {**environ(sent, mounted=True), **given}
    made = {name: value for name, value in made.items() if value is not None}
    started: list[Any] = []
    body = b"".join(app(made, lambda *said: started.append(said)))
    ((status, headers),) = started
    return Answer(status=int(status[:3]), headers=headers, body=body)


class TestProtocol:
    """The application as a server sees it."""

    @pytest.mark.parametrize("method", ["POST", "HEAD", "GET"])
    @pytest.mark.parametrize("path", ["/mailpace/tracking/", "/mailpace/sideways/"])
    def test_valid(self, app: WebhookApp, method: str, path: str) -> None:
        """The standard library's validator has nothing to say, but that it wants a type for no body."""

        def typed(environ: Any, start_response: Any) -> Any:
            def start(status: str, headers: list[tuple[str, str]]) -> Any:
                known = any(name == "Content-Type" for name, _ in headers)
                return start_response(
                    status, headers if known else [*headers, ("Content-Type", "text/plain")]
                )

            return app(environ, start)

        answer = through_wsgi(validator(typed), delivery(path=path, method=method), mounted=True)
        expected = {"POST": 200, "HEAD": 200, "GET": 405}[method]
        assert answer.status == (404 if "sideways" in path else expected)

    def test_head(self, app: WebhookApp) -> None:
        """A HEAD is told the length of a body that it does not get."""
        sent = delivery(b"", path="/mailpace/sideways/", method="HEAD")
        answer = through_wsgi(app, sent, mounted=True)
        assert (answer.status, answer.body) == (404, b"")
        assert dict(answer.headers)["content-length"] == str(len(b"There is no such endpoint.\n"))

    @pytest.mark.parametrize(
        "path",
        [
            "",
            "/",
            "//",
            "/mailpace",
            "/mailpace//tracking",
            "//mailpace/tracking/",
            "/mailpace/tracking//",
            "/mailpace/tracking/more",
            "/x/mailpace/tracking/",
            "/mailpace/tracking\n",
        ],
    )
    def test_other_paths(self, app: WebhookApp, path: str) -> None:
        """A path has two parts, and at most one slash at each end."""
        assert call(app, delivery(), PATH_INFO=path).status == 404

    def test_no_path(self, app: WebhookApp) -> None:
        """A server may leave out a path that is empty."""
        assert call(app, delivery(), PATH_INFO=None).status == 404

    def test_address(self, app: WebhookApp, monkeypatch: pytest.MonkeyPatch) -> None:
        """The receiver is told the address that was asked for, with the place of mounting."""
        seen: list[WebhookRequest] = []

        def receive(self: WebhookReceiver, request: WebhookRequest, *, kind: Any) -> WebhookResponse:
            seen.append(request)
            return WebhookResponse(status=299)

        monkeypatch.setattr(WebhookReceiver, "receive", receive)
        answer = call(app, delivery(), QUERY_STRING="a=b%20c")
        assert seen[0].url == "http://app.example.com/mail/mailpace/tracking/?a=b%20c"
        assert answer.status == 299


class TestBody:
    """How much is read."""

    def test_in_pieces(self, app: WebhookApp, events: list[TrackingEvent]) -> None:
        """A server may hand out less than it is asked for."""
        source = Counted(EVENT)
        source.piece = 1
        assert call(app, delivery(), **{"wsgi.input": source}).status == 200
        assert len(events) == 1

    def test_no_more_than_announced(self, app: WebhookApp, events: list[TrackingEvent]) -> None:
        """What stands behind the body is left to the server: it is the next request."""
        source = Counted(EVENT + b"POST /next")
        assert call(app, delivery(), **{"wsgi.input": source}).status == 200
        assert source.taken == len(EVENT)

    @pytest.mark.parametrize("length", ["1001", "9" * 40, "0" * 40 + "1001"])
    def test_announced_too_large(self, app: WebhookApp, length: str) -> None:
        """What says that it is too large is refused, and not read."""
        answer = call(app, delivery(), CONTENT_LENGTH=length, **{"wsgi.input": Untouchable()})
        assert answer.status == 413

    def test_too_large_without_a_length(self, app: WebhookApp) -> None:
        """What comes without a length is read as far as is needed to see that it is too large."""
        source = Counted(b"x" * 1_000_000)
        answer = call(app, delivery(length=None), **{"wsgi.input": source})
        assert (answer.status, source.taken) == (413, 1001)

    @pytest.mark.parametrize("method", ["HEAD", "GET", "PUT"])
    def test_other_methods(self, app: WebhookApp, method: str) -> None:
        """The body of what is no POST is not read."""
        assert call(app, delivery(method=method), **{"wsgi.input": Untouchable()}).status in (200, 405)

    @pytest.mark.parametrize("length", [None, "", "-1", "abc", "1_0", "²"])
    def test_no_usable_length(self, app: WebhookApp, length: str | None) -> None:
        """Without a length there is no body, unless the server knows where it ends: it might never end."""
        answer = call(app, delivery(), CONTENT_LENGTH=length, **{"wsgi.input": Untouchable()})
        assert answer.status == 401

    def test_pieces_that_the_server_does_not_understand(self, app: WebhookApp) -> None:
        """Chunks on a server that cannot read them are refused; they would be taken for no body at all."""
        given = {"wsgi.input": Untouchable(), "wsgi.input_terminated": None}
        answer = call(app, delivery(length=None), **given)
        assert (answer.status, answer.body) == (411, b"Send the body with its length.\n")

    @pytest.mark.parametrize("error", [ConnectionResetError(), TimeoutError(), ValueError("bad chunk")])
    def test_client_that_left(self, app: WebhookApp, error: Exception) -> None:
        """Whatever a server raises while the body is read, half a request is none."""

        class Broken(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                raise error

        assert call(app, delivery(), **{"wsgi.input": Broken()}).status == 400
        assert call(app, delivery(length=None), **{"wsgi.input": Broken()}).status == 400


class TestReceivers:
    """What an application is made of."""

    def test_none(self) -> None:
        """Without a receiver there would be no endpoint."""
        with pytest.raises(ConfigurationError, match="at least one"):
            WebhookApp([])

    def test_two_of_one_provider(self) -> None:
        """Which of two were meant nobody could tell."""
        receivers = [WebhookReceiver.from_config(CONFIG) for _ in range(2)]
        with pytest.raises(ConfigurationError, match="mailpace, mailpace"):
            WebhookApp(receivers)

    def test_close(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Closing it closes its receivers."""
        closed: list[bool] = []
        monkeypatch.setattr(WebhookReceiver, "close", lambda self: closed.append(True))
        with WebhookApp(WebhookReceiver.from_config(CONFIG)):
            assert closed == []
        assert closed == [True]

    def test_paths(self) -> None:
        """It can list what it answers."""
        app = WebhookApp(WebhookReceiver.from_config(CONFIG))
        assert app.endpoints.paths == ("mailpace/tracking/", "mailpace/inbound/")
