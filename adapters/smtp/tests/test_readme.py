"""The provider page says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from mailcore import PluginHost
from mailcore_smtp._options import PORTS

README = Path(__file__).resolve().parent.parent / "README.md"
KIT = README.parent / "mailcore_smtp" / "kit"
SOURCES = "https://www.rfc-editor.org/rfc/"


def test_ports() -> None:
    """Each kind of encryption with its usual port."""
    text = README.read_text(encoding="utf-8")
    for security, port in PORTS.items():
        assert re.search(rf"`{security}` \([^)]*port {port}\)", text)


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
