"""Deliveries come to Django's URLs, and are handed to whoever listens."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import connection, connections
from django.http import HttpResponse
from django.http.request import RawPostDataException
from django.test import AsyncClient, Client
from django.urls import include, path, reverse

from mailcore import (
    EmulatedDelivery,
    EndpointKind,
    InboundMessage,
    Message,
    TrackingEvent,
    WebhookReceiver,
)
from mailcore.frameworks.django import inbound, tracking
from mailcore.frameworks.django._registry import registry
from mailcore.frameworks.django.models import ReplayClaim
from mailcore.frameworks.wsgi import WebhookApp
from mailcore_mailpace.emulator import MailPaceEmulator

URL = "http://testserver/mailpace"
MAIL = b"From: bob@example.net\r\nTo: shop@example.com\r\nSubject: Hi\r\n\r\nHello\r\n"

urlpatterns = [path("mail/", include("mailcore.frameworks.django.urls"))]


@pytest.fixture
def emulator() -> MailPaceEmulator:
    """Return a MailPace that sends both kinds of webhooks."""
    emulator = MailPaceEmulator()
    emulator.subscribe(EndpointKind.TRACKING, f"{URL}/tracking/")
    emulator.subscribe(EndpointKind.INBOUND, f"{URL}/inbound/")
    return emulator


@pytest.fixture
def config(emulator: MailPaceEmulator) -> dict[str, Any]:
    """Return the settings that receive from it."""
    return {"PROVIDER": "mailpace", "MAILPACE_WEBHOOK_KEY": emulator.webhook_public_key}


@pytest.fixture
def mail(emulator: MailPaceEmulator) -> EmulatedDelivery:
    """Return the signed delivery of an incoming mail."""
    emulator.receive(MAIL, datetime.now(UTC))
    return emulator.due(datetime.now(UTC))[0]


@pytest.fixture
def event(emulator: MailPaceEmulator, through: Callable[..., None]) -> EmulatedDelivery:
    """Return the signed delivery of an event."""
    from mailcore import Mailer
    from mailcore.testing import RecordingTransport

    def answer(request: Any) -> Any:
        return emulator.handle(request, datetime.now(UTC))

    settings = {"provider": "mailpace", **emulator.settings("http://127.0.0.1")}
    with Mailer.from_config(settings, transport=RecordingTransport(answer)) as mailer:
        mailer.send(Message(from_="ada@example.com", to="bob@example.com", text="Hello"))
    return emulator.due(datetime.now(UTC))[0]


@pytest.fixture
def heard() -> Iterator[list[Any]]:
    """Listen to both signals, and give what was heard."""
    found: list[Any] = []

    def on_event(sender: Any, event: TrackingEvent, **rest: Any) -> None:
        found.append((sender, event, rest["provider"], rest["esp_name"]))

    def on_mail(sender: Any, message: InboundMessage, **rest: Any) -> None:
        found.append((sender, message, rest["provider"], rest["esp_name"]))

    tracking.connect(on_event)
    inbound.connect(on_mail)
    yield found
    tracking.disconnect(on_event)
    inbound.disconnect(on_mail)


def post(given: EmulatedDelivery, path: str = "", client: Client | None = None, **extra: Any) -> HttpResponse:
    """Make a delivery as the provider does."""
    request = given.request
    headers = {name: value for name, value in request.headers if name.lower() != "content-length"}
    content_type = headers.pop("Content-Type", "application/json")
    where = path or f"/mailpace/{given.kind.value}/"
    return (client or Client()).post(where, request.body, content_type, headers=headers, **extra)


class TestDelivery:
    """From the request to the signal."""

    def test_event(self, configure: Any, config: Any, event: EmulatedDelivery, heard: list[Any]) -> None:
        """A signed event is handed over, with the provider's name."""
        configure(MAILCORE=config)
        assert post(event).status_code == 200
        ((sender, found, provider, esp_name),) = heard
        assert (sender, provider, esp_name) == (TrackingEvent, "mailpace", "mailpace")
        assert (found.event_type.value, found.message_id) == ("queued", "1")

    def test_mail(self, configure: Any, config: Any, mail: EmulatedDelivery, heard: list[Any]) -> None:
        """A signed mail is handed over."""
        configure(MAILCORE=config)
        assert post(mail).status_code == 200
        ((sender, found, *_),) = heard
        assert (sender, found.subject) == (InboundMessage, "Hi")

    def test_forged(self, configure: Any, config: Any, mail: EmulatedDelivery, heard: list[Any]) -> None:
        """What nobody signed is refused, and nobody hears of it."""
        configure(MAILCORE=config)
        assert Client().post("/mailpace/inbound/", mail.request.body, "application/json").status_code == 401
        assert heard == []

    @pytest.mark.parametrize("path", ["/mailpace/inbound", "/mailpace/inbound/"])
    def test_slash(self, configure: Any, config: Any, mail: EmulatedDelivery, heard: Any, path: str) -> None:
        """A missing slash leads to the same place, not to a redirect."""
        configure(MAILCORE=config, MIDDLEWARE=["django.middleware.common.CommonMiddleware"])
        assert post(mail, path).status_code == 200

    def test_where_it_is_included(
        self, configure: Any, config: Any, mail: EmulatedDelivery, heard: Any
    ) -> None:
        """The place is the project's choice."""
        configure(MAILCORE=config, ROOT_URLCONF=__name__)
        where = reverse("mailcore:webhook", kwargs={"provider": "mailpace", "kind": "inbound"})
        assert where == "/mail/mailpace/inbound/"
        assert post(mail, where).status_code == 200

    def test_unknown(self, configure: Any, config: Any, mail: EmulatedDelivery) -> None:
        """Another provider or another kind is not found."""
        configure(MAILCORE=config)
        for where in ("/postmark/inbound/", "/mailpace/other/", "/mailpace/inbound/x/", "/memory/tracking/"):
            assert post(mail, where).status_code == 404

    def test_csrf_and_login(
        self, configure: Any, config: Any, mail: EmulatedDelivery, heard: list[Any]
    ) -> None:
        """Neither a token nor a login is asked of a provider."""
        configure(
            MAILCORE=config,
            INSTALLED_APPS=[
                "django.contrib.auth",
                "django.contrib.contenttypes",
                "django.contrib.sessions",
                "mailcore.frameworks.django",
            ],
            SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
            MIDDLEWARE=[
                "django.contrib.sessions.middleware.SessionMiddleware",
                "django.middleware.csrf.CsrfViewMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "django.contrib.auth.middleware.LoginRequiredMiddleware",
            ],
        )
        assert post(mail, client=Client(enforce_csrf_checks=True)).status_code == 200
        assert len(heard) == 1

    def test_two_halves_of_a_name(self, configure: Any, event: EmulatedDelivery) -> None:
        """An underscore in a provider's name is read as a hyphen."""
        configure(MAILCORE={"WEBHOOK_SECRET": "user:password"})
        receivers = {receiver.provider: receiver for receiver in registry.webhooks().receivers}
        receivers["mailpace"].provider = "mail-pace"
        assert registry.webhooks().find("mail_pace", "tracking") is not None
        assert registry.webhooks().find("mail-pace", "tracking") is not None

    def test_probe(self, configure: Any, config: Any) -> None:
        """HEAD is told that the endpoint is there; GET is told what is wanted."""
        configure(MAILCORE=config)
        assert Client().head("/mailpace/tracking/").status_code == 200
        assert Client().get("/mailpace/tracking/").status_code == 405


