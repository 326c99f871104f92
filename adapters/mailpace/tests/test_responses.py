"""Response → result or error: what MailPace's answers mean, and what unreadable ones do not."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

import mailcore
from mailcore import (
    AccountProblem,
    AuthenticationFailed,
    Context,
    HttpResponse,
    Mailer,
    MaybeSent,
    Message,
    Outcome,
    ProtocolBug,
    RateLimited,
    RecipientRejected,
    Rejected,
    SenderRejected,
    SendError,
    SendResult,
    SendStatus,
    ServiceUnavailable,
    TooLarge,
    UnexpectedRedirect,
)
from mailcore.testing import RecordingTransport
from mailcore_mailpace._adapter import MailPaceAdapter
from mailcore_mailpace._options import MailPaceOptions

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
CONTEXT = Context(now=NOW, created=NOW, unique="0" * 32, idempotency_key="key-1")
EXCHANGES = files("mailcore_mailpace") / "kit" / "exchanges"
MESSAGE = Message(
    from_="ada@example.com",
    to=["bob@example.com", "Eve <eve@example.com>"],
    bcc="zoe@example.com",
    text="Secret body",
)


def parse(status: int, body: bytes | str = b"", **headers: str) -> SendResult:
    """Return what the adapter makes of an answer."""
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    raw = body.encode() if isinstance(body, str) else body
    response = HttpResponse(status=status, headers=pairs, body=raw)
    return MailPaceAdapter(MailPaceOptions()).parse_send(MESSAGE.resolve(), CONTEXT, response)


def failure(status: int, body: bytes | str = b"", **headers: str) -> SendError:
    """Return the error the adapter makes of an answer."""
    with pytest.raises(SendError) as caught:
        parse(status, body, **headers)
    return caught.value


def load(name: str) -> tuple[HttpResponse, dict[str, Any]]:
    """Return a sample's answer, and what it means."""
    sample = json.loads((EXCHANGES / f"{name}.json").read_text(encoding="utf-8"))
    given = sample["response"]
    response = HttpResponse(status=given["status"], headers=given["headers"], body=given["body"].encode())
    return response, sample["expected"]


ACCEPTED = [
    pytest.param("accepted", marks=pytest.mark.rule("MP-R1")),
    pytest.param("accepted-queued", marks=pytest.mark.rule("MP-R1", "MP-C10")),
    pytest.param("accepted-new-status", marks=pytest.mark.rule("MP-R1", "MP-C10")),
    pytest.param("accepted-id-as-text", marks=pytest.mark.rule("MP-R1", "MP-C10")),
    pytest.param("accepted-longest-id", marks=pytest.mark.rule("MP-R1")),
    pytest.param("accepted-status-no-text", marks=pytest.mark.rule("MP-R1", "MP-C10")),
    "accepted-full",
    "accepted-minimal",
    "accepted-nameless",
]
REFUSED = [
    pytest.param("bad-token", marks=pytest.mark.rule("MP-R2")),
    pytest.param("bad-token-full-stop", marks=pytest.mark.rule("MP-R2")),
    pytest.param("unreadable-sender", marks=pytest.mark.rule("MP-R3")),
    pytest.param("no-recipient", marks=pytest.mark.rule("MP-R4")),
    pytest.param("invalid-recipient", marks=pytest.mark.rule("MP-R4")),
    pytest.param("blocked-recipient", marks=pytest.mark.rule("MP-R4")),
    pytest.param("too-many-recipients", marks=pytest.mark.rule("MP-R4")),
    pytest.param("two-fields", marks=pytest.mark.rule("MP-R4")),
    pytest.param("errors-value-as-text", marks=pytest.mark.rule("MP-R4")),
    "errors-as-list",
    "errors-as-text",
    "control-characters",
    "forbidden-field",
    pytest.param("blocked-extension", marks=pytest.mark.rule("MP-R5")),
    pytest.param("no-token", marks=pytest.mark.rule("MP-R6")),
    pytest.param("dkim-not-verified", marks=pytest.mark.rule("MP-R7")),
    pytest.param("no-plan", marks=pytest.mark.rule("MP-R7")),
    pytest.param("organization-disabled", marks=pytest.mark.rule("MP-R7")),
    pytest.param("foreign-sender", marks=pytest.mark.rule("MP-R8")),
    pytest.param("bad-format", marks=pytest.mark.rule("MP-R9")),
    pytest.param("too-fast", marks=pytest.mark.rule("MP-R10")),
    pytest.param("server-error", marks=pytest.mark.rule("MP-R11", "MP-C11")),
    pytest.param("edge-502", marks=pytest.mark.rule("MP-R11")),
    pytest.param("edge-504", marks=pytest.mark.rule("MP-R11")),
    pytest.param("conflict", marks=pytest.mark.rule("MP-S3")),
    pytest.param("ok-empty", marks=pytest.mark.rule("MP-C10")),
    pytest.param("ok-html", marks=pytest.mark.rule("MP-C10")),
    pytest.param("ok-without-id", marks=pytest.mark.rule("MP-C10")),
    pytest.param("created", marks=pytest.mark.rule("MP-C10")),
]


