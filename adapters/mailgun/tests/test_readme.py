"""The provider page says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import mailcore_mailgun
from mailcore import PluginHost
from mailcore_mailgun import _advice, _events

README = Path(__file__).resolve().parent.parent / "README.md"


def page() -> str:
    """Return the page."""
    return README.read_text(encoding="utf-8")


class TestTables:
    """Each table against what it is a table of."""

    def test_advice(self) -> None:
        """Every advice, with its number."""
        source = Path(_advice.__file__).read_text(encoding="utf-8")
        codes = re.findall(r'code="(mailgun\.[a-z-]+)"', source)
        assert len(codes) == 4
        assert [code for code in codes if f"| `{code}` |" not in page()] == []
        limits = {
            f"At most {_advice.MAX_TAGS} tags",
            f"at most {_advice.MAX_TAG} characters",
            f"At most {_advice.MAX_BATCH} recipients",
            f"At most {_advice.MAX_SIZE >> 20} MB",
        }
        assert [limit for limit in limits if limit not in page()] == []

    def test_events(self) -> None:
        """Every event and every reason of Mailgun's with what it becomes."""
        for kind, (event_type, _, _) in _events._KINDS.items():
            assert f"| `{kind}` | `{event_type.value}`" in page()
        for reason, (event_type, meaning, _) in _events._REASONS.items():
            assert meaning is not None
            assert re.search(
                rf"permanent, reason.*`{reason}`.* \| `{event_type.value}`.*reason `{meaning.value}`", page()
            )


class TestSources:
    """Where a fact is from."""

    def test_registered_sources(self, host: PluginHost) -> None:
        """Each capability names its page, and the pages are those of the list at the end."""
        urls = {support.url for support in host.spec("mailgun").capabilities.values()}
        assert [url for url in urls if f"({url})" not in page().partition("## Sources")[2]] == []

    def test_one_site(self) -> None:
        """The code names Mailgun's documentation and nothing else."""
        folder = Path(mailcore_mailgun.__file__).parent
        named = {
            url
            for path in folder.glob("*.py")
            for url in re.findall(r"https://[\w.-]+", path.read_text(encoding="utf-8"))
        }
        assert named == {
            "https://documentation.mailgun.com",
            "https://api.mailgun.net",
            "https://api.eu.mailgun.net",
        }
