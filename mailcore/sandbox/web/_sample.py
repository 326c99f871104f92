"""A mail to look at, for whoever has none yet: sent as an application sends it, by the real adapter."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mailcore._attachment import Attachment
from mailcore._mailer import Mailer
from mailcore._message import Message
from mailcore.exceptions import MailcoreError

__all__ = ["send_sample"]

#: An envelope.
_LOGO = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAACgAAAAoAgMAAADxkFD+AAAACVBMVEX///8LXK3///9WypyeAAAAAXRSTlMAQObYZgAAAHFJREFU"
    "eNqN0bERgCAMBdBYOAL7OIKFP0U2gH0YgQKnFCUgd6Lyq3cXCpJPRLhCKSZzI5qgWWguXFuawu2FqBmh21Pig+dU6QHOtAEQm5le"
    "RKV4DkoO4pWIDoUSKtlXAp/s/2x8t99D9e/bFNDUcpd1ABA7iSdDHIY5AAAAAElFTkSuQmCC"
)
_HTML = """<h1 style="color:#0b5cad"><img src="cid:logo" alt="" width="40" height="40"> Welcome aboard</h1>
<p>Hello Grace, your account is ready. <a href="https://example.com/start">Start here</a>.</p>
"""
SAMPLE = Message(
    from_="Ada Lovelace <ada@example.com>",
    to="Grace Hopper <grace@example.net>",
    subject="Welcome aboard",
    text="Hello Grace,\n\nyour account is ready. Start here: https://example.com/start\n",
    html=_HTML,
    attachments=[
        Attachment(content=_LOGO, filename="logo.png", content_type="image/png", content_id="logo"),
        Attachment(content="1. Read.\n2. Send.\n", filename="first-steps.txt"),
    ],
)


async def send_sample(request: Request) -> Response:
    """Send a mail with the settings that are shown for a mailer."""
    given = request.app.state.settings.get(request.path_params["name"])
    if given is None:
        known = ", ".join(request.app.state.settings)
        raise HTTPException(404, f"There are no such settings here; there are those of {known}.")
    try:
        await run_in_threadpool(_send, given)
    except MailcoreError as error:
        raise HTTPException(409, str(error)) from None
    return Response(status_code=204)


def _send(settings: Mapping[str, Any]) -> None:
    with Mailer.from_config(settings, environ={}) as mailer:
        mailer.send(SAMPLE)
