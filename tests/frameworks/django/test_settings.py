"""Where settings are looked for, and that no error report shows them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory
from django.test.utils import override_settings
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from mailcore import ConfigurationError, Secret
from mailcore.frameworks.django import EmailBackend, get_mailer
from mailcore.frameworks.django._registry import registry

TOKEN = "canary-4b1d-TOKEN"
Configure = Callable[..., None]


def token() -> str:
    """Return the token the default mailer would send with."""
    found: Secret = get_mailer()._adapter.options.api_key  # type: ignore[union-attr]  # reason: MailPace's
    return found.reveal()


class TestLookUp:
    """The entry of MAILCORE, the Django setting, the environment; with the prefix before without it."""

    PLACES = ("explicit", "entry", "long setting", "long variable", "short setting", "short variable")

    @pytest.mark.parametrize("first", range(len(PLACES)))
    def test_order(self, configure: Configure, monkeypatch: pytest.MonkeyPatch, first: int) -> None:
        """Each place is asked only where those before it have nothing."""
        there = self.PLACES[first:]
        mailcore = {"PROVIDER": "mailpace"}
        mailcore |= {"API_KEY": "explicit"} if "explicit" in there else {}
        mailcore |= {"MAILPACE_API_KEY": "entry"} if "entry" in there else {}
        changed = {"MAILCORE": mailcore}
        changed |= {"MAILCORE_MAILPACE_API_KEY": "long-setting"} if "long setting" in there else {}
        changed |= {"MAILPACE_API_KEY": "short-setting"} if "short setting" in there else {}
        if "long variable" in there:
            monkeypatch.setenv("MAILCORE_MAILPACE_API_KEY", "long-variable")
        if "short variable" in there:
            monkeypatch.setenv("MAILPACE_API_KEY", "short-variable")
        configure(**changed)
        assert token() == self.PLACES[first].replace(" ", "-")

    def test_webhook_secret(self, configure: Configure) -> None:
        """One pair may stand for every provider, and each may have its own."""
        configure(MAILCORE={"PROVIDER": "mailpace", "WEBHOOK_SECRET": "user:shared"})
        assert [pair.user for pair in registry.webhooks().receivers[0].settings.webhook_secret] == ["user"]
        with override_settings(MAILCORE={"PROVIDER": "mailpace", "MAILPACE_WEBHOOK_SECRET": "other:own"}):
            (pair,) = registry.webhooks().receivers[0].settings.webhook_secret
            assert pair.user == "other"

    def test_named_mailers(self, configure: Configure) -> None:
        """With several mailers the entries are for all of a provider, and names keep their letter case."""
        tables = {"Main": {"PROVIDER": "mailpace"}, "own": {"provider": "mailpace", "api_key": "own"}}
        mailcore = {"DEFAULT": "Main", "MAILERS": tables, "MAILPACE_API_KEY": TOKEN}
        configure(MAILCORE=mailcore)
        assert token() == TOKEN
        assert get_mailer("own").name == "own"

    def test_defaults(self, configure: Configure) -> None:
        """Fields that every message has are set once."""
        configure(MAILCORE={"PROVIDER": "memory", "DEFAULTS": {"tags": "shop"}})
        assert get_mailer().settings.defaults.tags == ("shop",)  # type: ignore[union-attr]  # reason: no group

    def test_from_the_environment_alone(self, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the setting the variables that core knows choose the mailer."""
        monkeypatch.setenv("MAILCORE_URL", "memory:")
        configure(MAILCORE={})
        assert get_mailer().provider == "memory"

    @pytest.mark.parametrize(
        "mailcore, text",
        [
            ("mailpace", 'a dict such as {"PROVIDER": "mailpace"}, not str'),
            ({"PROVIDER": "memory", "provider": "memory"}, "twice"),
            ({"PROVIDER": "memory", "ON_ADVISE": "warn"}, "Did you mean 'on_advice'"),
            ({"PROVIDER": "memory", "MAILPACE_API_KYE": "x"}, "mailpace_api_kye"),
            ({"MAILERS": {"a": {"provider": "memory"}}, "NOPE": 1}, "no key 'nope'"),
            ({"MAILERS": ["memory"]}, "no mailer"),
            ({}, "There is no mailer"),
        ],
    )
    def test_wrong(self, configure: Configure, mailcore: Any, text: str) -> None:
        """What cannot be right is said in words."""
        configure(MAILCORE=mailcore)
        with pytest.raises(ConfigurationError, match="(?s)" + text.replace("{", r"\{").replace("}", r"\}")):
            get_mailer()


class TestErrorReports:
    """Django shows settings and variables where something went wrong, to whoever sees the report."""

    MAILCORE = {  # noqa: RUF012  # reason: read only
        "DEFAULT": "main",
        "MAILERS": {"main": {"PROVIDER": "mailpace", "API_KEY": f"{TOKEN}-1", "MAX_ATTEMPTS": 2}},
        "MAILPACE_API_KEY": f"{TOKEN}-2",
        "MAILPACE_WEBHOOK_KEY": f"{TOKEN}-3",
        "WEBHOOK_SECRET": f"user:{TOKEN}-4",
    }

    def test_settings_are_hidden(self, configure: Configure) -> None:
        """Every name that holds a secret is one that Django's filter hides, at any depth."""
        configure(MAILCORE=self.MAILCORE, MAILCORE_MAILPACE_API_KEY=TOKEN, MAILPACE_WEBHOOK_KEY=TOKEN)
        shown = SafeExceptionReporterFilter().get_safe_settings()
        assert shown["MAILCORE"]["MAILERS"]["main"]["MAX_ATTEMPTS"] == 2
        assert TOKEN not in repr(shown)

    def test_variables_are_hidden(self, configure: Configure) -> None:
        """Nor does a report about wrong settings show them among the variables of its frames."""
        wrong = {"PROVIDER": "mailpace", "API_KEY": TOKEN, "WEBHOOK_SECRET": f"u:{TOKEN}", "DEADLINE": "soon"}
        configure(MAILCORE=wrong)
        for build in (get_mailer, EmailBackend):
            with pytest.raises((ConfigurationError, ImproperlyConfigured)) as caught:
                build()
            frames = caught.tb.tb_next  # past this test, which knows the token
            report = ExceptionReporter(RequestFactory().get("/"), caught.type, caught.value, frames)
            text = report.get_traceback_html() + report.get_traceback_text()
            assert "deadline" in text
            assert TOKEN not in text


class TestImport:
    """What importing costs, and needs."""

    def run(self, code: str) -> str:
        """Return what a fresh Python prints."""
        environment = {name: value for name, value in os.environ.items() if "DJANGO" not in name}
        command = [sys.executable, "-W", "error", "-c", code]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.stdout

    def test_no_settings(self) -> None:
        """The package is imported without any settings."""
        code = "import mailcore.frameworks.django as d; print(all(hasattr(d, name) for name in d.__all__))"
        assert self.run(code) == "True\n"

    def test_no_django(self) -> None:
        """Neither mailcore nor mailcore.frameworks imports Django."""
        code = "import sys, mailcore, mailcore.frameworks; print('django' in sys.modules)"
        assert self.run(code) == "False\n"
