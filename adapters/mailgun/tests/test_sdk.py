"""Mailgun's own Python client takes the emulator for Mailgun."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailcore.sandbox import LocalProvider

client = pytest.importorskip("mailgun.client", reason="Mailgun's client is not installed")
pytestmark = pytest.mark.loopback
MAIL = {"from": "Ada <ada@example.com>", "to": ["bob@example.com", "Eve <eve@example.com>"], "subject": "Hi"}


@pytest.fixture
def local() -> Iterator[LocalProvider]:
    """Return the emulator, served."""
    with LocalProvider("mailgun") as local:
        yield local


def test_form(local: LocalProvider) -> None:
    """A plain mail is accepted, with its options."""
    with client.Client(auth=("api", local.settings["api_key"]), api_url=local.url) as sdk:
        data = {**MAIL, "text": "Hello", "o:tag": ["one", "two"], "v:order": "17"}
        answer = sdk.messages.create(data=data, domain="example.com")
    (sent,) = local.emulator.sent
    assert (answer.status_code, answer.json()["id"]) == (200, sent.id)
    assert sent.tags == ("one", "two")
    assert [mailbox.address for mailbox in sent.recipients] == ["bob@example.com", "eve@example.com"]


def test_files(local: LocalProvider) -> None:
    """Files arrive, attached and inline."""
    with client.Client(auth=("api", local.settings["api_key"]), api_url=local.url) as sdk:
        files = [("attachment", ("a.txt", b"hi")), ("inline", ("logo.png", b"\x89PNG"))]
        sdk.messages.create(data={**MAIL, "text": "Hello"}, files=files, domain="example.com")
    found = [(file.filename, file.content, file.inline) for file in local.emulator.sent[0].files]
    assert found == [("a.txt", b"hi", False), ("logo.png", b"\x89PNG", True)]


def test_mime(local: LocalProvider) -> None:
    """A mail as MIME arrives byte for byte."""
    raw = b"From: ada@example.com\r\nSubject: Hi\r\n\r\nHello"
    with client.Client(auth=("api", local.settings["api_key"]), api_url=local.url) as sdk:
        data = {"to": "bob@example.com"}
        sdk.mimemessage.create(data=data, files={"message": raw}, domain="example.com")
    assert (local.emulator.sent[0].mime, local.emulator.sent[0].subject) == (raw, "Hi")


def test_wrong_key(local: LocalProvider) -> None:
    """A wrong key is refused as Mailgun refuses it."""
    with client.Client(auth=("api", "wrong"), api_url=local.url) as sdk:
        answer = sdk.messages.create(data={**MAIL, "text": "Hello"}, domain="example.com")
    assert answer.status_code == 401
    assert local.emulator.sent == []
