"""A random token through everything that can fail: it is read nowhere but on the wire.

What is looked at: logs at every level, text and representation of values and errors, tracebacks with the
values of every frame, pickles, JSON, files, and what commands print.

One exception, which is the caller's: while a mailer or receiver is being *made*, the frames that make it
hold the settings as they were given, the token among them (`test_exception_frames_of_making`).
"""

from __future__ import annotations

import json
import logging
import pickle
import secrets
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import mailcore_mailpace
from mailcore import (
    Address,
    Attachment,
    Claim,
    EndpointKind,
    HttpResponse,
    MailcoreError,
    Mailer,
    Message,
    Phase,
    PluginHost,
    Secret,
    TransportFailure,
    WebhookReceiver,
    WebhookRequest,
    hookimpl,
    to_json,
)
from mailcore.observers.logs import Logs
from mailcore.stores.folder import QuarantineFolder, SpoolFolder
from mailcore.testing import RecordingTransport

pytest.importorskip("nacl", reason="PyNaCl is not installed")

MESSAGE = Message(
    from_="ada@example.com",
    to=[Address("bob@example.com", "Bob")],
    subject="Hello",
    text="Hello",
    attachments=[Attachment(content=b"x", filename="a.txt")],
)
KIT = files("mailcore_mailpace") / "kit"
#: Seconds that no recorded delivery is older than.
ANY_AGE = 10_000 * 365 * 24 * 3600
EXCHANGES = sorted(file.name for file in (KIT / "exchanges").iterdir())
WEBHOOKS = sorted(file.name for file in (KIT / "webhooks").iterdir())
#: What a transport may raise, and what no transport should.
FAULTS: Mapping[str, BaseException] = {
    **{f"failed while {phase.value}": TransportFailure(phase, "It failed.") for phase in Phase},
    "untrusted": TransportFailure(Phase.CONNECTING, "It failed.", untrusted=True),
    "stray error": RuntimeError("stray"),
    "stray OSError": OSError(5, "Input/output error"),
    "interrupt": KeyboardInterrupt(),
    "memory": MemoryError(),
}


class Canary:
    """A token that shows itself to nobody but `reveal`, and finds itself wherever it got to."""

    def __init__(self) -> None:
        self._token = Secret(f"canary-{secrets.token_urlsafe(24)}")

    def reveal(self) -> str:
        """Return it, for the settings."""
        return self._token.reveal()

    def is_in(self, text: str | bytes) -> bool:
        """Return whether it can be read in a text, as it is or in base64."""
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        token = self.reveal().encode()
        # Base64 of a text that holds it shows one of three forms, by where the token begins in it.
        shifted = [b64encode(bytes(shift) + token)[4 if shift else 0 : -4] for shift in range(3)]
        return any(form in data for form in (token, *shifted))

    def shows_in(self, value: Any) -> list[str]:
        """Return the ways in which a value shows it."""
        return [way for way, look in WAYS.items() if self.is_in(look(value))]

    def shows_in_folder(self, folder: Path) -> list[str]:
        """Return the files that hold it."""
        return [str(path) for path in folder.rglob("*") if path.is_file() and self.is_in(path.read_bytes())]


def _pickled(value: Any) -> bytes:
    try:
        return pickle.dumps(value)
    except Exception as error:  # noqa: BLE001  # reason: most are not for that; their words count all the same
        return str(error).encode()


def _written(value: Any) -> str:
    try:
        return to_json(value)
    except Exception as error:  # noqa: BLE001  # reason: the same
        return _told(error)


def _told(value: Any) -> str:
    """Return what a reporter that shows the values of every frame would send, of an error and its causes."""
    told, pending, seen = [], [value], set()
    while pending:
        error = pending.pop()
        if not isinstance(error, BaseException) or id(error) in seen:
            continue
        seen.add(id(error))
        told += traceback.format_exception_only(error)
        told += [
            _shown(item)
            for frame, _ in traceback.walk_tb(error.__traceback__)
            for item in frame.f_locals.items()
        ]
        pending += [error.__cause__, error.__context__]
    return "\n".join(told)


