"""Follows a flow and decides how it ended.

Rule 1: the adapter says what a response means; only this file says what a missing one means.
Rule 2: what is not proved to be "not sent" is `MaybeSent`; once it is, only an acceptance settles it.
Rule 3: the decisions are generators as well (`_steps`), so that one copy of them serves sync and async.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from mailcore._adapter import Adapter, Context, Flow
from mailcore._changed import changed
from mailcore._http import HttpRequest, HttpResponse, Request, SmtpRequest, SmtpResponse
from mailcore._message import Message
from mailcore._result import TAKEN, Attempt, SendResult
from mailcore._retry import Repeats, repeated
from mailcore._steps import Steps
from mailcore._transport import Phase, TransportFailure
from mailcore.exceptions import (
    MailcoreError,
    MaybeSent,
    NotAccepted,
    Outcome,
    ProtocolBug,
    RecipientRejected,
    SendError,
    TLSFailure,
    UnexpectedRedirect,
    Unreachable,
)

__all__ = ["batch_steps", "first_request", "send_steps"]

T = TypeVar("T")


def send_steps(
    adapter: Adapter, provider: str, message: Message, ctx: Context, repeats: Repeats
) -> Steps[SendResult]:
    """Send one message; ends in a complete result or in a `SendError` that says all that is known."""

    def once(ctx: Context) -> Flow[SendResult]:
        return _send_once(adapter, provider, message, ctx)

    result, earlier = yield from repeated(once, ctx, repeats)
    return changed(result, attempts=(*earlier, *result.attempts)) if earlier else result


def first_request(adapter: Adapter, provider: str, message: Message, ctx: Context) -> Request:
    """Return the first request that sending one message would make, or raise what sending would."""
    flow = _opened(adapter.send_flow, message, ctx)
    try:
        return _advance(flow, None, committed=False)
    except StopIteration:
        raise ProtocolBug("The adapter makes no request.") from None
    except SendError as error:
        raise _completed(error, provider, ctx) from error.__cause__
    finally:
        flow.close()


def _send_once(adapter: Adapter, provider: str, message: Message, ctx: Context) -> Flow[SendResult]:
    found: SendResult | SendError
    try:
        found = yield from _decided(_opened(adapter.send_flow, message, ctx))
    except SendError as error:
        found = error
    verdict = _verdict(found, provider, ctx)
    if isinstance(verdict, SendError):
        raise verdict from verdict.__cause__
    return verdict


def batch_steps(
    adapter: Adapter, provider: str, messages: Sequence[Message], ctx: Context, repeats: Repeats
) -> Steps[list[SendResult | SendError]]:
    """Send several messages in one request; ends in one verdict for each, in their order."""

    def once(ctx: Context) -> Flow[list[SendResult | SendError]]:
        return _batch_once(adapter, provider, messages, ctx)

    try:
        verdicts, earlier = yield from repeated(once, ctx, repeats)
    except SendError as error:
        return [copy.copy(error) for _ in messages]
    return [_after(verdict, earlier) for verdict in verdicts] if earlier else verdicts


def _batch_once(
    adapter: Adapter, provider: str, messages: Sequence[Message], ctx: Context
) -> Flow[list[SendResult | SendError]]:
    try:
        found = yield from _decided(_listed(_opened(adapter.batch_flow, messages, ctx)))
    except SendError as error:
        raise _completed(error, provider, ctx) from error.__cause__
    if len(found) > len(messages):
        found = []  # it answers for other messages than these: nothing in it can be matched
    unmatched = range(len(messages) - len(found))
    verdicts = [*found, *(MaybeSent("The provider's answer leaves this message out.") for _ in unmatched)]
    return [_verdict(verdict, provider, ctx) for verdict in verdicts]


def _after(verdict: SendResult | SendError, earlier: tuple[Attempt, ...]) -> SendResult | SendError:
    attempts = (*earlier, *verdict.attempts)
    if isinstance(verdict, SendResult):
        return changed(verdict, attempts=attempts)
    verdict.attempts = attempts
    return verdict


def _verdict(found: SendResult | SendError, provider: str, ctx: Context) -> SendResult | SendError:
    """Return a result or error with everything core knows of it."""
    try:
        if isinstance(found, SendError):
            return _completed(found, provider, ctx)
        _check_result(found)
    except SendError as error:
        return _completed(error, provider, ctx)
    attempts = (_attempt(provider, ctx, Outcome.ACCEPTED, "", _kept(found.raw)),)
    return changed(found, provider=provider, idempotency_key=ctx.idempotency_key, attempts=attempts)


def _opened(flow: Callable[..., Flow[T]], *arguments: Any) -> Flow[T]:
    """Start a flow when the first request is asked for, so that a failure to start is the flow's too."""
    return (yield from flow(*arguments))


