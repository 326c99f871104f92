"""What messages written for django-anymail carry: attributes before the send, a status after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import attrs
from django.core.mail import EmailMessage
from django.utils import timezone
from django.utils.functional import Promise

from mailcore import UNSET, MailcoreError, SendError, SendResult, UnsupportedFeature

__all__ = ["AnymailRecipient", "AnymailStatus", "added_fields"]

#: Attributes of a message that have the names and the meanings of mailcore's fields.
_SAME = (
    "envelope_sender",
    "idempotency_key",
    "merge_data",
    "merge_global_data",
    "merge_headers",
    "merge_metadata",
    "metadata",
    "tags",
    "template_id",
    "track_clicks",
    "track_opens",
)


def added_fields(source: EmailMessage, provider: str) -> dict[str, Any]:
    """Return the fields that are attributes of a message beyond those Django has."""
    fields = {name: _plain(found) for name in _SAME if not _is_unset(found := getattr(source, name, UNSET))}
    send_at = getattr(source, "send_at", UNSET)
    if not _is_unset(send_at):
        fields["send_at"] = _moment(send_at)
    options = _provider_options(source, provider)
    return {**fields, **({"provider_options": options} if options else {})}


def _is_unset(value: object) -> bool:
    # Anymail's own messages hold its mark for "not given", a class of this name, as ours is.
    return value is UNSET or (isinstance(value, type) and value.__name__ == "UNSET")


def _plain(value: Any) -> Any:
    """Return a value with every lazy text in it as text."""
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _moment(value: Any) -> Any:
    """Return when to send: seconds since the epoch, a day, or a moment of the current time zone."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, tz=UTC)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time.min)
    if isinstance(value, datetime) and timezone.is_naive(value):
        return timezone.make_aware(value)
    return value


def _provider_options(source: EmailMessage, provider: str) -> dict[str, Any]:
    options = getattr(source, "provider_options", UNSET)
    found = {} if _is_unset(options) or options is None else dict(_plain(options))
    extra = getattr(source, "esp_extra", UNSET)
    if _is_unset(extra) or not extra:
        return found
    if "," in provider:
        raise UnsupportedFeature(
            f"esp_extra is for one provider, and this mailer has several ({provider}). "
            'Use provider_options = {"<provider>": {...}}.',
            field="provider_options",
        )
    found[provider] = {**_plain(extra), **found.get(provider, {})}
    return found


@attrs.frozen
class AnymailRecipient:
    """What became of one recipient, in anymail's words."""

    message_id: str | None
    status: str | None


class AnymailStatus:
    """
    What became of a message, in the shape that anymail's documentation gives `anymail_status`.

    Attributes:
        message_id: The provider's id; a set of them where recipients have their own.
        status: The statuses of all recipients; None: nothing was sent.
        recipients: Address → `message_id` and `status`.
        esp_response: The provider's answer, as mailcore received it.
    """

    def __init__(self, result: SendResult | None = None, error: MailcoreError | None = None) -> None:
        rows = {} if result is None else result.recipients
        self.recipients = {
            address: AnymailRecipient(row.message_id, row.status.value) for address, row in rows.items()
        }
        ids = {row.message_id for row in self.recipients.values()}
        self.message_id = next(iter(ids), None) if len(ids) < 2 else ids  # anymail: one id stands bare
        self.status = {row.status for row in self.recipients.values()} or None
        raw = None if result is None else result.raw
        self.esp_response = error.response if isinstance(error, SendError) else raw

    def __repr__(self) -> str:
        return f"AnymailStatus(status={self.status!r}, message_id={self.message_id!r})"
