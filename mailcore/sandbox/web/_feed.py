"""The JSON feed: mails listed and read, and a stream that says when there is something new."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from mailcore.sandbox._kept import Mail
from mailcore.sandbox._sandbox import Sandbox
from mailcore.sandbox.web._documents import line, mail_document, refusal_document, settings_document

__all__ = [
    "changes",
    "found",
    "list_mails",
    "list_refused",
    "numbers",
    "read_mail",
    "read_settings",
    "source",
]

MAX_PAGE = 1000
#: A change is told at most so often: a flood of mail is one change.
PAUSE = 0.1
#: Seconds after which a silent stream shows that it is alive.
ALIVE = 15.0


def found(request: Request) -> tuple[Sandbox, Mail]:
    """
    Return the mail that a path names.

    Raises:
        HTTPException: 404, there is none.
    """
    sandbox: Sandbox = request.app.state.sandbox
    number = request.path_params["id"]
    mail = sandbox.mailbox.mail(number) if number < 2**63 else None
    if mail is None:
        raise HTTPException(404, "There is no such mail; it may have been cleared.")
    return sandbox, mail


def numbers(request: Request) -> tuple[int | None, int]:
    """Return where a page of the list begins, and how long it is."""
    given = {name: request.query_params.get(name, "") for name in ("before", "limit")}
    read = {name: int(text) if text.isascii() and text.isdigit() else None for name, text in given.items()}
    before = read["before"]
    return (before if before is None else min(before, 2**63 - 1)), min(read["limit"] or 100, MAX_PAGE)


async def list_mails(request: Request) -> Response:
    """List mails, the newest first: `search`, `before` a number, at most `limit`."""
    mailbox = request.app.state.sandbox.mailbox
    search = request.query_params.get("search", "")
    before, limit = numbers(request)
    mails, total = await run_in_threadpool(mailbox.found, search, before=before, limit=limit)
    return JSONResponse({"total": total, "mails": [line(mail) for mail in mails]})


async def read_mail(request: Request) -> Response:
    """Return one mail, read."""
    sandbox, mail = found(request)
    return JSONResponse(await run_in_threadpool(mail_document, sandbox, mail))


async def source(request: Request) -> Response:
    """Return the mail as a file: an .eml."""
    sandbox, mail = found(request)
    headers = {"Content-Disposition": f'attachment; filename="mail-{mail.id}.eml"'}
    return Response(sandbox.mailbox.source(mail.id), media_type="message/rfc822", headers=headers)


async def list_refused(request: Request) -> Response:
    """List the requests that were not accepted, the newest first."""
    refusals = request.app.state.sandbox.refusals
    return JSONResponse({"refused": [refusal_document(one) for one in refusals.newest()]})


async def read_settings(request: Request) -> Response:
    """Return the webhook URL and the chaos."""
    return JSONResponse(settings_document(request.app.state.sandbox))


async def changes(request: Request) -> Response:
    """Stream server-sent events: how many mails and refusals there are, at once and after each change."""
    return StreamingResponse(_changes(request), media_type="text/event-stream")


async def _changes(request: Request) -> AsyncIterator[str]:
    sandbox: Sandbox = request.app.state.sandbox
    mailbox = sandbox.mailbox
    closing: asyncio.Event = request.state.closing
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    stop = mailbox.watch(lambda: loop.call_soon_threadsafe(changed.set))
    try:
        while not closing.is_set():
            counts = {"total": mailbox.count(), "refused": len(sandbox.refusals)}
            yield f"data: {json.dumps(counts)}\n\n"
            await asyncio.sleep(PAUSE)
            while not await _either(changed, closing):
                yield ": alive\n\n"
            changed.clear()
    finally:
        stop()


async def _either(changed: asyncio.Event, closing: asyncio.Event) -> bool:
    """Wait until one of two is set, and tell whether one is."""
    waits = [asyncio.ensure_future(event.wait()) for event in (changed, closing)]
    try:
        done, _ = await asyncio.wait(waits, timeout=ALIVE, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return bool(done)
