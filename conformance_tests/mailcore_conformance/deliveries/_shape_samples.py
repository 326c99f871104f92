"""What becomes of the sample deliveries that are of no documented shape."""

from __future__ import annotations

from collections.abc import Iterator

from mailcore import EndpointKind
from mailcore_conformance._check import not_applicable_unless
from mailcore_conformance._subject import Subject
from mailcore_conformance.deliveries._delivery_reader import dispatched

__all__ = ["mistaken"]


def mistaken(subject: Subject) -> Iterator[str]:
    """Yield the samples that an endpoint handles, or does not keep."""
    samples = [
        one
        for one in subject.kit.deliveries
        if one.kind is None and one.refused is None and not {"response", "error"} & one.expected.keys()
    ]
    not_applicable_unless(samples, "No sample is of a shape that nobody documented.")
    for sample in samples:
        for kind in EndpointKind:
            found = dispatched(subject, sample.request, kind)
            if found.events or found.mails:
                yield f"Of {sample.name}, the endpoint of {kind.value} makes something."
            elif len(found.quarantined) != 1:
                yield f"The endpoint of {kind.value} does not keep {sample.name}."