class TestSamples:
    """Every documented answer, and those seen from public clients and proxies."""

    @pytest.mark.parametrize("name", ACCEPTED)
    def test_accepted(self, name: str) -> None:
        """The mail was taken: one id for the whole message, and the answer kept."""
        response, expected = load(name)
        result = parse(response.status, response.body)

        assert (result.message_id, result.message_ids) == (expected["message_id"], (expected["message_id"],))
        assert {row.status.value for row in result.recipients.values()} == {expected["status"]}
        assert list(result.recipients) == ["bob@example.com", "eve@example.com", "zoe@example.com"]
        assert (result.scope, result.raw) == ("message", HttpResponse(status=200, body=response.body))

    @pytest.mark.parametrize("name", REFUSED)
    def test_refused(self, name: str) -> None:
        """The error says whose fault it is, what it stops, and MailPace's own words."""
        response, expected = load(name)
        error = failure(response.status, response.body)
        found = {
            "error": type(error).__name__,
            "outcome": error.outcome.value,
            "scope": error.scope.value,
            "retriable": error.retriable,
            "text": str(error),
            "fields": {field: list(words) for field, words in error.fields.items()},
        }

        assert found == expected
        assert error.response == HttpResponse(status=response.status, body=response.body)

    def test_every_sample_is_used(self) -> None:
        """No file of the kit is left out."""
        used = {case if isinstance(case, str) else case.values[0] for case in (*ACCEPTED, *REFUSED)}

        assert {f"{name}.json" for name in used} == {path.name for path in EXCHANGES.iterdir()}

    @pytest.mark.parametrize("path", sorted(EXCHANGES.iterdir(), key=str), ids=lambda path: path.name)
    def test_samples_have_a_source(self, path: Any) -> None:
        """Each says which page it is from, when it was read, and what was changed."""
        sample = json.loads(path.read_text(encoding="utf-8"))

        assert sample["source_url"].startswith("https://docs.mailpace.com/")
        assert datetime.strptime(sample["recorded_at"], "%Y-%m-%d").replace(tzinfo=UTC) < datetime.now(UTC)
        assert sample["edits"].endswith(".")


class TestAcceptance:
    """What counts as accepted, and what nobody can tell."""

    @pytest.mark.rule("MP-R1", "MP-C10")
    @pytest.mark.parametrize(
        "status, expected",
        [
            ('"pending"', SendStatus.QUEUED),
            ('"queued"', SendStatus.QUEUED),
            ('"sent"', SendStatus.SENT),
            ('"PENDING"', SendStatus.UNKNOWN),
            ('""', SendStatus.UNKNOWN),
            ("null", SendStatus.UNKNOWN),
            ("7", SendStatus.UNKNOWN),
            ("[]", SendStatus.UNKNOWN),
            ('{"a": 1}', SendStatus.UNKNOWN),
        ],
    )
    def test_any_status_is_accepted(self, status: str, expected: SendStatus) -> None:
        """An id is what matters: a mail that was taken is not sent again because of a word."""
        result = parse(200, f'{{"id":1,"status":{status}}}')

        assert result.recipients["bob@example.com"].status is expected

    @pytest.mark.rule("MP-R1")
    @pytest.mark.parametrize(
        "given, expected",
        [
            ("1", "1"),
            ("12345678901234567890", "12345678901234567890"),
            ('"1"', "1"),
            ('"a-b_c"', "a-b_c"),
            ("0", "0"),
        ],
    )
    def test_ids_are_text(self, given: str, expected: str) -> None:
        """An integer or a text becomes text, digit by digit."""
        assert parse(200, f'{{"id":{given},"status":"pending"}}').message_id == expected

    @pytest.mark.rule("MP-C10")
    @pytest.mark.parametrize(
        "body",
        [
            "",
            " ",
            "null",
            "[]",
            "{}",
            '"1"',
            "1",
            "<html></html>",
            '{"id":1,"status":"pending"',
            '{"id":null}',
            '{"id":true}',
            '{"id":1.0}',
            '{"id":[1]}',
            '{"id":{"a":1}}',
            '{"id":""}',
            '{"id":" "}',
            '{"id":"a\\nb"}',
            '{"id":"' + "x" * 256 + '"}',
            '{"id":' + "1" * 21 + "}",
            '{"id":NaN}',
            '{"id":1,"id":2}',
            '{"error":"Invalid API Token"}',
            "[" * 100_000,
            b'\xff\xfe{\x00"\x00',
            b'\xef\xbb\xbf{"id":1}',
            b'{"id":"\xff"}',
        ],
        ids=lambda body: repr(body[:30]),
    )
    def test_unreadable_success_is_unknown(self, body: str | bytes) -> None:
        """A 200 that cannot be read may have been a taken mail: never failed, never accepted."""
        error = failure(200, body)

        assert (type(error), error.outcome) == (MaybeSent, Outcome.UNKNOWN)
        assert error.response is not None
        assert error.response.body == (body.encode() if isinstance(body, str) else body)

    @pytest.mark.rule("MP-C10")
    @pytest.mark.parametrize("status", [201, 202, 203, 204, 206, 226, 299])
    def test_other_successes_are_unknown(self, status: int) -> None:
        """No other status of success is documented, whatever the body looks like."""
        assert failure(status, '{"id":1,"status":"pending"}').outcome is Outcome.UNKNOWN


