"""Nothing lacks its entry: whatever a user can name has a place in the reference that says what it is."""

from __future__ import annotations

import ast
import enum
import inspect
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import click
import pytest

import mailcore
from mailcore import AdapterSpec, Capability, Disposition, PluginHost, Settings, exceptions, hookspecs
from mailcore._config import variables
from mailcore._spec import load_object
from mailcore.cli._app import app
from mailcore_conformance import catalogue
from mailcore_conformance.cli._app import app as conformance

ROOT = Path(__file__).resolve().parents[2]
ADAPTERS = sorted(path.parent for path in ROOT.glob("adapters/*/pyproject.toml"))
#: Modules without a section of their own → where they are, or who needs no page for them.
ELSEWHERE = {
    "mailcore.exceptions": "errors.md",
    "mailcore.cli": "commands.md",
    "mailcore.hookspecs": "hooks.md",
    "mailcore.providers.file": "adapters, which are found by the names of their providers",
    "mailcore.providers.local": "the same",
    "mailcore.frameworks.django.apps": "Django loads it",
    "mailcore.frameworks.django.checks": "the same",
    "mailcore.frameworks.django.management": "the same",
    "mailcore.frameworks.django.models": "the same",
    "mailcore.frameworks.django.signals": "mailcore.frameworks.django passes it on",
    "mailcore.frameworks.django.urls": "django.md; a project includes it",
}


def page(name: str) -> str:
    """Return a page of docs/."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def sections(text: str, level: int) -> Mapping[str, str]:
    """Return heading → what stands below it, of the headings of one level; their code without backquotes."""
    parts = re.split(rf"^{'#' * level} (.+)$", text, flags=re.MULTILINE)
    return dict(zip((title.strip("`") for title in parts[1::2]), parts[2::2], strict=True))


NAMES = sections(page("reference/names.md"), 2)
EMULATORS = sections(page("reference/emulators.md"), 2)
ENTRIES = {
    name: text
    for title, section in NAMES.items()
    if not title.startswith("mailcore")
    for name, text in sections(section, 3).items()
}


def missing(names: Iterator[str] | list[str], text: str) -> list[str]:
    """Return the names that are no inline code of a text."""
    return [name for name in names if f"`{name}`" not in text]


def public_modules() -> Iterator[tuple[str, list[str]]]:
    """Yield each module below a package that has `__all__`, and the names in it; nothing is imported."""
    folders = [
        ROOT / "mailcore",
        *ROOT.glob("conformance_tests/mailcore_*"),
        *ROOT.glob("adapters/*/mailcore_*"),
    ]
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder.parent).with_suffix("").parts
            module = [part for part in parts if part != "__init__"]
            if not any(part.startswith("_") for part in module) and "kit" not in module:
                yield ".".join(module), listed(path)


def listed(path: Path) -> list[str]:
    """Return `__all__` of a file; empty where it has none."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value)) if isinstance(node.value, ast.List) else []
    return []


MODULES = {name: names for name, names in public_modules() if names}


