"""What registering an adapter imports, and what its sources take from core."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

from mailcore import Adapter
from mailcore._spec import load_object
from mailcore_conformance._check import Failed, not_applicable_unless, require
from mailcore_conformance._kit import Kit
from mailcore_conformance._subject import Subject
from mailcore_conformance.conduct._imports import Import, afresh, imports, reach, top

__all__ = ["load_all", "needless", "private_imports", "shared_modules"]

#: What registering may need beside the standard library.
_LIGHT = frozenset({"attr", "attrs", "mailcore", "pluggy", "typing_extensions"})
#: Parts of the standard library that cost every program that has the plugin installed.
_HEAVY = frozenset(
    ("asyncio", "concurrent", "ctypes", "email", "http", "multiprocessing", "socket", "sqlite3", "ssl", "xml")
)


def load_all(subject: Subject) -> None:
    """
    Load everything that a spec points to, as a user would.

    Raises:
        Failed: Something is not there, or not what it must be.
    """
    spec, host = subject.spec, subject.host
    for name in ("factory", "options", "emulator", "conformance_kit"):
        _load(name, getattr(spec, name))
    if host.adapters.get(spec.name) != spec:
        said = " ".join(problem.text for problem in host.problems if spec.name in problem.text)
        raise Failed(f"The host does not offer {spec.name!r}. {said}")
    made: object = subject.adapter()
    require(isinstance(made, Adapter), f"factory makes {type(made).__name__}, which is no mailcore.Adapter.")
    kit = load_object(spec.conformance_kit) if spec.conformance_kit else subject.kit
    require(isinstance(kit, Kit), f"conformance_kit points to {type(kit).__name__}, which is no Kit.")
    require(kit.provider == spec.name, f"conformance_kit is for {kit.provider!r}, not for {spec.name!r}.")


def _load(field: str, pointer: str) -> None:
    try:
        if pointer:
            load_object(pointer)
    except (ImportError, AttributeError) as error:
        raise Failed(f"{field} points to {pointer}, which cannot be loaded: {error}.") from None


def needless(subject: Subject) -> Iterator[str]:
    """Register the adapter as if for the first time; yield what was imported and need not be."""
    plugins = [plugin for plugin in subject.host.plugins if subject.spec in plugin.adapters]
    require(plugins, "No plugin of the host registers the adapter.")
    module = plugins[0].module
    installed = ":" in plugins[0].name
    has_hook = hasattr(sys.modules.get(module), "mailcore_register_adapters")
    not_applicable_unless(
        installed or has_hook, "The plugin is an object made at run time; there is no module to import."
    )
    not_applicable_unless(top(module) != "mailcore", "The adapter is a part of core.")
    for name in sorted(afresh(module, _register)):
        if why := _too_much(subject, name, module):
            yield f"Registering imports {name}, {why}."


def _register(module: ModuleType) -> None:
    hook = getattr(module, "mailcore_register_adapters", None)
    if hook is not None:
        list(hook())


def _too_much(subject: Subject, name: str, plugin: str) -> str:
    pointers = _pointers(subject)
    if name in pointers:
        return "which is needed only when the adapter is used"
    light = {*_LIGHT, *sys.stdlib_module_names, *map(top, pointers), top(plugin)} - _HEAVY
    return "" if top(name) in light else "which is slow to import"


def _pointers(subject: Subject) -> set[str]:
    """Return the modules that a spec points to."""
    spec = subject.spec
    pointers = (spec.factory, spec.options, spec.emulator, spec.conformance_kit)
    return {pointer.partition(":")[0] for pointer in pointers if pointer}


def private_imports(subject: Subject) -> Iterator[str]:
    """Yield each import of a name that mailcore keeps for itself, in what a spec points to."""
    pointers = _pointers(subject)
    packages = set(map(top, pointers)) - {"mailcore"}
    modules = {found for pointer in pointers for found in reach(pointer, packages) if top(found) in packages}
    for module in sorted(modules):
        for found in imports(module):
            for name in _private(found):
                yield f"{module}, line {found.line}, imports {name}."


def _private(found: Import) -> Iterator[str]:
    if top(found.module) != "mailcore":
        return
    if any(part.startswith("_") for part in found.module.split(".")):
        yield found.module
    else:
        yield from (f"{found.module}.{name}" for name in found.names if name.startswith("_"))


def shared_modules(subject: Subject) -> list[str]:
    """Return the modules, of either's package, that both the adapter and its emulator import."""
    factory, emulator = (
        pointer.partition(":")[0] for pointer in (subject.spec.factory, subject.spec.emulator)
    )
    packages = {top(factory), top(emulator)} - {"mailcore"}
    return sorted(reach(factory, packages) & reach(emulator, packages))
