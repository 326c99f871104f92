"""
What users receive: each sdist and wheel is built, opened, and installed into an empty environment.

The tox environment `package` runs this file; it needs the build tools, and an index for dependencies.
"""

from __future__ import annotations

import ast
import configparser
import json
import re
import shlex
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [
    path.parent
    for pattern in ("pyproject.toml", "adapters/*/pyproject.toml", "conformance_tests/pyproject.toml")
    for path in sorted(ROOT.glob(pattern))
]
each_distribution = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)

#: Imports each module it is given, and prints the errors of those that cannot be.
IMPORTS = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except Exception as error:
        print(name, f"{type(error).__name__}: {error}")
"""


def module_name(path: Path) -> str:
    """Return the name that a file of core is imported by."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def run(*command: object, code: int = 0, cwd: Path | None = None) -> str:
    """Run a command, expect this exit code, and return what it said."""
    words = [str(part) for part in command]
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    assert code == done.returncode, done.stdout + done.stderr
    return done.stdout + done.stderr


def pyproject(folder: Path) -> dict[str, Any]:
    """Read what a distribution declares."""
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def package(folder: Path) -> str:
    """Name the one package of a distribution."""
    (name,) = pyproject(folder)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return str(name)


def stem(folder: Path) -> str:
    """Give what the names of a distribution's files start with."""
    project = pyproject(folder)["project"]
    return f"{project['name'].replace('-', '_')}-{project['version']}"


def top_level(names: list[str]) -> set[str]:
    """Reduce paths to their first part."""
    return {PurePosixPath(name).parts[0] for name in names}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build every sdist from the tree, and every wheel from its sdist."""
    place = tmp_path_factory.mktemp("dist")
    for folder in FOLDERS:
        run(sys.executable, "-m", "build", "--no-isolation", "--outdir", place, folder)
    return place


def environment(place: Path, *wheels: object) -> Path:
    """Install wheels where nothing else is but pip; return the folder of programs."""
    programs = place / ("Scripts" if sys.platform == "win32" else "bin")
    # Which is quicker than pip itself, whose turn is in test_guides.py.
    uv = sys.executable, "-m", "uv"
    run(*uv, "venv", "--quiet", "--seed", "--python", sys.executable, place)
    run(*uv, "pip", "install", "--quiet", "--python", programs / "python", *wheels)
    return programs


def wheel(built: Path, name: str) -> Path:
    """Return the wheel of a distribution."""
    (path,) = built.glob(f"{name.replace('-', '_')}-*.whl")
    return path


@pytest.fixture(scope="session")
def empty_environment(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install all wheels, without any extra."""
    return environment(tmp_path_factory.mktemp("environment"), *sorted(built.glob("*.whl")))