class TestStatuses:
    """Statuses the documentation does not list."""

    @pytest.mark.parametrize(
        "status, expected",
        [
            (400, Rejected),
            (402, AccountProblem),
            (403, AccountProblem),
            (404, ProtocolBug),
            (405, ProtocolBug),
            (408, ServiceUnavailable),
            (413, TooLarge),
            (415, ProtocolBug),
            (418, Rejected),
            (422, Rejected),
            (500, MaybeSent),
            (501, MaybeSent),
            (503, ServiceUnavailable),
            (520, MaybeSent),
            (599, MaybeSent),
            (100, MaybeSent),
            (600, MaybeSent),
        ],
    )
    def test_without_words(self, status: int, expected: type[SendError]) -> None:
        """The status alone decides where MailPace says nothing; what proves nothing is unknown."""
        assert type(failure(status)) is expected

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirects_are_not_followed(self, status: int, make_mailer: Callable[..., Mailer]) -> None:
        """The token goes nowhere but to the address that was configured."""
        transport = RecordingTransport(
            HttpResponse(status=status, headers=[("Location", "https://elsewhere.example/api/v1/send")])
        )
        with pytest.raises(UnexpectedRedirect, match=r"elsewhere\.example"):
            make_mailer(transport).send(MESSAGE)

        assert len(transport.requests) == 1

    @pytest.mark.rule("MP-R10")
    @pytest.mark.parametrize(
        "header, seconds",
        [
            ("120", 120.0),
            ("0", 0.0),
            ("Sun, 01 Jun 2025 12:01:30 GMT", 90.0),
            ("Sun, 01 Jun 2025 11:00:00 GMT", 0.0),
            ("99999999999", 21600.0),
            ("-1", None),
            ("soon", None),
            ("٣", None),
            ("", None),
        ],
    )
    def test_rate_limit_may_say_how_long(self, header: str, seconds: float | None) -> None:
        """`Retry-After` is not documented, and honoured where it comes."""
        error = failure(429, '{"error":"You are sending emails too quickly"}', Retry_After=header)

        assert (type(error), error.retry_after) == (RateLimited, seconds)

    def test_so_may_any_refusal(self) -> None:
        """Whatever the words mean, a time to wait is kept."""
        error = failure(400, '{"error":"Invalid API Token"}', Retry_After="7")

        assert (type(error), error.retry_after) == (AuthenticationFailed, 7.0)


