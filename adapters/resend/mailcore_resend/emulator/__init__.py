"""Resend on your own machine: one stateful object that is told the time and opens no socket.

Rule: it does what Resend's documentation says, and reads addresses and mail with the standard library alone.
It shares no code with the adapter, so neither can confirm the other's mistake.

Where the documentation is silent, the emulator had to choose. Nothing may rely on these rows:

    order of the checks            path, method, key, rate, idempotency key, JSON, fields
    body that is no JSON           400, `validation_error`
    sender of another domain       403, `validation_error`, as for a domain that is not verified
    mail for later                 accepted as `email.scheduled`; `email.sent` when it is due
    no text and no html            422, `missing_required_field`
    events of a mail               one delivery each, about all of its addresses in `to`
    mail that is received          kept for good, and its source with it
    webhook given up               after eight tries
"""

from __future__ import annotations

from mailcore_resend.emulator._mail import SentFile, SentMail
from mailcore_resend.emulator._service import ResendEmulator

__all__ = ["ResendEmulator", "SentFile", "SentMail"]
