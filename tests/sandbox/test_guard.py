"""Who may ask a running sandbox for what."""

from __future__ import annotations

from typing import Any

import pytest
import requests

pytestmark = [pytest.mark.loopback]


@pytest.fixture
def server(shared_server: Any) -> Any:
    """Return a sandbox that all tests here may share: what is refused leaves nothing behind."""
    return shared_server


class TestGuard:
    """Who may ask for what."""

    CHANGES = (
        ("DELETE", "/api/mails"), ("PUT", "/api/settings"), ("POST", "/api/mails/1/happen"),
        ("POST", "/api/webhooks/1/replay"), ("POST", "/api/providers/mailpace/receive"),
        ("DELETE", "/api/mails/1"), ("POST", "/api/sample/mailpace"),
    )  # fmt: skip

    @pytest.mark.parametrize(
        "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.", "127.0.0.1@evil"]
    )
    @pytest.mark.parametrize("path", ["/", "/api/mails", "/providers/mailpace/api/v1/send"])
    def test_foreign_host(self, server: Any, host: str, path: str) -> None:
        """A name that somebody else points to this machine is refused, whatever is asked."""
        answer = requests.get(server.url + path, headers={"Host": host}, timeout=60)
        assert answer.status_code in (400, 421)

    def test_allowed_host(self, start: Any) -> None:
        """A name may be allowed."""
        server = start(allow_hosts=["mail.test"])
        for host in ("mail.test", "mail.test:80", "localhost", "[::1]:9"):
            answer = requests.get(server.url + "/api/mails", headers={"Host": host}, timeout=60)
            assert answer.status_code == 200

    @pytest.mark.parametrize("method, path", CHANGES)
    @pytest.mark.parametrize(
        "headers",
        [{}, {"X-Mailcore-Token": ""}, {"X-Mailcore-Token": "wrong"}, {"Authorization": "Bearer x"}],
    )
    def test_change_without_token(self, server: Any, method: str, path: str, headers: dict[str, str]) -> None:
        """Nothing changes for whoever lacks the token."""
        assert requests.request(method, server.url + path, headers=headers, timeout=60).status_code == 403

    @pytest.mark.parametrize("method, path", CHANGES)
    @pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
    def test_change_from_another_origin(self, browser: Any, method: str, path: str, origin: str) -> None:
        """A page of another origin changes nothing, even with the token."""
        assert browser(method, path, headers={"Origin": origin}).status_code == 403

    def test_nothing_is_shared(self, server: Any) -> None:
        """No answer lets another origin read it, and a preflight is not answered."""
        origin = {"Origin": "http://evil.example", "Access-Control-Request-Method": "DELETE"}
        for method, path in (
            ("GET", "/api/mails"),
            ("OPTIONS", "/api/mails"),
            ("OPTIONS", "/providers/mailpace"),
        ):
            answer = requests.request(method, server.url + path, headers=origin, timeout=60)
            assert not [name for name in answer.headers if name.lower().startswith("access-control")]

    def test_headers(self, server: Any) -> None:
        """Answers say that they are neither to be framed, sniffed, kept nor shared."""
        headers = requests.get(server.url + "/api/mails", timeout=60).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize("number", ["../../etc/passwd", "..%2f..%2fpasswd", "-1", "1e3", "0x1", "%00"])
    def test_ids_are_numbers(self, server: Any, number: str) -> None:
        """No id is a path."""
        answer = requests.get(f"{server.url}/api/mails/{number}/source", timeout=60)
        assert answer.status_code == 404

    def test_deep_json(self, browser: Any) -> None:
        """JSON that is too deep to read is refused."""
        answer = browser("PUT", "/api/settings", data=b"[" * 100_000)
        assert answer.status_code == 400
