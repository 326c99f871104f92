"""Ed25519 through our own header path: what verifies, and all that must not."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import subprocess
import sys
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from mailcore import (
    ConfigurationError,
    Context,
    Covers,
    Disposition,
    EndpointKind,
    MissingDependency,
    MissingOption,
    Verification,
    WebhookReceiver,
    WebhookRejected,
    WebhookRequest,
)
from mailcore_mailpace._adapter import MailPaceAdapter
from mailcore_mailpace._options import MailPaceOptions

nacl = pytest.importorskip("nacl.bindings", reason="PyNaCl is not installed")

HEADER = "X-MailPace-Signature"
KIT = files("mailcore_mailpace") / "kit"
KEY = json.loads((KIT / "key.json").read_text(encoding="utf-8"))
RFC8032 = json.loads((Path(__file__).parent / "rfc8032_ed25519.json").read_text(encoding="utf-8"))["cases"]
SPECCHECK = json.loads((Path(__file__).parent / "ed25519_speccheck.json").read_text(encoding="utf-8"))[
    "cases"
]
BODY = b'{"event":"email.delivered","payload":{"id":1,"status":"delivered"}}'
#: Of RFC 8032, section 7.1, test 1.
PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
SIGNATURE = "IhX48in4+iLMVqaSRPwFCfcTnQEBK57UEkVU5HAQISk85RAeY/ABOxw3sXF+72+CbXqjXXB5Xv/SIQ6ZoZGbBw=="
#: The order of the group that keys and nonces live in.
ORDER = 2**252 + 27742317777372353535851937790883648493
#: Every encoding, canonical or not, of a point whose order divides 8. A key like that verifies any body
#: somewhere, so none may be trusted anywhere.
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]


def webhook(body: bytes = BODY, *signatures: str, header: str = HEADER) -> WebhookRequest:
    """Return a delivery with these signature headers."""
    return WebhookRequest(headers=[(header, value) for value in signatures], body=body)


def verify(request: WebhookRequest, *keys: str) -> Verification:
    """Verify with an adapter that trusts these keys."""
    adapter = MailPaceAdapter(MailPaceOptions(webhook_key=keys or (PUBLIC,)))
    context = Context(now=request.received_at, created=request.received_at, unique="0" * 32)
    found = adapter.verify_webhook(request, context)
    assert isinstance(found, Verification)
    return found


def rejected(request: WebhookRequest, *keys: str) -> str:
    """Expect a rejection and return its text."""
    with pytest.raises(WebhookRejected) as caught:
        verify(request, *keys)
    return str(caught.value)


def encoded(raw: bytes | str) -> str:
    """Return base64 of bytes, or of bytes in hex."""
    return b64encode(bytes.fromhex(raw) if isinstance(raw, str) else raw).decode()


def is_accepted(key: bytes, body: bytes, signature: bytes) -> bool:
    """Return whether a delivery verifies; a key that is refused at construction verifies nothing."""
    try:
        verify(webhook(body, encoded(signature)), encoded(key))
    except (WebhookRejected, ConfigurationError):
        return False
    return True


def flipped(data: bytes) -> Iterator[bytes]:
    """Yield `data` with each of its bits changed, one at a time."""
    for position in range(len(data) * 8):
        copy = bytearray(data)
        copy[position // 8] ^= 1 << position % 8
        yield bytes(copy)


class TestGenuine:
    """What MailPace signed verifies."""

    @pytest.mark.rule("MP-W6")
    def test_documented_form(self) -> None:
        """Base64 of the signature over the raw body, in one header, with the base64 of the key."""
        found = verify(webhook(BODY, SIGNATURE))

        assert found == Verification(scheme="ed25519", covers=Covers.BODY, key="key 1")

    @pytest.mark.parametrize("header", [HEADER, HEADER.lower(), HEADER.upper()])
    def test_letter_case_of_the_header_is_nothing(self, header: str) -> None:
        """Frameworks write header names in their own case."""
        assert verify(webhook(BODY, SIGNATURE, header=header))

    @pytest.mark.rule("MP-W6")
    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_any_key_of_the_ring_may_verify(self, place: int) -> None:
        """Each domain has its own key; the one that matched is named, never shown."""
        others = [nacl.crypto_sign_seed_keypair(bytes([seed]) * 32)[0] for seed in (1, 2)]
        keys = [encoded(key) for key in others]
        keys.insert(place, f"77:{PUBLIC}")

        assert verify(webhook(BODY, SIGNATURE), *keys).key == "domain 77"

    @pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 1_000_000])
    def test_bodies_of_any_size(self, size: int) -> None:
        """Also one that is empty, or as long as a signature."""
        public, secret = nacl.crypto_sign_seed_keypair(bytes(32))
        body = random.Random(size).randbytes(size)
        signature = nacl.crypto_sign(body, secret)[:64]

        assert is_accepted(public, body, signature)


class TestVectors:
    """Known answers, through the header and the options."""

    @pytest.mark.rule("MP-W6")
    @pytest.mark.parametrize("case", RFC8032, ids=lambda case: case["name"])
    def test_rfc_8032(self, case: dict[str, str]) -> None:
        """The five cases of section 7.1."""
        key, message, signature = (
            bytes.fromhex(case[name]) for name in ("public_key", "message", "signature")
        )

        assert is_accepted(key, message, signature)
        assert not is_accepted(key, message + b"\n", signature)

    @pytest.mark.rule("MP-W6", "MP-C17")
    def test_wycheproof(self) -> None:
        """All 151 cases have the verdict that Project Wycheproof gives them."""
        folder = os.environ.get("MAILCORE_VECTORS")
        if not folder:
            pytest.skip("MAILCORE_VECTORS does not name the folder with the vectors")
        document = json.loads((Path(folder) / "ed25519_wycheproof.json").read_text(encoding="utf-8"))
        verdicts = {
            case["tcId"]: (
                case["result"],
                is_accepted(*map(bytes.fromhex, (group["publicKey"]["pk"], case["msg"], case["sig"]))),
            )
            for group in document["testGroups"]
            for case in group["tests"]
        }
        wrong = {
            case: verdict for case, verdict in verdicts.items() if verdict[1] is not (verdict[0] == "valid")
        }

        assert wrong == {}
        assert (len(verdicts), sum(accepted for _, accepted in verdicts.values())) == (151, 88)

    @pytest.mark.rule("MP-W6", "MP-C17")
    def test_speccheck_of_the_library(self) -> None:
        """Of twelve signatures on which libraries disagree, PyNaCl takes one, and that stays so."""
        from nacl.exceptions import BadSignatureError
        from nacl.signing import VerifyKey

        taken = []
        for case in SPECCHECK:
            key, message, signature = map(
                bytes.fromhex, map(case.get, ("public_key", "message", "signature"))
            )
            with contextlib.suppress(BadSignatureError):
                VerifyKey(key).verify(message, signature)
                taken.append(case["name"])

        assert (taken, len(SPECCHECK)) == (["3"], 12)

    @pytest.mark.rule("MP-W6", "MP-C17")
    @pytest.mark.parametrize("case", SPECCHECK, ids=lambda case: case["about"])
    def test_speccheck(self, case: dict[str, str]) -> None:
        """Through the header and the options, none: the key of that one has a part of small order."""
        key, message, signature = (
            bytes.fromhex(case[name]) for name in ("public_key", "message", "signature")
        )

        assert not is_accepted(key, message, signature)


class TestForged:
    """What MailPace did not sign does not verify."""

    @pytest.mark.rule("MP-W6", "MP-C17")
    def test_every_bit_of_the_signature_counts(self) -> None:
        """All 512 of them."""
        signatures = flipped(b64decode(SIGNATURE))

        assert not any(is_accepted(b64decode(PUBLIC), BODY, signature) for signature in signatures)

    @pytest.mark.rule("MP-W6", "MP-C17")
    def test_every_bit_of_the_body_counts(self) -> None:
        """Each of a small body."""
        signature = b64decode(SIGNATURE)

        assert not any(is_accepted(b64decode(PUBLIC), body, signature) for body in flipped(BODY))

    @pytest.mark.rule("MP-W6")
    def test_every_bit_of_the_key_counts(self) -> None:
        """All 256; many of the others are no usable keys at all."""
        signature = b64decode(SIGNATURE)

        assert not any(is_accepted(key, BODY, signature) for key in flipped(b64decode(PUBLIC)))

    @pytest.mark.rule("MP-C17")
    @pytest.mark.parametrize(
        "body",
        [
            json.dumps(json.loads(BODY)).encode(),
            json.dumps(json.loads(BODY), indent=2).encode(),
            json.dumps(json.loads(BODY), sort_keys=True).encode(),
            BODY + b"\n",
            b"\xef\xbb\xbf" + BODY,
            BODY.replace(b"1", b"1.0"),
            BODY.decode().encode("utf-16"),
            BODY[:-1],
            b"",
        ],
        ids=range(9),
    )
    def test_the_same_json_is_not_the_same_body(self, body: bytes) -> None:
        """What was parsed and written again is not what was signed."""
        assert body != BODY
        rejected(webhook(body, SIGNATURE))

    @pytest.mark.rule("MP-C17")
    def test_a_signature_before_the_body_is_none(self) -> None:
        """A library that takes the body's first bytes for the signature would verify this replay."""
        signed = b64decode(SIGNATURE) + BODY

        assert rejected(webhook(signed)) == f"{HEADER} is missing."
        rejected(webhook(signed, ""))

    def test_another_key_is_another_sender(self) -> None:
        """A delivery signed with a key that is not in the ring is nobody's."""
        assert (
            rejected(webhook(BODY, SIGNATURE), KEY["public_key"])
            == "No configured key verifies the signature."
        )


