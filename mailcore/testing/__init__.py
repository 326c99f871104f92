"""For the tests of programs that send mail and receive webhooks: nothing leaves, everything is on record.

Rule: a double takes the place of a transport only, so that all else runs as it will in production.
"""

from __future__ import annotations

from mailcore.testing._captured import captured
from mailcore.testing._deliveries import Deliveries, deliveries
from mailcore.testing._memory import outbox
from mailcore.testing._outbox import Outbox, Sent
from mailcore.testing._recording import RecordingTransport
from mailcore.testing._retries import no_pauses, retries

__all__ = [
    "Deliveries",
    "Outbox",
    "RecordingTransport",
    "Sent",
    "captured",
    "deliveries",
    "no_pauses",
    "outbox",
    "retries",
]
