"""The mailbox of a sandbox: kept, searched, capped, and what a bad file is told as."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

from mailcore.exceptions import MailcoreError
from mailcore.sandbox._kept import Exchange, Mail, Webhook
from mailcore.sandbox._mailbox import Mailbox

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def mail(subject: str = "Hi", **more: object) -> Mail:
    """Return a mail that is not kept yet."""
    fields = {"at": NOW, "provider": "mailpace", "sender": "a@x.example", "recipients": ["b@x.example"]}
    return Mail(**{**fields, "subject": subject, **more})  # type: ignore[arg-type]  # reason: any fields


def exchange(**more: object) -> Exchange:
    """Return an exchange."""
    fields = {
        "provider": "mailpace", "at": NOW, "method": "POST", "url": "http://127.0.0.1/",
        "headers": [("A", "b")], "body": b"{}", "status": 200, "answer_headers": [], "answer_body": b"ok",
    }  # fmt: skip
    return Exchange(**{**fields, **more})  # type: ignore[arg-type]  # reason: any fields


def webhook(key: int) -> Webhook:
    """Return a webhook about a mail."""
    return Webhook(
        mail=key, provider="mailpace", kind="tracking", happening="bounce", at=NOW, method="POST",
        url="http://127.0.0.1:9/", headers=[("X", "y")], body=b"\xff", error="nobody there",
    )  # fmt: skip


def fill(box: Mailbox, *subjects: str) -> list[int]:
    """Keep a mail with each subject, and return their numbers."""
    return [box.add([(mail(one), one.encode(), one)])[0].id for one in subjects]


class TestKeeping:
    """What is put in comes out."""

    def test_whole(self) -> None:
        """A mail has its source, its exchange and its webhooks."""
        with Mailbox() as box:
            given = mail("Grüße \ud800", tags=["a"], files=2, message_id="1")
            (kept,) = box.add([(given, b"source", "words")], exchange())
            made = box.add_webhook(webhook(kept.id))
            assert box.mail(kept.id) == attrs.evolve(kept, subject="Grüße ?")
            assert (kept.size, box.source(kept.id)) == (6, b"source")
            assert box.exchange(kept.id) == exchange()
            assert box.webhooks(kept.id) == [made]
            assert box.webhook(made.id) == made
            assert box.named("mailpace", "1") == box.mail(kept.id)

    def test_absent(self) -> None:
        """A number that no mail has is answered with nothing."""
        with Mailbox() as box:
            assert (box.mail(1), box.source(1), box.exchange(1), box.webhook(1)) == (None, b"", None, None)

    def test_removed(self) -> None:
        """One mail goes, with all that is its own; what came with another stays."""
        with Mailbox() as box:
            names = box.gone("mailpace")
            first, second = box.add([(mail(message_id=one), b"s", "words") for one in "12"], exchange())
            box.add_webhook(webhook(first.id))
            box.remove(first.id)
            box.remove(first.id)
            assert (box.mail(first.id), box.source(first.id), box.webhooks(first.id)) == (None, b"", [])
            assert (box.count(), box.exchange(second.id), list(names)) == (1, exchange(), ["1"])
            box.remove(second.id)
            assert (box.exchanges("mailpace"), list(names)) == ([], ["1", "2"])

    def test_webhooks_are_capped(self) -> None:
        """Webhooks that are made for ever do not fill the disk."""
        with Mailbox(most=2) as box:
            (key,) = fill(box, "one")
            for _ in range(25):
                last = box.add_webhook(webhook(key))
            assert [one.id for one in box.webhooks(key)] == list(range(last.id, last.id - 20, -1))

    def test_watching(self) -> None:
        """Each change is told until one stops watching."""
        told: list[int] = []
        with Mailbox() as box:
            stop = box.watch(lambda: told.append(box.count()))
            fill(box, "a", "b")
            box.clear()
            stop()
            fill(box, "c")
        assert told == [1, 2, 0]


class TestListing:
    """The newest first, a page at a time."""

    def test_pages(self) -> None:
        """A page goes on where the one before ended."""
        with Mailbox() as box:
            fill(box, *"abcde")
            page = box.mails(limit=2)
            assert [one.subject for one in page] == ["e", "d"]
            assert [one.subject for one in box.mails(before=page[-1].id, limit=2)] == ["c", "b"]

    @pytest.mark.parametrize(
        "search, found",
        [
            ("", ["Über 100%", "Invoice 7", "Welcome"]),
            ("invoice", ["Invoice 7"]),
            ("7 INV", ["Invoice 7"]),
            ("über", ["Über 100%"]),
            ("100%", ["Über 100%"]),
            ("%", ["Über 100%"]),
            ("invoice welcome", []),
            ("' OR 1=1 --", []),
        ],
    )
    def test_search(self, search: str, found: list[str]) -> None:
        """Every word must be there, in any letter case; no character has a meaning of its own."""
        with Mailbox() as box:
            fill(box, "Welcome", "Invoice 7", "Über 100%")
            assert [one.subject for one in box.mails(search)] == found
            assert box.count(search) == len(found)


class TestCaps:
    """The oldest give way."""

    def test_count(self) -> None:
        """So many mails are kept and no more, and nothing that belongs to the others."""
        with Mailbox(most=2) as box:
            for number in range(5):
                (kept,) = box.add([(mail(str(number)), b"x", "")], exchange(first=number))
                box.add_webhook(webhook(kept.id))
            assert [one.subject for one in box.mails()] == ["4", "3"]
            assert box.count() == 2
            assert [one.first for one in box.exchanges("mailpace")] == [3, 4]
            assert (box.source(1), box.webhooks(1)) == (b"", [])

    def test_bytes(self) -> None:
        """Large mail makes room for itself, and is kept even where it is larger than all the room."""
        with Mailbox(most_bytes=10) as box:
            for size in (4, 4, 4, 100):
                box.add([(mail(str(size)), b"x" * size, "")])
            assert [one.size for one in box.mails()] == [100]

    def test_exchange_of_several(self) -> None:
        """The exchange of a batch stays as long as one of its mails."""
        with Mailbox(most=2) as box:
            box.add([(mail("a"), b"", ""), (mail("b"), b"", "")], exchange())
            fill(box, "c")
            assert len(box.exchanges("mailpace")) == 1
            fill(box, "d")
            assert box.exchanges("mailpace") == []


class TestClearing:
    """Nothing stays but the numbers."""

    def test_numbers_go_on(self) -> None:
        """No number is given to another mail, and the providers' ids go on."""
        with Mailbox() as box:
            first = box.add([(mail(), b"", "")], exchange(first=4))[0]
            box.clear()
            assert (box.mails(), box.count(), box.exchanges("mailpace")) == ([], 0, [])
            assert fill(box, "next")[0] > first.id
            assert box.taken("mailpace") == 5


