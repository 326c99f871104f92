"""Several mailers under their own names."""

from __future__ import annotations

from typing import TypeAlias

from mailcore._closing import Closing
from mailcore._group import MailerGroup
from mailcore._mailer import Mailer
from mailcore._named import Named

__all__ = ["Mailers"]

AnyMailer: TypeAlias = Mailer | MailerGroup


class Mailers(Named[AnyMailer], Closing):
    """
    Hold named mailers, built on first use.

    Args:
        config: `{"default": name, "defaults": {...}, "mailers": {name: {"provider": ..., ...}}}`.
            `default` may be left out where there is one mailer, or none is ever meant without its
            name. `defaults` are message fields for all of them; a mailer's own `defaults` combine
            with those. `{"group": [names], "strategy": ...}` is a mailer made of others; its keys are
            the arguments of `MailerGroup`.
        look_up: Whether `env:NAME` and `file:PATH` are looked up, as they are in files.

    Raises:
        ConfigurationError: Not of that form.
    """

    _mailer = Mailer
    _group = MailerGroup

    def close(self) -> None:
        """Close every mailer built so far."""
        with self._lock:
            for mailer in self._built.values():
                mailer.close()
