"""What the embeddings that configure themselves have in common: handlers, mailers, and endpoints of both.

Rule 1: endpoints are made of the handlers there are; one that is added later has them made anew.
Rule 2: a provider that can send webhooks, and whose webhooks nothing would prove, stops the start of an
        application that mounts endpoints, rather than each delivery.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypedDict, TypeVar, Unpack

from mailcore import (
    AsyncMailers,
    AsyncWebhookReceiver,
    Capability,
    ConfigurationError,
    InboundMessage,
    Mailers,
    MissingOption,
    PluginHost,
    Quarantined,
    ReplayStore,
    TrackingEvent,
    WebhookReceiver,
)
from mailcore._capabilities import support
from mailcore.frameworks._endpoint import Endpoint, Endpoints

__all__ = ["Embedded", "Handlers", "Options", "named"]

F = TypeVar("F", bound=Callable[..., object])
M = TypeVar("M", bound=Mailers | AsyncMailers)
R = TypeVar("R", bound=WebhookReceiver | AsyncWebhookReceiver)

#: Options that are functions.
_CALLED = frozenset({"on_event", "on_inbound", "on_quarantine"})
_KINDS = (Capability.WEBHOOK_TRACKING, Capability.WEBHOOK_INBOUND)


class Options(TypedDict, total=False):
    """
    What `Handlers` may be told.

    Attributes:
        on_event: Called with each event, as `WebhookReceiver` says.
        on_inbound: Called with each incoming mail.
        on_quarantine: Called with each genuine delivery that could not be understood.
        replay_store: Remembers deliveries, so that each is handled once.
        receive: Names of the mailers whose webhooks are received. Without it, all whose provider has
            some; of those with the same provider the first that has a proof of origin says how.
    """

    on_event: Callable[[TrackingEvent], object]
    on_inbound: Callable[[InboundMessage], object]
    on_quarantine: Callable[[Quarantined], object]
    replay_store: ReplayStore
    receive: Iterable[str]


class Handlers:
    """
    Know the functions that are called with what arrives; the base of each `Mailcore`.

    Args:
        options: As `Options` says.

    Attributes:
        options: These, and the functions that were added.
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        self.options: Mapping[str, Any] = options

    def on_event(self, function: F) -> F:
        """Have a function called with each event; a decorator."""
        return self._handle("on_event", function)

    def on_inbound(self, function: F) -> F:
        """Have a function called with each incoming mail; a decorator."""
        return self._handle("on_inbound", function)

    def _handle(self, name: str, function: F) -> F:
        if name in self.options:
            raise ConfigurationError(f"{name} has a function already. Call the second one from it.")
        self.options = {**self.options, name: function}
        return function


def named(mailers: type[M], config: Mapping[str, Any] | None) -> M:
    """
    Return the mailers of a configuration.

    Args:
        config: One mailer's flat settings, or what `Mailers` takes. None: the environment says it.

    Raises:
        ConfigurationError: There is no mailer.
    """
    if config is None:
        return mailers.from_env()  # type: ignore[return-value]  # reason: each class makes its own
    return mailers(config if "mailers" in config else {"mailers": {"default": config}})


class Embedded(Generic[M, R]):
    """
    Hold one application's mailers, and its endpoints.

    Args:
        receiver: The class of receiver to make.
        handlers: Looked at again whenever the endpoints are asked for.

    Attributes:
        receivers: Those that were made last.
    """

    def __init__(self, mailers: M, receiver: type[R], handlers: Handlers) -> None:
        self.mailers = mailers
        self.receivers: tuple[R, ...] = ()
        self._receiver = receiver
        self._handlers = handlers
        self._made_of: Mapping[str, Any] | None = None
        self._endpoints: Endpoints[R] | None = None
        self._lock = threading.Lock()

    def wrapped(self, function: Callable[..., object]) -> Callable[..., object]:
        """Return a handler as it is called in this application."""
        return function

    def endpoint(self, provider: str, kind: str) -> Endpoint[R] | None:
        """Return a provider's endpoint of that kind; None where there is none."""
        endpoints = self.endpoints()
        return endpoints.named(provider, kind) if endpoints else None

    def endpoints(self) -> Endpoints[R] | None:
        """
        Return the endpoints; None where no provider has any.

        Raises:
            ConfigurationError: There is a provider whose webhooks nothing would prove.
        """
        options = self._handlers.options
        with self._lock:
            if self._made_of is not options:
                self.receivers = tuple(self._built(options))
                self._endpoints = Endpoints(self.receivers) if self.receivers else None
                self._made_of = options
            return self._endpoints

    def _built(self, options: Mapping[str, Any]) -> Iterator[R]:
        arguments: dict[str, Any] = {
            name: self.wrapped(given) if name in _CALLED else given
            for name, given in options.items()
            if name != "receive"
        }
        found: set[str] = set()
        lacking: dict[str, MissingOption] = {}
        for provider, config in self._configs(options.get("receive")):
            if provider in found:
                continue
            try:
                yield self._receiver.from_config(config, **arguments)  # type: ignore[misc]  # reason: it makes its own
            except MissingOption as error:
                lacking.setdefault(provider, error)
            else:
                found.add(provider)
        for provider, problem in lacking.items():
            if provider not in found:
                raise problem

    def _configs(self, receive: Iterable[str] | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield provider and settings of every mailer whose webhooks are received."""
        for name in self.mailers if receive is None else receive:
            if receive is None and self.mailers.is_group(name):
                continue
            config = self.mailers.config(name)
            spec = PluginHost.default().spec(str(config.get("provider", "")))
            if any(support(spec.capabilities, kind).usable for kind in _KINDS):
                yield spec.name, config
