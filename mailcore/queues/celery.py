"""Mail through Celery.

Rule 1: a job is text; nothing that is unpickled comes near a worker that holds secrets.
Rule 2: where a key makes repeats harmless, a message is acknowledged after the mail was sent; where nothing
        does, before, and after it was noted in the review list.
Rule 3: a worker whose settings could lose mail or send it twice does not start.
"""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import random as random_number
from typing import Any, cast

import attrs

from mailcore._closing import Closing
from mailcore._extra import requires_extra
from mailcore._mailers import Mailers
from mailcore._message import Message
from mailcore._replay import Claim, ReplayStore
from mailcore._time import utc_now
from mailcore.exceptions import ConfigurationError, MaybeSent, Scope
from mailcore.queues._celery_settings import broker_journal, check_broker, check_worker
from mailcore.queues._courier import Courier, promise
from mailcore.queues._decision import Schedule
from mailcore.queues._job import Job
from mailcore.queues._journal import Journal
from mailcore.queues._review import ReviewList, Unsettled
from mailcore.queues._stowage import AttachmentStore, stow
from mailcore.stores.folder import ReviewFolder
from mailcore.stores.sqlite import SqliteReplayStore

with requires_extra("celery", by=__name__):
    from celery import Celery, bootsteps
    from celery.exceptions import Reject
    from celery.worker.request import Request

__all__ = ["Enqueued", "MailQueue"]

#: Bytes of attachments that go through the broker.
INLINE_LIMIT = 256 * 1024
#: Seconds, if a message may wait so long, after which a job comes back that could not even be put aside.
RETURN_SECONDS = 60.0
#: Seconds between two looks for lost mail.
RECOVERY_SECONDS = 30.0

_log = logging.getLogger("mailcore.queues")


@attrs.frozen(kw_only=True)
class Enqueued:
    """
    The broker has the mail.

    Attributes:
        id: Of the job, and of its Celery task.
        idempotency_key: The key of every attempt; None where the provider knows none.
    """

    id: str
    idempotency_key: str | None
    mailer: str


