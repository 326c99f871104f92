"""Adapters that change a file, or what is said of it, on the way."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

import attrs
from reference.json_api import JsonAdapter

from gallery import broken
from gallery._changed import Changed, Document
from mailcore import Attachment, Base64, Body, Context, HttpRequest, Message, UnsupportedFeature

File = dict[str, Any]


class ChangedFile(Changed):
    """The JSON reference with something done to each file; what it is, a subclass says."""

    def change(self, document: Document, message: Message) -> None:
        """Change each file of the payload."""
        for entry, file in zip(document.get("attachments", ()), message.attachments, strict=True):
            self.change_file(entry, file, b"".join(file.pieces()))

    def change_file(self, entry: File, file: Attachment, content: bytes) -> None:
        """Change a file."""


def encoded(content: bytes) -> Base64:
    """Return what stands for other content in a payload."""
    return Base64(Attachment(content=content))


@broken("B13.bytes", "The 256 values of a byte do not arrive as they were given")
class EndsAtControlZ(ChangedFile):
    """Takes a control character for the end of the file, as old systems did."""

    def change_file(self, entry: File, file: Attachment, content: bytes) -> None:
        if b"\x1a\x1b" in content:
            entry["content"] = encoded(content.partition(b"\x1a\x1b")[0])


@broken("B13.bytes", "The 256 values of a byte do not arrive as they were given")
class EncodesTwice(ChangedFile):
    """Encodes base64 in base64."""

    def change_file(self, entry: File, file: Attachment, content: bytes) -> None:
        entry["content"] = encoded(b"".join(encoded(content)))


@broken("B13.sizes", "A file of 0 bytes does not arrive with its name")
class SkipsEmptyFiles(Changed):
    """Takes an empty file for none."""

    def change(self, document: Document, message: Message) -> None:
        if "attachments" in document:
            full = [bool(len(file)) for file in message.attachments]
            document["attachments"] = [
                one for one, there in zip(document["attachments"], full, strict=True) if there
            ]


@broken("B13.sizes", "A file of 65537 bytes does not arrive with its name")
class CutsAt64K(ChangedFile):
    """Reads 64 KiB of a file."""

    def change_file(self, entry: File, file: Attachment, content: bytes) -> None:
        if len(content) < 100_000:
            entry["content"] = encoded(content[: 64 * 1024])


@broken("B13.filename", "does not arrive whole")
class NormalisesNames(ChangedFile):
    """Composes what is combined in the name of a file."""

    def change_file(self, entry: File, file: Attachment, content: bytes) -> None:
        if file.filename:
            entry["filename"] = unicodedata.normalize("NFC", file.filename)


@broken("B13.filename", "does not arrive whole")
class ShortensNames(ChangedFile):
    """Keeps 100 characters of a name."""

    def change_file(self, entry: File, file: Attachment, content: bytes) -> None:
        if file.filename:
            entry["filename"] = file.filename[-100:]


@broken("B13.content_type", "does not arrive with its parameters")
class DropsParameters(ChangedFile):
    """Says the type alone where there is more than a charset."""

    def change_file(self, entry: File, file: Attachment, content: bytes) -> None:
        if file.parameters:
            entry["content_type"] = file.content_type


@broken("B13.text", "The bytes of a text/plain file are changed on the way")
class UnixLineEnds(ChangedFile):
    """Makes one kind of line end of all in files of text."""

    def change_file(self, entry: File, file: Attachment, content: bytes) -> None:
        if file.content_type == "text/plain":
            entry["content"] = encoded(content.replace(b"\r\n", b"\n"))


@broken("B13.order", "A file called 'same.txt' is not there with its name")
class OneFileAName(Changed):
    """Keeps files in a table by name."""

    def change(self, document: Document, message: Message) -> None:
        files = document.get("attachments", [])
        if all("filename" in file for file in files) and files:
            document["attachments"] = [*{file["filename"]: file for file in files}.values()]


@broken("B13.order", "The files stand in another order than given")
class SortsFiles(Changed):
    """Puts more than three files in alphabetical order."""

    def change(self, document: Document, message: Message) -> None:
        files = document.get("attachments", [])
        if len(files) > 3 and all("filename" in file for file in files):
            files.sort(key=lambda file: file["filename"])


@broken("B13.nameless", "A file without a name makes body.attachments[].filename 'None'")
class NamesFilesNone(ChangedFile):
    """Makes text of a name that is not there."""

    def change_file(self, entry: File, file: Attachment, content: bytes) -> None:
        entry["filename"] = str(file.filename)


@broken("B13.nameless", "A file without a name is not in the request")
class SkipsNamelessFiles(Changed):
    """Leaves out what it cannot name."""

    def change(self, document: Document, message: Message) -> None:
        if "attachments" in document:
            document["attachments"] = [file for file in document["attachments"] if "filename" in file]


@broken("B13.nameless", "It is refused without naming the field attachments")
class RefusesNamelessFiles(ChangedFile):
    """Refuses a file without a name, and blames something else."""

    def change_file(self, entry: File, file: Attachment, content: bytes) -> None:
        if not file.filename:
            raise UnsupportedFeature("A file needs a name.", field="filename")


@broken("B13.content_id", "The content id of image 1 of 2 does not arrive with its image")
class LocalPartOfIds(ChangedFile):
    """Cuts a content id at its `@`."""

    def change_file(self, entry: File, file: Attachment, content: bytes) -> None:
        if file.content_id:
            entry["content_id"] = file.content_id.partition("@")[0]


@broken("B13.content_id", "The content id of image 2 of 2 does not arrive with its image")
class LowerCaseIds(ChangedFile):
    """Takes upper case in a content id for a slip."""

    def change_file(self, entry: File, file: Attachment, content: bytes) -> None:
        if file.content_id:
            entry["content_id"] = file.content_id.lower()


@broken("B13.inline", "An inline image without a content id makes the same request as an attached one")
class InlineById(ChangedFile):
    """Takes an image for inline if it has an id, and only then."""

    def change_file(self, entry: File, file: Attachment, content: bytes) -> None:
        if not file.content_id:
            entry.pop("inline", None)


@broken("B13.plain", "An attached file is said to be inline")
class NamedImagesAreInline(Changed):
    """Takes an image for one of the HTML's where that names its file."""

    def change(self, document: Document, message: Message) -> None:
        for file in document.get("attachments", ()):
            if file.get("filename", "-") in (message.html or ""):
                file["inline"] = True


