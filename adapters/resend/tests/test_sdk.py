"""Resend's own Python client takes the emulator for Resend."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from mailcore.sandbox import LocalProvider

resend = pytest.importorskip("resend", reason="Resend's client is not installed")
pytestmark = pytest.mark.loopback
MAIL = {"from": "Ada <ada@example.com>", "to": ["bob@example.com"], "subject": "Hi", "html": "<p>Hello</p>"}


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalProvider]:
    """Return the emulator, served, with the client pointed at it."""
    with LocalProvider("resend") as local:
        monkeypatch.setattr(resend, "api_url", local.url.rstrip("/"))
        monkeypatch.setattr(resend, "api_key", local.settings["api_key"])
        yield local


def test_one_mail(local: LocalProvider) -> None:
    """A mail is accepted with all its parts, and once under one key."""
    content = base64.b64encode(b"png").decode()
    params = {
        **MAIL,
        "tags": [{"name": "category", "value": "confirm_email"}],
        "attachments": [
            {"filename": "a.png", "content": content, "content_type": "image/png", "content_id": "a"}
        ],
    }
    answers = [resend.Emails.send(params, {"idempotency_key": "k-1"}) for _ in range(2)]
    [sent] = local.emulator.sent
    assert [answer["id"] for answer in answers] == [sent.id, sent.id]
    assert sent.tags == {"category": "confirm_email"}
    assert [(file.filename, file.content, file.content_id) for file in sent.files] == [("a.png", b"png", "a")]


def test_batch(local: LocalProvider) -> None:
    """A batch is taken mail by mail where the client says so."""
    mails = [MAIL, {**MAIL, "to": ["nobody"]}, MAIL]
    answer = resend.Batch.send(mails, {"batch_validation": "permissive"})
    assert [one["id"] for one in answer["data"]] == [sent.id for sent in local.emulator.sent]
    assert [one["index"] for one in answer["errors"]] == [1]


def test_wrong_key(local: LocalProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong key is refused as Resend refuses it."""
    monkeypatch.setattr(resend, "api_key", "re_wrong")
    with pytest.raises(resend.exceptions.ResendError):
        resend.Emails.send(MAIL)
    assert local.emulator.sent == []
