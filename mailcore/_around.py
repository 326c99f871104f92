"""Tells observers when work begins and when it is over.

Rule: where nobody listens, the steps are handed on as they are; watching costs those who watch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from mailcore._delivery import EndpointKind
from mailcore._steps import Steps

if TYPE_CHECKING:
    from mailcore._plugins import PluginHost

__all__ = ["around_delivery", "around_send"]

T = TypeVar("T")
Work = TypeVar("Work", bound=Callable[..., Steps[Any]])

_SEND, _DELIVERY = "mailcore_send_started", "mailcore_webhook_started"


def around_send(work: Work) -> Work:
    """Let observers hear of a method of `Sending` whose first argument is a message, or several."""

    @wraps(work)
    def watched(self: Any, given: Any, *arguments: Any) -> Steps[Any]:
        steps = work(self, given, *arguments)
        if not self._host.listens(_SEND):
            return steps
        messages = tuple(given) if isinstance(given, list | tuple) else (given,)
        told = {"provider": self.provider, "mailer": self.name, "messages": messages}
        return _between(self._host, _SEND, told, steps)

    return watched  # type: ignore[return-value]  # reason: it is called as `work` is


def around_delivery(work: Work) -> Work:
    """Let observers hear of a method of `Receiving` whose second argument is the kind, or None."""

    @wraps(work)
    def watched(self: Any, delivery: Any, kind: Any) -> Steps[Any]:
        steps = work(self, delivery, kind)
        if not self._host.listens(_DELIVERY):
            return steps
        known = next((each for each in EndpointKind if kind in (each, each.value)), None)
        return _between(self._host, _DELIVERY, {"provider": self.provider, "kind": known}, steps)

    return watched  # type: ignore[return-value]  # reason: it is called as `work` is


def _between(host: PluginHost, hook: str, told: dict[str, Any], steps: Steps[T]) -> Steps[T]:
    end = host.begin(hook, **told)
    try:
        return (yield from steps)
    finally:
        end()
