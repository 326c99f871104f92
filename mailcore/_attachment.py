"""Attachments: what they hold, what they are called, how they are shown.

Rule: everything a recipient's program goes by (name, type, charset, content id) is checked here, once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import attrs

from mailcore._characters import check_label, check_line
from mailcore._content_id import bare_content_id
from mailcore._file_content import PIECE, FileContent
from mailcore._mapping import FrozenMap
from mailcore._media_type import PARAMETER, guess_type, is_media_type, split_type
from mailcore.exceptions import InvalidAttachment

if TYPE_CHECKING:
    from email.message import Message as StdlibMessage
    from os import PathLike

__all__ = ["Attachment"]

#: The longest content type taken, with its parameters: what fits a line of a mail.
MAX_TYPE = 998

_CHARSET = re.compile(r"[A-Za-z0-9!#$%&'+^_`{}~.:-]+")
_CONTENT_ID = re.compile(r"[!-;=?-~]+")


@attrs.frozen(kw_only=True, init=False)
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

    content: bytes | FileContent = attrs.field(repr=lambda content: f"<{len(content)} bytes>")
    filename: str | None = None
    content_type: str = ""
    parameters: Mapping[str, str] = attrs.field(factory=FrozenMap)
    charset: str | None = None
    content_id: str | None = None
    inline: bool = False

    def __init__(
        self,
        *,
        content: bytes | str | FileContent,
        filename: str | None = None,
        content_type: str | None = "",
        parameters: Mapping[str, str] | None = None,
        charset: str | None = None,
        content_id: str | None = None,
        inline: bool | None = None,
    ) -> None:
        is_text = isinstance(content, str)
        name = check_label(filename, field="filename", error=InvalidAttachment) if filename else None
        media_type, within = _split(content_type or "")
        labels = {**within, **_parameters(parameters or {})}
        said = _charset_name(charset or labels.pop("charset", None)) or ("utf-8" if is_text else None)
        media_type = _media_type(media_type, name, is_text=is_text)
        bare_id = None if content_id is None else _content_id(content_id)
        is_inline = bare_id is not None if inline is None else inline
        self.__attrs_init__(
            content=_content(content, said),
            filename=name,
            content_type=media_type,
            parameters=FrozenMap(labels),
            charset=said,
            content_id=bare_id if is_inline else None,
            inline=is_inline,
        )

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
        path: str | PathLike[str],
        *,
        root: str | PathLike[str] | None = None,
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
        content = FileContent.declare_below(root, path)
        return cls(
            content=content,
            filename=filename or content.name,
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


def _content(given: object, charset: str | None) -> bytes | FileContent:
    if isinstance(given, FileContent):
        return given
    if isinstance(given, str):
        return _encode(given, charset or "")
    if isinstance(given, bytes | bytearray | memoryview):
        return _check_charset(bytes(given), charset)
    raise InvalidAttachment(
        f"content is bytes, text or a declared file, not {type(given).__name__}. "
        "Use Attachment.from_path for a file on disk.",
        field="content",
    )


def _encode(text: str, charset: str) -> bytes:
    try:
        return text.encode(charset)
    except (LookupError, ValueError):
        raise InvalidAttachment(f"The text cannot be encoded as {charset!r}.", field="charset") from None


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


def _charset_name(given: str | None) -> str | None:
    if given is None:
        return None
    from mailcore._mime.charset import is_mail_charset

    # Python's codecs ignore what they do not know in a name, line breaks too; and some are no charsets.
    if not (isinstance(given, str) and _CHARSET.fullmatch(given) and is_mail_charset(given)):
        raise InvalidAttachment(f"{given!r} is not a charset that mail is written in.", field="charset")
    return given


def _split(given: str) -> tuple[str, dict[str, str]]:
    text = check_line(given, field="content_type", error=InvalidAttachment).strip()
    if len(text) > MAX_TYPE:
        raise InvalidAttachment(f"is longer than {MAX_TYPE} characters.", field="content_type")
    return split_type(text)


def _media_type(given: str, name: str | None, *, is_text: bool) -> str:
    guess = given or (guess_type(name) if name else None)
    media_type = guess or ("text/plain" if is_text else "application/octet-stream")
    if not is_media_type(media_type):
        raise InvalidAttachment(f"{given!r} is not of the form type/subtype.", field="content_type")
    return media_type.lower()


def _parameters(given: Mapping[str, str]) -> dict[str, str]:
    for name, value in given.items():
        if not PARAMETER.fullmatch(f';{name}="{value}"'):
            raise InvalidAttachment(
                f"{name!r} is not a parameter that a header can carry.", field="parameters"
            )
    return {name.lower(): value for name, value in given.items()}


def _content_id(given: str) -> str:
    bare = bare_content_id(check_line(given, field="content_id", error=InvalidAttachment))
    if not _CONTENT_ID.fullmatch(bare):
        raise InvalidAttachment(
            f"{given!r} is not a content id: printable ASCII, no spaces.", field="content_id"
        )
    return bare
