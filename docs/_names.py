"""The reference of every public name and hook, from its docstring."""

from __future__ import annotations

import ast
import enum
import inspect
import re
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from _markdown import block, call, comment, docstring, first_paragraph, meanings
from _providers import specs

import mailcore
from mailcore import hookspecs

__all__ = ["emulators", "hooks", "names"]

ROOT = Path(__file__).resolve().parent.parent

#: Every name of `mailcore` but the errors, in the order of a reader's interest.
_GROUPS = {
    "Sending": "Mailer Mailers MailerGroup AsyncMailer AsyncMailers AsyncMailerGroup Message Address "
    "Attachment FileContent SendResult RecipientResult SendStatus SendOutcome Attempt Advice Outcome "
    "Scope UNSET",
    "Receiving": "WebhookReceiver AsyncWebhookReceiver WebhookRequest FormPart WebhookResponse "
    "EndpointKind Disposition TrackingEvent EventType RejectReason BounceClass InboundMessage "
    "InboundAttachment UntrustedHTML Defect DefectCode Quarantined Spool Spooled ReplayStore "
    "MemoryReplayStore Claim VerifiedWebhook Verification Covers",
    "Configuration and JSON": "Settings BasicAuth Secret from_json to_json",
    "Plugins": "PluginHost Plugin PluginProblem hookimpl",
    "Adapters": "Adapter AdapterSpec Capability Support Level Idempotency Context Flow about "
    "check_service_url requires_extra error_for_status retry_after parse_timestamp strict_json",
    "Requests and responses": "Request HttpRequest SmtpRequest LocalRequest Response HttpResponse "
    "SmtpResponse LocalResponse Headers Body JsonBody FormBody MultipartBody MimeBody Base64",
    "Transports": "Transport AsyncTransport TransportFailure Phase Deadline",
    "Emulators": "Emulator EmulatedDelivery EmulatedMailbox EmulatedMail EmulatedFile",
}
#: Modules whose names are imported from there.
_MODULES = [
    "mailcore.frameworks.asgi",
    "mailcore.frameworks.django",
    "mailcore.frameworks.django.testing",
    "mailcore.frameworks.flask",
    "mailcore.frameworks.starlette",
    "mailcore.frameworks.wsgi",
    "mailcore.observers.logs",
    "mailcore.observers.otel",
    "mailcore.pytest_plugin",
    "mailcore.queues",
    "mailcore.queues.celery",
    "mailcore.sandbox",
    "mailcore.sandbox.web",
    "mailcore.stores.folder",
    "mailcore.stores.redis",
    "mailcore.stores.sqlite",
    "mailcore.testing",
    "mailcore.transports.aiohttp",
    "mailcore.transports.local",
    "mailcore.transports.requests",
    "mailcore.transports.smtp",
    "mailcore_conformance",
]
_PAGES = {"Capability": "capabilities.md", "EventType": "events.md", "Disposition": "http-statuses.md"}


def names() -> str:
    """Write every public name but the errors."""
    written = []
    for title, listed in _GROUPS.items():
        written += [f"## {title}", *(_entry(name, mailcore) for name in listed.split())]
    for module in map(import_module, _MODULES):
        written += _module(module)
    return "\n\n".join(written)


def emulators() -> str:
    """Write the names of each adapter's emulator."""
    found = sorted({spec.emulator.partition(":")[0] for spec in specs() if spec.emulator})
    return "\n\n".join(part for module in map(import_module, found) for part in _module(module))


def _module(module: ModuleType) -> Iterator[str]:
    yield f"## `{module.__name__}`"
    yield first_paragraph(module)
    yield from (_entry(name, module) for name in module.__all__)


def _entry(name: str, module: ModuleType) -> str:
    found, home = getattr(module, name), _home(name, module)
    lines = [f"### `{name}`", _source(home)]
    said = comment(name, home)
    if said:
        lines.append(said)
    elif isinstance(found, type) and issubclass(found, enum.Enum):
        lines += _enumeration(found)
    elif isinstance(found, type):
        lines += _class(found)
    elif inspect.isfunction(found):
        lines += [block(call(found)), docstring(found)]
    else:  # a fixture, which is not called
        lines.append(docstring(found))
    return "\n\n".join(line for line in lines if line)


def _home(name: str, module: ModuleType) -> ModuleType:
    """Return the module that defines a name: a package only passes it on."""
    if module is mailcore:
        return import_module(f"mailcore.{mailcore._HOME[name]}")  # noqa: SLF001  # reason: its own table
    imports = (
        node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.ImportFrom)
    )
    found = [
        str(node.module) for node in imports for each in node.names if (each.asname or each.name) == name
    ]
    return import_module(found[0]) if found else module


def _source(module: ModuleType) -> str:
    """Return a link to the file of a module, from docs/reference/."""
    [path] = {
        found.relative_to(ROOT).as_posix()
        for place in (ROOT, ROOT / "conformance_tests", *ROOT.glob("adapters/*"))
        for end in (".py", "/__init__.py")
        if (found := place / (module.__name__.replace(".", "/") + end)).is_file()
    }
    return f"[source](../../{path})"


def _enumeration(found: type[enum.Enum]) -> Iterator[str]:
    yield docstring(found)
    page = _PAGES.get(found.__name__)
    if page:
        yield f"[Its members]({page})."
        return
    said = meanings(found)
    yield "\n".join(f"- `{member.name}`, `{member.value!r}`: {said[member.name]}" for member in found)


def _class(found: type[Any]) -> Iterator[str]:
    if inspect.isfunction(found.__init__) and not getattr(found, "_is_protocol", False):
        yield block(textwrap.fill(call(found), 100, subsequent_indent="    "))
    yield docstring(found)
    members = (_member(name, item) for name, item in _members(found).items() if not name.startswith("_"))
    written = [member for member in members if member]
    if written:
        yield "Members:"
        yield "\n".join(written)


def _members(found: type[Any]) -> dict[str, Any]:
    """Return what a class has of its own, and of bases that are nobody's to name."""
    private = [base for base in found.__mro__[1:] if _is_private(base)]
    inherited = {name: item for base in reversed(private) for name, item in vars(base).items()}
    own = vars(found)
    return {**own, **{name: item for name, item in inherited.items() if name not in own}}


def _is_private(base: type[Any]) -> bool:
    return (
        base.__module__.startswith("mailcore")
        and "._" in base.__module__
        and base.__name__ not in mailcore.__all__
    )


def _member(name: str, item: Any) -> str:
    function = getattr(item, "__func__", item)  # of a class method
    said = first_paragraph(function)
    if inspect.isfunction(function):
        return f"- `.{call(function)}`: {said}{_raised(function)}" if said else ""
    is_property = isinstance(item, property) or type(item).__name__ == "Accessor"
    return f"- `.{name}`: {said}" if is_property and said else ""


def _raised(function: FunctionType) -> str:
    section = re.search(r"^Raises:\n((?: .*\n?)+)", inspect.getdoc(function) or "", re.MULTILINE)
    found = re.findall(r"^    ([\w., ]+):", section[1], re.MULTILINE) if section else []
    return f" Raises {', '.join(f'`{name}`' for name in found)}." if found else ""


def hooks() -> str:
    """Write every hook with its arguments."""
    found = [hook for name, hook in vars(hookspecs).items() if name.startswith("mailcore_")]
    return "\n\n".join(f"### `{hook.__name__}`\n\n{block(call(hook))}\n\n{docstring(hook)}" for hook in found)
