"""Attachments that are too large for a broker: they wait elsewhere, and the job holds their names.

Rule 1: what is stored is a copy, so that nothing depends on a file that somebody else may change or remove.
Rule 2: a store answers for names it gave out, never for paths: whoever can write to the broker must not be
        able to have any file sent.
Rule 3: a copy is deleted when its mail is settled, and the store remembers that for a while: a job that comes
        a second time then is no riddle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import attrs

from mailcore._attachment import Attachment
from mailcore._changed import changed
from mailcore._file_content import FileContent
from mailcore._message import Message
from mailcore._unset import UNSET
from mailcore.exceptions import InvalidAttachment, MailcoreError
from mailcore.queues._job import Job

__all__ = ["AlreadySettled", "AttachmentStore", "discard", "fetch", "stow"]


class AlreadySettled(MailcoreError):
    """The stored content was deleted, as its mail was settled."""


class AttachmentStore(Protocol):
    """Keep contents, where every sender and every worker reaches them."""

    def put(self, name: str, content: Iterable[bytes]) -> None:
        """Keep one; when this returns, it survives a crash."""
        ...

    def get(self, name: str) -> bytes | FileContent:
        """
        Return one.

        Raises:
            AlreadySettled: It was discarded.
            InvalidAttachment: It was never there.
        """
        ...

    def discard(self, name: str) -> None:
        """Delete one, and remember that for a while."""
        ...


def stow(job: Job, store: AttachmentStore | None, *, limit: int) -> Job:
    """
    Return the job with at most `limit` bytes of attachments in it, the others stored.

    Raises:
        InvalidAttachment: There is more, and no store.
    """
    room, files, light = limit, [], []
    for number, attachment in enumerate(_attachments(job.message)):
        if len(attachment) <= room:
            room -= len(attachment)
            files.append("")
            light.append(attrs.evolve(attachment, content=b"".join(attachment.pieces())))
            continue
        files.append(_put(store, f"{job.id}-{number}", attachment, limit))
        light.append(attrs.evolve(attachment, content=b""))
    if not files:
        return job
    return attrs.evolve(job, message=changed(job.message, attachments=tuple(light)), files=tuple(files))


def fetch(job: Job, store: AttachmentStore | None) -> Message:
    """
    Return the job's message, with its attachments as they were.

    Raises:
        AlreadySettled: Another worker settled this job.
        InvalidAttachment: A content is not there.
    """
    if not any(job.files):
        return job.message
    attachments = _attachments(job.message)
    if store is None or len(attachments) != len(job.files):
        raise InvalidAttachment(
            "Its attachments are stored elsewhere, and this worker has no store. Pass attachments= here too.",
            field="attachments",
        )
    full = tuple(
        attrs.evolve(attachment, content=store.get(name)) if name else attachment
        for attachment, name in zip(attachments, job.files, strict=True)
    )
    return changed(job.message, attachments=full)


def discard(job: Job, store: AttachmentStore | None) -> None:
    """Delete what is stored of a job."""
    for name in _stored(job):
        if store is not None:
            store.discard(name)


def _stored(job: Job) -> Iterator[str]:
    return (name for name in job.files if name)


def _attachments(message: Message) -> tuple[Attachment, ...]:
    found: Any = message.attachments
    return () if found is UNSET or found is None else tuple(found)


def _put(store: AttachmentStore | None, name: str, attachment: Attachment, limit: int) -> str:
    if store is None:
        raise InvalidAttachment(
            f"are larger than the {limit} bytes that go through the broker. Pass attachments= to the queue, "
            "such as AttachmentFolder(path), or raise inline_limit.",
            field="attachments",
        )
    store.put(name, attachment.pieces())
    return name
