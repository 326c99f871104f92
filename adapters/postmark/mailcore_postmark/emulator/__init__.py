"""Postmark on your own machine: one stateful object that is told the time and opens no socket.

Rule: it does what Postmark's documentation says, and reads addresses and mail with the standard library
alone. It shares no code with the adapter, so neither can confirm the other's mistake.

Where the documentation is silent, the emulator had to choose. Nothing may rely on these rows:

    another path, another method         404, before anything else is looked at
    order of the checks                  path, method, token, Accept and Content-Type, account, JSON, size,
                                         then each mail: sender, recipients, content, inactive recipients
    words of a refusal                   Postmark's where they are known (`_answers` says which)
    null, "" and [] as a field's value   the field counts as absent
    several senders in `From`            refused, as an address that is none
    templates                            every one exists, until `templates` names those that do
    message streams                      every one exists
    inactive addresses                   are so in every stream
    size of a mail                       10 MiB of request body; 50 MiB for a batch
    kinds of files                       every one is allowed
    `POSTMARK_API_TEST` as the token     answered like any other, and nothing is kept
    events without tracking              opens and clicks can happen to any mail
    2xx other than 200 from an endpoint  for events a success, for mail none
    3xx from an endpoint                 for events final, for mail tried again
    envelope of mail from the outside    `Return-Path` or `From`, and the first address of `To`, unless given
"""

from __future__ import annotations

from mailcore_postmark.emulator._answers import AccountProblem
from mailcore_postmark.emulator._faults import Fault
from mailcore_postmark.emulator._mail import Mailbox, SentAttachment, SentMail
from mailcore_postmark.emulator._service import PostmarkEmulator

__all__ = ["AccountProblem", "Fault", "Mailbox", "PostmarkEmulator", "SentAttachment", "SentMail"]