class TestBody:
    """Raw, whole, and no larger than allowed."""

    def test_larger_than_django_allows(
        self, configure: Any, config: Any, emulator: MailPaceEmulator, heard: list[Any]
    ) -> None:
        """A mail beyond DATA_UPLOAD_MAX_MEMORY_SIZE arrives."""
        configure(MAILCORE=config)
        emulator.receive(MAIL + b"x" * 3_000_000, datetime.now(UTC))
        (large,) = emulator.due(datetime.now(UTC))
        assert len(large.request.body) > 2_621_440
        assert post(large).status_code == 200
        assert len(heard[0][1].raw) > 3_000_000

    def test_our_own_limit(self, configure: Any, config: Any, mail: EmulatedDelivery) -> None:
        """One byte more than the setting allows is too large; nothing of it is read."""
        size = len(mail.request.body)
        configure(MAILCORE={**config, "MAX_INBOUND_BYTES": size - 1})
        assert post(mail).status_code == 413
        configure(MAILCORE={**config, "MAX_INBOUND_BYTES": size})
        assert post(mail).status_code != 413

    def test_read_by_a_middleware(
        self, configure: Any, config: Any, mail: EmulatedDelivery, heard: list[Any]
    ) -> None:
        """What a middleware has read already is still there."""
        configure(MAILCORE=config, MIDDLEWARE=[f"{__name__}.reading"])
        globals()["read"] = lambda request: request.body
        assert post(mail).status_code == 200

    def test_consumed_by_a_middleware(self, configure: Any, config: Any, mail: EmulatedDelivery) -> None:
        """A body that is lost is an error of the project's, and no forgery."""
        configure(MAILCORE=config, MIDDLEWARE=[f"{__name__}.reading"])
        globals()["read"] = lambda request: request.read()
        with pytest.raises(RawPostDataException):
            post(mail)

    def test_cut_off(self, configure: Any, config: Any) -> None:
        """Half a request is none."""
        configure(MAILCORE=config)
        status, _, body = wsgi(WSGIHandler(), "POST", "/mailpace/inbound/", b"{", CONTENT_LENGTH="2")
        assert (status, body) == ("400 Bad Request", b"The body is shorter than was announced.\n")

    def test_client_that_left(self, configure: Any, config: Any) -> None:
        """A connection that breaks while the body is read is half a request too."""

        class Broken(io.RawIOBase):
            def read(self, size: int = -1) -> bytes:
                raise ConnectionResetError

        configure(MAILCORE=config)
        given = {"wsgi.input": Broken(), "CONTENT_LENGTH": "9"}
        assert wsgi(WSGIHandler(), "POST", "/mailpace/inbound/", b"", **given)[0] == "400 Bad Request"


