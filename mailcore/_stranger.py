"""Whose webhook came to a wrong endpoint, and what to do about it.

Rule: a guess, for whoever reads the log. It is made of the names of headers alone, shows nothing of what a
stranger wrote, and decides nothing: the answer is the same with it and without.
"""

from __future__ import annotations

from collections.abc import Mapping

from mailcore._http import Headers
from mailcore._spec import AdapterSpec

__all__ = ["not_authentic", "not_understood"]


def not_authentic(headers: Headers, provider: str, adapters: Mapping[str, AdapterSpec]) -> str:
    """
    Return what to do about a delivery without a proof, if it is genuine.

    Args:
        provider: Whose endpoint it came to.
        adapters: Those whose webhooks may be known by their headers.
    """
    seen = _seen(headers, adapters)
    if provider in seen:
        return "It has the right provider's headers: see that the key or password here is the one set there."
    return _elsewhere(seen) or (
        "If it is genuine, the key or password here is not the one set there, or another provider was given "
        "this address."
    )


def not_understood(headers: Headers, provider: str, adapters: Mapping[str, AdapterSpec]) -> str:
    """Return what to do about a delivery with a proof, and without a known shape; else as `not_authentic`."""
    seen = _seen(headers, adapters)
    if provider in seen:
        return "It has the right provider's headers: a newer adapter may know it."
    return _elsewhere(seen) or "If another provider was given this address, give it one of its own."


def _seen(headers: Headers, adapters: Mapping[str, AdapterSpec]) -> Mapping[str, AdapterSpec]:
    return {
        name: spec
        for name, spec in adapters.items()
        if any(header in headers for header in spec.webhook_headers)
    }


def _elsewhere(seen: Mapping[str, AdapterSpec]) -> str:
    for name, spec in seen.items():
        return (
            f"By its headers it is a webhook of {spec.title or name}: give that the address of its own "
            f'endpoint, or set provider = "{name}" for this one.'
        )
    return ""