class TestHeader:
    """The header is read one way only."""

    @pytest.mark.rule("MP-C17", "MP-W6")
    @pytest.mark.parametrize(
        "given",
        [
            "",
            " ",
            SIGNATURE + " ",
            " " + SIGNATURE,
            SIGNATURE + "\n",
            SIGNATURE[:44] + "\n" + SIGNATURE[44:],
            SIGNATURE.rstrip("="),
            SIGNATURE[:-1],
            SIGNATURE + "=",
            SIGNATURE + "====",
            SIGNATURE + SIGNATURE,
            f"{SIGNATURE},{SIGNATURE}",
            f"{SIGNATURE}, {SIGNATURE}",
            SIGNATURE[:40] + "!" + SIGNATURE[40:],
            f'"{SIGNATURE}"',
            f"ed25519={SIGNATURE}",
            urlsafe_b64encode(b64decode(SIGNATURE)).decode(),
            b64decode(SIGNATURE).hex(),
            encoded(b64decode(SIGNATURE)[:63]),
            encoded(b64decode(SIGNATURE) + b"\x00"),
            encoded(b64decode(SIGNATURE) + BODY),
            encoded(b"\x30\x42\x03\x40" + b64decode(SIGNATURE)),
            encoded(bytes(64)),
            encoded(b"\xff" * 64),
            SIGNATURE[:10] + "é" + SIGNATURE[11:],
            "\udcff" * 88,
            "A" * 1_000_000,
        ],
        ids=range(27),
    )
    def test_takes_strict_base64_of_64_bytes(self, given: str) -> None:
        """No whitespace, no other alphabet, no hex, no DER, nothing more and nothing less."""
        assert "bytes" not in rejected(webhook(BODY, given))

    def test_says_what_is_wrong(self) -> None:
        """The rejection, which the receiver's log shows, tells an odd header from a forged signature."""
        assert rejected(webhook(BODY, "x")) == f"{HEADER} is not the base64 of a signature."

    @pytest.mark.rule("MP-C17")
    def test_takes_one_spelling_of_it(self) -> None:
        """The last letter has four bits that decode to nothing: of 16 spellings, one is right."""
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        spellings = [f"{SIGNATURE[:85]}{letter}==" for letter in alphabet]
        same = [text for text in spellings if b64decode(text) == b64decode(SIGNATURE)]

        assert len(same) == 16
        for text in same:
            if text != SIGNATURE:
                rejected(webhook(BODY, text))

    @pytest.mark.parametrize("second", [SIGNATURE, "", encoded(bytes(64))])
    def test_is_there_once(self, second: str) -> None:
        """Of two, another program might read the other one."""
        assert rejected(webhook(BODY, SIGNATURE, second)) == f"{HEADER} is there twice."

    def test_has_one_name(self) -> None:
        """A signature under another name is no signature."""
        for header in ("X-Signature", "Signature", "X-OhMySMTP-Signature", "X_MailPace_Signature"):
            rejected(webhook(BODY, SIGNATURE, header=header))

    def test_garbage_is_never_another_error(self) -> None:
        """Whatever is in header and body, the only error is the rejection."""
        chance = random.Random(8032)
        for _ in range(500):
            text = "".join(
                chr(chance.choice((chance.randrange(128), chance.randrange(0x11000)))) for _ in range(88)
            )
            rejected(webhook(chance.randbytes(chance.randrange(200)), text[: chance.randrange(89)]))


