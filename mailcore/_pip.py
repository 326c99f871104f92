"""What pip is told to install.

Rule: an extra comes from where its distribution came from: a folder, a repository or an index. No index has
mailcore's own yet, so that a name alone would find nothing.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

__all__ = ["adapter_of", "pip_install"]


def pip_install(distribution: str, extra: str = "") -> str:
    """Return the command that installs a distribution again, with an extra, from where it came from."""
    extras = f"[{extra}]" if extra else ""
    origin = _origin(distribution)
    url = origin.get("url", "")
    if "dir_info" in origin:
        from urllib.request import url2pathname

        editable = "-e " if origin["dir_info"].get("editable") else ""
        return f"pip install {editable}'{url2pathname(urlsplit(url).path)}{extras}'"
    if "vcs_info" in origin:
        vcs = origin["vcs_info"]
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    return f"pip install '{distribution}{extras}{f' @ {url}' if url else ''}'"


def adapter_of(provider: str) -> str:
    """Return how the adapter of a provider is installed that nothing installed offers."""
    folder = provider.replace("-", "_")
    return (
        f"install its package, `mailcore-{provider}`; if it is one of mailcore's own, from a clone: "
        f"pip install ./adapters/{folder}"
    )


def _origin(distribution: str) -> dict[str, Any]:
    """Return what pip noted of where it got a distribution; empty for one of an index."""
    # https://packaging.python.org/en/latest/specifications/direct-url-data-structure/
    from importlib import metadata

    try:
        noted = metadata.distribution(distribution).read_text("direct_url.json")
        found = json.loads(noted or "{}")
    except (metadata.PackageNotFoundError, OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
