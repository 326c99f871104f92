"""Ed25519 over the raw body (https://docs.mailpace.com/guide/webhooks).

Rule 1: strict. One header, the one base64 text of exactly 64 bytes, the bytes as received.
Rule 2: PyNaCl alone verifies: other libraries accept keys and signatures that it refuses.
Rule 3: whatever is wrong, the caller hears `WebhookRejected` and the sender hears nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mailcore import ConfigurationError, WebhookRejected, WebhookRequest, requires_extra
from mailcore_mailpace._base64 import decoded
from mailcore_mailpace._options import WebhookKey

__all__ = ["HEADER", "KeyRing"]

HEADER = "X-MailPace-Signature"


class KeyRing:
    """
    Verify against several keys: each domain has its own, and a rotated one lives beside the old.

    Raises:
        MissingDependency: PyNaCl is not installed.
        ConfigurationError: A key is of low order: it would verify any body.
    """

    def __init__(self, keys: Sequence[WebhookKey]) -> None:
        with requires_extra("signatures", of="mailcore-mailpace", by="webhook_key"):
            from nacl.bindings import crypto_core_ed25519_is_valid_point
            from nacl.exceptions import CryptoError
            from nacl.signing import VerifyKey
        for key in keys:
            if not crypto_core_ed25519_is_valid_point(key.key):
                raise ConfigurationError(
                    f"webhook_key ({key.label}) is not a usable Ed25519 key. Copy it again."
                )
        self._error = CryptoError
        self._keys: list[tuple[WebhookKey, Any]] = [(key, VerifyKey(key.key)) for key in keys]

    def verify(self, request: WebhookRequest) -> WebhookKey:
        """
        Return the key that signed the body.

        Raises:
            WebhookRejected: None did.
        """
        signature = _signature(request)
        for key, verifier in self._keys:
            try:
                verifier.verify(request.body, signature)
            except (self._error, ValueError, TypeError):
                continue
            return key
        raise WebhookRejected("No configured key verifies the signature.")


def _signature(request: WebhookRequest) -> bytes:
    given = request.headers.get_all(HEADER)
    if len(given) != 1:
        raise WebhookRejected(f"{HEADER} is missing." if not given else f"{HEADER} is there twice.")
    # Without an exact length, the library would take the body's first bytes for the signature.
    signature = decoded(given[0], length=64)
    if signature is None:
        raise WebhookRejected(f"{HEADER} is not the base64 of a signature.")
    return signature
