"""The layers: lower never imports higher, I/O stays at the edges, and importing is cheap."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from functools import cache
from importlib.machinery import FileFinder
from pathlib import Path

import pytest

import mailcore

CORE = Path(mailcore.__file__).parent
#: Every installed package that has the name of one of ours, wherever it is.
BESIDE = {
    found.name: Path(found.module_finder.path) / found.name
    for found in pkgutil.iter_modules()
    if found.ispkg and found.name.startswith("mailcore_") and isinstance(found.module_finder, FileFinder)
}
SUITE = BESIDE.pop("mailcore_conformance")
ADAPTERS = sorted(BESIDE.values())

#: Lowest first; a file may import those of its own layer and of those above it in this table.
LAYERS = {
    "values": """
        _address _address_grammar _attachment _body _changed _characters _codec _content_id _delivery _event
        _extra _file_content _form _form_part _header _http _inbound _json_value _mapping _media_type _message
        _message_fields _nearest _mime _multipart _outcome _pip _resolve _result _secret
        _spool _status _strict_json _time _unset _url _version exceptions
    """,
    "contract": "_adapter _basic_auth _capabilities _emulator _settings _spec _transport hookspecs",
    "engine": """
        _around _async_group _async_mailer _async_mailers _async_receiver _carrier _closing _config
        _dispatcher _draining _driver _failover _fingerprint _group _installed _loop _mailer _mailers
        _many _named _plugin _plugins _policy _quarantine _receiver _receiving _replay _retry _sending
        _stand_in _steps _stranger
    """,
    "edges": """
        __main__ cli frameworks observers providers pytest_plugin queues sandbox stores testing transports
    """,
}
LAYER = {name: level for level, names in enumerate(LAYERS.values()) for name in names.split()}

#: What a file directly in `mailcore/` never imports, at any level, not even within a function.
FORBIDDEN = {
    "aiohttp", "asyncio", "celery", "click", "django", "fastapi", "flask", "http", "httpx", "redis",
    "requests",
    "rich", "select", "selectors", "smtplib", "socket", "socketserver", "ssl", "starlette", "subprocess",
    "urllib3",
}  # fmt: skip
#: Who may know asyncio.
LOOP = "_loop"
EDGES = set(LAYERS["edges"].split()) - {"testing"}
#: Who may read files and the environment.
READERS = {"_config", "_file_content", "_pip"}
READING = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "environ", "getenv", "cwd", "home"}

#: What an adapter never imports: it is told the time, and asks nobody for anything.
IMPURE = FORBIDDEN | {"logging", "os", "pathlib", "random", "secrets", "tempfile", "time", "uuid"}
#: What of it is made of its arguments alone.
PURE = {"uuid.NAMESPACE_URL", "uuid.UUID", "uuid.uuid5"}

#: What `import mailcore` never loads, nor making a plain message.
SLOW = (
    "asyncio",
    "cattrs",
    "email",
    "http",
    "idna",
    "importlib.metadata",
    "nacl",
    "pluggy",
    "requests",
    "ssl",
    "urllib3",
)


def sources(*folders: Path) -> list[Path]:
    """Return the Python files below folders."""
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    """Parse a file once."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> frozenset[str]:
    """Return every dotted name a file imports, at any level; `from a import b` is `a.b`."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import"
            found.update(f"{node.module}.{name.name}" for name in node.names)
    return frozenset(found)


def calls_and_attributes(path: Path) -> set[str]:
    """Return the last part of every name that a file looks up."""
    nodes = list(ast.walk(tree(path)))
    called = {
        node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    return called | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def part(path: Path) -> str:
    """Return the name of a file, or of the folder in `mailcore/` that it is in."""
    return path.relative_to(CORE).parts[0].removesuffix(".py")


CORE_FILES = [path for path in sources(CORE) if part(path) != "__init__"]
EDGE_FILES = {"__main__", *LAYERS["edges"].split()}
TOP_FILES = [path for path in CORE_FILES if part(path) not in EDGE_FILES - {"testing"}]
each_core_file = pytest.mark.parametrize(
    "path", CORE_FILES, ids=lambda path: path.relative_to(CORE).as_posix()
)
each_top_file = pytest.mark.parametrize("path", TOP_FILES, ids=lambda path: path.stem)
each_adapter_file = pytest.mark.parametrize("path", sources(*ADAPTERS), ids=lambda path: path.stem)


@pytest.mark.once
class TestLayers:
    """Who imports whom."""

    @each_core_file
    def test_known(self, path: Path) -> None:
        """Every file has a layer."""
        assert part(path) in LAYER

    def test_table(self) -> None:
        """No name is in two layers."""
        names = [name for names in LAYERS.values() for name in names.split()]
        assert sorted(names) == sorted(set(names))

    @each_core_file
    def test_never_upwards(self, path: Path) -> None:
        """A file imports from its own layer and from lower ones."""
        own = LAYER[part(path)]
        used = {name.split(".")[1] for name in imports(path) if name.startswith("mailcore.")}
        assert {name for name in used if LAYER.get(name, own) > own} == set()

    @each_top_file
    def test_no_io(self, path: Path) -> None:
        """A file directly in `mailcore/` imports no network, framework or command line."""
        allowed = {"asyncio"} if path.stem == LOOP else set()
        assert {name for name in imports(path) if name.split(".")[0] in FORBIDDEN - allowed} == set()

    @each_top_file
    def test_no_edges(self, path: Path) -> None:
        """Nor an edge: those are reached by a dotted name on first use."""
        used = {name.split(".")[1] for name in imports(path) if name.startswith("mailcore.")}
        assert used & EDGES == set()

    @each_top_file
    def test_files_and_environment(self, path: Path) -> None:
        """Three files read the outside; the others are told."""
        if path.stem not in READERS:
            assert calls_and_attributes(path) & READING == set()
            assert {
                name for name in imports(path) if name.startswith(("pathlib", "tempfile", "shutil"))
            } == set()

    def test_readers_exist(self) -> None:
        """The files with that right use it, so the check above finds what it looks for."""
        for name in READERS:
            assert calls_and_attributes(CORE / f"{name}.py") & READING


@pytest.mark.once
class TestAdapters:
    """What an adapter is made of."""

    @each_adapter_file
    def test_public_names(self, path: Path) -> None:
        """An adapter uses public names of core, and its own."""
        for name in imports(path):
            package, _, rest = name.partition(".")
            if package == "mailcore":
                assert rest in mailcore.__all__ or rest.startswith("testing.")

    @each_adapter_file
    def test_sans_io(self, path: Path) -> None:
        """It imports no network, clock, randomness, environment or log; its kit may read its samples."""
        if path.stem == "conformance":
            return
        assert {name for name in imports(path) if name.split(".")[0] in IMPURE} <= PURE
        assert calls_and_attributes(path) & {"now", "utcnow", "today", "environ", "urandom"} <= {"now"}
        assert "datetime.now" not in ast.unparse(tree(path))

    @each_adapter_file
    def test_emulator_shares_nothing(self, path: Path) -> None:
        """Emulator and adapter have no module in common: one author would agree with himself."""
        inside, [own] = "emulator" in path.parts, {folder.name for folder in ADAPTERS} & set(path.parts)
        for name in imports(path):
            if name.startswith(f"{own}.") and path.stem != "conformance":
                assert name.startswith(f"{own}.emulator") == inside

    @pytest.mark.parametrize("folder", ADAPTERS, ids=lambda folder: folder.name)
    def test_nothing_shared_knows_it(self, folder: Path) -> None:
        """Core, the suite and the tools find an adapter by its place, and import none."""
        shared = [*CORE.rglob("*.py"), *SUITE.rglob("*.py")]
        assert [path for path in shared if folder.name in path.read_text(encoding="utf-8")] == []


class TestImporting:
    """What is loaded, in a fresh interpreter."""

    def loaded(self, statement: str) -> set[str]:
        """Return the modules that a statement adds."""
        code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
        paths = [str(CORE.parent), *(str(folder.parent) for folder in ADAPTERS)]
        code = f"import sys; sys.path[:0] = {paths!r}; {code}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return set(done.stdout.split())

    @pytest.mark.parametrize(
        "statement",
        [
            "import mailcore",
            "from mailcore import Address, Message",
            "import mailcore; mailcore.Message(to='Ada <a@x.example>', subject='Hi', text='.', tags='a')",
            "import mailcore; mailcore.Message(from_='a@x.example', to='b@x.example', text='.').resolve()",
            "import mailcore; mailcore.JsonBody({'a': 1}), mailcore.HttpResponse(status=200)",
        ],
    )
    def test_cheap(self, statement: str) -> None:
        """Names and plain messages load nothing that is slow."""
        found = self.loaded(statement)
        assert {
            name for name in found if name in SLOW or name.startswith(tuple(f"{slow}." for slow in SLOW))
        } == set()

    def test_package_alone(self) -> None:
        """`import mailcore` loads none of its own modules."""
        assert {name for name in self.loaded("import mailcore") if name.startswith("mailcore.")} == set()

    @pytest.mark.rule("N-H15")
    def test_adapter_registers_cheaply(self) -> None:
        """Registering an adapter imports none of it, and no optional package."""
        found = self.loaded("import mailcore_mailpace; mailcore_mailpace.mailcore_register_adapters()")
        assert {name for name in found if name.startswith("mailcore_mailpace.")} == set()
        assert not {"nacl", "requests"} & found

    @pytest.mark.rule("N-H15")
    def test_without_optional_package(self) -> None:
        """The adapter imports and sends without PyNaCl."""
        block = "sys.modules['nacl'] = None"
        use = "from mailcore_mailpace import _adapter, _options"
        make = "_adapter.MailPaceAdapter(_options.MailPaceOptions(api_key='k'))"
        assert "mailcore_mailpace._adapter" in self.loaded(f"{block}; {use}; {make}")
