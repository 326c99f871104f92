"""The provider page says what the code does."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from mailcore_amazon_ses import _advice, _events

README = Path(__file__).resolve().parent.parent / "README.md"


def page() -> str:
    """Return the page."""
    return README.read_text(encoding="utf-8")


class TestTables:
    """Each table against what it is a table of."""

    def test_advice(self) -> None:
        """Every advice, with its number."""
        source = (files("mailcore_amazon_ses") / "_advice.py").read_text(encoding="utf-8")
        codes = re.findall(r'code="(amazon-ses\.[a-z-]+)"', source)
        text = page()

        assert len(codes) == 3
        assert [code for code in codes if f"| `{code}` |" not in text] == []
        assert text.count(f"At most {_advice.MAX_RECIPIENTS} addresses") == 2
        assert f"At most {_advice.MAX_SIZE // 1024 // 1024} MB" in text

    def test_events(self) -> None:
        """Every kind of event."""
        text = page()
        assert [kind for kind in _events._KINDS if f"`{kind}`" not in text] == []
