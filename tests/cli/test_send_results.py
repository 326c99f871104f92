"""`mailcore send --results`: a run that ended early goes on, and no mail is sent twice."""

from __future__ import annotations

import json
import random
import signal
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailcore.cli._results import Results

pytestmark = pytest.mark.loopback

FROM = ("--from", "ada@example.com")
LETTER = (*FROM, "--text", "Hello")
#: Seconds that a process may take on a busy machine.
PATIENCE = 120.0
HEAD = b'{"run": 1, "provider": "mailpace"}\n'


def people(count: int) -> str:
    """Return a list of as many rows."""
    return "to\n" + "".join(f"user{number}@example.net\n" for number in range(count))


def lines(path: str | Path) -> list[dict[str, Any]]:
    """Return the documents of a file of results."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def sent(lists: Any) -> Counter[str]:
    """Return how often the provider took a mail to each recipient."""
    return Counter(mail["to"] for mail in lists.sent)


class TestFile:
    """What is in it."""

    def test_lines(self, lists: Any) -> None:
        """The run, and of each mail that it was begun and how it ended; the file is its owner's."""
        lists.local.emulator.block("user1@example.net")
        results = lists.folder / "results.jsonl"
        ran = lists.send("--csv", lists.file("p.csv", people(2)), *LETTER, "--results", str(results))
        assert ran.code == 4
        assert "The same command with --resume goes on" in ran.err
        head, *rest = lines(results)
        assert (head["provider"], len(head["run"])) == ("mailpace", 32)
        ends = {line["place"]: line for line in rest if line["outcome"] != "begun"}
        begun = {line["place"]: line for line in rest if line["outcome"] == "begun"}
        assert {place: line["to"] for place, line in begun.items()} == {
            "row 2": ["user0@example.net"],
            "row 3": ["user1@example.net"],
        }
        assert (ends["row 2"]["outcome"], ends["row 2"]["message_id"]) == ("accepted", "1")
        assert (ends["row 3"]["outcome"], ends["row 3"]["error"]) == ("rejected", "RecipientRejected")
        assert ends["row 2"]["key"] == begun["row 2"]["key"] == ends["row 2"]["idempotency_key"]
        assert stat.S_IMODE(results.stat().st_mode) == 0o600

    def test_nothing_is_overwritten(self, lists: Any) -> None:
        """Neither a file of results nor any other; and what is none is not resumed."""
        path = lists.file("p.csv", people(1))
        for name in ("p.csv", "mailcore.toml"):
            ran = lists.send("--csv", path, *LETTER, "--results", str(lists.folder / name))
            assert (ran.code, lists.sent) == (2, [])
            assert "is there already. Give --resume" in ran.err
            ran = lists.send("--csv", path, *LETTER, "--results", str(lists.folder / name), "--resume")
            assert (ran.code, lists.sent) == (2, [])
            assert "is no file of results, or was changed." in ran.err
        assert (lists.folder / "p.csv").read_text() == people(1)

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{}\n",
            b"[]\n",
            b"null\n",
            b"\xff\n",
            b"[" * 100_000 + b"\n",
            HEAD + b"{}\n",
            HEAD + b'{"key": [], "outcome": "begun", "at": "2030-01-01T00:00:00Z"}\n',
            HEAD + b'{"key": "k", "outcome": "begun", "at": "soon"}\n',
        ],
    )
    def test_hostile(self, lists: Any, content: bytes) -> None:
        """What is no such file is one line of complaint."""
        results = lists.file("results", content)
        ran = lists.send("--csv", lists.file("p.csv", people(1)), *LETTER, "--results", results, "--resume")
        assert (ran.code, ran.err.count("\n"), lists.sent) == (2, 1, [])
        assert "is no file of results" in ran.err

    @pytest.mark.parametrize("more", [(), ("--resume",)])
    def test_cannot_be_opened(self, lists: Any, more: tuple[str, ...]) -> None:
        """A folder that is not there, or a file that is not."""
        results = str(lists.folder / "no" / "such")
        ran = lists.send("--csv", lists.file("p.csv", people(1)), *LETTER, "--results", results, *more)
        assert (ran.code, lists.sent) == (2, [])
        assert "cannot be opened: No such file or directory" in ran.err

    def test_endless(self, lists: Any) -> None:
        """What has no lines is not read for ever."""
        ran = lists.send(
            "--csv", lists.file("p.csv", people(1)), *LETTER, "--results", "/dev/zero", "--resume"
        )
        assert (ran.code, lists.sent) == (2, [])

    @pytest.mark.long
    def test_full_disk(self, lists: Any) -> None:
        """A mail that cannot be written down is not sent; what was sent is told."""
        results = lists.folder / "r"
        command = ("--csv", lists.file("p.csv", people(60)), *LETTER, "--results", str(results))
        running = start(lists, *command, limit=8000)
        _, err = running.communicate(timeout=PATIENCE)
        assert running.returncode == 3
        assert "File too large" in err
        assert "60 mails through mailpace: " in err
        assert 0 < len(lists.sent) < 60
        assert lists.send(*command, "--resume").code == 0
        assert len(sent(lists)) == sum(sent(lists).values()) == 60

    def test_one_process_at_a_time(self, lists: Any) -> None:
        """Two runs that resume one file would send twice."""
        results = str(lists.folder / "r")
        path = lists.file("p.csv", people(1))
        assert lists.send("--csv", path, *LETTER, "--results", results).code == 0
        held = Results(results, resume=True, provider="mailpace", promise=None)
        ran = lists.send("--csv", path, *LETTER, "--results", results, "--resume")
        held.close()
        assert ran.code == 2
        assert "Another process is writing to" in ran.err
        assert lists.send("--csv", path, *LETTER, "--results", results, "--resume").code == 0


