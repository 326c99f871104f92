"""
Write the parts of the documentation that the code already says.

    python docs/generate.py            write them into the pages
    python docs/generate.py --check    name the pages that are not current, and exit 1

A part stands between `<!-- name:begin -->` and `<!-- name:end -->`.
Run this with a Python that has mailcore and every adapter of this repository: `.tox/docs/bin/python` has.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import click
from _markdown import block, call, docstring, first_paragraph, meanings, table, values
from _names import names

from mailcore import (
    Adapter,
    AdapterSpec,
    BounceClass,
    Capability,
    Disposition,
    EndpointKind,
    EventType,
    HttpResponse,
    Level,
    MailcoreError,
    PluginHost,
    RejectReason,
    SendError,
    Settings,
    Support,
    error_for_status,
    exceptions,
    hookspecs,
)
from mailcore._config import variables
from mailcore._spec import load_object
from mailcore.cli._app import app
from mailcore.cli._exit import ExitCode

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "python docs/generate.py"
PART = re.compile(r"(<!-- ([a-z-]+):begin -->\n).*?(<!-- \2:end -->)", re.DOTALL)


def main(arguments: list[str]) -> int:
    """Write or check, and return the exit code."""
    check = arguments == ["--check"]
    stale = {page: text for page, text in map(_current, pages()) if text != page.read_text(encoding="utf-8")}
    for page, text in stale.items():
        name = page.relative_to(ROOT).as_posix()
        if check:
            print(f"{name} is not current. Run: {COMMAND}", file=sys.stderr)
        else:
            page.write_text(text, encoding="utf-8")
            print(f"{name} is written.")
    return 1 if stale and check else 0


def pages() -> list[Path]:
    """List every page of the documentation."""
    return [ROOT / "README.md", *sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("adapters/*/README.md")])]


def _current(page: Path) -> tuple[Path, str]:
    return page, PART.sub(_written, page.read_text(encoding="utf-8"))


def _written(match: re.Match[str]) -> str:
    begin, name, end = match.groups()
    return f"{begin}\n{PARTS[name]()}\n\n{end}"


# Providers


@cache
def host() -> PluginHost:
    """Return the plugins of this repository, and no others that may be installed."""
    projects = [ROOT / "pyproject.toml", *ROOT.glob("adapters/*/pyproject.toml")]
    owners = {tomllib.loads(path.read_text(encoding="utf-8"))["project"]["name"] for path in projects}
    found = PluginHost(only=owners)
    missing = owners - {plugin.distribution for plugin in found.plugins}
    if missing or found.problems:
        raise SystemExit(f"Not installed: {', '.join(sorted(missing))}. Did not load: {found.problems}.")
    return found


def _specs() -> list[AdapterSpec]:
    """Return every adapter, those of real providers first."""
    return sorted(host().adapters.values(), key=lambda spec: (not spec.docs_url, spec.name))


def _support(spec: AdapterSpec, capability: Capability) -> Support:
    return spec.capabilities.get(capability, Support(level=Level.UNSUPPORTED))


#: Columns of the short table.
_IN_SHORT = {
    "attachments": Capability.ATTACHMENTS,
    "tags": Capability.TAGS,
    "templates": Capability.TEMPLATE,
    "idempotency key": Capability.IDEMPOTENCY_KEY,
    "events": Capability.WEBHOOK_TRACKING,
    "incoming mail": Capability.WEBHOOK_INBOUND,
    "signed webhooks": Capability.WEBHOOK_SIGNATURE,
}


def providers() -> str:
    """Write what each provider can do, in short."""
    owner = {spec.name: plugin.distribution for plugin in host().plugins for spec in plugin.adapters}
    rows = []
    for spec in _specs():
        can = ["yes" if _support(spec, found).usable else "no" for found in _IN_SHORT.values()]
        rows.append([f"`{spec.name}`", f"`{owner[spec.name]}`", *can, "yes" if spec.emulator else ""])
    return table(["provider", "package", *_IN_SHORT, "local emulator"], rows)


_LEVELS = {
    Level.FULL: "yes",
    Level.LIMITED: "limited",
    Level.NOT_IMPLEMENTED: "not yet",
    Level.UNSUPPORTED: "no",
}


def _level(spec: AdapterSpec, capability: Capability) -> str:
    found = _support(spec, capability)
    return _LEVELS[found.level] + (f", at most {found.limit}" if found.limit is not None else "")


def capabilities() -> str:
    """Write the matrix of every capability and provider."""
    said = meanings(Capability)
    return table(
        ["capability", "meaning", *(f"`{spec.name}`" for spec in _specs())],
        [(f"`{one}`", said[one.name], *(_level(spec, one) for spec in _specs())) for one in Capability],
    )


def notes() -> str:
    """Write what is said about the capabilities of every provider, with the sources."""
    rows = [
        (f"`{spec.name}`", f"`{one}`", found.note, f"<{found.url}>" if found.url else "")
        for spec in _specs()
        for one, found in sorted(spec.capabilities.items())
        if found.note
    ]
    return table(["provider", "capability", "note", "source"], rows)


def provider_events() -> str:
    """Write which events each provider's webhooks become."""
    specs = [spec for spec in _specs() if spec.event_types]
    return table(
        ["event type", *(f"`{spec.name}`" for spec in specs)],
        [
            (f"`{kind.value}`", *("yes" if kind in spec.event_types else "" for spec in specs))
            for kind in EventType
        ],
    )


# Settings


def settings() -> str:
    """Write the settings every provider has."""
    return _fields(Settings, "<provider>")


