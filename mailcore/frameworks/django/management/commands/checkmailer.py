"""Say whether a mailer is ready, and send a test mail through it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mailcore import ConfigurationError, MailcoreError, Mailer, MailerGroup, Message
from mailcore.frameworks.django import get_mailer
from mailcore.frameworks.django._registry import registry

__all__ = ["Command"]


class Command(BaseCommand):
    """Build the mailers and report each; with --send-to, send one mail."""

    help = "Check the mailers of the setting MAILCORE; no connection is made unless a mail is sent."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a mailer's name and where to send a mail."""
        parser.add_argument("name", nargs="?", help="the mailer; not given: all, or the default one to send")
        parser.add_argument("--send-to", metavar="ADDRESS", help="send a test mail there")

    def handle(self, *args: Any, name: str | None, send_to: str | None, **options: Any) -> None:
        """Report, and raise `CommandError` where a mailer is not ready or did not send."""
        problems = [] if send_to else self._report(name)
        if problems:
            raise CommandError("\n".join(problems))
        if send_to:
            self._send(name, send_to)

    def _report(self, name: str | None) -> list[str]:
        problems = []
        try:
            names = list(registry.mailers()) if name is None else [name]
        except ConfigurationError as error:
            return [str(error)]
        for each in names:
            try:
                self.stdout.write(f"{each}: {get_mailer(each).provider}, ready")
            except ConfigurationError as error:
                problems.append(f"{each}: {error}")
        return problems

    def _send(self, name: str | None, address: str) -> None:
        message_id = None
        try:
            mailer = get_mailer(name)
            message_id = mailer.send(_test_mail(mailer, address)).message_id
        except MailcoreError as error:
            raise CommandError(f"{type(error).__name__}: {error}") from None
        self.stdout.write(f"{mailer.name}: {mailer.provider} took the mail, message id {message_id}")


def _test_mail(mailer: Mailer | MailerGroup, address: str) -> Message:
    text = f"This mail was sent by the command checkmailer through {mailer.provider}."
    return Message(from_=settings.DEFAULT_FROM_EMAIL, to=address, subject="Test", text=text)
