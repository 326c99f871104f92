"""Several mailers under their own names, in an event loop."""

from __future__ import annotations

from typing import TypeAlias

from mailcore._async_group import AsyncMailerGroup
from mailcore._async_mailer import AsyncMailer
from mailcore._closing import AsyncClosing
from mailcore._named import Named

__all__ = ["AsyncMailers"]

AnyMailer: TypeAlias = AsyncMailer | AsyncMailerGroup


class AsyncMailers(Named[AnyMailer], AsyncClosing):
    """
    Hold named mailers, built on first use, as `Mailers` does.

    They are made of the same configuration, from Python, a TOML file or the environment.
    """

    _mailer = AsyncMailer
    _group = AsyncMailerGroup

    async def close(self) -> None:
        """Close every mailer built so far."""
        for mailer in list(self._built.values()):
            await mailer.close()
