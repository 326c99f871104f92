"""The provider that writes mail into a folder."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import mailbox
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mailcore import (
    AsyncMailer,
    Attachment,
    ConfigurationError,
    Mailer,
    Message,
    MissingOption,
    NotAccepted,
    Outcome,
    PluginHost,
    Unreachable,
)
from mailcore.transports._mail_folder import write_mail

MESSAGE = Message(
    from_="Ada <ada@example.com>",
    to="bob@example.com",
    bcc="eve@example.com",
    subject="Hé",
    text="Hello\nFrom here\n.\n",
    tags=["a", "b"],
    metadata={"order": 7},
    envelope_sender="bounces@example.com",
    send_at=datetime(2030, 1, 31, tzinfo=UTC),
    track_opens=False,
    attachments=[Attachment(content=bytes(range(256)) * 500, filename="ü.bin")],
)


def mailer(host: PluginHost, path: Path, **config: Any) -> Mailer:
    """Return a mailer that writes into a folder."""
    settings = {"provider": "file", "path": str(path), "max_attempts": 1, **config}
    return Mailer.from_config(settings, environ={}, host=host)


def read(content: bytes) -> Any:
    """Read a mail as others do."""
    return email.message_from_bytes(content, policy=email.policy.default)


class TestEml:
    """A file for each mail."""

    def test_whole(self, host: PluginHost, tmp_path: Path) -> None:
        """The folder is made, and the mail is there with all that the message says."""
        result = mailer(host, tmp_path / "new" / "folder").send(MESSAGE)
        [file] = (tmp_path / "new" / "folder").iterdir()
        mail = read(file.read_bytes())
        assert file.name == f"{(result.message_id or '').partition('@')[0]}.eml"
        assert (mail["Subject"], mail["To"], mail["Bcc"]) == ("Hé", "bob@example.com", "eve@example.com")
        assert mail.get_body(["plain"]).get_content().splitlines() == ["Hello", "From here", "."]
        assert next(mail.iter_attachments()).get_content() == bytes(range(256)) * 500
        assert json.loads(mail["X-Mailcore-Tags"]) == ["a", "b"]
        assert json.loads(mail["X-Mailcore-Metadata"]) == {"order": 7}
        assert json.loads(mail["X-Mailcore-Track-Opens"]) is False
        assert "bounces@example.com" in mail["X-Mailcore-Envelope-Sender"]
        assert mail["X-Mailcore-Send-At"] == "2030-01-31T00:00:00+00:00"

    def test_nothing_that_was_not_said(self, host: PluginHost, tmp_path: Path) -> None:
        """A plain message has no header of ours."""
        mailer(host, tmp_path).send(Message(from_="a@x.example", to="b@x.example", text="x"))
        [file] = tmp_path.iterdir()
        assert b"X-Mailcore" not in file.read_bytes()

    def test_same_key(self, host: PluginHost, tmp_path: Path) -> None:
        """The same key is the same file, also for another process."""
        made = set()
        for _ in range(2):
            mailer(host, tmp_path).send(MESSAGE, idempotency_key="key-1")
            [file] = tmp_path.iterdir()
            made.add((file.stat().st_ino, file.stat().st_mtime_ns))
        assert len(made) == 1  # it was not written again

    def test_many(self, host: PluginHost, tmp_path: Path) -> None:
        """Each message is a file of its own, whichever threads write them."""
        outcomes = mailer(host, tmp_path).send_many([MESSAGE] * 20, concurrency=4)
        assert all(outcome.error is None for outcome in outcomes)
        assert len(list(tmp_path.glob("*.eml"))) == len(list(tmp_path.iterdir())) == 20

    def test_looped(self, host: PluginHost, tmp_path: Path) -> None:
        """So it is in an event loop."""

        async def work() -> None:
            config = {"provider": "file", "path": str(tmp_path)}
            async with AsyncMailer.from_config(config, environ={}, host=host) as made:
                await made.send(MESSAGE)

        asyncio.run(work())
        assert len(list(tmp_path.glob("*.eml"))) == 1


class TestMaildir:
    """A mailbox."""

    def test_is_one(self, host: PluginHost, tmp_path: Path) -> None:
        """Others read it, and its lines end as theirs do."""
        made = mailer(host, tmp_path / "box", format="maildir")
        made.send(MESSAGE, idempotency_key="key-1")
        box = mailbox.Maildir(str(tmp_path / "box"), create=False)
        [key] = box.keys()
        content = box.get_bytes(key)
        assert read(content)["Subject"] == "Hé"
        assert next(read(content).iter_attachments()).get_content() == bytes(range(256)) * 500
        [file] = (tmp_path / "box" / "new").iterdir()
        assert b"\r" not in file.read_bytes()
        assert list((tmp_path / "box" / "tmp").iterdir()) == []

    def test_same_key(self, host: PluginHost, tmp_path: Path) -> None:
        """A mail that was read is there as well."""
        mailer(host, tmp_path, format="maildir").send(MESSAGE, idempotency_key="key-1")
        [file] = (tmp_path / "new").iterdir()
        file.rename(tmp_path / "cur" / f"{file.name}:2,S")
        mailer(host, tmp_path, format="maildir").send(MESSAGE, idempotency_key="key-1")
        assert list((tmp_path / "new").iterdir()) == []


class TestFailures:
    """What cannot be written."""

    def test_no_folder(self, host: PluginHost, tmp_path: Path) -> None:
        """Nothing is there, and that is known."""
        (tmp_path / "file").write_text("x")
        with pytest.raises(Unreachable, match="Check `path`") as caught:
            mailer(host, tmp_path / "file").send(MESSAGE)
        assert caught.value.outcome is Outcome.NOT_ACCEPTED

    @pytest.mark.parametrize("layout", ["eml", "maildir"])
    def test_half_a_mail(self, layout: str, host: PluginHost, tmp_path: Path) -> None:
        """A file that changed while it was sent leaves nothing behind."""
        big = tmp_path / "big"
        big.write_bytes(b"x" * 1000)
        message = Message(
            from_="a@x.example",
            to="b@x.example",
            text="x",
            attachments=Attachment.from_path("big", root=tmp_path),
        )
        big.write_bytes(b"y")
        with pytest.raises(NotAccepted):
            mailer(host, tmp_path / "box", format=layout).send(message)
        assert [path for path in (tmp_path / "box").rglob("*") if path.is_file()] == []

    @pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a\x00b", "x" * 200])
    def test_name(self, name: str, tmp_path: Path) -> None:
        """No name leads out of the folder."""
        with pytest.raises(ValueError, match="letters, digits"):
            write_mail(str(tmp_path / "box"), "eml", name, b"x")  # type: ignore[arg-type]  # reason: never read
        assert not (tmp_path / "box").exists()


class TestSettings:
    """What has to be said."""

    def test_path(self, host: PluginHost) -> None:
        """Where to."""
        with pytest.raises(MissingOption, match="MAILCORE_FILE_PATH"):
            Mailer.from_config({"provider": "file"}, environ={}, host=host)

    @pytest.mark.parametrize(
        "changes, said",
        [
            ({"format": "mbox"}, "eml, maildir"),
            ({"format": ["eml"]}, "eml, maildir"),
            ({"path": ""}, "folder"),
        ],
    )
    def test_refused(self, changes: dict[str, Any], said: str, host: PluginHost) -> None:
        """What cannot be."""
        with pytest.raises(ConfigurationError, match=said):
            Mailer.from_config({"provider": "file", "path": "x", **changes}, environ={}, host=host)
