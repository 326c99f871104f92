"""Where genuine deliveries wait that could not be understood.

Rule: they are acknowledged, because an error would cost the endpoint or bounce somebody's mail, and
they are kept, because they are somebody's mail.
"""

from __future__ import annotations

import attrs

from mailcore._delivery import EndpointKind, VerifiedWebhook

__all__ = ["Quarantined"]


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
