"""The provider page says what the code does."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from mailcore import BounceClass
from mailcore_postmark import _advice, _events, _responses

README = Path(__file__).resolve().parent.parent / "README.md"


def page() -> str:
    """Return the page."""
    return README.read_text(encoding="utf-8")


class TestTables:
    """Each table against what it is a table of."""

    def test_advice(self) -> None:
        """Every advice, with its numbers."""
        source = (files("mailcore_postmark") / "_advice.py").read_text(encoding="utf-8")
        codes = re.findall(r'code="(postmark\.[a-z-]+)"', source)
        text = page()

        assert len(codes) == 5
        assert [code for code in codes if f"| `{code}` |" not in text] == []
        for said in (
            f"At most {_advice.MAX_RECIPIENTS} addresses",
            f"At most {_advice.MAX_SIZE // 1024 // 1024} MB",
            f"at most {_advice.MAX_TAG} characters",
            f"At most {_advice.MAX_FIELDS} fields, names of at most {_advice.MAX_NAME}",
            f"at most {_advice.MAX_VALUE} characters",
        ):
            assert said in text

    def test_events(self) -> None:
        """Every kind of event and of bounce with what it becomes."""
        text = page()
        rows = {f"bounce `{kind}`": meaning for kind, meaning in _events._BOUNCES.items()}
        for kind, (event_type, reason, bounce) in {
            **rows,
            **{f"`{kind}`": meaning for kind, meaning in _events._RECORDS.items()},
        }.items():
            became = f"`{event_type.value}`" + (f", reason `{reason.value}`" if reason else "")
            hard = {BounceClass.HARD: " hard", BounceClass.SOFT: " soft", None: ""}[bounce]
            assert f"| {kind} | {became} |{hard} |" in text

    def test_codes(self) -> None:
        """Every code that has a meaning of its own."""
        text = page()
        for code, cls in _responses._CODES.items():
            assert re.search(rf"^\| [0-9, ]*\b{code}\b[0-9, ]* \| `{cls.__name__}` \|$", text, re.MULTILINE)
