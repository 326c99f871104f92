"""A job: the same on each attempt, whoever reads it."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest

from mailcore import Attachment, InvalidDocument, Message, Outcome, from_json, to_json
from mailcore.queues._job import Job, OtherVersion
from mailcore.queues._review import Unsettled

CREATED = datetime(2026, 1, 1, 12, tzinfo=UTC)
JOB = Job(
    id="a-1",
    mailer="main",
    provider="mailpace",
    message=Message(
        from_="Ada <ada@example.com>",
        to=["bob@example.com"],
        subject="Grüße",
        text="Hello",
        attachments=Attachment(content=b"\0\xff", filename="a.bin"),
        metadata={"a": "b"},
    ),
    idempotency_key="key",
    created=CREATED,
    attempts=2,
    hops=3,
    not_before=CREATED + timedelta(hours=1),
    doubt=True,
    files=("",),
)


class TestJob:
    """As a text and back."""

    def test_round_trip(self) -> None:
        """Nothing is lost."""
        assert Job.from_json(JOB.to_json()) == JOB

    def test_form(self) -> None:
        """What other versions and other programs rely on."""
        document = json.loads(JOB.to_json())
        assert document["version"] == 1
        assert document["created"] == "2026-01-01T12:00:00+00:00"
        assert set(document) == {
            "version", "id", "mailer", "provider", "message", "idempotency_key", "created",
            "attempts", "hops", "not_before", "doubt", "once", "noted", "files",
        }  # fmt: skip

    def test_utc(self) -> None:
        """Times are kept in UTC, and need a zone."""
        there = datetime(2026, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))
        assert attrs.evolve(JOB, created=there).created == CREATED
        with pytest.raises(ValueError, match="no time zone"):
            attrs.evolve(JOB, created=datetime(2026, 1, 1))  # noqa: DTZ001  # reason: that is the point

    def test_run(self) -> None:
        """Each stay in the queue has a name of its own."""
        assert JOB.run == "a-1-3"

    def test_no_content_in_logs(self) -> None:
        """The mail itself does not show."""
        assert "bob" not in repr(JOB)

    @pytest.mark.parametrize(
        "text", ["", "{}", "[]", "null", '{"version": 1}', '{"version": "1"}', "nonsense"]
    )
    def test_no_job(self, text: str) -> None:
        """What is no job is said to be none."""
        with pytest.raises(InvalidDocument):
            Job.from_json(text)

    def test_pickle(self) -> None:
        """A pickle is no job, and is not opened."""
        with pytest.raises(InvalidDocument):
            Job.from_json(pickle.dumps(JOB, protocol=0).decode("latin-1"))

    @pytest.mark.parametrize(
        "document,created",
        [
            ({"version": 2, "created": "2026-01-01T12:00:00+00:00", "new": []}, CREATED),
            ({"version": 0}, None),
            ({"version": 2, "created": 5}, None),
        ],
    )
    def test_other_version(self, document: object, created: datetime | None) -> None:
        """A job of another version is told from what is no job, and says how old it is."""
        with pytest.raises(OtherVersion, match="reads version 1") as caught:
            Job.from_json(json.dumps(document))
        assert caught.value.created == created

    def test_unknown_field(self) -> None:
        """What this version does not know is not ignored: it could matter."""
        with pytest.raises(InvalidDocument):
            Job.from_json(json.dumps({**json.loads(JOB.to_json()), "urgent": True}))


class TestUnsettled:
    """What a person sees."""

    UNSETTLED = Unsettled(
        id="a-1-3", reason="Why", outcome=Outcome.UNKNOWN, at=CREATED, mailer="main", payload=JOB.to_json()
    )

    def test_round_trip(self) -> None:
        """Nothing is lost, and the job is at hand."""
        again = from_json(Unsettled, to_json(self.UNSETTLED))
        assert again == self.UNSETTLED
        assert again.job == JOB

    def test_no_content_in_logs(self) -> None:
        """The mail itself does not show."""
        assert "bob" not in repr(self.UNSETTLED)
