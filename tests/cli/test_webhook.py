"""`mailcore webhook check`: whether a delivery is genuine, and what it says."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import attrs
import pytest

from mailcore import Covers, Secret, Verification, about

CHECK = ("webhook", "check")
OTHER_KEY = "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="


def check(run: Any, delivery: Any, *more: str, key: str, **options: Any) -> Any:
    """Check one captured delivery of MailPace."""
    arguments = ("--provider", "mailpace", "--webhook-key", key, "--headers", delivery.headers)
    return run(*CHECK, delivery.body, *arguments, *more, **options)


@attrs.frozen(kw_only=True)
class OtherOptions:
    """Settings of a provider that calls its key something else."""

    signing_secret: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(Secret),
        metadata=about("Key that signs webhooks.", needed_to="receive"),
    )


class TestGenuine:
    """A delivery that verifies is shown in our vocabulary."""

    def test_event(self, run: Any, captured: Any) -> None:
        """What happened, to which mail, in words."""
        ran = check(run, captured.event, key=captured.key)
        assert (ran.code, ran.err) == (0, "")
        for words in ("Verified: ed25519", "queued (provider: email.queued)", "bob@example.net"):
            assert words in ran.out

    @pytest.mark.usefixtures("acme")
    def test_key_without_a_label(self, run: Any, captured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A proof whose key has no name leaves no comma behind."""
        proof = Verification(scheme="token", covers=Covers.BODY)
        adapter = sys.modules["acme_of_a_test"].Adapter
        monkeypatch.setattr(adapter, "verify_webhook", lambda *_: proof)
        ran = run(*CHECK, captured.event.body, "--provider", "acme", "--kind", "tracking")
        assert ran.out.startswith("Verified: token, but misrouted.\n")

    def test_event_as_json(self, run: Any, captured: Any) -> None:
        """The normalised event, with the proof."""
        document = json.loads(check(run, captured.event, "--json", key=captured.key).out)
        assert tuple(document[name] for name in ("verified", "scheme", "disposition")) == (
            True,
            "ed25519",
            "accepted",
        )
        (event,) = document["events"]
        assert (
            event["event_type"],
            event["message_id"],
            event["verified_by"]["scheme"],
        ) == ("queued", "1", "ed25519")

    def test_inbound(self, run: Any, captured: Any) -> None:
        """The kind is seen by shape, or named."""
        for more in ((), ("--kind", "inbound")):
            document = json.loads(check(run, captured.inbound, "--json", *more, key=captured.key).out)
            assert [mail["subject"] for mail in document["inbound"]] == ["Hello"]

    def test_body_from_stdin(self, run: Any, captured: Any) -> None:
        """The bytes exactly as they come."""
        arguments = (
            "--provider",
            "mailpace",
            "--webhook-key",
            captured.key,
            "--headers",
            captured.event.headers,
        )
        ran = run(*CHECK, "-", *arguments, stdin=Path(captured.event.body).read_bytes())
        assert (ran.code, ran.err) == (0, "")

    def test_nested_too_deeply(self, run: Any, captured: Any, tmp_path: Path) -> None:
        """A forged body, or a file of headers, that is nested without end is refused like any other."""
        deep = tmp_path / "deep"
        deep.write_bytes(b"[" * 100_000)
        key = ("--provider", "mailpace", "--webhook-key", captured.key)
        assert run(*CHECK, str(deep), *key, "--headers", captured.event.headers).code == 2
        deep.write_bytes(b'{"a": ' + b"[" * 100_000)
        assert run(*CHECK, captured.event.body, *key, "--headers", str(deep)).code == 2

    def test_headers_in_every_form(self, run: Any, captured: Any, tmp_path: Path) -> None:
        """As arguments, as a JSON object, and as a whole request head."""
        pairs = captured.event.pairs
        (tmp_path / "json").write_text(json.dumps({name: [value] for name, value in pairs.items()}))
        head = "POST /webhooks HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in pairs.items()
        )
        (tmp_path / "head").write_text(head)
        forms = (
            [part for name, value in pairs.items() for part in ("--header", f"{name.lower()}: {value}")],
            ["--headers", str(tmp_path / "json")],
            ["--headers", str(tmp_path / "head")],
        )
        for form in forms:
            ran = run(
                *CHECK, captured.event.body, "--provider", "mailpace", "--webhook-key", captured.key, *form
            )
            assert (ran.code, ran.err) == (0, "")

    def test_key_from_the_environment(self, run: Any, captured: Any) -> None:
        """No argument is needed where the environment knows."""
        arguments = ("--provider", "mailpace", "--headers", captured.event.headers)
        assert run(*CHECK, captured.event.body, *arguments, MAILPACE_WEBHOOK_KEY=captured.key).code == 0

    def test_key_from_a_file(self, run: Any, captured: Any, tmp_path: Path) -> None:
        """The configuration an application uses serves here too."""
        path = tmp_path / "mailcore.toml"
        path.write_text(f'[mailers.main]\nprovider = "mailpace"\nwebhook_key = "{captured.key}"\n')
        ran = run(*CHECK, captured.event.body, "--config", str(path), "--headers", captured.event.headers)
        assert (ran.code, ran.err) == (0, "")


