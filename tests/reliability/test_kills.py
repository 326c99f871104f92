"""Workers that are killed, in short."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest

from mailcore.queues.celery import MailQueue
from reliability import kills
from reliability.brokers import BROKERS, Broker
from reliability.kills import METHODS, Kills
from reliability.queue_app import Plan, make

pytestmark = [
    pytest.mark.long,
    pytest.mark.loopback,
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are found in /proc"),
]


@pytest.fixture
def apart(redis_broker: Broker) -> Any:
    """Return Redis with a database of its own: other tests look at what a broker still has."""
    return SimpleNamespace(name=redis_broker.name, url=f"{redis_broker.url.removesuffix('/0')}/1")


def test_redis(apart: Any, tmp_path: Path) -> None:
    """Whatever is killed, each mail arrives exactly once."""
    made = Kills(broker=apart, folder=tmp_path, kills=3, share=0.02, workers=1, backlog=10)
    made.run()
    assert {name: number for name, number in made.figures().items() if number} == {}
    assert sum(made.killed.values()) == 3
    assert made.provider.number() == len(made.names)


def test_rabbitmq(rabbitmq_broker: Broker, tmp_path: Path) -> None:
    """On RabbitMQ too, without a journal."""
    made = Kills(broker=rabbitmq_broker, folder=tmp_path, kills=3, share=0.02, workers=1, backlog=10)
    made.run()
    assert {name: number for name, number in made.figures().items() if number} == {}
    assert sum(made.killed.values()) == 3


def test_without_keys(apart: Any, tmp_path: Path) -> None:
    """Without keys none arrives twice, and what is missing is in the review list."""
    made = Kills(broker=apart, folder=tmp_path, kills=3, share=0.02, workers=1, backlog=10, keys=False)
    made.run()
    assert {name: number for name, number in made.figures().items() if number} == {}
    assert made.provider.number() < len(made.names)


class TestTheHarness:
    """What would go unnoticed if the harness could not fail."""

    def books(self, tmp_path: Path, broker: Any = None) -> Kills:
        """Return one that has sent nothing."""
        return Kills(broker=broker, folder=tmp_path, kills=0)

    def test_sees_what_is_lost(self, tmp_path: Path) -> None:
        """A mail that is neither with the provider nor in the review list is lost."""
        made = self.books(tmp_path)
        made.names.append("kill-1")
        assert made.figures()["lost"] == 1

    def test_sees_what_is_doubled(self, tmp_path: Path) -> None:
        """A mail that the provider has twice is seen."""
        made = self.books(tmp_path)
        mails = made.provider._emulator.sent
        assert mails == []
        for key in ("a", "b"):
            lines = [
                "POST /api/v1/send HTTP/1.1",
                f"MailPace-Server-Token: {made.provider.settings('')['api_key']}",
                "Accept: application/json",
                "Content-Type: application/json",
                f"Idempotency-Key: {key}",
            ]
            head = "".join(f"{line}\r\n" for line in [*lines, ""])
            body = (
                '{"from": "ada@example.com", "to": "bob@example.com", "subject": "kill-1", "textbody": "x"}'
            )
            made.provider.answer((head + body).encode())
        made.names.append("kill-1")
        assert made.figures()["duplicated"] == 1

    def test_methods(self) -> None:
        """Four ways to kill, each of them used."""
        assert len(METHODS) == len(kills.WEIGHTS) == 4
        assert all(kills.WEIGHTS)

    def test_command(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It prints figures with machine, date, commit and command, and fails where a promise is broken."""
        monkeypatch.setattr(sys, "argv", ["reliability", "kills"])
        monkeypatch.setattr(Kills, "run", lambda self, tell: self.names.append("kill-1") or 1.0)
        monkeypatch.setitem(BROKERS, "redis", ("", lambda folder: Fake()))
        before = signal.getsignal(signal.SIGTERM)
        try:
            assert kills.main([]) == 1
        finally:
            signal.signal(signal.SIGTERM, before)
        said = capsys.readouterr().out
        assert all(name in said for name in ("lost", "duplicated", "kills", "machine", "commit", "command"))


class Fake:
    """Stands where a broker would."""

    name = "redis"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def test_plan(tmp_path: Path) -> None:
    """A worker is made of what it is told, as a text."""
    plan = Plan(
        broker="redis://127.0.0.1:1/0",
        queue="kills",
        settings={"provider": "mailpace"},
        folder=os.fspath(tmp_path),
    )
    queue = make(plan)
    assert isinstance(queue, MailQueue)
    assert queue.app.conf.worker_prefetch_multiplier == 1
    queue.close()
