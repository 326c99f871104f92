"""Many messages in one request, and one verdict for each of them.

Rule: a message of a batch is worth as much as one that is sent alone. What happens to another one, or to
the answer, costs it neither its verdict nor its secrets.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailcore import Capability, HttpResponse, MaybeSent, Message
from mailcore_conformance._check import check, not_applicable_unless, require, require_none
from mailcore_conformance._probe import missing_marks, new_tag
from mailcore_conformance._subject import Subject
from mailcore_conformance._wire import Wire
from mailcore_conformance.answers._answers import with_body
from mailcore_conformance.answers._keys import places
from mailcore_conformance.answers._meaning import STATUSES, differences, told
from mailcore_conformance.answers._verdicts import (
    Verdict,
    answered,
    batch_of,
    batch_wire,
    batches,
    listed,
    parts,
    verdicts,
)

BATCH_KEY = "conformance-batch-key"

#: What is no answer to a batch.
UNREADABLE = {
    "an empty body": b"",
    "an HTML page": b"<html><body>Please log in</body></html>",
    "an empty list": b"[]",
    "an empty object": b"{}",
    "the JSON null": b"null",
    "a number": b"7",
    "bytes that are not UTF-8": b'{"results":[{"id":"\xff"}]}',
}


@check(
    "Q01",
    "Every message of a batch reaches the one request, whole.",
    why="A message that is left out of the request is not sent, and the verdicts of the others hide it.",
    fix="Put every message given to `build_batch` into the request, or stop declaring send.batch.",
    capability=Capability.BATCH,
)
def reaches_the_request(subject: Subject) -> None:
    """Give each field of two messages a value of its own and look for it."""
    tags = [new_tag(), new_tag()]
    messages = batch_of(subject, tags)
    wire = batch_wire(subject, messages)
    for number, (tag, message) in enumerate(zip(tags, messages, strict=True), 1):
        addresses = [address.ascii_spec for address in message.resolve().recipients]
        missing = missing_marks(wire, [f"Subject {tag}", f"Text {tag}", f"sender-{tag}@", *addresses])
        lost = [mark.replace(tag, "...") for mark in missing]
        require(not missing, f"Of message {number}, {', '.join(lost)} are nowhere in the request.")


@check(
    "Q02",
    "Each message of a batch gets its own verdict, in the order of the messages.",
    why="A verdict at another's place makes an application give up the wrong mail, and repeat the other.",
    fix="Return one verdict for each message, in the order in which `parse_batch` is given them.",
    capability=Capability.BATCH,
)
def in_order(subject: Subject) -> None:
    """Give the samples' answers other ids."""
    for sample in batches(subject):
        answer = answered(sample, new_tag())
        require_none(answer.misread(answer.verdicts(subject)))


@check(
    "Q03",
    "Every sample of a batch means what it says it means.",
    why="Statuses and errors of a batch are read by code of their own, which single mails do not exercise.",
    fix="Compare the adapter with the sample's `expected`, and mend whichever is wrong.",
    capability=Capability.BATCH,
)
def samples(subject: Subject) -> None:
    """Read the samples as they are."""
    for sample in batches(subject):
        found = verdicts(subject, sample.messages, sample.response)
        pairs = enumerate(zip(found, sample.expected, strict=True), 1)
        require_none(
            finding
            for number, (one, expected) in pairs
            for finding in differences(f"{sample.name}, message {number}", one, expected)
        )


@check(
    "Q04",
    "An answer to a batch that cannot be read makes every message of it unknown.",
    why="All of them may be out: reported as failed they are sent twice, as accepted they cannot be found.",
    fix="Raise `MaybeSent` with the response where the answer to a batch is not as documented.",
    capability=Capability.BATCH,
)
def unreadable(subject: Subject) -> None:
    """Answer with what is no answer to a batch, under the status of one."""
    for words, body in UNREADABLE.items():
        sample = batches(subject)[0]
        found = verdicts(subject, sample.messages, with_body(sample.response, body))
        wrong = sorted({told(one) for one in found if not isinstance(one, MaybeSent)})
        require(not wrong, f"An accepted status with {words} becomes {', '.join(wrong)}.")


@check(
    "Q05",
    "A status of refusal refuses every message of a batch, with the class of the status.",
    why="A batch that was throttled is repeated, and one with a wrong token stops the queue. Neither happens "
    "where the status is lost.",
    fix="Raise the same error from `parse_batch` as from `parse_send`: it counts for every message.",
    capability=Capability.BATCH,
)
def refused(subject: Subject) -> None:
    """Answer with statuses alone."""
    messages = batches(subject)[0].messages
    for status in (401, 413, 429, 500, 503):
        found = verdicts(subject, messages, HttpResponse(status=status))
        require_none(dict.fromkeys(finding for one in found for finding in STATUSES[status].differences(one)))


