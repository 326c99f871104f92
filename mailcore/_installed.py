"""Which of the installed plugins are wanted.

Rule: nothing is imported to find out; a plugin's names decide.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import attrs

from mailcore._nearest import did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

__all__ = ["Installed", "named", "select"]

GROUP = "mailcore.plugins"
ONLY = "MAILCORE_LOAD_PLUGINS"
DISABLED = "MAILCORE_DISABLED_PLUGINS"


@attrs.frozen(kw_only=True)
class Installed:
    """
    What of the installed plugins to load.

    Attributes:
        wanted: Plugin name → what imports it, in loading order.
        left_out: Variable → the plugins it leaves out.
        unknown: Name that nothing installed has → what to do about it.
    """

    wanted: Mapping[str, Callable[[], object]] = attrs.field(factory=dict)
    left_out: Mapping[str, list[str]] = attrs.field(factory=dict)
    unknown: Mapping[str, str] = attrs.field(factory=dict)


def named(plugin: str, names: Collection[str]) -> bool:
    """Return whether one of `names` means the plugin: its distribution, its entry point, or both."""
    return not {plugin, *plugin.split(":", 1)}.isdisjoint(names)


def select(only: Collection[str], disabled: Collection[str]) -> Installed:
    """Return what to load of all that is installed under the entry-point group."""
    found = dict(_found())
    disabled_ones = [name for name in found if named(name, disabled)]
    unwanted = [name for name in found if only and not named(name, only)]
    return Installed(
        wanted={
            name: load for name, load in found.items() if name not in disabled_ones and name not in unwanted
        },
        left_out={DISABLED: disabled_ones, ONLY: unwanted},
        unknown={
            name: _unknown(variable, name, found)
            for variable, given in ((ONLY, only), (DISABLED, disabled))
            for name in given
            if not any(named(plugin, [name]) for plugin in found)
        },
    )


def _found() -> Iterator[tuple[str, Callable[[], object]]]:
    for entry in sorted(_entries(), key=lambda entry: (_distribution(entry), entry.name)):
        yield f"{_distribution(entry)}:{entry.name}", entry.load


def _entries() -> list[EntryPoint]:
    from importlib.metadata import distributions, entry_points

    try:
        return list(entry_points(group=GROUP))
    except Exception:  # noqa: BLE001  # reason: some package's files are damaged; the others still count
        seen: dict[str, Distribution] = {}
        for distribution in distributions():
            seen.setdefault(_name(distribution), distribution)
        return [entry for distribution in seen.values() for entry in _undamaged(distribution)]


def _undamaged(distribution: Distribution) -> list[EntryPoint]:
    try:
        return list(distribution.entry_points.select(group=GROUP))
    except Exception:  # noqa: BLE001  # reason: it names no plugin that could be read
        return []


def _distribution(entry: EntryPoint) -> str:
    return _name(entry.dist) if entry.dist is not None else "unknown"


def _name(distribution: Distribution) -> str:
    # Not `distribution.name`: without metadata it is None, and from Python 3.12 on that is warned of.
    metadata = distribution.metadata
    return metadata["Name"] if "Name" in metadata else "unknown"  # noqa: SIM401  # reason: its type has no `get`


def _unknown(variable: str, name: str, found: Collection[str]) -> str:
    known = {part: None for plugin in found for part in (*plugin.split(":", 1), plugin)}
    return (
        f"{variable} names {name!r}, which is no installed plugin.{did_you_mean(name, known)} "
        f"Installed: {', '.join(found) or 'none'}."
    )
