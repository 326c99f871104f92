"""Mail through Celery, with a real broker, a real worker and a provider behind real HTTP."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from celery.signals import setup_logging
from kombu.serialization import registry

from mailcore import (
    Attachment,
    ConfigurationError,
    Mailers,
    MaybeSent,
    Outcome,
    UnsupportedFeature,
)
from mailcore.queues.celery import EarlyRequest, MailQueue
from mailcore.stores.folder import AttachmentFolder, ReviewFolder
from mailcore.stores.sqlite import SqliteReplayStore
from reliability.brokers import Broker
from reliability.fault_server import Peer, Server
from reliability.mode import http
from reliability.provider import KEYED, KEYLESS, Provider, mail, plugins

pytestmark = pytest.mark.loopback

PATIENCE = 60.0


class Post:
    """A provider that answers as told before it answers as itself, and a queue that leads to it."""

    def __init__(self, broker: str, folder: Path) -> None:
        self.provider = Provider()
        self.before: list[bytes | None] = []
        self.bodies: list[bytes] = []
        self.server = Server(self._serve, keeps=False)
        settings = {**self.provider.settings(self.server.base), "max_attempts": 1, "deadline": 5.0}
        self.mailers = Mailers(
            {
                "default": "main",
                "mailers": {
                    "main": {**settings, "provider": KEYED},
                    "keyless": {**settings, "provider": KEYLESS},
                    "group": {"group": ["main", "keyless"]},
                },
            },
            environ={},
            host=plugins(),
        )
        self.app = app(broker)
        self.folder = folder
        self.queue = MailQueue(
            self.app,
            self.mailers,
            queue=folder.name,
            review=folder / "review",
            attachments=AttachmentFolder(folder / "attachments"),
            inline_limit=100,
            max_delay=0.2,
            park_for=0.1,
        )

    def _serve(self, peer: Peer) -> None:
        while request := peer.read():
            self.bodies.append(request)
            answer = self.before.pop(0) if self.before else self.provider.answer(request)
            if answer is None:
                peer.reset()
                return
            peer.write(answer)

    def close(self) -> None:
        """Stop everything."""
        self.queue.close()
        self.mailers.close()
        self.app.close()
        self.server.close()


def app(broker: str = "memory://", **settings: Any) -> Celery:
    """Return an app with the settings that a queue asks for."""
    made = Celery("mail", broker=broker, set_as_current=False)
    options = {"confirm_publish": True} if broker.startswith("amqp") else {}
    usual = {"worker_prefetch_multiplier": 1, "broker_transport_options": options}
    made.conf.update({**usual, **settings})
    return made


@pytest.fixture
def post(redis_broker: Broker, tmp_path: Path) -> Iterator[Post]:
    """Return a post on Redis."""
    made = Post(redis_broker.url, tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def post_at_work(redis_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    """Return a post with a worker, which takes a second to stop."""
    made = Post(redis_broker.url, tmp_path_factory.mktemp("post"))
    with worker(made):
        yield made
    made.close()


@pytest.fixture
def working(post_at_work: Post) -> Post:
    """Return it as if it were new."""
    post_at_work.before.clear()
    post_at_work.bodies.clear()
    post_at_work.provider = Provider()
    for unsettled in post_at_work.queue.review:
        post_at_work.queue.review.discard(unsettled.id)
    return post_at_work


@setup_logging.connect
def leave_logging(**_: object) -> None:
    """Celery would set up the logging of this process, in which other tests listen."""


def worker(post: Post) -> Any:
    """Start a worker in this process."""
    return start_worker(
        post.app, pool="solo", perform_ping_check=False, loglevel="ERROR", queues=[post.queue.queue]
    )


def until(holds: Callable[[], object]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "It never came."
        time.sleep(0.01)


class TestSending:
    """From a program to the provider."""

    def test_arrives(self, working: Post) -> None:
        """A mail arrives, once, under the key that was made when it was put in the queue."""
        enqueued = working.queue.send(mail("Hello"))
        until(lambda: working.provider.has("Hello"))
        assert enqueued.idempotency_key is not None
        assert enqueued.idempotency_key.encode() in working.bodies[0]
        assert enqueued.mailer == "main"

    def test_key_of_the_caller(self, working: Post) -> None:
        """Two jobs of one key are one mail."""
        for name in ("first", "second"):
            working.queue.send(mail("Hello"), idempotency_key="one") if name == "first" else None
        message = attrs.evolve(mail("Hello"), idempotency_key="one")
        working.queue.send(message)
        until(lambda: len(working.bodies) == 2)
        assert working.provider.taken()["Hello"] == 1

    @pytest.mark.parametrize("mailer", ["keyless", "group"])
    def test_without_keys(self, working: Post, mailer: str) -> None:
        """Where nothing stops a second mail it is noted, sent, and struck out."""
        enqueued = working.queue.send(mail("Hello"), mailer=mailer)
        until(lambda: working.provider.has("Hello"))
        until(lambda: not list(working.queue.review))
        assert enqueued.idempotency_key is None

    def test_attachment(self, working: Post) -> None:
        """What is too large for the broker arrives as well, and is deleted."""
        file = Attachment(content=b"x" * 5000, filename="a.txt")
        working.queue.send(attrs.evolve(mail("Hello"), attachments=file))
        until(lambda: working.provider.has("Hello"))
        until(lambda: not list((working.folder / "attachments").glob("*.attachment")))
        assert b"eHh4" * 1000 in working.bodies[0]

    def test_nothing_secret_travels(self, post: Post) -> None:
        """A job holds a mailer's name and no setting of it; Celery's headers hold no mail."""
        post.queue.send(mail("Hello"))
        with post.app.connection_for_read() as connection:
            message = connection.SimpleQueue(post.queue.queue).get(timeout=60)
            said = json.dumps([message.headers, message.properties, str(message.body)])
            message.ack()
        settings = post.provider.settings("")
        assert settings["api_key"] not in said
        assert "bob@example.com" in str(message.body)
        assert "bob@example.com" not in json.dumps(message.headers)
        assert message.content_type == "application/json"


class TestRefusals:
    """What is refused before it is in the queue."""

    def test_message(self, post: Post) -> None:
        """A message that the provider cannot carry."""
        with pytest.raises(UnsupportedFeature):
            post.queue.send(attrs.evolve(mail("Hello"), amp_html="<html amp4email>"))

    def test_key_without_use(self, post: Post) -> None:
        """A key at a provider that knows none."""
        with pytest.raises(UnsupportedFeature):
            post.queue.send(mail("Hello"), mailer="keyless", idempotency_key="a")

    def test_unknown_mailer(self, post: Post) -> None:
        """A mailer that there is not."""
        with pytest.raises(ConfigurationError, match="There is no mailer 'new'"):
            post.queue.send(mail("Hello"), mailer="new")

    @pytest.mark.parametrize("mailer,retriable", [("main", True), ("keyless", False)])
    def test_no_broker(
        self, tmp_path: Path, mailer: str, monkeypatch: pytest.MonkeyPatch, *, retriable: bool
    ) -> None:
        """A broker that is not there: an error of this library, which says whether to repeat."""
        post = Post("amqp://127.0.0.1:1//", tmp_path)
        post.app.conf.task_publish_retry_policy = {"max_retries": 0}
        if not retriable:  # Celery tries for long
            monkeypatch.setattr(MailQueue, "publish", lambda *_: 1 / 0)
        with pytest.raises(MaybeSent, match="broker did not say") as caught:
            post.queue.send(mail("Hello"), mailer=mailer)
        assert caught.value.retriable is retriable
        assert (caught.value.idempotency_key is None) is not retriable
        post.close()


class TestOutcomes:
    """What the provider says, and what the queue does with it."""

    @pytest.mark.parametrize("mailer", ["main", "keyless"])
    def test_again(self, working: Post, mailer: str) -> None:
        """What was not accepted comes back until it is."""
        working.before = [http(503), http(429, b"", "Retry-After: 0"), http(503)]
        working.queue.send(mail("Hello"), mailer=mailer)
        until(lambda: working.provider.has("Hello"))
        assert working.provider.taken()["Hello"] == 1
        assert len(working.bodies) == 4

    def test_unknown(self, working: Post) -> None:
        """What may have been sent is repeated under its key, byte for byte."""
        working.before = [None, http(500)]
        working.queue.send(mail("Hello"))
        until(lambda: working.provider.has("Hello"))
        assert len(working.bodies) == 3
        assert len(set(working.bodies)) == 1

    def test_unknown_without_keys(self, working: Post) -> None:
        """And without keys it goes to a person, and nowhere else."""
        working.before = [None]
        working.queue.send(mail("Hello"), mailer="keyless")
        until(lambda: [one.error for one in working.queue.review] == ["MaybeSent"] and working.bodies)
        working.queue.send(mail("next"), mailer="keyless")
        until(lambda: working.provider.has("next"))
        until(lambda: [one.outcome for one in working.queue.review] == [Outcome.UNKNOWN])
        assert not working.provider.has("Hello")

    def test_parked(self, working: Post) -> None:
        """A wrong token burns no job."""
        working.before = [http(401)] * 3
        for number in range(5):
            working.queue.send(mail(str(number)))
        until(lambda: len(working.provider.taken()) == 5)
        assert list(working.queue.review) == []

    def test_rejected(self, working: Post) -> None:
        """What will not succeed goes to a person, who can send it again."""
        working.before = [http(400, b'{"errors": {"to": ["is invalid"]}}')]
        enqueued = working.queue.send(mail("Hello"))
        until(lambda: list(working.queue.review))
        [unsettled] = working.queue.review
        again = working.queue.resend(unsettled)
        until(lambda: working.provider.has("Hello"))
        assert again.idempotency_key == enqueued.idempotency_key
        assert again.id != enqueued.id
        assert list(working.queue.review) == []

    def test_list_cannot_be_written(self, working: Post, monkeypatch: pytest.MonkeyPatch) -> None:
        """As long as that is so, the mail stays in the queue."""

        def full(self: ReviewFolder, unsettled: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(ReviewFolder, "add", full)
        working.before = [http(400), http(400)]
        working.queue.send(mail("Hello"))
        until(lambda: working.provider.has("Hello"))
        assert len(working.bodies) == 3

    def test_neither_list_nor_broker(self, working: Post, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where it can not even be put back, it is not acknowledged."""
        publish, failures = MailQueue.publish, [OSError("no"), OSError("no")]

        def failing(self: MailQueue, *given: Any) -> None:
            if failures and working.bodies:
                raise failures.pop()
            publish(self, *given)

        monkeypatch.setattr(MailQueue, "publish", failing)
        working.before = [http(503)]
        working.queue.send(mail("Hello"))
        until(lambda: working.provider.has("Hello"))
        assert failures == []

    def test_pickle_is_no_mail(self, working: Post) -> None:
        """A pickle that somebody wrote to the broker is not opened."""
        registry.enable("pickle")
        with working.app.connection_for_write() as connection:
            producer = working.app.amqp.Producer(connection)
            producer.publish(
                ([Explosive()], {}, {}),
                routing_key=working.queue.queue,
                serializer="pickle",
                headers={"id": "a", "task": "mailcore.send", "lang": "py", "argsrepr": "", "kwargsrepr": ""},
            )
        registry.disable("pickle")
        working.queue.send(mail("after"))
        until(lambda: working.provider.has("after"))
        assert Explosive.opened == 0