class TestCraftedPoints:
    """Keys and signatures made with the group's structure, on which libraries disagree."""

    @pytest.mark.rule("MP-W6")
    @pytest.mark.parametrize("key", SMALL_ORDER)
    def test_keys_of_small_order_are_refused(self, key: str) -> None:
        """Each would verify bodies that nobody signed; refused when configured, not when used."""
        with pytest.raises(ConfigurationError, match=r"key 1\) is not a usable Ed25519 key"):
            MailPaceAdapter(MailPaceOptions(webhook_key=encoded(key)))

    @pytest.mark.rule("MP-W6")
    @pytest.mark.parametrize("torsion", SMALL_ORDER[10:])
    def test_keys_of_mixed_order_are_refused(self, torsion: str) -> None:
        """A good key plus a point of order 8: equations with and without the cofactor disagree."""
        key = nacl.crypto_core_ed25519_add(b64decode(PUBLIC), bytes.fromhex(torsion))
        with pytest.raises(ConfigurationError, match="not a usable Ed25519 key"):
            MailPaceAdapter(MailPaceOptions(webhook_key=encoded(key)))

    @pytest.mark.rule("MP-W6")
    @pytest.mark.parametrize("key", ["02" + "00" * 31, "ff" * 32, "f0" + "ff" * 30 + "7f"])
    def test_keys_off_the_curve_are_refused(self, key: str) -> None:
        """No point has such an encoding, or it is not its own."""
        with pytest.raises(ConfigurationError, match="not a usable Ed25519 key"):
            MailPaceAdapter(MailPaceOptions(webhook_key=encoded(key)))

    @pytest.mark.rule("MP-C17")
    @pytest.mark.parametrize("factor", range(1, 16))
    def test_signatures_are_not_malleable(self, factor: int) -> None:
        """S plus a multiple of the order solves the same equation; only the smallest is one."""
        signature = b64decode(SIGNATURE)
        scalar = int.from_bytes(signature[32:], "little") + factor * ORDER
        other = signature[:32] + scalar.to_bytes(33, "little")[:32]

        assert not is_accepted(b64decode(PUBLIC), BODY, other)

    @pytest.mark.rule("MP-W6")
    @pytest.mark.parametrize("nonce", SMALL_ORDER)
    def test_signatures_without_a_nonce_are_rejected(self, nonce: str) -> None:
        """R of small order, S = k·a: even the key's owner cannot make one that counts."""
        scalar, public = _scalar(bytes(range(32)))
        signature = _signature(bytes.fromhex(nonce), bytes(32), scalar, public)

        assert not is_accepted(public, BODY, signature)

    @pytest.mark.rule("MP-W6")
    @pytest.mark.parametrize("torsion", SMALL_ORDER[10:])
    def test_signatures_with_a_mixed_nonce_are_rejected(self, torsion: str) -> None:
        """R plus a point of order 8 satisfies the equation times eight, and not the equation."""
        scalar, public = _scalar(bytes(range(32)))
        nonce = (7).to_bytes(32, "little")
        plain = nacl.crypto_scalarmult_ed25519_base_noclamp(nonce)
        mixed = nacl.crypto_core_ed25519_add(plain, bytes.fromhex(torsion))

        assert is_accepted(public, BODY, _signature(plain, nonce, scalar, public))
        assert not is_accepted(public, BODY, _signature(mixed, nonce, scalar, public))