@check(
    "Q06",
    "A verdict that cannot be read makes its own message unknown, and no other.",
    why="One odd element would turn a batch of accepted mails into one of which nobody knows anything.",
    fix="Read each element by itself, and return `MaybeSent` in the place of one that makes no sense.",
    capability=Capability.BATCH,
)
def one_unreadable(subject: Subject) -> None:
    """Spoil one element at a time."""
    for place, words, answer in listed(subject).spoilt():
        findings = answer.misread(answer.verdicts(subject), lost=[place])
        require_none(f"With an element {words}: {finding}" for finding in findings)


def _known(found: Sequence[Verdict]) -> bool:
    return not all(isinstance(one, MaybeSent) for one in found)


@check(
    "Q07.short",
    "Too few verdicts leave the rest unknown.",
    why="A message that the answer leaves out may be out or not. A guess loses it, or sends it twice.",
    fix="Raise `MaybeSent` where the lengths differ, or return the verdicts that are matched for sure.",
    capability=Capability.BATCH,
)
def too_few(subject: Subject) -> None:
    """Leave out the last element."""
    answer = listed(subject).shortened()
    found = answer.verdicts(subject)
    if _known(found):
        findings = answer.misread(found, lost=[len(answer.ids) - 1])
        require_none(f"Without the last element: {finding}" for finding in findings)


@check(
    "Q07.long",
    "Too many verdicts are not matched by guessing.",
    why="An answer with more elements than messages is about other messages too: by place alone, each would "
    "get the id of its neighbour.",
    fix="Raise `MaybeSent` where the lengths differ, or match elements by what they say of the message.",
    capability=Capability.BATCH,
)
def too_many(subject: Subject) -> None:
    """Put an element for another mail before the first."""
    answer = listed(subject).lengthened()
    found = answer.verdicts(subject)
    if _known(found):
        require_none(f"With one more element: {finding}" for finding in answer.misread(found))


@check(
    "Q08",
    "As many messages as declared fit one request.",
    why="Core cuts at the declared limit. What the adapter then leaves out or refuses was promised to fit.",
    fix="Declare the provider's own limit in the Support of send.batch, and have no other in the adapter.",
    capability=Capability.BATCH,
)
def limit(subject: Subject) -> None:
    """Send one message more than the limit."""
    most = subject.limit(Capability.BATCH)
    not_applicable_unless(most, f"{Capability.BATCH} is declared without a limit.")
    tags = [new_tag() for _ in range((most or 0) + 1)]
    messages = [
        Message(from_="a@example.com", to=f"{tag}@example.com", subject=tag, text=tag) for tag in tags
    ]
    _, requests = subject.send_many(messages, batches(subject)[0].response)
    made = len(requests)
    require(made == 2, f"{len(tags)} messages, one more than the limit, make {made} requests instead of 2.")
    pieces = [{piece.text for piece in Wire(request).pieces} for request in requests]
    lost = [number for number, tag in enumerate(tags, 1) if tag not in pieces[number > len(tags) - 1]]
    require(not lost, f"Of {len(tags)} messages, number {', '.join(map(str, lost[:3]))} is in no request.")


@check(
    "Q09",
    "The same batch makes the same request.",
    why="A repeated batch counts as repeated only where nothing in it has changed.",
    fix="Take time, randomness and keys from the context alone.",
    capability=Capability.BATCH,
)
def repeatable(subject: Subject) -> None:
    """Build a batch twice."""
    messages = batch_of(subject, ["repeat-a", "repeat-b"])
    first, second = (batch_wire(subject, messages) for _ in range(2))
    require(first.body == second.body, "Two builds of the same batch have different bodies.")
    require(first.pieces == second.pieces, "Two builds of the same batch have different headers or URLs.")


@check(
    "Q10",
    "The recipients of a message stand in that message's part of the request, and nowhere else.",
    why="In another's part they get another's mail, and everybody there may see them, blind copies too.",
    fix="Write the recipients of each message into its own element.",
    capability=Capability.BATCH,
)
def apart(subject: Subject) -> None:
    """Look for each address in the whole request."""
    tags = [new_tag(), new_tag()]
    messages = batch_of(subject, tags)
    wire = batch_wire(subject, messages)
    begins = parts(wire, [f"Subject {tag}" for tag in tags])
    for number, (message, begin) in enumerate(zip(messages, begins, strict=True), 1):
        for field in ("to", "cc", "bcc"):
            addresses = [address.ascii_spec for address in getattr(message.resolve(), field)]
            strays = [path for one in addresses for path in wire.find(one) if not path.startswith(begin)]
            require(not strays, f"An address in {field} of message {number} stands outside of its part.")


@check(
    "Q11",
    "The key of a batch is on its request.",
    why="Without it, a batch whose answer was lost cannot be repeated without sending every mail twice.",
    fix="Write `ctx.idempotency_key` into the request of `build_batch`, or declare `per_batch=False`.",
    capability=Capability.BATCH,
)
def key(subject: Subject) -> None:
    """Look for the key of a batch."""
    promise = subject.spec.idempotency
    not_applicable_unless(promise and promise.per_batch, "One key does not cover a whole batch.")
    wire = batch_wire(subject, batch_of(subject, ["key-a", "key-b"]), idempotency_key=BATCH_KEY)
    require(places(wire, BATCH_KEY), "The key of the batch is nowhere in the request.")