class TestNames:
    """What can be imported."""

    def test_root(self) -> None:
        """Each name of `mailcore` has an entry, or is an error."""
        errors = [name for name in mailcore.__all__ if name in exceptions.__all__ and name not in ENTRIES]
        assert sorted([*ENTRIES, *errors]) == mailcore.__all__, "Give it a place: _GROUPS of docs/_names.py."

    @pytest.mark.parametrize(
        "module", [name for name in MODULES if name == "mailcore_conformance" or name.endswith(".emulator")]
    )
    def test_beside(self, module: str) -> None:
        """So has each name of the suite, and of an emulator; what else an adapter has is loaded by name."""
        found = sections({**NAMES, **EMULATORS}.get(module, ""), 3)
        assert [name for name in MODULES[module] if name not in found] == []

    @pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("mailcore.")])
    def test_modules(self, module: str) -> None:
        """So has each name of the other modules, where users import it."""
        if any(module == name or module.startswith(f"{name}.") for name in ELSEWHERE):
            return
        assert module in NAMES, f"Give {module} a section: _MODULES of docs/_names.py."
        assert [name for name in MODULES[module] if name not in sections(NAMES[module], 3)] == []

    @pytest.mark.parametrize(
        "name", [name for name in ENTRIES if inspect.isclass(getattr(mailcore, name, None))]
    )
    def test_members(self, name: str) -> None:
        """Each method and property that is ours and says what it does is there, inherited ones too."""
        found = getattr(mailcore, name, None)
        if issubclass(found, enum.Enum):
            return
        ours = {
            key
            for base in found.__mro__
            if base.__module__.startswith("mailcore")
            for key, value in vars(base).items()
            if not key.startswith("_") and is_method(value)
        }
        elsewhere = {key for base in found.__mro__[1:] for key in said_of(base)}
        assert [key for key in sorted(ours - elsewhere) if f"- `.{key}" not in ENTRIES[name]] == []

    def test_enumerations(self) -> None:
        """Each member of an enumeration is there with its value, in its entry or on the page it links to."""
        everywhere = "".join(
            page(f"reference/{name}.md") for name in ("capabilities", "events", "http-statuses")
        )
        for name, text in ENTRIES.items():
            found = getattr(mailcore, name, None)
            if inspect.isclass(found) and issubclass(found, enum.Enum):
                where = everywhere if "[Its members](" in text else text
                shown = [str(member.value) if where is everywhere else member.name for member in found]
                assert missing(shown, where) == []


def is_method(value: Any) -> bool:
    """Return whether an attribute of a class is a method or property with a docstring."""
    function = getattr(value, "__func__", value)
    return bool(getattr(function, "__doc__", "")) and (
        inspect.isfunction(function) or isinstance(value, property)
    )


def said_of(base: type[Any]) -> list[str]:
    """Return what the entry of a public base says of its members."""
    return re.findall(r"^- `\.(\w+)", ENTRIES.get(base.__name__, ""), re.MULTILINE)


class TestVocabularies:
    """What a user reads and writes as text."""

    def test_capabilities(self) -> None:
        """Each capability has a row of the matrix, and each adapter a column."""
        text = page("reference/capabilities.md")
        assert [one.value for one in Capability if f"\n| `{one.value}` | " not in text] == []
        [header] = re.findall(r"^\| capability \| meaning \|(.*)$", text, re.MULTILINE)
        assert missing([folder.name.replace("_", "-") for folder in ADAPTERS], header) == []

    def test_errors(self) -> None:
        """Each error has a row that says what it means."""
        text = page("reference/errors.md")
        classes = [name for name in exceptions.__all__ if inspect.isclass(getattr(exceptions, name))]
        errors = [name for name in classes if issubclass(getattr(exceptions, name), Exception)]
        assert len(errors) > 30
        assert [name for name in errors if f"\n| `{name}` | " not in text] == []

    def test_dispositions(self) -> None:
        """Each thing that may become of a delivery has its status."""
        text = page("reference/http-statuses.md")
        assert [one.value for one in Disposition if f"\n| `{one.value}` | " not in text] == []

    def test_hooks(self) -> None:
        """Each hook has an entry with its arguments."""
        hooks = [hook for name, hook in vars(hookspecs).items() if name.startswith("mailcore_")]
        entries = sections(page("reference/hooks.md"), 3)
        calls = {hook.__name__: f"{hook.__name__}({', '.join(hook.__code__.co_varnames)})" for hook in hooks}
        assert calls
        assert [name for name, call in calls.items() if call not in entries.get(name, "")] == []

    def test_checks(self) -> None:
        """Each check of the conformance suite is there."""
        assert missing(list(catalogue()), page("reference/conformance.md")) == []


class TestSettings:
    """What can be configured."""

    def test_of_core(self) -> None:
        """Each setting of every provider has a row, with its variables."""
        assert (
            unsaid(Settings, "<provider>", sections(page("reference/settings.md"), 2)["Every provider"]) == []
        )

    @pytest.mark.parametrize("spec", list(PluginHost.default().adapters.values()), ids=lambda spec: spec.name)
    def test_of_providers(self, spec: AdapterSpec) -> None:
        """So has each setting of one provider, under its name."""
        options = load_object(spec.options)
        section = sections(page("reference/settings.md"), 3).get(spec.name, "")
        assert unsaid(options, spec.name, section) == []

    def test_variables(self) -> None:
        """So has each variable that has no provider in its name."""
        code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "mailcore").rglob("*.py"))
        found = sorted(set(re.findall(r'"(MAILCORE_[A-Z_]+[A-Z])"', code)))
        assert found
        assert missing(found, page("reference/settings.md")) == []


