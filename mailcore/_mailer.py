"""Sends messages through one configured provider.

Rule: everything that can be refused is refused before the first byte leaves: defaults, plugins,
completeness, capabilities, advice, in that order.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from mailcore import _config
from mailcore._adapter import Adapter, Context, Flow
from mailcore._capabilities import Capability, support
from mailcore._closing import Closing
from mailcore._driver import batch_steps, drive, send_steps
from mailcore._http import Request
from mailcore._many import in_order
from mailcore._message import Message
from mailcore._plugins import PluginHost
from mailcore._policy import apply_advice, apply_capabilities
from mailcore._result import Advice, SendOutcome, SendResult
from mailcore._secret import Secret
from mailcore._spec import load_object
from mailcore._transport import TRANSPORTS, Deadline, Transport
from mailcore._version import version
from mailcore.exceptions import ConfigurationError, MailcoreError

__all__ = ["Mailer"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@attrs.frozen(kw_only=True)
class _Prepared:
    """A message that passed every check, and what the checks found."""

    message: Message
    dropped: tuple[str, ...]
    advice: tuple[Advice, ...]


class Mailer(Closing):
    """
    Send through one provider; safe to share between threads.

    Make one with `from_config` or `from_url`, keep it, and close it at the end: it holds the
    connections. Also a context manager.

    Attributes:
        provider: The provider's name.
        name: The mailer's own name, for logs and plugins.
    """

    def __init__(
        self,
        configuration: _config.Configuration,
        *,
        name: str = "default",
        host: PluginHost | None = None,
        transport: Transport | None = None,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        _config.require(configuration, "send")
        self.name = name
        self.provider = configuration.spec.name
        self.settings = configuration.settings
        self._spec = configuration.spec
        self._host = PluginHost.default() if host is None else host
        self._adapter: Adapter = load_object(self._spec.factory)(configuration.options)
        self._given_transport = transport
        self._transports: dict[type[Any], Transport] = {}
        self._clock = clock

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        *,
        environ: Mapping[str, str] | None = None,
        host: PluginHost | None = None,
        name: str = "default",
        transport: Transport | None = None,
    ) -> Mailer:
        """
        Return a mailer for a flat mapping such as `{"provider": "mailpace", "api_key": "..."}`.

        Args:
            environ: Where options not given are looked up; None: the process's environment.
            host: The plugins to use; None: all that are installed.
            transport: What carries the requests; None: the usual one for each type.

        Raises:
            ConfigurationError: It cannot work; the error says what to change.
        """
        host = PluginHost.default() if host is None else host
        provider = config.get("provider")
        if not isinstance(provider, str) or not provider:
            raise ConfigurationError(
                f"The configuration has no 'provider'. Available: {', '.join(host.adapters) or 'none'}."
            )
        found = _config.configuration(config, spec=host.spec(provider), environ=environ)
        return cls(found, name=name, host=host, transport=transport)

    @classmethod
    def from_url(
        cls,
        url: str | Secret,
        *,
        environ: Mapping[str, str] | None = None,
        host: PluginHost | None = None,
        transport: Transport | None = None,
    ) -> Mailer:
        """Return a mailer for a URL such as `mailpace://?api_key=env:MAILPACE_API_KEY`."""
        return cls.from_config(
            _config.from_url(url, environ=environ), environ=environ, host=host, transport=transport
        )

    # Sending ------------------------------------------------------------------------------------

    def send(self, message: Message, *, idempotency_key: str | None = None) -> SendResult:
        """
        Send one message and return what the provider said.

        Args:
            idempotency_key: Overrides the message's; one is made where the provider has a use for
                it. Pass `error.idempotency_key` to resolve a `MaybeSent`.

        Raises:
            InvalidMessage: It cannot be part of any mail.
            UnsupportedFeature: This provider cannot carry it.
            SendCancelled: A plugin stopped it.
            SendError: It was not accepted, was rejected, or nobody can tell: see `outcome`.
        """
        try:
            prepared = self._prepare(message, idempotency_key)
            flow = send_steps(
                self._adapter,
                self.provider,
                prepared.message,
                self._context(prepared.message.idempotency_key),
            )
            result = _with_findings(self._run(flow), prepared)
        except MailcoreError as error:
            self._finished(message, None, error)
            raise
        self._finished(prepared.message, result, None)
        return result

    def send_many(self, messages: Iterable[Message], *, concurrency: int = 8) -> list[SendOutcome]:
        """Send now and return one outcome for each message, in their order; no `MailcoreError` is raised."""
        return list(self.iter_send(messages, concurrency=concurrency))

    def iter_send(self, messages: Iterable[Message], *, concurrency: int = 8) -> Iterator[SendOutcome]:
        """
        Send while iterating and yield one outcome for each message, in their order.

        At most `concurrency` requests are under way, and no more messages are taken than that
        needs. When iteration is abandoned, what is under way is finished first.
        """
        outcomes = in_order(self._send_chunk, messages, size=self._chunk_size(), concurrency=concurrency)
        for chunk in outcomes:
            yield from chunk

    def _chunk_size(self) -> int:
        found = support(self._spec.capabilities, Capability.BATCH)
        return (found.limit or 500) if found.usable else 1

    def _send_chunk(self, messages: Sequence[Message]) -> list[SendOutcome]:
        if self._chunk_size() == 1:
            return [self._outcome(message) for message in messages]
        return self._send_batch(messages)

    def _outcome(self, message: Message) -> SendOutcome:
        try:
            return SendOutcome(message, self.send(message), None)
        except MailcoreError as error:
            return SendOutcome(message, None, error)

    def _send_batch(self, messages: Sequence[Message]) -> list[SendOutcome]:
        ready: dict[int, _Prepared] = {}
        verdicts: dict[int, SendResult | MailcoreError] = {}
        for position, message in enumerate(messages):
            try:
                ready[position] = self._prepare(message, None)
            except MailcoreError as error:
                verdicts[position] = error
        batch = [prepared.message for prepared in ready.values()]
        if batch:
            flow = batch_steps(self._adapter, self.provider, batch, self._context(str(uuid.uuid4())))
            try:
                verdicts.update(zip(ready, self._run(flow), strict=True))
            except MailcoreError as error:  # refused before anything was sent
                verdicts.update({position: copy.copy(error) for position in ready})
        return [
            self._settled(message, verdicts[position], ready.get(position))
            for position, message in enumerate(messages)
        ]

    def _settled(
        self, message: Message, verdict: SendResult | MailcoreError, prepared: _Prepared | None
    ) -> SendOutcome:
        if isinstance(verdict, MailcoreError):
            self._finished(message, None, verdict)
            return SendOutcome(message, None, verdict)
        result = _with_findings(verdict, prepared)
        self._finished(message, result, None)
        return SendOutcome(message, result, None)

    # One message --------------------------------------------------------------------------------

    def _prepare(self, message: Message, idempotency_key: str | None) -> _Prepared:
        if not isinstance(message, Message):
            raise TypeError(f"send takes a Message, not {type(message).__name__}.")
        if idempotency_key is not None:
            message = attrs.evolve(message, idempotency_key=idempotency_key)
        message = self._with_defaults(message)
        message, dropped = apply_capabilities(message, self._spec, self.settings.on_unsupported)
        if self._spec.idempotency and message.idempotency_key is None:
            message = attrs.evolve(message, idempotency_key=str(uuid.uuid4()))
        advice = tuple(self._adapter.advise(message)) if self.settings.on_advice != "ignore" else ()
        apply_advice(advice, self._spec, self.settings.on_advice)
        return _Prepared(message=message, dropped=dropped, advice=advice)

    def _with_defaults(self, message: Message) -> Message:
        resolved = message.resolve(self.settings.defaults)
        changed = self._host.before_send(resolved, provider=self.provider, mailer=self.name)
        return resolved if changed is resolved else changed.resolve()

    def _context(self, key: str | None) -> Context:
        now = self._clock()
        used = key if self._spec.idempotency else None
        return Context(now=now, created=now, unique=uuid.uuid4().hex, idempotency_key=used)

    def _run(self, flow: Flow[Any]) -> Any:
        deadline = Deadline(self.settings.deadline)
        return drive(flow, lambda request: self._exchange(request, deadline))

    def _exchange(self, request: Request, deadline: Deadline) -> Any:
        told = {"provider": self.provider, "mailer": self.name, "request": request}
        self._host.notify("mailcore_request_prepared", **told)
        response = self._transport(type(request)).exchange(request, deadline=deadline)
        self._host.notify("mailcore_response_received", **told, response=response)
        return response

    def _transport(self, handles: type[Any]) -> Transport:
        if self._given_transport is not None:
            return self._given_transport
        transport = self._transports.get(handles)
        if transport is None:
            pointer = TRANSPORTS.get(handles)
            if pointer is None:
                raise ConfigurationError(f"No transport carries {handles.__name__}.")
            # Two threads may build one each here; the first one kept is used, the other never opened.
            transport = self._transports.setdefault(handles, self._make_transport(pointer))
        return transport

    def _make_transport(self, pointer: str) -> Transport:
        agent = f"mailcore/{version()} ({self.provider})"
        made: Transport = load_object(pointer)(self.settings, user_agent=agent)
        return made

    def _finished(self, message: Message, result: SendResult | None, error: MailcoreError | None) -> None:
        self._host.notify(
            "mailcore_send_finished",
            provider=self.provider,
            mailer=self.name,
            message=message,
            result=result,
            error=error,
        )

    # Life ---------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close connections. The mailer may be used again and then opens new ones."""
        for transport in (self._given_transport, *self._transports.values()):
            if transport is not None:
                transport.close()

    def __repr__(self) -> str:
        return f"Mailer({self.name!r}, provider={self.provider!r})"


def _with_findings(result: SendResult, prepared: _Prepared | None) -> SendResult:
    if prepared is None or not (prepared.dropped or prepared.advice):
        return result
    return attrs.evolve(result, dropped=prepared.dropped, advice=prepared.advice)
