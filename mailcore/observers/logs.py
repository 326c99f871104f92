"""One log line for each send and each delivery, with the same fields for every provider.

Rule: fields are added, never renamed; each is also an attribute of the record, `mailcore_` before its name.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from mailcore._address import Address
from mailcore._delivery import Disposition, EndpointKind, WebhookRequest
from mailcore._message import Message
from mailcore._outcome import Outcome, Scope
from mailcore._plugins import PluginHost
from mailcore._result import Attempt, SendResult
from mailcore._secret import Secret
from mailcore._time import utc_now
from mailcore.exceptions import ConfigurationError, MailcoreError, SendCancelled, SendError
from mailcore.hookspecs import hookimpl

__all__ = ["Logs", "install"]

#: The plugin's name in a host.
NAME = "mailcore.observers.logs"
#: Characters of a hash: enough to tell the recipients of one application apart.
HASH_LENGTH = 16

sends = logging.getLogger("mailcore.sends")
deliveries = logging.getLogger("mailcore.deliveries")

#: How loud a delivery is; the rest is INFO.
_LEVELS = {
    **dict.fromkeys((Disposition.PROBE, Disposition.BAD_METHOD), logging.DEBUG),
    **dict.fromkeys(
        (
            Disposition.QUARANTINED,
            Disposition.MISROUTED,
            Disposition.UNAUTHENTICATED,
            Disposition.TOO_LARGE,
            Disposition.BAD_ENCODING,
            Disposition.UNAVAILABLE,
        ),
        logging.WARNING,
    ),
}


def install(
    host: PluginHost | None = None, *, domains: bool = False, hash_key: str | Secret | None = None
) -> Logs:
    """
    Log every send and delivery from now on; a second call replaces the first.

    Args:
        host: Whose; None: the process's own.
        domains: Whether the domains of recipients are told.
        hash_key: With one, each recipient is told as a keyed hash, by which the log can be searched for
            an address and does not tell it. Whoever has the key can try addresses: keep it as a secret.
    """
    chosen = PluginHost.default() if host is None else host
    plugin = Logs(domains=domains, hash_key=hash_key)
    with suppress(ConfigurationError):  # there was none
        chosen.remove(NAME)
    chosen.add(NAME, plugin)
    return plugin


class Logs:
    """
    The plugin that `install` loads; or pass it to a host of your own.

    Sends are logged by `mailcore.sends`, deliveries by `mailcore.deliveries`.
    """

    def __init__(self, *, domains: bool = False, hash_key: str | Secret | None = None) -> None:
        self._domains = domains
        self._key = None if hash_key is None else Secret(hash_key)

    @hookimpl
    def mailcore_send_finished(
        self,
        provider: str,
        mailer: str,
        message: Message,
        result: SendResult | None,
        error: MailcoreError | None,
    ) -> None:
        """Log how it ended."""
        level = _level(error)
        if sends.isEnabledFor(level):
            fields = {"event": "send", "provider": provider, "mailer": mailer}
            ending = _of_error(error) if result is None else _of_result(result)
            attempts = getattr(error if result is None else result, "attempts", ())
            _log(sends, level, {**fields, **ending, **self._recipients(message), **_duration(attempts)})

    @hookimpl
    def mailcore_webhook_finished(
        self, provider: str, request: WebhookRequest, kind: EndpointKind, disposition: Disposition
    ) -> None:
        """Log what became of it."""
        level = _LEVELS.get(disposition, logging.INFO)
        if deliveries.isEnabledFor(level):
            fields = {"event": "webhook", "provider": provider, "kind": kind.value}
            duration = _seconds(request.received_at)
            _log(deliveries, level, {**fields, "outcome": disposition.value, "duration": duration})

    def _recipients(self, message: Message) -> dict[str, Any]:
        found = message.recipients
        told: dict[str, Any] = {"recipients": len(found)}
        if self._domains:
            told["recipient_domains"] = ",".join(sorted({address.domain.lower() for address in found}))
        if self._key is not None:
            told["recipient_hashes"] = ",".join(self.hashes(found))
        return told

    def hashes(self, recipients: Iterable[str | Address]) -> list[str]:
        """
        Return what stands in the log for each of these recipients.

        Raises:
            ValueError: There is no `hash_key`.
        """
        if self._key is None:
            raise ValueError("There is no hash_key, so no recipient is in the log.")
        key = self._key.reveal().encode()
        keys = [Address.parse(recipient).key.lower().encode() for recipient in recipients]
        return [hmac.new(key, text, hashlib.sha256).hexdigest()[:HASH_LENGTH] for text in keys]


def _level(error: MailcoreError | None) -> int:
    if error is None or isinstance(error, SendCancelled):
        return logging.INFO
    account = isinstance(error, SendError) and error.scope is Scope.ACCOUNT
    return logging.ERROR if account else logging.WARNING


def _of_result(result: SendResult) -> dict[str, Any]:
    return {
        "outcome": Outcome.ACCEPTED.value,
        "status": result.attempts[-1].status if result.attempts else None,
        "attempts": len(result.attempts),
        "message_id": result.message_id,
    }


def _of_error(error: MailcoreError | None) -> dict[str, Any]:
    if not isinstance(error, SendError):
        outcome = "cancelled" if isinstance(error, SendCancelled) else "refused"
        return {"outcome": outcome, "error": type(error).__name__, "attempts": 0}
    return {
        "outcome": error.outcome.value,
        "error": type(error).__name__,
        "scope": error.scope.value,
        "retriable": error.retriable,
        "status": error.response.status if error.response is not None else None,
        "attempts": len(error.attempts),
    }


def _duration(attempts: Sequence[Attempt]) -> dict[str, float]:
    """Return the time since the first attempt, where there was one."""
    return {"duration": _seconds(attempts[0].started_at)} if attempts else {}


def _seconds(since: datetime) -> float:
    # By the wall clock, which may be set back in between.
    return max(0.0, round((utc_now() - since).total_seconds(), 6))


def _log(logger: logging.Logger, level: int, fields: Mapping[str, Any]) -> None:
    known = {name: value for name, value in fields.items() if value is not None}
    text = " ".join(f"{name}={_plain(value)}" for name, value in known.items())
    logger.log(level, text, extra={f"mailcore_{name}": value for name, value in known.items()})


def _plain(value: Any) -> str:
    """Return a value as one word, so that what others wrote does not look like another field or line."""
    text = str(value)
    return text if text.isprintable() and " " not in text else repr(text)
