"""`mailcore doctor`: why something does not work, and what to do.

Rule: each check stands alone. One that fails says so and stops no other.
"""

from __future__ import annotations

import enum
import os
import platform
import sys
import traceback
from collections.abc import Callable, Iterator

import attrs
import click
from rich.text import Text

from mailcore import _config
from mailcore._mailer import Mailer
from mailcore._mailers import Mailers
from mailcore._pip import pip_install
from mailcore._plugins import PluginHost
from mailcore._receiver import WebhookReceiver
from mailcore._spec import AdapterSpec, load_object
from mailcore._version import DISTRIBUTION
from mailcore.cli._document import json_option
from mailcore.cli._exit import ExitCode
from mailcore.cli._installed import foreign_owners, requirements, version_of
from mailcore.cli._option import own_options
from mailcore.cli._plugins import listed_plugins
from mailcore.cli._terminal import console, one_line, print_json, printable
from mailcore.exceptions import MailcoreError, MissingOption

__all__ = ["doctor"]

EXAMPLES = """\b
For example:
  mailcore doctor
  mailcore doctor --verbose          with the traceback of each plugin that failed
  mailcore doctor --json

Exit code 0: all is well. 3: at least one problem. Notes are no problems.
"""

OLDEST_PYTHON = (3, 11)


class State(enum.Enum):
    """How a check ended."""

    #: As it should be.
    OK = "ok"
    #: Worth knowing; nothing is broken.
    NOTE = "note"
    #: Something that was asked for cannot work.
    PROBLEM = "problem"


@attrs.frozen
class Finding:
    """
    What one check found.

    Attributes:
        subject: What was looked at.
        details: The traceback, where code failed.
    """

    state: State
    subject: str
    text: str
    details: str = ""


Findings = Iterator[Finding]

_STYLES = {
    State.OK: ("ok     ", "green"),
    State.NOTE: ("note   ", "yellow"),
    State.PROBLEM: ("problem", "bold red"),
}


@click.command(epilog=EXAMPLES)
@click.option("--verbose", is_flag=True, help="Show the traceback of each plugin that failed.")
@json_option
def doctor(*, verbose: bool, as_json: bool) -> int:
    """Check the installation, the plugins and the configuration."""
    listed_plugins()  # first: what is wrong with them is told by a check, and once
    found = [finding for check in _CHECKS for finding in _checked(check)]
    well = all(finding.state is not State.PROBLEM for finding in found)
    if as_json:
        print_json({"ok": well, "findings": [_document(finding) for finding in found]})
    else:
        _print(found, verbose=verbose, well=well)
    return ExitCode.DONE if well else ExitCode.CONFIGURATION


def _checked(check: Callable[[], Findings]) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(check())
    except Exception as error:  # noqa: BLE001  # reason: a doctor who collapses helps nobody
        found.append(
            Finding(State.PROBLEM, check.__name__.strip("_"), f"This check failed ({_brief(error)}).")
        )
    return found


def _document(finding: Finding) -> dict[str, str]:
    return {**attrs.asdict(finding), "state": finding.state.value}


def _print(found: list[Finding], *, verbose: bool, well: bool) -> None:
    screen = console()
    for finding in found:
        word, style = _STYLES[finding.state]
        line = Text.assemble((word, style), "  ", (finding.subject, "bold"), "  ", one_line(finding.text))
        screen.print(line, soft_wrap=True)
        if verbose and finding.details:
            screen.print(Text(printable(finding.details)), soft_wrap=True)
    screen.print()
    screen.print("All is well." if well else "Something is wrong; see each problem above.")
    if not verbose and any(finding.details for finding in found):
        screen.print("`mailcore doctor --verbose` shows the tracebacks.")


def _brief(error: BaseException) -> str:
    return f"{type(error).__name__}: {one_line(str(error))}".rstrip(".: ")


# The checks -------------------------------------------------------------------------------------


def _python() -> Findings:
    fine = sys.version_info >= OLDEST_PYTHON
    oldest = ".".join(map(str, OLDEST_PYTHON))
    text = platform.python_version() if fine else f"{platform.python_version()}; install {oldest} or later."
    yield Finding(State.OK if fine else State.PROBLEM, "Python", text)


def _core() -> Findings:
    version = version_of(DISTRIBUTION)
    if version is None:
        text = "Not installed as a distribution, so the built-in plugins are not found. Install it with pip."
        yield Finding(State.PROBLEM, DISTRIBUTION, text)
        return
    yield Finding(State.OK, DISTRIBUTION, version)
    yield from _required(DISTRIBUTION)


