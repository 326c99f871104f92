"""Attachments: what they hold, what they are called, how they are shown.

Rule 1: a file is declared, not read: its size and time are noted, and it is opened afresh for each
        iteration, so that several threads may send it and none holds it in memory.
Rule 2: a file that is not as it was declared is never sent in part.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import attrs

from mailcore._characters import check_label, check_line
from mailcore._mapping import FrozenMap
from mailcore.exceptions import AttachmentChanged, InvalidAttachment

if TYPE_CHECKING:
    from email.message import Message as StdlibMessage

__all__ = ["Attachment", "FileContent"]

#: Bytes read at once: a multiple of 3, so that each piece becomes whole base64 (64 KiB of it).
PIECE = 48 * 1024

#: The longest content type taken, with its parameters: what fits a line of a mail.
MAX_TYPE = 998

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_WORD = r"[A-Za-z0-9!#$%&'*+^_`{|}~.:/-]+"
_PARAMETER = re.compile(rf'\s*;\s*({_WORD})\s*=\s*(?:({_WORD})|"([ !#-\[\]-~]*)")')
_LAST_PARAMETER = re.compile(rf"(.*?){_PARAMETER.pattern}")
_CHARSET = re.compile(r"[A-Za-z0-9!#$%&'+^_`{}~.:-]+")
_CONTENT_ID = re.compile(r"[!-;=?-~]+")


@attrs.frozen(kw_only=True)
class FileContent:
    """
    The bytes of a file that stay on disk until they are sent.

    Attributes:
        size, mtime_ns: As they were when the file was declared.

    Iterating raises `AttachmentChanged` when the file is not as declared any more.
    """

    path: str
    size: int
    mtime_ns: int

    @classmethod
    def declare(cls, path: Path) -> FileContent:
        """
        Return the content of a regular file, without reading it.

        Raises:
            InvalidAttachment: It cannot be read, or is not a regular file.
        """
        try:
            with path.open("rb") as file:
                found = os.fstat(file.fileno())
        except OSError as error:
            raise InvalidAttachment(f"{path} cannot be read: {error.strerror or error}.") from None
        if not stat.S_ISREG(found.st_mode):
            raise InvalidAttachment(f"{path} is not a regular file.")
        return cls(path=str(path), size=found.st_size, mtime_ns=found.st_mtime_ns)

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        try:
            with Path(self.path).open("rb") as file:
                self._check(file.fileno())
                yield from self._pieces(file)
        except OSError as error:
            raise AttachmentChanged(
                f"{self.path} cannot be read any more: {error.strerror or error}."
            ) from None

    def _pieces(self, file: BinaryIO) -> Iterator[bytes]:
        left = self.size
        while left:
            piece = file.read(min(PIECE, left))
            if not piece:
                raise self._changed()
            left -= len(piece)
            if not left:
                # Before the last piece leaves: what is sent in part was provably not accepted.
                self._check(file.fileno())
            yield piece

    def _check(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        if (found.st_size, found.st_mtime_ns) != (self.size, self.mtime_ns):
            raise self._changed()

    def _changed(self) -> AttachmentChanged:
        return AttachmentChanged(f"{self.path} changed after it was attached. Attach it again.")


def _text_or_empty(given: str | None) -> str:
    return given or ""


def _flag(given: bool | None) -> bool:  # noqa: FBT001  # reason: attrs calls it with the value
    return cast("bool", given)  # None until construction decides it by the content id


def _parameters(given: Mapping[str, str]) -> FrozenMap[str]:
    for name, value in given.items():
        if not _PARAMETER.fullmatch(f';{name}="{value}"'):
            raise InvalidAttachment(
                f"{name!r} is not a parameter that a header can carry.", field="parameters"
            )
    return FrozenMap({name.lower(): value for name, value in given.items()})


def _content(given: bytes | str | FileContent) -> bytes | FileContent:
    return cast("bytes | FileContent", given)  # text until construction knows its charset


@attrs.frozen(kw_only=True)
class Attachment:
    """
    A file that travels with a message.

    Attributes:
        content: Bytes, or a declared file. Text is encoded in `charset` (UTF-8 unless given).
        filename: The name shown; None where there is none.
        content_type: `type/subtype`; guessed from the name where not given.
        parameters: Of the type, such as `method` of a `text/calendar`; may be given within
            `content_type`, as in `text/calendar; method=REQUEST`.
        charset: Of text content; None for anything else.
        content_id: What `<img src="cid:...">` refers to, without brackets or `cid:`.
        inline: Shown within the body. Not given: true exactly when there is a content id.
            Given as False: the content id is dropped.

    Raises:
        InvalidAttachment: A label that cannot be sent safely, or text that its charset cannot hold.
    """

    content: bytes | FileContent = attrs.field(
        converter=_content, repr=lambda content: f"<{len(content)} bytes>"
    )
    filename: str | None = None
    content_type: str = attrs.field(default="", converter=_text_or_empty)
    parameters: Mapping[str, str] = attrs.field(factory=FrozenMap, converter=_parameters)
    charset: str | None = None
    content_id: str | None = None
    inline: bool = attrs.field(default=None, converter=_flag)

    def __attrs_post_init__(self) -> None:
        name = self.filename or None
        if name is not None:
            check_label(name, field="filename", error=InvalidAttachment)
        media_type, within = _split_type(self.content_type)
        parameters = {**within, **self.parameters}
        charset = _charset_name(self.charset or parameters.pop("charset", None))
        media_type = _media_type(media_type, name, is_text=isinstance(self.content, str))
        if isinstance(self.content, str):
            charset = charset or "utf-8"
            _set(self, "content", _encode_text(self.content, charset))
        content_id = _content_id(self.content_id)
        if self.inline is None:
            _set(self, "inline", content_id is not None)
        _set(self, "filename", name)
        _set(self, "content_type", media_type)
        _set(self, "parameters", FrozenMap(parameters))
        _set(self, "charset", charset)
        _set(self, "content_id", content_id if self.inline else None)
        _set(self, "content", _encode(self.content, charset))

    def __len__(self) -> int:
        return len(self.content)

    @property
    def full_content_type(self) -> str:
        """`content_type` with charset and parameters, as a MIME header says it."""
        charset = {"charset": self.charset} if self.charset else {}
        labels = {**charset, **self.parameters}
        return self.content_type + "".join(f'; {name}="{value}"' for name, value in labels.items())

    def pieces(self) -> Iterator[bytes]:
        """Yield the content, starting afresh, in pieces that are a multiple of 3 bytes but the last."""
        if isinstance(self.content, FileContent):
            yield from self.content
        else:
            view = memoryview(self.content)
            for start in range(0, len(view), PIECE):
                yield bytes(view[start : start + PIECE])

    @classmethod
    def from_path(
        cls,
        path: str | os.PathLike[str],
        *,
        root: str | os.PathLike[str] | None = None,
        filename: str | None = None,
        content_type: str = "",
        charset: str | None = None,
        content_id: str | None = None,
        inline: bool | None = None,
    ) -> Attachment:
        """
        Attach a file below `root` (the working directory unless given) without reading it.

        Symbolic links are followed before the check, so that a path from outside the program
        cannot lead anywhere else.

        Raises:
            InvalidAttachment: Outside `root`, not a regular file, or not readable.
        """
        base = Path.cwd() if root is None else Path(root)
        resolved, base = (base / path).resolve(), base.resolve()
        if not resolved.is_relative_to(base):
            raise InvalidAttachment(f"{path} is outside {base}. Pass root= to name the folder it may be in.")
        return cls(
            content=FileContent.declare(resolved),
            filename=filename or resolved.name,
            content_type=content_type,
            charset=charset,
            content_id=content_id,
            inline=inline,
        )

    @classmethod
    def from_message(cls, message: StdlibMessage, *, filename: str | None = None) -> Attachment:
        """
        Attach a whole mail as `message/rfc822`: CRLF line ends, 7-bit safe.

        Raises:
            InvalidAttachment: The message cannot be written out.
        """
        from email import policy

        try:
            content = message.as_bytes(policy=policy.SMTP.clone(cte_type="7bit", refold_source="none"))
        except (ValueError, LookupError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidAttachment(
                f"The attached message cannot be written ({type(error).__name__})."
            ) from None
        return cls(content=content, filename=filename, content_type="message/rfc822")


def _set(attachment: Attachment, name: str, value: object) -> None:
    object.__setattr__(attachment, name, value)  # frozen; this is still construction


def _encode(content: object, charset: str | None) -> bytes | FileContent:
    if isinstance(content, FileContent):
        return content
    if isinstance(content, bytes | bytearray | memoryview):
        return _check_charset(bytes(content), charset)
    raise InvalidAttachment(
        f"content is bytes, text or a declared file, not {type(content).__name__}. "
        "Use Attachment.from_path for a file on disk.",
        field="content",
    )


def _charset_name(given: str | None) -> str | None:
    # Python's codecs ignore what they do not know in a name, line breaks too.
    if given is not None and not (isinstance(given, str) and _CHARSET.fullmatch(given)):
        raise InvalidAttachment(f"{given!r} is not the name of a charset.", field="charset")
    return given


def _check_charset(content: bytes, charset: str | None) -> bytes:
    """Refuse a label that does not fit: the recipient would see other characters."""
    if charset:
        try:
            content.decode(charset)
        except (LookupError, ValueError):
            raise InvalidAttachment(
                f"The content is not valid {charset!r}. Name its real charset, or leave it out.",
                field="charset",
            ) from None
    return content


def _encode_text(content: str, charset: str) -> bytes:
    try:
        return content.encode(charset)
    except (LookupError, ValueError):
        raise InvalidAttachment(f"The text cannot be encoded as {charset!r}.", field="charset") from None


def _split_type(given: str) -> tuple[str, dict[str, str]]:
    """Return the type and its parameters; what is no parameter stays in the type, to be refused there."""
    media_type = check_line(given, field="content_type", error=InvalidAttachment).strip()
    parameters: dict[str, str] = {}
    if len(media_type) > MAX_TYPE:
        raise InvalidAttachment(f"is longer than {MAX_TYPE} characters.", field="content_type")
    while found := _LAST_PARAMETER.fullmatch(media_type):
        media_type, name, word, quoted = found.groups()
        parameters[name.lower()] = word or quoted or ""
    return media_type, dict(reversed(parameters.items()))


def _media_type(given: str, name: str | None, *, is_text: bool) -> str:
    media_type = given or _guess(name) or ("text/plain" if is_text else "application/octet-stream")
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise InvalidAttachment(f"{given!r} is not of the form type/subtype.", field="content_type")
    return media_type.lower()


def _guess(name: str | None) -> str | None:
    if not name:
        return None
    import mimetypes

    found, encoding = mimetypes.guess_type(name, strict=False)
    return None if encoding else found  # compressed: what is inside is not what is sent


def _content_id(given: str | None) -> str | None:
    """Take `logo`, `<logo>` and `cid:logo` for the same."""
    if given is None:
        return None
    text = check_line(given, field="content_id", error=InvalidAttachment).strip()
    bare = text.removeprefix("cid:").removeprefix("<").removesuffix(">")
    if not _CONTENT_ID.fullmatch(bare):
        raise InvalidAttachment(
            f"{given!r} is not a content id: printable ASCII, no spaces.", field="content_id"
        )
    return bare
