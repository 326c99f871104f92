"""The settings of each mailer, as they are printed and shown, to be pasted into an application."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mailcore.sandbox._sandbox import SMTP, Sandbox

__all__ = ["first_mail", "settings_of", "to_paste"]

Settings = Mapping[str, Mapping[str, Any]]


def settings_of(sandbox: Sandbox, *, host: str, smtp_port: int) -> Settings:
    """Return the settings that select each provider, and the SMTP port, by the mailer's name."""
    providers = {name: {"provider": name, **one.settings} for name, one in sandbox.providers.items()}
    return {**providers, SMTP: {"provider": SMTP, "host": host, "port": smtp_port, "security": "plain"}}


def to_paste(settings: Settings) -> Mapping[str, str]:
    """Return them as TOML, by the mailer's name."""
    # A string of JSON is one of TOML too.
    return {
        name: "\n".join([f"[mailers.{name}]", *(f"{key} = {json.dumps(one)}" for key, one in given.items())])
        for name, given in settings.items()
    }


def first_mail(settings: Settings) -> str:
    """Return what `mailcore` sends a mail with, for a shell, with nothing to be written before."""
    given = settings[SMTP]
    url = f"smtp://?host={given['host']}&port={given['port']}&security=plain"
    return f"send --url '{url}' --from ada@example.com --to grace@example.net --text Hello"
