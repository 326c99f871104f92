"""The project's webhook endpoints: one receiver for each provider that may send any.

Rule 1: what arrives is handed to the signals' receivers; one that raises does not keep it from the others,
        and core hears of it.
Rule 2: nobody listening to a signal is no handler: core quarantines what comes.
Rule 3: where the project asks for a transaction for each request, each event is one, so that what a
        receiver that raises has written is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import attrs
from django.db import connections, transaction
from django.dispatch import Signal

from mailcore import Capability, ConfigurationError, Mailers, MissingOption, PluginHost, WebhookReceiver
from mailcore._capabilities import support
from mailcore.frameworks._endpoint import Endpoint, Endpoints
from mailcore.frameworks.django import _settings
from mailcore.frameworks.django.signals import inbound, tracking

__all__ = ["Webhooks", "build"]

_KINDS = (Capability.WEBHOOK_TRACKING, Capability.WEBHOOK_INBOUND)


@attrs.frozen
class Webhooks:
    """
    The endpoints there are, and those that should be.

    Attributes:
        broken: Provider → why its webhooks cannot be received.
    """

    receivers: tuple[WebhookReceiver, ...]
    broken: Mapping[str, ConfigurationError]

    def find(self, provider: str, kind: str) -> Endpoint[WebhookReceiver] | None:
        """Return a provider's endpoint of that kind; None where there is none."""
        return Endpoints(self.receivers).named(provider, kind) if self.receivers else None

    def close(self) -> None:
        """Close the receivers."""
        for receiver in self.receivers:
            receiver.close()


def build(mailers: Mailers | None) -> Webhooks:
    """Return the endpoints of the providers that mailers name, and of those whose keys are set."""
    named = {name for name, _ in _settings.tables(mailers)}
    receivers, broken = [], {}
    for spec in PluginHost.default().adapters.values():
        if not any(support(spec.capabilities, kind).usable for kind in _KINDS):
            continue
        try:
            receivers.append(_receiver(spec.name, _settings.receiver_config(mailers, spec.name)))
        except ConfigurationError as error:
            if spec.name in named or not isinstance(error, MissingOption):
                broken[spec.name] = error.with_traceback(None)
    return Webhooks(tuple(receivers), broken)


def _receiver(provider: str, config: Mapping[str, Any]) -> WebhookReceiver:
    return WebhookReceiver.from_config(
        config,
        environ=_settings.Surroundings(),
        on_event=_handler(tracking, "event", provider),
        on_inbound=_handler(inbound, "message", provider),
        replay_store=_settings.replay_store(),
    )


def _handler(signal: Signal, argument: str, provider: str) -> Callable[[Any], None] | None:
    if not signal.has_listeners():
        return None

    def hand_over(item: Any) -> None:
        with _transactions():
            told = {argument: item, "provider": provider, "esp_name": provider}
            for _, answer in signal.send_robust(type(item), **told):
                if isinstance(answer, Exception):
                    raise answer

    return hand_over


def _transactions() -> ExitStack:
    stack = ExitStack()
    for alias, database in connections.settings.items():
        if database["ATOMIC_REQUESTS"]:
            stack.enter_context(transaction.atomic(using=alias))
    return stack