class TestResume:
    """The same command again."""

    def test_what_was_sent_is_not(self, lists: Any) -> None:
        """What was refused is tried again; the rest is left alone, and the summary says so."""
        lists.local.emulator.block("user1@example.net")
        results = str(lists.folder / "r")
        command = ("--csv", lists.file("p.csv", people(4)), *LETTER, "--results", results)
        assert lists.send(*command).code == 4
        lists.local.emulator.unblock("user1@example.net")
        dry = lists.send(*command, "--resume", "--dry-run")
        assert "It would be 1 mail.\nLeft out: 3 mails sent before." in dry.out
        ran = lists.send(*command, "--resume")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out == "4 mails through mailpace: 1 accepted, 3 sent before.\n"
        assert set(sent(lists).values()) == {1}
        assert len(sent(lists)) == 4
        assert lists.send(*command, "--resume").out == "4 mails through mailpace: 4 sent before.\n"

    def test_list_that_was_mended(self, lists: Any) -> None:
        """Rows may move and be corrected, and the letter as well: whoever has a mail gets no second one."""
        lists.local.emulator.block("user1@example.net")
        results = str(lists.folder / "r")
        lists.send("--csv", lists.file("p.csv", people(3)), *LETTER, "--results", results)
        mended = "to\nnew@example.net\n" + "".join(people(3).splitlines(keepends=True)[1:]).replace(
            "user1", "user9"
        )
        ran = lists.send(
            "--csv", lists.file("p.csv", mended), *FROM, "--text", "Better", "--results", results, "--resume"
        )
        assert ran.code == 0
        assert sent(lists) == Counter(f"{name}@example.net" for name in ("user0", "user2", "user9", "new"))

    def test_rows_alike(self, lists: Any) -> None:
        """Two rows are two mails, and stay two."""
        results = str(lists.folder / "r")
        path = lists.file("p.csv", "to\nbob@example.net\nbob@example.net\n")
        assert lists.send("--csv", path, *LETTER, "--results", results).code == 0
        assert lists.send("--csv", path, *LETTER, "--results", results, "--resume").code == 0
        assert sent(lists) == {"bob@example.net": 2}

    def test_another_run(self, lists: Any) -> None:
        """The same list with another file is sent again, although its provider knows keys."""
        path = lists.file("p.csv", people(1))
        for name in ("monday", "tuesday"):
            assert lists.send("--csv", path, *LETTER, "--results", str(lists.folder / name)).code == 0
        assert sent(lists) == {"user0@example.net": 2}

    def test_own_keys(self, lists: Any) -> None:
        """Keys that the list gives are the provider's, whatever the run."""
        path = lists.file("p.csv", "to,id\nbob@example.net,1\n")
        for name in ("monday", "tuesday"):
            ran = lists.send(
                "--csv",
                path,
                *LETTER,
                "--idempotency-key",
                "bill-{id}",
                "--results",
                str(lists.folder / name),
            )
            assert ran.code == 0
        assert [mail.idempotency_key for mail in lists.local.emulator.sent] == ["bill-1"]

    @pytest.mark.parametrize("fault", ["failed_after", "dropped", "garbled"])
    def test_doubt(self, lists: Any, fault: str) -> None:
        """What may have been sent is repeated under its key, which the provider takes once."""
        setattr(lists.local._chaos, fault, 1.0)
        results = str(lists.folder / "r")
        command = ("--csv", lists.file("p.csv", people(5)), *LETTER, "--results", results)
        ran = lists.send(*command)
        assert (ran.code, ran.out) == (5, "5 mails through mailpace: 5 may have been sent.\n")
        setattr(lists.local._chaos, fault, 0.0)
        ran = lists.send(*command, "--resume")
        assert (ran.code, ran.out) == (0, "5 mails through mailpace: 5 accepted.\n")
        assert set(sent(lists).values()) == {1}

    def test_doubt_stays(self, lists: Any) -> None:
        """That a repeat was refused proves nothing about the mail that may have been sent."""
        lists.local._chaos.dropped = 1.0
        results = str(lists.folder / "r")
        command = ("--csv", lists.file("p.csv", people(1)), *LETTER, "--results", results)
        assert lists.send(*command).code == 5
        lists.local._chaos.dropped, lists.local._chaos.throttled = 0.0, 1.0
        ran = lists.send(*command, "--resume")
        assert ran.code == 5
        assert "row 2: It may have been sent before." in ran.err
        lists.local._chaos.throttled = 0.0
        assert lists.send(*command, "--resume").code == 0
        assert sent(lists) == {"user0@example.net": 1}

    def test_key_that_is_forgotten(self, lists: Any) -> None:
        """After a day the provider has no use of the key, and the mail is not repeated."""
        lists.local._chaos.dropped = 1.0
        results = lists.folder / "r"
        command = ("--csv", lists.file("p.csv", people(1)), *LETTER, "--results", str(results))
        assert lists.send(*command).code == 5
        lists.local._chaos.dropped = 0.0
        old = (datetime.now(UTC) - timedelta(hours=23)).isoformat()
        documents = [{**line, "at": old} for line in lines(results)]
        results.write_text("".join(json.dumps(line) + "\n" for line in documents))
        dry = lists.send(*command, "--resume", "--dry-run")
        assert dry.out.endswith("It would be 0 mails.\nLeft out: 1 mail that may have been sent before.\n")
        ran = lists.send(*command, "--resume")
        assert (ran.code, ran.out) == (5, "1 mail through mailpace: 1 may have been sent.\n")
        assert "row 2: It may have been sent by an earlier run, and is not repeated" in ran.err
        assert sent(lists) == {"user0@example.net": 1}

    def test_provider_without_keys(self, lists: Any) -> None:
        """Nothing stops a second mail there, so that a mail in doubt is left to a person."""
        from mailcore.sandbox import Chaos, LocalProvider

        with LocalProvider("postmark", chaos=Chaos(dropped=1.0)) as local:
            settings = [f"{name} = {json.dumps(value)}" for name, value in local.settings.items()]
            lists.config.write_text("\n".join(["[mailers.local]", *settings]))
            command = ("--csv", lists.file("p.csv", people(2)), *LETTER, "--results", str(lists.folder / "r"))
            assert lists.send(*command).code == 5
            local._chaos.dropped = 0.0  # type: ignore[union-attr]  # reason: given above
            ran = lists.send(*command, "--resume")
            assert (ran.code, ran.out) == (5, "2 mails through postmark: 2 may have been sent.\n")
            assert len(local.emulator.sent) == 2  # type: ignore[attr-defined]  # reason: Postmark's own

    def test_another_provider(self, lists: Any) -> None:
        """Its keys are its own."""
        results = str(lists.folder / "r")
        path = lists.file("p.csv", people(1))
        assert lists.send("--csv", path, *LETTER, "--results", results).code == 0
        ran = lists.run(
            "send", "--provider", "console", "--csv", path, *LETTER, "--results", results, "--resume"
        )
        assert ran.code == 2
        assert "is of a run with mailpace" in ran.err

    def test_chaos(self, lists: Any) -> None:
        """On a bad day, a few repeats get every mail through, once each."""
        chaos = lists.local._chaos
        for name in ("throttled", "failed", "failed_after", "dropped", "garbled"):
            setattr(chaos, name, 0.1)
        command = ("--csv", lists.file("p.csv", people(80)), *LETTER, "--results", str(lists.folder / "r"))
        code = lists.send(*command).code
        assert code in (5, 6)
        for _ in range(30):
            code = lists.send(*command, "--resume").code
            if code == 0:
                break
        assert code == 0
        assert sent(lists) == Counter(f"user{number}@example.net" for number in range(80))