class Explosive:
    """Tells when it is unpickled."""

    opened = 0

    def __reduce__(self) -> Any:
        return _open, ()


def _open() -> None:
    Explosive.opened += 1


class TestBegun:
    """A mail that nothing stops from being sent twice."""

    def test_given_out_twice(self, working: Post) -> None:
        """A message that the broker gives out a second time is no second mail."""
        working.queue.send(mail("Hello"), mailer="keyless")
        until(lambda: working.provider.has("Hello"))
        [payload] = payloads
        working.queue.publish(working.app.tasks["mailcore.send_once"], "again", payload, 0.0)
        working.queue.send(mail("next"), mailer="keyless")
        until(lambda: working.provider.has("next"))
        assert working.provider.taken()["Hello"] == 1

    def test_in_the_list_before_it_is_sent(self, working: Post) -> None:
        """While it is sent somebody knows of it, and the broker has let go of it."""
        seen: list[tuple[list[str], list[str]]] = []
        answer = working.provider.answer

        def watched(request: bytes) -> bytes:
            with working.app.connection_for_read() as connection:
                kept = connection.default_channel.client.hvals("unacked")
            with_broker = [json.loads(message)[0]["headers"]["id"] for message in kept]
            seen.append(([unsettled.id for unsettled in working.queue.review], with_broker))
            return answer(request)

        working.provider.answer = watched  # type: ignore[method-assign]  # reason: to see it
        job = working.queue.send(mail("Hello"), mailer="keyless").id
        until(lambda: working.provider.has("Hello"))
        # Mails of other tests may still be with the broker.
        [(listed, with_broker)] = seen
        assert f"{job}-0" in listed
        assert job not in with_broker


