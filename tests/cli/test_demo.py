"""`mailcore demo`: a newcomer sees the whole job."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from mailcore.cli import _rehearsal

MEDDLER = """
from mailcore import SendCancelled, hookimpl

@hookimpl
def mailcore_before_send(message):
    raise SendCancelled("held back")

@hookimpl
def mailcore_response_received(response):
    print("observed")
"""

pytestmark = pytest.mark.loopback


@pytest.fixture
def document(run: Any) -> Any:
    """Return what `demo --json` prints."""
    ran = run("demo", "--json")
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out)


class TestJson:
    """One document for programs."""

    def test_events_belong_to_the_message(self, document: Any) -> None:
        """Every event carries the id that send returned."""
        assert document["send"]["outcome"] == "accepted"
        assert {document["send"]["message_id"]} == {event["message_id"] for event in document["events"]}

    def test_every_kind_is_normalised(self, document: Any) -> None:
        """Each of MailPace's kinds, and one it does not have, become ours."""
        found = [
            (event["provider_event"], event["event_type"], event["reject_reason"])
            for event in document["events"]
        ]
        assert found == [
            ("email.queued", "queued", None),
            ("email.deferred", "deferred", None),
            ("email.delivered", "delivered", None),
            ("email.bounced", "bounced", "bounced"),
            ("email.spam", "rejected", "spam"),
            ("email.teleported", "unknown", None),
        ]
        assert {"ed25519"} == {event["verified_by"]["scheme"] for event in document["events"]}

    def test_repeated_message_is_the_same(self, document: Any) -> None:
        """The same key brings the same id."""
        expected = {name: document["send"][name] for name in ("message_id", "idempotency_key")}
        assert expected == document["repeat"]

    def test_statuses(self, document: Any) -> None:
        """Genuine webhooks are taken; the forged one is not."""
        expected = {"send": [200, 200], "events": [200] * 6, "forged": 401, "inbound": 200}
        assert expected == document["statuses"]

    def test_inbound(self, document: Any) -> None:
        """The incoming mail is whole: names, text, file."""
        mail = document["inbound"]
        assert mail["from_"] == [{"addr_spec": "zoe@example.org", "display_name": "Zoë Müller"}]
        assert mail["subject"] == "Grüße! Where is my order?"
        assert [file["filename"] for file in mail["attachments"]] == ["receipt.pdf"]
        assert mail["defects"] == []

    def test_it_is_quick(self, document: Any) -> None:
        """A newcomer does not wait."""
        assert document["seconds"] < 3


class TestTold:
    """The same for people."""

    def test_wire_is_shown_and_the_token_is_not(self, run: Any) -> None:
        """Requests, answers and the verdict of each step; secrets are masked."""
        ran = run("demo")
        assert (ran.code, ran.err) == (0, "")
        for text in (
            "/api/v1/send",
            "MailPace-Server-Token: ****",
            "← 200",
            "← 401",
            "rejected    spam",
            "Zoë Müller",
        ):
            assert text in ran.out
        assert "mailpace-emulator-token" not in ran.out

    def test_it_ends_with_what_to_do_next(self, run: Any) -> None:
        """Where to go from here."""
        ending = run("demo").out.partition("Next:")[2]
        assert all(text in ending for text in ("README.md", "mailcore send --help", "mailcore providers"))

    def test_own_settings_are_not_used(self, run: Any) -> None:
        """A real account in the environment has nothing to do with it."""
        ran = run("demo", MAILPACE_API_KEY="real-token", MAILPACE_API_URL="https://mailpace.example/")
        assert ran.code == 0
        assert "mailpace.example" not in ran.out


class TestProblems:
    """What cannot be shown is said."""

    def test_provider_without_emulator(self, run: Any) -> None:
        """Those that can be tried are named, and how to see what this one would be sent."""
        ran = run("demo", "--provider", "console", MAILCORE_LOAD_PLUGINS="mailcore-esp mailcore-mailpace")
        assert (ran.code, ran.out) == (3, "")
        assert "console has no emulator" in ran.err
        assert "Providers with one: mailpace." in ran.err
        assert "`mailcore send --provider console --dry-run`" in ran.err

    def test_without_pynacl(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is missing is a package, not a setting; the command that installs it is there."""
        for module in ("nacl.signing", "nacl.bindings"):
            monkeypatch.setitem(sys.modules, module, None)
        ran = run("demo")
        assert (ran.code, ran.out) == (3, "")
        assert "PyNaCl" in ran.err
        assert "pip install" in ran.err
        assert "webhook_key" not in ran.err

    def test_adapter_left_out(self, run: Any) -> None:
        """Where a variable keeps the adapter away, that is what is said, not how to install it."""
        ran = run("demo", MAILCORE_DISABLED_PLUGINS="mailcore-mailpace")
        assert (ran.code, ran.out) == (3, "")
        assert "MAILCORE_DISABLED_PLUGINS leaves out" in ran.err
        assert "pip install" not in ran.err

    def test_unknown_provider(self, run: Any) -> None:
        """A misspelt name brings the right one."""
        ran = run("demo", "--provider", "mailpac")
        assert ran.code == 3
        assert "Did you mean 'mailpace'?" in ran.err

    def test_a_show_that_goes_wrong_is_a_bug(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A forged delivery that is taken makes the demo fail, and say why."""
        monkeypatch.setattr(_rehearsal, "forged_body", lambda body: body)
        ran = run("demo", "--json")
        assert ran.code == 1
        assert "a forged delivery was answered 200" in ran.err
        assert json.loads(ran.out)["statuses"]["forged"] == 200


class TestOtherPlugins:
    """The demo is about one provider."""

    def test_their_hooks_do_not_run(self, start: Any, install: Any) -> None:
        """A plugin that holds back mail, or watches it, is not asked about the demo's."""
        install("acme-meddler", "meddler = meddler_plugin", {"meddler_plugin": MEDDLER})
        ran = start("demo")
        assert (ran.code, ran.err) == (0, "")
        assert "observed" not in ran.out

    def test_they_may_be_disabled(self, start: Any, install: Any) -> None:
        """The environment's word about others changes nothing."""
        install("acme-meddler", "meddler = meddler_plugin", {"meddler_plugin": MEDDLER})
        assert start("demo", MAILCORE_DISABLED_PLUGINS="acme-meddler").code == 0

    def test_they_may_be_broken(self, start: Any, install: Any) -> None:
        """A plugin that does not load is not the demo's business."""
        install("acme-broken", "acme = broken_plugin", {"broken_plugin": "raise RuntimeError('oh')\n"})
        ran = start("demo")
        assert (ran.code, ran.err) == (0, "")
