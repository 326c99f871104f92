"""Postmark's own SDK for Python takes the emulator for Postmark."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from mailcore import PluginHost
from mailcore.sandbox import LocalProvider
from mailcore_postmark.emulator import Fault

postmark = pytest.importorskip("postmark", reason="postmark-python is not installed")
pytestmark = pytest.mark.loopback

MAIL = {"sender": "Ada <ada@example.com>", "to": "bob@example.com", "subject": "Hi", "text_body": "Hello"}


@pytest.fixture
def local(host: PluginHost) -> Iterator[LocalProvider]:
    """Return Postmark on this machine."""
    with LocalProvider(host.spec("postmark")) as local:
        yield local


def ask(local: LocalProvider, method: str, argument: Any, token: str = "") -> Any:
    """Return what a method of the SDK makes of the emulator's answer."""

    async def run() -> Any:
        token_of = token or str(local.settings["server_token"])
        async with postmark.ServerClient(token_of, base_url=local.url, retries=0) as client:
            return await getattr(client.outbound, method)(argument)

    return asyncio.run(run())


class TestAccepted:
    """What Postmark would take."""

    def test_one(self, local: LocalProvider) -> None:
        """A mail has an id, and is there."""
        mail = {
            **MAIL,
            "cc": "eve@example.com",
            "tag": "greeting",
            "metadata": {"a": "b"},
            "track_opens": True,
            "track_links": "HtmlOnly",
            "headers": [{"name": "X-Test", "value": "1"}],
            "attachments": [{"name": "a.txt", "content": "YQ==", "content_type": "text/plain"}],
        }
        response = ask(local, "send", mail)
        [sent] = local.emulator.sent  # type: ignore[attr-defined]  # reason: Postmark's, beyond the protocol

        assert (response.success, response.to) == (True, "bob@example.com")
        assert response.message_id == sent.message_id
        assert [file.content for file in sent.attachments] == [b"a"]
        assert sent.ignored_fields == ()

    def test_batch(self, local: LocalProvider) -> None:
        """Mails of a batch are answered one by one."""
        found = ask(local, "send_batch", [MAIL, {**MAIL, "to": "eve@example.com"}])

        assert [(one.success, one.to) for one in found] == [
            (True, "bob@example.com"),
            (True, "eve@example.com"),
        ]

    @pytest.mark.parametrize("name", [{"template_id": 7}, {"template_alias": "welcome"}])
    def test_template(self, local: LocalProvider, name: dict[str, Any]) -> None:
        """So are mails by template, alone and together."""
        mail = {"sender": "ada@example.com", "to": "bob@example.com", "template_model": {"a": 1}, **name}

        assert ask(local, "send_with_template", mail).success
        assert [one.success for one in ask(local, "send_batch_with_template", [mail, mail])] == [True, True]


class TestRefused:
    """What Postmark would not take is the SDK's own error."""

    def test_token(self, local: LocalProvider) -> None:
        """A wrong token."""
        with pytest.raises(postmark.exceptions.InvalidAPIKeyException):
            ask(local, "send", MAIL, "another")

    def test_inactive(self, local: LocalProvider) -> None:
        """An address that bounced; the SDK reads it from the sentence."""
        sent = ask(local, "send", MAIL)
        local.emulator.act(sent.message_id, "HardBounce", sent.submitted_at)
        with pytest.raises(postmark.exceptions.InactiveRecipientException) as caught:
            ask(local, "send", MAIL)

        assert caught.value.inactive_recipients == ["bob@example.com"]

    def test_invalid(self, local: LocalProvider) -> None:
        """An address that is none."""
        with pytest.raises(postmark.exceptions.ValidationException):
            ask(local, "send", {**MAIL, "to": "nobody"})

    @pytest.mark.parametrize(
        "fault, error",
        [(Fault.RATE_LIMITED, "RateLimitException"), (Fault.ERROR_BEFORE_TAKING, "ServerException")],
    )
    def test_faults(self, local: LocalProvider, fault: Fault, error: str) -> None:
        """Trouble on Postmark's side."""
        local.emulator.inject(fault)  # type: ignore[attr-defined]  # reason: Postmark's, beyond the protocol
        with pytest.raises(getattr(postmark.exceptions, error)):
            ask(local, "send", MAIL)
