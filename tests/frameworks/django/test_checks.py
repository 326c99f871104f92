"""What `manage.py check` says before anything is sent or received."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
import pytest
from django.core import checks
from django.core.management import CommandError, call_command
from django.urls import include, path

from mailcore import Secret
from mailcore.frameworks.django import get_mailer, inbound, tracking
from mailcore.frameworks.django.testing import outbox

SIX_ONE = django.VERSION >= (6, 1)
BACKEND = "mailcore.frameworks.django.EmailBackend"
KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
MAILPACE = {"PROVIDER": "mailpace", "MAILPACE_API_KEY": "canary-token", "MAILPACE_WEBHOOK_KEY": KEY}
Configure = Callable[..., None]


urlpatterns = [path("mail/", include("mailcore.frameworks.django.urls"))]


@pytest.fixture(autouse=True)
def _project(configure: Configure) -> Any:
    """Let the project have the URLs, and somebody listen to both signals."""
    configure(ROOT_URLCONF=__name__)

    def listen(**_: Any) -> None:
        """Hear."""

    tracking.connect(listen)
    inbound.connect(listen)
    yield
    tracking.disconnect(listen)
    inbound.disconnect(listen)


def found(*, deploy: bool = False) -> dict[str, str]:
    """Return the checks that complain, and their words."""
    messages = checks.run_checks(tags=["mailcore"], include_deployment_checks=deploy)
    return {
        str(message.id).removeprefix("mailcore."): f"{message.msg} {message.hint or ''}"
        for message in messages
    }


class TestSending:
    """Mailers."""

    def test_nothing_to_say(self, through: Configure) -> None:
        """A project that is right is told nothing."""
        through(**MAILPACE)
        assert found(deploy=True) == {}

    def test_unused(self, configure: Configure) -> None:
        """A project that has the app and no mailer yet is told nothing."""
        configure(ROOT_URLCONF=None)
        assert found() == {}

    def test_no_mailer(self, configure: Configure) -> None:
        """One that sends through it is told to name a mailer."""
        configure(MAILERS={"default": {"BACKEND": BACKEND}}) if SIX_ONE else configure(EMAIL_BACKEND=BACKEND)
        assert 'Set MAILCORE = {"PROVIDER"' in found()["E002" if SIX_ONE else "E001"]

    def test_missing_key(self, through: Configure) -> None:
        """A key that is missing is named, in every spelling; it stops no command, and is said once."""
        through(PROVIDER="mailpace", MAILPACE_WEBHOOK_KEY=KEY)
        assert "MAILCORE_MAILPACE_API_KEY" in found()["W007"]
        assert list(found()) == ["W007"]

    def test_each_mailer(self, through: Configure) -> None:
        """A mailer that is not the default one is looked at as well."""
        through(
            DEFAULT="a", MAILERS={"a": {"provider": "memory"}, "b": {"provider": "memory", "deadline": 0}}
        )
        assert found()["E001"].startswith("b: ")

    @pytest.mark.skipif(not SIX_ONE, reason="Django before 6.1 has no MAILERS")
    def test_entry_of_mailers(self, configure: Configure) -> None:
        """A wrong entry of Django's own setting is found too."""
        entries = {"default": {"BACKEND": BACKEND, "OPTIONS": {"nope": 1}}, "other": {"BACKEND": "no.where"}}
        configure(MAILERS=entries, MAILCORE={"PROVIDER": "memory"})
        assert found()["E002"].startswith("MAILERS['default']: memory has no option 'nope'")

    def test_provider_that_delivers_nothing(self, through: Configure) -> None:
        """A deployment is told that its mail goes nowhere."""
        through(PROVIDER="memory")
        assert found() == {}
        assert "'memory', which delivers nothing" in found(deploy=True)["W006"]