def reading(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a middleware that reads the body before the view does."""

    def middleware(request: Any) -> Any:
        globals()["read"](request)
        return get_response(request)

    return middleware


class TestSameBytes:
    """Every embedding answers the same delivery with the same bytes."""

    @pytest.mark.parametrize(
        "method, where",
        [
            ("POST", "/mailpace/tracking/"),
            ("GET", "/mailpace/tracking/"),
            ("HEAD", "/mailpace/inbound/"),
            ("POST", "/mailpace/else/"),
            ("POST", "/other/tracking/"),
            ("POST", "/mailpace/inbound"),
        ],
    )
    @pytest.mark.parametrize("body", [b"", b"{}"])
    def test_as_the_wsgi_application(
        self, configure: Any, config: Any, method: str, where: str, body: bytes
    ) -> None:
        """Django's handler and the plain WSGI application say the same, in status, headers and body."""
        config = {**config, "WEBHOOK_SECRET": "user:password"}
        configure(MAILCORE=config)
        key = config["MAILPACE_WEBHOOK_KEY"]
        plain = {"provider": "mailpace", "webhook_key": key, "webhook_secret": "user:password"}
        with WebhookApp(WebhookReceiver.from_config(plain)) as app:
            expected = wsgi(app, method, where, body)
        assert wsgi(WSGIHandler(), method, where, body) == expected


def wsgi(
    app: Any, method: str, where: str, body: bytes, **given: Any
) -> tuple[str, list[tuple[str, str]], bytes]:
    """Return what a WSGI application answers."""
    said: list[Any] = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": where,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        **given,
    }
    found = app(environ, lambda *given: said.append(given))
    content = b"".join(found)
    getattr(found, "close", lambda: None)()
    return said[0][0], sorted(said[0][1]), content


