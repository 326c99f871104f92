"""A certificate authority of the harness's own."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

__all__ = ["Authority"]


class Authority:
    """
    Make certificates that whoever is given `path` as `ca_bundle` trusts.

    Attributes:
        path: File of its own certificate.
    """

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self.path = str(folder / f"ca-{id(self)}.pem")
        self._ca.cert_pem.write_to_path(self.path)

    def context(self, name: str = "127.0.0.1", *, expired: bool = False) -> ssl.SSLContext:
        """Return what a server of that name needs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        end = datetime.now(UTC) - timedelta(days=1) if expired else None
        self._ca.issue_cert(name, not_after=end).configure_cert(context)
        return context
