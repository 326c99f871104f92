"""The bodies that providers deliver, in the size that is asked for."""

from __future__ import annotations

import json

__all__ = ["event", "mail", "postmark_event"]


def event(size: int) -> bytes:
    """Return an event of MailPace's (https://docs.mailpace.com/guide/webhooks), filled up by its html."""
    payload = {
        "id": 1,
        "status": "delivered",
        "updated_at": "2030-01-31T09:00:00Z",
        "to": "bob@example.com",
        "from": "ada@example.com",
        "tags": ["orders"],
        "htmlbody": "",
    }
    line = '<p class="order">Your order is on its way.</p>\n'
    room = size - len(_json({"event": "email.delivered", "payload": payload}))
    html = line * (room // len(json.dumps(line)[1:-1]))
    return _json({"event": "email.delivered", "payload": {**payload, "htmlbody": html}})


def mail(size: int) -> bytes:
    """
    Return an incoming mail of MailPace's (https://docs.mailpace.com/guide/inbound).

    Its file is there twice, as with MailPace: in `raw`, and in `attachments`.
    """
    head = [
        "From: Bob <bob@example.net>",
        "To: ada@in.example.com",
        "Subject: Plans",
        "Message-ID: <1@example.net>",
        "MIME-Version: 1.0",
        "Content-Type: application/pdf; name=a.pdf",
        "Content-Transfer-Encoding: base64",
    ]
    line = "A" * 76
    encoded = [line] * (size // 2 // 80)  # with what JSON makes of the line's end
    return _json(
        {
            "id": 1,
            "from": "Bob <bob@example.net>",
            "to": "ada@in.example.com",
            "subject": "Plans",
            "messageId": "<1@example.net>",
            "text": "",
            "raw": "\r\n".join([*head, "", *encoded, ""]),
            "attachments": [
                {"filename": "a.pdf", "contentType": "application/pdf", "content": "".join(encoded)}
            ],
        }
    )


def postmark_event() -> bytes:
    """Return a delivery (https://postmarkapp.com/developer/webhooks/delivery-webhook)."""
    return _json(
        {
            "RecordType": "Delivery",
            "ServerID": 23,
            "MessageStream": "outbound",
            "MessageID": "00000000-0000-0000-0000-000000000000",
            "Recipient": "bob@example.com",
            "Tag": "orders",
            "DeliveredAt": "2030-01-31T09:00:00.000Z",
            "Details": "OK",
            "Metadata": {"order": "4711"},
        }
    )


def _json(document: object) -> bytes:
    return json.dumps(document).encode()
