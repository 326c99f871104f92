"""Takes a job from a queue and sees that it is sent, put back, or brought before a person.

Rule 1: a job leaves its queue only when it is settled, is in the queue anew, or is in the review list.
Rule 2: a mail that nothing stops from being sent twice is begun once, in all workers together, and is in the
        review list from then until it is settled.
Rule 3: what went wrong stands in the log by the job's id; recipients and content do not.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

import attrs

from mailcore._group import MailerGroup
from mailcore._mailer import Mailer
from mailcore._message import Message
from mailcore._outcome import Outcome
from mailcore._replay import Claim, ReplayStore
from mailcore._sending import not_sent
from mailcore._spec import Idempotency
from mailcore._time import utc_now
from mailcore.exceptions import InvalidDocument, MaybeSent, Scope
from mailcore.queues._decision import Again, Decision, Done, GiveUp, Park, Schedule, decide, expired
from mailcore.queues._job import Job, OtherVersion
from mailcore.queues._journal import Journal
from mailcore.queues._review import ReviewList, Unsettled
from mailcore.queues._stowage import AlreadySettled, AttachmentStore, discard, fetch

__all__ = ["CLAIM_SECONDS", "Courier", "Publish", "promise"]

#: Seconds for which it is remembered that a mail was begun: no broker gives a message out again later.
CLAIM_SECONDS = 7 * 24 * 3600.0
#: Seconds after which a job of another version is looked at again, perhaps by a worker that can read it.
OTHER_VERSION_PAUSE = 60.0
#: Overdue jobs that are looked at together.
OVERDUE = 100

#: Puts a job in its queue, to be given out after that many seconds.
Publish = Callable[[str, float], None]

_log = logging.getLogger("mailcore.queues")


def promise(mailer: Mailer | MailerGroup) -> Idempotency | None:
    """Return what stops a repeat through this mailer from being a second mail: a group's keys are no help."""
    return mailer.idempotency if isinstance(mailer, Mailer) else None


