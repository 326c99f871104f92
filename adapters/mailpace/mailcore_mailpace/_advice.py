"""MailPace's documented policies, as advice: the list of extensions alone has grown five times."""

from __future__ import annotations

from collections.abc import Iterator

from mailcore import Advice, Message

__all__ = ["advice"]

_URL = "https://docs.mailpace.com/reference/send"

MAX_TO = 50
#: The documentation said 50 MB first and 30 MB later.
MAX_SIZE = 30 * 1024 * 1024
_EXTENSIONS = "jpeg jpg png gif txt pdf docx xlsx pptx csv att ics ical html zip auf xml dwg"
EXTENSIONS = frozenset(_EXTENSIONS.split())


def advice(message: Message) -> tuple[Advice, ...]:
    """Return what MailPace may refuse in `message`."""
    return tuple(_found(message))


def _found(message: Message) -> Iterator[Advice]:
    if len(message.to) > MAX_TO:
        text = f"'to' holds {len(message.to)} addresses; MailPace documents at most {MAX_TO}."
        yield Advice(code="mailpace.too-many-recipients", field="to", text=text, url=_URL)
    if _size(message) > MAX_SIZE:
        text = f"the message is larger than {MAX_SIZE // 1024 // 1024} MB, MailPace's documented limit."
        yield Advice(code="mailpace.too-large", field="attachments", text=text, url=_URL)
    for attachment in message.attachments:
        yield from _name(attachment.filename or "")


def _name(name: str) -> Iterator[Advice]:
    if not name:
        return
    stem, _, extension = name.rpartition(".")
    if extension.lower() not in EXTENSIONS:
        text = f"the attachment {name!r} has an extension that MailPace does not list."
        yield Advice(code="mailpace.extension", field="attachments", text=text, url=_URL)
    if "." in stem:
        text = f"the attachment {name!r} has more than one dot in its name, which MailPace refuses."
        yield Advice(code="mailpace.dots", field="attachments", text=text, url=_URL)


def _size(message: Message) -> int:
    bodies = sum([len(body.encode()) for body in (message.text, message.html) if body])
    return bodies + sum(map(len, message.attachments))
