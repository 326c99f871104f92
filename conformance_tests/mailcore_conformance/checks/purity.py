"""Values in, values out, and nothing else.

Rule: what an adapter returns depends on its arguments and its options alone.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from mailcore import Capability, MailcoreError, Message
from mailcore_conformance._check import Failed, check, require, require_none
from mailcore_conformance._subject import NOW, Subject
from mailcore_conformance._wire import body_bytes
from mailcore_conformance.conduct._flows import committing, finished, fullest, opened, plain, shown
from mailcore_conformance.conduct._observed import observed


@check(
    "B40",
    "The same message in the same context makes the same request.",
    why="Otherwise a mail cannot be looked at before it is sent, or repeated under its key.",
    fix="Take ids, times and boundaries from ctx; keep no counter.",
)
def same_request(subject: Subject) -> None:
    """Build both a plain and a full message three times, over two adapters."""
    adapter, another = subject.adapter(), subject.adapter()
    for message in (plain(), fullest(subject)):
        made = [shown(committing(subject, one, message)) for one in (adapter, adapter, another)]
        require(made[0] == made[1], "Built again, the same message makes another request.")
        require(made[0] == made[2], "With another adapter of the same options, it makes another request.")


@check(
    "B42",
    "A repeated request has the same body, byte for byte.",
    why="Providers compare: under the same key, other content is refused or lost without a word.",
    fix="Put ctx.created and ctx.unique into the body, never ctx.now or ctx.attempt.",
)
def same_body(subject: Subject) -> None:
    """Build the second attempt, a minute later."""
    for message in (plain(), fullest(subject)):
        first = body_bytes(subject.request(message))
        again = body_bytes(subject.request(message, now=NOW + timedelta(minutes=1), attempt=2))
        require(first == again, "The body of the second attempt differs from the first one's.")


@check(
    "B43",
    "A mail is sent by one request.",
    why="What is sent in two parts can be sent in half; core refuses the second and nobody knows.",
    fix="Set commits=False on every request but the one that makes the mail leave.",
)
def commits_once(subject: Subject) -> None:
    """Answer that request as accepted, and count."""
    adapter = subject.adapter()
    for message in (plain(), fullest(subject)):
        flow = adapter.send_flow(message.resolve(), subject.context())
        made, _ = finished(subject, flow, subject.accepted.response)
        count = sum(request.commits for request in made)
        require(count == 1, f"One mail takes {count} requests with commits=True.")


# What it must not read ------------------------------------------------------------------------------

_READS = {
    "clock": ("the clock", "Use ctx.now for signatures of requests, ctx.created for everything in the mail."),
    "random": ("chance", "Use ctx.unique: it is random already, and the same for each attempt."),
    "environment": ("the environment", "Make it an option: core looks options up in the environment."),
    "files": ("files", "Take what is in the file as an option, or read it when the module is imported."),
    "logging": ("a log", "Raise an error, or leave it: core logs what happened, with provider and mailer."),
}


def _reads_nothing(kind: str, what: str, fix: str) -> None:
    @check(
        f"B44.{kind}",
        f"While it builds, parses and verifies, an adapter does not use {what}.",
        why="What is not an argument cannot be repeated, tested or traced.",
        fix=fix,
    )
    def run(subject: Subject) -> None:
        """Watch what is called."""
        require_none(f"{text}." for found, text in observed(subject).reads if found == kind)


for _kind, (_what, _fix) in _READS.items():
    _reads_nothing(_kind, _what, _fix)


# One adapter, many mails ----------------------------------------------------------------------------


@check(
    "B45",
    "Two mails on their way at once do not get mixed up.",
    why="Threads share an adapter: what is kept between two steps may be the other mail's.",
    fix="Keep what a flow needs in its own variables, never on self.",
)
def apart(subject: Subject) -> None:
    """Open two flows of one adapter, answer them in turn, and compare with one after the other."""
    adapter, response = subject.adapter(), subject.accepted.response
    messages = [plain(to=[f"reader-{number}@example.com"]) for number in range(2)]
    alone = [subject.parse(message, response) for message in messages]
    flows = [opened(subject, adapter, message) for message in messages]
    requests = [shown(request) for _, request in flows]
    ends = [finished(subject, flow, response, waiting=True)[1] for flow, _ in flows]
    require(
        requests == [shown(subject.request(message)) for message in messages],
        "With another mail on its way, the request is another one.",
    )
    require(
        [*map(repr, ends)] == [*map(repr, alone)], "With another mail on its way, the result is another one."
    )


@check(
    "B46",
    "A message is not changed by being sent.",
    why="It is sent again after a failure, and to the next provider.",
    fix="Copy a list or mapping of the message before changing it.",
)
def message_unchanged(subject: Subject) -> None:
    """Send a message that holds lists within mappings, and compare it with one that was not sent."""
    sent, kept = _with_lists(subject).resolve(), _with_lists(subject).resolve()
    with suppress(MailcoreError):  # it may refuse an option that it does not know
        finished(subject, subject.adapter().send_flow(sent, subject.context()), subject.accepted.response)
    require(sent == kept, "The message is another one after it was sent.")


def _with_lists(subject: Subject) -> Message:
    fields = {"provider_options": {subject.spec.name: {"conformance": ["b", "a"]}}}
    if subject.can(Capability.METADATA):
        fields["metadata"] = {"conformance": ["b", "a"]}  # type: ignore[dict-item]  # reason: one level less
    return plain(**fields)


@check(
    "B47",
    "A flow can be given up after any request.",
    why="Deadlines and failing connections end flows early; an error then hides the real one.",
    fix="Do not catch GeneratorExit or BaseException around yield, and yield nothing in finally.",
)
def closes(subject: Subject) -> None:
    """Close flows of several attempts while they wait for an answer."""
    adapter = subject.adapter()
    for attempt in (1, 2, 3):
        flow, _ = opened(subject, adapter, plain(), attempt=attempt)
        try:
            flow.close()
        except Exception as error:  # noqa: BLE001  # reason: any is the finding
            raise Failed(f"Closing a flow at attempt {attempt} raises {type(error).__name__}.") from None


@check(
    "S01",
    "No check of this suite makes the adapter ask for the network.",
    why="Only a transport has deadlines, TLS and the right to connect.",
    fix="Yield a request from the flow instead of opening a connection.",
)
def no_socket(subject: Subject) -> None:
    """Nothing here: the guard around the whole run settles it."""
