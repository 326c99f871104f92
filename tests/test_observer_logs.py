"""The log has one line for each send and delivery, and nothing private in it."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import mailcore.providers
import mailcore_mailpace
from mailcore import (
    HttpResponse,
    MailcoreError,
    Mailer,
    Message,
    Phase,
    PluginHost,
    SendCancelled,
    TransportFailure,
    WebhookReceiver,
    hookimpl,
)
from mailcore.observers import logs
from mailcore.testing import RecordingTransport, deliveries

# None can be part of an id in hexadecimal.
PRIVATE = ("bob", "carol", "harriet", "geheim", "a-token-of-mine")
MESSAGE = Message(
    from_="Harriet <harriet@shop.example>",
    to=["Bob <bob@example.net>", "carol@EXAMPLE.org"],
    subject="geheim",
    text="geheim",
    tags=["geheim"],
)
CONFIG = {"provider": "mailpace", "api_key": "a-token-of-mine"}


@pytest.fixture
def host() -> PluginHost:
    """Return a host with MailPace and the built-in providers."""
    return PluginHost({"builtin": mailcore.providers, "mailpace": mailcore_mailpace}, installed=False)


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def ours(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return the records of this plugin; none of them may hold anything private."""
    found = [record for record in caplog.records if record.name in ("mailcore.sends", "mailcore.deliveries")]
    for record in found:
        assert not [word for word in PRIVATE if word.lower() in repr(vars(record)).lower()]
    return found


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields of a record without its time, which must be there if anybody was asked."""
    told = {name: value for name, value in vars(record).items() if name.startswith("mailcore_")}
    if told.get("mailcore_attempts") != 0:
        assert 0 <= told.pop("mailcore_duration") < 60
    return {name.removeprefix("mailcore_"): value for name, value in told.items()}


def answer(code: int, **document: Any) -> HttpResponse:
    """Return an answer in JSON."""
    return HttpResponse(status=code, body=json.dumps(document).encode())


class Stopping:
    """A plugin that stops every mail."""

    @hookimpl
    def mailcore_before_send(self) -> None:
        """Stop it."""
        raise SendCancelled("geheim")


class Wrong:
    """A plugin that takes the content of every mail away."""

    @hookimpl
    def mailcore_before_send(self) -> Message:
        """Leave nothing but the addresses."""
        return Message(from_="harriet@shop.example", to="bob@example.net")


ENDINGS: dict[str, tuple[list[Any], int, dict[str, Any]]] = {
    "accepted": (
        [answer(200, id=7, status="pending")],
        logging.INFO,
        {"outcome": "accepted", "status": 200, "attempts": 1, "message_id": "7"},
    ),
    "at the second attempt": (
        [TransportFailure(Phase.CONNECTING, "geheim"), answer(200, id=7, status="pending")],
        logging.INFO,
        {"outcome": "accepted", "status": 200, "attempts": 2, "message_id": "7"},
    ),
    "rejected": (
        [answer(400, errors={"to": ["bob@example.net contains a blocked address"]})],
        logging.WARNING,
        {
            "outcome": "rejected",
            "error": "RecipientRejected",
            "scope": "message",
            "retriable": False,
            "status": 400,
            "attempts": 1,
        },
    ),
    "the account": (
        [answer(400, error="Invalid API Token")],
        logging.ERROR,
        {
            "outcome": "rejected",
            "error": "AuthenticationFailed",
            "scope": "account",
            "retriable": False,
            "status": 400,
            "attempts": 1,
        },
    ),
    "unknown": (
        [TransportFailure(Phase.SENT, "geheim")],
        logging.WARNING,
        {"outcome": "unknown", "error": "MaybeSent", "scope": "provider", "retriable": True, "attempts": 4},
    ),
}


class TestSends:
    """One line for each."""

    @pytest.mark.parametrize("name", ENDINGS)
    def test_endings(self, name: str, host: PluginHost, caplog: pytest.LogCaptureFixture) -> None:
        """What is told of each way a send can end."""
        answers, level, told = ENDINGS[name]
        logs.install(host)
        transport = RecordingTransport(*answers)
        mailer = Mailer.from_config(
            CONFIG, environ={}, host=host, name="news", transport=transport, sleep=lambda seconds: None
        )
        with suppress(MailcoreError):
            mailer.send(MESSAGE)
        (record,) = ours(caplog)
        common = {"event": "send", "provider": "mailpace", "mailer": "news", "recipients": 2}
        assert (fields(record), record.levelno) == ({**common, **told}, level)

    def test_line(self, host: PluginHost, caplog: pytest.LogCaptureFixture) -> None:
        """The line has the same fields, as words; what is not one word is quoted."""
        logs.install(host)
        transport = RecordingTransport(answer(200, id=7, status="pending"))
        mailer = Mailer.from_config(CONFIG, environ={}, host=host, name="a\nb outcome=x", transport=transport)
        mailer.send(MESSAGE)
        (record,) = ours(caplog)
        line, _, duration = record.getMessage().rpartition(" duration=")
        assert float(duration) >= 0
        assert line == (
            r"event=send provider=mailpace mailer='a\nb outcome=x' outcome=accepted status=200 attempts=1 "
            "message_id=7 recipients=2"
        )

    @pytest.mark.parametrize(
        "plugin, outcome, error, level",
        [
            (Stopping(), "cancelled", "SendCancelled", logging.INFO),
            (Wrong(), "refused", "InvalidMessage", logging.WARNING),
        ],
        ids=["cancelled", "refused"],
    )
    def test_nothing_was_sent(
        self, plugin: object, outcome: str, error: str, level: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What ended before anybody was asked is told as well."""
        plugins = {"mailpace": mailcore_mailpace, "plugin": plugin, "logs": logs.Logs()}
        host = PluginHost(plugins, installed=False)
        with pytest.raises(MailcoreError):
            Mailer.from_config(CONFIG, environ={}, host=host).send(MESSAGE)
        (record,) = ours(caplog)
        common = {"event": "send", "provider": "mailpace", "mailer": "default", "attempts": 0}
        assert fields(record) == {**common, "outcome": outcome, "error": error, "recipients": 2}
        assert record.levelno == level

    def test_batch(self, host: PluginHost, caplog: pytest.LogCaptureFixture) -> None:
        """One line a message."""
        logs.install(host)
        Mailer.from_config({"provider": "memory"}, environ={}, host=host).send_many([MESSAGE] * 3)
        assert len({fields(record)["message_id"] for record in ours(caplog)}) == 3

    def test_quiet(self, host: PluginHost, caplog: pytest.LogCaptureFixture) -> None:
        """A logger that is switched off costs no line, and leaves no record."""
        caplog.set_level(logging.CRITICAL, "mailcore.sends")
        logs.install(host)
        Mailer.from_config({"provider": "memory"}, environ={}, host=host).send(MESSAGE)
        assert ours(caplog) == []


