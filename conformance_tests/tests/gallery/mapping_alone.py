"""Adapters that lose a field where it is the only one of its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gallery import broken
from gallery._changed import USUAL, Changed, Document, alone, changing
from mailcore import Capability, Message


def _drop(name: str) -> Callable[[Document], object]:
    return lambda document: document.pop(name)


def _keep_one(name: str) -> Callable[[Document], object]:
    return lambda document: document.update({name: document[name][:1]})


def _two(field: str) -> Callable[[Message], bool]:
    return lambda message: len(getattr(message, field)) == 2


def _plain_reply_to(message: Message) -> bool:
    return len(message.reply_to) == 1 and not message.reply_to[0].display_name


def _always(_: Message) -> bool:
    return True


#: Capability → what is done to the payload, and to which of the messages that have the field alone.
_LOST: Mapping[Capability, tuple[Callable[[Document], object], Callable[[Message], bool]]] = {
    Capability.HTML: (_drop("html"), lambda message: not message.html.startswith("<!doctype")),
    Capability.AMP_HTML: (_drop("amp_html"), _always),
    Capability.CC: (_drop("cc"), _two("cc")),
    Capability.BCC: (_drop("bcc"), _two("bcc")),
    Capability.MULTIPLE_FROM: (_keep_one("from"), _two("from_")),
    Capability.REPLY_TO: (_drop("reply_to"), _plain_reply_to),
    Capability.MULTIPLE_REPLY_TO: (_keep_one("reply_to"), _two("reply_to")),
    Capability.HEADERS: (_drop("headers"), _two("headers")),
    Capability.IN_REPLY_TO: (_drop("in_reply_to"), _always),
    Capability.REFERENCES: (_drop("references"), _two("references")),
    Capability.LIST_UNSUBSCRIBE: (_drop("list_unsubscribe"), _two("list_unsubscribe")),
    Capability.ATTACHMENTS: (_drop("attachments"), _two("attachments")),
    Capability.TAGS: (_drop("tags"), lambda message: len(message.tags) == 1),
    Capability.METADATA: (_drop("metadata"), _two("metadata")),
    Capability.MERGE_DATA: (_drop("merge_data"), _always),
    Capability.MERGE_METADATA: (_drop("merge_metadata"), _always),
    Capability.MERGE_HEADERS: (_drop("merge_headers"), _always),
    Capability.MERGE_GLOBAL_DATA: (_drop("merge_global_data"), _always),
    Capability.SCHEDULE: (_drop("send_at"), _always),
    Capability.ENVELOPE_SENDER: (_drop("envelope_sender"), _always),
    Capability.TRACK_OPENS: (_drop("track_opens"), lambda message: message.track_opens is False),
    Capability.TRACK_CLICKS: (_drop("track_clicks"), lambda message: message.track_clicks is True),
}

#: Capability → the field of a message.
FIELDS: Mapping[Capability, str] = {
    Capability.MULTIPLE_FROM: "from_",
    Capability.MULTIPLE_REPLY_TO: "reply_to",
    Capability.SCHEDULE: "send_at",
}


def _add_lost(capability: Capability) -> None:
    name = capability.value.partition(".")[2]
    field = FIELDS.get(capability, name)
    lose, applies = _LOST[capability]
    usual = "text" if field in USUAL else field  # a second sender stands in a field that is always there

    def change(document: Document, message: Message) -> None:
        if alone(message, usual) and applies(message):
            lose(document)

    told = "a value given there is nowhere in the request"
    if capability in (Capability.SCHEDULE, Capability.TRACK_OPENS, Capability.TRACK_CLICKS):
        told = "another value, or none, makes the same request"
    title = name.title().replace("_", "")
    changing(
        f"B10.{name}",
        f"{field}: {told}",
        f"Drops{title}Alone",
        f"Forgets `{field}` where it is alone.",
        change,
    )


for _capability in _LOST:
    _add_lost(_capability)


@broken("B10.template", "template_id: a value given there is nowhere in the request")
class DropsTemplateForOne(Changed):
    """Forgets the template of a mail to one recipient, who could have been written to by hand."""

    def change(self, document: Document, message: Message) -> None:
        if message.template_id and len(message.to) == 1:
            del document["template"]


@broken("B10.inline_images", "attachments: a value given there is nowhere in the request")
class DropsUnusedContentIds(Changed):
    """Forgets the content id of an image that the HTML does not name in full."""

    def change(self, document: Document, message: Message) -> None:
        for file in document.get("attachments", ()):
            if file.get("content_id", "") not in (message.html or ""):
                del file["content_id"]


@broken("B10.schedule.moment", "No text in the request stands for the moment in send_at")
class LocalTime(Changed):
    """Writes the time of a mail without a subject without its zone."""

    def change(self, document: Document, message: Message) -> None:
        if message.send_at and not message.subject:
            document["send_at"] = message.send_at.replace(tzinfo=None).isoformat()
