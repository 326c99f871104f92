"""Where genuine deliveries wait that could not be understood.

Rule: they are acknowledged, because an error would cost the endpoint or bounce somebody's mail, and
they are kept, because they are somebody's mail.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

import attrs

from mailcore._delivery import EndpointKind, VerifiedWebhook
from mailcore._steps import Call, Steps

__all__ = ["Quarantine", "Quarantined"]

#: Deliveries remembered where no better place is configured; older ones are in the log only.
KEPT_IN_MEMORY = 100

_log = logging.getLogger("mailcore.webhooks")


@attrs.frozen(kw_only=True)
class Quarantined:
    """
    One delivery that waits for a person; has a JSON round trip.

    Attributes:
        reason: What could not be done with it.
        kind: The endpoint it came to.
    """

    reason: str
    kind: EndpointKind
    webhook: VerifiedWebhook = attrs.field(repr=False)


class Quarantine:
    """
    Hand deliveries to whoever keeps them, or keep the last ones in memory.

    Args:
        keep: Called with each; where it raises, memory has to do.
    """

    def __init__(self, provider: str, keep: Callable[[Quarantined], object] | None) -> None:
        self._provider = provider
        self._keep = keep
        self.kept: deque[Quarantined] = deque(maxlen=KEPT_IN_MEMORY)

    def add(self, webhook: VerifiedWebhook, kind: EndpointKind, reason: str) -> Steps[None]:
        """Keep one delivery, wherever that is possible."""
        quarantined = Quarantined(reason=reason, kind=kind, webhook=webhook)
        _log.error("A genuine delivery from %s is quarantined: %s", self._provider, reason)
        try:
            if self._keep is not None:
                yield Call(self._keep, (quarantined,))
                return
        except Exception:  # noqa: BLE001  # reason: the keeper is the user's code
            _log.exception("The quarantine failed; the delivery is kept in memory.")
        self.kept.append(quarantined)