class MailQueue(Closing):
    """
    Send mail from Celery's workers.

    Make one where the app is made, so that web processes and workers have the same. It adds the
    tasks `mailcore.send` and `mailcore.send_once`, and makes a worker check its settings.

    Args:
        mailers: Looked up by name, in a worker too: no job holds a setting.
        queue: Name of the Celery queue; None: what the app routes its tasks to.
        review: Keeps what a person must decide about: a folder's path, or a `ReviewList`.
        attachments: Keeps attachments that are too large for the broker, for senders and workers alike.
        claims: Remembers which mails were begun, of those that nothing stops from being sent twice;
            None: a file in the folder `review`, for the workers of one machine.
        journal: Keeps what is under way, for a broker that may lose it; None: on Redis the broker's own
            server does, and elsewhere nothing is lost.
        inline_limit: Bytes of attachments that go through the broker.
        max_delay: Most seconds that a message waits in the broker in one go.
        park_for: Seconds a mailer rests after its account or its provider refused a mail.
        give_up_after: Seconds after which a job goes to the review list; sooner where the provider
            forgets its key sooner.
        time_limit: Seconds after which a worker's process that still sends is killed.
        clock: Returns the time, aware and in UTC.
        random: Returns a number from 0 up to 1, for the jitter of pauses.

    Raises:
        ConfigurationError: `claims` is missing, and `review` is no folder that could hold it.
    """

    def __init__(
        self,
        app: Celery,
        mailers: Mailers,
        *,
        queue: str | None = None,
        review: str | os.PathLike[str] | ReviewList = "mail-review",
        attachments: AttachmentStore | None = None,
        claims: ReplayStore | None = None,
        journal: Journal | None = None,
        inline_limit: int = INLINE_LIMIT,
        max_delay: float = 900.0,
        park_for: float = 300.0,
        give_up_after: float = 22 * 3600.0,
        time_limit: float = 120.0,
        clock: Callable[[], datetime] = utc_now,
        random: Callable[[], float] = random_number,
    ) -> None:
        self.app = app
        self.mailers = mailers
        self.queue = queue
        self.review, self._claims = _kept(review, claims)
        self.attachments = attachments
        self.max_delay = max_delay
        self.time_limit = time_limit
        self._inline_limit = inline_limit
        self._clock = clock
        self._checked = False
        self._opened: Any = None
        schedule = Schedule(
            max_delay=max_delay, park_for=park_for, give_up_after=give_up_after, random=random
        )
        self._courier = Courier(
            mailers=mailers,
            review=self.review,
            claims=self._claims,
            attachments=attachments,
            journal=journal,
            patience=max_delay + time_limit,
            schedule=schedule,
            clock=clock,
        )
        self._late = self._task("mailcore.send", LateRequest, acks_late=True, reject_on_worker_lost=True)
        self._once = self._task("mailcore.send_once", EarlyRequest, acks_late=False)
        app.steps["worker"].add(_checking(self))
        app.steps["consumer"].add(_recovering(self))

    def _task(self, name: str, request: type[Request], **options: Any) -> Any:
        def work(task: Any, payload: str) -> None:
            self._work(task, payload)

        options |= {
            "serializer": "json",
            "ignore_result": True,
            "time_limit": self.time_limit,
            "shared": False,  # with other apps of this process
        }
        options |= {"Request": request, "courier": self._courier, "mail_queue": self}
        declare: Any = self.app.task
        return declare(name=name, bind=True, **options)(work)

    # Sending ------------------------------------------------------------------------------------

    def send(
        self, message: Message, *, mailer: str | None = None, idempotency_key: str | None = None
    ) -> Enqueued:
        """
        Put one mail in the queue, after every check that `Mailer.send` makes before it sends.

        Args:
            mailer: Its name; None: the one to use where none is named.
            idempotency_key: Overrides the message's; one is made where the provider has a use for it.

        Raises:
            ConfigurationError: The app's settings, or the mailer's, could lose mail.
            InvalidMessage, UnsupportedFeature, SendCancelled: As `Mailer.send`.
            MaybeSent: The broker did not say that it has it.
        """
        self.check()
        chosen = self.mailers.default if mailer is None else self.mailers[mailer]
        keyed = promise(chosen) is not None
        key = idempotency_key or _given_key(message) or (str(uuid.uuid4()) if keyed else None)
        chosen.preview(message, idempotency_key=key)
        job = Job(
            id=str(uuid.uuid4()),
            mailer=chosen.name,
            provider=chosen.provider,
            message=message,
            idempotency_key=key,
            created=self._clock(),
            once=not keyed,
        )
        return self._enqueue(stow(job, self.attachments, limit=self._inline_limit))

    def resend(self, unsettled: Unsettled) -> Enqueued:
        """
        Put what is in the review list back in the queue, and take it off the list.

        As long as the provider remembers its key, it is sent under that one and cannot become a second
        mail. Later it gets a new one: look at `unsettled.outcome` first.

        Raises:
            InvalidDocument: The job cannot be read.
            MaybeSent: The broker did not say that it has it; it stays in the list.
        """
        self.check()
        enqueued = self._enqueue(self._courier.renewed(unsettled.job))
        self.review.discard(unsettled.id)
        return enqueued

    def recover(self) -> int:
        """Give the broker again what it seems to have lost, and return how much; workers do, regularly."""
        jobs = list(self._courier.overdue())
        for job in jobs:
            self._publish(job)
        return len(jobs)

    def _publish(self, job: Job) -> None:
        self.publish(self._once if job.once else self._late, job.id, job.to_json(), 0.0)

    def _enqueue(self, job: Job) -> Enqueued:
        try:
            self._publish(self._courier.note(job))
        except Exception as error:
            raise _not_enqueued(error, job) from error
        return Enqueued(id=job.id, idempotency_key=job.idempotency_key, mailer=job.mailer)

    def publish(self, task: Any, task_id: str, payload: str, seconds: float) -> None:
        """Have the broker give out a job after that many seconds; `task` is one of the two."""
        route = {} if self.queue is None else {"queue": self.queue}
        task.apply_async(
            args=[payload],
            task_id=task_id,
            countdown=seconds or None,
            # What Celery shows of a task in logs and events would be the mail itself.
            argsrepr=f"({task_id},)",
            # Where two messages could be two mails, one that may be with the broker is not sent again.
            retry=task.acks_late,
            **route,
        )

    # Within a worker ----------------------------------------------------------------------------

    def _work(self, task: Any, payload: str) -> None:
        task_id = task.request.id

        def put_back(payload: str, seconds: float) -> None:
            self.publish(task, task_id, payload, seconds)

        # A mail that was begun is not given out again; one that was not may come from a worker that died.
        again = task.acks_late and (task.request.delivery_info or {}).get("redelivered")
        try:
            self._courier.deliver(payload, put_back, redelivered=bool(again))
        except Exception as error:  # noqa: BLE001  # reason: whatever it is, the mail must not be lost over it
            _log.exception("%s can neither be settled nor put aside; it stays in the queue.", task_id)
            self._keep(put_back, payload, error)

    def _keep(self, put_back: Callable[[str, float], None], payload: str, error: Exception) -> None:
        try:
            put_back(payload, _return_seconds(self))
        except Exception:  # noqa: BLE001  # reason: the same
            # Not acknowledged: the broker gives it out again.
            raise Reject(error, requeue=True) from error

    # Settings -----------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise `ConfigurationError` where the app's settings could lose mail or send it twice."""
        if not self._checked:
            check_broker(self.app, longest=self.max_delay + self.time_limit)
            if self._courier.journal is None:
                self._courier.journal = self._opened = broker_journal(self.app, self.queue)
            self._checked = True

    def close(self) -> None:
        """Close what it opened; the mailers stay open."""
        if isinstance(self._claims, SqliteReplayStore):
            self._claims.close()
        if self._opened is not None:
            self._opened.close()


