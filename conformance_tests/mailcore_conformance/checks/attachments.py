"""Files, byte for byte, each with its own name, type and place.

Rule: a file counts as carried when its exact content stands in the request together with what was said of it.
"""

from __future__ import annotations

import re
from typing import Any

from mailcore import Attachment, Capability, UnsupportedFeature
from mailcore_conformance._check import Failed, check, require, require_none
from mailcore_conformance._probe import new_tag
from mailcore_conformance._subject import Subject
from mailcore_conformance._wire import File, Piece, Wire
from mailcore_conformance.requests._files import (
    body_of,
    has_type,
    interleaved,
    lost,
    made_of,
    says_id,
    watched,
)
from mailcore_conformance.requests._genuine import NOTHING
from mailcore_conformance.requests._reading import bare, built, mail

#: All values a byte has.
ALL_BYTES = bytes(range(256))


def _content_of(wire: Wire, content: bytes) -> File:
    """Return the one file of that content."""
    found = [file for file in wire.files if file.content == content]
    if not found:
        raise Failed("An attachment's content is not in the request as it was given.")
    return found[0]


@check(
    "B13.bytes",
    "A file's content arrives, whatever its bytes.",
    why="A document that was encoded twice, or as text, cannot be opened.",
    fix="Put `Base64(attachment)` into a JsonBody, or the attachment itself into a MultipartBody.",
    capability=Capability.ATTACHMENTS,
)
def content(subject: Subject) -> None:
    """Attach every value a byte can have."""
    file = Attachment(content=ALL_BYTES, filename="all.bin")
    wire = subject.wire(mail(new_tag(), attachments=[file]))
    require(wire.find_bytes(ALL_BYTES), "The 256 values of a byte do not arrive as they were given.")


#: Nothing, the groups of base64, the lines of base64 in a mail, and more than one piece of a stream.
SIZES = (0, 1, 2, 3, 57, 58, 65_537)


@check(
    "B13.sizes",
    "A file of any size arrives whole.",
    why="An empty file that is left out, or a last group that is cut, is a broken file.",
    fix="Do not test `if attachment.content`, and encode base64 in whole groups of three bytes.",
    capability=Capability.ATTACHMENTS,
)
def sizes(subject: Subject) -> None:
    """Attach files of sizes at which encoders go wrong."""
    files = [Attachment(content=made_of(size), filename=f"size-{size}.bin") for size in SIZES]
    wire = subject.wire(mail(new_tag(), attachments=files))
    require_none(f"A file of {len(file)} bytes does not arrive with its name." for file in lost(wire, files))


#: Spaces, other scripts, quotes, and a length that is folded in a mail.
FILE_NAMES = ("two words.txt", "Größe 日本 e\u0301.txt", "the \"quoted\" 'name'.txt", f"{'long-' * 30}.txt")


@check(
    "B13.filename",
    "A file keeps its name.",
    why="Readers cannot open, find or trust a file that is called something else.",
    fix="Pass `attachment.filename` on as it is; MultipartBody and MimeBody write it safely.",
    capability=Capability.ATTACHMENTS,
)
def file_names(subject: Subject) -> None:
    """Attach files whose names need care in one format or another."""
    files = [Attachment(content=f"of {name}".encode(), filename=name) for name in FILE_NAMES]
    wire = subject.wire(mail(new_tag(), attachments=files))
    require_none(f"The file name {file.filename!r} does not arrive whole." for file in lost(wire, files))


#: Type and parameters, as given.
TYPES = (
    ("text/calendar", {"method": "REQUEST", "charset": "utf-8"}),
    ("text/plain", {"charset": "iso-8859-1"}),
    ("application/vnd.example.report+json", {"profile": "https://example.com/p"}),
)


@check(
    "B13.content_type",
    "A file keeps its type, with its parameters.",
    why="Without `method=REQUEST` an invitation is a mere file; with another charset, text is garbled.",
    fix="Pass on `attachment.full_content_type`, which is the type with charset and parameters.",
    capability=Capability.ATTACHMENTS,
)
def types(subject: Subject) -> None:
    """Attach files of types that have parameters."""
    for number, (media_type, parameters) in enumerate(TYPES):
        said = "; ".join([media_type, *(f'{name}="{value}"' for name, value in parameters.items())])
        file = Attachment(content=f"of type {number}", filename=f"file-{number}.dat", content_type=said)
        found = _content_of(subject.wire(mail(new_tag(), attachments=[file])), b"of type %d" % number)
        arrived = has_type(found, media_type, parameters)
        require(arrived, f"The type {file.full_content_type!r} does not arrive with its parameters.")


