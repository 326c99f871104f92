"""MailPace on your own machine: one stateful object that is told the time and opens no socket.

Rule: it does what MailPace's documentation says, and reads addresses and mail with the standard
library alone. It shares no code with the adapter, so neither can confirm the other's mistake.

Where the documentation is silent, the emulator had to choose. Nothing may rely on these rows:

    another path, another method         404, before anything else is looked at
    order of the checks                  path, method, Accept, Content-Type, token, account, rate, key,
                                         replay, JSON, sender, fields, size
    body that is not a JSON object       406, as for a wrong content type
    Content-Type                         parameters such as `charset` are allowed
    key longer than 255 characters       400
    blank key                            a key like any other: it is shared by all mail that has it
    concurrent request with that key     409, where `Fault.CONFLICT` asks for one
    rate limit                           none, until `rate_limit` sets one; replays count
    null, "" and [] as a field's value   the field counts as absent
    value of a wrong type                "is invalid", under the field's name
    no htmlbody and no textbody          "undefined field", under both names
    several senders in `from`            not parseable
    address groups, literals, one label  "is invalid"
    line break in a one-line field       "is invalid"
    two dots or none in a file name      answered like a blocked extension
    base64 on several lines              "is invalid": strict, canonical, one line
    total size                           30 MiB of bodies and decoded attachments, else 413
    `bounced`                            blocks every address of `to`, none of `cc` and `bcc`
    3xx from an endpoint                 an error, like 4xx and 5xx
    events of a disabled endpoint        lost, waiting ones too; `enable` brings none back
    no inbound endpoint                  the mail bounces at once
    mail without Message-ID              gets one, since `messageId` is required
    8-bit bytes in `raw` and `headers`   read as UTF-8; what is not becomes U+FFFD
"""

from __future__ import annotations

from mailcore_mailpace.emulator._answers import AccountProblem
from mailcore_mailpace.emulator._faults import Fault
from mailcore_mailpace.emulator._mail import BouncedMail, Mailbox, SentAttachment, SentMail
from mailcore_mailpace.emulator._service import MailPaceEmulator

__all__ = [
    "AccountProblem",
    "BouncedMail",
    "Fault",
    "MailPaceEmulator",
    "Mailbox",
    "SentAttachment",
    "SentMail",
]
