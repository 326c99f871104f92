"""The local provider.

Rule: it behaves as the provider's documentation says, and confirms none of the adapter's mistakes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import attrs

from mailcore import (
    AuthenticationFailed,
    Capability,
    EndpointKind,
    HttpRequest,
    HttpResponse,
    Message,
    Scope,
    SendError,
)
from mailcore_conformance._blame import place
from mailcore_conformance._check import Failed, Weight, check, not_applicable_unless, require, require_none
from mailcore_conformance._probe import PROBES, new_tag
from mailcore_conformance._subject import NOW, Subject
from mailcore_conformance.conduct._emulated import CONTENT, TEXT, Emulated, incoming, transcript, trips
from mailcore_conformance.conduct._flows import plain
from mailcore_conformance.conduct._hostile import hostile
from mailcore_conformance.conduct._imports import files
from mailcore_conformance.conduct._impure import watched
from mailcore_conformance.conduct._options import credentials
from mailcore_conformance.conduct._registering import shared_modules


@check(
    "E00",
    "There is an emulator.",
    why="Without one, nobody can try the adapter, or test with it, without an account.",
    fix="Write a class that does what mailcore.Emulator says, and name it in the AdapterSpec.",
    weight=Weight.SHOULD,
)
def there_is_one(subject: Subject) -> None:
    """Look at the spec."""
    require(subject.spec.emulator, "The AdapterSpec names no emulator.")


# Sending --------------------------------------------------------------------------------------------


def _refusal(bench: Emulated, message: Message) -> SendError | None:
    try:
        bench.send(message)
    except SendError as error:
        return error
    return None


def _said(error: SendError) -> str:
    status = error.response.status if error.response is not None else "no answer"
    return f"{type(error).__name__} ({status})"


@check(
    "E01",
    "The emulator takes what the adapter sends.",
    why="An emulator that speaks another language than the adapter proves nothing about it.",
    fix="Return from settings() all that the adapter needs, and answer as the provider documents.",
)
def takes_mail(subject: Subject) -> None:
    """Send one plain mail, and once more: without a key, that is another mail."""
    bench = Emulated(subject)
    for what in ("a plain mail", "the same mail once more"):
        error = _refusal(bench, plain())
        require(error is None, f"It answers {what} with {error and _said(error)}.")
    if subject.can(Capability.MESSAGE_ID):
        require(isinstance(bench.send(plain()).message_id, str), "Its answer has no id.")


@check(
    "E02",
    "The emulator takes every field that the adapter declares.",
    why="Programs are tested against it: what it refuses will be left out of them.",
    fix="Accept the field in the form that the provider documents.",
)
def takes_every_field(subject: Subject) -> None:
    """Send one mail a field; a template would have to be there first."""
    # All of them first: finding out what can be carried makes other adapters, which another check is for.
    messages = [
        (f"{probe.field} ({capability})", probe.message_for(subject, new_tag()))
        for capability, probe in PROBES.items()
        if probe.applies(subject) and capability is not Capability.TEMPLATE
    ]
    bench = Emulated(subject)
    require_none(
        f"{what} is answered with {_said(error)}."
        for what, message in messages
        if (error := _refusal(bench, message))
    )


@check(
    "E03",
    "The emulator refuses another token, and the adapter says so.",
    why="A program that forgot its token must not find out in production.",
    fix="Compare the token of the request with the one of settings().",
)
def refuses_other_tokens(subject: Subject) -> None:
    """Send with a made-up token."""
    bench, held = Emulated(subject), credentials(subject)
    not_applicable_unless(held, "The kit's options hold no token.")
    made_up = subject.kit.options(subject.secret)
    try:
        bench.send(plain(), adapter=bench.adapter(**{name: made_up[name] for name in held}))
    except SendError as error:
        found = isinstance(error, AuthenticationFailed) and error.scope is Scope.ACCOUNT
        require(found, f"A wrong token is answered with {_said(error)}, not as AuthenticationFailed.")
    else:
        raise Failed("A wrong token is accepted.")


@check(
    "E04.path",
    "The emulator refuses an address that the provider does not have.",
    why="A wrong address must show here, not in production.",
    fix="Answer 404 to every path but the documented ones.",
)
def refuses_other_paths(subject: Subject) -> None:
    """Send a genuine request to a path that is not there."""
    bench = Emulated(subject)
    request = bench.request(plain())
    status = bench.handle(attrs.evolve(request, url=f"{request.url}/nothing-here")).status
    require(400 <= status < 500, f"A path that does not exist is answered {status}.")


@check(
    "E04.body",
    "The emulator refuses a body that cannot be read.",
    why="An adapter that writes nonsense must not pass with it.",
    fix="Answer as the provider does to a malformed body: with a 4xx status.",
)
def refuses_nonsense(subject: Subject) -> None:
    """Send a genuine request with another body."""
    bench = Emulated(subject)
    request = bench.request(plain())
    for label, body in (("no body", b""), ("a body of random bytes", b"\xff\xfe{")):
        status = bench.handle(attrs.evolve(request, body=body)).status
        require(400 <= status < 500, f"A request with {label} is answered {status}.")


@check(
    "E04.samples",
    "The emulator refuses mail that the provider is known to refuse.",
    why="One that takes everything teaches nothing about errors.",
    fix="Refuse what the documentation says is refused, with its words; see the kit's samples.",
)
def refuses_what_samples_say(subject: Subject) -> None:
    """Send the messages of refused samples; at least one meets the same error."""
    refused = [one for one in subject.kit.exchanges if not one.is_batch and not one.accepted and one.messages]
    bench = Emulated(subject)
    not_applicable_unless(refused, "No sample of a refusal says which message was refused.")
    met = (_refusal(bench, one.messages[0]) for one in refused)
    wanted = [one.expected[0]["error"] for one in refused]
    same = any(type(error).__name__ == name for error, name in zip(met, wanted, strict=True))
    require(
        same, f"It refuses none of these messages as the samples say: {', '.join(o.name for o in refused)}."
    )


@check(
    "E05",
    "The same key brings the same mail, and another key another one.",
    why="Whether a program repeats safely can only be tried where keys are remembered.",
    fix="Keep the answer to each key, and give it again.",
    capability=Capability.IDEMPOTENCY_KEY,
)
def remembers_keys(subject: Subject) -> None:
    """Send the same mail under two keys, the first one twice."""
    bench = Emulated(subject)
    first, again, other = (
        bench.send(plain(), idempotency_key=key).message_id for key in ("key-1", "key-1", "key-2")
    )
    require(first == again, "A repeated request under the same key gets another id: it is sent twice.")
    require(first != other, "A request under another key gets the same id: it is not sent.")


# Webhooks -------------------------------------------------------------------------------------------


@check(
    "E06.due",
    "Every event of the samples can happen.",
    why="A program can be tried with those events only that the emulator can make.",
    fix="Let act() take each of the provider's words, and due() return the webhook.",
    capability=Capability.WEBHOOK_TRACKING,
)
def events_happen(subject: Subject) -> None:
    """Let each of the provider's words happen to a mail that was sent."""
    require_none(f"act(..., {trip.word!r}) makes no webhook." for trip in trips(subject) if not trip.landed)


