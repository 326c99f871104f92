"""What is to be proved: an adapter that is installed, its kit, and what its author knows to fail.

Rule: what cannot be found is refused in words that say what to do. A run that proves less than it was asked
to is never a success.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import attrs

from mailcore import AdapterSpec, ConfigurationError, PluginHost
from mailcore.cli._terminal import quiet
from mailcore_conformance._check import Check
from mailcore_conformance._deviations import FILE, read_deviations
from mailcore_conformance._kit import Kit, KitError
from mailcore_conformance._kit_pointer import load_kit
from mailcore_conformance._project import project_host
from mailcore_conformance._report import Deviation, Report
from mailcore_conformance._runner import run

__all__ = ["Target", "find"]


@attrs.frozen(kw_only=True)
class Target:
    """
    One adapter and all that a run of the suite needs.

    Attributes:
        given: Options of the command line that name the same again.
    """

    spec: AdapterSpec
    kit: Kit
    host: PluginHost
    deviations: tuple[Deviation, ...] = ()
    given: tuple[tuple[str, str], ...] = ()

    def run(self, only: Collection[str] = (), progress: Callable[[Check], object] | None = None) -> Report:
        """Run the checks, or some; raises `KitError` where nothing can be run."""
        report = run(
            self.spec,
            self.kit,
            host=self.host,
            only=only,
            deviations=self.deviations,
            progress=progress,
        )
        return attrs.evolve(report, run={**report.run, "command": self.command(only)})

    def command(self, only: Collection[str] = ()) -> str:
        """Return the line of shell that runs the checks again."""
        options = [(f"--{name}", value) for name, value in self.given] + [("--only", one) for one in only]
        words = ["mailcore-conformance", "run", self.spec.name, *(word for pair in options for word in pair)]
        return shlex.join(words)

    def again(self, check_id: str) -> Mapping[str, str]:
        """Return how to repeat one check: the command, and Python that lets its error through."""
        options = "".join(f", {name}={value!r}" for name, value in self.given if name != "deviations")
        call = f"repro({self.spec.name!r}, {check_id!r}{options})"
        return {
            "again": self.command([check_id]),
            "python": f'python -c "from mailcore_conformance import repro; {call}"',
        }


def find(
    name: str,
    *,
    kit: Kit | str | None = None,
    deviations: Path | str | None = None,
    plugin: str | None = None,
    host: PluginHost | None = None,
) -> Target:
    """
    Return what is to be proved.

    Args:
        name: The adapter's; `_` is read as `-`.
        kit: Its kit, or where it is (`path.py:NAME`, `package.module:NAME`); None: where it says itself.
        deviations: A file; None: `deviations.toml` beside the folder of the kit, if it is there.
        plugin: Folder of a package that is not installed; None: what is installed.
        host: Offers the adapter; None: the plugins that are installed.

    Raises:
        KitError: The adapter, its kit or the deviations cannot be used.
    """
    used = _host(plugin) if host is None else host
    spec = _spec(used, name)
    found = kit if isinstance(kit, Kit) else load_kit(kit, spec, used)
    given = {"plugin": plugin, "kit": kit, "deviations": deviations}
    return Target(
        spec=spec,
        kit=found,
        host=used,
        deviations=_deviations(found, deviations),
        given=tuple((option, str(value)) for option, value in given.items() if isinstance(value, str | Path)),
    )


def _host(plugin: str | None) -> PluginHost:
    with quiet("mailcore.plugins"):  # `_spec` says what is wrong, where it matters
        return PluginHost.default() if plugin is None else project_host(Path(plugin))


def _spec(host: PluginHost, name: str) -> AdapterSpec:
    try:
        return host.spec(name)
    except ConfigurationError as error:
        told = str(error)
        others = dict.fromkeys(
            f"{problem.name}: {problem.text}" for problem in host.problems if problem.text not in told
        )
        raise KitError("\n".join([told, *others])) from None


def _deviations(kit: Kit, given: Path | str | None) -> tuple[Deviation, ...]:
    if given is not None:
        return read_deviations(Path(given))
    usual = kit.folder.parent / FILE
    return read_deviations(usual) if usual.exists() else ()
