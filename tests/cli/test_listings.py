"""`mailcore providers` and `mailcore plugins`: what is installed, and what of it is broken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mailcore import AdapterSpec, Capability, Level, PluginHost, Support, hookimpl

#: The plugins to load where the whole answer is compared: other adapters may be installed as well.
FEW = {"MAILCORE_LOAD_PLUGINS": "mailcore-esp mailcore-mailpace"}
BROKEN = {"broken_plugin": "raise RuntimeError('it is broken')\n"}
RIVAL = {
    "rival_plugin": """
from mailcore import AdapterSpec, hookimpl

@hookimpl
def mailcore_register_adapters():
    return [AdapterSpec(name="mailpace", factory="a:B", options="a:B")]
"""
}


@pytest.fixture
def broken(install: Any) -> None:
    """Install a plugin that cannot be imported."""
    install("acme-broken", "acme = broken_plugin", BROKEN)


@pytest.fixture
def rival(install: Any) -> None:
    """Install a second distribution that claims MailPace."""
    install("acme-rival", "acme = rival_plugin", RIVAL)


class _Nearly:
    """A plugin whose adapter registers, and cannot be imported."""

    @hookimpl
    def mailcore_register_adapters(self) -> list[AdapterSpec]:
        return [AdapterSpec(name="nearly", factory="no_such_module:A", options="no_such_module:O")]


class TestProviders:
    """The matrix is what the plugins declare."""

    def test_table(self, run: Any) -> None:
        """One line a capability, one column a provider."""
        ran = run("providers", **FEW)
        assert (ran.code, ran.err) == (0, "")
        heading, *lines = ran.out.splitlines()
        assert heading.split() == ["Capability", "Console", "File", "MailPace", "Memory"]
        assert [line.split()[0] for line in lines[: len(Capability)]] == [name.value for name in Capability]
        assert "send.idempotency_key     yes       yes    yes (255)   yes" in ran.out

    def test_can(self, run: Any) -> None:
        """--can keeps those that can do all that is asked."""
        asked = (["send.schedule"], ["webhook.signature"], ["send.schedule", "webhook.signature"])
        found = []
        for names in asked:
            ran = run("providers", "--json", *(part for name in names for part in ("--can", name)), **FEW)
            found.append([provider["name"] for provider in json.loads(ran.out)["providers"]])
        assert found == [["console", "file", "memory"], ["mailpace"], []]

    def test_can_nobody(self, run: Any) -> None:
        """An empty answer is an answer."""
        ran = run("providers", "--can", "webhook.replay_window", **FEW)
        assert ran.code == 0
        assert "No installed provider can webhook.replay_window." in ran.out

    def test_can_misspelt(self, run: Any) -> None:
        """The nearest capability is named."""
        ran = run("providers", "--can", "send.htm")
        assert ran.code == 2
        assert "Did you mean send.html?" in ran.err

    def test_json(self, run: Any) -> None:
        """Everything a program could compare: capabilities, events, settings, the promise about keys."""
        document = json.loads(run("providers", "--json").out)
        (mailpace,) = [found for found in document["providers"] if found["name"] == "mailpace"]
        assert mailpace["title"] == "MailPace"
        assert mailpace["capabilities"].keys() == {name.value for name in Capability}
        assert mailpace["capabilities"]["send.track_opens"]["level"] == "unsupported"
        assert mailpace["capabilities"]["send.idempotency_key"]["limit"] == 255
        assert "delivered" in mailpace["event_types"]
        assert mailpace["idempotency"]["ttl"] == 86400
        assert document["problems"] == []

    def test_settings_say_where_they_go_and_which_are_secret(self, run: Any) -> None:
        """Each option has a sentence, its variables, and whether it must not be shown."""
        document = json.loads(run("providers", "--json").out)
        (mailpace,) = [found for found in document["providers"] if found["name"] == "mailpace"]
        options = {option["name"]: option for option in mailpace["options"]}
        assert options["api_key"]["variables"] == ["MAILCORE_MAILPACE_API_KEY", "MAILPACE_API_KEY"]
        assert {name: option["secret"] for name, option in options.items()} == {
            "api_key": True,
            "webhook_key": False,
            "api_url": False,
        }
        assert all(option["about"] for option in options.values())
        common = {option["name"] for option in document["common_options"] if option["secret"]}
        assert common == {"proxy", "webhook_secret"}

    def test_no_markdown(self, run: Any) -> None:
        """The table of the documentation is written by the documentation."""
        assert run("providers", "--markdown").code == 2

    def test_adapter_that_cannot_be_imported(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its declarations are listed; its settings are a problem, and nobody else's."""
        monkeypatch.setattr(PluginHost, "_default", PluginHost({"nearly": _Nearly()}))
        ran = run("providers", "--json")
        document = json.loads(ran.out)
        assert ran.code == 0
        assert "nearly" in [found["name"] for found in document["providers"]]
        (problem,) = document["problems"]
        assert "no_such_module" in problem["text"]

    def test_numbers_in_the_table_are_limits(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is not supported has no limit to show."""

        class Plugin:
            @hookimpl
            def mailcore_register_adapters(self) -> list[AdapterSpec]:
                never = Support(level=Level.UNSUPPORTED, limit=1)
                found = {Capability.TAGS: Support(limit=1), Capability.HTML: never}
                return [AdapterSpec(name="acme", factory="a:B", options="a:B", capabilities=found)]

        monkeypatch.setattr(PluginHost, "_default", PluginHost({"acme": Plugin()}, installed=False))
        lines = {line.split()[0]: line.split()[1:] for line in run("providers").out.splitlines() if line}
        assert (lines["send.tags"], lines["send.html"]) == (["yes", "(1)"], ["-"])

    @pytest.mark.usefixtures("broken")
    @pytest.mark.parametrize("command, code", [("providers", 0), ("plugins", 3)])
    def test_broken_plugin_stops_nobody(self, start: Any, command: str, code: int) -> None:
        """The rest is listed, and the broken one is named; `plugins` is asked about it, hence 3."""
        ran = start(command)
        assert (ran.code, ran.err) == (code, "")
        assert "mailpace" in ran.out.lower()
        assert "acme-broken:acme: It cannot be imported: RuntimeError: it is broken." in ran.out
        document = json.loads(start(command, "--json").out)
        assert [problem["name"] for problem in document["problems"]] == ["acme-broken:acme"]

    @pytest.mark.usefixtures("rival")
    def test_two_distributions_claim_one_provider(self, start: Any) -> None:
        """Neither is listed; the conflict is told once."""
        ran = start("providers", MAILCORE_LOAD_PLUGINS=f"{FEW['MAILCORE_LOAD_PLUGINS']} acme-rival")
        assert ran.code == 0
        assert ran.out.splitlines()[0].split() == ["Capability", "Console", "File", "Memory"]
        assert ran.out.count("is claimed by") == 1


class TestPlugins:
    """Where each provider comes from."""

    def test_list(self, run: Any) -> None:
        """Plugin, version and providers."""
        ran = run("plugins")
        assert (ran.code, ran.err) == (0, "")
        found = {line.split()[0]: line for line in ran.out.splitlines()}
        assert "memory, console, file" in found["mailcore-esp:builtin"]
        assert found["mailcore-mailpace:mailpace"].split()[-1] == "mailpace"

    def test_json(self, run: Any) -> None:
        """The same for programs."""
        document = json.loads(run("plugins", "--json").out)
        (found,) = [plugin for plugin in document["plugins"] if plugin["distribution"] == "mailcore-mailpace"]
        assert found["version"]
        assert found["adapters"] == ["mailpace"]
        assert document["problems"] == []

    def test_disabled_plugin_is_not_listed(self, run: Any) -> None:
        """The environment's word counts here too."""
        assert "mailpace" not in run("plugins", MAILCORE_DISABLED_PLUGINS="mailcore-mailpace").out
