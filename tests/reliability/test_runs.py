"""The long runs, in short: what they promise holds, and they notice when it does not."""

from __future__ import annotations

import itertools
import sys
import threading
import uuid
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from mailcore import Context, Mailer, MaybeSent, Message, SendResult, ServiceUnavailable
from mailcore._retry import Quota
from mailcore_mailpace import _send
from reliability import acknowledgements, leaks, load, matrix, soak, storm
from reliability.__main__ import main
from reliability.acknowledgements import Acknowledgements
from reliability.leaks import Sample, samples, slope
from reliability.load import Load, Slow
from reliability.soak import Soak
from reliability.storm import DOWN, STEADY, Storm

pytestmark = [pytest.mark.long, pytest.mark.loopback]


def run(*, keys: bool = True, sends: int = 500) -> Soak:
    """Soak a little."""
    made = Soak(sends=sends, threads=16, share=0.25, keys=keys, seed=1)
    made.run()
    return made


class TestSoak:
    """Many mails through chaos."""

    def test_keeps_the_promise(self) -> None:
        """With keys, each mail arrives exactly once."""
        made = run()
        assert set(made.figures().values()) == {0}
        assert sum(made.chaos.harmed.values()) / made.chaos.answered >= 0.2
        assert len(made.chaos.harmed) == 14

    def test_keeps_the_promise_without_keys(self) -> None:
        """Without, none arrives twice, and what is missing was reported as maybe sent."""
        made = run(keys=False)
        assert set(made.figures().values()) == {0}
        assert made.book.unknown - set(made.provider.taken())

    def test_sees_what_is_sent_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A library that repeats under another key is found out."""
        build = _send.request

        def forgetful(message: Message, ctx: Context, options: Any) -> Any:
            return build(message, attrs.evolve(ctx, idempotency_key=uuid.uuid4().hex), options)

        monkeypatch.setattr(_send, "request", forgetful)
        assert run(sends=100).figures()["duplicated"] > 0

    def test_sees_what_is_lost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A library that takes silence for a yes is found out."""
        send = Mailer.send

        def hopeful(self: Mailer, message: Any, **options: Any) -> SendResult:
            try:
                return send(self, message, **options)
            except MaybeSent:
                return SendResult(message_id="1", recipients={})

        monkeypatch.setattr(Mailer, "send", hopeful)
        found = run(keys=False, sends=200).figures()
        assert found["lost"] > 0
        assert found["accepted under another mail's id"] > 0

    def test_sees_a_false_denial(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A library that says "not sent" of what may be is found out."""
        send = Mailer.send

        def denying(self: Mailer, message: Any, **options: Any) -> SendResult:
            try:
                return send(self, message, **options)
            except MaybeSent as error:
                raise ServiceUnavailable("It is not there.") from error

        monkeypatch.setattr(Mailer, "send", denying)
        found = run(keys=False, sends=200).figures()
        assert found["said not to be sent, and was"] > 0
        assert found["duplicated"] > 0

    def test_sees_a_bare_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is no `SendError` is unclassified."""

        def broken(self: Mailer, message: Any, **options: Any) -> SendResult:
            raise KeyError("bare")

        monkeypatch.setattr(Mailer, "send", broken)
        found = run(sends=10).figures()
        assert (found["unclassified"], found["never settled"], found["lost"]) == (10, 10, 10)


def times(number: int) -> Callable[[], bool]:
    """Return a function that is true that often."""
    left = itertools.count()
    return lambda: next(left) < number


class TestStorm:
    """Many threads, and a provider that fails."""

    def test_outage(self) -> None:
        """All threads together repeat no more than the quota pays for."""
        made = Storm(threads=100, share=DOWN)
        made.run(times(300))
        assert made.calls == 300
        assert made.requests == made.most() == 335
        assert made.wrong == 0

    def test_steady(self) -> None:
        """A few failures cost a few repeats."""
        made = Storm(threads=20, share=STEADY)
        made.run(times(400))
        assert made.calls < made.requests <= made.most()
        assert made.wrong == 0

    def test_sees_a_storm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a quota, it is more."""
        monkeypatch.setattr(Quota, "take", lambda self, cost: True)
        made = Storm(threads=20, share=DOWN)
        made.run(times(40))
        assert made.requests > made.most()


class TestLeaks:
    """Memory and open files."""

    def test_files(self) -> None:
        """No connection stays open, however its answer ended."""
        found = list(samples(200, step=50))
        assert len({one.files for one in found}) <= 2
        assert [one.sends for one in found] == [50, 100, 150, 200]

    def test_slope(self) -> None:
        """What grows steadily is seen."""
        assert slope([Sample(number, 1000 + 7 * number, 5) for number in range(100)]) == pytest.approx(7)
        assert slope([Sample(number, 1000, 5) for number in range(100)]) == 0


class TestCommand:
    """`python reliability`."""

    @pytest.mark.parametrize(
        "words",
        [
            "faults 500-empty redirect-307",
            "soak --sends 100",
            "soak --sends 100 --without-keys",
            "storm --seconds 0.2 --threads 8",
            "leaks --sends 400",
        ],
    )
    def test_runs(
        self, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It prints figures with machine, date, commit and command, and is content."""
        monkeypatch.setattr(sys, "argv", ["reliability", *words.split()])
        monkeypatch.setattr(leaks, "MAX_SLOPE", 10_000.0)  # so short a run measures its own beginning
        monkeypatch.setattr(leaks, "STEP", 100)
        monkeypatch.setattr(storm, "STEADY", 0.0)  # so few calls are not steady
        assert main(words.split()) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert all(name in said for name in ("date", "machine", "python", "commit", "command"))

    @pytest.mark.parametrize(
        "words,module,name",
        [
            ("faults 500-empty", matrix, "THREADS"),
            ("soak --sends 40", soak, "ROUNDS"),
            ("storm --seconds 0.1 --threads 8", storm, "QUOTA_REPEATS"),
            ("leaks --sends 100", leaks, "MAX_FILES"),
        ],
    )
    def test_fails(
        self,
        words: str,
        module: Any,
        name: str,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Where a promise is broken, the exit code says so."""
        monkeypatch.setattr(module, name, {"THREADS": 1}.get(name, -1))
        monkeypatch.setattr(leaks, "STEP", 50)
        monkeypatch.setattr(Mailer, "send", lambda self, message, **_: 1 / 0)
        assert main(words.split()) == 1

    @pytest.mark.parametrize("words,code", [("", 0), ("--help", 0), ("nonsense", 2)])
    def test_help(self, words: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
        """Without a proof, it says which there are."""
        assert main(words.split()) == code
        assert "python reliability soak" in capsys.readouterr().out

    def test_unknown_fault(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A misspelt fault is named."""
        with pytest.raises(SystemExit) as caught:
            main(["faults", "nonsense"])
        assert caught.value.code == 2
        assert "no such fault: nonsense" in capsys.readouterr().err


class TestLoad:
    """Many sends at once."""

    def test_measures_both(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Each kind of worker sends, and its figures are printed; how fast this machine is proves nothing."""
        assert load.main(["--mails", "1", "--runs", "1", "--pause", "0.01"]) in (0, 1)
        printed = capsys.readouterr().out
        assert "Load, tasks" in printed
        assert "Load, threads" in printed

    def test_sees_one_after_the_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A library that lets only one send go at a time misses the goal."""
        send, lock = Mailer.send, threading.Lock()

        def queued(self: Mailer, message: Any, **options: Any) -> SendResult:
            with lock:
                return send(self, message, **options)

        monkeypatch.setattr(Mailer, "send", queued)
        with Slow(0.02) as provider:
            found = Load(8, 2, 0.02)
            ours, bare = found.best("threads", provider, 1)
            assert ours < found.ideal() / 4 < bare


class TestAcknowledgements:
    """Webhooks, and a handler that takes long."""

    @pytest.mark.parametrize("server", list(acknowledgements.SERVERS))
    def test_keeps_the_promise(self, server: str) -> None:
        """Deferred deliveries are acknowledged long before the first is handled, and each is there."""
        made = Acknowledgements(server=server, clients=4, seconds=0.5, handler=3600)
        made.run()
        assert (made.refused, made.handled, made.lost) == (0, 0, 0)
        assert made.waits

    def test_sees_who_waits(self) -> None:
        """A handler that is called at once makes the provider wait."""
        made = Acknowledgements(server="wsgi", clients=2, seconds=0.1, handler=1.1, at_once=True)
        made.run()
        assert made.within(0.5) > acknowledgements.MOST
        assert not made.keeps_the_promise

    def test_sees_what_is_lost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An acknowledged delivery that is nowhere is found out."""
        monkeypatch.setattr(acknowledgements, "SpoolFolder", lambda path: [])
        made = Acknowledgements(server="wsgi", clients=1, seconds=0.1, handler=3600)
        made.run()
        assert made.lost == len(made.waits) > 0
        assert not made.keeps_the_promise
