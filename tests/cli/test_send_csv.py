"""`mailcore send --csv`: one mail for each row, and none where one row is wrong."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import click
import pytest

from mailcore import Message, PluginHost, SendCancelled, hookimpl
from mailcore.cli import _rows
from mailcore.cli._rows import open_rows

pytestmark = pytest.mark.loopback

FROM = ("--from", "Ada <ada@example.com>")
LETTER = (*FROM, "--subject", "Hi {name}", "--text", "You owe {amount}.")
PEOPLE = 'to,name,amount\nbob@example.net,Bob,3\ncarol@example.net,"Lovelace, Carol",<4>\n'


class TestMails:
    """What the rows and the options make."""

    def test_one_for_each_row(self, lists: Any) -> None:
        """Each has its own recipient, name and text, and the summary counts them."""
        ran = lists.send("--csv", lists.file("people.csv", PEOPLE), *LETTER, "--html", "<b>{amount}</b>")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out == "2 mails through mailpace: 2 accepted.\n"
        carol, bob = lists.sent
        assert [mail["to"] for mail in (bob, carol)] == [
            "Bob <bob@example.net>",
            '"Lovelace, Carol" <carol@example.net>',
        ]
        assert (bob["subject"], bob["textbody"], bob["htmlbody"]) == ("Hi Bob", "You owe 3.", "<b>3</b>")
        assert (carol["subject"], carol["textbody"]) == ("Hi Lovelace, Carol", "You owe <4>.")
        assert carol["htmlbody"] == "<b>&lt;4&gt;</b>"

    def test_columns_named_like_options(self, lists: Any) -> None:
        """They give what no option gives; a column of HTML is HTML already, and no cell is a template."""
        cells = "bob@example.net,eve@example.com,c@example.net,r@example.com,{to},T,<b>H</b>,t"
        rows = f"To,From,CC,reply_to,Subject,Text,HTML,Tag\n{cells}\n"
        ran = lists.send("--csv", lists.file("people.csv", rows), *FROM)
        assert ran.code == 0, ran.err
        assert lists.sent == [
            {
                "from": "Ada <ada@example.com>",
                "to": "bob@example.net",
                "cc": "c@example.net",
                "replyto": "r@example.com",
                "subject": "{to}",
                "textbody": "T",
                "htmlbody": "<b>H</b>",
                "tags": ["t"],
            }
        ]

    def test_addresses_by_option(self, lists: Any) -> None:
        """An option says which columns hold them; an empty cell is nobody."""
        rows = "email,boss,id\nbob@example.net,,1\ncarol@example.net,b@example.net,2\n"
        ran = lists.send(
            "--csv", lists.file("p.csv", rows), *FROM, "--text", "x",
            "--to", "Dear <{email}>", "--cc", "{boss}", "--tag", "no-{id}",
        )  # fmt: skip
        assert ran.code == 0, ran.err
        assert [mail.get("cc") for mail in lists.sent] == [None, "b@example.net"]
        assert [mail["tags"] for mail in lists.sent] == [["no-1"], ["no-2"]]

    def test_files_for_everybody(self, lists: Any) -> None:
        """An attachment goes with each mail."""
        report = lists.file("report.txt", "x")
        assert lists.send("--csv", lists.file("p.csv", PEOPLE), *LETTER, "--attach", report).code == 0
        assert [mail["attachments"][0]["name"] for mail in lists.sent] == ["report.txt"] * 2

    @pytest.mark.parametrize(
        "content",
        [
            PEOPLE.encode("utf-8-sig"),
            PEOPLE.replace("\n", "\r\n").encode(),
            PEOPLE.replace("\n", "\r").encode(),
            ("\n\n" + PEOPLE.replace("\n", "\n\n,,\n")).encode(),
            PEOPLE.replace("to,name,amount", " TO , Name,amount").encode(),
        ],
        ids=["byte order mark", "windows", "old mac", "blank rows", "case"],
    )
    def test_forms_of_a_file(self, lists: Any, content: bytes) -> None:
        """What programs write is read alike."""
        assert lists.send("--csv", lists.file("people.csv", content), *LETTER).code == 0
        assert [mail["subject"] for mail in lists.sent] == ["Hi Lovelace, Carol", "Hi Bob"]

    @pytest.mark.parametrize("delimiter, given", [(";", ";"), ("\t", "tab"), ("\t", "\\t"), ("|", "|")])
    def test_delimiters(self, lists: Any, delimiter: str, given: str) -> None:
        """Any character may stand between the cells."""
        rows = f"to{delimiter}name\nbob@example.net{delimiter}Bob\n"
        ran = lists.send("--csv", lists.file("p.csv", rows), "--delimiter", given, *FROM, "--text", "{name}")
        assert ran.code == 0, ran.err
        assert lists.sent[0]["textbody"] == "Bob"

    def test_standard_input(self, lists: Any) -> None:
        """It can be read once, and is checked before it is sent all the same."""
        assert lists.send("--csv", "-", *LETTER, stdin=PEOPLE.encode()).code == 0
        assert len(lists.sent) == 2

    def test_pipe(self, lists: Any) -> None:
        """So can what a shell puts in the place of a file."""
        pipe = lists.folder / "pipe"
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_text, args=(PEOPLE,))
        writer.start()
        assert lists.send("--csv", str(pipe), *LETTER).code == 0
        writer.join()
        assert len(lists.sent) == 2


class TestNothingIsSent:
    """A list that is wrong anywhere is not begun."""

    @pytest.mark.parametrize(
        "row, words",
        [
            ("nobody,Eve,1", "row 3: column 'to': 'nobody' is not an address"),
            (
                '"a@example.net, b@example.net",Eve,1',
                "row 3: column 'to': 'a@example.net, b@example.net' holds 2",
            ),
            (",Eve,1", "row 3: There is no recipient. Give --to, --cc or --bcc."),
            (
                'e@example.net,"Eve\r\nBcc: x@example.org",1',
                "row 3: column 'name': holds a control character",
            ),
            ('"e@example.net\r\nBcc: x@example.org",Eve,1', "row 3: column 'to': holds a control character"),
            ('e@example.net,"Eve\u202e",1', "row 3: column 'name': holds a bidi"),
            ("e@example.net,Eve,1,2", "Row 3 has 4 cells, and the header 3"),
            ("e@example.net,Eve", "Row 3 has 2 cells, and the header 3"),
            ('e@example.net,"Eve"x,1', "Row 3 of {path} cannot be read: ',' expected after '\"'. Is a quote"),
            ('e@example.net,"Eve,1', "Row 3 of {path} cannot be read: unexpected end of data. Is a quote"),
            ("e@example.net,E\0ve,1", "Row 3 of {path} cannot be read: It holds a NUL, as UTF-16 does"),
            (
                f"e@example.net,{'x' * 131_073},1",
                "Row 3 of {path} cannot be read: field larger than field limit",
            ),
        ],
    )
    def test_row(self, lists: Any, row: str, words: str) -> None:
        """The error names the row, and where it can the column; the rows around it are not sent."""
        path = lists.file("p.csv", f"to,name,amount\nbob@example.net,Bob,3\n{row}\n")
        ran = lists.send("--csv", path, *LETTER)
        assert (ran.code, ran.out, lists.sent) == (2, "", [])
        assert words.format(path=path) in ran.err

    @pytest.mark.parametrize(
        "content, words",
        [
            (b"", "is empty. Its first row names the columns."),
            (b"\n,,\n", "is empty"),
            (b"name,amount\nBob,3\n", "Name the column of addresses 'to', or give --to '{column}'."),
            (b"to;name;amount\nb@example.net;Bob;3\n", "has one column only. Give --delimiter ';'."),
            (b"to\tname\tamount\n", "Give --delimiter tab."),
            (b"to,name,TO,amount\n", "has two columns 'to'. Rename one."),
            (b"to,amount\nb@example.net,3\n", "--subject holds {name}, and there is no such column."),
            (PEOPLE.encode("utf-16"), "It is not UTF-8. Save the file as"),
            (PEOPLE.encode("utf-16-le"), "It holds a NUL, as UTF-16 does."),
            ("to,name,amount\nb@example.net,Zo\xeb,1\n".encode("latin-1"), "It is not UTF-8."),
            (b"to," + b"x" * (_rows.MAX_ROW + 1), "It has more than 4194304 characters"),
        ],
    )
    def test_file(self, lists: Any, content: bytes, words: str) -> None:
        """What is no such file is told, with the way out."""
        ran = lists.send("--csv", lists.file("p.csv", content), *LETTER)
        assert (ran.code, ran.out, lists.sent) == (2, "", [])
        assert words in ran.err

    @pytest.mark.parametrize(
        "arguments, words",
        [
            (("--eml", "x"), "--csv and --eml exclude each other"),
            (("--delimiter", ",,"), "--delimiter is one character, or tab"),
            (("--delimiter", '"'), "--delimiter is one character, or tab"),
            (("--resume",), "Give --results FILE as well"),
            (("--text", "-", "--csv", "-"), "Only one of --csv, --text and --html"),
            (("--csv", "/no/such/file"), "'/no/such/file' cannot be read"),
            (("--csv", "/"), "'/' cannot be read"),
            (("--concurrency", "0"), "concurrency"),
            (("--idempotency-key", "x"), "row 3: --idempotency-key: Another mail of the list has the same."),
            (("--header", "X-A: {amount}"), "can carry no headers"),
            (("--header", "X-A: {b}"), "--header X-A holds {b}, and there is no such column"),
            (("--attach", "{name}.pdf"), "cannot be read"),
        ],
    )
    def test_options(self, lists: Any, arguments: tuple[str, ...], words: str) -> None:
        """Options that cannot be meant are refused."""
        ran = lists.send("--csv", lists.file("p.csv", PEOPLE), *LETTER, *arguments)
        assert (ran.code, ran.out, lists.sent) == (2, "", [])
        assert words in ran.err

    @pytest.mark.parametrize("option", [("--delimiter", ";"), ("--results", "x"), ("--concurrency", "3")])
    def test_options_without_a_list(self, lists: Any, option: tuple[str, ...]) -> None:
        """One message has no rows."""
        ran = lists.send(*FROM, "--to", "bob@example.net", "--text", "x", *option)
        assert (ran.code, lists.sent) == (2, [])
        assert "Give --csv" in ran.err

    def test_every_problem_is_told_at_once(self, lists: Any) -> None:
        """Up to a number; then how many there are."""
        rows = PEOPLE + "".join(f"nobody{number},Eve,1\n" for number in range(30))
        ran = lists.send("--csv", lists.file("p.csv", rows), *LETTER, "--json")
        document = json.loads(ran.out)
        assert (ran.code, document["exit_code"], document["mails"], document["wrong"]) == (2, 2, 32, 30)
        assert document["problems"][0]["place"] == "row 4"
        assert len(document["problems"]) == 20
        assert ran.err.count("\n") == 21
        assert "30 of 32 mails cannot be sent, so none was." in ran.err

    def test_dry_run(self, lists: Any) -> None:
        """All is checked, the first request shown, and nothing sent or written."""
        results = lists.folder / "results"
        path = lists.file("p.csv", PEOPLE)
        ran = lists.send("--csv", path, *LETTER, "--dry-run", "--results", str(results))
        assert (ran.code, ran.err, lists.sent, results.exists()) == (0, "", [], False)
        assert "Nothing is sent. It would be 2 mails." in ran.out
        assert '"to": "Bob <bob@example.net>"' in ran.out
        shown = json.loads(lists.send("--csv", path, *LETTER, "--dry-run", "--json").out)
        assert (shown["mails"], shown["request"]["body"]["subject"]) == (2, "Hi Bob")


class TestHowItEnds:
    """The exit code says the worst, the summary all."""

    def test_some_are_refused(self, lists: Any) -> None:
        """What is wrong with one mail stops none of the others."""
        lists.local.emulator.block("bob@example.net")
        ran = lists.send("--csv", lists.file("p.csv", PEOPLE), *LETTER)
        assert (ran.code, ran.out) == (4, "2 mails through mailpace: 1 accepted, 1 rejected.\n")
        assert "mailcore: row 2: " in ran.err
        assert [mail["subject"] for mail in lists.sent] == ["Hi Lovelace, Carol"]

    @pytest.mark.parametrize(
        "chaos, code, outcome",
        [
            ({"throttled": 1.0}, 6, "not_accepted"),
            ({"failed": 1.0}, 5, "unknown"),
            ({"dropped": 1.0}, 5, "unknown"),
        ],
    )
    def test_all_fail(self, lists: Any, chaos: dict[str, float], code: int, outcome: str) -> None:
        """Each outcome has the code that one mail has."""
        for name, value in chaos.items():
            setattr(lists.local._chaos, name, value)
        ran = lists.send("--csv", lists.file("p.csv", PEOPLE), *LETTER, "--json")
        document = json.loads(ran.out)
        assert (ran.code, document[outcome], document["accepted"]) == (code, 2, 0)
        assert [failure["place"] for failure in document["failures"]] == ["row 2", "row 3"]

    def test_worst_is_the_code(self, lists: Any) -> None:
        """A mail in doubt counts for more than one that was refused."""
        from mailcore_mailpace.emulator import Fault

        lists.local.emulator.inject(Fault.ERROR_AFTER_QUEUEING)
        lists.local.emulator.block("carol@example.net")
        ran = lists.send("--csv", lists.file("p.csv", PEOPLE), *LETTER, "--concurrency", "1")
        assert (ran.code, ran.out) == (5, "2 mails through mailpace: 1 rejected, 1 may have been sent.\n")

    def test_account_is_refused(self, lists: Any) -> None:
        """Where every mail would fail alike, the rest is not tried."""
        lists.config.write_text(lists.config.read_text().replace('api_key = "', 'api_key = "not-'))
        rows = "to\n" + "".join(f"user{number}@example.net\n" for number in range(200))
        ran = lists.send("--csv", lists.file("p.csv", rows), *FROM, "--text", "x", "--json")
        document = json.loads(ran.out)
        assert (ran.code, document["accepted"]) == (4, 0)
        assert 1 <= document["rejected"] <= 9
        assert document["not_tried"] == 200 - document["rejected"]
        assert "Stopping: every further mail would fail like that." in ran.err

    def test_provider_is_down(self, lists: Any) -> None:
        """An outage is noticed, and the rest of the list left for later."""
        lists.local._chaos.throttled = 1.0
        rows = "to\n" + "".join(f"user{number}@example.net\n" for number in range(200))
        ran = lists.send("--csv", lists.file("p.csv", rows), *FROM, "--text", "x", "--json")
        document = json.loads(ran.out)
        assert (ran.code, document["accepted"]) == (6, 0)
        assert 20 <= document["not_accepted"] <= 28
        assert len(document["failures"]) == 20
        assert "Further failures are not shown." in ran.err

    def test_plugin_holds_some_back(self, lists: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """One mail that a plugin stops is no fault of the list."""

        class Plugin:
            @hookimpl
            def mailcore_before_send(self, message: Message) -> None:
                if "bob" in message.to[0].addr_spec:
                    raise SendCancelled("Bob has unsubscribed.")

        monkeypatch.setattr(PluginHost, "_default", PluginHost({"guard": Plugin()}))
        ran = lists.send("--csv", lists.file("p.csv", PEOPLE), *LETTER)
        assert (ran.code, ran.out) == (2, "2 mails through mailpace: 1 accepted, 1 held back.\n")
        assert "row 2: Bob has unsubscribed." in ran.err

    def test_advice_is_told_once(self, lists: Any) -> None:
        """The provider's advice on a list is not told for each of its mails."""
        report = lists.file("report.exe", "x")
        rows = "to\n" + "".join(f"user{number}@example.net\n" for number in range(5))
        ran = lists.send("--csv", lists.file("p.csv", rows), *FROM, "--text", "x", "--attach", report)
        assert ran.err.count("may refuse this message") == 1


