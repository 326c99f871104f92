"""Mail in a folder, one file each: as `.eml`, or as a maildir.

Rule 1: a mail is written whole under another name, forced to disk and then renamed: whoever looks into the
        folder sees all of it, or nothing.
Rule 2: a mail whose name is there already is there already.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from mailcore._http import Body

__all__ = ["write_mail"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,150}", re.ASCII)
#: What a maildir is made of (https://cr.yp.to/proto/maildir.html).
_PARTS = ("tmp", "new", "cur")


def write_mail(folder: str, layout: str, name: str, mail: Body) -> None:
    """
    Write a mail.

    Args:
        layout: `eml` or `maildir`.
        name: Of the file; what stands after an `@` does not count.

    Raises:
        OSError: It cannot be written; then nothing is left of it.
        ValueError: The name is none that a file may have.
    """
    name = name.partition("@")[0]
    if not _NAME.fullmatch(name):
        raise ValueError("A mail's file has a name of letters, digits, dots and hyphens.")
    root = Path(folder)
    if layout == "maildir":
        for part in _PARTS:
            (root / part).mkdir(parents=True, exist_ok=True, mode=0o700)
        if not any((root / "cur").glob(f"{name}:*")):  # it has been read already
            _write(root / "new" / name, root / "tmp" / _temporary(name), _with_lf(mail))
    else:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(root / f"{name}.eml", root / f".{_temporary(name)}.partial", mail)


def _temporary(name: str) -> str:
    return f"{name}.{os.getpid()}.{threading.get_ident()}"


def _write(target: Path, partial: Path, pieces: Iterable[bytes]) -> None:
    if target.exists():
        return
    try:
        with partial.open("wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _with_lf(mail: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a mail with the line ends that mailboxes have."""
    held = b""
    for piece in mail:
        text = held + piece
        held = b"\r" if text.endswith(b"\r") else b""  # its LF may be in the next piece
        yield (text.removesuffix(b"\r") if held else text).replace(b"\r\n", b"\n")
    yield held
