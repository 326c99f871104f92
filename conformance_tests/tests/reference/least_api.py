"""The least an adapter can be: plain text to some people, and no webhooks."""

from __future__ import annotations

from pathlib import Path

import attrs

from mailcore import (
    Adapter,
    AdapterSpec,
    Capability,
    Context,
    HttpRequest,
    HttpResponse,
    InvalidDocument,
    JsonBody,
    MaybeSent,
    Message,
    Secret,
    SendResult,
    SendStatus,
    Support,
    UnsupportedFeature,
    about,
    error_for_status,
    strict_json,
)
from mailcore_conformance import Kit

__all__ = ["KIT", "SPEC", "LeastAdapter", "LeastOptions"]

DOCS = "https://docs.least-api.example"


@attrs.frozen(kw_only=True)
class LeastOptions:
    """Settings of the adapter."""

    api_key: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(Secret),
        metadata=about("Token of the account.", needed_to="send"),
    )


class LeastAdapter(Adapter):
    """Sender, recipients, subject and text."""

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        if not (message.to and message.text):
            raise UnsupportedFeature("This provider needs 'to' and a text.", field="text")
        document = {
            "from": message.from_[0].to_text(),
            "to": [address.to_text() for address in message.to],
            **({"subject": message.subject} if message.subject else {}),
            "text": message.text,
            **message.provider_options.get("reference-least", {}),
        }
        return HttpRequest(
            method="POST",
            url="https://api.least-api.example/send",
            headers=[("Content-Type", "application/json"), ("X-Api-Key", self.options.api_key)],
            body=JsonBody(document),
        )

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        if response.status != 200:
            raise self.error(response, ctx)
        try:
            document = strict_json(response.body)
        except InvalidDocument:
            document = None
        message_id = document.get("id") if isinstance(document, dict) else None
        if not isinstance(message_id, str) or not message_id:
            raise MaybeSent("The provider answered 200 without an id.", response=response)
        return SendResult.for_all(message, SendStatus.QUEUED, message_id, raw=response)

    def error(self, response: HttpResponse, ctx: Context) -> Exception:
        """Return the error with the provider's words, which are plain text."""
        if response.status < 300:
            return MaybeSent(f"The provider answered {response.status}.", response=response)
        text = " ".join(response.body.decode("utf-8", "replace").split())[:500]
        words = "".join(letter for letter in text if letter.isprintable())
        return error_for_status(response, words, now=ctx.now)


SPEC = AdapterSpec(
    name="reference-least",
    title="Reference (least)",
    factory="reference.least_api:LeastAdapter",
    options="reference.least_api:LeastOptions",
    capabilities={Capability.MESSAGE_ID: Support(url=DOCS)},
    conformance_kit="reference.least_api:KIT",
    docs_url=DOCS,
)

KIT = Kit(
    provider=SPEC.name,
    folder=Path(__file__).parent / "kits" / "least",
    options=lambda secret: {"api_key": secret},
)
