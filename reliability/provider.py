"""MailPace as the harness has it: its emulator, reached through bytes; with keys, and without."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

import mailcore_mailpace
from mailcore import AdapterSpec, AsyncMailer, Capability, HttpRequest, Mailer, Message, PluginHost, hookimpl
from mailcore_mailpace.emulator import MailPaceEmulator
from reliability.mode import http

__all__ = ["KEYED", "KEYLESS", "Provider", "async_mailer", "mail", "mailer", "plugins"]

KEYED = "mailpace"
#: The same, but that it knows no keys: what is unknown stays so.
KEYLESS = "mailpace-without-keys"


class _Keyless:
    """Registers MailPace's adapter as that of a provider without idempotency."""

    @hookimpl
    def mailcore_register_adapters(self) -> Iterable[AdapterSpec]:
        (spec,) = mailcore_mailpace.mailcore_register_adapters()
        known = dict(spec.capabilities)
        del known[Capability.IDEMPOTENCY_KEY]
        return [attrs.evolve(spec, name=KEYLESS, idempotency=None, capabilities=known)]


def plugins() -> PluginHost:
    """Return the two providers here, and no plugin else."""
    return PluginHost({"mailpace": mailcore_mailpace, "keyless": _Keyless()}, installed=False)


def mailer(provider: str, settings: Mapping[str, Any], **injected: Any) -> Mailer:
    """Return a mailer that uses no plugin but the two providers here, and nothing of the environment."""
    return Mailer.from_config({**settings, "provider": provider}, environ={}, host=plugins(), **injected)


def async_mailer(provider: str, settings: Mapping[str, Any], **injected: Any) -> AsyncMailer:
    """Return such a mailer for async code."""
    return AsyncMailer.from_config({**settings, "provider": provider}, environ={}, host=plugins(), **injected)


def mail(name: str, size: int = 10) -> Message:
    """Return a mail that can be told from every other one by its subject."""
    return Message(from_="ada@example.com", to="bob@example.com", subject=name, text="x" * size)


class Provider:
    """MailPace's emulator behind HTTP/1.1; several threads may use it at once."""

    def __init__(self) -> None:
        self._emulator = MailPaceEmulator()
        self._taken: set[str] = set()

    def settings(self, base: str) -> dict[str, str]:
        """Return the settings that select it below that address."""
        found = self._emulator.settings(base)
        return {name: found[name] for name in ("api_url", "api_key")}

    def answer(self, raw: bytes) -> bytes:
        """Answer a request as MailPace would."""
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        pairs = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        request = HttpRequest(method=method, url=f"http://localhost{path}", headers=pairs, body=body)
        response = self._emulator.handle(request, datetime.now(UTC))
        if response.status == 200:
            self._taken.add(json.loads(body)["subject"])
        headers = [f"{name}: {value}" for name, value in response.headers.pairs]
        return http(response.status, response.body, *headers)

    def has(self, name: str) -> bool:
        """Return whether it has that mail now."""
        return name in self._taken

    def number(self) -> int:
        """Return how many mails it has, each counted once."""
        return len(self._taken)

    def taken(self) -> Counter[str]:
        """Return how often each mail was taken, by its name."""
        return Counter(sent.payload["subject"] for sent in self._emulator.sent)

    def ids(self) -> dict[str, str]:
        """Return the id that each mail was given."""
        return {sent.payload["subject"]: str(sent.id) for sent in self._emulator.sent}
