"""Endpoints for real servers to serve, all below `MOUNT`; what is handled becomes a line of a file.

python -m reliability.served             the standard library's server, and the bare application
python -m gunicorn reliability.served:flask_app
python -m uvicorn reliability.served:asgi_app
python -m uvicorn --factory reliability.served:fastapi_app
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import shift_path_info

from mailcore import AsyncWebhookReceiver, WebhookReceiver
from reliability.delivery import MOUNT
from reliability.webhook_cases import KEY

__all__ = ["Silent", "asgi_app", "fastapi_app", "flask_app", "main", "wsgi_app"]

CONFIG = {"provider": "mailpace", "webhook_key": KEY}
#: The variable that names the file.
STORED = "SERVED_STORED"


def store(item: Any) -> None:
    """Add a line."""
    with Path(os.environ[STORED]).open("a", encoding="utf-8") as file:
        file.write(f"{type(item).__name__}\n")


def wsgi_app() -> Any:
    """Return the bare application, below a dispatcher."""
    from mailcore.frameworks.wsgi import WebhookApp

    app = WebhookApp(WebhookReceiver.from_config(CONFIG, on_event=store, on_inbound=store))

    def dispatcher(environ: dict[str, Any], start_response: Any) -> Any:
        shift_path_info(environ)
        return app(environ, start_response)

    return dispatcher


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    """Serve the bare application, below a dispatcher."""
    from mailcore.frameworks.asgi import WebhookApp

    app = WebhookApp(AsyncWebhookReceiver.from_config(CONFIG, on_event=store, on_inbound=store))
    await app({**scope, "root_path": MOUNT}, receive, send)


def flask_app() -> Any:
    """Return a Flask application."""
    from flask import Flask

    from mailcore.frameworks.flask import Mailcore

    app = Flask("served")
    app.config["MAILCORE"] = CONFIG
    app.register_blueprint(Mailcore(app, on_event=store, on_inbound=store).webhooks, url_prefix=MOUNT)
    return app


def fastapi_app() -> Any:
    """Return a FastAPI application."""
    from fastapi import FastAPI

    from mailcore.frameworks.starlette import Mailcore

    mail = Mailcore(CONFIG, on_event=store, on_inbound=store)
    app = FastAPI(lifespan=mail.lifespan)
    app.mount(MOUNT, mail.webhooks)
    return app


class Silent(WSGIRequestHandler):
    """Handle requests without a line for each."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # reason: the library's name
        """Say nothing of requests."""


def main() -> None:
    """Serve the bare application with the standard library's server."""
    with make_server("127.0.0.1", 0, wsgi_app(), handler_class=Silent) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
