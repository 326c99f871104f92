"""What a hostile value may not do: become syntax of the format it is carried in.

Rule 1: core refuses line breaks and control characters where a message is made. What remains is each
        format's own syntax, and an adapter that writes text by hand meets it.
Rule 2: a hostile value must come back whole, and the request must have the same places as one with a
        harmless value: nothing may be added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from mailcore import Address, Attachment, Capability, HttpRequest
from mailcore_conformance._check import check, require, require_none
from mailcore_conformance._probe import PROBES, new_tag, with_template
from mailcore_conformance._subject import Subject
from mailcore_conformance._wire import Wire
from mailcore_conformance.requests._files import lost, says_id
from mailcore_conformance.requests._reading import built, mail, name_of, same_text, strangers, unnamed
from mailcore_conformance.requests._syntax import (
    FILE_NAMES,
    KEY,
    SYNTAX,
    comes_back,
    differ,
    hostile_body,
    nothing_added,
)

WHY = "Whoever writes a value into a mail could add recipients, headers or fields to it."


@check(
    "B41.subject",
    "A subject is text, whatever characters it holds.",
    why=WHY,
    fix="Let JsonBody, FormBody, MultipartBody or MimeBody write it; do not put requests together from text.",
)
def subject_line(subject: Subject) -> None:
    """Send a subject of syntax."""
    harmless = f"plain-{new_tag()}"
    wire = subject.wire(mail(harmless, subject=SYNTAX))
    require(wire.exactly(SYNTAX), "A subject of quotes, brackets and the like does not come back whole.")
    other = subject.wire(mail(harmless, subject=harmless))
    nothing_added(wire, other, [(SYNTAX, harmless)], "A hostile subject")


def _body_stays(field: str) -> Callable[[Subject], None]:
    def run(subject: Subject) -> None:
        harmless = f"<!doctype html>plain-{new_tag()}"
        other = subject.wire(mail(new_tag(), **{field: harmless}))
        hostile = f"{harmless}\n{hostile_body(other)}" if field == "html" else hostile_body(other)
        wire = subject.wire(mail(new_tag(), **{field: hostile}))
        whole = any(same_text(piece.text, hostile) for piece in wire.pieces)
        require(whole, f"A {field} of boundaries, headers and quotes does not come back whole.")
        nothing_added(wire, other, [(hostile, harmless)], f"A hostile {field}")

    return run


for _field, _capability in (("text", None), ("html", Capability.HTML)):
    check(
        f"B41.{_field}",
        f"`{_field}` is text, even where it looks like headers, boundaries or fields.",
        why=WHY,
        fix="Let core's bodies write it: MultipartBody and MimeBody choose boundaries that occur nowhere.",
        capability=_capability,
    )(_body_stays(_field))


#: What ends a quoted name, and begins another address.
NAME = 'Eve" <evil@example.com>, "x\\" \\ ; & = % (c) =?utf-8?q?x?='


@check(
    "B41.name",
    "A display name is a name, in every field that holds addresses.",
    why=WHY,
    fix="Write addresses with `Address.to_text()` or in fields of their own, those of the sender too.",
)
def display_names(subject: Subject) -> None:
    """Give a hostile name to the sender, a copy and the address for answers."""
    fields = ["from_"]
    fields += [name for name in ("cc", "reply_to") if subject.can(Capability(f"send.{name}"))]
    for field in fields:
        tag = new_tag()
        address = Address(f"{field}-{tag}@example.com", NAME)
        message = mail(tag, **{field: address}).resolve()
        wire = subject.wire(message)
        require(not [*unnamed(wire, [address])], f"A hostile name in {field} does not come back whole.")
        require(not [*strangers(wire, message)], f"A hostile name in {field} adds an address.")
        other = subject.wire(mail(tag, **{field: Address(address.addr_spec, f"plain-{tag}")}))
        nothing_added(wire, other, [(NAME, f"plain-{tag}")], f"A hostile name in {field}")


@check(
    "B41.address",
    "An address is one address, whatever its local part holds.",
    why="`+`, `&`, `%`, `/` and `'` are common in local parts: unescaped, mail goes to another mailbox.",
    fix="Escape addresses as the place needs it: quote() in a URL's path, urlencode() in a query or form.",
)
def addresses(subject: Subject) -> None:
    """Send to, and from, local parts of syntax."""
    tag = new_tag()
    hostile = [f"o'{letter}+a&b=c%41/d?e#f{{g}}|!$*~{tag}@example.com" for letter in "xy"]
    harmless = [f"plain-{letter}-{tag}@example.com" for letter in "xy"]
    wire = subject.wire(mail(tag, from_=hostile[0], to=hostile[1:]))
    for field, one in zip(("from_", "to"), hostile, strict=True):
        require(
            wire.find(one), f"An address in {field} with & = % / in its local part does not come back whole."
        )
    other = subject.wire(mail(tag, from_=harmless[0], to=harmless[1:]))
    nothing_added(wire, other, list(zip(hostile, harmless, strict=True)), "A hostile address")


# Fields an adapter may refuse -----------------------------------------------------------------------


@check(
    "B41.tags",
    "A tag is one tag, whatever characters it holds.",
    why="A comma in a name makes two tags of it, and whoever names things chooses other people's tags.",
    fix="Write tags as a list, or refuse the separator: raise UnsupportedFeature(field='tags').",
    capability=Capability.TAGS,
)
def tags(subject: Subject) -> None:
    """Send one tag of syntax, and tags that hold separators beside tags that are apart."""
    harmless = f"plain-{new_tag()}"
    comes_back(subject, "tags", [SYNTAX], [harmless], [(SYNTAX, harmless)])
    if (subject.limit(Capability.TAGS) or 2) >= 2:
        apart = ("one", "two")
        differ(
            subject,
            "tags",
            [(f"one tag with {by!r}", by.join(apart), apart) for by in ",; "],
        )


@check(
    "B41.metadata",
    "Keys and values of metadata are text, whatever characters they hold.",
    why="Values of one customer would become keys, or fields of the mail, of another one's choice.",
    fix="Write metadata as JSON or as one field a key, escaped; refuse keys the provider cannot hold.",
    capability=Capability.METADATA,
)
def metadata(subject: Subject) -> None:
    """Send a hostile pair, and a value that looks like a second pair."""
    tag = new_tag()
    hostile, harmless = {KEY: SYNTAX}, {f"plain-{tag}": f"value-{tag}"}
    values = [(KEY, f"plain-{tag}"), (SYNTAX, f"value-{tag}")]
    comes_back(subject, "metadata", hostile, harmless, values)
    joints = [(by, joint) for by in ",;" for joint in ("=", ":")]
    differ(
        subject,
        "metadata",
        [
            (f"one value with {by!r} and {joint!r}", {"a": f"1{by}b{joint}2"}, {"a": "1", "b": "2"})
            for by, joint in joints
        ],
    )


@check(
    "B41.headers",
    "The value of a header is text, whatever characters it holds.",
    why=WHY,
    fix="Write headers as JSON or as one field each; in a raw mail, let MimeBody write them.",
    capability=Capability.HEADERS,
)
def headers(subject: Subject) -> None:
    """Send a header whose value is syntax."""
    name, harmless = f"X-Plain-{new_tag()}", f"plain-{new_tag()}"
    comes_back(subject, "headers", {name: SYNTAX}, {name: harmless}, [(SYNTAX, harmless)])


@check(
    "B41.list_unsubscribe",
    "An address for unsubscribing arrives letter for letter.",
    why="`&amp;` for `&`, or a decoded `%2C`, is a link that unsubscribes nobody, or somebody else.",
    fix="Pass URIs on as they are: they are encoded already.",
    capability=Capability.LIST_UNSUBSCRIBE,
)
def unsubscribe(subject: Subject) -> None:
    """Send a URI with all that URIs may hold."""
    hostile = "https://example.com/leave?u=a%2Cb&l=2;x='y'+%26[z]#end=\"q\""
    harmless = f"https://example.com/plain-{new_tag()}"
    comes_back(subject, "list_unsubscribe", [hostile], [harmless], [(hostile, harmless)])


def _stay_text(capability: Capability) -> Callable[[Subject], None]:
    field = PROBES[capability].field
    by_recipient = capability is not Capability.MERGE_GLOBAL_DATA

    def run(subject: Subject) -> None:
        tag = new_tag()
        key = "X-Plain-Header" if capability is Capability.MERGE_HEADERS else KEY
        plain = key if key != KEY else f"plain-{tag}"
        pairs: list[Mapping[str, Any]] = [{key: SYNTAX}, {plain: f"value-{tag}"}]
        hostile, harmless = ({f"to-{tag}@example.com": pair} if by_recipient else pair for pair in pairs)
        wire = built(subject, mail(tag, **with_template(subject, tag, {"subject": None, field: hostile})))
        if wire is None:
            return
        whole = wire.find(key) and wire.find(SYNTAX)
        require(whole, f"{field}: a key or value of quotes, brackets and the like does not come back whole.")
        other = subject.wire(mail(tag, **with_template(subject, tag, {"subject": None, field: harmless})))
        nothing_added(wire, other, [(key, plain), (SYNTAX, f"value-{tag}")], f"A hostile pair in {field}")

    return run


for _merge in (
    Capability.MERGE_DATA,
    Capability.MERGE_METADATA,
    Capability.MERGE_HEADERS,
    Capability.MERGE_GLOBAL_DATA,
):
    check(
        f"B41.{name_of(_merge)}",
        f"Values in `{PROBES[_merge].field}` are text, whatever characters they hold.",
        why="Values of one recipient would reach the mail of another, or fields of the request.",
        fix="Write them as JSON, or escaped as the provider's template language needs it.",
        capability=_merge,
    )(_stay_text(_merge))


@check(
    "B41.filename",
    "A file's name is a name, whatever characters it holds.",
    why="A name that ends its parameter can rename the file, or the field that it stands in.",
    fix="Let JsonBody, MultipartBody or MimeBody write it.",
    capability=Capability.ATTACHMENTS,
)
def file_names(subject: Subject) -> None:
    """Attach files whose names are syntax."""
    tag = new_tag()
    plain = [f"plain-{number}-{tag}.txt" for number in range(len(FILE_NAMES))]
    hostile, harmless = (
        [
            Attachment(content=f"of {n}", filename=name, content_type="text/plain")
            for n, name in enumerate(names)
        ]
        for names in (FILE_NAMES, plain)
    )
    wire = subject.wire(mail(tag, attachments=hostile))
    require_none(f"The file name {file.filename!r} does not come back whole." for file in lost(wire, hostile))
    other = subject.wire(mail(tag, attachments=harmless))
    nothing_added(wire, other, list(zip(FILE_NAMES, plain, strict=True)), "A hostile file name")


@check(
    "B41.content_id",
    "A content id is one id, whatever characters it holds.",
    why=WHY,
    fix="Let core's bodies write it, or raise UnsupportedFeature(field='attachments').",
    capability=Capability.INLINE_IMAGES,
)
def content_id(subject: Subject) -> None:
    """Show an image under an id of syntax."""
    tag = new_tag()
    ids = ("a\"b;c,d&e=f'g", f"plain-{tag}")
    html = "".join(f'<img src="cid:{one}">' for one in ids)
    images = [Attachment(content=b"image", filename="image.png", content_id=one) for one in ids]
    wire = built(subject, mail(tag, html=html, attachments=images[:1]))
    if wire is None:
        return
    whole = any(says_id(file, ids[0]) for file in wire.files if file.content == b"image")
    require(whole, "A content id of quotes and separators does not come back whole.")
    nothing_added(
        wire, subject.wire(mail(tag, html=html, attachments=images[1:])), [ids], "A hostile content id"
    )


@check(
    "B41.template",
    "A template's id cannot lead to another place of the API.",
    why="An id from a user's settings could name another account's template, or another method of the API.",
    fix="Put it into the body, or into the URL with `quote(template_id, safe='')`.",
    capability=Capability.TEMPLATE,
)
def template(subject: Subject) -> None:
    """Use an id that leaves its folder, and adds a query and a fragment."""
    tag = new_tag()
    hostile, harmless = "../admin/x?to=evil&a=b#c%2F..%2F", f"plain-{tag}"
    recipients = [f"to-{tag}@example.com", f"second-{tag}@example.com"]
    fields: dict[str, Any] = {"to": recipients, "subject": None, "text": None}
    wire = built(subject, mail(tag, template_id=hostile, **fields))
    if wire is None:
        return
    other = subject.wire(mail(tag, template_id=harmless, **fields))
    depths = {_depth(one) for one in (wire, other)}
    require(len(depths) == 1, "A hostile template_id changes the path of the URL.")
    nothing_added(wire, other, [(hostile, harmless)], "A hostile template_id")
    require(wire.find(hostile), "A template_id of slashes and the like does not come back whole.")


def _depth(wire: Wire) -> int:
    return urlsplit(wire.request.url).path.count("/") if isinstance(wire.request, HttpRequest) else 0
