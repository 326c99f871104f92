"""What an HTTP status means for a mail, and how long a provider asks to wait."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore import (
    AccountProblem,
    AuthenticationFailed,
    HttpResponse,
    InProgress,
    MaybeSent,
    Outcome,
    ProtocolBug,
    RateLimited,
    Rejected,
    Scope,
    SendError,
    ServiceUnavailable,
    TooLarge,
    error_for_status,
    retry_after,
)

NOW = datetime(2030, 1, 31, 9, tzinfo=UTC)
SIX_HOURS = 6 * 3600.0


class TestError:
    """One row a status."""

    @pytest.mark.parametrize(
        "status,expected,scope",
        [
            (400, Rejected, Scope.MESSAGE),
            (401, AuthenticationFailed, Scope.ACCOUNT),
            (402, AccountProblem, Scope.ACCOUNT),
            (403, AccountProblem, Scope.ACCOUNT),
            (404, ProtocolBug, Scope.PROVIDER),
            (405, ProtocolBug, Scope.PROVIDER),
            (406, ProtocolBug, Scope.PROVIDER),
            (408, ServiceUnavailable, Scope.PROVIDER),
            (409, InProgress, Scope.PROVIDER),
            (411, ProtocolBug, Scope.PROVIDER),
            (413, TooLarge, Scope.MESSAGE),
            (415, ProtocolBug, Scope.PROVIDER),
            (418, Rejected, Scope.MESSAGE),
            (422, Rejected, Scope.MESSAGE),
            (429, RateLimited, Scope.PROVIDER),
            (499, Rejected, Scope.MESSAGE),
            (500, MaybeSent, Scope.PROVIDER),
            (501, MaybeSent, Scope.PROVIDER),
            (502, MaybeSent, Scope.PROVIDER),
            (503, ServiceUnavailable, Scope.PROVIDER),
            (504, MaybeSent, Scope.PROVIDER),
            (599, MaybeSent, Scope.PROVIDER),
            (102, MaybeSent, Scope.PROVIDER),
            (0, MaybeSent, Scope.PROVIDER),
            (999, MaybeSent, Scope.PROVIDER),
        ],
    )
    def test_table(self, status: int, expected: type[SendError], scope: Scope) -> None:
        """A status that does not prove "not sent" is unknown."""
        response = HttpResponse(status=status)
        error = error_for_status(response, now=NOW)
        assert type(error) is expected
        assert error.scope is scope
        assert error.response is response

    @given(st.integers(-1000, 1000))
    def test_only_some_prove_that_nothing_was_sent(self, status: int) -> None:
        """Outside 4xx, only 503 is ever read as "not sent"."""
        outcome = error_for_status(HttpResponse(status=status), now=NOW).outcome
        assert outcome is Outcome.UNKNOWN or status == 503 or 400 <= status < 500

    @pytest.mark.rule("N-G9")
    def test_words(self) -> None:
        """The text holds the provider's words and the status, and never the body by itself."""
        response = HttpResponse(status=400, body=b"canary bob@example.com")
        error = error_for_status(response, "to is invalid", now=NOW, fields={"to": ["is invalid"]}, code="E7")
        assert str(error) == "HTTP 400: to is invalid"
        assert (error.fields, error.code) == ({"to": ("is invalid",)}, "E7")
        assert str(error_for_status(response, now=NOW)) == "HTTP 400: no explanation"

    def test_class_given(self) -> None:
        """Where the provider's words mean more than the status, only the class differs."""
        response = HttpResponse(status=400, headers={"Retry-After": "7"})
        error = error_for_status(response, "no such token", now=NOW, code="E1", cls=AuthenticationFailed)
        assert (type(error), str(error)) == (AuthenticationFailed, "HTTP 400: no such token")
        assert (error.retry_after, error.code, error.response) == (7.0, "E1", response)


class TestRetryAfter:
    """RFC 9110, section 10.2.3."""

    @pytest.mark.parametrize(
        "text,expected",
        [
            ("0", 0.0),
            ("3", 3.0),
            (" 120 ", 120.0),
            ("0" * 20 + "5", 5.0),
            ("99999", SIX_HOURS),
            ("9" * 5000, SIX_HOURS),
            ("Thu, 31 Jan 2030 09:02:00 GMT", 120.0),
            ("Thu, 31 Jan 2030 08:00:00 GMT", 0.0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
            ("Fri, 31 Dec 9999 23:59:59 GMT", SIX_HOURS),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("\u0662", None),
            ("\u00b2", None),
            ("Thu, 31 Jan 2030 09:02:00 -0000", None),
            ("Thu, 99 Jan 2030 09:02:00 GMT", None),
            ("Thu, 31 Jan 99999999999999999999 09:02:00 GMT", None),
        ],
    )
    def test_forms(self, text: str, expected: float | None) -> None:
        """Seconds and dates are read, at most six hours; anything else is as good as no header."""
        response = HttpResponse(status=429, headers={"Retry-After": text})
        assert retry_after(response, NOW) == expected
        assert error_for_status(response, now=NOW).retry_after == expected

    def test_absent(self) -> None:
        """Without the header, nobody says how long."""
        assert retry_after(HttpResponse(status=429), NOW) is None

    @given(st.text(max_size=60))
    @pytest.mark.rule("N-G6")
    def test_any_text(self, text: str) -> None:
        """No header breaks the error it belongs to."""
        seconds = retry_after(HttpResponse(status=429, headers={"Retry-After": text}), NOW)
        assert seconds is None or 0 <= seconds <= SIX_HOURS
