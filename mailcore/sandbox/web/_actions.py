"""What changes something: events, replays, mail from outside, settings, clearing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mailcore.exceptions import MailcoreError
from mailcore.sandbox._chaos import Chaos
from mailcore.sandbox._sandbox import Sandbox
from mailcore.sandbox.web._body import read_body, read_json
from mailcore.sandbox.web._documents import chaos_document, line, settings_document, webhook_document
from mailcore.sandbox.web._feed import found

__all__ = ["clear", "happen", "receive", "remove", "replay", "set_settings"]

MAX_RECEIVED = 32 * 1024 * 1024


async def happen(request: Request) -> Response:
    """Let something happen to a mail: `{"happening": "bounce"}`."""
    sandbox, mail = found(request)
    happening = str((await read_json(request)).get("happening", ""))
    made = await _done(sandbox.happen, mail, happening)
    return JSONResponse({"webhooks": [webhook_document(webhook) for webhook in made]})


async def replay(request: Request) -> Response:
    """Make a webhook again."""
    sandbox: Sandbox = request.app.state.sandbox
    number = request.path_params["id"]
    webhook = sandbox.mailbox.webhook(number) if number < 2**63 else None
    if webhook is None:
        raise HTTPException(404, "There is no such webhook; it may have been cleared.")
    again = await _done(sandbox.replay, webhook)
    return JSONResponse({"webhooks": [webhook_document(again)]})


async def receive(request: Request) -> Response:
    """Let a provider receive a mail: its source, or a JSON object with what is written in a form."""
    sandbox: Sandbox = request.app.state.sandbox
    provider = sandbox.providers.get(request.path_params["name"])
    if provider is None:
        raise HTTPException(404, f"There is no such provider here; there are {', '.join(sandbox.providers)}.")
    if request.headers.get("content-type", "").startswith("application/json"):
        raw = _written(await read_json(request))
    else:
        raw = _with_crlf(await read_body(request, MAX_RECEIVED))
    if not raw.strip():
        raise HTTPException(400, "The mail is empty.")
    mail, made = await _done(sandbox.receive, provider, raw)
    return JSONResponse({"mail": line(mail), "webhooks": [webhook_document(webhook) for webhook in made]})


async def clear(request: Request) -> Response:
    """Forget every mail."""
    await _done(request.app.state.sandbox.clear)
    return Response(status_code=204)


async def remove(request: Request) -> Response:
    """Forget one mail."""
    sandbox, mail = found(request)
    await _done(sandbox.mailbox.remove, mail.id)
    return Response(status_code=204)


async def set_settings(request: Request) -> Response:
    """Change the webhook URL, the chaos, or both; what is not named stays."""
    sandbox: Sandbox = request.app.state.sandbox
    given = await read_json(request)
    if "chaos" in given:
        sandbox.chaos = await _done(_chaos, sandbox.chaos, given["chaos"])
    if "webhook_url" in given:
        await _done(sandbox.send_webhooks_to, str(given["webhook_url"]))
    return JSONResponse(settings_document(sandbox))


async def _done(action: Any, *arguments: Any) -> Any:
    """Run something in a thread; what cannot be done is said in one sentence."""
    try:
        return await run_in_threadpool(action, *arguments)
    except MailcoreError as error:
        raise HTTPException(409, str(error)) from None


def _chaos(before: Chaos, given: Any) -> Chaos:
    values = chaos_document(before)
    if not isinstance(given, Mapping) or not set(given) <= set(values):
        raise MailcoreError(f"Chaos is an object with some of: {', '.join(values)}.")
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise MailcoreError(f"{name} is a number.")
        values[name] = value
    return Chaos(
        latency=values["latency"],
        throttled=values["throttled"] / 100,
        failed=values["failed"] / 100,
        failed_after=values["failed_after"] / 100,
        dropped=values["dropped"] / 100,
        garbled=values["garbled"] / 100,
    )


def _written(form: Mapping[str, Any]) -> bytes:
    mail = EmailMessage(policy=SMTP)
    fields = {"From": "from", "To": "to", "Cc": "cc", "Subject": "subject"}
    try:
        for header, name in fields.items():
            if form.get(name):
                mail[header] = " ".join(str(form[name]).split())
    except ValueError as error:
        raise HTTPException(400, f"That cannot be written into a mail: {error}") from None
    mail["Date"], mail["Message-ID"] = datetime.now(UTC), make_msgid(domain="sandbox.example")
    mail.set_content(str(form.get("text") or ""))
    if form.get("html"):
        mail.add_alternative(str(form["html"]), subtype="html")
    return mail.as_bytes()


def _with_crlf(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