@broken("B13.plain", "An attached file is given a content id")
class EveryImageHasAnId(ChangedFile):
    """Makes up a content id for every image."""

    def change_file(self, entry: File, file: Attachment, content: bytes) -> None:
        if file.content_type.startswith("image/") and not file.inline:
            entry["content_id"] = "made-up"


@broken("B13.streamed", "The content is kept in memory")
class JoinsTheBody(JsonAdapter):
    """Puts the whole body together before it is sent."""

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        request = super().build_send(message, ctx)
        return attrs.evolve(request, body=b"".join(request.body))


class Wrapped:
    """A body that does something else than the one it wraps."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.started = iter(body)

    def __len__(self) -> int:
        return len(self.body)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.body)


class Longer(Wrapped):
    """Says that it is one byte longer than it is."""

    def __len__(self) -> int:
        return len(self.body) + 1


class Once(Wrapped):
    """Can be read once."""

    def __iter__(self) -> Iterator[bytes]:
        return self.started


class Shared(Wrapped):
    """Can be read again, but not by two at once: they share their place."""

    def __iter__(self) -> Iterator[bytes]:
        self.started = iter(self.body)
        while (piece := next(self.started, None)) is not None:
            yield piece


class WithBody(JsonAdapter):
    """The JSON reference, with another body for mails that have files."""

    wrapper: type[Wrapped] = Wrapped

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        """Return the request, with its body wrapped."""
        request = super().build_send(message, ctx)
        wrap = message.attachments and not isinstance(request.body, bytes)
        return attrs.evolve(request, body=self.wrapper(request.body)) if wrap else request


@broken("B13.streamed", "bytes, and has")
class WrongLength(WithBody):
    """Counts one byte too many where there are files."""

    wrapper = Longer


@broken("B13.again", "Read a second time, the body has other bytes")
class ReadOnce(WithBody):
    """Keeps one generator, which is spent when it was read."""

    wrapper = Once


@broken("B13.again", "Read by two at once, the body has other bytes")
class SharedPlace(WithBody):
    """Keeps the place up to which the body was read in the body."""

    wrapper = Shared
