"""A new adapter's package, complete but for what only its author knows.

Rule: what is written installs and runs at once. What is missing raises `NotImplementedError` with a text that
says what to write, so that the suite leads from one place to the next.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

import attrs

from mailcore import PluginHost
from mailcore._version import version
from mailcore.cli._terminal import quiet
from mailcore_conformance._kit import KitError

__all__ = ["Made", "write_adapter"]

#: What marks a file of the template; without it, tools would take them for our own code.
SUFFIX = ".tmpl"

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
#: Names whose package or distribution would be one of ours.
_OURS = ("conformance", "esp")


@attrs.frozen(kw_only=True)
class Made:
    """
    A package that was written.

    Attributes:
        files: What it consists of, in order.
        next_steps: What to type now.
    """

    name: str
    folder: Path
    files: tuple[Path, ...]
    next_steps: tuple[str, ...]


def write_adapter(name: str, folder: Path | None = None) -> Made:
    """
    Write the package of a new adapter.

    Args:
        name: The provider's; `_` is read as `-`.
        folder: Where to; None: `mailcore-NAME` here.

    Raises:
        KitError: The name cannot be used, or the folder is not empty: nothing was written.
    """
    given = name.replace("_", "-")
    _check_name(given)
    place = Path(f"mailcore-{given}") if folder is None else folder
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise KitError(f"{place} is there already, and not empty. Name another folder with --folder.")
    words = _words(given)
    written = []
    for path, text in _template():
        target = place / _filled(path.as_posix(), words)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_filled(text, words), encoding="utf-8", newline="\n")
        written.append(target)
    return Made(name=given, folder=place, files=tuple(written), next_steps=_next_steps(given, place))


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise KitError(
            f"{name!r} cannot be an adapter's name: lower-case letters and digits, a letter first, with "
            "single hyphens between words, such as 'acme' or 'amazon-ses'."
        )
    if name in _OURS:
        raise KitError(f"{name!r} cannot be an adapter's name: mailcore-{name} is one of our packages.")
    with quiet("mailcore.plugins"):
        known = PluginHost.default().adapters
    if name in known:
        raise KitError(
            f"An adapter {name!r} is installed already, and of two that claim one name neither is used. "
            "Choose another name."
        )


def _words(name: str) -> Mapping[str, str]:
    major, minor = re.findall(r"\d+", version())[:2]
    parts = name.split("-")
    return {
        "name": name,
        "package": f"mailcore_{name.replace('-', '_')}",
        "distribution": f"mailcore-{name}",
        "class": "".join(part.capitalize() for part in parts),
        "title": " ".join(part.capitalize() for part in parts),
        "variable": name.replace("-", "_").upper(),
        "floor": version(),
        "ceiling": f"{major}.{int(minor) + 1}",
        "today": datetime.now(UTC).date().isoformat(),
    }


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: words[match[1]], text)


def _template() -> Iterator[tuple[PurePosixPath, str]]:
    """Yield path and text of each file, in order."""
    root = files("mailcore_conformance") / "_template"
    for path, file in sorted(_walk(root, PurePosixPath())):
        yield path, file.read_text(encoding="utf-8")


def _walk(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            # The package is named after the provider.
            name = "{{package}}" if entry.name == "package" else entry.name
            yield from _walk(entry, path / name)
        elif entry.name.endswith(SUFFIX):
            name = entry.name.removesuffix(SUFFIX)
            yield path / (".gitignore" if name == "gitignore" else name), entry


def _next_steps(name: str, place: Path) -> tuple[str, ...]:
    # With "./" before it, pip never takes a folder for a package of an index.
    here = "." if place == Path() else f"./{place.as_posix()}"
    folder = shlex.quote(str(place) if place.is_absolute() else here)
    return (
        f"mailcore-conformance run {name} --plugin {folder}",
        f"python -m pip install --editable {folder}",
        f"mailcore-conformance run {name}",
    )
