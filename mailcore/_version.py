"""Which version this is."""

from __future__ import annotations

__all__ = ["DISTRIBUTION", "version"]

#: The distribution that ships this package; on the index, `mailcore` is an unrelated project.
DISTRIBUTION = "mailcore-esp"


def version() -> str:
    """Return the installed version; "unknown" where the package is used without being installed."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"