payloads: list[str] = []


@pytest.fixture(autouse=True)
def _watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Note what is begun."""
    payloads.clear()
    begin = EarlyRequest._begin

    def watched(self: Any) -> bool:
        payloads.append(self.message.payload[0][0])
        return begin(self)

    monkeypatch.setattr(EarlyRequest, "_begin", watched)


def start(made: Celery, queue: str = "celery") -> None:
    """Take the step with which a worker begins. A whole one would disturb the one that is at work here."""
    made.amqp.queues.select([queue])
    for step in made.steps["worker"]:
        step(SimpleNamespace(app=made, prefetch_multiplier=made.conf.worker_prefetch_multiplier))


class TestJournal:
    """What a broker may lose, on a server that several queues share."""

    def test_is_of_one_queue(self, redis_broker: Broker, tmp_path: Path) -> None:
        """What one queue lost is not sent by another, whose mailer of that name may be another account."""
        one, other = (Post(redis_broker.url, tmp_path / name) for name in ("one", "other"))
        with contextlib.closing(one), contextlib.closing(other):
            one.queue._courier.patience = -1.0  # overdue at once
            for post in (one, other):
                post.queue.send(mail("Hello"))
            assert (other.queue.recover(), one.queue.recover()) == (0, 1)


class TestSettings:
    """What a worker refuses to start with."""

    def queue(self, made: Celery, **options: Any) -> MailQueue:
        """Return a queue of an app."""
        mailers = Mailers({"mailers": {"main": {"provider": "memory", "deadline": 30}}}, environ={})
        return MailQueue(made, mailers, **options)

    def refused(self, made: Celery, text: str, **options: Any) -> None:
        """Check that a worker does not start, and says what to set."""
        self.queue(made, **options)
        with pytest.raises(ConfigurationError, match=text):
            start(made)

    def test_worker(self, tmp_path: Path) -> None:
        """A real worker says so and ends."""
        program = tmp_path / "program.py"
        program.write_text(
            "from celery import Celery\n"
            "from mailcore import Mailers\n"
            "from mailcore.queues.celery import MailQueue\n"
            "app = Celery('mail', broker='memory://')\n"
            "MailQueue(app, Mailers({'mailers': {'main': {'provider': 'memory'}}}))\n"
            "app.worker_main(['worker', '--pool', 'solo'])\n"
        )
        command = [sys.executable, str(program)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode != 0
        assert "mailcore.exceptions.ConfigurationError" in done.stderr
        assert "Set app.conf.worker_prefetch_multiplier = 1." in done.stderr

    def test_pickle(self) -> None:
        """Code from the broker."""
        self.refused(app(accept_content=["json", "pickle"]), r'accept_content = \["json"\]')

    def test_prefetch(self) -> None:
        """Jobs that wait in a worker which has no time for them."""
        self.refused(app(worker_prefetch_multiplier=4), "worker_prefetch_multiplier = 1")

    def test_time_limit(self) -> None:
        """A process that is killed while it may still send."""
        self.refused(app(), "time_limit=60", time_limit=30.0)

    def test_visibility(self) -> None:
        """Redis gives a job to another worker while the first one still has it."""
        made = app("redis://", broker_transport_options={"visibility_timeout": 600})
        self.refused(made, '"visibility_timeout": 2040', max_delay=900.0)
        made = app("redis://")
        self.refused(made, "after 3600 s", max_delay=3480.0)

    def test_confirmed(self) -> None:
        """RabbitMQ that takes mail without a word."""
        self.refused(app("amqp://", broker_transport_options={}), '"confirm_publish": True')

    @pytest.mark.parametrize("broker", ["memory://", "redis://", "amqp://"])
    def test_good(self, broker: str) -> None:
        """With these settings it starts."""
        made = app(broker)
        self.queue(made, max_delay=3400.0)
        start(made)

    def test_sender_refuses_too(self) -> None:
        """What could lose mail is said where mail is put in the queue."""
        queue = self.queue(app("amqp://", broker_transport_options={}))
        with pytest.raises(ConfigurationError, match="confirm_publish"):
            queue.send(mail("Hello"))

    def test_other_worker(self) -> None:
        """A worker of another queue is free to fetch ahead."""
        made = app(worker_prefetch_multiplier=4)
        self.queue(made, queue="mail")
        start(made, "other")
        with pytest.raises(ConfigurationError, match="prefetch"):
            start(made, "mail")

    def test_broken_mailer(self) -> None:
        """One mailer that cannot work stops no worker: its jobs wait."""
        made = app()
        tables = {"main": {"provider": "memory"}, "broken": {"provider": KEYED}}
        mailers = Mailers({"default": "main", "mailers": tables}, environ={})
        assert list(mailers.check()) == ["broken"]
        MailQueue(made, mailers)
        start(made)

    def test_list_of_ones_own(self, tmp_path: Path) -> None:
        """Who keeps the list elsewhere must say where it is remembered what was begun."""
        review = ReviewFolder(tmp_path)
        with pytest.raises(ConfigurationError, match="claims="):
            self.queue(app(), review=review)
        claims = SqliteReplayStore(tmp_path / "claims")
        assert self.queue(app(), review=review, claims=claims).review is review
