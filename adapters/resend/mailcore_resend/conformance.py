"""What the conformance suite needs to know of this adapter; the samples are in `kit/`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from mailcore_conformance import Kit

__all__ = ["KIT"]


def _options(secret: str) -> Mapping[str, Any]:
    return {"api_key": secret}


KIT = Kit(provider="resend", folder=Path(str(files("mailcore_resend") / "kit")), options=_options)