def _shown(item: tuple[str, Any]) -> str:
    try:
        return repr(item)
    except Exception as error:  # noqa: BLE001  # reason: half-made values, such as a `self` of __init__, have no repr
        return repr(error)


WAYS: Mapping[str, Callable[[Any], str | bytes]] = {
    "repr": repr,
    "str": str,
    "format": lambda value: f"{value}",
    "its values": lambda value: repr(getattr(value, "__dict__", {})),
    "traceback with locals": _told,
    "pickle": _pickled,
    "JSON": _written,
}


@pytest.fixture
def canary() -> Canary:
    """Return a token of its own for each test."""
    return Canary()


@pytest.fixture(autouse=True)
def _nowhere(canary: Canary, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> Iterator[None]:
    """Fail a test that wrote its token to a log or a file."""
    caplog.set_level(logging.DEBUG)
    yield
    assert not canary.is_in(caplog.text)
    assert not any(canary.is_in(repr(record.__dict__)) for record in caplog.records)
    assert canary.shows_in_folder(tmp_path) == []


class Listening:
    """A plugin that keeps all that plugins are told."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    @hookimpl
    def mailcore_request_prepared(self, request: Any) -> None:
        """Keep it."""
        self.heard.append(request)

    @hookimpl
    def mailcore_response_received(self, request: Any, response: Any) -> None:
        """Keep both."""
        self.heard += [request, response]

    @hookimpl
    def mailcore_send_finished(self, result: Any, error: Any) -> None:
        """Keep how it ended."""
        self.heard += [result, error]

    @hookimpl
    def mailcore_webhook_finished(self, request: Any) -> None:
        """Keep it."""
        self.heard.append(request)


def listening() -> tuple[Listening, PluginHost]:
    """Return a plugin and its host, which logs every send and delivery too."""
    plugin = Listening()
    plugins = {"mailpace": mailcore_mailpace, "listening": plugin, "logs": Logs(domains=True, hash_key="k")}
    return plugin, PluginHost(plugins, installed=False)


def mailer(canary: Canary, host: PluginHost, *answers: Any, **settings: Any) -> Mailer:
    """Return a mailer with the token; it repeats where it may, and does not wait."""
    config = {"provider": "mailpace", "api_key": canary.reveal(), **settings}
    transport = RecordingTransport(*answers)
    return Mailer.from_config(config, environ={}, host=host, transport=transport, sleep=lambda _: None)


def ending(work: Callable[[], Any]) -> Any:
    """Return what some work returns or raises."""
    try:
        return work()
    except BaseException as error:  # noqa: BLE001  # reason: an interrupt is one of the endings
        return error


class TestSending:
    """Every way a send can end."""

    @pytest.mark.parametrize("fault", FAULTS)
    def test_faults(self, fault: str, canary: Canary) -> None:
        """A transport that fails, and one that raises what none should."""
        plugin, host = listening()
        made = mailer(canary, host, FAULTS[fault].with_traceback(None))
        found = ending(lambda: made.send(MESSAGE))
        assert isinstance(found, BaseException)
        for value in (found, made, made.settings, *plugin.heard):
            assert canary.shows_in(value) == []

    @pytest.mark.parametrize("name", EXCHANGES)
    def test_answers(self, name: str, canary: Canary) -> None:
        """Every answer of the kit, and the same answer with the token in it."""
        said = json.loads((KIT / "exchanges" / name).read_text(encoding="utf-8"))["response"]
        body, headers = said["body"].encode(), [tuple(pair) for pair in said["headers"]]
        plain = HttpResponse(status=said["status"], headers=headers, body=body)
        echo = HttpResponse(
            status=said["status"],
            headers=[*headers, ("X-Echo", canary.reveal())],
            body=body.replace(b'":"', b'":"' + canary.reveal().encode(), 1) or canary.reveal().encode(),
        )
        for answer in (plain, echo):
            plugin, host = listening()
            made = mailer(canary, host, answer, max_attempts=2)
            found = ending(lambda made=made: made.send(MESSAGE))
            for value in (found, *getattr(found, "attempts", ()), *plugin.heard):
                assert canary.shows_in(value) == []

    @pytest.mark.parametrize(
        "message",
        [
            Message(from_="a@b.example"),
            Message(from_="a@b.example", to="c@d.example", text="x", track_opens=True),
        ],
        ids=["incomplete", "unsupported"],
    )
    def test_refused_before_sending(self, message: Message, canary: Canary) -> None:
        """Nothing went out, and nothing shows."""
        _, host = listening()
        made = mailer(canary, host)
        found = ending(lambda: made.send(message))
        assert isinstance(found, MailcoreError)
        assert canary.shows_in(found) == []

    def test_real_transport(self, canary: Canary) -> None:
        """The one that is shipped, with nobody there to answer: the address is refused before a socket."""
        _, host = listening()
        config = {"provider": "mailpace", "api_key": canary.reveal(), "deadline": 0.001, "max_attempts": 1}
        made = Mailer.from_config(config, environ={}, host=host)
        found = ending(lambda: made.send(MESSAGE))
        assert isinstance(found, BaseException)
        assert canary.shows_in(found) == []


WRONG_SETTINGS: list[dict[str, Any]] = [
    {"api_url": "http://example.com"},
    {"api_url": "ftp://x"},
    {"webhook_key": "x"},
    {"no_such_option": "x"},
    {"deadline": "soon"},
    {"proxy": "nonsense"},
    {"on_unsupported": "maybe"},
]


class TestMaking:
    """Settings that cannot work."""

    @pytest.mark.parametrize("wrong", WRONG_SETTINGS, ids=lambda wrong: next(iter(wrong)))
    def test_errors(self, wrong: dict[str, Any], canary: Canary) -> None:
        """The error's words and values do not show the token that stood beside."""
        _, host = listening()
        found = ending(lambda: mailer(canary, host, **wrong))
        assert isinstance(found, MailcoreError)
        assert set(canary.shows_in(found)) <= {"traceback with locals"}

    @pytest.mark.parametrize("wrong", ["{token} x", "{token}\u00e9", "{token}\x00"])
    def test_a_token_that_is_none(self, wrong: str, canary: Canary) -> None:
        """Nor do they show a token that cannot be one."""
        _, host = listening()
        found = ending(lambda: mailer(canary, host, api_key=wrong.format(token=canary.reveal())))
        assert isinstance(found, MailcoreError)
        assert set(canary.shows_in(found)) <= {"traceback with locals"}

    @pytest.mark.parametrize("url", ["mailpace://?api_key={token}&deadline=soon", "none://{token}@host"])
    def test_urls(self, url: str, canary: Canary) -> None:
        """A URL that cannot work is not repeated in the error."""
        _, host = listening()
        found = ending(lambda: Mailer.from_url(url.format(token=canary.reveal()), environ={}, host=host))
        assert isinstance(found, MailcoreError)
        assert set(canary.shows_in(found)) <= {"traceback with locals"}

    def test_exception_frames_of_making(self, canary: Canary) -> None:
        """The exception: frames that make a mailer hold the settings as given. A `Secret` hides there too."""
        _, host = listening()
        config = {"provider": "mailpace", "api_key": Secret(canary.reveal()), "deadline": "soon"}
        found = ending(lambda: Mailer.from_config(config, environ={}, host=host))
        assert isinstance(found, MailcoreError)
        assert canary.shows_in(found) == []


class Failing:
    """A replay store and spool of which one step fails."""

    def __init__(self, step: str) -> None:
        self.step = step

    def _do(self, step: str) -> None:
        if step == self.step:
            raise ConnectionError("The store is down.")

    def claim(self, key: str, ttl: float) -> Claim:
        """Claim anything."""
        self._do("claim")
        return Claim.CLAIMED

    def commit(self, key: str) -> None:
        """Note nothing."""
        self._do("commit")

    def release(self, key: str) -> None:
        """Note nothing."""
        self._do("release")

    def add(self, spooled: object) -> None:
        """Keep nothing."""
        self._do("add")


def receiving(canary: Canary, host: PluginHost, folder: Path, **injected: Any) -> WebhookReceiver:
    """Return a receiver whose token is the password of its webhooks, and whose handlers fail."""

    def fail(what: object) -> None:
        raise ConnectionError("The database is down.")

    return WebhookReceiver.from_config(
        {
            "provider": "mailpace",
            "api_key": canary.reveal(),
            "webhook_secret": f"hook:{canary.reveal()}",
            "webhook_key": json.loads((KIT / "key.json").read_text(encoding="utf-8"))["public_key"],
            "quarantine": str(folder / "quarantine"),
            "spool": str(folder / "spool"),
            "max_age": ANY_AGE,
        },
        on_event=fail,
        on_inbound=fail,
        environ={},
        host=host,
        **injected,
    )


def basic(text: str) -> tuple[str, str]:
    """Return the header of basic auth."""
    return "Authorization", f"Basic {b64encode(text.encode()).decode()}"


class TestReceiving:
    """Every way a delivery can end, with the password in its headers."""

    @pytest.mark.parametrize("name", WEBHOOKS)
    def test_deliveries(self, name: str, canary: Canary, tmp_path: Path) -> None:
        """Those of the kit: spooled, quarantined, or refused; no file holds the password."""
        plugin, host = listening()
        receiver = receiving(canary, host, tmp_path)
        said = json.loads((KIT / "webhooks" / name).read_text(encoding="utf-8"))["request"]
        headers = [*map(tuple, said["headers"]), basic(f"hook:{canary.reveal()}")]
        for kind in EndpointKind:
            request = WebhookRequest(headers=headers, body=said["body"].encode())
            answer = receiver.receive(request, kind=kind)
            assert canary.shows_in(answer) == []
            assert [way for way in canary.shows_in(receiver) if way != "its values"] == []
        kept = [*SpoolFolder(tmp_path / "spool"), *QuarantineFolder(tmp_path / "quarantine")]
        for value in (receiver.drain(), *kept, *receiver.quarantined):
            assert canary.shows_in(value) == []
        for request in plugin.heard:
            assert canary.shows_in(request) == []

    @pytest.mark.parametrize("given", ["hook:{token}x", "{token}:hook", "{token}", "other:{token}"])
    def test_refusals(self, given: str, canary: Canary, tmp_path: Path) -> None:
        """A wrong password, of which the right one is a part, is refused without a word of it."""
        plugin, host = listening()
        receiver = receiving(canary, host, tmp_path)
        request = WebhookRequest(headers=[basic(given.format(token=canary.reveal()))], body=b"{}")
        found = ending(lambda: receiver.verify(request, kind="tracking"))
        assert isinstance(found, MailcoreError)
        assert set(canary.shows_in(found)) == set()
        assert receiver.receive(request, kind="tracking").status == 401
        assert [canary.shows_in(heard) for heard in plugin.heard] == [[]]

    @pytest.mark.parametrize("step", ["claim", "commit", "release", "add"])
    def test_stores_that_fail(self, step: str, canary: Canary, tmp_path: Path) -> None:
        """A store or spool that is down is logged, and no more than that."""
        _, host = listening()
        failing: Any = Failing(step)
        which = "spool" if step == "add" else "replay_store"
        receiver = receiving(canary, host, tmp_path, **{which: failing})
        said = json.loads((KIT / "webhooks" / "delivered.json").read_text(encoding="utf-8"))["request"]
        headers = [*map(tuple, said["headers"]), basic(f"hook:{canary.reveal()}")]
        request = WebhookRequest(headers=headers, body=said["body"].encode())
        assert canary.shows_in(receiver.receive(request, kind="tracking")) == []

    def test_full_disk(self, canary: Canary, tmp_path: Path) -> None:
        """Where spool and quarantine cannot be written, that is logged without the delivery's headers."""
        (tmp_path / "spool").write_text("a file")
        (tmp_path / "quarantine").write_text("a file")
        _, host = listening()
        receiver = receiving(canary, host, tmp_path)
        for name in ("delivered.json", "not-json.json"):
            said = json.loads((KIT / "webhooks" / name).read_text(encoding="utf-8"))["request"]
            headers = [*map(tuple, said["headers"]), basic(f"hook:{canary.reveal()}")]
            receiver.receive(WebhookRequest(headers=headers, body=said["body"].encode()), kind="tracking")


SEND = (
    "send",
    "--from",
    "ada@example.com",
    "--to",
    "bob@example.com",
    "--text",
    "Hello",
    "--provider",
    "mailpace",
)


class TestCommands:
    """What commands print, in words and as JSON."""

    @pytest.mark.parametrize(
        "arguments",
        [
            SEND,
            (*SEND, "--json"),
            (*SEND, "--to", "nobody"),
            (*SEND, "--dry-run"),
            (*SEND, "--dry-run", "--json"),
            ("doctor",),
            ("doctor", "--json"),
            ("providers",),
            ("plugins", "--json"),
            ("webhook", "check", "no-such-file", "--provider", "mailpace"),
            ("inbound", "show", "no-such-file"),
        ],
        ids=" ".join,
    )
    @pytest.mark.parametrize("debug", ["", "1"])
    def test_commands(
        self,
        arguments: tuple[str, ...],
        debug: str,
        canary: Canary,
        run: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """With the token in the environment, and a provider that cannot be reached."""
        from mailcore.transports.requests import RequestsTransport

        def refuse(*_: Any, **__: Any) -> Any:
            raise TransportFailure(Phase.CONNECTING, "It failed.")

        monkeypatch.setattr(RequestsTransport, "exchange", refuse)
        environment = {
            "MAILPACE_API_KEY": canary.reveal(),
            "MAILCORE_WEBHOOK_SECRET": f"hook:{canary.reveal()}",
        }
        ran = run(*arguments, **environment, MAILCORE_DEBUG=debug, MAILPACE_MAX_ATTEMPTS="1")
        assert not canary.is_in(ran.out)
        assert not canary.is_in(ran.err)

    def test_webhook_check(self, canary: Canary, run: Any, captured: Any, tmp_path_factory: Any) -> None:
        """A captured delivery whose headers hold the password."""
        folder = tmp_path_factory.mktemp("elsewhere")
        headers = folder / "headers.txt"
        name, value = basic(f"hook:{canary.reveal()}x")
        headers.write_text(f"{name}: {value}\n")
        check = (
            "webhook",
            "check",
            str(captured.event.body),
            "--provider",
            "mailpace",
            "--headers",
            str(headers),
        )
        for extra in ((), ("--json",)):
            ran = run(*check, *extra, MAILCORE_WEBHOOK_SECRET=f"hook:{canary.reveal()}")
            assert ran.code != 0
            assert not canary.is_in(ran.out + ran.err)


class TestCanary:
    """What would go unnoticed if the canary could not be found."""

    @pytest.mark.parametrize("prefix", ["", "a", "ab", "abc"])
    def test_finds_itself(self, prefix: str, canary: Canary) -> None:
        """Plain, and in base64 wherever it begins."""
        text = prefix + canary.reveal()
        assert canary.is_in(f"<{text}>")
        assert canary.is_in(b64encode(text.encode() + b"suffix"))
        assert not canary.is_in("canary")

    def test_finds_itself_in_frames(self, canary: Canary) -> None:
        """A function that fails with the token in a variable is found out."""

        def leak() -> None:
            leaked = canary.reveal()
            raise ValueError(len(leaked))

        assert canary.shows_in(ending(leak)) == ["traceback with locals"]
        assert canary.shows_in(ValueError(canary.reveal())) != []
