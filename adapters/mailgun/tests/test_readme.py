"""The provider page says what the code does, and its examples run."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import attrs
import pytest

import mailcore_mailgun
from mailcore import Capability, Disposition, EndpointKind, Level, PluginHost, Support
from mailcore._config import variables
from mailcore_mailgun import _advice, _events
from mailcore_mailgun._adapter import MailgunAdapter
from mailcore_mailgun._options import MailgunOptions

README = Path(__file__).resolve().parent.parent / "README.md"
LEVELS = {
    Level.FULL: "yes",
    Level.LIMITED: "limited",
    Level.NOT_IMPLEMENTED: "not yet",
    Level.UNSUPPORTED: "no",
}
TABLE = re.compile(r"<!-- capabilities -->\n(.*?)<!-- end of capabilities -->", re.DOTALL)
BLOCK = re.compile(r"^```(python|output)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


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
        found = host.spec("mailgun").capabilities
        absent = Support(level=Level.UNSUPPORTED)
        rows = [row(capability, found.get(capability, absent)) for capability in Capability]
        expected = "\n".join(["| what | can it | note | |", "| --- | --- | --- | --- |", *rows])
        match = TABLE.search(page())
        assert match is not None
        assert match[1].strip() == expected

    def test_settings(self) -> None:
        """Every setting of the adapter and the one for basic auth, with each spelling in its order."""
        names = [*(field.name for field in attrs.fields(MailgunOptions)), "webhook_secret"]
        spellings = {name: ", ".join(f"`{item}`" for item in variables(name, "mailgun")) for name in names}
        missing = [
            name
            for name, spelling in spellings.items()
            if not re.search(rf"\| `{name}` \|.*\| {re.escape(spelling)} \|\n", page())
        ]
        assert missing == []

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

    def test_statuses(self) -> None:
        """Every disposition with its status."""
        adapter = MailgunAdapter(MailgunOptions())
        for disposition in Disposition:
            status = adapter.webhook_response(disposition, EndpointKind.TRACKING).status
            assert re.search(rf"^\| [^|]*`{disposition.value}`[^|]*\| {status} \|$", page(), re.MULTILINE)


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


@pytest.mark.loopback
def test_examples() -> None:
    """Each block runs after those before it, and prints what the page shows."""
    names: dict[str, Any] = {}
    printed = ""
    for language, text in BLOCK.findall(page()):
        if language == "output":
            assert printed == text
            continue
        out = io.StringIO()
        with redirect_stdout(out), pytest.MonkeyPatch.context() as patch:
            patch.setenv("MAILGUN_API_KEY", "your-key")
            exec(compile(text, str(README), "exec"), names)  # noqa: S102  # reason: it is our own page
        printed = out.getvalue()
