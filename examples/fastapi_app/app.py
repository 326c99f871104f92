"""
Send mail and receive webhooks in FastAPI; in Starlette it is the same, but for the dependency.

    python examples/fastapi_app/app.py [PORT]

It needs `pip install '.[starlette]' './adapters/mailpace[signatures]' fastapi uvicorn`, and no account: the
provider runs on this machine. Ctrl-C ends it. In earnest, `create_app()` reads the environment
(MAILCORE_URL="mailpace://?api_key=...&webhook_key=..."), and a server serves it behind TLS:

    uvicorn --factory app:create_app
"""

import contextlib
import socket
import sys
import threading
import urllib.request
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, Request

from mailcore import AsyncMailer, EndpointKind, InboundMessage, Message, TrackingEvent
from mailcore.frameworks.starlette import Mailcore
from mailcore.sandbox import LocalProvider


def create_app(config: Mapping[str, Any] | None = None) -> FastAPI:
    """Return the application: /welcome sends a mail, /came lists what came, /mail/... is for webhooks."""
    mail = Mailcore(config)
    seen: list[str] = []

    @mail.on_event
    async def on_event(event: TrackingEvent) -> None:
        seen.append(f"event {event.event_type.value} {event.message_id}")

    @mail.on_inbound
    def on_inbound(message: InboundMessage) -> None:  # runs in a thread: it may block
        seen.append(f"mail {message.subject}")

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with mail.lifespan(app):  # beside whatever else the application opens
            yield

    app = FastAPI(lifespan=lifespan)
    app.mount("/mail", mail.webhooks)

    @app.post("/welcome")
    async def welcome(
        request: Request, mailer: Annotated[AsyncMailer, Depends(mail.dependency())]
    ) -> str | None:
        to = (await request.body()).decode().removeprefix("to=")
        text = "Welcome to the shop."
        message = Message(from_="shop@example.com", to=to, subject="Welcome", text=text)
        return (await mailer.send(message)).message_id

    @app.get("/came")
    async def came() -> list[str]:
        return seen

    return app


class Serving(uvicorn.Server):
    """Serve in a thread."""

    def __init__(self, app: FastAPI, port: int) -> None:
        super().__init__(uvicorn.Config(app, log_level="warning"))
        try:
            self._socket = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            raise SystemExit(
                f"Port {port}: {error.strerror}. Give another: python {sys.argv[0]} 8001"
            ) from None
        self._thread = threading.Thread(target=self.run, args=([self._socket],), daemon=True)

    def __enter__(self) -> str:
        """Return the address: whoever connects before it is served has to wait."""
        self._thread.start()
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *error: object) -> None:
        self.should_exit = True
        self._thread.join()


def main(port: int) -> None:
    """Serve with a provider of our own, send one mail, and show what comes."""
    with LocalProvider("mailpace") as local, Serving(create_app(local.settings), port) as url:
        print(url, flush=True)
        for kind in EndpointKind:
            local.emulator.subscribe(kind, f"{url}/mail/mailpace/{kind.value}/")
        urllib.request.urlopen(f"{url}/welcome", b"to=ada@example.net").close()
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                for made in local.deliver():
                    print(f"{made.kind.value} webhook, answered with {made.status}", flush=True)
                threading.Event().wait(0.1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
