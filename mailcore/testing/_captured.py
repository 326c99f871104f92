"""Everything a program sends, in a list and nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mailcore._http import Request
from mailcore._message import Message
from mailcore._plugins import PluginHost
from mailcore._result import SendOutcome, SendResult
from mailcore._stand_in import STAND_INS
from mailcore.exceptions import MailcoreError
from mailcore.hookspecs import hookimpl
from mailcore.testing._outbox import Outbox, Sent
from mailcore.testing._recording import RecordingTransport
from mailcore.testing._stand_ins import Providers

__all__ = ["captured"]


@contextmanager
def captured() -> Iterator[Outbox]:
    """
    Let everything that is sent in this process meanwhile end in an outbox.

    It holds for every mailer and receiver, those made before too: no connection is made, whatever provider
    is configured. All else runs: defaults, plugins, capability checks, the adapter, repeats. In the place of
    the provider its emulator answers, with the provider's checks and ids, to any token and any sender's
    domain; `Outbox.script` answers otherwise. A `RecordingTransport` that a mailer was given stays in place.
    """
    capture = _Capture()
    STAND_INS.append(capture)
    try:
        yield capture.outbox
    finally:
        STAND_INS.remove(capture)
        capture.leave()


class _Capture:
    """The double of one block, and the plugin that hears how each send ended."""

    def __init__(self) -> None:
        self._providers = Providers()
        self.outbox = Outbox(self._providers)
        self._name = f"mailcore.testing.captured-{id(self)}"
        self._hosts: list[PluginHost] = []
        self._lock = threading.Lock()

    def replaces(self, given: object, *, host: PluginHost) -> bool:
        """Answer for all but a double; hear of what is sent through that as well."""
        self._join(host)
        return not isinstance(given, RecordingTransport)

    def answer(self, request: Request, *, provider: str, host: PluginHost) -> Any:
        """Answer as the provider would."""
        return self._providers.answer(request, provider=provider, host=host)

    def _join(self, host: PluginHost) -> None:
        with self._lock:
            if not any(host is each for each in self._hosts):
                host.add(self._name, self)
                self._hosts.append(host)

    def leave(self) -> None:
        """Hear of nothing any more."""
        for host in self._hosts:
            host.remove(self._name)

    @hookimpl
    def mailcore_send_finished(
        self, provider: str, mailer: str, message: Message, result: SendResult | None, error: MailcoreError
    ) -> None:
        """Keep how a send ended, unless a block within this one does."""
        if STAND_INS[-1:] != [self]:
            return
        if result is None:
            self.outbox.unsent.append(SendOutcome(message, None, error))
        else:
            self.outbox.sent.append(Sent(message=message, provider=provider, mailer=mailer, result=result))
