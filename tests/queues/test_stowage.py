"""Attachments that wait elsewhere than at the broker."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

from mailcore import Attachment, InvalidAttachment, Message
from mailcore.queues._job import Job
from mailcore.queues._stowage import AlreadySettled, discard, fetch, stow
from mailcore.stores import folder
from mailcore.stores.folder import AttachmentFolder


def job(*sizes: int) -> Job:
    """Return a job with attachments of these sizes."""
    files = [Attachment(content=bytes([65 + n]) * size, filename=f"{n}.txt") for n, size in enumerate(sizes)]
    message = Message(to="bob@example.com", attachments=files) if files else Message(to="bob@example.com")
    return Job(id="id", mailer="main", message=message, created=datetime(2026, 1, 1, tzinfo=UTC))


def contents(message: Message) -> list[bytes]:
    """Return what is attached."""
    return [b"".join(attachment.pieces()) for attachment in message.attachments]


class TestStow:
    """What goes through the broker."""

    @pytest.mark.parametrize(
        "sizes,files",
        [
            ((), ()),
            ((0,), ("",)),
            ((10, 10), ("", "")),
            ((10, 11, 10), ("", "id-1", "")),
            ((21,), ("id-0",)),
        ],
    )
    def test_limit(self, tmp_path: Path, sizes: tuple[int, ...], files: tuple[str, ...]) -> None:
        """At most so many bytes in all; the rest is stored, and comes back as it was."""
        store = AttachmentFolder(tmp_path)
        made = stow(job(*sizes), store, limit=20)
        assert made.files == files
        assert len(made.to_json()) < 1000
        again = fetch(Job.from_json(made.to_json()), store)
        if sizes:
            assert contents(again) == contents(job(*sizes).message)
            assert [file.filename for file in again.attachments] == [f"{n}.txt" for n in range(len(sizes))]

    def test_labels(self, tmp_path: Path) -> None:
        """What describes an attachment stays with it."""
        attachment = Attachment(
            content="grün", filename="a.ics", content_type="text/calendar; method=REQUEST", charset="latin-1"
        )
        logo = Attachment(content=b"abc", filename="b.png", content_id="logo")
        given = attrs.evolve(job(), message=Message(attachments=[attachment, logo]))
        again = fetch(stow(given, AttachmentFolder(tmp_path), limit=0), AttachmentFolder(tmp_path))
        assert [attrs.evolve(one, content=b"") for one in again.attachments] == [
            attrs.evolve(one, content=b"") for one in (attachment, logo)
        ]

    def test_file_is_copied(self, tmp_path: Path) -> None:
        """A file may be gone when its mail is sent."""
        path = tmp_path / "a.txt"
        for limit in (100, 0):
            path.write_bytes(b"content")
            given = attrs.evolve(
                job(), message=Message(attachments=Attachment.from_path(path, root=tmp_path))
            )
            made = stow(given, AttachmentFolder(tmp_path / "store"), limit=limit)
            path.unlink()
            assert contents(fetch(made, AttachmentFolder(tmp_path / "store"))) == [b"content"]

    def test_no_store(self) -> None:
        """Without a store, what is too large is refused with the way out."""
        with pytest.raises(InvalidAttachment, match="Pass attachments= to the queue"):
            stow(job(21), None, limit=20)
        assert stow(job(20), None, limit=20).files == ("",)


class TestFolder:
    """The store that comes with the library."""

    def test_discard(self, tmp_path: Path) -> None:
        """What is settled is deleted, and known to be."""
        store = AttachmentFolder(tmp_path)
        made = stow(job(5, 5), store, limit=0)
        discard(made, store)
        assert not list(tmp_path.glob("*.attachment"))
        with pytest.raises(AlreadySettled):
            fetch(made, store)
        discard(made, store)

    def test_forgets(self, tmp_path: Path) -> None:
        """After two days nothing is left."""
        store = AttachmentFolder(tmp_path)
        discard(stow(job(5), store, limit=0), store)
        [mark] = tmp_path.iterdir()
        old = time.time() - folder.REMEMBERED - 1
        os.utime(mark, (old, old))
        discard(stow(attrs.evolve(job(5), id="new"), store, limit=0), store)
        assert [file.name for file in tmp_path.iterdir()] == ["new-0.settled"]

    def test_never_there(self, tmp_path: Path) -> None:
        """What was never stored is not taken for settled."""
        with pytest.raises(InvalidAttachment, match="cannot be read"):
            AttachmentFolder(tmp_path).get("a-0")

    def test_is_private(self, tmp_path: Path) -> None:
        """Nobody else looks into it."""
        store = AttachmentFolder(tmp_path / "store")
        store.put("a-0", [b"content"])
        assert (tmp_path / "store").stat().st_mode & 0o077 == 0