class TestRefused:
    """A delivery that does not verify is never shown, and the reason is looked for."""

    def test_wrong_key(self, run: Any, captured: Any) -> None:
        """Nothing of the body; what may be the matter."""
        ran = check(run, captured.event, key=OTHER_KEY)
        assert ran.code == 2
        assert "Refused" in ran.out
        assert "bob@example.net" not in ran.out + ran.err
        assert "the key is another one" in ran.err

    def test_document(self, run: Any, captured: Any) -> None:
        """A program learns the same."""
        ran = check(run, captured.event, "--json", key=OTHER_KEY)
        document = json.loads(ran.out)
        assert (
            ran.code, document["verified"], document["disposition"], document["events"],
        ) == (2, False, "unauthenticated", [])  # fmt: skip
        assert document["reason"]
        assert document["hints"]

    @pytest.mark.parametrize(
        "accident, words",
        [
            (
                lambda body: json.dumps(json.loads(body), separators=(",", ":")).encode(),
                "with a space after each",
            ),
            (
                lambda body: json.dumps(json.loads(body), indent=2, ensure_ascii=False).encode(),
                "with a space after each",
            ),
            (lambda body: body + b"\n", "without its last line end"),
            (lambda body: body + b"\r\n", "without its last line end"),
        ],
    )
    def test_body_written_again(self, run: Any, captured: Any, accident: Any, words: str) -> None:
        """The most common mistake is recognised: the bytes changed after they were signed."""
        body = Path(captured.event.body)
        body.write_bytes(accident(body.read_bytes()))
        ran = check(run, captured.event, key=captured.key)
        assert ran.code == 2
        assert (
            f"The signature fits the body as JSON {words}" in ran.err or f"fits the body {words}" in ran.err
        )
        assert "Verify the raw body" in ran.err

    def test_missing_header(self, run: Any, captured: Any) -> None:
        """The header that is missing, and those that are there."""
        arguments = ("--provider", "mailpace", "--webhook-key", captured.key, "--header", "X-Other: 1")
        ran = run(*CHECK, captured.event.body, *arguments)
        assert ran.code == 2
        assert "X-MailPace-Signature is missing" in ran.err
        assert "Headers given: X-Other" in ran.err

    def test_wrong_endpoint(self, run: Any, captured: Any) -> None:
        """A genuine delivery at the endpoint of the other kind is told apart from a forged one."""
        ran = check(run, captured.inbound, "--kind", "tracking", key=captured.key)
        assert ran.code == 2
        assert "Verified" in ran.out
        assert "came to the tracking endpoint" in ran.err

    def test_basic_auth_is_expected(self, run: Any, captured: Any) -> None:
        """A configured pair without an Authorization header is named as the reason."""
        ran = check(run, captured.event, key=captured.key, MAILPACE_WEBHOOK_SECRET="user:sekret-1")
        assert ran.code == 2
        assert "an Authorization header is expected" in ran.err
        assert "sekret-1" not in ran.out + ran.err

    def test_basic_auth_from_a_headers_file(self, run: Any, captured: Any) -> None:
        """The credential stays in a file, and is not shown."""
        encoded = b64encode(b"user:sekret-1").decode()
        with Path(captured.event.headers).open("a") as file:
            file.write(f"Authorization: Basic {encoded}\n")
        ran = check(run, captured.event, key=captured.key, MAILPACE_WEBHOOK_SECRET="user:sekret-1")
        assert (ran.code, ran.err) == (0, "")
        assert encoded not in ran.out