class TestAsync:
    """The same view below an ASGI server."""

    async def _post(self, given: EmulatedDelivery) -> Any:
        headers = {name: value for name, value in given.request.headers if name.lower() != "content-length"}
        headers.pop("Content-Type", None)
        return await AsyncClient().post(
            "/mailpace/inbound/", given.request.body, "application/json", headers=headers
        )

    def test_mail(self, configure: Any, config: Any, mail: EmulatedDelivery, heard: list[Any]) -> None:
        """A delivery is received there as well."""
        from asgiref.sync import async_to_sync

        assert ASGIHandler
        configure(MAILCORE=config)
        assert async_to_sync(self._post)(mail).status_code == 200
        assert heard[0][1].subject == "Hi"


class TestReceivers:
    """Whoever listens, and what becomes of what they raise."""

    @pytest.fixture
    def raising(self) -> Iterator[list[Any]]:
        """Listen to incoming mail with one receiver that raises and one that does not."""
        called: list[Any] = []

        def fails(sender: Any, message: InboundMessage, **_: Any) -> None:
            called.append("fails")
            if len(called) < 3:
                raise OSError("The disk is full.")

        def works(sender: Any, message: InboundMessage, **_: Any) -> None:
            called.append("works")

        inbound.connect(fails)
        inbound.connect(works)
        yield called
        inbound.disconnect(fails)
        inbound.disconnect(works)

    def test_asked_again(
        self, configure: Any, config: Any, mail: EmulatedDelivery, raising: list[Any]
    ) -> None:
        """One that raises has the delivery again; it does not keep it from the others."""
        configure(MAILCORE=config)
        assert post(mail).status_code == 503
        assert raising == ["fails", "works"]
        assert post(mail).status_code == 200

    def test_spool(
        self, configure: Any, config: Any, mail: EmulatedDelivery, raising: list[Any], tmp_path: Path
    ) -> None:
        """With a spool it is acknowledged and kept, and drainmailcorespool hands it over again."""
        configure(MAILCORE={**config, "SPOOL": tmp_path / "spool"})
        assert post(mail).status_code == 200
        assert len(list((tmp_path / "spool").iterdir())) == 1
        said = io.StringIO()
        call_command("drainmailcorespool", stdout=said)
        assert said.getvalue() == "mailpace: 1\n"
        assert list((tmp_path / "spool").iterdir()) == []
        assert raising == ["fails", "works", "fails", "works"]

    def test_nobody(
        self, configure: Any, config: Any, mail: EmulatedDelivery, tmp_path: Path, heard: list[Any]
    ) -> None:
        """What nobody listens to is quarantined, until somebody does."""
        configure(MAILCORE={**config, "QUARANTINE": tmp_path / "kept"})
        silenced, inbound.receivers = inbound.receivers, []
        inbound.sender_receivers_cache.clear()
        assert post(mail).status_code == 200
        assert len(list((tmp_path / "kept").iterdir())) == 1
        inbound.receivers = silenced
        inbound.sender_receivers_cache.clear()
        assert post(mail).status_code == 200
        assert heard[0][1].subject == "Hi"


