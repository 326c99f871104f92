"""
An endpoint whose handler takes its time, for `acknowledgements` to send to.

    python -m reliability.slow_endpoint wsgi FOLDER SECONDS
    python -m reliability.slow_endpoint asgi FOLDER SECONDS [--at-once]

Deliveries wait in FOLDER/spool, and what the handler has done with is a line of FOLDER/handled.txt.
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

from mailcore import AsyncWebhookReceiver, TrackingEvent, WebhookReceiver
from reliability.served import Silent
from reliability.webhook_cases import KEY

__all__ = ["main"]


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


def main(server: str, folder: Path, seconds: float, *, at_once: bool) -> None:
    """Serve until killed; `at_once` calls the handler while the provider waits."""

    def handle(event: TrackingEvent) -> None:
        time.sleep(seconds)
        with (folder / "handled.txt").open("a", encoding="utf-8") as file:
            file.write(f"{event.message_id}\n")

    config = {"provider": "mailpace", "webhook_key": KEY}
    if not at_once:
        config |= {"defer": "yes", "spool": str(folder / "spool")}
    {"wsgi": _wsgi, "asgi": _asgi}[server](config, handle)


def _wsgi(config: Any, handle: Any) -> None:
    from mailcore.frameworks.wsgi import WebhookApp

    receiver = WebhookReceiver.from_config(config, on_event=handle)
    made = make_server(
        "127.0.0.1", 0, WebhookApp(receiver), server_class=_ThreadingServer, handler_class=Silent
    )
    with receiver.draining(), made as serving:
        print(f"http://127.0.0.1:{serving.server_port}", flush=True)
        serving.serve_forever()


def _asgi(config: Any, handle: Any) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from mailcore.frameworks.asgi import WebhookApp

    receiver = AsyncWebhookReceiver.from_config(config, on_event=handle)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with receiver.draining():
            yield

    app = Starlette(routes=[Mount("/", WebhookApp(receiver))], lifespan=lifespan)
    uvicorn.run(app, host="127.0.0.1", port=0, access_log=False)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), at_once="--at-once" in sys.argv)