class TestInput:
    """What cannot be checked."""

    def test_credential_as_an_argument(self, run: Any, captured: Any) -> None:
        """Refused without repeating it."""
        arguments = ("--provider", "mailpace", "--webhook-key", captured.key)
        ran = run(*CHECK, captured.event.body, *arguments, "--header", "Authorization: Basic c2VrcmV0")
        assert ran.code == 2
        assert "--headers file" in ran.err
        assert "c2VrcmV0" not in ran.err

    @pytest.mark.usefixtures("acme")
    def test_key_that_is_a_secret(self, run: Any, captured: Any) -> None:
        """Where the key signs as well as verifies, it is no argument."""
        ran = run(*CHECK, captured.event.body, "--provider", "acme", "--webhook-key", "sekret-1")
        assert ran.code == 3
        assert "Set MAILCORE_ACME_WEBHOOK_KEY instead" in ran.err
        assert "sekret-1" not in ran.err

    def test_no_key(self, run: Any, captured: Any) -> None:
        """Nothing to verify with is a matter of configuration."""
        ran = run(*CHECK, captured.event.body, "--provider", "mailpace")
        assert ran.code == 3
        assert "MAILPACE_WEBHOOK_KEY" in ran.err

    @pytest.mark.parametrize("key", [(), ("--webhook-key", OTHER_KEY)])
    def test_provider_without_a_key(self, run: Any, captured: Any, key: tuple[str, ...]) -> None:
        """A provider that signs no webhooks is told by name, and what else can prove a delivery."""
        ran = run(*CHECK, captured.event.body, "--provider", "console", *key)
        assert (ran.code, ran.out) == (3, "")
        assert "console signs no webhooks" in ran.err
        assert "MAILCORE_CONSOLE_WEBHOOK_SECRET" in ran.err

    @pytest.mark.usefixtures("acme")
    def test_key_by_another_name(self, run: Any, captured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the provider's option has another name, the variable to set is named."""
        monkeypatch.setattr(sys.modules["acme_of_a_test"], "Options", OtherOptions)
        ran = run(*CHECK, captured.event.body, "--provider", "acme", "--webhook-key", "sekret-1")
        assert (ran.code, ran.out) == (3, "")
        assert "Set ACME_SIGNING_SECRET instead" in ran.err
        assert "sekret-1" not in ran.err

    @pytest.mark.parametrize("content", ["{broken", "no colon here"])
    def test_unreadable_headers(self, run: Any, captured: Any, content: str) -> None:
        """Their content is not shown."""
        Path(captured.event.headers).write_text(content)
        ran = check(run, captured.event, key=captured.key)
        assert (ran.code, ran.out) == (2, "")
        assert content not in ran.err

    def test_missing_file(self, run: Any, captured: Any) -> None:
        """One line, and 2."""
        ran = run(*CHECK, "/no/such/file", "--provider", "mailpace", "--webhook-key", captured.key)
        assert ran.code == 2
        assert "'/no/such/file' cannot be read" in ran.err

    def test_one_stdin(self, run: Any) -> None:
        """It cannot be both body and headers."""
        assert run(*CHECK, "-", "--provider", "mailpace", "--headers", "-").code == 2
