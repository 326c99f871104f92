"""Text and bytes that an argument names rather than holds: `@FILE`, and `-` for standard input."""

from __future__ import annotations

import sys
from pathlib import Path

import click

__all__ = ["read_bytes", "read_text"]


def read_text(value: str | None) -> str | None:
    """Return the text an argument stands for: itself, the content of `@FILE`, or `-`; `@@` is one `@`."""
    if value is None or value.startswith("@@"):
        return value and value[1:]
    if value == "-" or value.startswith("@"):
        name = value.removeprefix("@")
        try:
            return read_bytes(name).decode("utf-8-sig")
        except ValueError:
            raise click.UsageError(f"{name!r} is not UTF-8 text.") from None
    return value


def read_bytes(name: str) -> bytes:
    """Return the bytes of a file, or of standard input for `-`, exactly."""
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise click.UsageError(f"{name!r} cannot be read: {error.strerror or error}.") from None
