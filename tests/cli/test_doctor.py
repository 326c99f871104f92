"""`mailcore doctor`: why something does not work."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mailcore import AdapterSpec, PluginHost, hookimpl
from mailcore._pip import pip_install
from mailcore.cli import _doctor, _installed

KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
ADAPTERLESS = """
from mailcore import hookimpl
@hookimpl
def mailcore_register_adapters():
    return []
"""
RIVAL = "from mailcore import AdapterSpec, hookimpl\n@hookimpl\ndef mailcore_register_adapters():\n"
RIVAL += "    return [AdapterSpec(name='mailpace', factory='a:B', options='a:B')]\n"


def problems(ran: Any) -> dict[str, str]:
    """Return subject → text of each problem in a document."""
    findings = json.loads(ran.out)["findings"]
    return {found["subject"]: found["text"] for found in findings if found["state"] == "problem"}


class TestWell:
    """Nothing is wrong."""

    def test_says_so(self, run: Any) -> None:
        """Versions, providers, and 0."""
        ran = run("doctor")
        assert (ran.code, ran.err) == (0, "")
        for words in ("Python", "mailcore-esp", "mailcore-mailpace", "provider mailpace", "All is well."):
            assert words in ran.out

    def test_json(self, run: Any) -> None:
        """The same for programs."""
        document = json.loads(run("doctor", "--json").out)
        assert document["ok"] is True
        assert {found["state"] for found in document["findings"]} <= {"ok", "note"}

    @pytest.mark.parametrize(
        "variables, text",
        [
            ({"MAILPACE_API_KEY": "t-1"}, "Can send."),
            ({"MAILPACE_WEBHOOK_KEY": KEY}, "Can receive webhooks."),
            ({"MAILPACE_API_KEY": "t-1", "MAILPACE_WEBHOOK_KEY": KEY}, "Can send and receive webhooks."),
        ],
    )
    def test_settings_in_the_environment(self, run: Any, variables: dict[str, str], text: str) -> None:
        """What they are good for is said; their values are not."""
        ran = run("doctor", **variables)
        assert ran.code == 0
        assert text in ran.out
        assert "t-1" not in ran.out

    def test_provider_without_its_settings(self, run: Any) -> None:
        """Nobody is told that a provider can be used while its token is missing."""
        assert "provider mailpace  installed; MAILPACE_API_KEY is not set\n" in run("doctor").out
        out = run("doctor", MAILPACE_API_KEY="t-1").out
        assert "provider mailpace  Can be used.\n" in out
        assert "provider console  Can be used.\n" in out


class TestPlugins:
    """What did not load, why, and what to do."""

    def test_broken_plugin(self, start: Any, install: Any) -> None:
        """The reason and the way out; the traceback with --verbose only."""
        install(
            "acme-broken", "acme = broken_plugin", {"broken_plugin": "raise RuntimeError('it is broken')\n"}
        )
        ran = start("doctor")
        assert (ran.code, ran.err) == (3, "")
        assert "RuntimeError: it is broken. Update or uninstall acme-broken, or name it in" in ran.out
        assert "Traceback" not in ran.out
        assert "Traceback" in start("doctor", "--verbose").out

    def test_two_distributions_claim_one_provider(self, start: Any, install: Any) -> None:
        """Both are named, and how to choose."""
        install("acme-rival", "acme = rival_plugin", {"rival_plugin": RIVAL})
        ran = start("doctor", "--json")
        assert ran.code == 3
        assert problems(ran).keys() == {"acme-rival:acme", "mailcore-mailpace:mailpace"}
        assert all("MAILCORE_DISABLED_PLUGINS" in text for text in problems(ran).values())
        assert start("doctor", MAILCORE_DISABLED_PLUGINS="acme-rival").code == 0

    def test_adapter_that_cannot_be_imported(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """It registers, so that only using it would fail: the doctor uses it."""

        class Plugin:
            @hookimpl
            def mailcore_register_adapters(self) -> list[AdapterSpec]:
                return [AdapterSpec(name="nearly", factory="no_such_module:A", options="no_such_module:O")]

        monkeypatch.setattr(PluginHost, "_default", PluginHost({"nearly": Plugin()}))
        ran = run("doctor", "--json")
        assert ran.code == 3
        assert "no_such_module" in problems(ran)["provider nearly"]


class TestInstallation:
    """Versions and files."""

    def test_foreign_distribution_in_our_folder(self, start: Any, tmp_path: Path) -> None:
        """The unrelated project `mailcore` is named, and how to get rid of it."""
        info = tmp_path / "mailcore-9.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mailcore\nVersion: 9.0\n")
        (info / "top_level.txt").write_text("mailcore\n")
        ran = start("doctor", "--json")
        assert ran.code == 3
        assert "pip uninstall mailcore;" in problems(ran)["mailcore 9.0"]

    def test_dependency_too_old(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its floor, and the command that lifts it."""
        monkeypatch.setattr(_installed, "version_of", lambda name: "1.0" if name == "requests" else "99")
        ran = run("doctor", "--json")
        if any("requests" in found["subject"] for found in json.loads(ran.out)["findings"]):
            assert problems(ran)["requests (for mailcore-esp)"].startswith(
                "1.0 is too old. Run: pip install 'requests>="
            )
        else:
            pytest.skip("mailcore-esp is not installed here, so that its requirements are not known")

    @pytest.mark.parametrize(
        "installed, floor, old",
        [
            ("2.7", "2.7.0", False),
            ("2.10", "2.9", False),
            ("2.6.9", "2.7", True),
            ("3.0rc1", "3.0", True),
            ("0.1.0.dev0", "0.1.0.dev0", False),
            ("0.1.0.dev1", "0.1.0.dev0", False),
            ("0.1.0", "0.1.0.dev0", False),
            ("0.1.0.dev0", "0.1.0", True),
            ("0.1.0.dev0", "0.1.0a1", True),
            ("0.1.0a1.dev1", "0.1.0a1", True),
            ("0.1.0b1", "0.1.0a2", False),
            ("1.0.post1", "1.0", False),
            ("1.0", "1.0.post1", True),
            ("1.0+local.1", "1.0", False),
            ("1!1.0", "2.0", False),
            ("V1.0-RC.1", "1.0c1", False),
            ("something else", "1.0", False),
        ],
    )
    def test_versions_compare_as_pip_compares(self, installed: str, floor: str, *, old: bool) -> None:
        """2.10 is newer than 2.9, 2.7 is 2.7.0, a development release comes first; the unreadable passes."""
        need = _installed.Requirement(name="x", floor=floor, extra="", installed=installed)
        assert old == need.too_old

    def test_bound_is_whole(self, start: Any, tmp_path: Path) -> None:
        """A bound that is a development release is shown as that."""
        for name, needs in (("acme", "Requires-Dist: acme-core<0.2,>=0.1.0.dev0\n"), ("acme-core", "")):
            info = tmp_path / f"{name.replace('-', '_')}-0.1.0.dev0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0.dev0\n{needs}"
            )
            (info / "entry_points.txt").write_text(
                "[mailcore.plugins]\nacme = acme_plugin\n" if needs else ""
            )
        (tmp_path / "acme_plugin.py").write_text(ADAPTERLESS)
        ran = start("doctor")
        assert "acme-core (for acme)  0.1.0.dev0 (needed: >=0.1.0.dev0)\n" in ran.out

    def test_missing_signatures_are_a_note_until_needed(
        self, run: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without PyNaCl sending works; a webhook key without it is a problem with a command to run."""
        monkeypatch.setitem(sys.modules, "nacl.bindings", None)
        assert run("doctor").code == 0
        ran = run("doctor", "--json", MAILPACE_WEBHOOK_KEY=KEY)
        assert ran.code == 3
        (text,) = problems(ran).values()
        assert f"Run: {pip_install('mailcore-mailpace', 'signatures')}" in text

    def test_a_check_that_fails_stops_no_other(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A doctor who collapses helps nobody."""

        def _broken() -> Any:
            raise ValueError("oh")

        monkeypatch.setattr(_doctor, "_CHECKS", (_broken, *_doctor._CHECKS))
        ran = run("doctor", "--json")
        assert problems(ran) == {"broken": "This check failed (ValueError: oh)."}
        assert len(json.loads(ran.out)["findings"]) > 4


class TestConfiguration:
    """Mailers named by the environment."""

    def test_every_mailer_is_built(self, run: Any, tmp_path: Path) -> None:
        """One that cannot work is named with its reason, beside one that can."""
        path = tmp_path / "mailcore.toml"
        path.write_text(
            'default = "a"\n[mailers.a]\nprovider = "console"\n[mailers.b]\nprovider = "mailpace"\n'
        )
        ran = run("doctor", "--json", MAILCORE_CONFIG=str(path))
        assert ran.code == 3
        (subject,) = problems(ran)
        assert subject == "MAILCORE_CONFIG mailer 'b'"
        assert "MAILPACE_API_KEY" in problems(ran)[subject]
        assert run("doctor", MAILCORE_CONFIG=str(path), MAILPACE_API_KEY="t-1").code == 0

    def test_unreadable_file(self, run: Any) -> None:
        """A file that is not there is a problem, not an end."""
        ran = run("doctor", "--json", MAILCORE_CONFIG="/no/such/file.toml")
        assert ran.code == 3
        assert "cannot be read" in problems(ran)["MAILCORE_CONFIG"]

    def test_url_with_a_wrong_option(self, run: Any) -> None:
        """The value of an option never shows."""
        ran = run("doctor", MAILCORE_URL="mailpace://?api_keyy=sekret-1")
        assert ran.code == 3
        assert "Did you mean 'api_key'?" in ran.out
        assert "sekret-1" not in ran.out + ran.err
