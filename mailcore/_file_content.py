"""Files that stay on disk until they are sent.

Rule 1: a file is declared, not read: its size and time are noted, and it is opened afresh for each
        iteration, so that several threads may send it and none holds it in memory.
Rule 2: a file that is not as it was declared is never sent in part.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

import attrs

from mailcore.exceptions import AttachmentChanged, InvalidAttachment

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PIECE", "FileContent"]

#: Bytes read at once: a multiple of 3, so that each piece becomes whole base64 (64 KiB of it).
PIECE = 48 * 1024

#: What no size or time of a file reaches.
MAX_NUMBER = 2**63


@attrs.frozen(kw_only=True)
class FileContent:
    """
    The bytes of a file that stay on disk until they are sent.

    Attributes:
        size, mtime_ns: As they were when the file was declared.

    Iterating raises `AttachmentChanged` when the file is not as declared any more. One that comes
    from a JSON document names a file of whoever wrote the document: take those from your own queue.

    Raises:
        InvalidAttachment: No path, or a size or time that no file has.
    """

    path: str = attrs.field()
    size: int = attrs.field()
    mtime_ns: int = attrs.field()

    @path.validator
    def _check_path(self, _: object, value: object) -> None:
        if not isinstance(value, str) or not value or "\0" in value:
            raise InvalidAttachment("A declared file needs a path.")

    @size.validator
    @mtime_ns.validator
    def _check_number(self, field: attrs.Attribute[int], value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < MAX_NUMBER:
            raise InvalidAttachment(f"A declared file has no {field.name} of {value!r}.")

    @classmethod
    def declare(cls, path: Path) -> FileContent:
        """
        Return the content of a regular file, without reading it.

        Raises:
            InvalidAttachment: It cannot be read, or is not a regular file.
        """
        try:
            with _opened(path) as file:
                found = os.fstat(file.fileno())
        except (OSError, ValueError) as error:
            raise InvalidAttachment(f"{path} cannot be read: {_why(error)}.") from None
        if not stat.S_ISREG(found.st_mode):
            raise InvalidAttachment(f"{path} is not a regular file.")
        return cls(path=str(path), size=found.st_size, mtime_ns=found.st_mtime_ns)

    @classmethod
    def declare_below(cls, root: str | os.PathLike[str] | None, path: str | os.PathLike[str]) -> FileContent:
        """
        Return the content of a file below `root`, or the working directory where that is None.

        Symbolic links are followed first.

        Raises:
            InvalidAttachment: Outside `root`, or as for `declare`.
        """
        from pathlib import Path

        base = Path.cwd() if root is None else Path(root)
        resolved, base = (base / path).resolve(), base.resolve()
        if not resolved.is_relative_to(base):
            raise InvalidAttachment(f"{path} is outside {base}. Pass root= to name the folder it may be in.")
        return cls.declare(resolved)

    @property
    def name(self) -> str:
        """Last component of the path."""
        from pathlib import Path

        return Path(self.path).name

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        try:
            with _opened(self.path) as file:
                self._check(file.fileno())
                yield from self._pieces(file)
        except OSError as error:
            raise AttachmentChanged(f"{self.path} cannot be read any more: {_why(error)}.") from None

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
        same = (found.st_size, found.st_mtime_ns) == (self.size, self.mtime_ns)
        if not (same and stat.S_ISREG(found.st_mode)):
            raise self._changed()

    def _changed(self) -> AttachmentChanged:
        return AttachmentChanged(f"{self.path} changed after it was attached. Attach it again.")


def _opened(path: str | Path) -> BinaryIO:
    # A pipe in a file's place would wait for a writer for ever, past any deadline.
    return open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0)))


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