def _listed(flow: Flow[Sequence[T]]) -> Flow[list[T]]:
    return list((yield from flow))


def _decided(flow: Flow[T]) -> Flow[T]:
    """Pass an adapter's flow on, and turn whatever goes wrong in it into a `SendError`."""
    committed = False
    response: Any = None
    try:
        while True:
            try:
                request = _advance(flow, response, committed=committed)
            except StopIteration as stop:
                value: T = stop.value
                return value
            if committed and request.commits:
                raise MaybeSent("The adapter tried to send the same mail twice.", response=_kept(response))
            try:
                response = yield request
            except Exception as failure:
                error = _failed(failure, request, committed=committed)
                if error is failure:
                    raise
                raise error from failure
            _refuse_redirect(request, response, committed=committed)
            committed = committed or request.commits
    finally:
        flow.close()


def _advance(flow: Flow[Any], response: Any, *, committed: bool) -> Request:
    """Return the next request; let the flow's end and its own verdicts through."""
    try:
        return flow.send(response)
    except (StopIteration, SendError):
        raise
    except Exception as error:
        if committed:
            raise _unknown(error, response) from error
        if isinstance(error, MailcoreError):
            raise
        raise _bug(error) from error


def _bug(error: Exception) -> ProtocolBug:
    return ProtocolBug(f"The adapter failed before anything was sent ({type(error).__name__}).")


def _unknown(error: Exception, response: Any) -> MaybeSent:
    return MaybeSent(
        f"The provider's answer could not be understood ({type(error).__name__}).", response=_kept(response)
    )


def _kept(response: Any) -> HttpResponse | SmtpResponse | None:
    return response if isinstance(response, HttpResponse | SmtpResponse) else None


def _failed(failure: Exception, request: Request, *, committed: bool) -> MailcoreError:
    """Return what a missing answer proves (Law: a failure before the commit is *not accepted*)."""
    if isinstance(failure, MailcoreError):  # raised before any byte, or by the body while it was read
        return MaybeSent(str(failure)) if committed else failure
    if not isinstance(failure, TransportFailure):  # it says nothing of how far it got
        failure = TransportFailure(Phase.SENT, f"The transport failed ({type(failure).__name__}).")
    if committed or (request.commits and failure.phase not in _harmless(request)):
        return MaybeSent(str(failure))
    if failure.phase is not Phase.CONNECTING:
        return NotAccepted(str(failure))
    return TLSFailure(str(failure)) if failure.untrusted else Unreachable(str(failure))


def _harmless(request: Request) -> tuple[Phase, ...]:
    """Return how far a request may get without sending mail: a part of it may do, but not in SMTP."""
    if isinstance(request, SmtpRequest):  # a server drops what it was not given whole (RFC 5321, 4.1.1.10)
        return (Phase.CONNECTING, Phase.SENDING)
    return (Phase.CONNECTING,)


def _refuse_redirect(request: Request, response: Any, *, committed: bool) -> None:
    if isinstance(request, HttpRequest) and 300 <= response.status < 400:
        # An earlier request may have sent the mail; this one proves nothing about it.
        error = MaybeSent if committed else UnexpectedRedirect
        raise error(
            f"HTTP {response.status}: redirected to {_host(response.headers.get('Location', ''))}. "
            "Redirects are not followed; check the API address.",
            response=response,
        )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "nowhere"
    except ValueError:
        return "nowhere"


def _check_result(result: Any) -> None:
    if not isinstance(result, SendResult):
        raise MaybeSent(f"The adapter returned {type(result).__name__} instead of a result.")
    response = _kept(result.raw)
    if not result.recipients:
        raise MaybeSent("The provider's answer names no recipient.", response=response)
    if any(found.status in TAKEN for found in result.recipients.values()):
        return
    reasons = dict.fromkeys(found.reason for found in result.recipients.values() if found.reason)
    raise RecipientRejected("; ".join(reasons) or "The provider refused every recipient.", response=response)


def _completed(error: SendError, provider: str, ctx: Context) -> SendError:
    error.provider = provider
    error.idempotency_key = ctx.idempotency_key
    if isinstance(error, MaybeSent) and ctx.idempotency_key is None:
        error.retriable = False  # without a key, repeating may send the mail twice
    error.attempts = (_attempt(provider, ctx, error.outcome, type(error).__name__, error.response),)
    return error


def _attempt(
    provider: str, ctx: Context, outcome: Outcome, error: str, response: HttpResponse | SmtpResponse | None
) -> Attempt:
    return Attempt(
        number=ctx.attempt,
        provider=provider,
        started_at=ctx.now,
        outcome=outcome,
        error=error,
        status=None if response is None else response.status,
    )