def _adapters() -> Findings:
    host = PluginHost.default()
    for distribution in dict.fromkeys(plugin.distribution for plugin in host.plugins):
        if distribution != DISTRIBUTION:
            yield Finding(State.OK, distribution, version_of(distribution) or "version unknown")
            yield from _required(distribution)


def _required(distribution: str) -> Findings:
    for need in requirements(distribution):
        where = f"{need.name} (for {distribution}{f'[{need.extra}]' if need.extra else ''})"
        if need.too_old:
            text = f"{need.installed} is too old. Run: pip install '{need.name}>={need.floor}'"
            yield Finding(State.PROBLEM, where, text)
        elif need.installed is None and need.extra:
            yield Finding(
                State.NOTE,
                where,
                f"Not installed. If you need it: {pip_install(distribution, need.extra)}",
            )
        elif need.installed is None:
            yield Finding(
                State.PROBLEM, where, f"Not installed. Run: pip install '{need.name}>={need.floor}'"
            )
        else:
            yield Finding(State.OK, where, f"{need.installed} (needed: >={need.floor})")


def _files() -> Findings:
    for owner in foreign_owners():
        text = (
            f"This other project has files in the folder 'mailcore' too, and may have overwritten ours. "
            f"Run: pip uninstall {owner}; then: {pip_install(DISTRIBUTION)} --force-reinstall"
        )
        yield Finding(State.PROBLEM, f"{owner} {version_of(owner) or ''}".strip(), text)


def _plugins() -> Findings:
    for problem in PluginHost.default().problems:
        own = f" Update or uninstall {problem.distribution}, or name it in MAILCORE_DISABLED_PLUGINS."
        advice = own if problem.details else ""  # where no code failed, the text itself says what to do
        yield Finding(State.PROBLEM, problem.name, problem.text + advice, problem.details)


def _providers() -> Findings:
    for spec in PluginHost.default().adapters.values():
        yield _importable(spec)


def _importable(spec: AdapterSpec) -> Finding:
    try:
        load_object(spec.factory)
        load_object(spec.options)
    except Exception as error:  # noqa: BLE001  # reason: importing runs a stranger's code
        text = f"The adapter cannot be imported: {_brief(error)}. Update or reinstall it."
        return Finding(State.PROBLEM, f"provider {spec.name}", text, traceback.format_exc())
    absent = [
        option.variables[-1]
        for option in own_options(spec)
        if option.needed_to == "send" and not any(map(os.environ.get, option.variables))
    ]
    text = f"installed; {' and '.join(absent)} is not set" if absent else "Can be used."
    return Finding(State.OK, f"provider {spec.name}", text)


def _configuration() -> Findings:
    path, url = _config.environment()
    if not (path or url):
        yield Finding(State.NOTE, "configuration", "Neither MAILCORE_CONFIG nor MAILCORE_URL is set.")
        return
    variable = "MAILCORE_CONFIG" if path else "MAILCORE_URL"
    try:
        mailers = Mailers.from_env()
    except MailcoreError as error:
        yield Finding(State.PROBLEM, variable, str(error))
        return
    broken = mailers.check()
    for name in mailers:
        subject = f"{variable} mailer {name!r}"
        fault = broken.get(name)
        yield (
            Finding(State.PROBLEM, subject, str(fault)) if fault else Finding(State.OK, subject, "Can send.")
        )


def _variables() -> Findings:
    """Check each provider that has settings in the environment, with or without a configuration."""
    for spec in PluginHost.default().adapters.values():
        found = [name for option in own_options(spec) for name in option.variables if os.environ.get(name)]
        if found:
            subject = f"provider {spec.name} with {', '.join(found)}"
            yield _built(spec, subject)


def _built(spec: AdapterSpec, subject: str) -> Finding:
    """Try both uses; a setting that only the other use needs may be missing."""
    able, missing = [], ""
    for what, build in (("send", Mailer.from_config), ("receive webhooks", WebhookReceiver.from_config)):
        try:
            build({"provider": spec.name})
            able.append(what)
        except MissingOption as error:
            missing = missing or str(error)
        except MailcoreError as error:
            return Finding(State.PROBLEM, subject, str(error))
    if not able:
        return Finding(State.PROBLEM, subject, missing)
    return Finding(State.OK, subject, f"Can {' and '.join(able)}.")


_CHECKS = (_python, _core, _adapters, _files, _plugins, _providers, _configuration, _variables)
