"""The page: the list, one mail, and what can be done with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mailcore._inbound.message import InboundMessage
from mailcore.sandbox._advice import provider_notes
from mailcore.sandbox._hints import hints
from mailcore.sandbox._kept import Mail
from mailcore.sandbox._refusals import MOST
from mailcore.sandbox._sandbox import Sandbox
from mailcore.sandbox._scan import Scan
from mailcore.sandbox.web._documents import settings_document
from mailcore.sandbox.web._feed import found, numbers
from mailcore.sandbox.web._guard import is_token
from mailcore.sandbox.web._to_paste import to_paste

__all__ = ["attachment", "events", "list_part", "mail_page", "page", "refused"]

#: Longer texts are shown in part; the source can be saved whole.
MAX_SHOWN = 200_000
MAX_GIST = 200

#: What each button does.
ABOUT = {
    "deliver": "It reached the recipient",
    "defer": "It is late; the provider goes on trying",
    "bounce": "It came back; the address is refused from then on",
    "spam": "The recipient complained",
    "unknown": "An event of a kind that nobody knows yet",
    "duplicate": "The same delivery, told twice",
    "out-of-order": "Delivered is told before deferred",
}


def _pretty(body: bytes) -> str:
    """Return a body as people read it."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return f"<{len(body)} bytes>"
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return _shortened(text)


def _shortened(text: str) -> str:
    more = len(text) - MAX_SHOWN
    return text if more <= 0 else f"{text[:MAX_SHOWN]}\n… {more} more characters"


def _size(count: int) -> str:
    for unit, worth in (("MB", 1_000_000), ("kB", 1000)):
        if count >= worth:
            return f"{count / worth:.1f} {unit}"
    return f"{count} B"


def _clock(moment: datetime) -> str:
    """Return the time of day here, and the day where it is another one."""
    here = moment.astimezone()
    return f"{here:%H:%M:%S}" if here.date() == datetime.now().astimezone().date() else f"{here:%d %b, %H:%M}"


def _gist(body: bytes) -> str:
    """Return the beginning of a body, on one line."""
    return " ".join(body[: 4 * MAX_GIST].decode(errors="replace").split())[:MAX_GIST]


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "clock": _clock,
        "gist": _gist,
        "pretty": _pretty,
        "shortened": _shortened,
        "size": _size,
    }
    return made


TEMPLATES = _environment()


async def page(request: Request) -> Response:
    """Show the list; with the token in the address, remember it and show the address without."""
    given = request.query_params.get("token")
    return await _page(request) if given is None else _entered(request, given)


def _entered(request: Request, given: str) -> Response:
    if not is_token(given, request.app.state.token):
        raise HTTPException(403, "That is not the token of this sandbox. Open the address that was printed.")
    response = RedirectResponse("/", 303)
    response.set_cookie(_cookie(request), given, httponly=True, samesite="strict")
    return response


def _cookie(request: Request) -> str:
    # Cookies are shared between the ports of a host.
    return f"mailcore-sandbox-{request.url.port or 80}"


def _token(request: Request) -> str:
    """Return the token for a browser that has shown it; else nothing, and the page changes nothing."""
    token: str = request.app.state.token
    return token if is_token(request.cookies.get(_cookie(request), ""), token) else ""


async def _page(request: Request, mail: Mail | None = None, **shown: Any) -> Response:
    sandbox: Sandbox = request.app.state.sandbox
    return _rendered(
        "page.html",
        token=_token(request),
        may_change=bool(_token(request)),
        providers=list(sandbox.providers),
        refused=len(sandbox.refusals),
        settings=settings_document(sandbox),
        settings_to_paste=to_paste(request.app.state.settings),
        strict=sandbox.strict,
        mail=mail,
        **await run_in_threadpool(_list, request),
        **shown,
    )


async def list_part(request: Request) -> Response:
    """Return a part of the list."""
    return _rendered("list.html", mail=None, **await run_in_threadpool(_list, request))


def _list(request: Request) -> dict[str, Any]:
    mailbox = request.app.state.sandbox.mailbox
    search = request.query_params.get("search", "")
    before, limit = numbers(request)
    mails, total = mailbox.found(search, before=before, limit=limit + 1)
    more = mails[limit - 1].id if len(mails) > limit else None
    return {"mails": mails[:limit], "total": total, "search": search, "more": more}


async def mail_page(request: Request) -> Response:
    """Show a mail beside the list; `part` asks for the mail alone."""
    sandbox, mail = found(request)
    shown = await run_in_threadpool(_shown, sandbox, mail)
    if "part" not in request.query_params:
        return await _page(request, mail, **shown)
    return _rendered("mail.html", mail=mail, may_change=bool(_token(request)), **shown)


async def refused(request: Request) -> Response:
    """Show the requests that were not accepted; `part` asks for them alone, or for their list."""
    refusals = request.app.state.sandbox.refusals.newest()
    part = request.query_params.get("part")
    if part is None:
        return await _page(request, refusals=refusals, most=MOST)
    return _rendered("refusals.html" if part == "list" else "refused.html", refusals=refusals, most=MOST)


async def events(request: Request) -> Response:
    """Return the webhooks of a mail, and the buttons that make more."""
    sandbox, mail = found(request)
    return _rendered("events.html", mail=mail, may_change=bool(_token(request)), **_events(sandbox, mail))


def _events(sandbox: Sandbox, mail: Mail) -> dict[str, Any]:
    return {
        "happenings": sandbox.happenings(mail),
        "webhooks": sandbox.mailbox.webhooks(mail.id),
        "webhook_url": sandbox.post.endpoint,
        "about": ABOUT,
    }


def _shown(sandbox: Sandbox, mail: Mail) -> Mapping[str, Any]:
    source = sandbox.mailbox.source(mail.id)
    read = InboundMessage(raw=source)
    provider = sandbox.providers.get(mail.provider)
    return {
        "read": read,
        "source": source.decode(errors="replace"),
        "headers": read.headers.pairs,
        "hidden": _hidden(mail, read),
        "files": _files(read),
        "links": Scan(read.html or "").links,
        "exchange": sandbox.mailbox.exchange(mail.id),
        "notes": provider_notes(provider, mail, source) if provider and not mail.incoming else [],
        "hints": () if mail.incoming else hints(read, tags=mail.tags),
        **_events(sandbox, mail),
    }


def _hidden(mail: Mail, read: InboundMessage) -> list[str]:
    """Return who got a copy that the headers do not tell of."""
    named = {address.addr_spec.lower() for address in (*read.to, *read.cc)}
    return [address for address in mail.recipients if named and address.lower() not in named]


def _files(read: InboundMessage) -> list[Any]:
    return [*read.attachments, *read.inlines]


async def attachment(request: Request) -> Response:
    """Return a file of a mail, to be saved: a browser never shows it as a page of ours."""
    sandbox, mail = found(request)
    files = _files(InboundMessage(raw=sandbox.mailbox.source(mail.id)))
    number = request.path_params["number"]
    if number >= len(files):
        raise HTTPException(404, "The mail has no such file.")
    name = quote(files[number].filename or "file", safe="")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return Response(files[number].content, media_type="application/octet-stream", headers=headers)


def _rendered(template: str, **values: Any) -> HTMLResponse:
    text = TEMPLATES.get_template(template).render(values)
    return HTMLResponse(text.encode(errors="replace"))
