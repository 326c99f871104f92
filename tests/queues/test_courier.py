"""What becomes of a job: it is settled, put back, or before a person, and nothing else."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from mailcore import (
    Attachment,
    Claim,
    HttpRequest,
    HttpResponse,
    Mailer,
    MailerGroup,
    Mailers,
    MemoryReplayStore,
    Message,
    Outcome,
    Phase,
    TransportFailure,
)
from mailcore.queues._courier import Courier
from mailcore.queues._decision import Again, Done, GiveUp, Park, Schedule
from mailcore.queues._job import Job
from mailcore.queues._stowage import stow
from mailcore.stores.folder import AttachmentFolder, ReviewFolder
from mailcore.testing import RecordingTransport
from reliability.provider import KEYED, KEYLESS, mailer

CREATED = datetime(2026, 1, 1, 12, tzinfo=UTC)
OK = HttpResponse(status=200, body=b'{"id": 1, "status": "pending"}')
MESSAGE = Message(from_="ada@example.com", to="bob@example.com", subject="Hi", text="Hello")
JOB = Job(id="a", mailer="main", provider=KEYED, message=MESSAGE, idempotency_key="k", created=CREATED)
ONCE = attrs.evolve(JOB, mailer="keyless", provider=KEYLESS, idempotency_key=None)
LOST = TransportFailure(Phase.RECEIVING, "lost")


def answer(status: int, document: object = None, **headers: str) -> HttpResponse:
    """Return an answer."""
    body = b"" if document is None else json.dumps(document).encode()
    return HttpResponse(
        status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=body
    )


class Desk:
    """A courier with mailers whose provider answers as told, and a clock that goes when told to."""

    def __init__(self, folder: Path, *answers: Any, **changes: Any) -> None:
        self.now = CREATED + timedelta(minutes=1)
        self.bodies: list[bytes] = []
        self.wire = RecordingTransport(*(self._answering(one) for one in answers or (OK,)))
        self.published: list[tuple[Job, float]] = []
        self.review = ReviewFolder(folder / "review")
        self.attachments = AttachmentFolder(folder / "attachments")
        mailers: dict[str, Mailer | MailerGroup] = {
            "main": self._mailer(KEYED),
            "other": self._mailer(KEYED),
            "keyless": self._mailer(KEYLESS),
            **changes.pop("mailers", {}),
        }
        mailers["group"] = MailerGroup([mailers["main"]], name="group")
        values: dict[str, Any] = {
            "mailers": mailers,
            "review": self.review,
            "attachments": self.attachments,
            "claims": MemoryReplayStore(),
            "schedule": Schedule(random=lambda: 1.0),
            "clock": lambda: self.now,
        }
        self.courier = Courier(**{**values, **changes})

    def _answering(self, answer: Any) -> Callable[[HttpRequest], Any]:
        def respond(request: HttpRequest) -> Any:
            self.bodies.append(b"".join(request.body))
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return respond

    def _mailer(self, provider: str) -> Mailer:
        settings = {"api_key": "token", "max_attempts": 1}
        return mailer(provider, settings, transport=self.wire, clock=lambda: self.now)

    def publish(self, payload: str, seconds: float) -> None:
        """Note what is put back."""
        self.published.append((Job.from_json(payload), seconds))

    def deliver(self, job: Job = JOB, **options: Any) -> Any:
        """Deliver one job."""
        return self.courier.deliver(job.to_json(), self.publish, **options)

    def reviewed(self) -> list[Any]:
        """List what waits for a person."""
        return list(self.review)

    @property
    def keys(self) -> list[str | None]:
        """Return the key of each request."""
        return [dict(request.headers).get("Idempotency-Key") for request in self.wire.requests]


class TestSent:
    """What the provider takes."""

    def test_done(self, tmp_path: Path) -> None:
        """It is over."""
        desk = Desk(tmp_path)
        assert desk.deliver() == Done()
        assert (desk.published, desk.reviewed(), desk.keys) == ([], [], ["k"])

    def test_same_bytes(self, tmp_path: Path) -> None:
        """An attempt hours later, in another process, sends what the first one did."""
        first, second = Desk(tmp_path, answer(500)), Desk(tmp_path)
        first.deliver()
        [(job, _)] = first.published
        second.now += timedelta(hours=5)
        second.deliver(job)
        assert (first.bodies, first.keys) == (second.bodies, second.keys)

    def test_time_of_the_first_attempt(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each attempt is told when the job was made: its date, and how old its key is."""
        told: list[Any] = []
        send = Mailer.send

        def watched(self: Mailer, message: Message, **options: Any) -> Any:
            told.append(options["created"])
            return send(self, message, **options)

        monkeypatch.setattr(Mailer, "send", watched)
        Desk(tmp_path).deliver(attrs.evolve(JOB, attempts=3))
        assert told == [CREATED]

    def test_group(self, tmp_path: Path) -> None:
        """A group sends, and is never asked to repeat what may have been sent: another may have its turn."""
        desk = Desk(tmp_path, LOST)
        assert isinstance(desk.deliver(attrs.evolve(JOB, mailer="group")), GiveUp)
        assert [one.outcome for one in desk.reviewed()] == [Outcome.UNKNOWN]