class TestReceiving:
    """Webhooks."""

    def test_no_proof(self, through: Configure) -> None:
        """A provider whose webhooks could not be verified is named."""
        through(PROVIDER="mailpace", MAILPACE_API_KEY="x")
        assert "anyone could forge events" in found()["W001"]

    def test_no_endpoint(self, through: Configure, configure: Configure) -> None:
        """A project without the URLs needs no proof."""
        through(PROVIDER="mailpace", MAILPACE_API_KEY="x")
        configure(ROOT_URLCONF=None)
        assert found() == {}

    def test_nobody_listens(self, through: Configure) -> None:
        """An endpoint that nobody listens to is named."""
        through(**MAILPACE)
        tracking.receivers, kept = [], tracking.receivers
        tracking.sender_receivers_cache.clear()
        try:
            assert found()["W002"].startswith("Nobody listens to the signal tracking")
        finally:
            tracking.receivers = kept
            tracking.sender_receivers_cache.clear()

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_folder(self, through: Configure, tmp_path: Path) -> None:
        """A spool that could not be written is named."""
        tmp_path.chmod(0o500)
        through(**MAILPACE, SPOOL=tmp_path / "spool")
        assert "spool" in found()["W003"]

    def test_folder_that_is_a_file(self, through: Configure, tmp_path: Path) -> None:
        """So is one that would have to be made below a file."""
        (tmp_path / "file").write_text("")
        through(**MAILPACE, QUARANTINE=tmp_path / "file" / "kept", SPOOL=tmp_path / "new" / "spool")
        assert "quarantine" in found()["W003"]

    def test_replay_store(self, through: Configure) -> None:
        """A replay store that cannot be made is an error."""
        through(**MAILPACE, REPLAY_STORE="nowhere.Store")
        assert "nowhere.Store cannot be used" in found()["E003"]
        assert "nowhere.Store" in found()["W001"]


class TestSettings:
    """Names."""

    PROXY = "http://user:canary-password@127.0.0.1:1"

    def test_secret_that_would_show(self, through: Configure) -> None:
        """A secret under a name that Django's error reports show is found, and not shown here."""
        through(**MAILPACE, PROXY=self.PROXY)
        assert found()["W004"].startswith("Django's error reports show a secret of the mailer 'default'")
        assert "canary" not in str(found())

    def test_secret_that_would_not(self, through: Configure) -> None:
        """As a `Secret` it is hidden whatever its name is."""
        through(**MAILPACE, PROXY=Secret(self.PROXY))
        assert found() == {}

    def test_anymail(self, through: Configure, configure: Configure) -> None:
        """Settings of django-anymail that are still there are told what they are called now."""
        through(**MAILPACE)
        old = {"MAILPACE_API_KEY": "x", "WEBHOOK_SECRET": "a:b", "BREVO_API_KEY": "y"}
        configure(ANYMAIL=old)
        messages = [
            message for message in checks.run_checks(tags=["mailcore"]) if message.id == "mailcore.W005"
        ]
        told = [str(message.hint) for message in messages]
        assert 'MAILCORE["MAILPACE_API_KEY"]' in told[0]
        assert 'MAILCORE["WEBHOOK_SECRET"]' in told[1]
        assert "<PROVIDER>_<OPTION>" in told[2]


class TestCheckmailer:
    """`manage.py checkmailer`."""

    def run(self, *arguments: str) -> str:
        """Return what the command says."""
        said = io.StringIO()
        call_command("checkmailer", *arguments, stdout=said, skip_checks=True)
        return said.getvalue()

    def test_all(self, through: Configure) -> None:
        """Every mailer is reported."""
        through(DEFAULT="a", MAILERS={"a": {"provider": "memory"}, "b": {"provider": "console"}})
        assert self.run() == "a: memory, ready\nb: console, ready\n"
        assert self.run("b") == "b: console, ready\n"

    def test_wrong(self, through: Configure) -> None:
        """One that is not ready ends it with an error, after the others were reported."""
        through(DEFAULT="a", MAILERS={"a": {"provider": "mailpace"}, "b": {"provider": "memory"}})
        with pytest.raises(CommandError, match=r"a: .*MAILPACE_API_KEY"):
            self.run()
        with pytest.raises(CommandError, match="no mailer 'c'"):
            self.run("c")

    def test_no_settings(self, configure: Configure) -> None:
        """Without any mailer it says what to write."""
        with pytest.raises(CommandError, match="There is no mailer"):
            self.run()

    def test_send(self, through: Configure) -> None:
        """A mail is sent, and the provider's id is told."""
        through(PROVIDER="memory")
        assert "memory took the mail, message id " in self.run("--send-to", "bob@example.com")
        (mail,) = outbox()
        assert mail.to[0].addr_spec == "bob@example.com"
        assert get_mailer().name == "default"

    def test_not_sent(self, through: Configure) -> None:
        """What was not sent ends it with the error's name and words."""
        through(PROVIDER="memory")
        with pytest.raises(CommandError, match="InvalidAddress: to: "):
            self.run("--send-to", "nobody")
