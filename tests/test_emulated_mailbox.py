"""What every emulator shows of the mail it took."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from mailcore import (
    Attachment,
    EmulatedMail,
    EmulatedMailbox,
    EndpointKind,
    InboundMessage,
    Mailer,
    Message,
    PluginHost,
)
from mailcore.sandbox import LocalProvider

pytestmark = pytest.mark.loopback

EMULATED = sorted(name for name, spec in PluginHost().adapters.items() if spec.emulator)
FROM = "Ada <ada@example.com>"


@pytest.fixture(params=EMULATED)
def local(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Serve each emulator in turn."""
    with LocalProvider(request.param) as local:
        yield local


def send(local: Any, to: str = "Zoë <bob@example.net>", key: str | None = None, **fields: Any) -> str:
    """Send a mail through the adapter, and return its id."""
    message = Message(from_=FROM, to=[to], subject="Grüße", text="Hi", **fields)
    settings = {"domain": "example.com"} if local.settings["provider"] == "mailgun" else {}
    with Mailer.from_config({**local.settings, **settings}, environ={}) as mailer:
        return str(mailer.send(message, idempotency_key=key).message_id)


def shown(mail: EmulatedMail) -> Any:
    """Return bodies, headers and files of a mail, which may stand in its source."""
    if mail.source is None:
        files = [(file.filename, file.content_type, file.content, file.content_id) for file in mail.files]
        return mail.text, mail.html, dict(mail.headers), files
    read = InboundMessage(raw=mail.source)
    inside = (*read.attachments, *read.inlines)
    files = [
        (file.filename, file.content_type, file.content, (file.content_id or "").strip("<>"))
        for file in inside
    ]
    return read.text, read.html, {"Subject": read.subject}, files


class TestTaken:
    """Mail as people see it."""

    def test_whole(self, local: Any) -> None:
        """Bodies, files, headers and the envelope are shown, under the id that the sender was told."""
        image = Attachment(content=b"GIF89a", filename="a.gif", content_type="image/gif", content_id="a.gif")
        paper = Attachment(content=b"%PDF", filename="b.pdf", content_type="application/pdf")
        files = [image, paper]
        message_id = send(
            local, html="<b>Hi</b>", cc=["c@example.net"], bcc=["d@example.net"], attachments=files
        )
        (mail,) = local.emulator.taken(0)
        assert (mail.message_id, mail.sender) == (message_id, "ada@example.com")
        assert mail.recipients == ("bob@example.net", "c@example.net", "d@example.net")
        text, html, headers, files_shown = shown(mail)
        assert (text.strip(), html.strip()) == ("Hi", "<b>Hi</b>")
        assert headers["Subject"] == "Grüße"
        assert "Bcc" not in headers
        assert sorted(files_shown) == [
            ("a.gif", "image/gif", b"GIF89a", "a.gif"),
            ("b.pdf", "application/pdf", b"%PDF", ""),
        ]

    def test_after(self, local: Any) -> None:
        """Those that are known already are left out."""
        first, second = send(local), send(local)
        assert [mail.message_id for mail in local.emulator.taken(0)] == [first, second]
        assert [mail.message_id for mail in local.emulator.taken(1)] == [second]
        assert local.emulator.taken(2) == []

    def test_contract(self, local: Any) -> None:
        """Each emulator of ours can be looked into."""
        assert isinstance(local.emulator, EmulatedMailbox)


class TestSkip:
    """Ids that were given out before a restart."""

    def test_ids_go_on(self, local: Any) -> None:
        """An emulator that skipped as many gives the next id, and knows whose it is."""
        for _ in range(2):
            send(local)
        third = send(local)
        with LocalProvider(local.settings["provider"]) as again:
            again.emulator.skip(2)
            assert send(again) == third
            assert [mail.message_id for mail in again.emulator.taken(0)] == [third]
            again.emulator.act(third, again.emulator.happenings["deliver"], datetime.now(UTC))


class TestForget:
    """Mail that there is no room for."""

    def test_forgotten(self, local: Any) -> None:
        """Nothing can happen to it, the others stay as they are, and no id is given out twice."""
        ids = [send(local) for _ in range(3)]
        local.emulator.forget(ids[0])
        local.emulator.forget("nobody's")
        assert [mail.message_id for mail in local.emulator.taken(0)] == ids[1:]
        assert [mail.message_id for mail in local.emulator.taken(1)] == ids[2:]
        word = local.emulator.happenings["deliver"]
        with pytest.raises(ValueError, match="No mail"):
            local.emulator.act(ids[0], word, datetime.now(UTC))
        local.emulator.act(ids[2], word, datetime.now(UTC))
        assert send(local) not in ids

    def test_answers_too(self, local: Any) -> None:
        """The answer that is kept for an idempotency key goes with the mail."""
        if local.settings["provider"] not in {"mailpace", "resend"}:
            pytest.skip("has no idempotency keys")
        first, second = send(local, key="1"), send(local, key="2")
        local.emulator.forget(first)
        assert send(local, key="2") == second
        assert send(local, key="1") not in {first, second}


class TestHappenings:
    """What a person lets happen."""

    def test_every_word(self, local: Any) -> None:
        """Each word is one that the emulator takes and tells of."""
        local.emulator.subscribe(EndpointKind.TRACKING, "http://127.0.0.1:9/events")
        local.emulator.subscribe(EndpointKind.INBOUND, "http://127.0.0.1:9/mail")
        happenings = local.emulator.happenings
        assert set(happenings) == {"deliver", "defer", "bounce", "spam", "unknown"}
        for name, word in happenings.items():
            message_id = send(local, to=f"{name}@example.net")  # nobody who bounced before
            local.emulator.due(datetime.now(UTC))
            local.emulator.act(message_id, word, datetime.now(UTC))
            assert local.emulator.due(datetime.now(UTC))
