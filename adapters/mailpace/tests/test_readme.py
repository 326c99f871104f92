"""The provider page says what the code does."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from mailcore import Disposition, EndpointKind, EventType, PluginHost
from mailcore_mailpace import _advice, _events
from mailcore_mailpace._adapter import MailPaceAdapter
from mailcore_mailpace._options import MailPaceOptions

README = Path(__file__).resolve().parent.parent / "README.md"
#: The pages of MailPace's documentation; nothing else may be named as a source.
PAGES = {
    "guide/blocklist",
    "guide/idempotency",
    "guide/inbound",
    "guide/lifecycle",
    "guide/verification",
    "guide/webhooks",
    "reference/headers",
    "reference/responses",
    "reference/send",
}


def page() -> str:
    """Return the page."""
    return README.read_text(encoding="utf-8")


class TestTables:
    """Each table against what it is a table of."""

    def test_advice(self) -> None:
        """Every advice, with its number."""
        source = (files("mailcore_mailpace") / "_advice.py").read_text(encoding="utf-8")
        codes = re.findall(r'code="(mailpace\.[a-z-]+)"', source)
        text = page()

        assert len(codes) == 4
        assert [code for code in codes if f"| `{code}` |" not in text] == []
        assert f"At most {_advice.MAX_TO} addresses" in text
        assert f"At most {_advice.MAX_SIZE // 1024 // 1024} MB" in text
        assert ", ".join(sorted(_advice.EXTENSIONS)) in text

    def test_events(self) -> None:
        """Every event of MailPace's with what it becomes."""
        text = page()
        for kind, (event_type, reason, _) in _events._KINDS.items():
            became = f"`{event_type.value}`"
            if event_type is EventType.REJECTED and reason is not None:
                became += f", reason `{reason.value}`"
            assert f"| `{kind}` | {became} |" in text

    @pytest.mark.rule("MP-W5")
    def test_statuses(self) -> None:
        """Every disposition with its status."""
        adapter = MailPaceAdapter(MailPaceOptions())
        for disposition in Disposition:
            status = adapter.webhook_response(disposition, EndpointKind.TRACKING).status
            assert re.search(rf"^\| [^|]*`{disposition.value}`[^|]*\| {status} \|$", page(), re.MULTILINE)


class TestSources:
    """Where a fact is from."""

    @pytest.mark.parametrize(
        "path",
        [README, *sorted((README.parent / "mailcore_mailpace").rglob("*.py"))],
        ids=lambda path: path.name,
    )
    def test_named_pages_exist(self, path: Path) -> None:
        """Page and code name the pages MailPace's documentation has."""
        named = re.findall(r"https://docs\.mailpace\.com/([\w/-]+)", path.read_text(encoding="utf-8"))

        assert set(named) <= PAGES

    def test_registered_sources_exist(self, host: PluginHost) -> None:
        """So do the capabilities."""
        urls = {support.url for support in host.spec("mailpace").capabilities.values()}

        assert urls <= {f"https://docs.mailpace.com/{name}" for name in PAGES}
