"""
Send mail and receive webhooks with mailcore and the standard library alone.

    python examples/wsgi_app/app.py [PORT]

It needs `pip install . './adapters/mailpace[signatures]'`, and no account: the
provider runs on this machine. Ctrl-C ends it. In earnest, `create_app()` reads the environment
(MAILCORE_URL="mailpace://?api_key=...&webhook_key=..."), and a server such as gunicorn serves it behind TLS:

    gunicorn "app:create_app()"
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server
from wsgiref.util import shift_path_info

from mailcore import EndpointKind, InboundMessage, Mailers, Message, TrackingEvent, WebhookReceiver
from mailcore.frameworks.wsgi import WebhookApp
from mailcore.sandbox import LocalProvider

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def create_app(config: Mapping[str, Any] | None = None) -> Application:
    """Return the application: /welcome sends a mail, /came lists what came, /mail/... is for webhooks."""
    mailers = Mailers.from_env() if config is None else Mailers({"mailers": {"main": config}})
    came: list[str] = []

    def on_event(event: TrackingEvent) -> None:
        came.append(f"event {event.event_type.value} {event.message_id}")

    def on_inbound(mail: InboundMessage) -> None:
        came.append(f"mail {mail.subject}")

    receiver = WebhookReceiver.from_config(mailers.config(), on_event=on_event, on_inbound=on_inbound)
    webhooks = WebhookApp(receiver)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        place = shift_path_info(environ)
        if place == "mail":
            return webhooks(environ, start_response)
        if place == "welcome" and environ["REQUEST_METHOD"] == "POST":
            form = parse_qs(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0)).decode())
            text = "Welcome to the shop."
            message = Message(from_="shop@example.com", to=form["to"][0], subject="Welcome", text=text)
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [(mailers.default.send(message).message_id or "").encode()]
        start_response(
            "200 OK" if place == "came" else "404 Not Found", [("Content-Type", "application/json")]
        )
        return [json.dumps(came).encode()]

    return app


@contextlib.contextmanager
def serving(app: Application, port: int) -> Iterator[str]:
    """Serve in a thread and yield the address."""
    try:
        made = make_server("127.0.0.1", port, app)
    except OSError as error:
        raise SystemExit(f"Port {port}: {error.strerror}. Give another: python {sys.argv[0]} 8001") from None
    with made as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


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
