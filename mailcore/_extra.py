"""What is imported only where an extra brought it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mailcore._pip import pip_install
from mailcore._version import DISTRIBUTION
from mailcore.exceptions import MissingDependency

__all__ = ["requires_extra"]


@contextmanager
def requires_extra(extra: str, *, by: str, of: str = DISTRIBUTION) -> Iterator[None]:
    """
    Import what an extra brings, or say how it is installed.

        with requires_extra("signatures", of="mailcore-acme", by="webhook_key"):
            from nacl.signing import VerifyKey

    Args:
        by: What cannot be used without it: an option, a module.
        of: The distribution that declares it.

    Raises:
        MissingDependency: An import within failed.
    """
    try:
        yield
    except ImportError as error:
        raise MissingDependency(
            f"{by} needs the extra {extra!r} of {of} ({error}). Run: {pip_install(of, extra)}"
        ) from error
