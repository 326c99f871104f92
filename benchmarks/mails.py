"""The mails that are made, each as mailcore, Django and a dictionary have it.

Rule: a text is new each time, as in an application: no cache of a library may answer for the work.
"""

from __future__ import annotations

import itertools
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import attrs
from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from mailcore import Attachment, Message

__all__ = ["MIB", "Kind", "minimal", "typical", "with_file"]

settings.configure(
    ANYMAIL={"POSTMARK_SERVER_TOKEN": "token", "RESEND_API_KEY": "key", "WEBHOOK_SECRET": "user:password"},
    DEFAULT_CHARSET="utf-8",
)

MIB = 1024 * 1024
_NUMBERS = itertools.count()
_ROWS = "".join(
    f'<tr><td style="padding:4px 8px">Item {number}</td><td>&euro; {number}.90</td></tr>\n'
    for number in range(55)
)


@attrs.frozen
class Kind:
    """
    One mail, anew at each call.

    Attributes:
        message: As mailcore has it.
        document: As Postmark's API has it (https://postmarkapp.com/developer/api/email-api).
        django: As Django has it, and django-anymail sends it.
    """

    message: Callable[[], Message]
    document: Callable[[], dict[str, Any]]
    django: Callable[[], EmailMultiAlternatives]


def _text() -> str:
    return f"Hello, your order {next(_NUMBERS)} is on its way.\n" * 5


def _html() -> str:
    """Return 4.5 kB."""
    return f"<html><body><h1>Order {next(_NUMBERS)}</h1><table>\n{_ROWS}</table></body></html>"


def _minimal_message() -> Message:
    return Message(from_="ada@example.com", to="bob@example.com", subject="Hello", text=_text())


def _minimal_document() -> dict[str, Any]:
    return {"From": "ada@example.com", "To": "bob@example.com", "Subject": "Hello", "TextBody": _text()}


def _minimal_django() -> EmailMultiAlternatives:
    return EmailMultiAlternatives("Hello", _text(), "ada@example.com", ["bob@example.com"])


minimal = Kind(_minimal_message, _minimal_document, _minimal_django)


def _typical_message() -> Message:
    return Message(
        from_="Ada Lovelace <ada@example.com>",
        to=["Bob <bob@example.com>", "Eve <eve@example.com>"],
        cc="Carol <carol@example.com>",
        reply_to="Support <support@example.com>",
        subject="Your order is on its way",
        text=_text(),
        html=_html(),
        headers={"X-Order": "4711"},
        tags="orders",
        metadata={"order": "4711"},
    )


def _typical_document() -> dict[str, Any]:
    return {
        "From": "Ada Lovelace <ada@example.com>",
        "To": "Bob <bob@example.com>, Eve <eve@example.com>",
        "Cc": "Carol <carol@example.com>",
        "ReplyTo": "Support <support@example.com>",
        "Subject": "Your order is on its way",
        "TextBody": _text(),
        "HtmlBody": _html(),
        "Headers": [{"Name": "X-Order", "Value": "4711"}],
        "Tag": "orders",
        "Metadata": {"order": "4711"},
    }


def _typical_django() -> EmailMultiAlternatives:
    made = EmailMultiAlternatives(
        "Your order is on its way",
        _text(),
        "Ada Lovelace <ada@example.com>",
        ["Bob <bob@example.com>", "Eve <eve@example.com>"],
        cc=["Carol <carol@example.com>"],
        reply_to=["Support <support@example.com>"],
        headers={"X-Order": "4711"},
    )
    made.attach_alternative(_html(), "text/html")
    made.tags = ["orders"]
    made.metadata = {"order": "4711"}
    return made


typical = Kind(_typical_message, _typical_document, _typical_django)


def with_file(size: int) -> Kind:
    """Return a minimal mail with a file of so many bytes, which are there already."""
    content = bytes(range(256)) * (size // 256)
    attachment = Attachment(filename="a.pdf", content=content, content_type="application/pdf")

    def document() -> dict[str, Any]:
        encoded = b64encode(content).decode()
        file = {"Name": "a.pdf", "Content": encoded, "ContentType": "application/pdf"}
        return {**_minimal_document(), "Attachments": [file]}

    def django() -> EmailMultiAlternatives:
        made = _minimal_django()
        made.attach("a.pdf", content, "application/pdf")
        return made

    return Kind(lambda: attrs.evolve(_minimal_message(), attachments=[attachment]), document, django)