@check(
    "E06.signed",
    "The adapter takes the emulator's webhooks for genuine.",
    why="An endpoint that works with the emulator only where it does not verify is not tried at all.",
    fix="Sign as the provider does, with the key that settings() returns.",
    capability=Capability.WEBHOOK_TRACKING,
)
def events_are_signed(subject: Subject) -> None:
    """Hand each webhook to an endpoint."""
    require_none(
        f"The webhook of {trip.word!r} is answered {landed.status}."
        for trip in trips(subject)
        for landed in trip.landed
        if not 200 <= landed.status < 300
    )


@check(
    "E06.events",
    "The emulator's events are of the mail that was sent, and mean what the provider's do.",
    why="Matching events with mail is what programs do with them.",
    fix="Put the id of the answer, and the provider's word, where the provider's webhook has them.",
    capability=Capability.WEBHOOK_TRACKING,
)
def events_mean_the_same(subject: Subject) -> None:
    """Compare the events with the mail's id, and with what the samples make of the word."""
    for trip in trips(subject):
        events = [event for landed in trip.landed for event in landed.events]
        for event in events:
            kind = event.event_type.value
            require(event.event_type is trip.expected, f"{trip.word!r} arrives as an event of type {kind}.")
            require(event.message_id == trip.message_id, f"{trip.word!r} arrives with another mail's id.")