class LateRequest(Request):
    """A mail that is acknowledged when it was sent: repeats are harmless."""

    def on_timeout(self, soft: bool, timeout: float) -> None:  # noqa: FBT001  # reason: Celery's signature
        """Have it given out again: Celery would acknowledge it."""
        if not soft:
            self.reject(requeue=True)
        super().on_timeout(soft, timeout)


class EarlyRequest(Request):
    """A mail that is noted, then acknowledged, and only then sent: it must not be sent twice."""

    _goes_on: bool | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._thread = threading.get_ident()

    def revoked(self) -> bool:
        """Ask as the last step before a process gets it; True: none does."""
        # Celery's own acknowledgement comes when a process has begun already, and may have sent the mail.
        if super().revoked():
            return True
        if self._goes_on is None:
            self._goes_on = self._begin()
        return not self._goes_on

    def _begin(self) -> bool:
        task, payload = cast("Any", self.task), _payload(self.message)
        try:
            found = task.courier.begin(payload)
            if found is Claim.IN_PROGRESS:
                task.mail_queue.publish(task, self.id, payload, _return_seconds(task.mail_queue))
        except Exception:  # noqa: BLE001  # reason: a broken list must not end the worker
            _log.exception("%s is not sent now, as it cannot be noted; the broker keeps it.", self.id)
            return False
        return self._let_go() and bool(found is Claim.CLAIMED)

    def _let_go(self) -> bool:
        if self._thread != threading.get_ident():  # a timer's: the connection is another one's
            self.acknowledge()
            return True
        try:
            self.message.ack()  # now; Celery would do it after the process has begun
        except Exception:  # noqa: BLE001  # reason: whatever a connection raises
            _log.exception("%s is not sent now, as it cannot be acknowledged.", self.id)
            cast("Any", self.task).courier.release(_payload(self.message))
            return False
        self.acknowledged = True
        return True


def _return_seconds(queue: MailQueue) -> float:
    return min(RETURN_SECONDS, queue.max_delay)


def _payload(message: Any) -> str:
    found = message.payload
    return str((found["args"] if isinstance(found, dict) else found[0])[0])


def _given_key(message: Message) -> str | None:
    found = message.idempotency_key
    return found if isinstance(found, str) else None


def _not_enqueued(error: Exception, job: Job) -> MaybeSent:
    failure = MaybeSent(
        f"The broker did not say that it has the mail ({type(error).__name__}).",
        scope=Scope.PROVIDER,
        retriable=not job.once,
    )
    failure.provider, failure.idempotency_key = job.provider, job.idempotency_key
    return failure


def _kept(
    review: str | os.PathLike[str] | ReviewList, claims: ReplayStore | None
) -> tuple[ReviewList, ReplayStore]:
    if isinstance(review, str | os.PathLike):
        return ReviewFolder(review), claims or SqliteReplayStore(Path(review) / "begun.sqlite")
    if claims is None:
        raise ConfigurationError(
            "A review list of your own needs claims=, where it is remembered which mails were begun: "
            "RedisReplayStore(url), or SqliteReplayStore(path) for the workers of one machine."
        )
    return review, claims


def _checking(queue: MailQueue) -> type[bootsteps.Step]:
    class MailSettings(bootsteps.Step):
        """Stop a worker from starting with settings that could lose mail."""

        def __init__(self, parent: Any, **options: Any) -> None:
            queue.check()
            check_worker(parent, queue.mailers, queue=queue.queue, time_limit=queue.time_limit)
            super().__init__(parent, **options)

    return MailSettings


def _recovering(queue: MailQueue) -> type[bootsteps.StartStopStep]:
    class MailRecovery(bootsteps.StartStopStep):
        """Look for lost mail as long as a worker has a connection."""

        requires = ("celery.worker.consumer.tasks:Tasks",)

        def start(self, parent: Any) -> None:
            seconds = min(RECOVERY_SECONDS, queue.max_delay)
            self.timer = parent.timer.call_repeatedly(seconds, self.recover)

        def stop(self, parent: Any) -> None:
            self.timer.cancel()

        def recover(self) -> None:
            try:
                queue.recover()
            except Exception:  # noqa: BLE001  # reason: it comes by again, and the worker has other work
                _log.exception("It could not be seen whether mail was lost.")

    return MailRecovery
