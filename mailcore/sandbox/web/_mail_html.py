"""The HTML of a mail, for a frame that can do nothing.

Rule: what a stranger wrote is shown and never run: no script, no form, no plugin, no frame, nothing fetched.
The policy below says so, the frame's `sandbox` says so again, and so does the page's own policy.
"""

from __future__ import annotations

import re
from base64 import b64encode
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from mailcore._inbound.message import InboundMessage
from mailcore.sandbox._scan import CID
from mailcore.sandbox.web._feed import found

__all__ = ["mail_html", "with_images"]

POLICY = (
    "sandbox; default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
#: Bytes of images that are put into the HTML.
MAX_IMAGES = 20 * 1024 * 1024

_IMAGE = re.compile(r"image/[\w.+-]+")


async def mail_html(request: Request) -> Response:
    """Return the HTML of a mail, its own images in it."""
    sandbox, mail = found(request)
    read = InboundMessage(raw=sandbox.mailbox.source(mail.id))
    html = await run_in_threadpool(with_images, read)
    headers = {"Content-Security-Policy": POLICY}
    return Response(html.encode(errors="replace"), media_type="text/html", headers=headers)


def with_images(mail: InboundMessage) -> str:
    """Return the HTML with the images that it refers to by content id."""
    files = mail.content_id_map
    left = MAX_IMAGES

    def image(match: re.Match[str]) -> str:
        nonlocal left
        file = files.get(match[1]) or files.get(unquote(match[1]))
        if file is None or not _IMAGE.fullmatch(file.content_type) or file.size > left:
            return match[0]
        left -= file.size
        return f"data:{file.content_type};base64,{b64encode(file.content).decode()}"

    return CID.sub(image, mail.html or "")
