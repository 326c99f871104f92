"""Messages whose every value can be recognised wherever it ends up.

Rule: each probe gives one field, beside what every mail needs, a value that is made up for this run. So an
adapter cannot know it, and one field cannot hide behind another.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from mailcore import Attachment, Capability, Message, UnsupportedFeature
from mailcore_conformance._subject import Subject, any_moment
from mailcore_conformance._wire import Wire

__all__ = ["PROBES", "Probe", "base", "leaves_no_mark", "missing_marks", "new_tag", "with_template"]

Fields = dict[str, Any]

SEND_AT = datetime(2030, 2, 3, 14, 15, 16, tzinfo=UTC)


def new_tag() -> str:
    """Return a short text that nothing else holds."""
    return f"k{secrets.token_hex(5)}"


def base(tag: str) -> Fields:
    """Return what every mail needs."""
    return {
        "from_": f"sender-{tag}@example.com",
        "to": [f"to-{tag}@example.com"],
        "subject": f"Subject {tag}",
        "text": f"Text {tag}",
    }


@attrs.frozen(kw_only=True)
class Probe:
    """
    One field of a message, and how to recognise it.

    Attributes:
        field: Its name in `Message`.
        fields: Tag → the field with a value that has the tag (and what it cannot be without).
        marks: Tag → the texts a request must hold. Empty: `others` tells instead.
        traces: Tag → the texts that no request holds where the field is not declared; None: the marks.
        others: Tag → the same field with other values, or without; each must make another request.
        many: Tag and number → that many items; None where the field is no list.
        items: Tag and number → the texts that show that all of them arrived.
        needs: Other capabilities without which the field makes no sense.
    """

    capability: Capability
    field: str
    fields: Callable[[str], Fields]
    marks: Callable[[str], Sequence[str]] = lambda _: ()
    traces: Callable[[str], Sequence[str]] | None = None
    others: Callable[[str], Sequence[Fields]] = lambda _: ()
    many: Callable[[str, int], Fields] | None = None
    items: Callable[[str, int], Sequence[str]] = lambda _, __: ()
    needs: tuple[Capability, ...] = ()

    def message(self, tag: str) -> Message:
        """Return a message that uses the field."""
        return Message(**{**base(tag), **self.fields(tag)})

    def message_for(self, subject: Subject, tag: str) -> Message:
        """Return a message that uses the field as the adapter can carry it."""
        return Message(**{**base(tag), **with_template(subject, tag, self.fields(tag))})

    def applies(self, subject: Subject) -> bool:
        """Return whether an adapter declares it and all it needs."""
        return all(map(subject.can, (self.capability, *self.needs)))


def with_template(subject: Subject, tag: str, fields: Fields) -> Fields:
    """Return fields of a message; with a template where the adapter takes such values for no other mail."""
    if not (_OF_TEMPLATES & fields.keys() and subject.can(Capability.TEMPLATE)):
        return fields
    try:
        subject.request(Message(**{**base(tag), **fields}))
    except UnsupportedFeature:
        return {**fields, **_template(tag)}
    return fields


def missing_marks(wire: Wire, marks: Sequence[str]) -> list[str]:
    """Return the texts that a request lacks."""
    return [mark for mark in marks if not wire.find(mark)]


def leaves_no_mark(subject: Subject, probe: Probe, tag: str) -> str | None:
    """Return why a field is not shown to reach the request; None where it is."""
    moment = any_moment(subject)
    wire = subject.wire(probe.message_for(subject, tag), **moment)
    missing = missing_marks(wire, probe.marks(tag))
    if missing:
        return f"{probe.field}: a value given there is nowhere in the request."
    seen = [wire.pieces]
    for fields in probe.others(tag):
        try:
            pieces = subject.wire(Message(**{**base(tag), **fields}), **moment).pieces
        except UnsupportedFeature:
            continue  # a provider may know one value only ("on"): the other is refused, not mistaken for it
        if pieces in seen:
            return f"{probe.field}: another value, or none, makes the same request."
        seen.append(pieces)
    return None


def _addresses(field: str) -> Callable[[str, int], Fields]:
    return lambda tag, number: {field: [f"{field}-{n}-{tag}@example.com" for n in range(number)]}


def _address_marks(field: str) -> Callable[[str, int], Sequence[str]]:
    return lambda tag, number: [f"{field}-{n}-{tag}@example.com" for n in range(number)]


def _list_probe(capability: Capability, field: str, count: int, **more: Any) -> Probe:
    many, items = _addresses(field), _address_marks(field)
    return Probe(
        capability=capability,
        field=field,
        fields=lambda tag: many(tag, count),
        marks=lambda tag: items(tag, count),
        many=many,
        items=items,
        **more,
    )


def _second(field: str) -> Callable[[str], Sequence[str]]:
    return lambda tag: _address_marks(field)(tag, 2)[1:]


def _text_probe(capability: Capability, field: str, value: str) -> Probe:
    """Make a probe of a field that holds one text; `{}` in the value is the tag."""
    return Probe(
        capability=capability,
        field=field,
        fields=lambda tag: {field: value.format(tag)},
        marks=lambda tag: [value.format(tag).strip("<>")],
    )


def _flag_probe(capability: Capability, field: str) -> Probe:
    return Probe(
        capability=capability,
        field=field,
        fields=lambda _: {field: True},
        # None is the third meaning: whatever the account is set to.
        others=lambda _: [{field: False}, {}],
    )


def _ids(tag: str, number: int) -> list[str]:
    return [f"<ref-{n}-{tag}@example.com>" for n in range(number)]


def _uris(tag: str, number: int) -> list[str]:
    return [f"https://example.com/leave/{tag}/{n}" for n in range(number)]


def _tags(tag: str, number: int) -> list[str]:
    return [f"tag-{n}-{tag}" for n in range(number)]


def _pairs(prefix: str) -> Callable[[str, int], dict[str, str]]:
    return lambda tag, number: {f"{prefix}-{n}-{tag}": f"value-{n}-{tag}" for n in range(number)}


_metadata = _pairs("key")
_headers = _pairs("X-Header")


def _files(tag: str, number: int) -> list[Attachment]:
    return [
        Attachment(content=f"content {n} {tag}".encode(), filename=f"file-{n}-{tag}.txt")
        for n in range(number)
    ]


def _row(value: Callable[[str], Mapping[str, Any]], field: str) -> Callable[[str], Fields]:
    return lambda tag: {field: {f"to-{tag}@example.com": value(tag)}}


def _template(tag: str) -> Fields:
    # Subject and text are the template's: some providers take no others beside it.
    return {"template_id": f"template-{tag}", "subject": None, "text": None}


#: Fields whose values some providers put into templates alone.
_OF_TEMPLATES = frozenset({"merge_data", "merge_global_data"})


def _inline(tag: str) -> Fields:
    image = Attachment(
        content=f"image {tag}".encode(),
        filename=f"image-{tag}.png",
        content_type="image/png",
        content_id=f"cid-{tag}",
        inline=True,
    )
    # The body does not name the image: the content id must be found where the provider looks for it.
    return {"html": f"<p>Html {tag}</p>", "attachments": [image]}


_C = Capability

#: Every field a capability is about.
PROBES: Mapping[Capability, Probe] = {
    probe.capability: probe
    for probe in (
        _text_probe(_C.HTML, "html", "<p>Html {}</p>"),
        _text_probe(_C.AMP_HTML, "amp_html", "<!doctype html><html amp4email><p>Amp {}</p></html>"),
        _list_probe(_C.CC, "cc", 2),
        _list_probe(_C.BCC, "bcc", 2),
        _list_probe(_C.MULTIPLE_FROM, "from_", 2, traces=_second("from_")),
        _list_probe(_C.REPLY_TO, "reply_to", 1),
        _list_probe(_C.MULTIPLE_REPLY_TO, "reply_to", 2, traces=_second("reply_to"), needs=(_C.REPLY_TO,)),
        Probe(
            capability=_C.HEADERS,
            field="headers",
            fields=lambda tag: {"headers": _headers(tag, 2)},
            marks=lambda tag: [text for pair in _headers(tag, 2).items() for text in pair],
            many=lambda tag, number: {"headers": _headers(tag, number)},
            items=lambda tag, number: list(_headers(tag, number)),
        ),
        _text_probe(_C.IN_REPLY_TO, "in_reply_to", "<parent-{}@example.com>"),
        Probe(
            capability=_C.REFERENCES,
            field="references",
            fields=lambda tag: {"references": _ids(tag, 2)},
            marks=lambda tag: [one.strip("<>") for one in _ids(tag, 2)],
            many=lambda tag, number: {"references": _ids(tag, number)},
            items=lambda tag, number: [one.strip("<>") for one in _ids(tag, number)],
        ),
        Probe(
            capability=_C.LIST_UNSUBSCRIBE,
            field="list_unsubscribe",
            fields=lambda tag: {"list_unsubscribe": [*_uris(tag, 1), f"mailto:leave-{tag}@example.com"]},
            marks=lambda tag: [*_uris(tag, 1), f"mailto:leave-{tag}@example.com"],
            many=lambda tag, number: {"list_unsubscribe": _uris(tag, number)},
            items=_uris,
        ),
        Probe(
            capability=_C.ATTACHMENTS,
            field="attachments",
            fields=lambda tag: {"attachments": _files(tag, 2)},
            marks=lambda tag: [
                mark for n in range(2) for mark in (f"file-{n}-{tag}.txt", f"content {n} {tag}")
            ],
            many=lambda tag, number: {"attachments": _files(tag, number)},
            items=lambda tag, number: [f"file-{n}-{tag}.txt" for n in range(number)],
        ),
        Probe(
            capability=_C.INLINE_IMAGES,
            field="attachments",
            fields=_inline,
            marks=lambda tag: [f"cid-{tag}"],
            needs=(_C.ATTACHMENTS, _C.HTML),
        ),
        Probe(
            capability=_C.TAGS,
            field="tags",
            fields=lambda tag: {"tags": _tags(tag, 1)},
            marks=lambda tag: _tags(tag, 1),
            many=lambda tag, number: {"tags": _tags(tag, number)},
            items=_tags,
        ),
        Probe(
            capability=_C.METADATA,
            field="metadata",
            fields=lambda tag: {"metadata": _metadata(tag, 2)},
            marks=lambda tag: [text for pair in _metadata(tag, 2).items() for text in pair],
            many=lambda tag, number: {"metadata": _metadata(tag, number)},
            items=lambda tag, number: list(_metadata(tag, number)),
        ),
        Probe(
            capability=_C.TEMPLATE,
            field="template_id",
            fields=_template,
            marks=lambda tag: [f"template-{tag}"],
        ),
        Probe(
            capability=_C.MERGE_DATA,
            field="merge_data",
            fields=_row(lambda tag: {f"name-{tag}": f"own-{tag}"}, "merge_data"),
            marks=lambda tag: [f"name-{tag}", f"own-{tag}"],
        ),
        Probe(
            capability=_C.MERGE_METADATA,
            field="merge_metadata",
            fields=_row(lambda tag: {f"meta-{tag}": f"own-meta-{tag}"}, "merge_metadata"),
            marks=lambda tag: [f"meta-{tag}", f"own-meta-{tag}"],
        ),
        Probe(
            capability=_C.MERGE_HEADERS,
            field="merge_headers",
            fields=_row(lambda tag: {f"X-Own-{tag}": f"own-header-{tag}"}, "merge_headers"),
            marks=lambda tag: [f"X-Own-{tag}", f"own-header-{tag}"],
        ),
        Probe(
            capability=_C.MERGE_GLOBAL_DATA,
            field="merge_global_data",
            fields=lambda tag: {"merge_global_data": {f"all-{tag}": f"shared-{tag}"}},
            marks=lambda tag: [f"all-{tag}", f"shared-{tag}"],
        ),
        Probe(
            capability=_C.SCHEDULE,
            field="send_at",
            fields=lambda _: {"send_at": SEND_AT},
            others=lambda _: [{"send_at": SEND_AT + timedelta(hours=1)}, {}],
        ),
        _text_probe(_C.ENVELOPE_SENDER, "envelope_sender", "bounces-{}@example.com"),
        _flag_probe(_C.TRACK_OPENS, "track_opens"),
        _flag_probe(_C.TRACK_CLICKS, "track_clicks"),
    )
}
