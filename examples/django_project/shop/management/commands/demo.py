"""Show the whole way of a mail, on this machine."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.test.utils import override_settings

from mailcore import EndpointKind
from mailcore.sandbox import LocalProvider
from shop.models import Order, Question
from shop.wsgi import application

MAIL = b"From: bob@example.net\r\nTo: shop@example.com\r\nSubject: Where is my tea?\r\n\r\nBob\r\n"


class Quiet(WSGIRequestHandler):
    """Write no line for each request."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Command(BaseCommand):
    """Order, confirm, follow and receive, through a MailPace on this machine."""

    requires_system_checks = ()  # the keys are those of the provider that is about to be started
    help = "Send and receive through a provider on this machine; no account is needed."

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve the shop and the provider, and let them talk."""
        call_command("migrate", verbosity=0)
        with (
            LocalProvider("mailpace") as local,
            make_server("127.0.0.1", 0, application, handler_class=Quiet) as server,
        ):
            threading.Thread(target=server.serve_forever, daemon=True).start()
            settings = {f"MAILPACE_{name.upper()}": value for name, value in local.settings.items()}
            with override_settings(**settings):
                self._talk(local, f"http://127.0.0.1:{server.server_port}")
            server.shutdown()

    def _talk(self, local: LocalProvider, url: str) -> None:
        for kind in EndpointKind:
            local.emulator.subscribe(kind, f"{url}/mail/mailpace/{kind.value}/")
        with urlopen(f"{url}/order/", urlencode({"email": "bob@example.net"}).encode()) as answer:  # noqa: S310  # reason: our own
            number = int(answer.read())
        self._say("ordered", number)
        call_command("sendmailcoreoutbox", stdout=self.stdout)
        self._say("confirmed", number)
        order = Order.objects.get(pk=number)
        local.emulator.act(order.message_id, "delivered", datetime.now(UTC))
        local.emulator.receive(MAIL, datetime.now(UTC))
        answers = [str(made.status) for made in local.deliver()]
        self.stdout.write(f"webhooks answered with {', '.join(answers)}")
        self._say("followed", number)
        self.stdout.write(f"question from {Question.objects.latest('pk')}")

    def _say(self, what: str, number: int) -> None:
        self.stdout.write(f"{what}: {Order.objects.get(pk=number)}")
