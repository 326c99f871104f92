"""Runs a flow and decides how it ended.

Rule 1: the adapter says what a response means; only this file says what a missing one means.
Rule 2: what is not proved to be "not sent" is `MaybeSent`.
Rule 3: the decisions are generators as well, so that one copy of them serves sync and async.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import attrs

from mailcore._adapter import Adapter, Context, Flow
from mailcore._http import HttpRequest, HttpResponse, Request
from mailcore._message import Message
from mailcore._result import TAKEN, Attempt, SendResult
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

__all__ = ["batch_steps", "drive", "send_steps"]

T = TypeVar("T")


def drive(flow: Flow[T], exchange: Callable[[Request], Any]) -> T:
    """Carry out a flow's requests one by one and return what it returns."""
    try:
        request = next(flow)
        while True:
            try:
                response = exchange(request)
            except Exception as failure:  # noqa: BLE001  # reason: what it proves is the flow's to say
                request = flow.throw(failure)
            else:
                request = flow.send(response)
    except StopIteration as stop:
        value: T = stop.value
        return value
    finally:
        flow.close()


def send_steps(adapter: Adapter, provider: str, message: Message, ctx: Context) -> Flow[SendResult]:
    """Send one message; ends in a complete result or in a `SendError` that says all that is known."""
    try:
        result = yield from _decided(_opened(adapter.send_flow, message, ctx))
        _check_result(result)
    except SendError as error:
        raise _completed(error, provider, ctx) from error.__cause__
    return _accepted(result, provider, ctx)


def batch_steps(
    adapter: Adapter, provider: str, messages: Sequence[Message], ctx: Context
) -> Flow[list[SendResult | SendError]]:
    """Send several messages in one request; ends in one verdict for each, in their order."""
    try:
        verdicts = yield from _decided(_listed(_opened(adapter.batch_flow, messages, ctx)))
    except SendError as error:
        verdicts = [copy.copy(error) for _ in messages]
    missing = len(messages) - len(verdicts)
    if missing:
        # A list of another length cannot be matched beyond its shorter end.
        verdicts = verdicts[: len(messages)] if missing > 0 else []
        verdicts += [MaybeSent("The provider's answer names another number of messages.") for _ in messages]
    return [_verdict(verdict, provider, ctx) for verdict in verdicts[: len(messages)]]


def _verdict(verdict: SendResult | SendError, provider: str, ctx: Context) -> SendResult | SendError:
    if isinstance(verdict, SendError):
        return _completed(verdict, provider, ctx)
    try:
        _check_result(verdict)
    except SendError as error:
        return _completed(error, provider, ctx)
    return _accepted(verdict, provider, ctx)


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
            request = _advance(flow, response, committed=committed)
            if isinstance(request, _Done):
                value: T = request.value
                return value
            if committed and request.commits:
                raise MaybeSent("The adapter tried to send the same mail twice.", response=response)
            try:
                response = yield request
            except MailcoreError:
                raise
            except Exception as failure:
                raise _failed(failure, request, committed=committed) from failure
            _refuse_redirect(request, response, committed=committed)
            committed = committed or request.commits
    finally:
        flow.close()


@attrs.frozen
class _Done:
    """What a flow returned, told apart from another request."""

    value: Any


def _advance(flow: Flow[Any], response: Any, *, committed: bool) -> Request | _Done:
    try:
        return flow.send(response)
    except StopIteration as stop:
        return _Done(stop.value)
    except SendError:
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


def _kept(response: Any) -> HttpResponse | None:
    return response if isinstance(response, HttpResponse) else None


def _failed(failure: Exception, request: Request, *, committed: bool) -> SendError:
    """Return what a missing answer proves (Law: a failure before the commit is *not accepted*)."""
    if not isinstance(failure, TransportFailure):  # it says nothing of how far it got
        failure = TransportFailure(Phase.SENDING, f"The transport failed ({type(failure).__name__}).")
    if failure.untrusted and failure.phase is Phase.CONNECTING and not committed:
        return TLSFailure(str(failure))
    if committed or (request.commits and failure.phase is not Phase.CONNECTING):
        return MaybeSent(str(failure))
    return Unreachable(str(failure)) if failure.phase is Phase.CONNECTING else NotAccepted(str(failure))


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
    if not any(found.status in TAKEN for found in result.recipients.values()):
        reasons = dict.fromkeys(found.reason for found in result.recipients.values() if found.reason)
        raise RecipientRejected(
            "; ".join(reasons) or "The provider refused every recipient.", response=response
        )


def _accepted(result: SendResult, provider: str, ctx: Context) -> SendResult:
    attempt = Attempt(
        number=ctx.attempt,
        provider=provider,
        started_at=ctx.now,
        outcome=Outcome.ACCEPTED,
        status=getattr(result.raw, "status", None),
    )
    return attrs.evolve(result, provider=provider, idempotency_key=ctx.idempotency_key, attempts=(attempt,))


def _completed(error: SendError, provider: str, ctx: Context) -> SendError:
    error.provider = provider
    error.idempotency_key = ctx.idempotency_key
    if isinstance(error, MaybeSent) and ctx.idempotency_key is None:
        error.retriable = False  # without a key, repeating may send the mail twice
    status = error.response.status if error.response is not None else None
    error.attempts = (
        Attempt(
            number=ctx.attempt,
            provider=provider,
            started_at=ctx.now,
            outcome=error.outcome,
            error=type(error).__name__,
            status=status,
        ),
    )
    return error