class TestAgain:
    """What is put back."""

    def test_not_accepted(self, tmp_path: Path) -> None:
        """It goes to the queue anew, as the next stay, one attempt older."""
        desk = Desk(tmp_path, answer(503))
        assert desk.deliver() == Again(10.0)
        assert desk.published == [(attrs.evolve(JOB, attempts=1, hops=1), 10.0)]
        assert desk.reviewed() == []

    def test_unknown(self, tmp_path: Path) -> None:
        """It is not forgotten that it may have been sent."""
        desk = Desk(tmp_path, LOST)
        desk.deliver()
        [(job, _)] = desk.published
        assert job.doubt
        assert job.idempotency_key == "k"

    def test_asked_to_wait(self, tmp_path: Path) -> None:
        """A wait that is longer than a message may be out is made in steps, without a request."""
        desk = Desk(tmp_path, answer(429, Retry_After="2000"), OK)
        assert desk.deliver() == Again(2000.0)
        waits = []
        while desk.published:
            job, seconds = desk.published.pop()
            waits.append(seconds)
            desk.now += timedelta(seconds=seconds)
            desk.deliver(job)
        assert waits == [900.0, 900.0, 200.0]
        assert len(desk.wire.requests) == 2

    def test_fails_to_put_back(self, tmp_path: Path) -> None:
        """Where the broker does not take it, the queue keeps it."""
        desk = Desk(tmp_path, answer(503))

        def publish(payload: str, seconds: float) -> None:
            raise OSError("The broker is down.")

        with pytest.raises(OSError, match="broker"):
            desk.courier.deliver(JOB.to_json(), publish)

    def test_fresh_key(self, tmp_path: Path) -> None:
        """A provider that stores its refusals is asked under another key."""
        desk = Desk(tmp_path, answer(503))
        made: Any = desk.courier.mailers["main"]
        made._spec = attrs.evolve(made._spec, idempotency=attrs.evolve(made.idempotency, stores_errors=True))
        desk.deliver()
        [(job, _)] = desk.published
        assert job.idempotency_key not in ("k", None)


