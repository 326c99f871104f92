"""`python -m mailcore` is `mailcore`."""

from __future__ import annotations

import sys

from mailcore.cli import main

if __name__ == "__main__":
    sys.exit(main())
