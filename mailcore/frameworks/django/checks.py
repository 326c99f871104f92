"""System checks: what would fail at the first mail or webhook is said by `manage.py check`.

Rule: a check opens no connection, and shows no setting's value.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks, mail
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from mailcore import MailcoreError, Mailers, MissingOption, PluginHost, Secret
from mailcore._config import configuration
from mailcore.frameworks.django import _settings, _webhooks
from mailcore.frameworks.django._backend import EmailBackend
from mailcore.frameworks.django.signals import inbound, tracking

__all__ = ["register"]

#: Providers that deliver nothing.
_LOCAL = ("memory", "console", "file")
#: django-anymail's setting → what stands for it here.
_RENAMED = {
    "WEBHOOK_SECRET": 'MAILCORE["WEBHOOK_SECRET"], with the same value',
    "SEND_DEFAULTS": 'MAILCORE["DEFAULTS"], a dict of message fields',
    "IGNORE_UNSUPPORTED_FEATURES": 'MAILCORE["ON_UNSUPPORTED"] = "drop"',
    "REQUESTS_TIMEOUT": 'MAILCORE["CONNECT_TIMEOUT"] and MAILCORE["READ_TIMEOUT"], in seconds',
    "IGNORE_RECIPIENT_STATUS": "nothing: the statuses are in message.mailcore_result",
    "IDNA_ENCODER": "nothing: IDNA 2008 with UTS-46 is always used",
    "DEBUG_API_REQUESTS": "the logger mailcore, or the hook mailcore_request_prepared",
}

_PLACES = (
    "Each of these names may also be a Django setting, or a key of MAILCORE without MAILCORE_ before it."
)

Found = list[checks.CheckMessage]


def register() -> None:
    """Make `manage.py check` run these."""
    for check in (check_mailers, check_webhooks, check_replay_store, check_secrets, check_anymail):
        checks.register(check, "mailcore")
    checks.register(check_provider, "mailcore", deploy=True)


def _mailers() -> Mailers | None:
    """Return mailers of the checks' own, so that a check changes nothing; None: the settings are wrong."""
    try:
        return _settings.mailers()
    except MailcoreError:
        return None


# Sending ----------------------------------------------------------------------------------------


def check_mailers(**_: Any) -> Found:
    """Report each mailer that cannot be built: E001, or W007 where a secret is not there; E002: see below."""
    problems: dict[str, MailcoreError] = {}
    if _settings.is_used() or _uses_ours():
        try:
            problems = _settings.mailers().check()
        except MailcoreError as error:
            problems = {"MAILCORE": error}
    found = [_problem(name, error) for name, error in problems.items()]
    return [*found, *_wrong_entries([str(error) for error in problems.values()])]


def _problem(name: str, error: MailcoreError) -> checks.CheckMessage:
    if isinstance(error, MissingOption):  # where a project is built, secrets may well be missing
        return checks.Warning(f"{name}: {error}", hint=_PLACES, id="mailcore.W007")
    return checks.Error(f"{name}: {error}", id="mailcore.E001")


def _wrong_entries(known: list[str]) -> Iterator[checks.CheckMessage]:
    """Yield what is wrong with entries of Django's own setting, but for what is wrong with their mailers."""
    for alias in _aliases():
        try:
            mail.mailers[alias]
        except ImproperlyConfigured as error:
            if not any(text in str(error) for text in known):
                yield checks.Error(str(error), id="mailcore.E002")


def _uses_ours() -> bool:
    # Django 6.1 warns of the setting whoever reads it, and refuses it beside MAILERS.
    return _is_ours(getattr(settings._wrapped, "EMAIL_BACKEND", ""))  # noqa: SLF001  # reason: as above


def _is_ours(backend: Any) -> bool:
    try:
        return issubclass(import_string(backend), EmailBackend)
    except (ImportError, TypeError, AttributeError):
        return False


def _aliases() -> list[str]:
    entries = getattr(settings, "MAILERS", {})
    return [alias for alias, entry in entries.items() if _is_ours(entry.get("BACKEND"))]


def check_provider(**_: Any) -> Found:
    """Report a default mailer that delivers nothing: W006."""
    try:
        mailers = _mailers()
        provider = mailers.config().get("provider") if mailers else None
    except MailcoreError:
        provider = None
    if provider not in _LOCAL:
        return []
    return [
        checks.Warning(
            f"The default mailer has the provider {provider!r}, which delivers nothing.",
            hint="Name another one in MAILCORE where mail is to arrive.",
            id="mailcore.W006",
        )
    ]


