"""
Receive MailPace's webhooks with the standard library alone.

    MAILPACE_WEBHOOK_KEY=... python examples/webhook_server.py 8000

Events come to /webhooks/tracking, incoming mail to /webhooks/inbound. Put a proxy with TLS before it.
"""

from __future__ import annotations

import contextlib
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mailcore import (
    ConfigurationError,
    EndpointKind,
    InboundMessage,
    TrackingEvent,
    WebhookReceiver,
    WebhookRequest,
)

ENDPOINTS = {f"/webhooks/{kind.value}": kind for kind in EndpointKind}


def on_event(event: TrackingEvent) -> None:
    """Store an event. Whoever returns has stored it; whoever raises is asked again."""
    print("event", event.event_type.value, event.message_id, flush=True)


def on_inbound(mail: InboundMessage) -> None:
    """Store an incoming mail, likewise."""
    print("mail", mail.subject, [file.filename for file in mail.attachments], flush=True)


class Endpoint(BaseHTTPRequestHandler):
    """Hand each delivery to the receiver and give its answer."""

    receiver: WebhookReceiver
    timeout = 30

    def do_HEAD(self) -> None:  # reason: the library's name
        """Answer one who asks whether the endpoint is there."""
        kind = ENDPOINTS.get(self.path)
        if kind is None:
            self.send_error(404)
        else:
            self._receive(kind, b"")

    def do_POST(self) -> None:  # reason: the library's name
        """Read one delivery and answer it."""
        kind = ENDPOINTS.get(self.path)
        length = self.headers.get("Content-Length", "")
        if kind is None:
            self.send_error(404)
        elif not (length.isascii() and length.isdigit()):
            self.send_error(411)
        elif int(length) > self.receiver.limit(kind):
            self.send_error(413)
        else:
            self._receive(kind, self.rfile.read(int(length)))

    def _receive(self, kind: EndpointKind, body: bytes) -> None:
        request = WebhookRequest(method=self.command, url=self.path, headers=self.headers.items(), body=body)
        response = self.receiver.receive(request, kind=kind)
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)


def main(port: int) -> None:
    """Serve until stopped."""
    settings = {"provider": "mailpace"}
    try:
        Endpoint.receiver = WebhookReceiver.from_config(settings, on_event=on_event, on_inbound=on_inbound)
    except ConfigurationError as error:
        raise SystemExit(f"It cannot start: {error}") from None
    with ThreadingHTTPServer(("127.0.0.1", port), Endpoint) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
