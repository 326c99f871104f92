"""What the reference says of each provider, from what its adapter declares."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from _markdown import meanings, table

from mailcore import AdapterSpec, Capability, EventType, Level, PluginHost, Support
from mailcore._spec import load_object
from mailcore_conformance import run
from mailcore_conformance._matrix import cell, matrix

__all__ = ["capabilities", "notes", "own_capabilities", "proofs", "provider_events", "providers", "specs"]

ROOT = Path(__file__).resolve().parent.parent


@cache
def host() -> PluginHost:
    """Return the plugins of this repository, and no others that may be installed."""
    projects = [ROOT / "pyproject.toml", *ROOT.glob("adapters/*/pyproject.toml")]
    owners = {tomllib.loads(path.read_text(encoding="utf-8"))["project"]["name"] for path in projects}
    found = PluginHost(only=owners)
    missing = owners - {plugin.distribution for plugin in found.plugins}
    if missing or found.problems:
        raise SystemExit(f"Not installed: {', '.join(sorted(missing))}. Did not load: {found.problems}.")
    return found


def specs() -> list[AdapterSpec]:
    """Return every adapter, those of real providers first."""
    return sorted(host().adapters.values(), key=lambda spec: (not spec.docs_url, spec.name))


def _support(spec: AdapterSpec, capability: Capability) -> Support:
    return spec.capabilities.get(capability, Support(level=Level.UNSUPPORTED))


#: Columns of the short table.
_IN_SHORT = {
    "attachments": Capability.ATTACHMENTS,
    "tags": Capability.TAGS,
    "templates": Capability.TEMPLATE,
    "idempotency key": Capability.IDEMPOTENCY_KEY,
    "events": Capability.WEBHOOK_TRACKING,
    "incoming mail": Capability.WEBHOOK_INBOUND,
    "signed webhooks": Capability.WEBHOOK_SIGNATURE,
}


def providers() -> str:
    """Write what each provider can do, in short."""
    owner = {spec.name: plugin.distribution for plugin in host().plugins for spec in plugin.adapters}
    rows = []
    for spec in specs():
        can = ["yes" if _support(spec, found).usable else "no" for found in _IN_SHORT.values()]
        rows.append([f"`{spec.name}`", f"`{owner[spec.name]}`", *can, "yes" if spec.emulator else ""])
    return table(["provider", "package", *_IN_SHORT, "local emulator"], rows)


_LEVELS = {
    Level.FULL: "yes",
    Level.LIMITED: "limited",
    Level.NOT_IMPLEMENTED: "not yet",
    Level.UNSUPPORTED: "no",
}


def _level(spec: AdapterSpec, capability: Capability) -> str:
    found = _support(spec, capability)
    return _LEVELS[found.level] + (f", at most {found.limit}" if found.limit is not None else "")


@cache
def report(name: str) -> Mapping[str, Any] | None:
    """Return what the conformance suite says of a provider; None where its adapter has no kit."""
    spec = host().spec(name)
    if not spec.conformance_kit:
        return None
    return run(spec, load_object(spec.conformance_kit), host=host()).document()


def _cell(spec: AdapterSpec, capability: Capability) -> str:
    found = report(spec.name)
    return _level(spec, capability) if found is None else cell(found, capability.value)


def capabilities() -> str:
    """Write the matrix of every capability and provider, as the conformance suite found it."""
    said = meanings(Capability)
    return table(
        ["capability", "meaning", *(f"`{spec.name}`" for spec in specs())],
        [(f"`{one}`", said[one.name], *(_cell(spec, one) for spec in specs())) for one in Capability],
    )


def own_capabilities(name: str) -> str:
    """Write what one provider can do, for its own page."""
    spec = host().spec(name)
    rows = [(f"`{one}`", _level(spec, one), *_said(_support(spec, one))) for one in Capability]
    return table(["what", "can it", "note", ""], rows)


def _said(found: Support) -> tuple[str, str]:
    return found.note, f"[source]({found.url})" if found.url else ""


def proofs() -> str:
    """Write how the conformance suite ended for each provider."""
    found = [report(spec.name) for spec in specs()]
    shown = matrix([one for one in found if one is not None])
    rows = [row for row in shown.verdicts if row[0] != "version"]
    return table(["", *(f"`{name}`" for name in shown.providers)], rows)


def notes() -> str:
    """Write what is said about the capabilities of every provider, with the sources."""
    rows = [
        (f"`{spec.name}`", f"`{one}`", found.note, f"<{found.url}>" if found.url else "")
        for spec in specs()
        for one, found in sorted(spec.capabilities.items())
        if found.note
    ]
    return table(["provider", "capability", "note", "source"], rows)


def provider_events() -> str:
    """Write which events each provider's webhooks become."""
    reporting = [spec for spec in specs() if spec.event_types]
    return table(
        ["event type", *(f"`{spec.name}`" for spec in reporting)],
        [
            (f"`{kind.value}`", *("yes" if kind in spec.event_types else "" for spec in reporting))
            for kind in EventType
        ],
    )