# Receiving --------------------------------------------------------------------------------------


def check_webhooks(**_: Any) -> Found:
    """Report endpoints that would refuse everything (W001), that nobody hears (W002), folders (W003)."""
    webhooks = _webhooks.build(_mailers())
    webhooks.close()
    found: Found = []
    for receiver in webhooks.receivers:
        folders = {"quarantine": receiver.settings.quarantine, "spool": receiver.settings.spool}
        found += [_folder(name, path) for name, path in folders.items() if path and not _is_writable(path)]
    if not _is_routed():
        return found
    found += [
        checks.Warning(f"Webhooks of {name}: {error}", id="mailcore.W001")
        for name, error in webhooks.broken.items()
    ]
    return [*found, *_silent()]


def _is_routed() -> bool:
    from django.urls import NoReverseMatch, reverse

    if not getattr(settings, "ROOT_URLCONF", None):
        return False
    try:
        return bool(reverse("mailcore:webhook", kwargs={"provider": "memory", "kind": "tracking"}))
    except (NoReverseMatch, ImportError):
        return False


def _silent() -> Iterator[checks.CheckMessage]:
    for name, signal in (("tracking", tracking), ("inbound", inbound)):
        if not signal.has_listeners():
            yield checks.Warning(
                f"Nobody listens to the signal {name}: what comes to that endpoint is quarantined.",
                hint="Connect a receiver in the ready() of one of your apps, or silence this check.",
                id="mailcore.W002",
            )


def _folder(name: str, path: str) -> checks.CheckMessage:
    return checks.Warning(f"The folder {name} = {path!r} cannot be written.", id="mailcore.W003")


def _is_writable(path: str) -> bool:
    folder = Path(path).absolute()
    nearest = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def check_replay_store(**_: Any) -> Found:
    """Report a replay store that cannot be used: E003."""
    try:
        _settings.replay_store()
    except MailcoreError as error:
        return [checks.Error(str(error), id="mailcore.E003")]
    return []


# Settings ---------------------------------------------------------------------------------------


def check_secrets(**_: Any) -> Found:
    """Report secrets that Django's error reports would show: W004."""
    shown, mailers = _shown(), _mailers()
    return [
        checks.Warning(
            f"Django's error reports show a secret of the mailer {name!r}.",
            hint="Use a name with API_KEY, TOKEN, SECRET or PASS in it, or mailcore.Secret(...).",
            id="mailcore.W004",
        )
        for name in mailers or ()
        if any(secret.reveal() in shown for secret in _secrets(mailers, name))
    ]


def _shown() -> str:
    """Return what an error report says of the settings that core looks at."""
    from django.views.debug import get_default_exception_reporter_filter

    names = [name for name in dir(settings) if name == "MAILERS" or _settings.is_ours(name)]
    cleanse = get_default_exception_reporter_filter().cleanse_setting
    return repr([cleanse(name, getattr(settings, name)) for name in names])


def _secrets(mailers: Mailers | None, name: str) -> list[Secret]:
    try:
        table = mailers.config(name) if mailers else {}
        found = configuration(table, environ=_settings.Surroundings())
    except MailcoreError:
        return []
    proxy = () if found.settings.proxy is None else (found.settings.proxy,)
    return [*found.secrets, *proxy]


def check_anymail(**_: Any) -> Found:
    """Say what the settings of django-anymail are called here, where its setting is still there: W005."""
    given = getattr(settings, "ANYMAIL", None)
    if not isinstance(given, dict) or not (_uses_ours() or _aliases()):
        return []
    return [
        checks.Warning(
            f"ANYMAIL[{name!r}] is not read any more.",
            hint=f"It is now {_renamed(name)}.",
            id="mailcore.W005",
        )
        for name in given
    ]


def _renamed(name: str) -> str:
    for spec in PluginHost.default().adapters.values():
        prefix = spec.name.replace("-", "_").upper() + "_"
        if name.upper().startswith(prefix):
            return f'MAILCORE["{name}"], where {spec.name} has such an option'
    return _RENAMED.get(name.upper(), 'in MAILCORE["<PROVIDER>_<OPTION>"], by the options of your provider')