class TestFiles:
    """The files an index would be given."""

    def test_one_sdist_and_one_wheel_for_each_distribution(self, built: Path) -> None:
        """Nothing else is built, and all have the version of core."""
        version = pyproject(ROOT)["project"]["version"]
        assert {version} == {pyproject(folder)["project"]["version"] for folder in FOLDERS}
        expected = {stem(folder) + end for folder in FOLDERS for end in (".tar.gz", "-py3-none-any.whl")}
        assert expected == {path.name for path in built.iterdir()}

    def test_metadata_is_valid(self, built: Path) -> None:
        """An index would take them and render their description."""
        run(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir())

    @each_distribution
    def test_sdist_holds_only_its_own_package(self, built: Path, folder: Path) -> None:
        """Core's sdist holds no adapter, and none holds tests or tools."""
        with tarfile.open(built / f"{stem(folder)}.tar.gz") as sdist:
            names = [name.removeprefix(f"{stem(folder)}/") for name in sdist.getnames()]
        required = {package(folder), "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
        assert required <= top_level(names) <= required | {"CHANGELOG.md", ".gitignore"}

    @each_distribution
    def test_wheel_holds_the_package_and_nothing_else(self, built: Path, folder: Path) -> None:
        """Each file of the package is there, with its types and its licence."""
        with zipfile.ZipFile(built / f"{stem(folder)}-py3-none-any.whl") as archive:
            names = archive.namelist()
        tree = {path.relative_to(folder).as_posix() for path in (folder / package(folder)).rglob("*.py")}
        required = {f"{package(folder)}/py.typed", f"{stem(folder)}.dist-info/licenses/LICENSE"}
        assert {package(folder), f"{stem(folder)}.dist-info"} == top_level(names)
        assert tree | required <= set(names)
        assert not [
            name
            for name in names
            if "__pycache__" in name or ("/tests/" in name and not name.endswith(".tmpl"))
        ]

    @each_distribution
    def test_wheel_registers_what_the_project_declares(self, built: Path, folder: Path) -> None:
        """Plugins are found and commands exist after installation."""
        project = pyproject(folder)["project"]
        declared = dict(project.get("entry-points", {}))
        if "scripts" in project:
            declared["console_scripts"] = project["scripts"]
        registered = configparser.ConfigParser(delimiters=("=",))
        with zipfile.ZipFile(built / f"{stem(folder)}-py3-none-any.whl") as archive:
            registered.read_string(archive.read(f"{stem(folder)}.dist-info/entry_points.txt").decode())
        assert declared == {name: dict(registered[name]) for name in registered.sections()}


class TestLowestVersions:
    """The tox environment `minimum`, which runs the tests with what is declared to be enough."""

    @each_distribution
    def test_every_lowest_version_is_tried(self, folder: Path) -> None:
        """Each `>=` of a distribution, also of its extras, is a pin there, but for what runs the tests."""
        tox = configparser.ConfigParser(interpolation=None)
        tox.read(ROOT / "tox.ini", encoding="utf-8")
        pins = dict(re.findall(r"([\w-]+)==(\S+)", tox["testenv:minimum"]["commands_pre"]))
        project = pyproject(folder)["project"]
        needs = [project["dependencies"], *project.get("optional-dependencies", {}).values()]
        for name, floor in re.findall(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)", " ".join(chain(*needs))):
            if name not in ("mailcore-esp", "pytest"):
                assert re.fullmatch(rf"{re.escape(floor)}(\.0)*", pins.get(name, "")), (name, floor)


class TestEmptyEnvironment:
    """What a user has who installed the wheels and nothing else."""

    @each_distribution
    def test_package_can_be_imported(self, empty_environment: Path, folder: Path) -> None:
        """No dependency is missing, also none that the tests or the tools would have brought."""
        run(empty_environment / "python", "-I", "-W", "error", "-c", f"import {package(folder)}")

    @each_distribution
    def test_plugins_load(self, empty_environment: Path, folder: Path) -> None:
        """Each registered plugin can be imported without any extra."""
        entries = pyproject(folder)["project"].get("entry-points", {}).get("mailcore.plugins", {})
        for entry in entries.values():
            run(empty_environment / "python", "-I", "-W", "error", "-c", f"import {entry.partition(':')[0]}")

    def test_requirements_agree(self, empty_environment: Path) -> None:
        """The adapters accept this core."""
        run(empty_environment / "python", "-m", "pip", "check")

    def test_command_without_its_extra_says_how_to_get_it(self, built: Path, tmp_path: Path) -> None:
        """`mailcore` without the extra `cli` names the command that installs it, and exits with 3."""
        programs = environment(tmp_path, wheel(built, "mailcore-esp"))  # the suite would bring the extra
        assert "mailcore-esp[cli]" in run(programs / "mailcore", "providers", code=3)


class TestWithoutExtras:
    """What a user has who installed core alone, and uses what an extra brings."""

    @pytest.fixture
    def python(self, built: Path, tmp_path: Path) -> Path:
        """Install core alone."""
        return environment(tmp_path, wheel(built, "mailcore-esp")) / "python"

    def test_every_module_is_there_or_names_its_extra(self, python: Path) -> None:
        """No public module fails with a bare ModuleNotFoundError; the extras named are the declared ones."""
        names = map(module_name, sorted((ROOT / "mailcore").rglob("*.py")))
        private = re.compile(r"\._|migrations|pytest_plugin$")
        modules = [name for name in names if not private.search(name)]
        missing = {}
        for line in run(python, "-I", "-W", "error", "-c", IMPORTS, *modules).splitlines():
            name, _, text = line.partition(" ")
            missing[name] = text
        said = re.compile(
            r"MissingDependency: \S+ needs the extra '(\w+)' of mailcore-esp \(No module named '\w+'\)\. "
            r"Run: pip install 'mailcore-esp\[\1\] @ file:///\S+'"
        )
        assert {name: text for name, text in missing.items() if not said.fullmatch(text)} == {}
        extras = {text.split("'")[1] for text in missing.values()}
        declared = set(pyproject(ROOT)["project"]["optional-dependencies"])
        assert extras == declared - {"cli"}
        assert {
            "mailcore.frameworks.django", "mailcore.frameworks.django.urls", "mailcore.frameworks.flask",
            "mailcore.frameworks.starlette", "mailcore.observers.otel", "mailcore.queues.celery",
            "mailcore.stores.redis", "mailcore.transports.aiohttp",
        } <= set(missing)  # fmt: skip

    @pytest.mark.skipif(sys.platform == "win32", reason="the command is quoted for a POSIX shell")
    def test_the_command_it_names_helps(self, python: Path) -> None:
        """Whoever runs it can import the module."""
        statement = "import mailcore.frameworks.flask"
        said = run(python, "-I", "-c", statement, code=1).splitlines()[-1]
        run(python.parent / "python", "-m", *shlex.split(said.partition("Run: ")[2]), "--quiet")
        run(python, "-I", "-W", "error", "-c", statement)


ADAPTERS = [folder for folder in FOLDERS if folder.parent.name == "adapters"]


def plugin(folder: Path) -> str:
    """Name the provider of an adapter."""
    [name] = pyproject(folder)["project"]["entry-points"]["mailcore.plugins"]
    return str(name)


def extra(folder: Path) -> str:
    """Return the extra that verifies signatures, as it stands after a distribution's name."""
    return (
        "[signatures]"
        if "signatures" in pyproject(folder)["project"].get("optional-dependencies", {})
        else ""
    )


@pytest.fixture(scope="session")
def environment_of_adapters(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install all wheels, and of the adapters the extras that verify signatures."""
    wheels = [f"{wheel(built, pyproject(folder)['project']['name'])}{extra(folder)}" for folder in FOLDERS]
    return environment(tmp_path_factory.mktemp("adapters"), *wheels)


class TestProof:
    """What the conformance suite shows of an adapter, both from wheels, in an empty folder."""

    @pytest.mark.parametrize("folder", ADAPTERS, ids=lambda folder: folder.name)
    def test_adapter_is_conformant(
        self, built: Path, environment_of_adapters: Path, tmp_path: Path, folder: Path
    ) -> None:
        """Each adapter is, and the report is of the form that the suite's wheel publishes."""
        command = [
            environment_of_adapters / "mailcore-conformance",
            "run",
            plugin(folder),
            "--json",
            "r.json",
        ]
        run(*command, cwd=tmp_path)
        report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
        with zipfile.ZipFile(wheel(built, "mailcore-conformance")) as archive:
            schema = json.loads(archive.read("mailcore_conformance/schema/report-1.json"))
        jsonschema.validate(report, schema)
        scored = {check["status"] for check in report["checks"] if check["scored"]}
        assert ("conformant", {"pass", "not_applicable"}) == (report["verdict"], scored)
        assert report["deviations"] == []

    def test_without_its_prerequisite_nothing_is_shown(self, empty_environment: Path, tmp_path: Path) -> None:
        """Without PyNaCl the run is refused, with the command that installs it."""
        command = [empty_environment / "mailcore-conformance", "run", "mailpace", "--json", "r.json"]
        said = run(*command, code=2, cwd=tmp_path)
        assert "pip install 'mailcore-mailpace[signatures] @ file:///" in said
        assert "Traceback" not in said
        assert list(tmp_path.iterdir()) == []


class TestRunFile:
    """run.py, which is started by whatever Python a newcomer has."""

    def test_can_be_read_by_an_old_python(self) -> None:
        """So that it can look for a newer one, or say that there is none."""
        ast.parse((ROOT / "run.py").read_text(encoding="utf-8"), feature_version=(3, 6))

    def test_help_of_test_names_every_check(self) -> None:
        """Each environment of tox is there, with what it does, before anything is installed."""
        said = run(sys.executable, ROOT / "run.py", "test", "--help")
        names = re.findall(r"^ {4}([\w-]+) +\w", said, re.MULTILINE)
        assert {"lint", "typing", "minimum", "docs", "package"} <= set(names)
        assert "python3 run.py test -e lint,typing" in said

    def test_help_of_install_installs_nothing(self) -> None:
        """It says what run.py can do."""
        assert "python3 run.py install" in run(sys.executable, ROOT / "run.py", "install", "--help")
