"""The hooks a plugin may implement. Nothing else is here.

A plugin implements the ones it needs with `mailcore.hookimpl` and registers under the entry-point
group `mailcore.plugins`. Arguments it does not need may be left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from mailcore._delivery import Disposition, EndpointKind, WebhookRequest
    from mailcore._event import TrackingEvent
    from mailcore._http import Request, Response
    from mailcore._inbound.message import InboundMessage
    from mailcore._message import Message
    from mailcore._result import SendResult
    from mailcore._spec import AdapterSpec
    from mailcore.exceptions import MailcoreError

__all__ = ["hookimpl", "hookspec"]

hookspec = pluggy.HookspecMarker("mailcore")
#: Marks a function as the implementation of the hook of its name.
hookimpl = pluggy.HookimplMarker("mailcore")


@hookspec
def mailcore_register_adapters() -> Iterable[AdapterSpec]:  # type: ignore[empty-body]  # reason: a spec
    """Return the adapters this plugin offers; called once, when the host loads."""


@hookspec
def mailcore_before_send(message: Message, provider: str, mailer: str) -> Message | None:
    """
    Return a message to send instead, or None to leave it.

    Called after the mailer's defaults and before the capability check, plugin by plugin in order
    of plugin name (`tryfirst` and `trylast` are honoured), each given the previous one's message.
    Raise `SendCancelled` to stop the message; any other error stops it too, in that plugin's name.
    """


@hookspec
def mailcore_request_prepared(provider: str, mailer: str, request: Request) -> None:
    """Observe a request about to be made; its secrets stay hidden."""


@hookspec
def mailcore_response_received(provider: str, mailer: str, request: Request, response: Response) -> None:
    """Observe an answer, before it is understood."""


@hookspec
def mailcore_send_started(
    provider: str, mailer: str, messages: Sequence[Message]
) -> Callable[[], object] | None:
    """
    Observe that a send begins, and return a function to be called when it is over, or None.

    `messages` are as the caller gave them: one, or those that go out together. `mailcore_send_finished` is
    called for each of them, and then the function, however the send ended. All of it happens in one thread
    and one context (`contextvars`), in which the requests are made too.
    """


@hookspec
def mailcore_send_finished(
    provider: str, mailer: str, message: Message, result: SendResult | None, error: MailcoreError | None
) -> None:
    """Observe how a send ended: exactly one of `result` and `error` is there."""


@hookspec
def mailcore_webhook_started(provider: str, kind: EndpointKind | None) -> Callable[[], object] | None:
    """
    Observe that a delivery is handled, and return a function to be called when it is over, or None.

    `kind` is None where the endpoint did not say. Until then, all hooks and handlers of that delivery are
    called in one context.
    """


@hookspec
def mailcore_webhook_finished(
    provider: str, request: WebhookRequest, kind: EndpointKind, disposition: Disposition
) -> None:
    """Observe what became of a delivery."""


@hookspec
def mailcore_event_received(provider: str, event: TrackingEvent) -> None:
    """Observe a verified event, before the handler is called."""


@hookspec
def mailcore_inbound_received(provider: str, message: InboundMessage) -> None:
    """Observe a verified incoming mail, before the handler is called."""
