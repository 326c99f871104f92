"""Every embedding answers every delivery in the same way, and as is written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import pytest

from reliability import embeddings
from reliability.delivery import Answer, Delivery
from reliability.embeddings import EMBEDDINGS, Seen, Setting, main, observe
from reliability.webhook_cases import CASES, Case

EVENT = CASES[0]


KNOWN: dict[str, Seen] = {}


def first(case: Case) -> Seen:
    """Return what the first embedding does."""
    name = f"{case.group}: {case.name}"
    if name not in KNOWN:
        KNOWN[name] = observe(case, next(iter(EMBEDDINGS.values())))
    return KNOWN[name]


def headers(answer: Answer) -> dict[str, str]:
    """Return what an answer's headers say beside the type and the length of its body."""
    return {name: value for name, value in answer.headers if not name.startswith("content-")}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.group}: {case.name}")
class TestCases:
    """Each row of the table."""

    def test_as_written_down(self, case: Case) -> None:
        """The first embedding does what the row says."""
        seen = first(case)
        assert tuple(answer.status for answer in seen.answers) == case.status
        assert [headers(answer) for answer in seen.answers] == [dict(case.headers)] * len(seen.answers)
        counted = (len(seen.handled), seen.quarantined, seen.spooled)
        assert counted == (case.handled, case.quarantined, case.spooled)
        assert len(seen.log) == len(case.log)
        assert all(expected in line for expected, (_, line) in zip(case.log, seen.log, strict=True))

    def test_the_same(self, case: Case) -> None:
        """Every other one does the same, to the byte."""
        expected = first(case)
        for name, embedding in list(EMBEDDINGS.items())[1:]:
            assert (name, observe(case, embedding)) == (name, expected)


class TestTable:
    """What the table is worth."""

    def test_size(self) -> None:
        """There are many rows, each with a name of its own."""
        names = [(case.group, case.name) for case in CASES]
        assert len(set(names)) == len(names) > 100

    def test_every_status(self) -> None:
        """Every status that an endpoint gives is in some row."""
        assert {status for case in CASES for status in case.status} == {
            200,
            400,
            401,
            404,
            405,
            413,
            415,
            503,
        }

    def test_sees_a_difference(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """An embedding that adds a header, or forgets the handler, is found out."""
        wsgi = EMBEDDINGS["WSGI"]

        def chatty(setting: Setting, deliveries: Sequence[Delivery]) -> list[Answer]:
            return [
                attrs.evolve(answer, headers=[*answer.headers, ("Server", "x")])
                for answer in wsgi(setting, deliveries)
            ]

        def deaf(setting: Setting, deliveries: Sequence[Delivery]) -> list[Answer]:
            return wsgi(attrs.evolve(setting, options={}), deliveries)

        monkeypatch.setattr(embeddings, "CASES", [EVENT])
        for wrong in (chatty, deaf):
            monkeypatch.setattr(embeddings, "EMBEDDINGS", {"WSGI": wsgi, "wrong": wrong})
            assert main([]) == 1
            assert "an event: wrong" in capsys.readouterr().out

    def test_says_that_they_are_the_same(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Where none differs, the command says so."""
        found: dict[str, Any] = {"WSGI": EMBEDDINGS["WSGI"], "Flask": EMBEDDINGS["Flask"]}
        monkeypatch.setattr(embeddings, "CASES", [EVENT])
        monkeypatch.setattr(embeddings, "EMBEDDINGS", found)
        assert main([]) == 0
        assert "WSGI, Flask" in capsys.readouterr().out
