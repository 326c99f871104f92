"""Whether a kit holds the genuine samples without which a run would prove nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mailcore import AdapterSpec, Capability, EndpointKind, WebhookRequest
from mailcore_conformance._blame import text_of
from mailcore_conformance._kit import Kit, KitError

__all__ = ["require_evidence"]


def require_evidence(spec: AdapterSpec, kit: Kit) -> None:
    """
    Do nothing where the kit holds at least one sample of each kind the adapter declares.

    Raises:
        KitError: Something is missing; the error says what and where it goes.
    """
    for heading, found in (
        ("The kit lacks genuine evidence:", _missing(spec, kit)),
        ("The kit cannot be used:", _unusable(kit)),
    ):
        lines = [f"  - {one}" for one in found]
        if lines:
            raise KitError("\n".join([heading, *lines]))


def _usable(spec: AdapterSpec, capability: Capability) -> bool:
    found = spec.capabilities.get(capability)
    return found is not None and found.usable


def _missing(spec: AdapterSpec, kit: Kit) -> Iterator[str]:
    if kit.provider != spec.name:
        yield f"it says that it is for {kit.provider!r}, and the adapter's name is {spec.name!r}."
    yield from _missing_exchanges(spec, kit)
    for capability, kind in _KINDS.items():
        if _usable(spec, capability) and not any(one.kind is kind and one.readable for one in kit.deliveries):
            where = kit.folder / "webhooks"
            yield f"{capability} is declared, and no file in {where} has the kind {kind.value!r}."
    if _usable(spec, Capability.WEBHOOK_SIGNATURE):
        for name in ("sign", "webhook_options"):
            if getattr(kit, name) is None:
                yield f"{Capability.WEBHOOK_SIGNATURE} is declared, and the kit has no {name}=."


_KINDS = {
    Capability.WEBHOOK_TRACKING: EndpointKind.TRACKING,
    Capability.WEBHOOK_INBOUND: EndpointKind.INBOUND,
}


def _missing_exchanges(spec: AdapterSpec, kit: Kit) -> Iterator[str]:
    where = kit.folder / "exchanges"
    single = [one for one in kit.exchanges if not one.is_batch]
    if not any(one.accepted for one in single):
        yield f"no file in {where} is an answer to a mail that was accepted."
    elif not any(one.accepted and one.messages and one.request is not None for one in single):
        yield f"no accepted sample in {where} has both the message and the request that sends it."
    if not any("error" in expected for one in single for expected in one.expected):
        yield f"no file in {where} is an answer to a mail that was refused."
    if _usable(spec, Capability.BATCH) and not any(one.is_batch for one in kit.exchanges):
        yield f"{Capability.BATCH} is declared, and no file in {where} is of a batch."


# What the kit's functions return --------------------------------------------------------------------


def _unusable(kit: Kit) -> Iterator[str]:
    """Yield what is wrong with the kit's own functions: otherwise each check would blame the adapter."""
    yield from _wrong("options", Mapping, lambda: kit.options("conformance-token"))
    if kit.webhook_options is not None:
        options = kit.webhook_options
        yield from _wrong("webhook_options", Mapping, lambda: options((0,)))
    if kit.sign is not None:
        sign = kit.sign
        request = next((one.request for one in kit.deliveries if one.readable), None)
        if request is not None:
            yield from _wrong("sign", WebhookRequest, lambda: sign(request, key=0, at=request.received_at))
    if not all(isinstance(name, str) for name in kit.signed_fields):
        yield "signed_fields= holds something that is no text."
    if kit.answer is not None and not callable(kit.answer):
        yield f"answer= is a {type(kit.answer).__name__}, and no function."


def _wrong(name: str, kind: type, call: Callable[[], Any]) -> Iterator[str]:
    try:
        found = call()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # reason: a kit is a stranger's code
        yield f"{name}= raised {type(error).__name__}: {text_of(error)}."
        return
    if not isinstance(found, kind):
        yield f"{name}= returned a {type(found).__name__}, and no {kind.__name__}."
