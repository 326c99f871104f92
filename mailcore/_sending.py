"""What sending is, whoever waits for it: the work of `Mailer` and `AsyncMailer`.

Rule 1: everything that can be refused is refused before the first byte leaves: defaults, plugins,
        completeness, capabilities, advice, in that order.
Rule 2: a send is a generator of steps, from the first check to the last observer; a mailer only carries
        the steps out.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import logging
import uuid
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime

import attrs

from mailcore import _config
from mailcore._adapter import Adapter, Context
from mailcore._around import around_send
from mailcore._capabilities import Capability, support
from mailcore._changed import changed
from mailcore._driver import batch_steps, first_request, send_steps
from mailcore._fingerprint import KeyBook
from mailcore._http import Request
from mailcore._message import Message
from mailcore._plugins import PluginHost
from mailcore._policy import apply_advice, apply_capabilities, limits
from mailcore._resolve import complete, fill
from mailcore._result import Advice, SendOutcome, SendResult
from mailcore._retry import Quota, Repeats, RetryPolicy
from mailcore._spec import Idempotency
from mailcore._steps import Steps
from mailcore._time import require_aware
from mailcore._transport import Deadline
from mailcore.exceptions import MailcoreError, MaybeSent, NotAccepted, Scope, SendError

__all__ = ["Prepared", "Sending", "not_sent"]

#: Most messages in one batch where the provider names no limit: what is lost track of together.
MAX_BATCH = 500

_log = logging.getLogger("mailcore.mailer")


@attrs.frozen(kw_only=True)
class Prepared:
    """A message that passed every check, and what the checks found."""

    message: Message
    dropped: tuple[str, ...]
    advice: tuple[Advice, ...]


class Sending:
    """
    Check messages and say which steps send them; the base of both mailers.

    Args:
        clock: Returns the time, aware and in UTC.
        random: Returns a number from 0 up to 1.
    """

    def __init__(
        self,
        configuration: _config.Configuration,
        *,
        name: str,
        host: PluginHost | None,
        clock: Callable[[], datetime],
        random: Callable[[], float],
    ) -> None:
        _config.require(configuration, "send")
        self.name = name
        self.provider = configuration.spec.name
        self.settings = configuration.settings
        self._spec = configuration.spec
        self._host = PluginHost.default() if host is None else host
        self._limits = limits(self._spec)
        self._adapter: Adapter = configuration.adapter()
        self._clock = clock
        self._keys = KeyBook()
        self._retry = RetryPolicy(
            max_attempts=self.settings.max_attempts,
            idempotency=self._spec.idempotency,
            quota=Quota(),
            random=random,
        )

    @property
    def idempotency(self) -> Idempotency | None:
        """What the provider promises about a repeated key; None where it knows no keys."""
        return self._spec.idempotency

    def preview(self, message: Message, *, idempotency_key: str | None = None) -> Request:
        """
        Return the first request that `send` would make, and make none.

        Every check and policy applies; errors are those of `send` that come before anything is sent.
        """
        prepared = self._prepare(message, idempotency_key)
        context = self._context(prepared.message.idempotency_key)
        return first_request(self._adapter, self.provider, prepared.message, context)

    # One message --------------------------------------------------------------------------------

    @around_send
    def _sent(
        self, message: Message, idempotency_key: str | None, created: datetime | None
    ) -> Steps[SendResult]:
        """Send one message; ends in its result or its error, and tells the observers which."""
        told, context = message, None
        try:
            prepared = self._prepare(message, idempotency_key)
            told = prepared.message
            context = self._context(told.idempotency_key, created)
            result = yield from self._delivered(prepared, context)
        except MailcoreError as error:
            self._finished(told, None, error)
            raise
        except Exception:
            raise
        except BaseException:  # who waited for it is told by what stopped it
            if context is not None:  # else nothing was begun
                self._finished(told, None, self._cancelled(context))
            raise
        self._finished(told, result, None)
        return result

    def _outcome(self, message: Message) -> Steps[SendOutcome]:
        try:
            return SendOutcome(message, (yield from self._sent(message, None, None)), None)
        except Exception as error:  # noqa: BLE001  # reason: the others' outcomes must not be lost
            return SendOutcome(message, None, not_sent(error))

    def _prepare(self, message: Message, idempotency_key: str | None) -> Prepared:
        if not isinstance(message, Message):
            raise TypeError(f"send takes a Message, not {type(message).__name__}.")
        if idempotency_key is not None:
            message = changed(
                message, idempotency_key=Message(idempotency_key=idempotency_key).idempotency_key
            )
        filled = fill(message, self.settings.defaults)
        passed = self._host.before_send(filled, provider=self.provider, mailer=self.name)
        ready = complete(filled if passed is filled else fill(passed, None))
        ready, dropped = apply_capabilities(
            ready, self._spec, self.settings.on_unsupported, self._limits, self._host
        )
        advice = self._advice(ready)
        apply_advice(advice, self._spec, self.settings.on_advice)
        return Prepared(message=ready, dropped=dropped, advice=advice)

    def _advice(self, message: Message) -> tuple[Advice, ...]:
        if self.settings.on_advice == "ignore":
            return ()
        try:
            return tuple(self._adapter.advise(message))
        except Exception:  # noqa: BLE001  # reason: advice never blocks, a broken adviser neither
            _log.exception("The adapter of %s failed to advise; the message goes on.", self.provider)
            return ()

    def _delivered(self, prepared: Prepared, context: Context) -> Steps[SendResult]:
        deadline = self._deadline()
        yield deadline
        given = prepared.message.idempotency_key if self._spec.idempotency else None
        new = given is not None and self._keys.check(given, prepared.message)
        try:
            result = yield from send_steps(
                self._adapter, self.provider, prepared.message, context, self._repeats(deadline)
            )
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

    def _cancelled(self, context: Context) -> MaybeSent:
        error = MaybeSent("The send was cancelled while it was under way.")
        error.provider, error.idempotency_key = self.provider, context.idempotency_key
        error.retriable = context.idempotency_key is not None
        return error

    def _deadline(self) -> Deadline:
        return Deadline(self.settings.deadline)

    def _repeats(self, deadline: Deadline) -> Repeats:
        return Repeats(policy=self._retry, clock=self._clock, remaining=deadline.remaining)

    def _context(self, given: str | None, created: datetime | None = None) -> Context:
        now = self._clock()
        key = given or str(uuid.uuid4())
        return Context(
            now=now,
            created=require_aware(created) or now,
            # Made of the key, so that who sends again under it sends the same bytes; it does not tell it.
            unique=hashlib.sha256(key.encode()).hexdigest()[:32],
            idempotency_key=key if self._spec.idempotency else None,
        )

    # Many messages ------------------------------------------------------------------------------

    def _chunk_size(self) -> int:
        found = support(self._spec.capabilities, Capability.BATCH)
        return (found.limit or MAX_BATCH) if found.usable else 1

    def _chunk(self, messages: Sequence[Message]) -> Steps[list[SendOutcome]]:
        """Send what goes out together; ends in one outcome for each, in their order."""
        if self._chunk_size() > 1:
            return (yield from self._batch(messages))
        [message] = messages
        return [(yield from self._outcome(message))]

    @around_send
    def _batch(self, messages: Sequence[Message]) -> Steps[list[SendOutcome]]:
        outcomes: dict[int, SendOutcome] = {}
        groups: dict[Hashable, dict[int, Prepared]] = {}
        for position, message in enumerate(messages):
            try:
                prepared = self._prepare(message, None)
                group = self._group(prepared.message)
            except Exception as error:  # noqa: BLE001  # reason: the others' outcomes must not be lost
                outcomes[position] = self._settled(message, None, not_sent(error))
            else:
                if group is None:
                    outcomes[position] = yield from self._alone(message, prepared)
                else:
                    groups.setdefault(group, {})[position] = prepared
        for batch in groups.values():
            verdicts = yield from self._delivered_together(list(batch.values()))
            for (position, prepared), verdict in zip(batch.items(), verdicts, strict=True):
                outcomes[position] = self._settled(messages[position], prepared, verdict)
        return [outcomes[position] for position in range(len(messages))]

    def _group(self, message: Message) -> Hashable:
        return None if message.idempotency_key is not None else self._adapter.batch_group(message)

    def _alone(self, message: Message, prepared: Prepared) -> Steps[SendOutcome]:
        try:
            context = self._context(prepared.message.idempotency_key)
            return self._settled(message, prepared, (yield from self._delivered(prepared, context)))
        except MailcoreError as error:
            return self._settled(message, prepared, error)

    def _delivered_together(self, batch: Sequence[Prepared]) -> Steps[Sequence[SendResult | MailcoreError]]:
        idempotency = self._spec.idempotency
        context = self._context(None)
        if not (idempotency and idempotency.per_batch):
            context = attrs.evolve(context, idempotency_key=None)
        messages = [prepared.message for prepared in batch]
        deadline = self._deadline()
        yield deadline
        try:
            verdicts = yield from batch_steps(
                self._adapter, self.provider, messages, context, self._repeats(deadline)
            )
        except MailcoreError as error:  # refused before anything was sent
            return [copy.copy(error) for _ in batch]
        for verdict in verdicts:
            if isinstance(verdict, SendError):
                # The key was the batch's: a single message sent under it would be taken for the batch.
                verdict.idempotency_key = None
                verdict.retriable = verdict.retriable and not isinstance(verdict, MaybeSent)
        return verdicts

    def _settled(
        self, message: Message, prepared: Prepared | None, verdict: SendResult | MailcoreError
    ) -> SendOutcome:
        told = prepared.message if prepared else message
        if isinstance(verdict, MailcoreError):
            self._finished(told, None, verdict)
            return SendOutcome(message, None, verdict)
        result = _with_findings(verdict, prepared)
        self._finished(told, result, None)
        return SendOutcome(message, result, None)

    def _finished(self, message: Message, result: SendResult | None, error: MailcoreError | None) -> None:
        self._host.notify(
            "mailcore_send_finished",
            provider=self.provider,
            mailer=self.name,
            message=message,
            result=result,
            error=error,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, provider={self.provider!r})"


def not_sent(error: Exception) -> MailcoreError:
    """Return the error as an outcome; what is none of ours came before anything was sent."""
    if isinstance(error, MailcoreError):
        return error
    failure = NotAccepted(
        f"Nothing was sent ({type(error).__name__}: {error}).", scope=Scope.MESSAGE, retriable=False
    )
    failure.__cause__ = error
    return failure


def _with_findings(result: SendResult, prepared: Prepared | None) -> SendResult:
    if prepared is None or not (prepared.dropped or prepared.advice):
        return result
    return changed(result, dropped=prepared.dropped, advice=prepared.advice)
