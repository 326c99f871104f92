"""What becomes of the sample settings: taken, or refused in words that help; and what they then verify."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from mailcore import (
    Adapter,
    EndpointKind,
    InvalidDocument,
    MailcoreError,
    Mailer,
    Verification,
    VerifiedWebhook,
    WebhookReceiver,
    WebhookRejected,
)
from mailcore._config import configuration
from mailcore_conformance._check import Failed, not_applicable_unless
from mailcore_conformance._sample import Delivery, KitError, SettingsSample
from mailcore_conformance._subject import Script, Subject, drive, fetch
from mailcore_conformance.conduct._flows import verified
from mailcore_conformance.conduct._options import credentials, options_class, texts

__all__ = ["misjudged"]

#: A text shorter than this may stand in a sentence by chance.
TELLING = 8
OUTCOME = ("refused", "scheme", "key", "error", "text")


def misjudged(subject: Subject) -> Iterator[str]:
    """Yield the samples of settings that end otherwise than they say."""
    if not subject.kit.settings:
        own = _read_their_own_way(subject)
        not_applicable_unless(own, "No option has a converter of the adapter's own.")
        raise Failed(
            f"The adapter reads {', '.join(own)} in its own way, and no sample shows how. Add "
            "settings/*.json: for each way to be right and each way to be wrong, one."
        )
    for sample in subject.kit.settings:
        yield from _differences(subject, sample)


def _read_their_own_way(subject: Subject) -> Sequence[str]:
    """Return the options that a function of the adapter's own package reads."""
    cls = options_class(subject)
    package = cls.__module__.partition(".")[0]
    modules = {field.name: getattr(field.converter, "__module__", None) or "" for field in attrs.fields(cls)}
    return [name for name, module in modules.items() if module.partition(".")[0] == package]


def _differences(subject: Subject, sample: SettingsSample) -> Iterator[str]:
    settings = {name: _filled(value, subject.secret) for name, value in sample.options.items()}
    try:
        adapter = _made(subject, settings, sample.to)
    except MailcoreError as error:
        yield from _misrefused(subject, sample, settings, error)
        return
    if sample.error is not None:
        yield f"{sample.name}: the settings are taken instead of refused with {sample.error}."
    for name, wanted in sample.deliveries.items():
        found = _outcome(subject, adapter, _delivery(subject, sample, name))
        for what in OUTCOME:
            if found.get(what) != wanted.get(what) and (what in wanted or what in ("refused", "error")):
                yield (
                    f"{sample.name}: of {name}, `{what}` is {found.get(what)!r} "
                    f"instead of {wanted.get(what)!r}."
                )


def _filled(value: Any, token: str) -> Any:
    """Return an option's value with this run's token in place of `TOKEN`."""
    if isinstance(value, str):
        return value.replace("TOKEN", token)
    if isinstance(value, Mapping):
        return {name: _filled(item, token) for name, item in value.items()}
    return [_filled(item, token) for item in value] if isinstance(value, list) else value


def _made(subject: Subject, settings: Mapping[str, Any], to: str) -> Adapter:
    """Return the adapter of a mailer or receiver with these settings."""
    found = configuration({"provider": subject.spec.name, **settings}, host=subject.host, environ={})
    script = Script([], subject.kit.answer)
    if to == "send":
        Mailer(found, host=subject.host, transport=script)
    else:
        WebhookReceiver(found, host=subject.host, transport=script)
    return found.adapter()


def _misrefused(
    subject: Subject, sample: SettingsSample, settings: Mapping[str, Any], error: MailcoreError
) -> Iterator[str]:
    said, name = str(error), type(error).__name__
    if any(one in said for one in _secrets(subject, settings)):
        yield f"{sample.name}: the error holds the value of a secret."
    elif sample.error is None:
        yield f"{sample.name}: the settings are refused ({name}: {said})."
    elif (name, said) != (sample.error, sample.text):
        yield f"{sample.name}: the error is {name}: {said!r} instead of {sample.error}: {sample.text!r}."


def _secrets(subject: Subject, settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield what nobody may read in an error: the token, and all that proves a delivery."""
    yield subject.secret
    hidden = set(credentials(subject))
    if subject.kit.webhook_options is not None:
        hidden |= subject.kit.webhook_options((0,)).keys()
    for name in hidden & settings.keys():
        yield from (text for text in texts(settings[name]) if len(text) >= TELLING)


# What the settings verify ---------------------------------------------------------------------------


def _delivery(subject: Subject, sample: SettingsSample, name: str) -> Delivery:
    for delivery in subject.kit.deliveries:
        if delivery.name == name:
            return delivery
    raise KitError(f"settings/{sample.name}.json names webhooks/{name}.json, which is not there.")


def _outcome(subject: Subject, adapter: Adapter, delivery: Delivery) -> Mapping[str, str]:
    """Return how an adapter proves a delivery, or why it refuses it, or why it cannot read it."""
    try:
        proof = verified(subject, adapter, delivery)
    except WebhookRejected as error:
        return {"refused": str(error)}
    if not isinstance(proof, Verification):
        return {}
    webhook = VerifiedWebhook(request=delivery.request, verification=proof)
    found = {"scheme": proof.scheme, "key": proof.key}
    try:
        _read(subject, adapter, webhook)
    except InvalidDocument as error:
        found |= {"error": type(error).__name__, "text": str(error)}
    return found


def _read(subject: Subject, adapter: Adapter, webhook: VerifiedWebhook) -> None:
    kind = adapter.webhook_kind(webhook)
    if kind is EndpointKind.TRACKING:
        adapter.parse_events(webhook)
    elif kind is EndpointKind.INBOUND:
        flow = adapter.inbound_flow(webhook, subject.context())
        drive(flow, lambda step: fetch(subject.kit.answer, step))
