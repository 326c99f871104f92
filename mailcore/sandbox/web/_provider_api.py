"""The providers' APIs over HTTP: each request goes to the emulator whose path it names."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mailcore._http import HttpRequest, HttpResponse
from mailcore.exceptions import MailcoreError
from mailcore.sandbox._sandbox import Sandbox
from mailcore.sandbox.web._body import read_body

__all__ = ["provider_api"]

#: What is no larger is answered at once: a thread costs more than the answer itself.
SMALL = 64 * 1024


async def provider_api(request: Request) -> Response:
    """Answer as the provider does."""
    sandbox: Sandbox = request.app.state.sandbox
    provider = sandbox.providers.get(request.path_params["name"])
    if provider is None:
        known = ", ".join(sandbox.providers)
        raise HTTPException(404, f"There is no such provider here; there are {known}.")
    body = await read_body(request)
    asked = HttpRequest(
        method=request.method,
        url=_url(request),
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw],
        body=body,
    )
    try:
        if len(body) <= SMALL and not sandbox.chaos.latency:
            answer = sandbox.answer(provider, asked)
        else:
            answer = await run_in_threadpool(sandbox.answer, provider, asked)
    except MailcoreError as error:  # the mailbox is full or broken: no provider says that
        return Response(f"{error}\n", 507, media_type="text/plain")
    return _Dropped() if answer is None else _response(answer)


def _url(request: Request) -> str:
    path = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope["query_string"]
    whole = path + b"?" + query if query else path
    return f"{request.url.scheme}://{request.headers['host']}{whole.decode('latin-1')}"


def _response(answer: HttpResponse) -> Response:
    response = Response(answer.body, answer.status)
    for name, value in answer.headers.pairs:
        if name.lower() != "content-length":
            response.headers.append(name, value)
    return response


class _Dropped(Response):
    """Close the connection without an answer, as a provider does whose server dies."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Close it, and wait until it is."""
        scope["state"]["connections"][tuple(scope["client"])].abort()
        while (await receive())["type"] != "http.disconnect":
            pass
