"""How much code an adapter is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import median

from _code_lines import code_lines
from _markdown import table

__all__ = ["adapter_code"]

ROOT = Path(__file__).resolve().parent.parent

#: Lists of facts: what it can do, its settings, its kit.
DECLARED = {"__init__", "_options", "conformance"}

#: Column → the files whose code it counts; what is in none of them serves several.
COLUMNS = {
    "sending": {"_advice", "_batch", "_dsn", "_replies", "_responses", "_send", "_sigv4"},
    "webhooks": {"_events", "_signature"},
    "incoming mail": {"_download", "_inbound"},
}


def adapter_code() -> str:
    """Write how many lines of code each adapter is."""
    rows = {f"`{folder.parent.name}`": _counts(folder) for folder in ROOT.glob("adapters/*/mailcore_*")}
    columns = list(next(iter(rows.values())))
    rows["median"] = {name: median(counts[name] for counts in rows.values()) for name in columns}
    header = ["lines of code", *columns]
    return table(header, ((name, *map(round, counts.values())) for name, counts in sorted(rows.items())))


def _counts(folder: Path) -> Mapping[str, float]:
    texts = {
        path.stem: path.read_text(encoding="utf-8")
        for path in folder.glob("*.py")
        if path.stem not in DECLARED
    }
    whole = {stem: code_lines(text) for stem, text in texts.items()}
    parts = {name: sum(whole.get(stem, 0) for stem in stems) for name, stems in COLUMNS.items()}
    return {
        **parts,
        "for all of them": sum(whole.values()) - sum(parts.values()),
        "together": sum(whole.values()),
        "within functions": sum(code_lines(text, within=True) for text in texts.values()),
    }
