"""The provider page says what the code does."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import attrs
import pytest

from mailcore import Capability, Level, PluginHost, Support
from mailcore._config import variables
from mailcore_smtp._options import PORTS, SmtpOptions

README = Path(__file__).resolve().parent.parent / "README.md"
KIT = README.parent / "mailcore_smtp" / "kit"
SOURCES = "https://www.rfc-editor.org/rfc/"
LEVELS = {
    Level.FULL: "yes",
    Level.LIMITED: "limited",
    Level.NOT_IMPLEMENTED: "not yet",
    Level.UNSUPPORTED: "no",
}
TABLE = re.compile(r"<!-- capabilities -->\n(.*?)<!-- end of capabilities -->", re.DOTALL)
EXAMPLE = re.compile(r"```python\n(.*?)```(?:\n\n```output\n(.*?)```)?", re.DOTALL)


def page() -> str:
    """Return the page."""
    return README.read_text(encoding="utf-8")


def row(capability: Capability, support: Support) -> str:
    """Return what the table says of a capability."""
    source = f"[source]({support.url})" if support.url else ""
    return f"| `{capability.value}` | {LEVELS[support.level]} | {support.note} | {source} |"


class TestTables:
    """Each table against what it is a table of."""

    def test_capabilities(self, host: PluginHost) -> None:
        """Every capability, as it is registered; to mend the page, paste what is expected."""
        found = host.spec("smtp").capabilities
        absent = Support(level=Level.UNSUPPORTED)
        rows = [row(capability, found.get(capability, absent)) for capability in Capability]
        match = TABLE.search(page())
        assert match is not None
        assert match[1].strip() == "\n".join(
            ["| what | can it | note | |", "| --- | --- | --- | --- |", *rows]
        )

    def test_settings(self) -> None:
        """Every setting, with each spelling in its order, and the usual ports."""
        for field in attrs.fields(SmtpOptions):
            spellings = ", ".join(f"`{item}`" for item in variables(field.name, "smtp"))
            assert re.search(rf"\| `{field.name}` \|.*\| {re.escape(spellings)} \|\n", page())
        for security, port in PORTS.items():
            assert re.search(rf"`{security}` \([^)]*port {port}\)", page())


class TestExamples:
    """What a reader copies."""

    def test_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each example runs after those before it, and prints what the page says."""
        monkeypatch.setenv("SMTP_PASSWORD", "your-password")
        names: dict[str, object] = {}
        found = EXAMPLE.findall(page())
        assert len(found) >= 4
        for code, output in found:
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(code, names)  # noqa: S102  # reason: it is the page's own
            assert printed.getvalue() == output


class TestSources:
    """Where a fact is from."""

    def test_capabilities(self, host: PluginHost) -> None:
        """Each capability names a standard."""
        assert all(one.url.startswith(SOURCES) for one in host.spec("smtp").capabilities.values())

    def test_samples(self) -> None:
        """So does each sample."""
        samples = sorted(KIT.rglob("*.json"))
        assert len(samples) > 50
        assert [path.name for path in samples if SOURCES not in path.read_text(encoding="utf-8")] == []