def _scalar(seed: bytes) -> tuple[bytes, bytes]:
    """Return a secret scalar and its public key."""
    scalar = nacl.crypto_core_ed25519_scalar_reduce(seed * 2)
    return scalar, nacl.crypto_scalarmult_ed25519_base_noclamp(scalar)


def _signature(point: bytes, nonce: bytes, scalar: bytes, public: bytes) -> bytes:
    """Return R and S = r + H(R, A, M)·a for any R."""
    challenge = nacl.crypto_core_ed25519_scalar_reduce(nacl.crypto_hash_sha512(point + public + BODY))
    product = nacl.crypto_core_ed25519_scalar_mul(challenge, scalar)
    return point + bytes(nacl.crypto_core_ed25519_scalar_add(nonce, product))


class TestNotSkipped:
    """Verification cannot be forgotten."""

    @pytest.mark.rule("MP-C17")
    def test_without_any_proof_there_is_no_receiver(
        self, make_receiver: Callable[..., WebhookReceiver]
    ) -> None:
        """Neither a key nor basic auth: anyone could forge events, so it does not start."""
        with pytest.raises(MissingOption, match="webhook_key") as caught:
            make_receiver()

        assert "webhook_secret" in str(caught.value)
        assert "MAILCORE_MAILPACE_WEBHOOK_KEY" in str(caught.value)

    @pytest.mark.rule("MP-C17", "MP-W7")
    def test_with_both_both_must_hold(self, make_receiver: Callable[..., WebhookReceiver]) -> None:
        """Of signature and basic auth, each is required where each is configured."""
        events: list[Any] = []
        receiver = make_receiver(webhook_key=PUBLIC, webhook_secret="hook:s3cret", on_event=events.append)
        signed, basic = (HEADER, SIGNATURE), ("Authorization", f"Basic {encoded(b'hook:s3cret')}")
        statuses = [
            receiver.receive(WebhookRequest(headers=headers, body=BODY), kind="tracking").status
            for headers in ([], [signed], [basic], [signed, basic])
        ]

        assert (statuses, len(events)) == ([401, 401, 401, 200], 1)

    @pytest.mark.rule("MP-W7")
    @pytest.mark.parametrize(
        "credentials, status",
        [
            (b"hook:s3cret", 200),
            (b"old:pa:ss", 200),
            (b"hook:S3cret", 401),
            (b"hook:", 401),
            (b"hook", 401),
            (b":s3cret", 401),
            (b"hook:s3cret ", 401),
            (b"old:s3cret", 401),
            ("höök:s3cret".encode(), 401),
        ],
    )
    def test_basic_auth_alone_is_enough(
        self, credentials: bytes, status: int, make_receiver: Callable[..., WebhookReceiver]
    ) -> None:
        """Pairs are compared whole; several may be valid while one is replaced."""
        receiver = make_receiver(webhook_secret="hook:s3cret old:pa:ss", on_event=print)
        request = WebhookRequest(headers=[("Authorization", f"Basic {encoded(credentials)}")], body=BODY)
        response = receiver.receive(request, kind="tracking")

        assert response.status == status
        assert dict(response.headers).get("WWW-Authenticate", "Basic").startswith("Basic")

    def test_rejections_say_nothing_to_the_sender(
        self, make_receiver: Callable[..., WebhookReceiver]
    ) -> None:
        """401, no body, whatever is wrong."""
        receiver = make_receiver(webhook_key=PUBLIC)
        wrong = [webhook(), webhook(BODY, ""), webhook(BODY, "x"), webhook(b"", SIGNATURE)]
        answers = [receiver.receive(request, kind="tracking") for request in wrong]
        expected = receiver.answer(Disposition.UNAUTHENTICATED, EndpointKind.TRACKING)

        assert answers == [expected] * 4
        assert (expected.status, expected.body, expected.headers) == (401, b"", ())


