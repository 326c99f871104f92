"""What the tests of all providers together share: a host that has their adapters, and settings for each."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

import mailcore.providers
import mailcore_amazon_ses
import mailcore_mailgun
import mailcore_mailpace
import mailcore_postmark
import mailcore_resend
import mailcore_smtp
from mailcore import PluginHost
from mailcore._spec import load_object

ADAPTERS: dict[str, ModuleType] = {
    "amazon-ses": mailcore_amazon_ses,
    "mailgun": mailcore_mailgun,
    "mailpace": mailcore_mailpace,
    "postmark": mailcore_postmark,
    "resend": mailcore_resend,
    "smtp": mailcore_smtp,
}


@pytest.fixture(scope="session")
def six() -> PluginHost:
    """Return a host with the six providers and the built-in ones."""
    found = PluginHost({"builtin": mailcore.providers, **ADAPTERS}, installed=False)
    assert not found.problems
    return found


@pytest.fixture(scope="session")
def settings(six: PluginHost) -> Mapping[str, Mapping[str, Any]]:
    """Return settings for a mailer of each of the six; nobody answers at their addresses."""
    found = {"smtp": {"provider": "smtp", "host": "127.0.0.1", "security": "plain"}}
    for name in ADAPTERS:
        if pointer := six.spec(name).emulator:
            found[name] = {"provider": name, **load_object(pointer)().settings("http://127.0.0.1:9")}
    return found
