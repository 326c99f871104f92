"""What the samples of mail become, and whether they show what mail can hold."""

from __future__ import annotations

from base64 import b64encode, encodebytes
from collections.abc import Iterator
from typing import Any

from mailcore import Capability, EndpointKind, InboundMessage, Level
from mailcore_conformance._subject import Subject
from mailcore_conformance.deliveries._delivery_expected import mismatches
from mailcore_conformance.deliveries._delivery_oddities import forged
from mailcore_conformance.deliveries._delivery_reader import Reader, dispatched
from mailcore_conformance.deliveries._delivery_schema import is_bare
from mailcore_conformance.deliveries._event_cases import id_changes
from mailcore_conformance.deliveries._event_identity import FRESH_RECIPIENT
from mailcore_conformance.deliveries._mail_cases import MailCase, Swap, mail_cases, mailed, with_source

__all__ = [
    "altered_files",
    "altered_sources",
    "by_heart",
    "forged_envelopes",
    "lost_recipients",
    "lost_senders",
    "misread",
    "without_evidence",
    "without_source",
]

#: Each byte value, and more than a field of a database or a single line may hold.
ALL_BYTES = bytes(range(256)) * 16
WITH_FILE = (
    b"From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=c7\r\n\r\n"
    b"--c7\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n--c7\r\n"
    b'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="all.bin"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n" + encodebytes(ALL_BYTES) + b"--c7--\r\n"
)
CANARY = "Freshly written canary"


def misread(subject: Subject) -> Iterator[str]:
    """Yield what the samples of mail become otherwise than they say."""
    for delivery in subject.inbound():
        received = dispatched(subject, delivery.request, EndpointKind.INBOUND)
        if received.quarantined:
            yield f"The sample {delivery.name} is not understood: {received.quarantined[0].reason}"
        else:
            yield from mismatches(delivery.name, "mails", received.mails, delivery.expected["messages"])


def by_heart(subject: Subject) -> Iterator[str]:
    """Yield a sentence where no mail follows its sample when a text of it changes."""
    reader, tried = Reader(subject), False
    for case in mail_cases(subject):
        for name in ("subject", "text", "html"):
            value = getattr(case.mail, name)
            old = (value or "").strip()
            if len(old) < 3 or not old.isascii():
                continue
            swap = Swap(subject, case, old.encode(), CANARY.encode())
            mail = mailed(reader, swap)
            tried = tried or swap.happened
            if mail is not None and getattr(mail, name) == value.replace(old, CANARY):
                return
    if tried:
        yield "Whatever subject and text are in a sample, the mail has those of the sample as it was."
    else:
        yield "In no sample stands the subject or text in the clear. Add one of a mail in plain ASCII."


def without_evidence(subject: Subject) -> Iterator[str]:
    """Yield what no sample shows."""
    mails = [mail for delivery in subject.inbound() for mail in delivery.expected["messages"]]
    shown = {
        "a plain text": any(mail.get("text") for mail in mails),
        "an html body": any(mail.get("html") for mail in mails),
        "an attachment": any(mail.get("attachments") for mail in mails),
        "several addresses in To and Cc": any(
            len([*mail.get("to", ()), *mail.get("cc", ())]) > 1 for mail in mails
        ),
    }
    for what, there in shown.items():
        if not there:
            yield f"No sample is of a mail with {what}. Add one, with what it means under `expected`."


def altered_files(subject: Subject) -> Iterator[str]:
    """Yield the samples in which a file of all byte values does not arrive as it is."""
    reader = Reader(subject)
    sourced = with_source(subject)
    if sourced is not None:
        items = reader.mails(*sourced.rewritten(subject, WITH_FILE)).items
        if [_content(mail, 0) for mail in items] != [ALL_BYTES]:
            yield f"A file of all byte values in the source of the sample {sourced.name} arrives otherwise."
        return
    for case, number, swap in _files(subject):
        mail = mailed(reader, swap)
        if swap.happened and (mail is None or _content(mail, number) != ALL_BYTES):
            yield f"A file of all byte values in the sample {case.name} arrives otherwise."


