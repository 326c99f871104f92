"""What plugins add to a send; nothing leaves the process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import pluggy

import mailcore.providers
from benchmarks import mails
from benchmarks.contest import Contest
from benchmarks.meters import Cpu, each
from benchmarks.names import BARE, LISTENING, PLUGGY, PLUGINS
from mailcore import Mailer, Message, PluginHost, hookimpl, hookspecs

__all__ = ["CONTESTS", "sends"]


class _Plugin:
    """Listens, and does nothing."""

    @hookimpl
    def mailcore_before_send(self, message: Message) -> None:
        """Leave the message as it is."""


def sends(plugins: int) -> Callable[[], object]:
    """Return what sends one mail, past so many plugins; the mail itself is there already."""
    named = {f"plugin-{number}": _Plugin() for number in range(plugins)}
    host = PluginHost({"builtin": mailcore.providers, **named}, installed=False)
    mailer = Mailer.from_config({"provider": "memory"}, environ={}, host=host)
    message = mails.minimal.message()
    return lambda: mailer.send(message)


def _calls() -> Callable[[], object]:
    """Return what calls as many hooks by hand."""
    manager = pluggy.PluginManager("mailcore")
    manager.add_hookspecs(hookspecs)
    manager.register(_Plugin())
    hook, message = manager.hook.mailcore_before_send, mails.minimal.message()

    def work() -> None:
        for _ in range(PLUGINS):
            hook(message=message, provider="memory", mailer="default")

    return work


@contextmanager
def _listening() -> Iterator[Contest]:
    contenders = {
        PLUGGY: Cpu(each(_calls())),
        BARE: Cpu(each(sends(0))),
        LISTENING: Cpu(each(sends(PLUGINS))),
    }
    yield Contest(title="A mail sent into memory, past plugins", contenders=contenders)


CONTESTS: Mapping[str, Callable[[], AbstractContextManager[Contest]]] = {"listening": _listening}
