"""Emulators that confirm what the provider would not: each is a correct one but for a few lines."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from email import message_from_bytes, policy
from typing import Any, TypeVar

import attrs
from reference.json_emulator import Hook, JsonEmulator
from reference.json_rules import Refusal

from gallery import broken
from gallery._packages import write
from mailcore import EmulatedDelivery, HttpRequest, HttpResponse

Cls = TypeVar("Cls", bound=type[Any])

FACTORY = "reference.json_api:JsonAdapter"


def emulated(check: str, reason: str, *, kit: Mapping[str, Any] | None = None) -> Callable[[Cls], Cls]:
    """Add the correct adapter to the gallery, with the decorated class for its emulator."""

    def add(cls: Cls) -> Cls:
        pointer = f"{cls.__module__}:{cls.__name__}"
        return broken(check, reason, spec={"factory": FACTORY, "emulator": pointer}, kit=kit)(cls)

    return add


@broken("E00", "names no emulator", spec={"factory": FACTORY, "emulator": ""})
class HasNoEmulator(JsonEmulator):
    """Is not named anywhere."""


# Sending --------------------------------------------------------------------------------------------


@emulated("E01", "It answers a plain mail with Rejected (422).")
class TakesNoPlainText(JsonEmulator):
    """Demands an HTML body; so nothing else can be tried."""

    def _take(self, message: Any) -> dict[str, Any]:
        if isinstance(message, dict) and "html" not in message:
            raise Refusal(422, "invalid", "There is no HTML.", {})
        return super()._take(message)


@emulated("E01", "It answers the same mail once more with Rejected (422).")
class RefusesRepeats(JsonEmulator):
    """Refuses a mail that is like an earlier one, unless it has a key."""

    def _answer(self, request: HttpRequest, now: datetime) -> HttpResponse:
        found = super()._answer(request, now)
        *earlier, last = list(self._sent.values()) or [None]
        if last in earlier and not any(name == "Idempotency-Key" for name, _ in request.headers):
            raise Refusal(422, "invalid", "That was sent before.", {})
        return found


@emulated("E02", "reply_to (send.reply_to) is answered with Rejected (422)")
class KnowsNoReplyTo(JsonEmulator):
    """Refuses a documented field."""

    def _take(self, message: Any) -> dict[str, Any]:
        if isinstance(message, dict) and "reply_to" in message:
            raise Refusal(422, "invalid", "There is no such field.", {})
        return super()._take(message)


@emulated("E03", "A wrong token is accepted.")
class TakesAnyToken(JsonEmulator):
    """Does not look at the token."""

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        token = next((value for name, value in request.headers if name == "X-Api-Key"), self.token)
        self.token = str(token)
        return super().handle(request, now)


@emulated("E03", "A wrong token is answered with Rejected (400), not as AuthenticationFailed.")
class MissesTheTokenElsewhere(JsonEmulator):
    """Answers a wrong token as if the mail were wrong."""

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        found = super().handle(request, now)
        return attrs.evolve(found, status=400, body=b"{}") if found.status == 401 else found


@emulated("E04.path", "A path that does not exist is answered 202.")
class ServesEveryPath(JsonEmulator):
    """Takes mail at any path."""

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        return super().handle(attrs.evolve(request, url=request.url.replace("/nothing-here", "")), now)


@emulated("E04.body", "A request with a body of random bytes is answered 202.")
class TakesNonsense(JsonEmulator):
    """Takes what is no JSON for a mail."""

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        found = super().handle(request, now)
        unread = found.status == 400 and request.body.startswith(b"\xff")
        return attrs.evolve(found, status=202, body=b'{"id":"m-0"}') if unread else found


@emulated("E04.samples", "It refuses none of these messages")
class BlocksNobody(JsonEmulator):
    """Takes mail for recipients that the provider blocks."""

    def _take(self, message: Any) -> dict[str, Any]:
        text = json.dumps(message).replace("@blocked.example", "@example.com")
        return super()._take(json.loads(text))


@emulated("E05", "gets another id: it is sent twice")
class ForgetsKeys(JsonEmulator):
    """Takes every request for a new one."""

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        self._kept.clear()
        return super().handle(request, now)


@emulated("E05", "gets the same id: it is not sent")
class TakesKeysForOne(JsonEmulator):
    """Looks at the first letters of a key only."""

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        headers = [
            (name, value[:4] if name == "Idempotency-Key" else value) for name, value in request.headers
        ]
        if any(value == "key-" for _, value in headers):
            request = attrs.evolve(request, headers=headers)
        return super().handle(request, now)


# Webhooks -------------------------------------------------------------------------------------------


@emulated("E06.due", "act(..., 'clicked') makes no webhook.")
class KnowsNoClicks(JsonEmulator):
    """Does not know one of the provider's words."""

    def act(self, message_id: str, event: str, now: datetime) -> None:
        if event == "clicked":
            raise ValueError("There is no such event.")
        super().act(message_id, event, now)


