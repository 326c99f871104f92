"""`mailcore plugins`: what is loaded, and what is not."""

from __future__ import annotations

from typing import Any

import click
from rich.text import Text

from mailcore._plugins import PluginHost
from mailcore.cli._document import json_option, problem_documents
from mailcore.cli._exit import ExitCode
from mailcore.cli._installed import version_of
from mailcore.cli._terminal import console, one_line, print_json, quiet, table

__all__ = ["listed_plugins", "plugins", "print_problems"]

EXAMPLES = """\b
For example:
  mailcore plugins
  mailcore plugins --json
  MAILCORE_DISABLED_PLUGINS=some-distribution mailcore plugins

`mailcore doctor` says what to do about a plugin that did not load. Exit code 3: there is one.
"""


@click.command(epilog=EXAMPLES)
@json_option
def plugins(*, as_json: bool) -> int:
    """List the plugins, and what did not load."""
    host = listed_plugins()
    found: list[dict[str, Any]] = [
        {
            "name": plugin.name,
            "distribution": plugin.distribution,
            "version": version_of(plugin.distribution),
            "adapters": [spec.name for spec in plugin.adapters],
        }
        for plugin in host.plugins
    ]
    if as_json:
        print_json({"plugins": found, "problems": problem_documents(host)})
    else:
        lines = [[one["name"], one["version"] or "?", ", ".join(one["adapters"])] for one in found]
        console().print(table(["Plugin", "Version", "Providers"], lines))
        print_problems(host)
    return ExitCode.CONFIGURATION if host.problems else ExitCode.DONE


def listed_plugins() -> PluginHost:
    """Return the installed plugins; what did not load is the caller's to tell."""
    with quiet("mailcore.plugins"):
        return PluginHost.default()


def print_problems(host: PluginHost) -> None:
    """Print what did not load below a listing."""
    # One conflict is a problem of each plugin in it.
    problems = {one_line(problem.text): problem.name for problem in reversed(host.problems)}
    lines = [f"{name}: {text}" for text, name in reversed(problems.items())]
    if lines:
        screen = console()
        screen.print()
        screen.print(Text("Not loaded (`mailcore doctor` says more):", style="bold red"))
        screen.print(Text("\n".join(f"  {line}" for line in lines)), soft_wrap=True)
