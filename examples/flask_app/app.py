"""
Send mail and receive webhooks in Flask.

    python examples/flask_app/app.py [PORT]

It needs `pip install '.[flask]' './adapters/mailpace[signatures]'`, and no account: the
provider runs on this machine. Ctrl-C ends it. In earnest, `create_app()` reads the environment
(MAILCORE_URL="mailpace://?api_key=...&webhook_key=..."), and a server such as gunicorn serves it behind TLS:

    gunicorn "app:create_app()"
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask, current_app, request
from werkzeug.serving import make_server

from mailcore import EndpointKind, InboundMessage, Message, TrackingEvent
from mailcore.frameworks.flask import Mailcore
from mailcore.sandbox import LocalProvider

mail = Mailcore()


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Return the application: /welcome sends a mail, /came lists what came, /mail/... is for webhooks."""
    app = Flask(__name__)
    app.config["MAILCORE"] = config
    app.extensions["came"] = []
    mail.init_app(app)
    app.register_blueprint(mail.webhooks, url_prefix="/mail")

    @app.post("/welcome")
    def welcome() -> str:
        text = "Welcome to the shop."
        message = Message(from_="shop@example.com", to=request.form["to"], subject="Welcome", text=text)
        return mail.mailer().send(message).message_id or ""

    @app.get("/came")
    def came() -> list[str]:
        return list(app.extensions["came"])

    return app


@mail.on_event
def on_event(event: TrackingEvent) -> None:
    """Store an event. Whoever returns has stored it; whoever raises is asked again."""
    remember(f"event {event.event_type.value} {event.message_id}")


@mail.on_inbound
def on_inbound(message: InboundMessage) -> None:
    """Store an incoming mail, likewise."""
    remember(f"mail {message.subject}")


def remember(line: str) -> None:
    """Store a line, as a shop would in its database."""
    current_app.extensions["came"].append(line)


@contextlib.contextmanager
def serving(app: Flask, port: int) -> Iterator[str]:
    """Serve in a thread and yield the address."""
    try:
        made = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise SystemExit(f"Port {port}: {error.strerror}. Give another: python {sys.argv[0]} 8001") from None
    with made:
        host, port = made.getsockname()
        server = make_server(host, port, app, threaded=True, fd=made.fileno())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://{host}:{port}"
    server.shutdown()
    thread.join()
    server.server_close()


def main(port: int) -> None:
    """Serve with a provider of our own, send one mail, and show what comes."""
    with LocalProvider("mailpace") as local, serving(create_app(local.settings), port) as url:
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
