"""The Celery app that workers are killed with, and the points at which they kill themselves.

    python reliability/queue_app.py SETTINGS

SETTINGS is a `Plan` in JSON. Started so, it is a worker.

Rule: what is killed is what is shipped; a point of death is put around it from outside.
"""

from __future__ import annotations

import functools
import json
import os
import random
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

if not __package__:  # started by its path
    # Last on the path: mailcore is the installed one, where one is installed.
    sys.path[0:1] = []
    sys.path.append(str(Path(__file__).resolve().parent.parent))

from celery import Celery

from mailcore import Mailer, Mailers
from mailcore.queues._courier import Courier
from mailcore.queues.celery import EarlyRequest, LateRequest, MailQueue
from mailcore.stores.folder import AttachmentFolder, ReviewFolder
from mailcore.stores.sqlite import SqliteReplayStore
from mailcore.transports.requests import RequestsTransport
from reliability.provider import plugins

__all__ = ["MAILER", "POINTS", "Plan", "make"]

MAILER = "main"

#: What a worker's process may die before and after.
POINTS: Mapping[str, tuple[type[Any], str]] = {
    "job": (Courier, "deliver"),
    "send": (Mailer, "send"),
    "request": (RequestsTransport, "exchange"),
    "put back": (MailQueue, "publish"),
    "review": (ReviewFolder, "add"),
    "forgotten": (ReviewFolder, "discard"),
    "begin": (Courier, "begin"),
    "claim": (SqliteReplayStore, "claim"),
    "commit": (SqliteReplayStore, "commit"),
    "early acknowledgement": (EarlyRequest, "_let_go"),
    "late acknowledgement": (LateRequest, "acknowledge"),
}


@attrs.frozen(kw_only=True)
class Plan:
    """
    How a worker is made; has a JSON round trip.

    Attributes:
        broker: Its URL.
        queue: Of no other plan: what an earlier one left behind at the broker is none of this one's.
        settings: Of the mailer.
        folder: For what must survive.
        visibility: Seconds after which Redis gives out again what nobody acknowledged.
        lease: Seconds after which a mail is begun anew whose beginning was cut short.
        children: Processes of a worker.
        share: Of the times that a process of the pool comes by a point, those when it dies there.
        main_share: The same for main processes.
        journaled: Whether what Redis may lose is put back from a journal.
    """

    broker: str
    queue: str
    settings: Mapping[str, Any]
    folder: str
    visibility: float = 5.0
    lease: float = 5.0
    children: int = 4
    share: float = 0.0
    main_share: float = 0.0
    journaled: bool = True

    def to_json(self) -> str:
        """Return it as a JSON text."""
        return json.dumps(attrs.asdict(self))


class NoJournal:
    """Keeps nothing: what is lost stays lost."""

    def note(self, run: str, payload: str, *, due: float) -> None:
        """Forget it."""

    def strike(self, run: str) -> None:
        """Do nothing."""

    def has(self, run: str) -> bool:
        """Contradict nobody."""
        return True

    def overdue(self, *, again: float, limit: int) -> Sequence[str]:
        """Know of none."""
        return ()


def make(plan: Plan) -> MailQueue:
    """Return the queue that senders and workers share."""
    app = Celery("mail", broker=plan.broker)
    redis = plan.broker.startswith("redis:")
    app.conf.update(
        task_default_queue=plan.queue,
        worker_prefetch_multiplier=1,
        worker_concurrency=plan.children,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": plan.visibility,
            "unacked_mutex_expire": 2,
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
        }
        if redis
        else {"confirm_publish": True},
    )
    folder = Path(plan.folder)
    return MailQueue(
        app,
        Mailers({"mailers": {MAILER: plan.settings}}, environ={}, host=plugins()),
        review=folder / "review",
        attachments=AttachmentFolder(folder / "attachments"),
        claims=SqliteReplayStore(folder / "begun.sqlite", lease=plan.lease),
        journal=None if plan.journaled else NoJournal(),
        inline_limit=1000,
        max_delay=0.5,
        park_for=0.2,
        time_limit=3.0,
    )


def arm(plan: Plan) -> None:
    """Put a chance to die before and after each step."""
    path, main_process = Path(plan.folder) / "deaths", os.getpid()

    def share() -> float:
        return plan.main_share if os.getpid() == main_process else plan.share

    for name, (owner, method) in POINTS.items():
        setattr(owner, method, _deadly(getattr(owner, method), name, share, path))


def _deadly(
    step: Callable[..., Any], name: str, share: Callable[[], float], path: Path
) -> Callable[..., Any]:
    def maybe(moment: str) -> None:
        if random.SystemRandom().random() < share():  # not shared with the processes of a fork
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{moment} {name}\n")
            os.kill(os.getpid(), signal.SIGKILL)

    @functools.wraps(step)
    def deadly(*args: Any, **kwargs: Any) -> Any:
        maybe("before")
        result = step(*args, **kwargs)
        maybe("after")
        return result

    return deadly


def main(arguments: Sequence[str]) -> None:
    """Be a worker."""
    plan = Plan(**json.loads(arguments[0]))
    arm(plan)
    options = ("--pool", "prefork", "--without-gossip", "--without-mingle", "--without-heartbeat")
    name = f"mail-{os.getpid()}@%h"  # RabbitMQ lets no second worker have the same
    make(plan).app.worker_main(["worker", *options, "--hostname", name, "--loglevel", "WARNING"])


if __name__ == "__main__":
    main(sys.argv[1:])