#: A process that can write so many bytes into one file; Python itself is told of a signal by an error.
LIMITED = """
import resource, sys
sys.dont_write_bytecode = True  # half a compiled module would be found by whoever imports it next
from mailcore.cli import main
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.exit(main())
"""


def start(lists: Any, *arguments: str, limit: int | None = None) -> subprocess.Popen[str]:
    """Start `mailcore send` in a process of its own."""
    program = ["-m", "mailcore.cli"] if limit is None else ["-c", LIMITED, str(limit)]
    return subprocess.Popen(
        [sys.executable, *program, "send", "--config", str(lists.config), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(lists: Any, count: int) -> None:
    """Wait until the provider has as many mails."""
    until = time.monotonic() + PATIENCE
    while len(lists.local.emulator.sent) < count:
        assert time.monotonic() < until, "The mails did not come."
        time.sleep(0.01)


@pytest.mark.long
class TestEndedEarly:
    """A run that something stops."""

    @pytest.fixture(autouse=True)
    def heeded(self) -> Iterator[None]:
        """Let programs that are started here heed Ctrl-C, also where the tests run in the background."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
        signal.signal(signal.SIGINT, before)

    def test_in_the_background(self, lists: Any) -> None:
        """A Ctrl-C that the shell had it ignore is somebody else's."""
        lists.local._chaos.latency = 0.05
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited by what is started
        running = start(lists, "--csv", lists.file("p.csv", people(40)), *LETTER)
        wait_for(lists, 2)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=PATIENCE)
        assert (running.returncode, len(lists.sent)) == (0, 40)
        assert "Stopping" not in err

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_interrupted(self, lists: Any, number: signal.Signals) -> None:
        """What is under way ends and is counted; the rest waits for the next run."""
        lists.local._chaos.latency = 0.05
        results = str(lists.folder / "r")
        command = ("--csv", lists.file("p.csv", people(200)), *LETTER, "--results", results)
        running = start(lists, *command, "--json")
        wait_for(lists, 10)
        running.send_signal(number)
        out, err = running.communicate(timeout=PATIENCE)
        document = json.loads(out)
        assert (running.returncode, document["interrupted"]) == (130, True)
        assert "Stopping. What is under way is finished first." in err
        assert "--resume goes on" in err
        assert document["accepted"] == len(lists.sent) < 200
        assert document["not_tried"] == 200 - document["accepted"]
        lists.local._chaos.latency = 0.0
        assert lists.send(*command, "--resume").code == 0
        assert len(sent(lists)) == sum(sent(lists).values()) == 200

    def test_interrupted_while_checked(self, lists: Any) -> None:
        """Nothing is sent, and nothing needs to be said."""
        running = start(lists, "--csv", "-", *LETTER)
        assert running.stdin
        running.stdin.write(people(100_000))  # a pipe holds little of it: the rest has been read
        running.stdin.flush()
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=PATIENCE)
        assert (running.returncode, out, lists.sent) == (130, "", [])

    @pytest.mark.parametrize("seed", range(1, 5))
    def test_killed(self, lists: Any, seed: int) -> None:
        """At any moment, without a word: the file knows what was under way."""
        chance = random.Random(seed)
        lists.local._chaos.latency = 0.01
        results = str(lists.folder / "r")
        command = ("--csv", lists.file("p.csv", people(150)), *LETTER, "--results", results)
        for attempt in range(3):
            more = ("--resume",) if attempt else ()
            running = start(lists, *command, *more)
            wait_for(lists, 20 * attempt + 5)
            time.sleep(chance.random() / 20)
            running.kill()
            running.communicate()
        lists.local._chaos.latency = 0.0
        ran = lists.send(*command, "--resume")
        assert ran.code == 0, ran.err
        assert len(sent(lists)) == sum(sent(lists).values()) == 150

    def test_killed_at_a_provider_without_keys(self, lists: Any) -> None:
        """There, what was under way is not sent again, and nothing else is left out."""
        from mailcore.sandbox import Chaos, LocalProvider

        with LocalProvider("mailgun", chaos=Chaos(latency=0.2)) as local:
            emulator: Any = local.emulator
            settings = [f"{name} = {json.dumps(value)}" for name, value in local.settings.items()]
            lists.config.write_text("\n".join(["[mailers.local]", *settings]))
            results = lists.folder / "r"
            command = ("--csv", lists.file("p.csv", people(40)), *LETTER, "--results", str(results))
            running = start(lists, *command)
            while len(emulator.sent) < 20:
                time.sleep(0.01)
            running.kill()
            running.communicate()
            ended = {line["key"] for line in lines(results)[1:] if line["outcome"] != "begun"}
            doubts = {line["key"] for line in lines(results)[1:]} - ended
            time.sleep(1)  # what had arrived when the process ended is taken
            assert doubts
            assert len(emulator.sent) >= 20
            ran = lists.send(*command, "--resume", "--json")
            document = json.loads(ran.out)
            assert (ran.code, document["unknown"]) == (5, len(doubts))
            assert document["accepted"] + document["sent_before"] == 40 - len(doubts)
            assert len(emulator.sent) <= 40
            assert max(Counter(mail.recipients for mail in emulator.sent).values()) == 1

    def test_line_that_was_cut_off(self, lists: Any) -> None:
        """The last line may be half there; its mail had not been begun."""
        results = lists.folder / "r"
        command = ("--csv", lists.file("p.csv", people(2)), *LETTER, "--results", str(results))
        assert lists.send(*command).code == 0
        whole = results.read_bytes()
        results.write_bytes(whole + b'{"at": "2030-01-')
        assert lists.send(*command, "--resume").code == 0
        assert results.read_bytes() == whole
        assert len(lists.sent) == 2
