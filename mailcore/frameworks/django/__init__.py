"""Mailcore in Django: an email backend, webhook URLs, signals, checks, and two tables.

    EMAIL_BACKEND = "mailcore.frameworks.django.EmailBackend"
    MAILCORE = {"PROVIDER": "mailpace", "MAILPACE_API_KEY": "...", "MAILPACE_WEBHOOK_KEY": "..."}
    INSTALLED_APPS = [..., "mailcore.frameworks.django"]

Rule: importing this needs no settings. What stands in the database is imported when it is used.
"""

from __future__ import annotations

from mailcore._extra import requires_extra

with requires_extra("django", by=__name__):
    import django  # noqa: F401  # reason: first of all, only whether it is there

from mailcore.frameworks.django._backend import EmailBackend, OutboxBackend
from mailcore.frameworks.django._conversion import message_from_django
from mailcore.frameworks.django._outbox import Outbox, enqueue
from mailcore.frameworks.django._registry import get_mailer
from mailcore.frameworks.django._replay import DjangoReplayStore
from mailcore.frameworks.django.signals import inbound, post_send, pre_send, tracking

__all__ = [
    "DjangoReplayStore",
    "EmailBackend",
    "Outbox",
    "OutboxBackend",
    "enqueue",
    "get_mailer",
    "inbound",
    "message_from_django",
    "post_send",
    "pre_send",
    "tracking",
]
