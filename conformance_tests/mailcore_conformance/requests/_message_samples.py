"""What an adapter says of the sample messages: which it advises on, and which it refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mailcore import Adapter, Attachment, Capability, Message, UnsupportedFeature
from mailcore_conformance._check import Failed, not_applicable_unless
from mailcore_conformance._probe import new_tag
from mailcore_conformance._sample import MessageSample
from mailcore_conformance._subject import Subject
from mailcore_conformance.requests._reading import built, mail

__all__ = ["misadvised", "unrefused"]

ADVICE = ("code", "field", "text", "url")


def misadvised(subject: Subject) -> Iterator[str]:
    """Yield the samples for which an adapter gives other advice than they say."""
    samples = [one for one in subject.kit.messages if one.unsupported is None]
    advises = type(subject.adapter()).advise is not Adapter.advise
    not_applicable_unless(advises or samples, "The adapter gives no advice.")
    if not any(one.advice for one in samples):
        raise Failed(
            "The adapter gives advice, and no sample shows for what. Add messages/*.json, one on each side "
            "of every limit, with the advice under `expected`."
        )
    adapter = subject.adapter()
    for sample in samples:
        given = list(adapter.advise(sample.message.resolve()))
        if len(given) != len(sample.advice):
            codes = ", ".join(str(getattr(one, "code", one)) for one in given) or "none"
            yield f"{sample.name}: the advice is {codes}; {len(sample.advice)} were expected."
            continue
        for found, wanted in zip(given, sample.advice, strict=True):
            yield from _differences(sample, {name: getattr(found, name, None) for name in ADVICE}, wanted)


def unrefused(subject: Subject) -> Iterator[str]:
    """Yield the samples that an adapter does not refuse as they say."""
    samples = [one for one in subject.kit.messages if one.unsupported is not None]
    if not samples:
        what = next(_refused(subject), None)
        not_applicable_unless(what, "The adapter refuses no message whose fields it declares.")
        raise Failed(
            f"The adapter refuses {what}, and no sample shows it. Add messages/*.json for each refusal."
        )
    for sample in samples:
        error = _refusal(subject, sample.message)
        if error is None:
            yield f"{sample.name} is not refused: a request is made."
            continue
        found = {"field": error.field, "text": str(error), "provider": error.provider}
        yield from _differences(sample, found, {**(sample.unsupported or {}), "provider": subject.spec.name})


def _differences(
    sample: MessageSample, found: Mapping[str, object], wanted: Mapping[str, object]
) -> Iterator[str]:
    for name, value in wanted.items():
        if found.get(name) != value:
            yield f"{sample.name}: `{name}` is {found.get(name)!r} instead of {value!r}."


def _refusal(subject: Subject, message: Message) -> UnsupportedFeature | None:
    """Return how the adapter itself refuses a message; None where it makes a request."""
    flow = subject.adapter().send_flow(message.resolve(), subject.context())
    try:
        next(flow)
    except UnsupportedFeature as error:
        return error
    finally:
        flow.close()
    return None


def _refused(subject: Subject) -> Iterator[str]:
    """Yield the messages that say nothing but what is declared, and that are refused all the same."""
    tag, file = new_tag(), Attachment(content=b"x", filename="a.txt")
    cases = {
        "a mail without `to`": (Capability.CC, mail(tag, to=None, cc="cc@example.com")),
        "a mail without text and HTML": (Capability.ATTACHMENTS, mail(tag, text=None, attachments=[file])),
    }
    for what, (capability, message) in cases.items():
        if subject.can(capability) and built(subject, message) is None:
            yield what
