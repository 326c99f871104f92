"""The body of a request, so far as there is room for it."""

from __future__ import annotations

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

__all__ = ["read_body", "read_json"]

#: More than any provider takes.
MAX_BODY = 64 * 1024 * 1024


async def read_body(request: Request, most: int = MAX_BODY) -> bytes:
    """
    Return the whole body.

    Raises:
        HTTPException: 413, it is larger than `most`.
    """
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise HTTPException(
                413, f"More than {most} bytes are not taken.", headers={"Connection": "close"}
            )
        chunks.append(chunk)
    return b"".join(chunks)


async def read_json(request: Request) -> dict[str, Any]:
    """
    Return the object that the body is.

    Raises:
        HTTPException: It is none.
    """
    try:
        document = json.loads(await read_body(request) or b"{}")
    except (ValueError, RecursionError):
        raise HTTPException(400, "The body is no JSON.") from None
    if not isinstance(document, dict):
        raise HTTPException(400, "The body is no JSON object.")
    return document
