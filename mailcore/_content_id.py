"""Content ids: what `<img src="cid:...">` refers to."""

from __future__ import annotations

__all__ = ["bare_content_id"]


def bare_content_id(text: str) -> str:
    """Return what `logo`, `<logo>` and `cid:logo` all stand for."""
    return text.strip().removeprefix("cid:").removeprefix("<").removesuffix(">")
