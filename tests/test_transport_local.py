"""The transport of this process: a list for tests, the terminal for development."""

from __future__ import annotations

import io
import sys
import threading
from typing import Any

import pytest

from mailcore import (
    Attachment,
    Capability,
    Deadline,
    LocalRequest,
    LocalResponse,
    Mailer,
    Message,
    PluginHost,
    Settings,
)
from mailcore.testing import outbox
from mailcore.transports.local import LocalTransport

MESSAGE = Message(
    from_="Ada <ada@example.com>",
    to=["bob@example.com"],
    cc="eve@example.com",
    bcc="mallory@example.com",
    subject="Hello, \u4e16\u754c",
    text="The text \U0001f600",
    tags=["a", "b"],
    attachments=[Attachment(content=b"12345", filename="note.txt")],
)


def exchange(
    transport: LocalTransport, *ids: str, key: str | None = None, to: str = "memory"
) -> LocalResponse:
    """Hand messages over under these ids."""
    asked = LocalRequest(messages=dict.fromkeys(ids, MESSAGE.resolve()), destination=to, idempotency_key=key)
    return transport.exchange(asked, deadline=Deadline(1))


class TestMemory:
    """A list."""

    def test_keeps_messages(self) -> None:
        """What was sent is there, complete and in order."""
        transport = LocalTransport(Settings())
        assert exchange(transport, "1", "2") == LocalResponse(message_ids=("1", "2"))
        assert transport.outbox == [MESSAGE.resolve()] * 2

    def test_repeated_key_is_answered_as_before(self) -> None:
        """The same key takes nothing new and brings the first ids."""
        transport = LocalTransport()
        first = exchange(transport, "1", key="k")
        assert exchange(transport, "2", key="k") == first
        assert len(transport.outbox) == 1

    def test_other_keys_and_none(self) -> None:
        """Without a key, each request is new."""
        transport = LocalTransport()
        for key in ("a", "b", None, None):
            exchange(transport, "1", key=key)
        assert len(transport.outbox) == 4

    def test_threads(self) -> None:
        """However many repeat one key at once, the message is taken once."""
        transport = LocalTransport()
        threads = [
            threading.Thread(target=exchange, args=(transport, str(n)), kwargs={"key": "k"})
            for n in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(transport.outbox) == 1

    def test_outlives_closing(self) -> None:
        """There is nothing to close."""
        transport = LocalTransport()
        exchange(transport, "1")
        transport.close()
        assert len(transport.outbox) == 1


class TestConsole:
    """The terminal."""

    def send(self, host: PluginHost, **changes: Any) -> str:
        """Send by the built-in provider and return the id."""
        mailer = Mailer.from_config({"provider": "console"}, environ={}, host=host)
        return str(mailer.send(MESSAGE).message_id)

    def test_prints_what_is_there(self, host: PluginHost, capsys: pytest.CaptureFixture[str]) -> None:
        """Every field that was given, the bodies last."""
        message_id = self.send(host)
        lines = capsys.readouterr().out.splitlines()
        assert lines[1:-1] == [
            f"Message id: {message_id}",
            "From: Ada <ada@example.com>",
            "To: bob@example.com",
            "Cc: eve@example.com",
            "Bcc: mallory@example.com",
            "Subject: Hello, \u4e16\u754c",
            "Attachments: note.txt (text/plain, 5 bytes)",
            "Tags: a, b",
            "",
            "The text \U0001f600",
        ]

    def test_steers_no_terminal(self, host: PluginHost, capsys: pytest.CaptureFixture[str]) -> None:
        """Escape sequences in a mail are shown, not obeyed."""
        mailer = Mailer.from_config({"provider": "console"}, environ={}, host=host)
        mailer.send(Message(from_="a@example.com", to="b@example.com", text="\x1b[2J\x9b1m\u202eexe"))
        assert "\\x1b[2J\\x9b1m\\u202eexe" in capsys.readouterr().out

    def test_terminal_that_cannot_show_it(self, host: PluginHost, monkeypatch: pytest.MonkeyPatch) -> None:
        """A mail that was sent is not an error because a terminal lacks a letter."""
        buffer = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding="ascii"))
        self.send(host)
        assert b"Subject: Hello, \\u4e16\\u754c" in buffer.getvalue()

    def test_keeps_nothing(self) -> None:
        """What was printed is not in the list."""
        transport = LocalTransport()
        exchange(transport, "1", to="console")
        assert transport.outbox == []


class TestProviders:
    """What the two built-in providers promise."""

    @pytest.mark.parametrize("provider", ["memory", "console"])
    def test_carry_everything(self, host: PluginHost, provider: str) -> None:
        """No field is refused, so that any mail can be tried."""
        carried = {name for name, support in host.spec(provider).capabilities.items() if support.usable}
        sending = {capability for capability in Capability if capability.value.startswith("send.")}
        assert sending - carried <= {Capability.BATCH, Capability.RECIPIENT_STATUS}

    def test_ids_are_unique(self, host: PluginHost) -> None:
        """Each message has an id of its own, as events would carry it."""
        mailer = Mailer.from_config({"provider": "memory"}, environ={}, host=host)
        ids = [mailer.send(MESSAGE).message_id for _ in range(100)]
        assert len(set(ids)) == 100

    def test_repeating_a_key_sends_once(self, host: PluginHost) -> None:
        """Tests of retries find the provider they need."""
        mailer = Mailer.from_config({"provider": "memory"}, environ={}, host=host)
        first, second = (mailer.send(MESSAGE, idempotency_key="k") for _ in range(2))
        assert first.message_id == second.message_id
        assert len(outbox(mailer)) == 1
