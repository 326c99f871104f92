"""`mailcore send --eml`: mails as they stand in files."""

from __future__ import annotations

import json
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mailcore.cli import _eml

pytestmark = pytest.mark.loopback

PLAIN = b"From: ada@example.com\r\nTo: Bob <bob@example.net>\r\nSubject: Hi\r\n\r\nHello\r\n"
UTF8 = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"


def full() -> bytes:
    """Return a mail with all that is usual."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Cc"] = "Zo\xeb <zoe@example.com>", "bob@example.net", "c@example.net"
    mail["Subject"] = "Gr\xfc\xdfe"
    mail.set_content("Hello\n")
    mail.add_alternative("<p>Hello</p>\n", subtype="html")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="bill.pdf")
    return mail.as_bytes()


class TestMails:
    """What is sent."""

    def test_one_file(self, lists: Any) -> None:
        """All of the mail arrives as it stands."""
        ran = lists.send("--eml", lists.file("mail.eml", full()))
        assert (ran.code, ran.err, ran.out) == (0, "", "1 mail through mailpace: 1 accepted.\n")
        [mail] = lists.sent
        assert (mail["from"], mail["cc"], mail["subject"]) == (
            "Zo\xeb <zoe@example.com>", "c@example.net", "Gr\xfc\xdfe",
        )  # fmt: skip
        assert (mail["textbody"].strip(), mail["htmlbody"].strip()) == ("Hello", "<p>Hello</p>")
        assert [file["name"] for file in mail["attachments"]] == ["bill.pdf"]

    def test_folder_and_files(self, lists: Any) -> None:
        """A folder stands for its files *.eml in order of their names, and nothing else in it."""
        for name in ("2.eml", "1.EML", "notes.txt", "3.eml.bak"):
            lists.file(f"out/{name}", PLAIN.replace(b"Hi", name.encode()))
        last = lists.file("last.txt", PLAIN.replace(b"Hi", b"last"))
        ran = lists.send("--eml", str(lists.folder / "out"), "--eml", last, "--concurrency", "1")
        assert ran.code == 0
        assert [mail.payload["subject"] for mail in lists.local.emulator.sent] == ["1.EML", "2.eml", "last"]

    def test_standard_input(self, lists: Any) -> None:
        """A program may write the mail."""
        assert lists.send("--eml", "-", stdin=PLAIN).code == 0
        assert len(lists.sent) == 1

    def test_resume(self, lists: Any) -> None:
        """A file is known by what is in it: a new name makes no new mail."""
        first, second = (
            lists.file(f"{name}.eml", PLAIN.replace(b"bob", name.encode())) for name in ("a", "b")
        )
        lists.local.emulator.block("b@example.net")
        results = str(lists.folder / "r")
        assert lists.send("--eml", first, "--eml", second, "--results", results).code == 4
        lists.local.emulator.unblock("b@example.net")
        moved = Path(first).rename(lists.folder / "z.eml")
        ran = lists.send("--eml", second, "--eml", str(moved), "--results", results, "--resume")
        assert (ran.code, ran.out) == (0, "2 mails through mailpace: 1 accepted, 1 sent before.\n")

    @pytest.mark.parametrize(
        "old, new, words",
        [
            (b"Subject", b"Date: yesterday\r\nSubject", "defect bad_date in Date: Not a date."),
            (
                b"Subject",
                b"Content-Type: text/plain; charset=nonsense\r\nSubject",
                "defect bad_charset in part 0",
            ),
        ],
    )
    def test_defects_are_told(self, lists: Any, old: bytes, new: bytes, words: str) -> None:
        """What is odd about a mail is told, and the mail is sent."""
        ran = lists.send("--eml", lists.file("odd.eml", PLAIN.replace(old, new)))
        assert (ran.code, len(lists.sent)) == (0, 1)
        assert f"odd.eml: {words}" in ran.err

    def test_large_mails_are_not_all_in_memory(self, lists: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A provider that takes batches is given no more of them than fit, and is given all."""
        import mailcore.cli._mailing as mailing

        monkeypatch.setattr(mailing, "MAX_TAKEN", 1000)
        for number in range(20):
            lists.file(f"out/{number}.eml", PLAIN + b"x" * 400)
        ran = lists.run("send", "--provider", "memory", "--eml", str(lists.folder / "out"))
        assert (ran.code, ran.out) == (0, "20 mails through memory: 20 accepted.\n")


