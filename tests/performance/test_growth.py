"""
How cost grows, by counting calls of functions: the same on any machine.

What is paid once does not count: from n to 2n, and from 2n to 4n, a linear cost adds twice as much, and a
quadratic one four times.
"""

from __future__ import annotations

import gc
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs
import pytest

import mailcore.providers
from mailcore import (
    Attachment,
    HttpRequest,
    Mailer,
    Message,
    PluginHost,
    WebhookReceiver,
    WebhookRequest,
    hookimpl,
)

pytestmark = pytest.mark.once

MESSAGE = Message(from_="ada@example.com", to="bob@example.com", subject="Hi", text="Hello")
CONFIGS = {
    "mailgun": {"api_key": "k"},
    "mailpace": {"api_key": "k"},
    "memory": {},
    "postmark": {"server_token": "t"},
}


@contextmanager
def counting() -> Iterator[list[int]]:
    """Count the calls of functions in this thread and in those that it starts; C's are calls, too."""
    counts = [0]

    def count(_: object, event: str, __: object) -> None:
        counts[0] += event in ("call", "c_call")

    gc.collect()
    gc.disable()  # what it calls, it calls at any time
    threading.setprofile(count)
    sys.setprofile(count)
    try:
        yield counts
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]  # reason: what the documentation says
        gc.enable()


def mailer(provider: str, *plugins: object) -> Mailer:
    """Return a mailer that sends nowhere."""
    code = [] if provider == "memory" else [pytest.importorskip(f"mailcore_{provider}")]
    named = {f"plugin-{number}": each for number, each in enumerate([*code, *plugins])}
    host = PluginHost({"builtin": mailcore.providers, **named}, installed=False)
    return Mailer.from_config({"provider": provider, **CONFIGS[provider]}, environ={}, host=host)


def made(provider: str, message: Message) -> Callable[[], object]:
    """Return what makes the request of a message, and its body."""
    sender = mailer(provider)

    def work() -> object:
        request = sender.preview(message)
        assert isinstance(request, HttpRequest)
        return [len(piece) for piece in request.body]

    return work


def messages(number: int) -> Callable[[], object]:
    """Send messages in one call."""
    sender = mailer("memory")
    return lambda: sender.send_many([MESSAGE] * number)


def recipients(number: int) -> Callable[[], object]:
    """Send to many people."""
    to = [f"Reader {each} <reader-{each}@example.com>" for each in range(number)]
    sender = mailer("mailgun")
    return lambda: sender.preview(attrs.evolve(MESSAGE, to=to))


def headers(number: int) -> Callable[[], object]:
    """Send with many headers."""
    return made("postmark", attrs.evolve(MESSAGE, headers={f"X-{each}": "1" for each in range(number)}))


def attachment(kibibytes: int) -> Callable[[], object]:
    """Send a file."""
    file = Attachment(content=bytes(kibibytes * 1024), filename="a.bin")
    return made("mailpace", attrs.evolve(MESSAGE, attachments=[file]))


def files(number: int) -> Callable[[], object]:
    """Send many files."""
    found = [Attachment(content=b"x", filename=f"{each}.txt") for each in range(number)]
    return made("mailpace", attrs.evolve(MESSAGE, attachments=found))


def plugins(number: int) -> Callable[[], object]:
    """Send past plugins."""

    class Plugin:
        @hookimpl
        def mailcore_before_send(self) -> None: ...

    sender = mailer("memory", *(Plugin() for _ in range(number)))
    return lambda: sender.send(MESSAGE)


def keys(number: int) -> Callable[[], object]:
    """Receive what the last of many keys has signed."""
    mailpace, nacl = pytest.importorskip("mailcore_mailpace"), pytest.importorskip("nacl.signing")
    ring = [nacl.SigningKey(bytes([each]) * 32) for each in range(number)]
    body = b'{"event": "email.delivered", "payload": {"id": 1, "to": "bob@example.com"}}'
    signature = b64encode(ring[-1].sign(body).signature).decode()
    request = WebhookRequest(headers={"X-MailPace-Signature": signature}, body=body)
    receiver = WebhookReceiver.from_config(
        {"provider": "mailpace", "webhook_key": [b64encode(bytes(key.verify_key)).decode() for key in ring]},
        on_event=lambda _: None,
        environ={},
        host=PluginHost({"mailpace": mailpace}, installed=False),
    )
    return lambda: receiver.receive(request, kind="tracking")


def text(kilobytes: int) -> Callable[[], object]:
    """Send a text."""
    words = "Your order is on its way, & this line is as long as “lines” are.\n" * (kilobytes * 16)
    return made("postmark", attrs.evolve(MESSAGE, text=words, html=words))


class TestCalls:
    """Twice as much takes as many calls more as is promised."""

    def added(self, make: Callable[[int], Callable[[], object]], number: int) -> tuple[int, int]:
        """Return how many calls are added from n to 2n, and from 2n to 4n."""
        counts = []
        for factor in (1, 2, 4):
            work = make(number * factor)
            work()  # whatever is only done once
            with counting() as found:
                work()
            counts += found
        first, second, third = counts
        return second - first, third - second

    @pytest.mark.parametrize(
        "make, number",
        [
            (messages, 25),
            (recipients, 25),
            (headers, 25),
            (attachment, 256),
            (files, 10),
            (plugins, 5),
            (keys, 8),
        ],
        ids=lambda value: getattr(value, "__name__", ""),
    )
    def test_order(self, make: Callable[[int], Callable[[], object]], number: int) -> None:
        """Calls grow with the number, and no faster."""
        first, second = self.added(make, number)
        assert first > 0
        assert second <= 2.5 * first

    def test_text(self) -> None:
        """A longer text takes not one call more."""
        assert self.added(text, 16) == (0, 0)

    def test_notices(self) -> None:
        """What is quadratic is seen."""

        def make(number: int) -> Callable[[], object]:
            return lambda: [abs(one) for one in range(number) for _ in range(number)]

        first, second = self.added(make, 10)
        assert second > 2.5 * first