def provider_settings() -> str:
    """Write each provider's own settings."""
    options = {spec.name: load_object(spec.options) for spec in _specs()}
    return "\n\n".join(
        f"### `{name}`\n\n{_fields(own, name)}" for name, own in options.items() if attrs.fields(own)
    )


def _fields(options: type[Any], provider: str) -> str:
    rows = []
    for field in attrs.fields(options):
        needed = field.metadata.get("needed_to")
        about = field.metadata["about"] + (f" Needed to {needed}." if needed else "")
        looked_up = ", ".join(f"`{name}`" for name in variables(field.name, provider))
        rows.append((f"`{field.name}`", _default(field.default), about, looked_up))
    return table(["setting", "default", "meaning", "environment variables"], rows)


def _default(value: object) -> str:
    if value in (None, ()):
        return ""
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


# Errors and statuses


def error_tree() -> str:
    """Write the tree drawn at the top of `exceptions.py`."""
    return block((exceptions.__doc__ or "").partition("\n\n")[2])


def send_errors() -> str:
    """Write what each end of a send means for the next step."""
    rows = []
    for name, error in _errors():
        if issubclass(error, SendError) and error is not SendError:
            outcome, scope = error.outcome.value, error.default_scope.value
            again = "yes" if error.default_retriable else "no"
            rows.append((f"`{name}`", f"`{outcome}`", f"`{scope}`", again, first_paragraph(error)))
    rows.sort(key=lambda row: row[1])
    return table(["error", "outcome", "scope", "retriable", "meaning"], rows)


def other_errors() -> str:
    """Write the errors that are no end of a send."""
    return table(
        ["error", "meaning"],
        [
            (f"`{name}`", first_paragraph(error))
            for name, error in _errors()
            if not issubclass(error, SendError) or error is SendError
        ],
    )


def _errors() -> list[tuple[str, Any]]:
    found = [(name, getattr(exceptions, name)) for name in exceptions.__all__]
    return [(name, error) for name, error in found if issubclass(error, MailcoreError)]


def dispositions() -> str:
    """Write what an endpoint answers."""
    adapter, said = Adapter(None), meanings(Disposition)
    rows = [
        (f"`{one.value}`", adapter.webhook_response(one, EndpointKind.TRACKING).status, said[one.name])
        for one in Disposition
    ]
    own = [spec.name for spec in _specs() if _answers_otherwise(load_object(spec.factory))]
    adapters = f"Adapters with answers of their own: {', '.join(own) or 'none'}."
    return "\n\n".join([table(["disposition", "status", "meaning"], rows), adapters])


def _answers_otherwise(adapter: type[Adapter]) -> bool:
    return adapter.webhook_response is not Adapter.webhook_response


def statuses() -> str:
    """Write what a provider's status means."""
    rest = {"any other 4xx": _meaning(400), "any other 5xx": _meaning(500)}
    known = {
        str(status): _meaning(status) for status in range(401, 600) if _meaning(status) not in rest.values()
    }
    return table(["status", "error"], [(status, f"`{name}`") for status, name in {**known, **rest}.items()])


def _meaning(status: int) -> str:
    return type(error_for_status(HttpResponse(status=status), now=datetime.now(UTC))).__name__


# Hooks and commands


def hooks() -> str:
    """Write every hook with its arguments."""
    found = [hook for name, hook in vars(hookspecs).items() if name.startswith("mailcore_")]
    return "\n\n".join(f"### `{hook.__name__}`\n\n{block(call(hook))}\n\n{docstring(hook)}" for hook in found)


def commands() -> str:
    """Write what `--help` says of every command."""
    return "\n\n".join(f"## `{path}`\n\n{block(text)}" for path, text in _helps(app, "mailcore", None))


def _helps(command: click.Command, path: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    context = click.Context(
        command,
        info_name=path.rpartition(" ")[2],
        parent=parent,
        terminal_width=100,
        **command.context_settings,
    )
    yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from _helps(command.commands[name], f"{path} {name}", context)


def demo() -> str:
    """Write what `mailcore demo` prints, without what the requests and answers hold."""
    command = [sys.executable, "-m", "mailcore.cli", "demo"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "default"}
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8", env=environment)  # noqa: S603  # reason: our own command
    kept = re.findall(r"^(?:\d  |   (?:[→←=]|Provider says|email\.) ?).*", done.stdout, re.MULTILINE)
    text = "\n".join(line.rstrip() for line in kept)
    text = re.sub(r"(127\.0\.0\.1):\d+", r"\1", text)
    return block(re.sub(r"^(?=\d  )", "\n", text, flags=re.MULTILINE))


def exit_codes() -> str:
    """Write what the exit codes mean."""
    said = meanings(ExitCode)
    return table(["code", "meaning"], [(int(code), said[code.name]) for code in ExitCode])


PARTS: dict[str, Callable[[], str]] = {
    "bounce-classes": lambda: values(BounceClass),
    "capabilities": capabilities,
    "commands": commands,
    "demo": demo,
    "dispositions": dispositions,
    "error-tree": error_tree,
    "event-types": lambda: values(EventType),
    "exit-codes": exit_codes,
    "hooks": hooks,
    "names": names,
    "notes": notes,
    "other-errors": other_errors,
    "provider-events": provider_events,
    "provider-settings": provider_settings,
    "providers": providers,
    "reject-reasons": lambda: values(RejectReason),
    "send-errors": send_errors,
    "settings": settings,
    "statuses": statuses,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
