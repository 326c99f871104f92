"""`mailcore providers`: what each installed provider can do.

Rule: the table is made of the declarations the engine itself obeys, so it cannot say anything else.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import click
from rich.text import Text

from mailcore._capabilities import Capability, Level, Support, support
from mailcore._plugins import PluginHost
from mailcore._spec import AdapterSpec
from mailcore.cli._document import json_option, problem_documents
from mailcore.cli._option import Option, common_options, own_options
from mailcore.cli._plugins import listed_plugins, print_problems
from mailcore.cli._terminal import console, one_line, print_json, table

__all__ = ["providers"]

EXAMPLES = """\b
For example:
  mailcore providers                              everything, as a table
  mailcore providers --can webhook.signature      who signs webhooks
  mailcore providers --can send.html --can send.schedule
  mailcore providers --json                       with notes, sources and settings

\b
yes: all of it.  limited: see the note in --json.  not yet: the provider could, the adapter cannot.
A number is the most that can be carried: of tags, or of characters in a key.
"""

_WORDS = {
    Level.FULL: "yes",
    Level.LIMITED: "limited",
    Level.NOT_IMPLEMENTED: "not yet",
    Level.UNSUPPORTED: "-",
}


def _known(_: click.Context, __: click.Parameter, names: Sequence[str]) -> list[Capability]:
    known = [name.value for name in Capability]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise click.BadParameter(f"{name!r} is no capability.{hint} `mailcore providers` lists them.")
    return [Capability(name) for name in names]


@click.command(epilog=EXAMPLES)
@click.option(
    "--can", "wanted", metavar="CAPABILITY", multiple=True, callback=_known,
    help="Only providers that can, such as send.html; repeat it for more.",
)  # fmt: skip
@json_option
def providers(*, wanted: Sequence[Capability], as_json: bool) -> None:
    """Compare what the installed providers can carry."""
    host = listed_plugins()
    found = [spec for spec in host.adapters.values() if _can(spec, wanted)]
    if as_json:
        print_json(_document(host, found))
    else:
        _print(host, found, wanted)


def _can(spec: AdapterSpec, wanted: Sequence[Capability]) -> bool:
    return all(support(spec.capabilities, name).usable for name in wanted)


def _document(host: PluginHost, found: Sequence[AdapterSpec]) -> dict[str, Any]:
    problems: list[Mapping[str, str]] = list(problem_documents(host))
    described = [_provider(spec, problems) for spec in found]
    common = [
        {"name": option.name, "about": option.about, "secret": option.secret} for option in common_options("")
    ]
    return {"providers": described, "common_options": common, "problems": problems}


def _provider(spec: AdapterSpec, problems: list[Mapping[str, str]]) -> dict[str, Any]:
    try:
        options = own_options(spec)
    except Exception as error:  # noqa: BLE001  # reason: importing runs a stranger's code
        why = f"{type(error).__name__}: {one_line(str(error))}"
        text = f"The options of {spec.name!r} cannot be imported ({why})."
        problems.append({"name": spec.name, "distribution": "", "text": text})
        options = []
    return {
        "name": spec.name,
        "title": spec.title or spec.name,
        "docs_url": spec.docs_url,
        "capabilities": {name.value: _support(support(spec.capabilities, name)) for name in Capability},
        "event_types": sorted(kind.value for kind in spec.event_types),
        "idempotency": attrs.asdict(spec.idempotency) if spec.idempotency else None,
        "emulator": bool(spec.emulator),
        "options": [_option(option) for option in options],
    }


def _support(found: Support) -> dict[str, Any]:
    return {"level": found.level.value, "limit": found.limit, "note": found.note, "url": found.url}


def _option(option: Option) -> dict[str, Any]:
    return {**attrs.asdict(option), "variables": list(option.variables)}


def _cell(found: Support) -> str:
    word = _WORDS[found.level]
    return f"{word} ({found.limit})" if found.usable and found.limit is not None else word


def _lines(found: Sequence[AdapterSpec]) -> list[list[str]]:
    return [[name.value, *(_cell(support(spec.capabilities, name)) for spec in found)] for name in Capability]


def _print(host: PluginHost, found: Sequence[AdapterSpec], wanted: Sequence[Capability]) -> None:
    screen = console()
    if found:
        titles = [spec.title or spec.name for spec in found]
        screen.print(table(["Capability", *titles], _lines(found)))
        screen.print()
        screen.print(
            Text(f"Names in configuration: {', '.join(spec.name for spec in found)}"), soft_wrap=True
        )
    else:
        screen.print(f"No installed provider can {' and '.join(wanted) or 'be used'}.")
    print_problems(host)
