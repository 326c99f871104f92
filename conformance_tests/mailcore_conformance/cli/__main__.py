"""`python -m mailcore_conformance.cli` is `mailcore-conformance`."""

from __future__ import annotations

import sys

from mailcore_conformance.cli import main

if __name__ == "__main__":
    sys.exit(main())