class TestNothingIsSent:
    """A list of files of which one is no mail."""

    @pytest.mark.parametrize(
        "content, words",
        [
            (b"", "It is empty."),
            (b"\n\n", "It is empty."),
            (b"\x00\x01\x02", "It has no From."),
            (b"hello", "It has no From."),
            (PLAIN.replace(b"From: ada@example.com\r\n", b""), "It has no From. Give it one, or a default"),
            (PLAIN.replace(b"To: Bob <bob@example.net>\r\n", b""), "It has no recipient: no To, Cc or Bcc."),
            (PLAIN.replace(b"Hello\r\n", b""), "It has no content."),
            (PLAIN.replace(b"bob@", b"bob"), "to: 'Bob <bobexample.net>' is not an address."),
            (PLAIN.replace(b"Bob", b"=?utf-8?b?QQpCY2M6IHg=?="), "holds a control character"),
            (PLAIN.replace(b"Hi", b"=?utf-8?q?a=0d=0aBcc:_x?="), "subject: "),
            (PLAIN.replace(b"Hi", b"Hi\r\nSubject: Ho"), "subject: There is more than one."),
            (
                PLAIN.replace(b"Hello", b"\xff").replace(b"Subject", UTF8 + b"Subject"),
                "not in the charset it names",
            ),
            (PLAIN.replace(b"Subject", b"X-Mine: 1\r\nSubject"), "can carry no headers"),
            (
                PLAIN.replace(b"Subject", b"Content-Type: multipart/mixed; boundary=x\r\nSubject"),
                "has no parts",
            ),
            (
                PLAIN.replace(b"Subject", b"Content-Type: multipart/signed; boundary=x\r\nSubject"),
                "cannot be sent",
            ),
        ],
    )
    def test_file(self, lists: Any, content: bytes, words: str) -> None:
        """The error names it, and the other mail is not sent either."""
        good, bad = lists.file("good.eml", PLAIN), lists.file("bad.eml", content)
        ran = lists.send("--eml", good, "--eml", bad)
        assert (ran.code, ran.out, lists.sent) == (2, "", [])
        told = next(line for line in ran.err.splitlines() if f"{bad}: " in line and "defect" not in line)
        assert words in told
        assert "1 of 2 mails cannot be sent, so none was." in ran.err

    def test_too_large(self, lists: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file is read no further than a mail may be long."""
        monkeypatch.setattr(_eml, "MAX_MAIL", 1024 * 1024)
        ran = lists.send("--eml", "/dev/zero")
        assert (ran.code, lists.sent) == (2, [])
        assert "/dev/zero: It has more than 1 MiB." in ran.err

    def test_nested_deeply(self, lists: Any) -> None:
        """A mail within a mail within a mail ends in a word, not in a trace."""
        depth = 3000
        nested = b"".join(
            b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level)
            for level in range(depth)
        )
        bad = lists.file("deep.eml", PLAIN.split(b"\r\n\r\n")[0] + b"\r\n" + nested + b"\r\nx")
        ran = lists.send("--eml", bad)
        assert (ran.code, lists.sent) == (2, [])
        assert "deep.eml: " in ran.err
        assert "bug" not in ran.err

    @pytest.mark.parametrize(
        "arguments, words",
        [
            (("--eml", "/no/such/file"), "'/no/such/file' cannot be read"),
            (("--to", "x@example.net"), "--to does not go with --eml: the mail is sent as it stands."),
            (("--text", "x"), "--text does not go with --eml"),
            (("--attach", "x"), "--attach does not go with --eml"),
            (("--idempotency-key", "x"), "--idempotency-key does not go with --eml"),
            (("--delimiter", ";"), "--delimiter is of --csv"),
        ],
    )
    def test_options(self, lists: Any, arguments: tuple[str, ...], words: str) -> None:
        """A mail says all of itself."""
        ran = lists.send("--eml", lists.file("mail.eml", PLAIN), *arguments)
        assert (ran.code, lists.sent) == (2, [])
        assert words in ran.err

    def test_empty_folder(self, lists: Any) -> None:
        """A folder without mails is a mistake."""
        lists.file("out/mail.txt", PLAIN)
        ran = lists.send("--eml", str(lists.folder / "out"))
        assert (ran.code, lists.sent) == (2, [])
        assert "has no files *.eml" in ran.err

    def test_dry_run(self, lists: Any) -> None:
        """All is checked and told, also to programs."""
        ran = lists.send("--eml", lists.file("mail.eml", PLAIN), "--dry-run", "--json")
        document = json.loads(ran.out)
        assert (ran.code, lists.sent, document["mails"]) == (0, [], 1)
        assert document["request"]["body"]["subject"] == "Hi"