class TestFile:
    """A mailbox that outlives its process."""

    def test_restart(self, tmp_path: Path) -> None:
        """What was kept is there again, and capped again."""
        path = tmp_path / "mail.db"
        with Mailbox(path) as box:
            fill(box, "a", "b")
        with Mailbox(path, most=2) as box:
            assert [one.subject for one in box.mails()] == ["b", "a"]
            fill(box, "c")
            assert box.count() == 2

    def test_clearing_shrinks_it(self, tmp_path: Path) -> None:
        """The disk has the room again at once, and what comes after is kept."""

        def size() -> int:
            return sum(file.stat().st_size for file in tmp_path.iterdir())

        with Mailbox(tmp_path / "mail.db") as box:
            empty = size()
            for _ in range(20):
                box.add([(mail(), b"x" * 100_000, "")])
            assert size() > 2_000_000
            box.clear()
            assert size() <= empty
            number = fill(box, "next")[0]
        with Mailbox(tmp_path / "mail.db") as box:
            assert [one.id for one in box.mails()] == [number]

    def test_readable_for_its_owner(self, tmp_path: Path) -> None:
        """Nobody else on the machine can read the file."""
        with Mailbox(tmp_path / "mail.db"):
            assert stat.S_IMODE((tmp_path / "mail.db").stat().st_mode) == 0o600

    @pytest.mark.parametrize(
        "statement, words",
        [("PRAGMA user_version = 9", "another version"), ("UPDATE mails SET at = 'yesterday'", "is damaged")],
    )
    def test_meddled_with(self, tmp_path: Path, statement: str, words: str) -> None:
        """A file of ours that somebody changed is named in one sentence too."""
        path = tmp_path / "mail.db"
        with Mailbox(path) as box:
            fill(box, "a")
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(statement)
        with pytest.raises(MailcoreError, match=rf"mail\.db.*{words}"), Mailbox(path) as box:
            box.mails()

    def test_garbage(self, tmp_path: Path) -> None:
        """A file that is no database is named in one sentence, and left alone."""
        path = tmp_path / "mail.db"
        path.write_bytes(b"not a database " * 100)
        with pytest.raises(MailcoreError, match=r"mail\.db cannot be used: file is not a database"):
            Mailbox(path)
        assert path.read_bytes().startswith(b"not a database")

    def test_of_another_program(self, tmp_path: Path) -> None:
        """The database of something else is refused."""
        path = tmp_path / "app.db"
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE users (name TEXT)")
        other.close()
        with pytest.raises(MailcoreError, match="another program"):
            Mailbox(path)

    def test_folder_missing(self, tmp_path: Path) -> None:
        """A path that cannot be made is named."""
        with pytest.raises(MailcoreError, match="No such file or directory"):
            Mailbox(tmp_path / "no" / "mail.db")

    def test_used_twice(self, tmp_path: Path) -> None:
        """A second sandbox would give out the same ids: it is told."""
        with Mailbox(tmp_path / "mail.db"), pytest.raises(MailcoreError, match="Another sandbox uses it"):
            Mailbox(tmp_path / "mail.db")

    def test_disk_full(self, tmp_path: Path) -> None:
        """A mail that finds no room is told of in one sentence, and the mailbox goes on."""
        with Mailbox(tmp_path / "mail.db") as box:
            with box._database.transaction() as database:
                pages = database.execute("PRAGMA page_count").fetchone()[0]
            box._database._connection.execute(f"PRAGMA max_page_count = {pages + 4}")
            with pytest.raises(MailcoreError, match=r"disk is full\. Make room on the disk\."):
                box.add([(mail(), b"x" * 1_000_000, "")])
            assert fill(box, "small")
            assert box.count() == 1