@attrs.define(kw_only=True)
class Courier:
    """
    Settle jobs, one after the other or in several threads.

    Attributes:
        claims: Remembers which mails were begun, of those that nothing stops from being sent twice.
        journal: Keeps what is under way, where the broker may lose it.
        patience: Seconds after which a job that the broker should have given out is overdue.
        clock: Returns the time (aware UTC).
    """

    mailers: Mapping[str, Mailer | MailerGroup]
    review: ReviewList
    claims: ReplayStore
    attachments: AttachmentStore | None = None
    journal: Journal | None = None
    schedule: Schedule = attrs.field(factory=Schedule)
    patience: float = 1020.0
    clock: Callable[[], datetime] = utc_now
    _parked: dict[str, datetime] = attrs.field(factory=dict, init=False)

    # Under way ----------------------------------------------------------------------------------

    def note(self, job: Job, seconds: float = 0.0) -> Job:
        """Return a job that is to be given out after that many seconds, noted if there is a journal."""
        if self.journal is None:
            return job
        noted = attrs.evolve(job, noted=True)
        self.journal.note(job.run, noted.to_json(), due=seconds + self.patience)
        return noted

    def overdue(self) -> Iterator[Job]:
        """Yield jobs that the broker seems to have lost; to others they are not overdue for a while."""
        payloads = () if self.journal is None else self.journal.overdue(again=self.patience, limit=OVERDUE)
        for payload in payloads:
            try:
                job = Job.from_json(payload)
            except InvalidDocument:
                continue  # a worker that can read it will see to it
            _log.warning("%s is overdue, and given to the broker again.", job.run)
            # Whoever had it may have sent it; one that must not be sent twice is not begun twice.
            yield attrs.evolve(job, doubt=not job.once)

    def _is_struck(self, job: Job) -> bool:
        return job.noted and self.journal is not None and not self.journal.has(job.run)

    def _strike(self, job: Job) -> None:
        if job.noted and self.journal is not None:
            self.journal.strike(job.run)

    # Beginning ----------------------------------------------------------------------------------

    def begin(self, payload: str) -> Claim:
        """
        Note durably that a mail is about to be sent.

        Returns:
            What the queue is to do: let go of the job and have it sent (`CLAIMED`), let go of it
            (`DUPLICATE`: it was begun before, and is settled or in the review list), or give it out
            again later (`IN_PROGRESS`: perhaps somebody is at this step right now).
        """
        try:
            job = Job.from_json(payload)
        except InvalidDocument:
            return Claim.CLAIMED  # it will not be sent
        found = self.claims.claim(job.run, CLAIM_SECONDS)
        if found is Claim.CLAIMED:
            begun = "Its sending was begun, and nobody said how that ended."
            self._bring(job, payload, begun, Outcome.UNKNOWN, MaybeSent.__name__)
            self.claims.commit(job.run)
        elif found is Claim.DUPLICATE:
            _log.warning("%s was given out a second time; it is not sent a second time.", job.run)
            self._strike(job)
        return found

    def _take(self, job: Job) -> bool:
        """Return whether this is the first process that a mail is given to."""
        # Celery's pool gives a job to another process where the one that has it is killed at a bad moment.
        key = f"{job.run}-taken"
        first = self.claims.claim(key, CLAIM_SECONDS) is Claim.CLAIMED
        if first:
            self.claims.commit(key)
        return first

    def release(self, payload: str) -> None:
        """Have a mail begun anew that was begun and, provably, not sent."""
        self.claims.release(Job.from_json(payload).run)

    # Sending ------------------------------------------------------------------------------------

    def deliver(self, payload: str, publish: Publish, *, redelivered: bool = False) -> Decision:
        """
        Send one job, do what follows from how that ended, and return what that was.

        Args:
            publish: Puts a job back in its queue.
            redelivered: Whether a worker that is no more may have sent it.
        """
        try:
            job = Job.from_json(payload)
        except InvalidDocument as unreadable:
            return self._unreadable(payload, unreadable, publish)
        if self._is_struck(job):
            _log.info("%s came a second time, and was seen to.", job.run)
            return Done()
        if job.once and not self._take(job):
            _log.warning("%s was given to a second process; it is not sent a second time.", job.run)
            return GiveUp("It was in the hands of a process that is no more.")
        job = attrs.evolve(job, doubt=job.doubt or redelivered)
        waits = self._waits(job)
        decision, error = (waits, None) if waits else self._attempt(job)
        self._carry_out(job, decision, error, publish)
        return decision

    def _unreadable(self, payload: str, error: InvalidDocument, publish: Publish) -> Decision:
        """Leave what another version wrote to a worker of that version, for as long as a job has."""
        now = self.clock()
        created = error.created if isinstance(error, OtherVersion) else None
        if created is not None and now < created + timedelta(seconds=self.schedule.give_up_after):
            _log.warning("A job waits for another worker: %s", error)
            publish(payload, OTHER_VERSION_PAUSE)
            return Again(OTHER_VERSION_PAUSE)
        name = hashlib.sha256(payload.encode("utf-8", "surrogatepass")).hexdigest()
        reason = f"The job cannot be read: {error}"
        _log.error("%s It is in the review list as %s.", reason, name)
        self.review.add(
            Unsettled(id=name, reason=reason, outcome=Outcome.NOT_ACCEPTED, at=now, payload=payload)
        )
        return GiveUp(reason)

    def _waits(self, job: Job) -> Decision | None:
        """Return why it is not tried now; None where it is."""
        now = self.clock()
        if job.not_before is not None and job.not_before > now:
            return Again((job.not_before - now).total_seconds())
        rest = (self._parked.get(job.mailer, now) - now).total_seconds()
        if rest <= 0:
            return None
        wait = Park(rest + self.schedule.spread())
        return expired(job, now + timedelta(seconds=wait.seconds), None, self.schedule) or wait

    def _attempt(self, job: Job) -> tuple[Decision, Exception | None]:
        known: Idempotency | None = None
        try:
            mailer = self.mailers[job.mailer]
            known = promise(mailer) if job.idempotency_key else None
            over = expired(job, self.clock(), known, self.schedule)
            if over is None:
                _check(job, mailer, known)
                _send(mailer, fetch(job, self.attachments), job)
            return over or Done(), None
        except AlreadySettled:
            _log.info("%s came a second time; its mail was settled.", job.id)
            return Done(), None
        except Exception as error:  # noqa: BLE001  # reason: whatever it is, the mail must not be lost over it
            failure = not_sent(error)
            now = self.clock()
            decision = decide(failure, job, now=now, promise=known, schedule=self.schedule)
            return decision, failure

    def renewed(self, job: Job) -> Job:
        """Return a job that begins anew: under its key for as long as that is remembered, else another."""
        mailer = self.mailers[job.mailer]
        known, now = promise(mailer), self.clock()
        fresh = attrs.evolve(
            job, id=str(uuid.uuid4()), attempts=0, hops=0, not_before=None, once=known is None, noted=False
        )
        if known and job.idempotency_key and now < self.schedule.until(job, known):
            return fresh
        key = str(uuid.uuid4()) if known else None
        return attrs.evolve(fresh, idempotency_key=key, created=now, provider=mailer.provider, doubt=False)

    # What follows -------------------------------------------------------------------------------

    def _carry_out(self, job: Job, decision: Decision, error: Exception | None, publish: Publish) -> None:
        if isinstance(decision, Done):
            discard(job, self.attachments)
            self.review.discard(job.run)
            self._strike(job)
        elif isinstance(decision, GiveUp):
            self._give_up(job, decision, error)
        else:
            if isinstance(decision, Park) and error is not None:
                self._parked[job.mailer] = self.clock() + timedelta(seconds=self.schedule.park_for)
                _log.error("The mailer %s rests for %.0f s: %s", job.mailer, self.schedule.park_for, error)
            self._put_back(job, decision, error, publish)

    def _put_back(self, job: Job, decision: Again | Park, error: Exception | None, publish: Publish) -> None:
        """Put it in the queue anew, and only then let go of it here."""
        seconds, most = decision.seconds, self.schedule.max_delay
        changed = attrs.evolve(
            job,
            hops=job.hops + 1,
            attempts=job.attempts + (error is not None),
            doubt=job.doubt or getattr(error, "outcome", None) is Outcome.UNKNOWN,
            not_before=self.clock() + timedelta(seconds=seconds) if seconds > most else None,
            idempotency_key=_key(job, decision),
        )
        if error is not None:
            _log.warning("%s is tried again in %.0f s: %s", job.id, seconds, error)
        pause = min(seconds, most)
        publish(self.note(changed, pause).to_json(), pause)
        self.review.discard(job.run)
        self._strike(job)

    def _give_up(self, job: Job, decision: GiveUp, error: Exception | None) -> None:
        outcome = getattr(error, "outcome", Outcome.NOT_ACCEPTED)
        _log.error("%s is in the review list: %s", job.id, decision.reason)
        outcome = Outcome.UNKNOWN if job.doubt else outcome
        self._bring(job, job.to_json(), decision.reason, outcome, type(error).__name__ if error else "")
        self._strike(job)

    def _bring(self, job: Job, payload: str, reason: str, outcome: Outcome, error: str) -> None:
        """Put a job before a person."""
        self.review.add(
            Unsettled(
                id=job.run,
                reason=reason,
                outcome=outcome,
                error=error,
                at=self.clock(),
                mailer=job.mailer,
                payload=payload,
            )
        )


def _check(job: Job, mailer: Mailer | MailerGroup, known: Idempotency | None) -> None:
    """Refuse what may have been sent through another provider, which remembers another key or none."""
    if job.doubt and (known is None or mailer.provider != job.provider):
        raise MaybeSent(
            f"It may have been sent through {job.provider}, and a repeat through {mailer.provider} could be "
            "a second mail.",
            scope=Scope.MESSAGE,
            retriable=False,
        )


def _send(mailer: Mailer | MailerGroup, message: Message, job: Job) -> None:
    if isinstance(mailer, Mailer):
        mailer.send(message, idempotency_key=job.idempotency_key, created=job.created)
    else:
        mailer.send(message)


def _key(job: Job, decision: Again | Park) -> str | None:
    if isinstance(decision, Again) and decision.fresh_key:
        return str(uuid.uuid4())
    return job.idempotency_key