class TestRecipients:
    """What may be told of them."""

    def test_domains(self, host: PluginHost, caplog: pytest.LogCaptureFixture) -> None:
        """Each domain once, sorted."""
        logs.install(host, domains=True)
        Mailer.from_config({"provider": "memory"}, environ={}, host=host).send(MESSAGE)
        assert fields(ours(caplog)[0])["recipient_domains"] == "example.net,example.org"

    def test_hashes(self, host: PluginHost, caplog: pytest.LogCaptureFixture) -> None:
        """The same for every spelling of an address, others under another key, and the key is not told."""
        plugin = logs.install(host, hash_key="geheim")
        mailer = Mailer.from_config({"provider": "memory"}, environ={}, host=host)
        mailer.send(MESSAGE)
        (record,) = ours(caplog)
        told = fields(record)["recipient_hashes"].split(",")
        assert told == plugin.hashes(["BOB@Example.net", "Carol <carol@example.org>"])
        assert {len(each) for each in told} == {16}
        assert not set(told) & set(logs.Logs(hash_key="other").hashes(["bob@example.net"]))
        assert "geheim" not in repr(vars(plugin))

    def test_hashes_without_a_key(self) -> None:
        """Nobody finds what is not there."""
        with pytest.raises(ValueError, match="no hash_key"):
            logs.Logs().hashes(["bob@example.net"])


class TestDeliveries:
    """One line for each delivery."""

    def test_dispositions(self, host: PluginHost, caplog: pytest.LogCaptureFixture) -> None:
        """What became of it; whether anybody must look, says the level."""
        pytest.importorskip("nacl")
        logs.install(host)
        made = deliveries("mailpace", host=host)
        handlers = {"on_event": lambda event: None, "on_inbound": lambda mail: 1 / 0}
        receiver = WebhookReceiver.from_config(made.settings, **handlers, environ={}, host=host)
        event, mail = made.event("delivered"), made.inbound(from_="bob@example.net", subject="geheim")
        for request, kind in ((event, "tracking"), (made.forged(event), "tracking"), (mail, "inbound")):
            receiver.receive(request, kind=kind)
        common = {"event": "webhook", "provider": "mailpace"}
        assert [(fields(record), record.levelname) for record in ours(caplog)] == [
            ({**common, "kind": "tracking", "outcome": "accepted"}, "INFO"),
            ({**common, "kind": "tracking", "outcome": "unauthenticated"}, "WARNING"),
            ({**common, "kind": "inbound", "outcome": "unavailable"}, "WARNING"),
        ]

    def test_later(self, tmp_path: Path, host: PluginHost, caplog: pytest.LogCaptureFixture) -> None:
        """What waited in the spool is told when it is handed over, with the time since it came."""
        pytest.importorskip("nacl")
        logs.install(host)
        made = deliveries("mailpace", host=host)
        config = {**made.settings, "spool": str(tmp_path)}
        working: list[bool] = []

        def handle(event: object) -> None:
            if not working:
                raise ConnectionError

        receiver = WebhookReceiver.from_config(config, on_event=handle, environ={}, host=host)
        receiver.receive(made.event("delivered"), kind="tracking")
        working.append(True)
        assert receiver.drain() == 1
        first, second = (fields(record) for record in ours(caplog))
        assert first == second


class TestInstalling:
    """Switching it on."""

    def test_default_host(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        """One line is enough; a second call replaces the first."""
        default = PluginHost({"builtin": mailcore.providers}, installed=False)
        monkeypatch.setattr(PluginHost, "_default", default)
        logs.install()
        logs.install(domains=True)
        Mailer.from_config({"provider": "memory"}, environ={}).send(MESSAGE)
        (record,) = ours(caplog)
        assert "recipient_domains" in fields(record)
