"""
Send one mail through whatever provider is configured: nothing here knows which.

    MAILCORE_CONFIG=mailgun.toml MAILGUN_API_KEY=... python send.py
    MAILCORE_CONFIG=mailgun.toml MAILGUN_API_KEY=... python send.py tomorrow
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import attrs

from mailcore import Attachment, Mailers, Message, UnsupportedFeature

MESSAGE = Message(
    from_="Shop <shop@example.com>",
    to="Bob <bob@example.com>",
    reply_to="help@example.com",
    subject="Your order",
    text="It is on its way.",
    html='<p>It is on its way. <img src="cid:logo" alt=""></p>',
    attachments=[
        Attachment(content=b"\x89PNG\r\n\x1a\n", filename="logo.png", content_id="logo"),
        Attachment(content="Thank you.\n", filename="invoice.txt"),
    ],
    list_unsubscribe="https://shop.example.com/unsubscribe",
)


def main(when: str = "now") -> None:
    """Send it now, or tomorrow where the provider can."""
    message = MESSAGE
    if when == "tomorrow":
        message = attrs.evolve(MESSAGE, send_at=datetime.now(UTC) + timedelta(days=1))
    with Mailers.from_env() as mailers:
        try:
            result = mailers.default.send(message)
        except UnsupportedFeature as error:
            raise SystemExit(str(error)) from None
    [recipient] = result.recipients.values()
    print(f"{result.provider}: {recipient.status.value}")


if __name__ == "__main__":
    main(*sys.argv[1:])
