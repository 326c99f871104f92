"""Adapters that give the wrong answers to deliveries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
from reference.json_api import JsonAdapter
from reference.json_values import table
from reference.multipart_api import MultipartAdapter

from gallery import broken
from gallery.signatures import Proof
from mailcore import (
    Adapter,
    Context,
    Disposition,
    EndpointKind,
    TrackingEvent,
    VerifiedWebhook,
    WebhookRequest,
    WebhookResponse,
)

# Statuses -------------------------------------------------------------------------------------------

#: Disposition → name, what is wrong, and the status it is answered with where mail comes in.
STATUSES: Mapping[Disposition, tuple[str, str, Any]] = {
    Disposition.ACCEPTED: ("RedirectsAfterwards", "Mail that was taken is answered with a redirect.", 303),
    Disposition.DUPLICATE: ("CallsRepeatsConflicts", "A repeat is a conflict.", 409),
    Disposition.STALE: ("RefusesTheOld", "What is too old is gone.", 410),
    Disposition.QUARANTINED: ("BlamesTheProvider", "What is not understood cannot be processed.", 422),
    Disposition.MISROUTED: ("DeniesBeingThere", "Mail for events is not found.", 404),
    Disposition.HANDSHAKE: ("AnswersHandshakesWithText", "The status is a text.", "200"),
    Disposition.PROBE: ("HidesFromProbes", "A probe is not allowed.", 405),
    Disposition.UNAUTHENTICATED: ("PretendsSuccess", "A forger is told that it worked.", 200),
    Disposition.TOO_LARGE: ("DropsTheLarge", "What is too large is taken, and thrown away.", 204),
    Disposition.BAD_METHOD: ("FailsAtPages", "A browser is told that the server is broken.", 500),
    Disposition.BAD_ENCODING: ("WaitsForAnotherEncoding", "A compressed delivery is asked for again.", 503),
    Disposition.UNAVAILABLE: ("LosesWhatItCannotKeep", "What nobody could keep is acknowledged.", 202),
}


def _answering(disposition: Disposition, status: Any) -> Callable[..., WebhookResponse]:
    def webhook_response(self: Any, found: Disposition, kind: EndpointKind) -> WebhookResponse:
        wrong = found is disposition and kind is EndpointKind.INBOUND
        return WebhookResponse(status=status) if wrong else Adapter.webhook_response(self, found, kind)

    return webhook_response


# Of an adapter that takes no mail: nothing else looks at what it answers to it.
for _disposition, (_name, _doc, _status) in STATUSES.items():
    broken(
        f"D02.{_disposition.value}",
        f"{_disposition.value} at the inbound endpoint is {_status!r}",
        of="multipart",
    )(
        type(
            _name,
            (MultipartAdapter,),
            {"__doc__": _doc, "__module__": __name__, "webhook_response": _answering(_disposition, _status)},
        )
    )


class Decorated(JsonAdapter):
    """Adds something to its answers."""

    def changes(self, disposition: Disposition) -> dict[str, Any]:
        """Return what is different."""
        return {}

    def webhook_response(self, disposition: Disposition, kind: EndpointKind) -> WebhookResponse:
        """Return the answer with something more."""
        return attrs.evolve(super().webhook_response(disposition, kind), **self.changes(disposition))


@broken("D01", "has a body of 2000 bytes")
class ExplainsItself(Decorated):
    """A refusal is a page."""

    def changes(self, disposition: Disposition) -> dict[str, Any]:
        return {"body": b"x" * 2000} if disposition is Disposition.UNAUTHENTICATED else {}


@broken("D01", "has a body, which 204 cannot have")
class SaysSomethingWithoutContent(Decorated):
    """A status that has no content has one."""

    def changes(self, disposition: Disposition) -> dict[str, Any]:
        return {"status": 204, "body": b"ok"} if disposition is Disposition.STALE else {}


@broken("D01", "not a pair of printable texts")
class CountsInHeaders(Decorated):
    """A header is a number."""

    def changes(self, disposition: Disposition) -> dict[str, Any]:
        return {"headers": (("Retry-After", 60),)} if disposition is Disposition.UNAVAILABLE else {}


@broken("D01", "has the header Location")
class SendsElsewhere(Decorated):
    """Whatever is no delivery is sent to the documentation."""

    def changes(self, disposition: Disposition) -> dict[str, Any]:
        link = (("Location", "https://docs.json-api.example"),)
        return {"headers": link} if disposition is Disposition.PROBE else {}


@broken("D04", "405 without a header Allow")
class DoesNotSayWhatIsAllowed(Decorated):
    """Another method is refused, and the right one not named."""

    def changes(self, disposition: Disposition) -> dict[str, Any]:
        return {"headers": ()} if disposition is Disposition.BAD_METHOD else {}


# Deliveries as a whole ------------------------------------------------------------------------------


@broken("D03", "The answer to a forged delivery holds a part of it")
class RepeatsTheAddress(JsonAdapter):
    """A refusal names the address that was asked for."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        self.asked = request.url
        return super().verify_webhook(request, ctx)

    def webhook_response(self, disposition: Disposition, kind: EndpointKind) -> WebhookResponse:
        found = super().webhook_response(disposition, kind)
        refused = disposition is Disposition.UNAUTHENTICATED
        return attrs.evolve(found, body=getattr(self, "asked", "").encode()) if refused else found


@broken("D10.raises", "was not handled")
class RemembersDeliveries(JsonAdapter):
    """Of a delivery that was seen there are no events any more."""

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        seen = self.__dict__.setdefault("seen", set())
        again = webhook.request.body in seen
        seen.add(webhook.request.body)
        return [] if again else super().parse_events(webhook)


@broken("D10.unknown", "at the tracking endpoint, is acknowledged, and kept nowhere")
class TakesTheRestForEvents(JsonAdapter):
    """What is no mail is events."""

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        rest = table(webhook.request.json()).keys() - {"events", "mail"}
        return super().webhook_kind(webhook) or (EndpointKind.TRACKING if rest else None)

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        return super().parse_events(webhook) if "events" in webhook.request.json() else []
