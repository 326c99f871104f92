"""The providers that need no account: registered like any other plugin."""

from __future__ import annotations

from collections.abc import Iterable

from mailcore._capabilities import Capability, Support
from mailcore._spec import AdapterSpec, Idempotency
from mailcore.hookspecs import hookimpl

#: All of it, but that one answer covers the whole message.
_SENDING = {
    capability: Support()
    for capability in Capability
    if capability.value.startswith("send.") and capability is not Capability.RECIPIENT_STATUS
}

#: Both remember keys for as long as the process lives; a day is what is promised.
_IDEMPOTENCY = Idempotency(ttl=24 * 3600, max_length=255, per_batch=True)


@hookimpl
def mailcore_register_adapters() -> Iterable[AdapterSpec]:
    """Offer `memory` and `console`."""
    return (
        AdapterSpec(
            name="memory",
            title="Memory",
            factory="mailcore.providers.local:MemoryAdapter",
            options="mailcore.providers.local:LocalOptions",
            capabilities={**_SENDING, Capability.BATCH: Support(limit=100)},
            idempotency=_IDEMPOTENCY,
        ),
        AdapterSpec(
            name="console",
            title="Console",
            factory="mailcore.providers.local:ConsoleAdapter",
            options="mailcore.providers.local:LocalOptions",
            capabilities={
                capability: found
                for capability, found in _SENDING.items()
                if capability is not Capability.BATCH
            },
            idempotency=_IDEMPOTENCY,
        ),
    )
