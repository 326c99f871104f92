"""What a Django project may listen to.

Each is sent with `mailer` (its name) or not at all, `provider`, and `esp_name`, the same under the name
that django-anymail's signals give it.

Rule: who raises in `pre_send` stops that message; who raises in `post_send` is logged, since the mail is
on its way; who raises in `tracking` or `inbound` has the delivery again.
"""

from __future__ import annotations

from django.dispatch import Signal

__all__ = ["inbound", "post_send", "pre_send", "tracking"]

#: Before a message is sent: `message`, Django's, which a receiver may change. `SendCancelled` stops it.
pre_send = Signal()
#: After a send, however it ended: `message`, `status`, and exactly one of `result` and `error`.
post_send = Signal()
#: A verified event: `event`, a `TrackingEvent`.
tracking = Signal()
#: A verified incoming mail: `message`, an `InboundMessage`.
inbound = Signal()