@check(
    "B13.text",
    "A text file is a file: its bytes are not touched.",
    why="Changed line ends break signatures, patches and fixed-width files.",
    fix="Treat attachments of text types like all others: bytes in, the same bytes out.",
    capability=Capability.ATTACHMENTS,
)
def text_files(subject: Subject) -> None:
    """Attach text with every line end, trailing blanks, leading dots, and a byte order mark."""
    given = b"\xef\xbb\xbfone\r\ntwo\nthree\r.four \t\r\n\r\n \n"
    for media_type in ("text/plain", "text/html", "application/json"):
        file = Attachment(content=given, filename="file.txt", content_type=media_type)
        wire = subject.wire(mail(new_tag(), attachments=[file]))
        require(wire.find_bytes(given), f"The bytes of a {media_type} file are changed on the way.")


@check(
    "B13.order",
    "Several files keep their order, and each its own name.",
    why="Two files of one name, or names that move on by one, show readers the wrong document.",
    fix="Write a list with one entry for each attachment; never a table whose keys are the names.",
    capability=Capability.ATTACHMENTS,
)
def order(subject: Subject) -> None:
    """Attach files of which two have the same name."""
    names = ("same.txt", "zebra.txt", "same.txt", "apple.txt")
    files = [Attachment(content=f"file {number}", filename=name) for number, name in enumerate(names)]
    wire = subject.wire(mail(new_tag(), attachments=files))
    require_none(f"A file called {file.filename!r} is not there with its name." for file in lost(wire, files))
    wanted = [f"file {number}".encode() for number in range(len(names))]
    arrived = [file.content for file in wire.files if file.content in wanted]
    require(arrived == wanted, "The files stand in another order than given, or one is there twice.")


@check(
    "B13.nameless",
    "A file without a name arrives, or is refused.",
    why="A file called 'None' is not opened; one that is left out is missed.",
    fix="Give it a name made from its type, or raise UnsupportedFeature(field='attachments').",
    capability=Capability.ATTACHMENTS,
)
def nameless(subject: Subject) -> None:
    """Attach a file that has a type and no name."""
    file = Attachment(content=b"of no name", content_type="application/pdf")
    named = Attachment(content=b"of no name", filename="named.pdf")
    try:
        wire = subject.wire(mail(new_tag(), attachments=[file]))
    except UnsupportedFeature as error:
        require(error.field == "attachments", "It is refused without naming the field attachments.")
        return
    require(wire.find_bytes(b"of no name"), "A file without a name is not in the request.")
    usual = {bare(piece.path) for piece in _nothing(subject.wire(mail(new_tag(), attachments=[named])))}
    require_none(
        f"A file without a name makes {bare(piece.path)} {piece.text!r}."
        for piece in _nothing(wire)
        if bare(piece.path) not in usual
    )


def _nothing(wire: Wire) -> list[Piece]:
    return [piece for piece in wire.pieces if piece.text in NOTHING]


# Inline ---------------------------------------------------------------------------------------------


def _image(number: int, **more: Any) -> Attachment:
    return Attachment(
        content=f"image {number}", filename=f"image-{number}.png", content_type="image/png", **more
    )


@check(
    "B13.content_id",
    "An inline image keeps its content id.",
    why='`<img src="cid:...">` shows an image by that id: another id shows a hole.',
    fix="Pass `attachment.content_id` on (it has no brackets and no `cid:`), in the form the provider wants.",
    capability=Capability.INLINE_IMAGES,
)
def content_ids(subject: Subject) -> None:
    """Use two images, with ids that hold what ids may hold."""
    ids = [f"logo+1.{new_tag()}@example.com", f"Logo_2.{new_tag()}"]
    images = [_image(number, content_id=one) for number, one in enumerate(ids)]
    html = "".join(f'<img src="cid:{one}">' for one in ids)
    wire = subject.wire(mail(new_tag(), html=html, attachments=images))
    for number, one in enumerate(ids):
        found = _content_of(wire, f"image {number}".encode())
        require(
            says_id(found, one), f"The content id of image {number + 1} of 2 does not arrive with its image."
        )