class TestProgress:
    """Whoever watches a terminal sees how far it is."""

    def watched(self, lists: Any, *more: str) -> tuple[str, str]:
        """Return what a terminal shows on standard error, and what a pipe gets."""
        rows = "to\n" + "".join(f"user{number}@example.net\n" for number in range(30))
        leader, follower = os.openpty()
        command = [
            "send",
            "--config",
            str(lists.config),
            "--csv",
            lists.file("p.csv", rows),
            *FROM,
            "--text",
            "x",
        ]
        with subprocess.Popen(
            [sys.executable, "-m", "mailcore.cli", *command, *more],
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=follower,
            text=True,
        ) as running:
            os.close(follower)
            shown = b""
            with contextlib.suppress(OSError):  # how a terminal says that nobody writes to it any more
                while data := os.read(leader, 65536):
                    shown += data
            out, _ = running.communicate(timeout=30)
        os.close(leader)
        return shown.decode(), out

    def test_bar(self, lists: Any) -> None:
        """The bar is on standard error, and the summary alone on standard output."""
        shown, out = self.watched(lists)
        assert "Sending" in shown
        assert "30/30" in shown
        assert out == "30 mails through mailpace: 30 accepted.\n"

    def test_json(self, lists: Any) -> None:
        """A program needs none."""
        shown, out = self.watched(lists, "--json")
        assert (shown, json.loads(out)["accepted"]) == ("", 30)


