"""The plugins of a package that is not installed: the folder that holds its `pyproject.toml`."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from mailcore import PluginHost
from mailcore.cli._terminal import one_line
from mailcore_conformance._kit import KitError

__all__ = ["project_host"]

GROUP = "mailcore.plugins"


def project_host(folder: Path) -> PluginHost:
    """
    Return a host that offers what a package would register, and nothing else.

    Raises:
        KitError: The folder holds no such package, or it cannot be imported.
    """
    project = _project(folder)
    entries = project.get("entry-points", {}).get(GROUP, {})
    if not entries:
        raise KitError(
            f'{folder / "pyproject.toml"} registers no plugin. Add [project.entry-points."{GROUP}"], and in '
            'it the name of the provider, such as acme = "mailcore_acme".'
        )
    for root in (folder / "src", folder):
        if root.is_dir() and str(root.resolve()) not in sys.path:
            sys.path.insert(0, str(root.resolve()))
    # A host takes the name of a plugin for its distribution.
    name = str(project.get("name", folder.resolve().name))
    names = [name] if len(entries) == 1 else [f"{name}:{entry}" for entry in entries]
    plugins = {name: _plugin(pointer) for name, pointer in zip(names, entries.values(), strict=True)}
    return PluginHost(plugins, installed=False)


def _project(folder: Path) -> Mapping[str, Any]:
    path = folder / "pyproject.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KitError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise KitError(f"{path} is not TOML: {error}.") from None
    project: Mapping[str, Any] = document.get("project", {})
    return project


def _plugin(pointer: str) -> object:
    module, _, name = pointer.partition(":")
    try:
        found: object = import_module(module)
        for part in filter(None, name.split(".")):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # reason: importing runs a stranger's code
        told = one_line(str(error)) or "no text"
        raise KitError(f"The plugin {pointer} cannot be imported: {type(error).__name__}: {told}.") from None
    return found
