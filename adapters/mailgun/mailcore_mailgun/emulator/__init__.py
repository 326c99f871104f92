"""Mailgun on your own machine: one stateful object that is told the time and opens no socket.

Rule: it does what Mailgun's documentation says, and reads forms, addresses and mail with the standard library
alone. It shares no code with the adapter, so neither can confirm the other's mistake.

Where the documentation is silent, the emulator had to choose. Nothing may rely on these rows:

    order of the checks                  path, key, domain, account, rate, form, fields, size
    another path                         404 in plain text; the root answers with the API's front page
    another method                       405
    body that is no form                 400, as for a missing `from`
    more than 25 MB                      413
    `recipient-variables` not readable   400; so are more than 1,000 recipients with it
    `o:deliverytime` not readable        400
    template that nobody stored          accepted; what it says is not looked at
    values missing in a batch            `%recipient.NAME%` stays as it is
    copies of a batch                    get each mail, as they do elsewhere
    id of a mail                         of the time and a number
    `failed`                             permanent, reason `bounce`; the address is on the list from then on
    event that is tried again            the same bytes: signed once
    inbound recipients                   the first address of `To`; the sender is `Return-Path`, else `From`
    text of a mail that has html alone   the html itself
    stripped-text and stripped-html      the whole bodies; no signature block is looked for
"""

from __future__ import annotations

from mailcore_mailgun.emulator._faults import Fault
from mailcore_mailgun.emulator._mail import Mailbox, SentFile, SentMail
from mailcore_mailgun.emulator._service import MailgunEmulator

__all__ = ["Fault", "Mailbox", "MailgunEmulator", "SentFile", "SentMail"]