class TestRows:
    """The file is read a row at a time."""

    def test_memory(self, tmp_path: Path) -> None:
        """A large file does not become large here."""
        path = tmp_path / "large.csv"
        path.write_text("to,text\n" + f"bob@example.net,{'x' * 1000}\n" * 20_000)
        with open_rows(str(path)) as rows:
            tracemalloc.start()
            assert sum(1 for _ in rows) == sum(1 for _ in rows) == 20_000
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < 2_000_000

    def test_line_without_an_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A line is not read to its end before it is found too long."""
        monkeypatch.setattr(_rows, "MAX_ROW", 1000)
        path = tmp_path / "endless.csv"
        path.write_text("to,text\n" + "x" * 10_000_000)
        with open_rows(str(path)) as rows:
            tracemalloc.start()
            with pytest.raises(click.UsageError, match=r"Row 2 .* more than 1000"):
                list(rows)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < 1_000_000

    def test_row_without_an_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A row of many lines is bounded as one."""
        monkeypatch.setattr(_rows, "MAX_ROW", 1000)
        path = tmp_path / "endless.csv"
        path.write_text("to,text\n" + '"a\n",' * 1000)
        with open_rows(str(path)) as rows, pytest.raises(click.UsageError, match=r"Row 2 .* more than 1000"):
            list(rows)
