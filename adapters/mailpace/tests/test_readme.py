"""The provider page says what the code does."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import attrs
import pytest

from mailcore import Capability, Disposition, EndpointKind, EventType, Level, PluginHost, Support
from mailcore._config import variables
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
LEVELS = {
    Level.FULL: "yes",
    Level.LIMITED: "limited",
    Level.NOT_IMPLEMENTED: "not yet",
    Level.UNSUPPORTED: "no",
}
TABLE = re.compile(r"<!-- capabilities -->\n(.*?)<!-- end of capabilities -->", re.DOTALL)


def page() -> str:
    """Return the page."""
    return README.read_text(encoding="utf-8")


def row(capability: Capability, support: Support) -> str:
    """Return what the table says of a capability."""
    level = LEVELS[support.level] + (f", at most {support.limit}" if support.limit is not None else "")
    source = f"[source]({support.url})" if support.url else ""
    return f"| `{capability.value}` | {level} | {support.note} | {source} |"


class TestTables:
    """Each table against what it is a table of."""

    def test_capabilities(self, host: PluginHost) -> None:
        """Every capability, as it is registered; to mend the page, paste what is expected."""
        found = host.spec("mailpace").capabilities
        absent = Support(level=Level.UNSUPPORTED)
        rows = [row(capability, found.get(capability, absent)) for capability in Capability]
        expected = "\n".join(["| what | can it | note | |", "| --- | --- | --- | --- |", *rows])
        match = TABLE.search(page())

        assert match is not None
        assert match[1].strip() == expected

    def test_settings(self) -> None:
        """Every setting of the adapter and the one for basic auth, with each spelling in its order."""
        names = [*(field.name for field in attrs.fields(MailPaceOptions)), "webhook_secret"]
        spellings = {name: ", ".join(f"`{item}`" for item in variables(name, "mailpace")) for name in names}
        rows = {name: f"| {spelling} |\n" for name, spelling in spellings.items()}

        assert [
            name for name, end in rows.items() if not re.search(rf"\| `{name}` \|.*{re.escape(end)}", page())
        ] == []

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
