"""What a mailer of the provider `memory` keeps."""

from __future__ import annotations

from mailcore._async_mailer import AsyncMailer
from mailcore._http import LocalRequest
from mailcore._mailer import Mailer
from mailcore._message import Message

__all__ = ["outbox"]


def outbox(mailer: Mailer | AsyncMailer) -> list[Message]:
    """
    Return the messages a mailer of the provider `memory` sent, oldest first.

    Raises:
        TypeError: The mailer keeps none: it has another provider, or a transport of your own.
    """
    kept = getattr(mailer._carrier.transport(LocalRequest), "outbox", None)  # noqa: SLF001  # reason: the other half of this
    if mailer.provider != "memory" or kept is None:
        raise TypeError(f"{mailer!r} keeps no outbox. Configure the provider 'memory' in tests.")
    return list(kept)
