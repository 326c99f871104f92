"""Send what waits in the outbox."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS, close_old_connections
from django.utils import timezone

from mailcore.frameworks.django._outbox import Outbox

__all__ = ["Command"]


class Command(BaseCommand):
    """Send what is due and say what became of it; any number of these may run at once."""

    help = "Send the messages of the outbox that are due."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how often, how many, and how long to remember."""
        parser.add_argument("--every", type=float, metavar="SECONDS", help="go on for ever, with that pause")
        parser.add_argument("--limit", type=int, default=100, help="most messages of one round")
        parser.add_argument(
            "--keep-days", type=float, default=30.0, help="days for which messages that were sent are kept"
        )
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="as DATABASES names it")

    def handle(self, *args: Any, every: float | None, **options: Any) -> None:
        """Send once, or until stopped."""
        while True:
            self._round(**options)
            if every is None:
                return
            close_old_connections()
            time.sleep(every)

    def _round(self, *, database: str, limit: int, keep_days: float, **_: Any) -> None:
        outbox = Outbox(using=database)
        states = outbox.send_due(limit=limit)
        outbox.forget_sent(before=timezone.now() - timedelta(days=keep_days))
        told = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        if told:
            self.stdout.write(told)
