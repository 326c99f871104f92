"""The project's mailers, built once and shared by all threads.

Rule: they live until the settings change, which only tests do.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from django.core.signals import setting_changed

from mailcore import ConfigurationError, Mailer, MailerGroup, Mailers
from mailcore.frameworks.django import _settings, _webhooks
from mailcore.frameworks.django.signals import inbound, tracking

__all__ = ["Registry", "get_mailer", "registry"]


class Registry:
    """Build mailers on first use and keep them."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._mailers: Mailers | None = None
        self._own: dict[str, tuple[dict[str, Any], Mailer]] = {}
        self._webhooks: dict[tuple[bool, bool], _webhooks.Webhooks] = {}

    def mailers(self) -> Mailers:
        """Return the mailers of the setting `MAILCORE`."""
        with self._lock:
            if self._mailers is None:
                self._mailers = _settings.mailers()
            return self._mailers

    def mailer(self, name: str | None = None) -> Mailer | MailerGroup:
        """Return one of them; None: the default one."""
        found = self.mailers()
        return found.default if name is None else found[name]

    def own_mailer(self, alias: str, name: str | None, options: Mapping[str, Any]) -> Mailer:
        """Return the mailer of an entry of Django's `MAILERS` that has options of its own."""
        config = self.overridden(name, options)
        with self._lock:
            known = self._own.get(alias)
            if known is None or known[0] != config:
                known = config, Mailer.from_config(config, environ=_settings.Surroundings(), name=alias)
                self._own[alias] = known
            return known[1]

    def overridden(self, name: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return a mailer's configuration with some options in place of its own."""
        if "provider" in options:
            return dict(options)
        return {**self.mailers().config(name), **options}

    def webhooks(self) -> _webhooks.Webhooks:
        """Return the endpoints; built anew where somebody begins to listen, or nobody does any more."""
        listened = tracking.has_listeners(), inbound.has_listeners()
        with self._lock:
            if listened not in self._webhooks:
                try:
                    mailers = self.mailers()
                except ConfigurationError:  # a project may receive and not send
                    mailers = None
                self._webhooks[listened] = _webhooks.build(mailers)
            return self._webhooks[listened]

    def close(self, *, setting: str = "MAILCORE", **_: Any) -> None:
        """Close what was built of a setting that changed; it is built anew when it is asked for."""
        held: list[Mailers | Mailer | _webhooks.Webhooks | None] = []
        with self._lock:
            if setting == "MAILERS" or _settings.is_ours(setting):
                held += [mailer for _, mailer in self._own.values()]
                self._own = {}
            if _settings.is_ours(setting):
                held += [*self._webhooks.values(), self._mailers]
                self._mailers, self._webhooks = None, {}
        for closing in held:
            if closing is not None:
                closing.close()


#: The one of this process.
registry = Registry()
setting_changed.connect(registry.close)


def get_mailer(name: str | None = None) -> Mailer | MailerGroup:
    """
    Return a mailer of the setting `MAILCORE`, to send a mailcore `Message` through.

    Args:
        name: None: the default one.

    Raises:
        ConfigurationError: There is none of that name, or its settings cannot work.
    """
    try:
        return registry.mailer(name)
    except ConfigurationError as error:
        failure = error.with_traceback(None)
    # Raised out here: the frames that read the settings hold secrets, which an error report would show.
    raise failure
