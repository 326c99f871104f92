"""Who answers in the place of each provider.

Rule: the provider's own emulator, or a script. An answer that nobody vouches for is not made up.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import attrs

from mailcore._emulator import Emulator
from mailcore._http import HttpRequest, HttpResponse, LocalRequest, Request
from mailcore._plugins import PluginHost
from mailcore._secret import Secret
from mailcore._spec import load_object
from mailcore._time import utc_now
from mailcore._transport import TRANSPORTS, Deadline
from mailcore.exceptions import ConfigurationError
from mailcore.testing._recording import RecordingTransport

__all__ = ["Providers", "answered"]


def answered(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """Return the emulator's answer, whoever asks: with any token, at any address, as any sender."""
    headers = [(name, text.reveal() if isinstance(text, Secret) else text) for name, text in request.headers]
    body = request.body if isinstance(request.body, bytes) else b"".join(request.body)
    on_the_wire = attrs.evolve(request, headers=headers, body=body)
    emulator.adopt(on_the_wire)
    return emulator.handle(on_the_wire, utc_now())


class Providers:
    """
    Answer for every provider; safe to share between threads.

    Attributes:
        requests: What was asked for, oldest first.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._scripts: dict[str, RecordingTransport] = {}
        self._emulators: dict[str, Emulator] = {}
        self._local = load_object(TRANSPORTS[LocalRequest])()
        self._lock = threading.RLock()

    def script(self, provider: str, *answers: Any) -> None:
        """Answer from a script from now on."""
        self._scripts[provider.replace("_", "-")] = RecordingTransport(*answers)

    def answer(self, request: Request, *, provider: str, host: PluginHost) -> Any:
        """
        Return or raise the answer to a request.

        Raises:
            ConfigurationError: There is nobody to give it.
        """
        with self._lock:
            self.requests.append(request)
            script = self._scripts.get(provider)
            if script is not None:
                return script.exchange(request, deadline=Deadline(math.inf))
            if isinstance(request, LocalRequest):
                quiet = attrs.evolve(request, destination="memory")
                return self._local.exchange(quiet, deadline=Deadline(math.inf))
            emulator = self.emulator(provider, host=host)
            if not isinstance(request, HttpRequest):
                raise ConfigurationError(_nobody(provider, f"that takes a {type(request).__name__}"))
            return answered(emulator, request)

    def emulator(self, provider: str, *, host: PluginHost | None = None) -> Emulator:
        """
        Return the emulator of a provider, one for all that is asked.

        Raises:
            ConfigurationError: Its adapter ships none.
        """
        name = provider.replace("_", "-")
        with self._lock:
            if name not in self._emulators:
                spec = (PluginHost.default() if host is None else host).spec(name)
                if not spec.emulator:
                    raise ConfigurationError(_nobody(name, "that could answer in its place"))
                self._emulators[name] = _adopting(name, load_object(spec.emulator)())
            return self._emulators[name]


def _adopting(provider: str, emulator: Emulator) -> Emulator:
    if not hasattr(emulator, "adopt"):
        raise ConfigurationError(_nobody(provider, "with the method adopt, by which it knows your account"))
    return emulator


def _nobody(provider: str, purpose: str) -> str:
    return (
        f"The adapter of {provider!r} ships no emulator {purpose}. Say what the provider answers, with "
        f"outbox.script({provider!r}, HttpResponse(...)), or configure the provider 'memory' in this test."
    )
