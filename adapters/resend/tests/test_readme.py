"""The provider page says what the code does."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from mailcore_resend import _advice, _events, _responses

README = Path(__file__).resolve().parent.parent / "README.md"


def page() -> str:
    """Return the page."""
    return README.read_text(encoding="utf-8")


class TestTables:
    """Each table against what it is a table of."""

    def test_advice(self) -> None:
        """Every advice, with its numbers."""
        source = (files("mailcore_resend") / "_advice.py").read_text(encoding="utf-8")
        codes = re.findall(r'code="(resend\.[a-z-]+)"', source)
        text = page()
        assert len(codes) == 5
        assert [code for code in codes if f"| `{code}` |" not in text] == []
        for said in (
            f"At most {_advice.MAX_RECIPIENTS} addresses",
            f"At most {_advice.MAX_SIZE // 1024 // 1024} MB",
            f"1 to {_advice.MAX_TAG} ASCII",
            f"At most {_advice.MAX_TAGS} values",
        ):
            assert said in text

    def test_events(self) -> None:
        """Every kind of event with what it becomes."""
        for kind, (event_type, reason, _) in _events._KINDS.items():
            became = f"`{event_type.value}`" + (f", reason `{reason.value}`" if reason else "")
            assert f"| `{kind}` | {became} |" in page()

    def test_names(self) -> None:
        """Every name of an error that has a meaning of its own."""
        for (_, name), cls in _responses._NAMES.items():
            assert re.search(rf"^\| .*`{name}`.* \| `{cls.__name__}`.* \|$", page(), re.MULTILINE)
