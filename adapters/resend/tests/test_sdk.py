"""Resend's own Python client takes the emulator for Resend."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from mailcore import EndpointKind
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


def test_received_mail(local: LocalProvider) -> None:
    """What came in is told of, with its files and where they are."""
    raw = (
        b"From: Eve <eve@example.net>\r\nSubject: Question\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\n\r\nHello\r\n--b\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\nabc\r\n--b--\r\n"
    )
    local.emulator.subscribe(EndpointKind.INBOUND, local.url)
    local.emulator.receive(raw, datetime.now(UTC))
    [made] = local.emulator.due(datetime.now(UTC))
    mail_id = json.loads(made.request.body)["data"]["email_id"]
    mail = resend.Emails.Receiving.get(mail_id)
    assert (mail["from"], mail["subject"], mail["text"]) == ("eve@example.net", "Question", "Hello")
    assert requests.get(mail["raw"]["download_url"], timeout=10).content == raw
    [file] = resend.Emails.Receiving.Attachments.list(mail_id)["data"]
    one = resend.Emails.Receiving.Attachments.get(mail_id, file["id"])
    assert (file["filename"], file["size"], one["id"]) == ("a.bin", 3, file["id"])
    assert requests.get(one["download_url"], timeout=10).content == b"abc"
    with pytest.raises(resend.exceptions.ResendError):
        resend.Emails.Receiving.Attachments.get(mail_id, "no-file")