@check(
    "E07",
    "Mail from the outside arrives whole.",
    why="A program that reads mail is tried with what the emulator passes on.",
    fix="Build the webhook from the mail as the provider does, files included.",
    capability=Capability.WEBHOOK_INBOUND,
)
def mail_arrives(subject: Subject) -> None:
    """Let the emulator receive a mail, and read it at an endpoint."""
    bench = Emulated(subject)
    bench.subscribe(EndpointKind.INBOUND)
    bench.emulator.receive(incoming(), NOW)
    mails = [mail for delivery in bench.due() for mail in bench.land(delivery).mails]
    require(len(mails) == 1, f"One mail arrives as {len(mails)}.")
    mail = mails[0]
    require(mail.subject == "Gr\u00fc\u00dfe", "The subject is another one.")
    require((mail.text or "").split() == TEXT.split(), "The text is another one.")
    require([file.content for file in mail.attachments] == [CONTENT], "The attachment is not what was sent.")


# By itself ------------------------------------------------------------------------------------------


@check(
    "E08",
    "The emulator shares no module with the adapter.",
    why="What both get from one place, both get wrong in the same way, and agree.",
    fix="Write in the emulator anew what it needs; only the package they are both in may be shared.",
)
def independent(subject: Subject) -> None:
    """Follow the imports of both."""
    not_applicable_unless(subject.spec.emulator, "The adapter has no emulator.")
    require_none(f"Both import {module}." for module in shared_modules(subject))


@check(
    "E09",
    "The emulator answers whatever it is asked.",
    why="A server that presents it falls over with it.",
    fix="Answer 4xx to what cannot be read; raise nothing in handle().",
)
def answers_everything(subject: Subject) -> None:
    """Ask it what no client should ask."""
    bench = Emulated(subject)
    genuine = bench.request(plain())
    require_none(
        f"{label}: {found}." for label, request in hostile(genuine) if (found := _unanswered(bench, request))
    )


def _unanswered(bench: Emulated, request: HttpRequest) -> str:
    try:
        answer: object = bench.handle(request)
    except Exception as error:  # noqa: BLE001  # reason: any is the finding
        return f"handle() raises {type(error).__name__}"
    return "" if isinstance(answer, HttpResponse) else f"handle() returns {type(answer).__name__}"


@check(
    "E10",
    "The emulator knows the time, and its surroundings, from its callers only.",
    why="A test that moves the time on by a day must not wait for one.",
    fix="Use the `now` that each method is given, and the arguments of the class.",
)
def reads_no_clock(subject: Subject) -> None:
    """Watch what is called while it does a little of everything."""
    ours = [f"{place(path)}:" for path in files(subject.spec.emulator.partition(":")[0])]
    _, found = _first_run(subject)
    require_none(
        f"{text}."
        for kind, text in found
        if kind in ("clock", "environment") and any(path in text for path in ours)
    )


@lru_cache(maxsize=1)
def _first_run(subject: Subject) -> tuple[Any, Any]:
    """Return what an emulator says, and what it reads meanwhile."""
    with watched() as found:
        said = transcript(subject)
    return said, found()


@check(
    "E11",
    "The same calls bring the same answers and the same webhooks.",
    why="A test that passes once in two runs is no test.",
    fix="Count ids from 1, and draw nothing at random.",
)
def deterministic(subject: Subject) -> None:
    """Do the same with two new emulators."""
    said, _ = _first_run(subject)
    require(said == transcript(subject), "A second emulator says something else.")
