"""Adapters that are broken on purpose: each differs from a correct one in a few lines.

Rule: a broken adapter names the check that must fail, and a part of the reason it must fail with. It should
fail that check alone: then nothing else in the catalogue would have found it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import attrs
from reference import REFERENCES, Reference

from mailcore import Adapter, AdapterSpec, PluginHost, hookimpl
from mailcore_conformance import Kit, Report, run

__all__ = ["GALLERY", "Broken", "broken", "host_of", "load_gallery"]

Cls = TypeVar("Cls", bound=type[Adapter])


@attrs.frozen(kw_only=True)
class Broken:
    """
    One broken adapter.

    Attributes:
        check: Id of the check that must fail.
        reason: A part of the reason it must fail with.
        cls: The adapter's class.
        spec: What it declares otherwise than its reference.
        kit: What its kit does otherwise.
    """

    name: str
    check: str
    reason: str
    cls: type[Adapter]
    reference: Reference
    spec: Mapping[str, Any]
    kit: Mapping[str, Any]

    def examine(self, *only: str) -> Report:
        """Run these checks on it; none: every one."""
        pointer = f"{self.cls.__module__}:{self.cls.__name__}"
        spec = attrs.evolve(self.reference.spec, **{"factory": pointer, **self.spec})
        kit: Kit = attrs.evolve(self.reference.kit, **self.kit) if self.kit else self.reference.kit
        return run(spec, kit, host=host_of(spec), only=only)


GALLERY: dict[str, Broken] = {}


def broken(
    check: str,
    reason: str,
    *,
    of: str = "json",
    spec: Mapping[str, Any] | None = None,
    kit: Mapping[str, Any] | None = None,
) -> Callable[[Cls], Cls]:
    """
    Add the decorated adapter class to the gallery.

    Args:
        of: Name of the reference it differs from.
    """

    def add(cls: Cls) -> Cls:
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()
        if name in GALLERY:
            raise ValueError(f"There are two broken adapters {name}.")
        setattr(sys.modules[cls.__module__], cls.__name__, cls)  # so that a pointer finds it
        GALLERY[name] = Broken(
            name=name,
            check=check,
            reason=reason,
            cls=cls,
            reference=REFERENCES[of],
            spec=spec or {},
            kit=kit or {},
        )
        return cls

    return add


def host_of(*specs: AdapterSpec) -> PluginHost:
    """Return a host that offers these adapters and nothing else."""

    class Plugin:
        @hookimpl
        def mailcore_register_adapters(self) -> tuple[AdapterSpec, ...]:
            return specs

    return PluginHost({"gallery": Plugin()}, installed=False)


def load_gallery() -> Mapping[str, Broken]:
    """Return every broken adapter by name, section by section."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem != "__init__":
            import_module(f"gallery.{path.stem}")
    return GALLERY