@emulated("E06.signed", "The webhook of 'opened' is answered 401.")
class SignsWithAnotherKey(JsonEmulator):
    """Signs some webhooks with a key that nobody was told."""

    def _hand_out(self, hook: Hook, now: datetime) -> EmulatedDelivery:
        made = super()._hand_out(hook, now)
        headers = [
            (name, value[::-1] if "Signature" in name else value) for name, value in made.request.headers
        ]
        forged = attrs.evolve(made, request=attrs.evolve(made.request, headers=headers))
        return forged if b'"opened"' in hook.body else made


@emulated("E06.events", "'deferred' arrives as an event of type bounced.")
class MakesItWorse(JsonEmulator):
    """Lets a mail bounce that was put off."""

    def act(self, message_id: str, event: str, now: datetime) -> None:
        super().act(message_id, "bounced" if event == "deferred" else event, now)


@emulated("E06.events", "'complained' arrives with another mail's id.")
class NamesAnotherMail(JsonEmulator):
    """Gives events of complaints another id than the answer had."""

    def _event(self, message_id: str, event: str, email: str, now: datetime) -> dict[str, Any]:
        found = super()._event(message_id, event, email, now)
        return {**found, "message": f"x-{message_id}"} if event == "complained" else found


@emulated("E07", "The attachment is not what was sent.")
class DropsFiles(JsonEmulator):
    """Passes on the text of incoming mail, and no files."""

    def receive(self, raw_mime: bytes, now: datetime) -> None:
        mail = message_from_bytes(raw_mime, policy=policy.default)
        mail.set_payload([part for part in mail.iter_parts() if not part.is_attachment()])
        super().receive(mail.as_bytes(), now)


@emulated("E07", "One mail arrives as 0.")
class LosesMail(JsonEmulator):
    """Takes incoming mail, and tells nobody."""

    def receive(self, raw_mime: bytes, now: datetime) -> None:
        return


# By itself ------------------------------------------------------------------------------------------

write(
    "gallery_sharing",
    """
    from reference.json_emulator import JsonEmulator
    from reference.json_values import NAME

    class SharingEmulator(JsonEmulator):
        name = NAME
    """,
)


@broken(
    "E08",
    "Both import reference.json_values.",
    spec={"factory": FACTORY, "emulator": "gallery_sharing:SharingEmulator"},
)
class SharesCode(JsonEmulator):
    """Takes a constant from the adapter."""


@emulated("E09", "to as null: handle() raises TypeError.")
class TrustsClients(JsonEmulator):
    """Counts recipients before it has looked whether there are any."""

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        found = super().handle(request, now)
        if found.status == 422:
            len(json.loads(request.body)["to"])
        return found


@emulated("E10", "time is called at ")
class ReadsTheClock(JsonEmulator):
    """Notes when it really was."""

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        self.noted = time.time()
        return super().handle(request, now)


@emulated("E11", "A second emulator says something else.")
class DrawsIds(JsonEmulator):
    """Makes ids of deliveries that are never the same."""

    def _hand_out(self, hook: Hook, now: datetime) -> EmulatedDelivery:
        made = super()._hand_out(hook, now)
        self._in_flight[f"d-{uuid.uuid4()}"] = hook
        drawn = next(reversed(self._in_flight))
        return attrs.evolve(made, delivery_id=drawn)