class TestParked:
    """A mailer whose account refuses mail."""

    def test_burns_nothing(self, tmp_path: Path) -> None:
        """One job learns it; the others wait without a request, and none is given up."""
        desk = Desk(tmp_path, answer(401), OK)
        jobs = [attrs.evolve(JOB, id=str(number), idempotency_key=str(number)) for number in range(5)]
        assert [type(desk.deliver(job)) for job in jobs] == [Park] * 5
        assert len(desk.wire.requests) == 1
        assert {seconds for _, seconds in desk.published} == {375.0}
        assert [job.attempts for job, _ in desk.published] == [1, 0, 0, 0, 0]
        assert desk.reviewed() == []

    def test_comes_back(self, tmp_path: Path) -> None:
        """When the rest is over, all are sent."""
        desk = Desk(tmp_path, answer(401), OK)
        for number in range(3):
            desk.deliver(attrs.evolve(JOB, id=str(number), idempotency_key=str(number)))
        desk.now += timedelta(seconds=375)
        assert [desk.deliver(job) for job, _ in desk.published] == [Done()] * 3

    def test_others_go_on(self, tmp_path: Path) -> None:
        """Another mailer is no worse for it."""
        desk = Desk(tmp_path, answer(401), OK)
        desk.deliver()
        assert desk.deliver(attrs.evolve(JOB, mailer="other")) == Done()

    def test_unknown_mailer(self, tmp_path: Path) -> None:
        """A mailer that this worker does not have may come with its next version."""
        desk = Desk(tmp_path)
        desk.courier.mailers = Mailers({"mailers": {"main": {"provider": "memory"}}}, environ={})
        assert isinstance(desk.deliver(attrs.evolve(JOB, mailer="new")), Park)
        assert desk.reviewed() == []

    def test_ends(self, tmp_path: Path) -> None:
        """Nobody waits for ever."""
        desk = Desk(tmp_path, answer(401))
        desk.deliver()
        desk.now = CREATED + timedelta(hours=22)
        assert isinstance(desk.deliver(), GiveUp)
        assert len(desk.wire.requests) == 1


