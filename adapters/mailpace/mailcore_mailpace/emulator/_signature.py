"""How MailPace signs a webhook.

MailPace docs: `X-MailPace-Signature` is the base64 of the Ed25519 signature over the raw body; the
public key of the domain is the base64 of its 32 bytes.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nacl.signing import SigningKey

__all__ = ["DEFAULT_SEED", "SIGNATURE_HEADER", "public_key", "sign"]

SIGNATURE_HEADER = "X-MailPace-Signature"
#: The secret key of RFC 8032, section 7.1, test 1: known to everybody, and so no secret at all.
DEFAULT_SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")


def public_key(seed: bytes) -> str:
    """Return the public key, 44 characters of base64."""
    return b64encode(bytes(_signing_key(seed).verify_key)).decode()


def sign(seed: bytes, body: bytes) -> str:
    """Return the signature of the body, 88 characters of base64."""
    return b64encode(_signing_key(seed).sign(body).signature).decode()


def _signing_key(seed: bytes) -> SigningKey:
    try:
        from nacl.signing import SigningKey  # here: sending works without PyNaCl
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "The MailPace emulator signs webhooks with PyNaCl, which is not installed. "
            "Run: python -m pip install pynacl",
            name="nacl",
        ) from None
    return SigningKey(seed)
