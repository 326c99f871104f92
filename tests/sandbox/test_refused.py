"""What a provider of the sandbox does not accept, by itself or by the chaos that is asked for."""

from __future__ import annotations

import json
from itertools import product
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from mailcore import MailcoreError, Mailer, Message, NotAccepted, Rejected

pytestmark = [pytest.mark.loopback]


#: What no client of a provider sends.
BODIES = (
    b"", b"null", b"[]", b"[null]", b"{}", b"[" * 100_000, b'{"a":' * 5000, b'{"a":1e999}', b"\xff\x00",
    b'{"Content":null,"BulkEmailEntries":null}', b'{"from":[],"From":{},"to":{"a":1}}',
)  # fmt: skip
KINDS = ("application/json", "multipart/form-data; boundary=x", "text/plain")
KEYS = (
    {"Authorization": "Basic \xff", "MailPace-Server-Token": "t", "X-Postmark-Server-Token": "t"},
    {"Authorization": "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=, Signature="},
)
PATHS = {
    "amazon-ses": ("/v2/email/outbound-emails", "/v2/email/outbound-bulk-emails", "/s3/x", ""),
    "mailgun": ("/v3/x.example/messages", "/v3/x.example/messages.mime", ""),
    "mailpace": ("", "/x"),
    "postmark": ("/email", "/email/batch", "/email/withTemplate", "/email/batchWithTemplates"),
    "resend": ("/emails", "/emails/batch", "/emails/receiving/x"),
}


class TestChaos:
    """A provider on a bad day, by percentage."""

    @pytest.mark.parametrize(
        "fault, taken, error",
        [
            ("throttled", 0, NotAccepted),
            ("failed", 0, Exception),
            ("failed_after", 1, Exception),
            ("dropped", 1, Exception),
            ("garbled", 1, Exception),
        ],
    )
    def test_fault(self, browser: Any, settings_of: Any, fault: str, taken: int, error: Any) -> None:
        """Each fault happens to the share that is asked for, and mail that was taken is listed."""
        assert browser("PUT", "/api/settings", json={"chaos": {fault: 100}}).json()["chaos"][fault] == 100
        given = {**settings_of(browser.server, "postmark"), "max_attempts": 1}
        with Mailer.from_config(given, environ={}) as mailer, pytest.raises(error):
            mailer.send(Message(from_="me@corp.example", to="you@x.example", text="Hi"))
        assert browser.json("/api/mails")["total"] == taken

    @pytest.mark.parametrize(
        "chaos", [{"failed": 101}, {"failed": "x"}, {"failed": True}, {"nonsense": 1}, [], {"latency": 61}]
    )
    def test_refused(self, browser: Any, chaos: Any) -> None:
        """What is no share is refused, and changes nothing."""
        assert browser("PUT", "/api/settings", json={"chaos": chaos}).status_code == 409
        assert set(browser.json("/api/settings")["chaos"].values()) == {0}

    @pytest.mark.parametrize(
        "url", ["ftp://x.example", "nonsense", "http://", "http://x.example:99999/", "http://ü/"]
    )
    def test_bad_webhook_url(self, browser: Any, url: str) -> None:
        """What is no URL of an endpoint is refused, and the one before stays."""
        browser("PUT", "/api/settings", json={"webhook_url": "http://127.0.0.1:9/hooks"})
        assert browser("PUT", "/api/settings", json={"webhook_url": url}).status_code == 409
        assert browser.json("/api/settings")["webhook_url"] == "http://127.0.0.1:9/hooks"


class TestRefused:
    """Requests that were not accepted, for whoever wonders why nothing is listed."""

    def test_by_the_provider(self, start: Any, visit: Any, send: Any, provider: str) -> None:
        """What was asked is shown beside the provider's words, without the key."""
        server = start(strict=True)
        with pytest.raises(Rejected):
            send(server, provider)  # from a sender that the account does not have
        (refused,) = visit(server).json("/api/refused")["refused"]
        assert (refused["provider"], refused["chaos"], refused["taken"]) == (provider, False, False)
        assert "you@x.example" in unquote(refused["request"]["body"])
        assert 400 <= refused["response"]["status"] < 500
        assert refused["response"]["body"]
        settings = server.settings[provider]
        for name in ("api_key", "server_token", "secret_access_key"):
            assert settings.get(name, "no secret") not in json.dumps(refused)

    @pytest.mark.parametrize(
        "fault, taken, status",
        [("throttled", False, 429), ("failed", False, 500), ("failed_after", True, 500),
         ("dropped", True, None), ("garbled", True, 200)],
    )  # fmt: skip
    def test_by_chaos(self, browser: Any, send: Any, fault: str, taken: bool, status: int | None) -> None:
        """What chaos answered is shown, and whether the mail was taken all the same."""
        browser("PUT", "/api/settings", json={"chaos": {fault: 100}})
        with pytest.raises(MailcoreError):
            send(browser.server, max_attempts=1)
        refused = browser.json("/api/refused")["refused"][0]
        assert (refused["chaos"], refused["taken"]) == (True, taken)
        assert (refused["response"] or {}).get("status") == status

    def test_room(self, browser: Any) -> None:
        """The newest hundred are kept, of a long body the beginning, until the mailbox is cleared."""
        url = browser.server.settings["mailpace"]["api_url"]
        with requests.Session() as session:
            for number in range(103):
                session.post(url, data=f"{number} {'x' * 70_000 if number == 102 else ''}", timeout=60)
        refused = browser.json("/api/refused")["refused"]
        assert [one["id"] for one in refused] == list(range(103, 3, -1))
        assert len(refused[0]["request"]["body"]) == 16 * 1024
        browser("DELETE", "/api/mails")
        assert browser.json("/api/refused") == {"refused": []}

    def test_hostile(self, server: Any, browser: Any, provider: str) -> None:
        """Whatever a request holds, the provider answers it, and goes on."""
        url = server.settings[provider]["api_url"]
        with requests.Session() as session:
            for path, body, kind, key in product(PATHS[provider], BODIES, KINDS, KEYS):
                headers = {"Content-Type": kind, "Accept": "application/json", **key}
                status = session.post(url + path, data=body, headers=headers, timeout=60).status_code
                assert status < 500, (path, body[:40], kind, key)
        assert browser.json("/api/mails")["total"] == 0

    def test_wrong_address(self, server: Any) -> None:
        """Whoever forgets the path of the provider is told where its API is."""
        answer = requests.post(f"{server.url}/api/v1/send", json={}, timeout=60)
        assert "below /providers/NAME" in answer.json()["error"]
