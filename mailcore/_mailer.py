"""Sends messages through one configured provider.

Rule: everything that can be refused is refused before the first byte leaves: defaults, plugins,
completeness, capabilities, advice, in that order.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from random import random
from typing import Any, cast

import attrs

from mailcore import _config
from mailcore._adapter import Adapter, Context
from mailcore._capabilities import Capability, support
from mailcore._carrier import Carrier
from mailcore._closing import Closing
from mailcore._driver import batch_steps, send_steps
from mailcore._fingerprint import KeyBook
from mailcore._http import Request
from mailcore._many import in_order
from mailcore._message import Message
from mailcore._plugins import PluginHost
from mailcore._policy import apply_advice, apply_capabilities
from mailcore._resolve import complete, fill, replace
from mailcore._result import Advice, SendOutcome, SendResult
from mailcore._retry import Quota, Repeats, RetryPolicy, Steps
from mailcore._secret import Secret
from mailcore._time import utc_now
from mailcore._transport import Deadline, Transport
from mailcore.exceptions import MailcoreError, MaybeSent, NotAccepted, Scope, SendError

__all__ = ["Mailer", "not_sent"]

#: Most messages in one batch where the provider names no limit: what is lost track of together.
MAX_BATCH = 500

_log = logging.getLogger("mailcore.mailer")


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
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], object] = time.sleep,
        random: Callable[[], float] = random,
    ) -> None:
        _config.require(configuration, "send")
        self.name = name
        self.provider = configuration.spec.name
        self.settings = configuration.settings
        self._spec = configuration.spec
        self._host = PluginHost.default() if host is None else host
        self._adapter: Adapter = configuration.adapter()
        self._carrier = Carrier(
            self.settings,
            provider=self.provider,
            mailer=name,
            host=self._host,
            transport=transport,
            secrets=configuration.secrets,
            sleep=sleep,
        )
        self._clock = clock
        self._keys = KeyBook()
        self._retry = RetryPolicy(
            max_attempts=self.settings.max_attempts,
            idempotency=self._spec.idempotency,
            quota=Quota(),
            random=random,
        )

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        *,
        environ: Mapping[str, str] | None = None,
        host: PluginHost | None = None,
        name: str = "default",
        transport: Transport | None = None,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], object] = time.sleep,
        random: Callable[[], float] = random,
    ) -> Mailer:
        """
        Return a mailer for a flat mapping such as `{"provider": "mailpace", "api_key": "..."}`.

        Args:
            environ: Where options not given are looked up; None: the process's environment.
            host: The plugins to use; None: all that are installed.
            transport: What carries the requests; None: the usual one for each type.
            clock: Returns the time, aware and in UTC.
            sleep: Waits that many seconds before a repeat.
            random: Returns a number from 0 up to 1, for the jitter of that wait.

        Raises:
            ConfigurationError: It cannot work; the error says what to change.
        """
        host = PluginHost.default() if host is None else host
        found = _config.configuration(config, host=host, environ=environ)
        return cls(found, name=name, host=host, transport=transport, clock=clock, sleep=sleep, random=random)

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
            InvalidMessage: It cannot be part of any mail, or its key was used for another one.
            UnsupportedFeature: This provider cannot carry it.
            SendCancelled: A plugin stopped it.
            SendError: It was not accepted, was rejected, or nobody can tell: see `outcome`.
        """
        prepared: _Prepared | None = None
        try:
            prepared = self._prepare(message, idempotency_key)
            result = self._deliver(prepared)
        except MailcoreError as error:
            self._finished(prepared.message if prepared else message, None, error)
            raise
        self._finished(prepared.message, result, None)
        return result

    def preview(self, message: Message, *, idempotency_key: str | None = None) -> Request:
        """
        Return the first request that `send` would make, and make none.

        Every check and policy applies; errors are those of `send` that come before anything is sent.
        """
        prepared = self._prepare(message, idempotency_key)
        flow = self._steps(prepared, self._carrier.deadline())
        try:
            return cast("Request", next(flow))  # a pause comes after a request at the earliest
        finally:
            flow.close()

    def send_many(self, messages: Iterable[Message], *, concurrency: int = 8) -> list[SendOutcome]:
        """Send now and return one outcome for each message, in their order; no `MailcoreError` is raised."""
        return list(self.iter_send(messages, concurrency=concurrency))

    def iter_send(self, messages: Iterable[Message], *, concurrency: int = 8) -> Iterator[SendOutcome]:
        """
        Send while iterating and yield one outcome for each message, in their order.

        At most `concurrency` requests are under way, and no more messages are taken than that
        needs. When iteration is abandoned, what is under way is finished first. Where the provider
        takes batches, messages go out in batches, but for those with an idempotency key of their
        own: a batch has one key, which a single message cannot be sent again under.
        """
        outcomes = in_order(self._send_chunk, messages, size=self._chunk_size(), concurrency=concurrency)
        for chunk in outcomes:
            yield from chunk

    def _chunk_size(self) -> int:
        found = support(self._spec.capabilities, Capability.BATCH)
        return (found.limit or MAX_BATCH) if found.usable else 1

    def _send_chunk(self, messages: Sequence[Message]) -> list[SendOutcome]:
        if self._chunk_size() == 1:
            return [self._outcome(message) for message in messages]
        return self._send_batch(messages)

    def _outcome(self, message: Message) -> SendOutcome:
        try:
            return SendOutcome(message, self.send(message), None)
        except Exception as error:  # noqa: BLE001  # reason: the others' outcomes must not be lost
            return SendOutcome(message, None, not_sent(error))

    def _send_batch(self, messages: Sequence[Message]) -> list[SendOutcome]:
        outcomes: dict[int, SendOutcome] = {}
        batch: dict[int, _Prepared] = {}
        for position, message in enumerate(messages):
            try:
                prepared = self._prepare(message, None)
            except Exception as error:  # noqa: BLE001  # reason: the others' outcomes must not be lost
                outcomes[position] = self._settled(message, None, not_sent(error))
            else:
                if prepared.message.idempotency_key is None:
                    batch[position] = prepared
                else:
                    outcomes[position] = self._alone(message, prepared)
        verdicts = self._deliver_batch(list(batch.values())) if batch else []
        for (position, prepared), verdict in zip(batch.items(), verdicts, strict=True):
            outcomes[position] = self._settled(messages[position], prepared, verdict)
        return [outcomes[position] for position in range(len(messages))]

    def _alone(self, message: Message, prepared: _Prepared) -> SendOutcome:
        try:
            return self._settled(message, prepared, self._deliver(prepared))
        except MailcoreError as error:
            return self._settled(message, prepared, error)

    def _deliver_batch(self, batch: Sequence[_Prepared]) -> Sequence[SendResult | MailcoreError]:
        idempotency = self._spec.idempotency
        key = str(uuid.uuid4()) if idempotency and idempotency.per_batch else None
        messages = [prepared.message for prepared in batch]
        deadline = self._carrier.deadline()
        steps = batch_steps(
            self._adapter, self.provider, messages, self._context(key), self._repeats(deadline)
        )
        try:
            verdicts = self._carrier.run(steps, deadline)
        except MailcoreError as error:  # refused before anything was sent
            return [copy.copy(error) for _ in batch]
        for verdict in verdicts:
            if isinstance(verdict, SendError):
                # The key was the batch's: a single message sent under it would be taken for the batch.
                verdict.idempotency_key = None
                verdict.retriable = verdict.retriable and not isinstance(verdict, MaybeSent)
        return verdicts

    def _settled(
        self, message: Message, prepared: _Prepared | None, verdict: SendResult | MailcoreError
    ) -> SendOutcome:
        told = prepared.message if prepared else message
        if isinstance(verdict, MailcoreError):
            self._finished(told, None, verdict)
            return SendOutcome(message, None, verdict)
        result = _with_findings(verdict, prepared)
        self._finished(told, result, None)
        return SendOutcome(message, result, None)

    # One message --------------------------------------------------------------------------------

    def _prepare(self, message: Message, idempotency_key: str | None) -> _Prepared:
        if not isinstance(message, Message):
            raise TypeError(f"send takes a Message, not {type(message).__name__}.")
        if idempotency_key is not None:
            message = replace(
                message, idempotency_key=Message(idempotency_key=idempotency_key).idempotency_key
            )
        filled = fill(message, self.settings.defaults)
        changed = self._host.before_send(filled, provider=self.provider, mailer=self.name)
        ready = complete(filled if changed is filled else fill(changed, None))
        ready, dropped = apply_capabilities(ready, self._spec, self.settings.on_unsupported)
        advice = self._advice(ready)
        apply_advice(advice, self._spec, self.settings.on_advice)
        return _Prepared(message=ready, dropped=dropped, advice=advice)

    def _advice(self, message: Message) -> tuple[Advice, ...]:
        if self.settings.on_advice == "ignore":
            return ()
        try:
            return tuple(self._adapter.advise(message))
        except Exception:  # noqa: BLE001  # reason: advice never blocks, a broken adviser neither
            _log.exception("The adapter of %s failed to advise; the message goes on.", self.provider)
            return ()

    def _deliver(self, prepared: _Prepared) -> SendResult:
        deadline = self._carrier.deadline()
        given = prepared.message.idempotency_key if self._spec.idempotency else None
        new = given is not None and self._keys.check(given, prepared.message)
        try:
            result = self._carrier.run(self._steps(prepared, deadline), deadline)
        except MailcoreError as error:
            if new and given is not None and self._frees_key(error):
                self._keys.forget(given)
            if given is None and isinstance(error, MaybeSent):
                self._remember_doubt(error, prepared.message)
            raise
        return _with_findings(result, prepared)

    def _frees_key(self, error: MailcoreError) -> bool:
        """Return whether the provider has no use of the key on record after this error."""
        if not isinstance(error, SendError) or error.response is None:
            return not isinstance(error, MaybeSent)
        stores = self._spec.idempotency is not None and self._spec.idempotency.stores_errors
        return not (stores or isinstance(error, MaybeSent))

    def _remember_doubt(self, error: MaybeSent, message: Message) -> None:
        """Keep the key that resolves a doubt for its mail; a file that changed must not hide the doubt."""
        with contextlib.suppress(MailcoreError):
            if error.idempotency_key is not None:
                self._keys.check(error.idempotency_key, message)

    def _steps(self, prepared: _Prepared, deadline: Deadline) -> Steps[SendResult]:
        key = prepared.message.idempotency_key or str(uuid.uuid4())
        context, repeats = self._context(key), self._repeats(deadline)
        return send_steps(self._adapter, self.provider, prepared.message, context, repeats)

    def _repeats(self, deadline: Deadline) -> Repeats:
        return Repeats(policy=self._retry, clock=self._clock, remaining=deadline.remaining)

    def _context(self, key: str | None) -> Context:
        now = self._clock()
        used = key if self._spec.idempotency else None
        return Context(now=now, created=now, unique=uuid.uuid4().hex, idempotency_key=used)

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
        """Close connections; a transport that was given stays open. Sending again opens new ones."""
        self._carrier.close()

    def __repr__(self) -> str:
        return f"Mailer({self.name!r}, provider={self.provider!r})"


def not_sent(error: Exception) -> MailcoreError:
    """Return the error as an outcome; what is none of ours came before anything was sent."""
    if isinstance(error, MailcoreError):
        return error
    failure = NotAccepted(
        f"Nothing was sent ({type(error).__name__}: {error}).", scope=Scope.MESSAGE, retriable=False
    )
    failure.__cause__ = error
    return failure


def _with_findings(result: SendResult, prepared: _Prepared | None) -> SendResult:
    if prepared is None or not (prepared.dropped or prepared.advice):
        return result
    return attrs.evolve(result, dropped=prepared.dropped, advice=prepared.advice)
