"""Adapters that say something else than their samples: advice, refusals, settings."""

# reason: the class says what its one method gets wrong

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from reference.json_api import SIGNATURE, JsonAdapter, JsonOptions

from gallery import broken
from mailcore import (
    Advice,
    ConfigurationError,
    Context,
    EndpointKind,
    Message,
    Secret,
    UnsupportedFeature,
    Verification,
    VerifiedWebhook,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
    about,
)

# Messages -------------------------------------------------------------------------------------------


@broken("B14.samples", "subject-at-the-limit: the advice is reference-json.subject; 0 were expected")
class AdvisesTooEarly(JsonAdapter):
    """Advises on a subject that is as long as it may be."""

    def advise(self, message: Message) -> Sequence[Advice]:
        longer = attrs.evolve(message, subject=f"{message.subject or ''}s")
        return super().advise(message if len(message.subject or "") != 200 else longer)


@broken("B14.samples", "`code` is 'SUBJECT' instead of 'reference-json.subject'")
class AdvisesUnderAnotherCode(JsonAdapter):
    """Gives advice a code that no filter knows."""

    def advise(self, message: Message) -> Sequence[Advice]:
        return [attrs.evolve(one, code="SUBJECT") for one in super().advise(message)]


@broken("B11.samples", "no-body is not refused: a request is made")
class SendsWithoutBody(JsonAdapter):
    """Leaves it to the provider to refuse a mail without a body."""

    def document(self, message: Message, ctx: Context) -> dict[str, Any]:
        if message.text or message.html or message.amp_html or message.template_id:
            return super().document(message, ctx)
        return {**super().document(attrs.evolve(message, text="-"), ctx), "text": None}


@broken("B11.samples", "`provider` is '' instead of 'reference-json'")
class RefusesAnonymously(JsonAdapter):
    """Does not say which provider it is that cannot."""

    def document(self, message: Message, ctx: Context) -> dict[str, Any]:
        try:
            return super().document(message, ctx)
        except UnsupportedFeature as error:
            raise UnsupportedFeature(str(error), field=error.field) from None


# Settings -------------------------------------------------------------------------------------------


def _terse(value: Any) -> tuple[Secret, ...] | None:
    keys = JsonOptions(webhook_key=value or None).webhook_key
    if value is not None and not keys:
        raise ConfigurationError("Wrong.")
    return keys


@attrs.frozen(kw_only=True)
class TerseOptions(JsonOptions):
    """Says that a key is wrong, and nothing more."""

    webhook_key: tuple[Secret, ...] | None = attrs.field(
        default=None, converter=_terse, metadata=about("Key (or keys).", needed_to="receive")
    )


@broken(
    "L11.samples",
    "empty-key: the error is ConfigurationError: 'reference-json: webhook_key: Wrong.' instead of",
    spec={"options": f"{__name__}:TerseOptions"},
)
class TerseAboutKeys(JsonAdapter):
    """Does not say what to do about a key that is wrong."""


@broken("L11.samples", "two-keys: of delivered, `key` is 'key 1' instead of 'key 2'")
class CallsEveryKeyTheFirst(JsonAdapter):
    """Labels every key as if it were the only one."""

    def signature_ok(self, request: WebhookRequest) -> str | None:
        return "key 1" if super().signature_ok(request) else None


# Deliveries -----------------------------------------------------------------------------------------


@broken("W43", "unsigned is refused with 'No.' instead of")
class RefusesWithoutReason(JsonAdapter):
    """Does not say that the signature was missing."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Verification | WebhookResponse:
        if self.keys() and SIGNATURE not in request.headers:
            raise WebhookRejected("No.")
        return super().verify_webhook(request, ctx)


@broken("W19.samples", "Of event-and-mail, the endpoint of inbound makes something")
class TakesEventsForMail(JsonAdapter):
    """Looks for one field only."""

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        document = webhook.request.json()
        both = isinstance(document, dict) and {"events", "mail"} <= document.keys()
        return EndpointKind.INBOUND if both else super().webhook_kind(webhook)
