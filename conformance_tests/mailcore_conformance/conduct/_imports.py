"""What a module imports: as its source says, and as shown by importing it afresh.

Rule: whatever is done to the interpreter to find out is undone, so that nobody else notices.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec, resolve_name
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs

__all__ = ["Import", "afresh", "files", "imports", "reach", "top"]


@attrs.frozen
class Import:
    """
    One import statement.

    Attributes:
        module: Absolute name.
        names: What is taken from it; empty for a plain `import`.
    """

    module: str
    names: tuple[str, ...]
    line: int


def top(module: str) -> str:
    """Return the package at the root of a dotted name."""
    return module.partition(".")[0]


# By the source --------------------------------------------------------------------------------------


@cache
def imports(module: str) -> tuple[Import, ...]:
    """Return the import statements of a module, but for those a type checker alone reads."""
    path = _file(module)
    if path is None or path.suffix != ".py":
        return ()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return tuple(found for node in _statements(tree) for found in _imported(node, package))


def _file(module: str) -> Path | None:
    loaded = getattr(sys.modules.get(module), "__file__", None)
    found = None if loaded else _spec(module)
    name = loaded or getattr(found, "origin", None)
    return Path(name) if name and Path(name).is_file() else None


@cache
def _is_module(name: str) -> bool:
    return name in sys.modules or _spec(name) is not None


def _spec(module: str) -> Any:
    try:
        return find_spec(module)
    except (ImportError, ValueError, AttributeError):  # its parent is no package, or cannot be imported
        return None


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield every statement below a node; expressions hold none, and are not entered."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, part, ()):
            if part == "body" and _for_type_checkers(node):
                continue
            if isinstance(child, ast.stmt):
                yield child
            yield from _statements(child)


def _for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def _imported(node: ast.stmt, package: str) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, (), node.lineno) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if node.level:
            module = resolve_name("." * node.level + module, package)
        yield Import(module, tuple(alias.name for alias in node.names), node.lineno)


def reach(start: str, packages: Collection[str]) -> frozenset[str]:
    """
    Return a module and all that it imports, directly or not, within some top-level packages.

    Packages that merely stand above an imported module are left out: everything in them shares those.
    """
    found, waiting = {start}, [start]
    while waiting:
        module = waiting.pop()
        for name in _targets(module):
            if top(name) in packages and name not in found:
                found.add(name)
                waiting.append(name)
    return frozenset(found)


def files(module: str) -> list[str]:
    """Return the source files of a module and of all that it imports within its package."""
    paths = map(_file, reach(module, {top(module)}))
    return sorted(str(path) for path in paths if path is not None)


def _targets(module: str) -> Iterator[str]:
    for found in imports(module):
        if not found.names:
            yield found.module
        for name in found.names:
            inner = f"{found.module}.{name}"
            if _is_module(inner):
                yield inner
            elif not module.startswith(f"{found.module}."):
                yield found.module


# By importing it ------------------------------------------------------------------------------------


def afresh(module: str, then: Callable[[ModuleType], object]) -> frozenset[str]:
    """
    Import a module as if it never had been, do something with it, and return the modules that took.

    Only what the module's own package asked for counts, not what others import in turn.
    """
    package = top(module)
    asked: set[str] = set()
    kept = _without(package)
    real = builtins.__import__

    def record(name: str, scope: Any = None, local: Any = None, names: Any = (), level: int = 0) -> Any:
        found = real(name, scope, local, names, level)
        if top(str((scope or {}).get("__name__", ""))) == package:
            asked.update(_asked(name, scope, names or (), level))
        return found

    builtins.__import__ = record  # type: ignore[assignment]  # reason: it passes on whatever it is given
    try:
        then(import_module(module))
        asked.update(name for name in sys.modules if top(name) == package)
    finally:
        builtins.__import__ = real
        _without(package)
        sys.modules.update(kept)
    return frozenset(asked - {module})


def _without(package: str) -> Mapping[str, ModuleType]:
    """Forget the modules of a package, and return them."""
    names = [name for name in sys.modules if top(name) == package]
    return {name: sys.modules.pop(name) for name in names}


def _asked(name: str, scope: Mapping[str, Any], names: Collection[str], level: int) -> Iterator[str]:
    module = resolve_name("." * level + name, str(scope.get("__package__"))) if level else name
    yield module
    for item in names:
        if f"{module}.{item}" in sys.modules:
            yield f"{module}.{item}"
