"""Adapters that misread what the provider answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
from reference.json_api import SPEC, STATUSES, JsonAdapter, table

from gallery import broken
from mailcore import (
    Capability,
    Context,
    HttpResponse,
    MaybeSent,
    Message,
    SendResult,
    SendStatus,
)

# Accepted -------------------------------------------------------------------------------------------


@broken("P01", "with another id: the result has other ids than the answer")
class ShortensIds(JsonAdapter):
    """Keeps only the first characters of an id of middle length."""

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        found = super().parse_send(message, ctx, response)
        given = found.message_id or ""
        kept = given[:12] if len(given) < 64 and not given.isdigit() else given
        return SendResult.for_all(message, SendStatus.QUEUED, kept, raw=response) if kept != given else found


@broken("P02", "minimal: status is 'queued', and should be 'sent'")
class CallsSentQueued(JsonAdapter):
    """Reports a mail that has already been passed on as queued."""

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        found = super().parse_send(message, ctx, response)
        if {row.status for row in found.recipients.values()} != {SendStatus.SENT}:
            return found
        return SendResult.for_all(message, SendStatus.QUEUED, found.message_id or "", raw=response)


@broken("P04", "is not in the result")
class ForgetsHiddenRecipients(JsonAdapter):
    """Reports on the visible recipients only."""

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        found = super().parse_send(message, ctx, response)
        hidden = {address.addr_spec for address in message.bcc}
        rows = {address: row for address, row in found.recipients.items() if address not in hidden}
        return attrs.evolve(found, recipients=rows)


@broken("P05.ids", "message_ids lacks an id of the result")
class ForgetsRecipientIds(JsonAdapter):
    """Lists the mail's id only, and not those of its recipients."""

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        found = super().parse_send(message, ctx, response)
        return attrs.evolve(found, message_ids=(found.message_id or "",))


@broken("P05.raw", "raw is not the answer")
class DropsTheAnswer(JsonAdapter):
    """Throws the answer away when it has read it."""

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        return attrs.evolve(super().parse_send(message, ctx, response), raw=None)


@broken("P06", "with a large id: the result has other ids than the answer")
class RoundsLargeIds(JsonAdapter):
    """Reads an id that is a number as floating point."""

    def read(self, response: HttpResponse) -> Any:
        document = super().read(response)
        given = table(document).get("id")
        return {**document, "id": int(float(given))} if type(given) is int else document


@broken("P07.extra", "becomes MaybeSent")
class RefusesNewFields(JsonAdapter):
    """Accepts the documented fields of an answer and no other."""

    def result(self, message: Message, document: Any, response: HttpResponse) -> SendResult:
        if set(table(document)) - {"id", "status", "recipients"}:
            raise MaybeSent("The answer has fields that are not documented.", response=response)
        return super().result(message, document, response)


@broken("P07.order", "becomes MaybeSent")
class ReadsTheFirstField(JsonAdapter):
    """Takes it that the id comes first."""

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        names = list(table(self.read(response)))
        if response.status == 202 and "id" in names[1:]:
            raise MaybeSent("The answer does not begin with the id.", response=response)
        return super().parse_send(message, ctx, response)


@broken("P07.space", "becomes MaybeSent")
class LooksAtTheFirstByte(JsonAdapter):
    """Takes an answer for JSON only where it begins with a brace."""

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        if response.status == 202 and response.body[:1].isspace():
            raise MaybeSent("The answer is no JSON.", response=response)
        return super().parse_send(message, ctx, response)


@broken("P07.type", "becomes MaybeSent")
class InsistsOnOneContentType(JsonAdapter):
    """Reads an answer as JSON only where the content type is spelt as in the documentation."""

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        if response.status == 202 and response.headers.get("Content-Type") != "application/json":
            raise MaybeSent("The answer is no JSON.", response=response)
        return super().parse_send(message, ctx, response)


@broken("P08", "KeyError")
class KnowsNoOtherStatus(JsonAdapter):
    """Knows every status of the samples and no other."""

    def status(self, document: Mapping[str, Any]) -> SendStatus:
        known = {**STATUSES, "pondered": SendStatus.UNKNOWN, None: SendStatus.UNKNOWN}
        return known[document.get("status")]


# Nobody can tell ------------------------------------------------------------------------------------


#: Check → whether an unreadable acceptance is one that this adapter falls for.
FALLS_FOR: Mapping[str, Callable[[bytes, Mapping[str, Any]], bool]] = {
    "empty": lambda body, _: not body,
    "html": lambda body, _: body.startswith(b"<"),
    "list": lambda body, _: body == b"[]",
    "null": lambda body, _: body == b"null",
    "deep": lambda body, _: body.startswith(b"[[["),
    "truncated": lambda body, _: body.startswith(b'{"id') and body.endswith(b'"'),
    "bad-utf8": lambda body, _: b"\xff" in body,
    "duplicate-id": lambda body, _: body.count(b'"id":') > 1 and b"recipients" not in body,
    "nan-id": lambda body, _: b"NaN" in body,
    "huge-id": lambda body, _: len(body) > 1000 and body.startswith(b'{"id":'),
    "missing-id": lambda _, fields: "id" not in fields and "recipients" in fields,
    "empty-id": lambda _, fields: fields.get("id") == "",
    "null-id": lambda _, fields: fields.get("id", "") is None,
    "bool-id": lambda _, fields: fields.get("id") is True,
    "object-id": lambda _, fields: fields.get("id") == {},
}


def _falls_for(name: str, unreadable: Callable[[bytes, Mapping[str, Any]], bool]) -> type[JsonAdapter]:
    def parse_send(self: JsonAdapter, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        if response.status == 202 and unreadable(response.body, table(self.read(response))):
            return SendResult.for_all(message, SendStatus.QUEUED, "made-up", raw=response)
        return JsonAdapter.parse_send(self, message, ctx, response)

    words = name.title().replace("-", "")
    doc = f"Takes an answer for an acceptance that cannot be read: {name}."
    return type(
        f"FallsFor{words}", (JsonAdapter,), {"parse_send": parse_send, "__doc__": doc, "__module__": __name__}
    )


for _name, _unreadable in FALLS_FOR.items():
    broken(f"P30.{_name}", "becomes accepted instead of MaybeSent")(_falls_for(_name, _unreadable))


@broken("P31", "becomes accepted, and no sample says so")
class AcceptsEverySuccess(JsonAdapter):
    """Takes every status of success for the documented one."""

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        taken = attrs.evolve(response, status=202) if 200 <= response.status < 300 else response
        return super().parse_send(message, ctx, taken)


# Each recipient -------------------------------------------------------------------------------------


@broken("P40", "with two recipients changed: recipients is")
class AssignsByPosition(JsonAdapter):
    """Takes it that the provider answers in the order of the recipients."""

    def result(self, message: Message, document: Any, response: HttpResponse) -> SendResult:
        said = table(document).get("recipients")
        if not isinstance(said, dict):
            return super().result(message, document, response)
        specs = [address.ascii_spec for address in message.recipients]
        return super().result(
            message, {**document, "recipients": dict(zip(specs, said.values(), strict=False))}, response
        )


@broken(
    "P40.undeclared",
    "the scope is recipient, and send.recipient_status is not declared",
    spec={
        "capabilities": {
            name: support
            for name, support in SPEC.capabilities.items()
            if name != Capability.RECIPIENT_STATUS
        }
    },
)
class SpeaksOfRecipients(JsonAdapter):
    """Reports on each recipient, and does not say that it can."""
