"""The application: which path is whose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from mailcore.exceptions import MailcoreError
from mailcore.sandbox._sandbox import Sandbox
from mailcore.sandbox.web import _actions, _feed, _page
from mailcore.sandbox.web._guard import Guard
from mailcore.sandbox.web._mail_html import mail_html
from mailcore.sandbox.web._provider_api import provider_api
from mailcore.sandbox.web._sample import send_sample

__all__ = ["application"]

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

ROUTES = [
    Route("/providers/{name}", provider_api, methods=METHODS),
    Route("/providers/{name}/{rest:path}", provider_api, methods=METHODS),
    Route("/", _page.page),
    Route("/list", _page.list_part),
    Route("/refused", _page.refused),
    Route("/mails/{id:int}", _page.mail_page),
    Route("/mails/{id:int}/events", _page.events),
    Route("/mails/{id:int}/html", mail_html),
    Route("/mails/{id:int}/files/{number:int}", _page.attachment),
    Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
    Route("/api/mails", _feed.list_mails),
    Route("/api/mails", _actions.clear, methods=["DELETE"]),
    Route("/api/mails/{id:int}", _feed.read_mail),
    Route("/api/mails/{id:int}", _actions.remove, methods=["DELETE"]),
    Route("/api/mails/{id:int}/source", _feed.source),
    Route("/api/mails/{id:int}/happen", _actions.happen, methods=["POST"]),
    Route("/api/webhooks/{id:int}/replay", _actions.replay, methods=["POST"]),
    Route("/api/providers/{name}/receive", _actions.receive, methods=["POST"]),
    Route("/api/sample/{name}", send_sample, methods=["POST"]),
    Route("/api/refused", _feed.list_refused),
    Route("/api/settings", _feed.read_settings),
    Route("/api/settings", _actions.set_settings, methods=["PUT"]),
    Route("/api/changes", _feed.changes),
]


def application(
    sandbox: Sandbox, *, hosts: Iterable[str], token: str, settings: Mapping[str, Mapping[str, Any]]
) -> Starlette:
    """
    Return the sandbox as an ASGI application.

    Args:
        hosts: Names that it is reached by, without ports.
        token: What changes need.
        settings: What selects each mailer, by its name.
    """
    app = Starlette(
        routes=ROUTES,
        lifespan=_lifespan,
        middleware=[Middleware(Guard, hosts=hosts, token=token)],
        exception_handlers={HTTPException: _refused, MailcoreError: _broken},
    )
    app.state.sandbox = sandbox
    app.state.token = token
    app.state.settings = settings
    return app


@asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[dict[str, Any]]:
    """Share with each request the open connections, and whether the server is closing."""
    yield {"connections": {}, "closing": asyncio.Event()}


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # reason: what it is registered for
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)


async def _broken(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=507)
