"""MailPace's documented policies: advised on before sending, decided by MailPace."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from mailcore import Advice, Attachment, HttpResponse, Mailer, Message, UnsupportedFeature
from mailcore.testing import RecordingTransport
from mailcore_mailpace._adapter import MailPaceAdapter
from mailcore_mailpace._options import MailPaceOptions

MINIMAL: dict[str, Any] = {"from_": "ada@example.com", "to": "bob@example.com", "text": "Hello"}
ACCEPTED = HttpResponse(status=200, body=b'{"id":1,"status":"pending"}')
MB = 1024 * 1024
#: As https://docs.mailpace.com/reference/send lists them.
ALLOWED = "jpeg jpg png gif txt pdf docx xlsx pptx csv att ics ical html zip auf xml dwg"


def advice(**fields: Any) -> list[Advice]:
    """Return what the adapter has to say of a minimal message with these fields."""
    message = Message(**{**MINIMAL, **fields}).resolve()
    return list(MailPaceAdapter(MailPaceOptions()).advise(message))


def codes(**fields: Any) -> list[str]:
    """Return the codes of the advice."""
    return [item.code for item in advice(**fields)]


def people(number: int) -> list[str]:
    """Return that many addresses."""
    return [f"user{index}@example.com" for index in range(number)]


def named(name: str | None, content: bytes = b"x") -> Attachment:
    """Return an attachment of that name."""
    return Attachment(content=content, filename=name, content_type="application/octet-stream")


class TestPolicies:
    """Each documented limit, on both of its sides."""

    @pytest.mark.rule("MP-S6")
    @pytest.mark.parametrize(
        "fields, expected",
        [
            ({"to": people(50)}, []),
            ({"to": people(51)}, ["mailpace.too-many-recipients"]),
            ({"cc": people(51)}, []),
            ({"bcc": people(51)}, []),
        ],
        ids=["50 to", "51 to", "51 cc", "51 bcc"],
    )
    def test_fifty_addresses_in_to(self, fields: dict[str, Any], expected: list[str]) -> None:
        """The limit is documented for `to` alone."""
        assert codes(**fields) == expected

    @pytest.mark.rule("MP-S6")
    @pytest.mark.parametrize("extension", ALLOWED.split())
    def test_listed_extensions(self, extension: str) -> None:
        """In any letter case."""
        assert codes(attachments=[named(f"a.{extension}"), named(f"A.{extension.upper()}")]) == []

    @pytest.mark.rule("MP-S6")
    @pytest.mark.parametrize(
        "name, expected",
        [
            ("a.exe", ["mailpace.extension"]),
            ("a.doc", ["mailpace.extension"]),
            ("a", ["mailpace.extension"]),
            (".png", []),
            ("a.", ["mailpace.extension"]),
            ("report.2025.pdf", ["mailpace.dots"]),
            ("a.tar.gz", ["mailpace.extension", "mailpace.dots"]),
            (None, []),
        ],
    )
    def test_names_with_one_dot_and_a_listed_extension(self, name: str | None, expected: list[str]) -> None:
        """Each thing MailPace may refuse is named on its own."""
        assert codes(attachments=named(name)) == expected

    @pytest.mark.rule("MP-S6")
    @pytest.mark.parametrize(
        "fields, expected",
        [
            ({"attachments": named("a.txt", bytes(30 * MB - 5))}, []),
            ({"attachments": named("a.txt", bytes(30 * MB - 4))}, ["mailpace.too-large"]),
            ({"attachments": [named("a.txt", bytes(16 * MB))] * 2}, ["mailpace.too-large"]),
            ({"html": "x" * (30 * MB)}, ["mailpace.too-large"]),
            ({"html": "ß" * (15 * MB)}, ["mailpace.too-large"]),
        ],
        ids=["under", "over", "two files", "html", "two bytes a letter"],
    )
    def test_thirty_megabytes_in_all(self, fields: dict[str, Any], expected: list[str]) -> None:
        """The smaller of the documented sizes, in bytes, for texts and files together."""
        assert codes(**fields) == expected

    def test_each_says_what_and_where(self) -> None:
        """Field, sentence and the page that documents it."""
        found = advice(to=people(51), attachments=[named("a.b.exe")], html="x" * (30 * MB))

        assert [item.field for item in found] == ["to", "attachments", "attachments", "attachments"]
        assert {item.url for item in found} == {"https://docs.mailpace.com/reference/send"}
        assert all(item.text.endswith(".") for item in found)
        assert "51" in found[0].text
        assert "'a.b.exe'" in found[2].text


class TestNotEnforced:
    """The list of extensions alone has grown five times: MailPace has the last word."""

    FIELDS: dict[str, Any] = {"to": people(51), "attachments": named("a.exe")}  # noqa: RUF012  # reason: read only

    @pytest.mark.rule("MP-S6")
    def test_is_sent_with_a_warning(
        self, make_mailer: Callable[..., Mailer], caplog: pytest.LogCaptureFixture
    ) -> None:
        """By default the message goes out as it is; log and result tell the advice."""
        transport = RecordingTransport(ACCEPTED)
        result = make_mailer(transport).send(Message(**{**MINIMAL, **self.FIELDS}))
        warnings = [record for record in caplog.records if record.levelno == logging.WARNING]

        assert [item.code for item in result.advice] == ["mailpace.too-many-recipients", "mailpace.extension"]
        assert (len(transport.requests), len(warnings)) == (1, 2)
        assert b"user50@example.com" in b"".join(transport.requests[0].body)

    @pytest.mark.rule("MP-S6")
    def test_is_refused_on_request(self, make_mailer: Callable[..., Mailer]) -> None:
        """With `on_advice="raise"` nothing is sent."""
        transport = RecordingTransport()
        with pytest.raises(UnsupportedFeature, match="at most 50") as caught:
            make_mailer(transport, on_advice="raise").send(Message(**{**MINIMAL, **self.FIELDS}))

        assert (caught.value.field, transport.requests) == ("to", [])

    @pytest.mark.rule("MP-S6")
    def test_is_silent_on_request(
        self, make_mailer: Callable[..., Mailer], caplog: pytest.LogCaptureFixture
    ) -> None:
        """With `on_advice="ignore"` nobody hears of it."""
        result = make_mailer(RecordingTransport(ACCEPTED), on_advice="ignore").send(
            Message(**{**MINIMAL, **self.FIELDS})
        )

        assert (result.advice, caplog.records) == ((), [])