WITHOUT_PYNACL = """
import json, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "nacl":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())

import mailcore_mailpace
from mailcore import HttpResponse, Mailer, Message, MissingDependency, PluginHost, WebhookReceiver
from mailcore.testing import RecordingTransport

host = PluginHost({"mailpace": mailcore_mailpace}, installed=False)
transport = RecordingTransport(HttpResponse(status=200, body=b'{"id":7,"status":"pending"}'))
config = {"provider": "mailpace", "api_key": "token"}
mailer = Mailer.from_config(config, environ={}, host=host, transport=transport)
result = mailer.send(Message(from_="ada@example.com", to="bob@example.com", text="Hello"))
WebhookReceiver.from_config({**config, "webhook_secret": "user:password"}, environ={}, host=host)
errors = []
for make in (Mailer.from_config, WebhookReceiver.from_config):
    try:
        make({**config, "webhook_key": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}, environ={}, host=host)
    except MissingDependency as error:
        errors.append(str(error))
print(json.dumps([result.message_id, errors, [name for name in sys.modules if name.startswith("nacl")]]))
"""


class TestWithoutPyNaCl:
    """The library that verifies is optional."""

    @pytest.mark.rule("MP-W6")
    def test_sending_works_and_a_key_is_refused_at_construction(self) -> None:
        """Without PyNaCl, mail is sent and basic auth protects; a key is refused with the pip command."""
        path = os.pathsep.join(entry for entry in sys.path if entry)
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", WITHOUT_PYNACL],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

        assert (done.returncode, done.stderr) == (0, "")
        message_id, errors, imported = json.loads(done.stdout)
        assert (message_id, imported, len(errors)) == ("7", [], 2)
        assert all("pip install" in text and "[signatures]'" in text for text in errors)

    def test_error_says_what_to_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It names the option, the library, and the command that installs it."""
        monkeypatch.setitem(sys.modules, "nacl.bindings", None)

        with pytest.raises(MissingDependency) as caught:
            MailPaceAdapter(MailPaceOptions(webhook_key=PUBLIC))
        text = str(caught.value)
        assert text.startswith("webhook_key needs the extra 'signatures' of mailcore-mailpace (")
        assert re.search(r"Run: pip install .*\[signatures\].*'$", text)

    def test_is_not_imported_before_it_is_needed(self) -> None:
        """A program that only sends does not load it."""
        code = (
            "import sys; from mailcore_mailpace._adapter import MailPaceAdapter as A; "
            "from mailcore_mailpace._options import MailPaceOptions as O; A(O(api_key='x')); "
            "sys.exit(any(name.startswith('nacl') for name in sys.modules))"
        )
        path = os.pathsep.join(entry for entry in sys.path if entry)
        done = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, check=False
        )

        assert done.returncode == 0