class TestWords:
    """What MailPace says decides before the status does, and is passed on."""

    @pytest.mark.parametrize(
        "status, words, expected",
        [
            (400, "Invalid API Token", AuthenticationFailed),
            (400, "invalid api token.", AuthenticationFailed),
            (403, "Invalid API Token", AuthenticationFailed),
            (400, "Email from address not parseable", SenderRejected),
            (403, "Verified domain does not match domain in From address of email", SenderRejected),
            (403, "Something new", AccountProblem),
            (400, "Something new", Rejected),
            (400, "Your text mentions an invalid api token", Rejected),
            (500, "Invalid API Token", MaybeSent),
        ],
    )
    @pytest.mark.rule("MP-R2", "MP-R3", "MP-R8")
    def test_whole_sentences_are_known(self, status: int, words: str, expected: type[SendError]) -> None:
        """A documented sentence has its meaning; a part of one, or a 5xx with one, has none."""
        error = failure(status, json.dumps({"error": words}))

        assert (type(error), str(error)) == (expected, f"HTTP {status}: {words}")

    @pytest.mark.rule("MP-R4", "MP-R5")
    @pytest.mark.parametrize(
        "field, expected",
        [
            ("to", RecipientRejected),
            ("cc", RecipientRejected),
            ("bcc", RecipientRejected),
            ("from", SenderRejected),
            ("attachments.name", Rejected),
            ("attachments.content", Rejected),
            ("subject", Rejected),
            ("new_field", Rejected),
        ],
    )
    def test_fields_say_whose_fault_it_is(self, field: str, expected: type[SendError]) -> None:
        """Each field is kept under MailPace's name, with all it says of it."""
        error = failure(400, json.dumps({"errors": {field: ["is invalid", "is too long"]}}))

        assert (type(error), error.fields) == (expected, {field: ("is invalid", "is too long")})
        assert str(error) == f"HTTP 400: {field} is invalid, is too long"

    @pytest.mark.rule("MP-R4")
    def test_several_fields_are_all_kept(self) -> None:
        """One answer may speak of several fields."""
        error = failure(400, '{"errors":{"to":["is invalid"],"htmlbody":["undefined field"]}}')

        assert error.fields == {"to": ("is invalid",), "htmlbody": ("undefined field",)}
        assert str(error) == "HTTP 400: to is invalid; htmlbody undefined field"

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "<html>",
            "null",
            "[]",
            '"text"',
            "{}",
            '{"error":null}',
            '{"error":7}',
            '{"error":""}',
            '{"error":{"to":"x"}}',
            '{"errors":[]}',
            '{"errors":{}}',
            '{"errors":[{"field":"to"}]}',
            b"\xff\xfe",
            "[" * 100_000,
        ],
        ids=lambda body: repr(body[:20]),
    )
    def test_odd_bodies_are_no_explanation(self, body: str | bytes) -> None:
        """A refusal stays a refusal, whatever its body."""
        error = failure(400, body)

        assert (type(error), str(error), error.fields) == (Rejected, "HTTP 400: no explanation", {})

    @pytest.mark.parametrize("errors", ["{}", "[]", "null", '""'])
    def test_empty_errors_do_not_hide_the_error(self, errors: str) -> None:
        """Where both keys are there, the one that says something counts."""
        error = failure(400, f'{{"error":"Invalid API Token","errors":{errors}}}')

        assert type(error) is AuthenticationFailed

    def test_control_characters_are_taken_out(self) -> None:
        """A log line stays one line, and a terminal is not written to."""
        error = failure(400, json.dumps({"errors": {"t\no": ["is\r\n\x1b[31minvalid\u2028"]}}))

        assert str(error) == "HTTP 400: t o is [31minvalid "
        assert error.fields == {"t o": ("is [31minvalid ",)}

    def test_long_explanations_are_cut(self) -> None:
        """An error is not a place for a page of text; the whole answer is in `response`."""
        error = failure(400, json.dumps({"error": "x" * 10_000}))

        assert len(str(error)) < 600
        assert error.response is not None
        assert len(error.response.body) > 10_000


class TestThroughTheMailer:
    """What the caller of `send` sees."""

    @pytest.mark.parametrize("name", REFUSED)
    def test_errors_are_complete_and_discreet(
        self, name: str, token: str, make_mailer: Callable[..., Mailer]
    ) -> None:
        """Each has the provider, the key and the attempt; none shows the token, the body or an address."""
        response, expected = load(name)
        with pytest.raises(SendError) as caught:
            make_mailer(RecordingTransport(response)).send(MESSAGE, idempotency_key="key-1")
        error = caught.value
        shown = f"{error} {error!r} {error.attempts} {error.fields} {error.response!r}"

        assert type(error) is getattr(mailcore, expected["error"])
        assert (error.provider, error.idempotency_key, error.attempts[0].status) == (
            "mailpace",
            "key-1",
            response.status,
        )
        assert not [word for word in (token, "Secret body", "bob@", "eve@", "zoe@") if word in shown]

    @pytest.mark.parametrize("name", REFUSED)
    def test_errors_can_be_pickled(self, name: str, token: str, make_mailer: Callable[..., Mailer]) -> None:
        """They survive the way to another process, without the token."""
        response, _ = load(name)
        with pytest.raises(SendError) as caught:
            make_mailer(RecordingTransport(response)).send(MESSAGE)
        pickled = pickle.dumps(caught.value)
        copy = pickle.loads(pickled)
        names = (
            "scope",
            "retriable",
            "retry_after",
            "fields",
            "response",
            "provider",
            "idempotency_key",
            "attempts",
        )

        assert token.encode() not in pickled
        assert (type(copy), str(copy)) == (type(caught.value), str(caught.value))
        assert [getattr(copy, name) for name in names] == [getattr(caught.value, name) for name in names]
