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

#: The same, one message at a time.
_ALONE = {capability: found for capability, found in _SENDING.items() if capability is not Capability.BATCH}

#: They remember keys for as long as the process lives, or the file; a day is what is promised.
_IDEMPOTENCY = Idempotency(ttl=24 * 3600, max_length=255, per_batch=True)


@hookimpl
def mailcore_register_adapters() -> Iterable[AdapterSpec]:
    """Offer `memory`, `console` and `file`."""
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
            capabilities=_ALONE,
            idempotency=_IDEMPOTENCY,
        ),
        AdapterSpec(
            name="file",
            title="File",
            factory="mailcore.providers.file:FileAdapter",
            options="mailcore.providers.file:FileOptions",
            capabilities=_ALONE,
            idempotency=_IDEMPOTENCY,
        ),
    )