def unsaid(options: type[Any], provider: str, text: str) -> list[str]:
    """Return the settings that have no row in a text, or one that lacks a variable."""
    rows = {row[0]: row[1] for row in re.findall(r"^\| `(\w+)` \|(.*)$", text, re.MULTILINE)}
    return [
        field.name
        for field in attrs.fields(options)
        if missing(variables(field.name, provider), rows.get(field.name, ""))
    ]


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield a command and each below it, with its path."""
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, f"{path} {name}")


class TestCommands:
    """What can be typed."""

    @pytest.mark.parametrize("path, command", list(commands(app, "mailcore")), ids=str)
    def test_of_core(self, path: str, command: click.Command) -> None:
        """Each command has a section, and each of its options stands in it."""
        assert untold(command, sections(page("reference/commands.md"), 2).get(path, "")) == []

    @pytest.mark.parametrize("path, command", list(commands(conformance, "mailcore-conformance")), ids=str)
    def test_of_the_suite(self, path: str, command: click.Command) -> None:
        """The same of the suite."""
        assert untold(command, sections(page("reference/conformance.md"), 3).get(path, "")) == []

    def test_of_django(self) -> None:
        """Django's page names each command for `manage.py`, with its options, and each check."""
        text, folder = page("how-to/django.md"), ROOT / "mailcore" / "frameworks" / "django"
        files = [
            path for path in (folder / "management" / "commands").glob("*.py") if path.stem != "__init__"
        ]
        said = [
            name
            for path in files
            for name in (path.stem, *re.findall(r'"(--[a-z-]+)"', path.read_text(encoding="utf-8")))
        ]
        assert said
        assert [name for name in said if name not in text] == []
        checks = set(re.findall(r"mailcore\.[EW]\d+", (folder / "checks.py").read_text(encoding="utf-8")))
        assert missing(sorted(checks), text) == []


def untold(command: click.Command, section: str) -> list[str]:
    """Return the options that a section lacks, or the command where there is no section."""
    options = [name for each in command.params for name in (*each.opts, *each.secondary_opts)]
    options = [name for name in options if name.startswith("--")]
    return [str(command.name)] if not section else [name for name in options if name not in section]


@pytest.mark.parametrize("folder", ADAPTERS, ids=lambda folder: folder.name)
def test_adapters(folder: Path) -> None:
    """Each adapter has a page, to which the first pages lead; the tables have a row for it."""
    assert (folder / "README.md").is_file(), "Write its page."
    name, link = folder.name.replace("_", "-"), f"{folder.relative_to(ROOT).as_posix()}/README.md"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"({link})" in readme, "The README does not name it."
    assert f"(../{link})" in page("index.md"), "docs/index.md does not name it."
    assert f"\n| `{name}` |" in readme, "Run python docs/generate.py."


class TestInstall:
    """What can be installed."""

    def test_extras(self) -> None:
        """Each extra of core has a row that says what it is for."""
        rows = page("how-to/install.md")
        assert [name for name in extras(ROOT) if f"\n| `{name}` | " not in rows] == []

    @pytest.mark.parametrize("folder", ADAPTERS, ids=lambda folder: folder.name)
    def test_providers(self, folder: Path) -> None:
        """Each adapter has a row, with what is typed for all of it."""
        path = folder.relative_to(ROOT).as_posix()
        typed = f"'./{path}[{','.join(extras(folder))}]'" if extras(folder) else f"./{path}"
        assert f"(../../{path}/README.md) | `{typed}` |\n" in page("how-to/install.md")


def extras(folder: Path) -> list[str]:
    """Return the extras of a distribution."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project.get("optional-dependencies", {}))