@check(
    "B13.inline",
    "An inline image is told apart from an attached one.",
    why="A logo among the attachments looks like a document to open.",
    fix="Say that it is inline; where the provider goes by the id alone, refuse one without an id.",
    capability=Capability.INLINE_IMAGES,
)
def inline(subject: Subject) -> None:
    """Send one image attached, inline with an id, and inline without one."""
    tag = new_tag()
    attached = subject.wire(mail(tag, html="<p>", attachments=[_image(1)]))
    for told, image in (
        ("with a content id", _image(1, content_id="logo")),
        ("without a content id", _image(1, inline=True)),
    ):
        wire = built(subject, mail(tag, html="<p>", attachments=[image]))
        same = wire is not None and wire.leaves == attached.leaves
        require(not same, f"An inline image {told} makes the same request as an attached one.")


@check(
    "B13.plain",
    "An attached file is not made inline.",
    why="Mail programs hide inline files: readers never see that there is a document.",
    fix="Write a content id or `inline` for attachments that are inline, and for no others.",
    capability=Capability.INLINE_IMAGES,
)
def plain(subject: Subject) -> None:
    """Look for a content id, or the word, where there is neither."""
    tag = new_tag()
    html = "<p>See image-1.png</p>"
    shown = subject.wire(mail(tag, html=html, attachments=[_image(1, content_id=f"cid-{tag}")]))
    attached = subject.wire(mail(tag, html=html, attachments=[_image(1)]))
    ids = {bare(piece.path) for piece in shown.pieces if piece.text.strip("<>") == f"cid-{tag}"}
    taken = {bare(piece.path) for piece in attached.pieces if bare(piece.path) in ids}
    # Where the provider takes the file's name for the id, the name is all there can be.
    named = any(piece.text == "image-1.png" for piece in shown.pieces)
    require(not (taken and named), "An attached file is given a content id.")
    found = _content_of(attached, b"image 1")
    word = any(_says_inline(name, value) for name, value in found.beside)
    require(not word, "An attached file is said to be inline.")


def _says_inline(name: str, value: str) -> bool:
    if name.lower() == "inline":
        return value.lower() not in ("false", "0", "no", "null")
    return re.match(r"inline\b", value.lower()) is not None


# Streaming ------------------------------------------------------------------------------------------


@check(
    "B13.streamed",
    "A file is read while it is sent, each time anew, and not kept in memory.",
    why="Ten mails of 25 MB, encoded in memory at once, end a worker.",
    fix="Use JsonBody with Base64(attachment), MultipartBody or MimeBody; do not join pieces yourself.",
    capability=Capability.ATTACHMENTS,
)
def streamed(subject: Subject) -> None:
    """Declare a file, and count how often it is read while the body is."""
    file = watched(100_000)
    message = mail(new_tag(), attachments=[Attachment(content=file, filename="watched.bin")])
    body = body_of(subject.request(message))
    before = len(file.reads)
    length = sum(map(len, body)) if not isinstance(body, bytes) else len(body)
    require(
        len(file.reads) > before, "The content is kept in memory: reading the body does not read the file."
    )
    require(length == len(body), f"The body says {len(body)} bytes, and has {length}.")


@check(
    "B13.again",
    "The body can be read again, and by two at once.",
    why="A retry sends the body again: half a body, or none, is a broken or an empty mail.",
    fix="Make `__iter__` of a body start afresh: a generator function over parts, not one generator kept.",
    capability=Capability.ATTACHMENTS,
)
def again(subject: Subject) -> None:
    """Read the body of a large mail whole, and twice at once."""
    file = Attachment(content=made_of(100_000), filename="large.bin")
    body = body_of(subject.request(mail(new_tag(), attachments=[file])))
    if isinstance(body, bytes):
        return
    whole = b"".join(body)
    require(b"".join(body) == whole, "Read a second time, the body has other bytes.")
    require(interleaved(body) == (whole, whole), "Read by two at once, the body has other bytes.")
