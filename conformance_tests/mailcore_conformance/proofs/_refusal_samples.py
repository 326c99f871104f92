"""What an adapter says of the sample deliveries that are not genuine."""

from __future__ import annotations

from collections.abc import Iterator

from mailcore import WebhookRejected
from mailcore_conformance._check import Failed
from mailcore_conformance._subject import Subject
from mailcore_conformance.conduct._options import texts
from mailcore_conformance.proofs._proof import Verifier

__all__ = ["unrefused"]

#: A text shorter than this may stand in a sentence by chance.
TELLING = 8


def unrefused(subject: Subject) -> Iterator[str]:
    """Yield the samples that are not refused in the words they name."""
    samples = [one for one in subject.kit.deliveries if one.refused is not None]
    if not samples:
        raise Failed(
            "No sample shows how a forgery is refused. Add webhooks/*.json without a signature, with another "
            "key's and so on, and what the adapter says as `refused` under `expected`."
        )
    verifier = Verifier(subject)
    keys = [one for one in texts(subject.webhook_configuration()) if len(one) >= TELLING]
    for sample in samples:
        try:
            verifier(sample.request, at=sample.request.received_at)
        except WebhookRejected as error:
            said = str(error)
        else:
            yield f"{sample.name} is taken for genuine."
            continue
        body = sample.request.body.decode("utf-8", "replace")
        if (body and body in said) or any(key in said for key in keys):
            yield f"{sample.name}: the error holds a key, or the body of a stranger."
        elif said != sample.refused:
            yield f"{sample.name} is refused with {said!r} instead of {sample.refused!r}."
