"""A kit, from where it is said to be.

Rule: importing it runs a stranger's code, so whatever that raises becomes a sentence that says what to do.
"""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from mailcore import AdapterSpec, PluginHost
from mailcore._pip import pip_install
from mailcore.cli._installed import requirements
from mailcore.cli._terminal import one_line
from mailcore_conformance._blame import text_of
from mailcore_conformance._kit import Kit, KitError

__all__ = ["load_kit"]

GUIDE = "docs/how-to/prove-an-adapter.md"
#: The name of the kit where none is given.
NAME = "KIT"


def load_kit(pointer: str | None, spec: AdapterSpec, host: PluginHost) -> Kit:
    """
    Return the kit at `path.py:NAME` or `package.module:NAME`, or where the adapter says.

    Raises:
        KitError: There is none, or it cannot be imported.
    """
    wanted = spec.conformance_kit if pointer is None else pointer
    if not wanted:
        raise KitError(
            f'The adapter {spec.name!r} names no kit. Set conformance_kit="package.module:KIT" in its '
            f"AdapterSpec, or give a kit with --kit path.py:KIT. {GUIDE} shows how to write one."
        )
    place, name = _parts(wanted)
    module = _module(place, spec, host)
    found = vars(module).get(name)
    if not isinstance(found, Kit):
        what = "nothing" if found is None else f"a {type(found).__name__}"
        raise KitError(
            f"{place} has {what} named {name}; it should be a mailcore_conformance.Kit. {GUIDE} shows one."
        )
    return found


def _parts(pointer: str) -> tuple[str, str]:
    place, colon, name = pointer.rpartition(":")
    if colon and name.isidentifier():
        return place, name
    return pointer, NAME


def _module(place: str, spec: AdapterSpec, host: PluginHost) -> ModuleType:
    try:
        return _file(Path(place)) if place.endswith(".py") else import_module(place)
    except ModuleNotFoundError as error:
        raise KitError(_missing(error, place, spec, host)) from None
    except (KitError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001  # reason: a kit is a stranger's code
        last = traceback.extract_tb(error.__traceback__)[-1]
        told = one_line(text_of(error))
        raise KitError(
            f"The kit {place} cannot be imported: {type(error).__name__}: {told} "
            f"({last.filename}:{last.lineno})."
        ) from None


def _file(path: Path) -> ModuleType:
    if not path.is_file():
        raise KitError(f"There is no file {path}.")
    spec = spec_from_file_location(f"_kit_{path.stem}", path.resolve())
    if spec is None or spec.loader is None:
        raise KitError(f"{path} cannot be imported.")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickle look their module up
    spec.loader.exec_module(module)
    return module


def _missing(error: ModuleNotFoundError, place: str, spec: AdapterSpec, host: PluginHost) -> str:
    name = error.name or ""
    if place == name or place.startswith(f"{name}."):
        return f"There is no module {place!r} to take the kit of {spec.name!r} from: {one_line(str(error))}."
    return f"The kit {place} needs the module {name!r}, which is not installed. {_hint(name, spec, host)}"


def _hint(module: str, spec: AdapterSpec, host: PluginHost) -> str:
    """Return the command that installs a module, by what the adapter's distribution says it requires."""
    top = module.partition(".")[0].lower()
    for distribution in [plugin.distribution for plugin in host.plugins if spec in plugin.adapters]:
        for need in requirements(distribution):
            if need.installed is None and top in need.name.lower().replace("-", "_"):
                one = f"{need.name}>={need.floor}"
                if not need.extra:
                    return f"Run: pip install '{one}'"
                return f"Run: {pip_install(distribution, need.extra)} (it adds {one})."
    return "Install the package it is in, and name that package among the adapter's dependencies."
