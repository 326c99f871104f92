"""Small packages on disk: for defects that only the file of a module shows."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from pathlib import Path
from textwrap import dedent

from mailcore import AdapterSpec

__all__ = ["FOLDER", "plugin_source", "write"]

FOLDER = Path(tempfile.mkdtemp(prefix="mailcore-gallery-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
sys.path.append(str(FOLDER))


def write(module: str, source: str) -> str:
    """Write a module that can be imported under that name from now on; return the name."""
    (FOLDER / f"{module}.py").write_text(dedent(source), encoding="utf-8")
    return module


def plugin_source(spec: AdapterSpec, *, eager: str = "", in_hook: str = "") -> str:
    """Return the source of a plugin that registers an adapter, with more lines where it is told so."""
    rows = [
        f"    Capability({str(name)!r}): Support(level=Level({found.level.value!r}), limit={found.limit!r}, "
        f"url={found.url!r}),"
        for name, found in spec.capabilities.items()
    ]
    promise = spec.idempotency
    lines = [
        "from mailcore import AdapterSpec, Capability, EventType, Idempotency, Level, Support, hookimpl",
        eager,
        "TABLE = {",
        *rows,
        "}",
        "@hookimpl",
        "def mailcore_register_adapters():",
        f"    {in_hook or 'pass'}",
        "    return [AdapterSpec(",
        *(
            f"        {name}={getattr(spec, name)!r},"
            for name in ("name", "title", "factory", "options", "emulator", "conformance_kit", "docs_url")
        ),
        "        capabilities=TABLE,",
        f"        event_types={{*map(EventType, {sorted(one.value for one in spec.event_types)!r})}},",
        f"        idempotency={promise!r},",
        "    )]",
    ]
    return "\n".join(lines) + "\n"