def seen_by_others() -> int:
    """Return how many claims another process would see now."""
    found: list[int] = []

    def count() -> None:
        found.append(ReplayClaim.objects.count())
        connections.close_all()

    thread = threading.Thread(target=count)
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.usefixtures("database")
class TestTransactions:
    """What receivers write, and what the replay store writes."""

    STORE = "mailcore.frameworks.django.DjangoReplayStore"

    @pytest.fixture
    def writing(self) -> Iterator[list[Any]]:
        """Listen with a receiver that writes a row and then raises, the first time."""
        called: list[Any] = []

        def writes(sender: Any, message: InboundMessage, **_: Any) -> None:
            called.append((connection.in_atomic_block, seen_by_others()))
            ReplayClaim.objects.create(key=f"row {len(called)}", ttl=0, until=0, forget=9e9)
            if len(called) == 1:
                raise OSError("The disk is full.")

        inbound.connect(writes)
        yield called
        inbound.disconnect(writes)

    @pytest.fixture
    def atomic_requests(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make each request a transaction."""
        monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", value=True)

    @pytest.fixture
    def rows(self) -> Callable[[], list[str]]:
        """Return a function that lists what was written."""
        return lambda: list(ReplayClaim.objects.filter(key__startswith="row").values_list("key", flat=True))

    @pytest.mark.usefixtures("atomic_requests")
    def test_one_for_each_event(
        self,
        configure: Any,
        config: Any,
        mail: EmulatedDelivery,
        writing: list[bool],
        rows: Any,
    ) -> None:
        """With ATOMIC_REQUESTS what a receiver that raises wrote is undone; the claim is for all to see."""
        configure(MAILCORE={**config, "REPLAY_STORE": self.STORE})
        assert post(mail).status_code == 503
        assert rows() == []
        assert post(mail).status_code == 200
        assert (rows(), writing) == (["row 2"], [(True, 1), (True, 1)])

    def test_none_unless_asked_for(
        self, configure: Any, config: Any, mail: EmulatedDelivery, writing: list[bool], rows: Any
    ) -> None:
        """Without it every statement is its own, as elsewhere in the project."""
        configure(MAILCORE=config)
        assert post(mail).status_code == 503
        assert (rows(), writing) == (["row 1"], [(False, 0)])

    def test_handled_once(
        self, configure: Any, config: Any, mail: EmulatedDelivery, heard: list[Any]
    ) -> None:
        """With the replay store of the database a delivery that comes twice is handled once."""
        configure(MAILCORE={**config, "REPLAY_STORE": self.STORE})
        assert [post(mail).status_code, post(mail).status_code] == [200, 200]
        assert len(heard) == 1


class TestConfiguration:
    """Which endpoints there are."""

    def test_receiving_alone(
        self, configure: Any, config: Any, mail: EmulatedDelivery, heard: list[Any]
    ) -> None:
        """A project that receives and does not send names no mailer."""
        del config["PROVIDER"]
        configure(MAILCORE=config)
        assert post(mail).status_code == 200

    def test_named_mailers(
        self, configure: Any, config: Any, mail: EmulatedDelivery, heard: list[Any]
    ) -> None:
        """Of several mailers the first of that provider says how its webhooks are received."""
        key = config["MAILPACE_WEBHOOK_KEY"]
        tables = {
            "local": {"PROVIDER": "memory"},
            "both": {"GROUP": ["local", "main"]},
            "main": {"PROVIDER": "mailpace", "WEBHOOK_KEY": key, "API_KEY": "x"},
        }
        configure(MAILCORE={"MAILERS": tables})
        assert post(mail).status_code == 200

    def test_without_proof(self, configure: Any, mail: EmulatedDelivery, caplog: Any) -> None:
        """A provider that sends but has no key for webhooks is asked to try again, and the log says why."""
        configure(MAILCORE={"PROVIDER": "mailpace"})
        with caplog.at_level(logging.ERROR, "mailcore.webhooks"):
            assert post(mail).status_code == 503
        assert "MAILCORE_MAILPACE_WEBHOOK_KEY" in caplog.text

    def test_replay_store_that_is_none(self, configure: Any, config: Any, mail: EmulatedDelivery) -> None:
        """A replay store that cannot be made takes the endpoint down, rather than letting it do without."""
        configure(MAILCORE={**config, "REPLAY_STORE": "nowhere.Store"})
        assert post(mail).status_code == 503

    def test_basic_auth(self, configure: Any, config: Any, heard: list[Any]) -> None:
        """WEBHOOK_SECRET is asked for where it is set."""
        configure(MAILCORE={**config, "WEBHOOK_SECRET": "user:password"})
        answer = Client().post("/mailpace/tracking/", json.dumps({}), "application/json")
        assert (answer.status_code, answer["WWW-Authenticate"][:5]) == (401, "Basic")
