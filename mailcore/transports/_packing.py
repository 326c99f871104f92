"""An answer that came packed, though nobody asked for that."""

from __future__ import annotations

import io

import urllib3

from mailcore._http import Headers

__all__ = ["is_packed", "unpacked"]


def is_packed(headers: Headers) -> bool:
    """Return whether a body has to be unpacked before it is read."""
    return headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity")


def unpacked(body: bytes, headers: Headers, limit: int) -> bytes:
    """
    Return the content of a body, cut off after `limit` bytes.

    Raises:
        urllib3.exceptions.HTTPError: It is not packed as the headers say.
    """
    packed = urllib3.HTTPResponse(body=io.BytesIO(body), headers=dict(headers), preload_content=False)
    return packed.read(limit, decode_content=True)
