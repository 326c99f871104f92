"""Where a service of AWS is (https://docs.aws.amazon.com/general/latest/gr/rande.html)."""

from __future__ import annotations

__all__ = ["endpoint"]


def endpoint(service: str, region: str) -> str:
    """Return the address of a service in a region; China has a domain of its own."""
    suffix = ".cn" if region.startswith("cn-") else ""
    return f"https://{service}.{region}.amazonaws.com{suffix}"
