"""How the person who started this program starts it again."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

__all__ = ["program"]


def program() -> str:
    """Return what to type: the name, or the path where a shell would not find that name."""
    started = Path(sys.argv[0])
    found = shutil.which("mailcore")
    if started.stem != "mailcore" or not started.exists() or (found and started.samefile(found)):
        return "mailcore"
    near = os.path.relpath(started)
    return near if not near.startswith(os.pardir) else str(started)
