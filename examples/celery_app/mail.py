"""
The Celery app: what a program that sends and its workers have in common.

    celery --app mail worker --queues mail

BROKER_URL is your Redis or RabbitMQ.
"""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery

from mailcore import Mailers
from mailcore.queues.celery import MailQueue
from mailcore.stores.folder import AttachmentFolder

# Of the review list and of large attachments: the same for those who send and for workers.
FOLDER = Path(os.environ.get("MAIL_FOLDER", "/var/lib/mail"))
BROKER = os.environ.get("BROKER_URL", "redis://127.0.0.1:6379/0")
QUEUE = os.environ.get("MAIL_QUEUE", "mail")

app = Celery("mail", broker=BROKER)
app.conf.worker_prefetch_multiplier = 1
if BROKER.startswith("amqp"):
    app.conf.broker_transport_options = {"confirm_publish": True}

# MAILCORE_CONFIG or MAILCORE_URL says through whom; each process looks its secrets up by itself.
queue = MailQueue(
    app,
    Mailers.from_env(),
    queue=QUEUE,
    review=FOLDER / "review",
    attachments=AttachmentFolder(FOLDER / "attachments"),
)