class TestReview:
    """What goes to a person."""

    def test_rejected(self, tmp_path: Path) -> None:
        """With the provider's words, what is known of it, and the job as it was."""
        desk = Desk(tmp_path, answer(400, {"errors": {"to": ["is invalid"]}}))
        assert isinstance(desk.deliver(), GiveUp)
        [found] = desk.reviewed()
        assert (found.id, found.outcome, found.error) == ("a-0", Outcome.REJECTED, "RecipientRejected")
        assert "is invalid" in found.reason
        assert (found.job, found.mailer, found.at) == (JOB, "main", desk.now)
        assert desk.published == []

    def test_unknown_without_key(self, tmp_path: Path) -> None:
        """What may have been sent is never repeated."""
        desk = Desk(tmp_path, LOST)
        assert isinstance(desk.deliver(ONCE), GiveUp)
        assert [one.outcome for one in desk.reviewed()] == [Outcome.UNKNOWN]
        assert desk.published == []

    def test_made_without_key(self, tmp_path: Path) -> None:
        """A job that has no key gets none later: each attempt would have another."""
        desk = Desk(tmp_path, LOST)
        assert isinstance(desk.deliver(attrs.evolve(JOB, idempotency_key=None, once=True)), GiveUp)
        assert desk.published == []

    def test_rejected_after_doubt(self, tmp_path: Path) -> None:
        """That it was refused later proves nothing of the time before."""
        desk = Desk(tmp_path, answer(400))
        desk.deliver(attrs.evolve(JOB, doubt=True))
        assert [one.outcome for one in desk.reviewed()] == [Outcome.UNKNOWN]

    @pytest.mark.parametrize("redelivered,outcome", [(False, Outcome.NOT_ACCEPTED), (True, Outcome.UNKNOWN)])
    def test_too_old(self, tmp_path: Path, *, redelivered: bool, outcome: Outcome) -> None:
        """Before the key is forgotten the job is given up, without a request."""
        desk = Desk(tmp_path)
        desk.now = CREATED + timedelta(hours=22)
        assert isinstance(desk.deliver(redelivered=redelivered), GiveUp)
        assert [one.outcome for one in desk.reviewed()] == [outcome]
        assert desk.wire.requests == []

    def test_unreadable(self, tmp_path: Path) -> None:
        """What cannot be read is kept as it is."""
        desk = Desk(tmp_path)
        desk.courier.deliver("nonsense", desk.publish)
        [found] = desk.reviewed()
        assert found.payload == "nonsense"
        assert found.outcome is Outcome.NOT_ACCEPTED

    def test_broken_plugin(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever goes wrong within, the mail is not lost over it."""
        desk = Desk(tmp_path)
        monkeypatch.setattr(Mailer, "send", lambda *_, **__: {}["missing"])
        assert isinstance(desk.deliver(), GiveUp)
        assert "KeyError" in desk.reviewed()[0].reason

    def test_fails(self, tmp_path: Path) -> None:
        """Where the list cannot be written, the queue keeps the job."""
        (tmp_path / "review").write_text("in the way")
        with pytest.raises(OSError, match="review"):
            Desk(tmp_path, answer(400)).deliver()

    def test_log(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """The log names the job, and no recipient, content or secret."""
        with caplog.at_level(logging.DEBUG, logger="mailcore.queues"):
            Desk(tmp_path, answer(400)).deliver()
            Desk(tmp_path, answer(401)).deliver()
            Desk(tmp_path, answer(503)).deliver()
        assert "a is in the review list" in caplog.text
        assert not [word for word in ("bob@", "Hello", "token") if word in caplog.text]


class TestOtherProvider:
    """A mailer that sends through another provider than when the job was made."""

    OLD = attrs.evolve(JOB, provider="another")

    def test_new_job(self, tmp_path: Path) -> None:
        """What was never tried is sent: on a bad day that is what the change is for."""
        assert Desk(tmp_path).deliver(self.OLD) == Done()

    @pytest.mark.parametrize("mailer", ["main", "keyless"])
    def test_doubt(self, tmp_path: Path, mailer: str) -> None:
        """What may have been sent is not sent elsewhere, where its key is unknown."""
        desk = Desk(tmp_path)
        old = attrs.evolve(self.OLD, mailer=mailer)
        assert isinstance(desk.deliver(old, redelivered=True), GiveUp)
        assert [one.outcome for one in desk.reviewed()] == [Outcome.UNKNOWN]
        assert desk.wire.requests == []


class TestOtherVersion:
    """A job that another version wrote."""

    def payload(self, **fields: object) -> str:
        """Return one."""
        return json.dumps({"version": 2, "created": CREATED.isoformat(), **fields})

    def test_waits(self, tmp_path: Path) -> None:
        """It is left to other workers as it is."""
        desk = Desk(tmp_path)
        seen: list[tuple[str, float]] = []
        assert desk.courier.deliver(self.payload(), lambda *given: seen.append(given)) == Again(60.0)
        assert seen == [(self.payload(), 60.0)]

    @pytest.mark.parametrize("created", [CREATED.isoformat(), None])
    def test_not_for_ever(self, tmp_path: Path, created: object) -> None:
        """After the time of a job it goes to a person, and at once where that time cannot be told."""
        desk = Desk(tmp_path)
        desk.now = CREATED + timedelta(hours=22)
        desk.courier.deliver(self.payload(created=created), desk.publish)
        assert [one.payload for one in desk.reviewed()] == [self.payload(created=created)]


class TestBegin:
    """A mail that must not be sent twice."""

    @pytest.mark.parametrize("lease", [300.0, 0.0], ids=["at once", "after the lease"])
    def test_second_process(self, tmp_path: Path, lease: float) -> None:
        """The pool gives a mail to another process when one is killed: that one does not send it again."""

        class Killed(BaseException):
            """What a SIGKILL is to a test."""

        job = attrs.evolve(ONCE, once=True)
        desk = Desk(tmp_path, Killed(), OK, claims=MemoryReplayStore(lease=lease))
        desk.courier.begin(job.to_json())
        with pytest.raises(Killed):
            desk.deliver(job)
        assert isinstance(desk.deliver(job), GiveUp)
        assert (len(desk.wire.requests), desk.published) == (1, [])
        (unsettled,) = desk.reviewed()
        assert (unsettled.id, unsettled.outcome) == (job.run, Outcome.UNKNOWN)

    def test_put_back_is_taken_anew(self, tmp_path: Path) -> None:
        """What was provably not sent, and is tried again, is a stay of its own in the queue."""
        desk = Desk(tmp_path, answer(503), OK)
        job = attrs.evolve(ONCE, once=True)
        for _ in range(2):
            desk.courier.begin(job.to_json())
            decision = desk.deliver(job)
            job = desk.published[-1][0]
        assert isinstance(decision, Done)
        assert (len(desk.wire.requests), desk.reviewed()) == (2, [])

    def test_once(self, tmp_path: Path) -> None:
        """It is begun once; from then on somebody knows of it."""
        desk = Desk(tmp_path)
        assert desk.courier.begin(ONCE.to_json()) is Claim.CLAIMED
        assert [(one.id, one.outcome) for one in desk.reviewed()] == [("a-0", Outcome.UNKNOWN)]
        assert desk.courier.begin(ONCE.to_json()) is Claim.DUPLICATE
        assert len(desk.reviewed()) == 1

    def test_settled(self, tmp_path: Path) -> None:
        """When it was sent, nobody need know; and it is still not begun again."""
        desk = Desk(tmp_path)
        desk.courier.begin(ONCE.to_json())
        assert desk.deliver(ONCE) == Done()
        assert desk.reviewed() == []
        assert desk.courier.begin(ONCE.to_json()) is Claim.DUPLICATE
        assert desk.reviewed() == []

    def test_put_back(self, tmp_path: Path) -> None:
        """What was provably not sent is begun anew; it is in the list until it is in the queue."""
        desk = Desk(tmp_path, answer(503))
        desk.courier.begin(ONCE.to_json())
        listed = []

        def publish(payload: str, seconds: float) -> None:
            listed.append(len(desk.reviewed()))
            desk.publish(payload, seconds)

        desk.courier.deliver(ONCE.to_json(), publish)
        assert (listed, desk.reviewed()) == ([1], [])
        [(job, _)] = desk.published
        assert desk.courier.begin(job.to_json()) is Claim.CLAIMED

    def test_given_up(self, tmp_path: Path) -> None:
        """The reason takes the place of the note."""
        desk = Desk(tmp_path, LOST)
        desk.courier.begin(ONCE.to_json())
        desk.deliver(ONCE)
        [found] = desk.reviewed()
        assert found.reason.startswith("MaybeSent")
        desk.courier.begin(ONCE.to_json())
        assert desk.reviewed() == [found]

    def test_dies_in_between(self, tmp_path: Path) -> None:
        """Who died before it was noted has sent nothing: another is to look again later."""
        claims = MemoryReplayStore()
        desk = Desk(tmp_path, claims=claims)
        claims.claim("a-0", 1000)
        assert desk.courier.begin(ONCE.to_json()) is Claim.IN_PROGRESS
        assert desk.reviewed() == []

    def test_unreadable(self, tmp_path: Path) -> None:
        """What cannot be read will not be sent, so that it may go on to a person."""
        assert Desk(tmp_path).courier.begin("nonsense") is Claim.CLAIMED


class TestAttachments:
    """What does not go through the broker."""

    @pytest.fixture
    def stored(self, tmp_path: Path) -> Job:
        """Return a job whose attachment is stored."""
        file = Attachment(content=b"content", filename="a.txt", content_type="text/plain; charset=utf-8")
        job = attrs.evolve(JOB, message=attrs.evolve(MESSAGE, attachments=file))
        return stow(job, AttachmentFolder(tmp_path / "attachments"), limit=0)

    def test_sent_and_deleted(self, tmp_path: Path, stored: Job) -> None:
        """It is sent whole, and then deleted."""
        desk = Desk(tmp_path)
        assert desk.deliver(stored) == Done()
        assert b'"Y29udGVudA=="' in desk.bodies[0]
        assert list((tmp_path / "attachments").glob("*.attachment")) == []

    @pytest.mark.parametrize("status", [400, 503])
    def test_kept(self, tmp_path: Path, stored: Job, status: int) -> None:
        """It stays as long as the mail may still be sent."""
        Desk(tmp_path, answer(status)).deliver(stored)
        assert len(list((tmp_path / "attachments").glob("*.attachment"))) == 1

    def test_second_time(self, tmp_path: Path, stored: Job) -> None:
        """A job that comes again after it was settled is done, and no alarm."""
        desk = Desk(tmp_path)
        desk.deliver(stored)
        assert desk.deliver(stored, redelivered=True) == Done()
        assert (len(desk.wire.requests), desk.reviewed()) == (1, [])

    def test_missing(self, tmp_path: Path, stored: Job) -> None:
        """One that nobody deleted on purpose is for a person to find."""
        [file] = (tmp_path / "attachments").glob("*.attachment")
        file.unlink()
        desk = Desk(tmp_path)
        assert isinstance(desk.deliver(stored), GiveUp)
        assert desk.wire.requests == []

    def test_no_store(self, tmp_path: Path, stored: Job) -> None:
        """A worker without the store says what is missing."""
        desk = Desk(tmp_path, attachments=None)
        decision = desk.deliver(stored)
        assert isinstance(decision, GiveUp)
        assert "attachments=" in decision.reason

    @pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/b", ".", "", "a\0", "é"])
    def test_no_path(self, tmp_path: Path, stored: Job, name: str) -> None:
        """Whoever can write to the broker has no file sent that is not stored."""
        desk = Desk(tmp_path)
        desk.deliver(attrs.evolve(stored, files=(name,)))
        assert b"root:" not in b"".join(desk.bodies)
        assert bool(desk.reviewed()) == bool(name)


class Journal:
    """A journal of this process."""

    def __init__(self) -> None:
        self.jobs: dict[str, str] = {}

    def note(self, run: str, payload: str, *, due: float) -> None:
        """Keep one."""
        self.jobs[run] = payload

    def strike(self, run: str) -> None:
        """Forget one."""
        self.jobs.pop(run, None)

    def has(self, run: str) -> bool:
        """Tell whether it is there."""
        return run in self.jobs

    def overdue(self, *, again: float, limit: int) -> list[str]:
        """Return all."""
        return list(self.jobs.values())


class TestJournal:
    """A broker that may lose what it was given."""

    @pytest.fixture
    def journal(self) -> Journal:
        """Return a journal."""
        return Journal()

    @pytest.mark.parametrize(
        "answered,struck", [(OK, True), (answer(400), True), (answer(503), False), (answer(401), False)]
    )
    def test_until_settled(
        self, tmp_path: Path, journal: Journal, answered: HttpResponse, *, struck: bool
    ) -> None:
        """A job is in it until it is settled or before a person, and anew when it is put back."""
        desk = Desk(tmp_path, answered, journal=journal)
        desk.deliver(desk.courier.note(JOB))
        assert list(journal.jobs) == ([] if struck else ["a-1"])

    def test_noted_before_published(self, tmp_path: Path, journal: Journal) -> None:
        """At no moment it is in neither."""
        desk = Desk(tmp_path, answer(503), journal=journal)
        noted: list[list[str]] = []
        desk.courier.deliver(desk.courier.note(JOB).to_json(), lambda *_: noted.append(list(journal.jobs)))
        assert noted == [["a-0", "a-1"]]

    def test_overdue(self, tmp_path: Path, journal: Journal) -> None:
        """What is overdue may have been sent, unless it is one that is begun once."""
        desk = Desk(tmp_path, journal=journal)
        noted = [desk.courier.note(JOB), desk.courier.note(attrs.evolve(ONCE, id="b", once=True))]
        assert list(desk.courier.overdue()) == [attrs.evolve(noted[0], doubt=True), noted[1]]

    def test_second_copy(self, tmp_path: Path, journal: Journal) -> None:
        """Whichever copy comes second is dropped without a request."""
        desk = Desk(tmp_path, journal=journal)
        noted = desk.courier.note(JOB)
        assert [desk.deliver(noted), desk.deliver(noted)] == [Done(), Done()]
        assert len(desk.wire.requests) == 1

    def test_begun(self, tmp_path: Path, journal: Journal) -> None:
        """A mail that was begun is not overdue for ever: it is in the review list."""
        desk = Desk(tmp_path, journal=journal)
        noted = desk.courier.note(attrs.evolve(ONCE, once=True))
        assert [desk.courier.begin(noted.to_json()) for _ in range(2)] == [Claim.CLAIMED, Claim.DUPLICATE]
        assert journal.jobs == {}
        assert len(desk.reviewed()) == 1

    def test_other_version(self, tmp_path: Path, journal: Journal) -> None:
        """What this worker cannot read is left to one that can."""
        desk = Desk(tmp_path, journal=journal)
        journal.jobs["a"] = '{"version": 2}'
        assert list(desk.courier.overdue()) == []

    def test_without_journal(self, tmp_path: Path) -> None:
        """A job from before there was one is sent as ever."""
        desk = Desk(tmp_path, journal=Journal())
        assert desk.deliver(JOB) == Done()
        assert len(desk.wire.requests) == 1
