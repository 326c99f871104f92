"""Credentials go to https, or to this machine, and nowhere else."""

from __future__ import annotations

import pytest

from mailcore import ConfigurationError, check_service_url


class TestServiceURL:
    """Where a credential may be sent."""

    @pytest.mark.parametrize(
        "url",
        [
            "https://api.example.com",
            "https://api.example.com:8443/v1/send?region=eu",
            "HTTPS://API.EXAMPLE.COM/",
            "http://localhost:8025/send",
            "http://LOCALHOST/",
            "http://127.0.0.1:8025",
            "http://[::1]:8025/send",
            "https://[2001:db8::1]/",
        ],
    )
    def test_allowed(self, url: str) -> None:
        """The address is returned as it is."""
        assert check_service_url(url) is url

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "api.example.com",
            "//api.example.com",
            "https://",
            "https:///path",
            "https:api.example.com",
            "http://api.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://127.0.0.2",
            "http://2130706433",
            "http://0x7f.1",
            "http://[::ffff:127.0.0.1]",
            "http://0.0.0.0",
            "http://localhost@api.example.com",
            "http://127.0.0.1\\@api.example.com",
            "https://canary@api.example.com",
            "https://user:canary@api.example.com",
            "https://@api.example.com",
            "https://api.example.com/#canary",
            "https://api.example.com:port",
            "https://api.example.com:99999",
            "https://[::1",
            "https://api.example.com/a b",
            "https://api.example.com/\r\nX-Evil: 1",
            "https://api.example.com/\t",
            "https://api.example.com/\x00",
            "https://ex\u00e4mple.com",
            "https://\u2100.example",
            "ftp://localhost",
            "file:///etc/passwd",
            "javascript:alert(1)",
        ],
    )
    def test_refused(self, url: str) -> None:
        """Anything else is a `ConfigurationError` that does not show the address: it may hold a secret."""
        with pytest.raises(ConfigurationError) as caught:
            check_service_url(url)
        assert "canary" not in str(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None

    @pytest.mark.parametrize("url", [None, 5, b"https://api.example.com"])
    def test_not_text(self, url: object) -> None:
        """Something that is no text is refused too."""
        with pytest.raises(ConfigurationError, match="text"):
            check_service_url(url)  # type: ignore[arg-type]  # reason: the point
