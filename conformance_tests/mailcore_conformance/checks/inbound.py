"""Mail from the outside.

Rule: nothing in a mail is an error, and nothing in it is proof. The provider says how it came; all else is
the sender's claim.
"""

from __future__ import annotations

from mailcore import Capability, EndpointKind
from mailcore_conformance._check import check, require_none
from mailcore_conformance._subject import Subject
from mailcore_conformance.deliveries._delivery_row import Row
from mailcore_conformance.deliveries._event_samples import unread
from mailcore_conformance.deliveries._mail_rows import ROWS
from mailcore_conformance.deliveries._mail_samples import by_heart, misread


@check(
    "W20",
    "Each sample of a mail becomes the mail it stands for.",
    why="Otherwise replies, files and addresses are lost on the way to the application.",
    fix="Give InboundMessage the source, or from_parts what the provider parsed; or mend the sample.",
    capability=Capability.WEBHOOK_INBOUND,
)
def samples(subject: Subject) -> None:
    """Compare what the samples say, and follow a text of one, which no answer by heart does."""
    require_none(misread(subject))
    require_none(unread(subject, EndpointKind.INBOUND))
    require_none(by_heart(subject))


def _add(row: Row) -> None:
    @check(row.id, row.title, why=row.why, fix=row.fix, capability=row.capability)
    def run(subject: Subject) -> None:
        require_none(row.faults(subject))


for _row in ROWS:
    _add(_row)
