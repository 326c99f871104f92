"""What is told of a failed exchange: one word for what happened, whatever libraries wrapped around it."""

from __future__ import annotations

import ssl

import pytest
import requests
import urllib3

from mailcore import Phase
from mailcore.transports._failure import failure


class TestUntrusted:
    """Whether the other side could be trusted."""

    class Theirs(ssl.SSLError):
        """What another library makes of it."""

    @pytest.mark.parametrize(
        "error, phase, untrusted",
        [
            (ssl.SSLCertVerificationError(), Phase.CONNECTING, True),
            (ssl.SSLError(), Phase.CONNECTING, True),
            (ssl.SSLError(), Phase.SENDING, False),
            (ssl.SSLEOFError(), Phase.CONNECTING, False),
            (Theirs(), Phase.CONNECTING, False),
            (OSError(), Phase.CONNECTING, False),
        ],
    )
    def test_ssl_alone_says_so(self, error: Exception, phase: Phase, untrusted: bool) -> None:
        """A refused certificate is no lost connection, and no other library's name for one."""
        assert failure(error, phase, "api.example.com").untrusted is untrusted


class TestWhy:
    """The one word in brackets, found among the errors that libraries wrap around each other."""

    class Aim(Exception):  # reason: the name is what is looked for
        """What really happened."""

    class Wrapping(Exception):  # reason: the same
        """What a library makes of it."""

        reason: BaseException | None = None

    def why(self, error: Exception) -> str:
        """Return what is said of an error."""
        return str(failure(error, Phase.SENT, "api.example.com")).partition("(")[2].removesuffix(").")

    @pytest.mark.parametrize("link", ["__cause__", "__context__", "reason"])
    def test_every_link_is_followed(self, link: str) -> None:
        """Cause, context, and what urllib3 calls the reason."""
        error = self.Wrapping()
        setattr(error, link, self.Aim())
        assert self.why(error) == "Aim"

    def test_every_argument_is_followed(self) -> None:
        """However many there are."""
        assert self.why(self.Wrapping(self.Wrapping(), self.Aim(), "text", self.Wrapping())) == "Aim"

    def test_circles_end(self) -> None:
        """Two errors may each be the context of the other."""
        first, second = self.Wrapping(), self.Aim()
        first.__context__, second.__context__ = second, first
        assert self.why(first) == "Aim"

    @pytest.mark.parametrize(
        "error, expected",
        [
            (requests.ConnectionError(ConnectionResetError()), "ConnectionResetError"),
            (requests.ConnectionError(), "ConnectionError"),
            (requests.ConnectionError(requests.ReadTimeout()), "timeout"),
            (urllib3.exceptions.MaxRetryError(None, "/", OSError()), "OSError"),  # type: ignore[arg-type]  # reason: only named
            (urllib3.exceptions.MaxRetryError(None, "/", ValueError()), "ValueError"),  # type: ignore[arg-type]  # reason: the same
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_wrappers_say_nothing(self, error: Exception, expected: str) -> None:
        """Their names are left out where there is another one."""
        assert self.why(error) == expected
