"""Every bit of key, signature and a 4 KiB body, changed one at a time: each delivery is refused."""

from __future__ import annotations

import argparse
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator

from rich.console import Console
from rich.progress import track

from fuzz import figures
from fuzz.deliveries import HEADER, PUBLIC, signature
from mailcore import ConfigurationError, Context, WebhookRejected, WebhookRequest
from mailcore_mailpace._adapter import MailPaceAdapter
from mailcore_mailpace._options import MailPaceOptions

__all__ = ["BODY", "accepted", "flips", "is_accepted"]

BODY = b'{"event":"email.delivered","payload":{"id":1,"htmlbody":"' + b"x" * 4035 + b'"}}'
BODY += b" " * (4096 - len(BODY))


def flips(data: bytes, step: int = 1) -> Iterator[bytes]:
    """Yield `data` with each of its bits, or every few of them, changed, one at a time."""
    for position in range(0, len(data) * 8, step):
        changed = bytearray(data)
        changed[position // 8] ^= 1 << position % 8
        yield bytes(changed)


def _verifier(key: bytes) -> MailPaceAdapter:
    return MailPaceAdapter(MailPaceOptions(webhook_key=b64encode(key).decode()))


def is_accepted(verifier: MailPaceAdapter, body: bytes, given: str) -> bool:
    """Return whether a delivery is taken for genuine."""
    request = WebhookRequest(headers=[(HEADER, given)], body=body)
    context = Context(now=request.received_at, created=request.received_at, unique="0" * 32)
    try:
        verifier.verify_webhook(request, context)
    except WebhookRejected:
        return False
    return True


def accepted(what: str, step: int = 1) -> Iterator[bool]:
    """Yield, for the bits of the "key", the "signature" or the "body", whether the delivery is accepted."""
    right = signature(BODY)
    usual = _verifier(b64decode(PUBLIC))
    if what == "signature":
        yield from (
            is_accepted(usual, BODY, b64encode(raw).decode()) for raw in flips(b64decode(right), step)
        )
    elif what == "body":
        yield from (is_accepted(usual, body, right) for body in flips(BODY, step))
    else:
        for key in flips(b64decode(PUBLIC), step):
            try:
                yield is_accepted(_verifier(key), BODY, right)
            except ConfigurationError:  # most are no usable keys at all
                yield False


def main(arguments: list[str]) -> int:
    """Try all of them, print the figures, and return 1 where one was accepted."""
    argparse.ArgumentParser(description="Every bit, changed one at a time.").parse_args(arguments)
    console, started, counts = Console(stderr=True), time.monotonic(), {}
    control = is_accepted(_verifier(b64decode(PUBLIC)), BODY, signature(BODY))
    for what, size in (("key", 256), ("signature", 512), ("body", len(BODY) * 8)):
        tried = track(
            accepted(what), what, size, console=console, transient=True, disable=not console.is_terminal
        )
        found = list(tried)
        counts[f"bits of the {what}"] = len(found)
        counts[f"bits of the {what}, accepted"] = sum(found)
    seconds = f"{time.monotonic() - started:.0f}"
    figures.show("Every bit", {**counts, "unchanged, accepted": str(control), "seconds": seconds})
    return 0 if control and not any(counts[name] for name in counts if name.endswith("accepted")) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
