"""Hand over what waits in the spool."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from mailcore.frameworks.django._registry import registry

__all__ = ["Command"]


class Command(BaseCommand):
    """Send the signals of deliveries that wait, and say how many are done; run one of these."""

    help = "Hand over the webhook deliveries that wait in the spool, in one process."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how often."""
        parser.add_argument("--every", type=float, metavar="SECONDS", help="go on for ever, with that pause")

    def handle(self, *args: Any, every: float | None, **options: Any) -> None:
        """Drain once, or until stopped."""
        while True:
            for receiver in registry.webhooks().receivers:
                done = receiver.drain()
                if done:
                    self.stdout.write(f"{receiver.provider}: {done}")
            if every is None:
                return
            close_old_connections()
            time.sleep(every)