def _files(subject: Subject) -> Iterator[tuple[MailCase, int, Swap]]:
    for case in mail_cases(subject):
        for number, file in enumerate(case.mail.attachments):
            if len(file.content) > 2 and file.content_type != "message/rfc822":
                yield case, number, Swap(subject, case, b64encode(file.content), b64encode(ALL_BYTES))


def _content(mail: InboundMessage, number: int) -> bytes:
    files = mail.attachments
    return files[number].content if number < len(files) else b""


def without_source(subject: Subject) -> Iterator[str]:
    """Yield the samples whose mail has no source, or another mail's; where it is limited, some have none."""
    cases = list(mail_cases(subject))
    if subject.spec.capabilities[Capability.INBOUND_RAW].level is Level.LIMITED:
        cases = [case for case in cases if case.mail.raw is not None] or cases
    for case in cases:
        if case.mail.raw is None:
            yield f"The mail of the sample {case.name} comes without `raw`."
            continue
        again = InboundMessage(raw=case.mail.raw)
        if (again.subject, again.message_id) != (case.mail.subject, case.mail.message_id):
            yield f"In the sample {case.name}, `raw` is the source of another mail."


def altered_sources(subject: Subject) -> Iterator[str]:
    """Yield the samples whose mail's source is not byte for byte what came."""
    for case in mail_cases(subject):
        raw = case.mail.raw
        if raw is None or case.source:
            continue
        if case.document is not None or raw not in case.delivery.request.body:
            yield f"In the sample {case.name}, `raw` is not byte for byte what the provider passed on."


def _envelopes(subject: Subject, name: str) -> Iterator[tuple[MailCase, str]]:
    """Yield the samples with an envelope that can be changed, and an address of it."""
    for case in mail_cases(subject):
        value: Any = getattr(case.mail, name)
        address = value if isinstance(value, str) else next(iter(value or ()), "")
        if address and case.document is not None:
            yield case, address


def lost_recipients(subject: Subject) -> Iterator[str]:
    """Yield the samples whose mail does not name whom the envelope is for."""
    found = list(_envelopes(subject, "envelope_recipients"))
    if not found:
        yield "No sample's mail has `envelope_recipients`."
    for case, address in found:
        mail = _with(subject, case, address, FRESH_RECIPIENT)
        if mail is None or FRESH_RECIPIENT not in mail.envelope_recipients:
            got = None if mail is None else mail.envelope_recipients
            yield f"With {FRESH_RECIPIENT} in the envelope of the sample {case.name}, the mail has {got!r}."


def lost_senders(subject: Subject) -> Iterator[str]:
    """Yield the samples whose mail does not name whom the envelope is from."""
    found = list(_envelopes(subject, "envelope_sender"))
    if not found:
        yield "No sample's mail has an `envelope_sender`."
    for case, address in found:
        mail = _with(subject, case, address, FRESH_RECIPIENT)
        if mail is None or mail.envelope_sender != FRESH_RECIPIENT:
            got = None if mail is None else mail.envelope_sender
            yield f"With {FRESH_RECIPIENT} for the sender in the sample {case.name}, the mail has {got!r}."


def forged_envelopes(subject: Subject) -> Iterator[str]:
    """Yield what becomes of addresses in the envelope whose display name looks like another."""
    for name in ("envelope_sender", "envelope_recipients"):
        for case, address in _envelopes(subject, name):
            mail = _with(subject, case, address, forged(address))
            value: Any = None if mail is None else getattr(mail, name)
            for one in [value] if isinstance(value, str) else value or ():
                if one and not is_bare(one):
                    yield f"With {forged(address)} in the envelope, `{name}` has {one!r}."


def _with(subject: Subject, case: MailCase, old: str, new: str) -> InboundMessage | None:
    changes = id_changes(case.changeable, old, new)
    items = Reader(subject).mails(case.request(changes)).items
    return items[0] if len(items) == 1 else None
