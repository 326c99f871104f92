"""For the tests of Django projects: what went out, as mailcore's messages."""

from __future__ import annotations

from mailcore import Mailer, Message
from mailcore.frameworks.django._registry import get_mailer
from mailcore.testing import outbox as mailer_outbox

__all__ = ["outbox"]


def outbox(name: str | None = None) -> list[Message]:
    """
    Return the messages a mailer of the provider `memory` sent since the settings last changed.

    Args:
        name: None: the default mailer.

    Raises:
        TypeError: The mailer keeps none: it has another provider.
    """
    mailer = get_mailer(name)
    if not isinstance(mailer, Mailer):
        raise TypeError(f"{mailer!r} is a group. Name one of its mailers.")
    return mailer_outbox(mailer)
