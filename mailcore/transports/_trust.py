"""Whom a TLS connection may talk to.

Rule 1: `ca_bundle`, or the authorities that come with requests; the environment has no say. Python's and
        urllib3's ready-made contexts would write every session's keys to the file SSLKEYLOGFILE names.
Rule 2: one context for all connections: reading the certificates takes longer than connecting.
"""

from __future__ import annotations

import ssl
import sys
import threading
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from mailcore.exceptions import ConfigurationError

__all__ = ["Trust"]


class Trust:
    """
    Hold the TLS context of one transport in one process, made when it is first needed.

    Args:
        bundle: File or folder of certificates; None: the authorities that come with requests.

    Raises:
        ConfigurationError: It does not exist.
    """

    def __init__(self, bundle: str | None) -> None:
        if bundle is not None and not Path(bundle).exists():
            raise ConfigurationError(f"ca_bundle is {bundle}, which does not exist.")
        self._bundle = bundle
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()

    def context(self) -> ssl.SSLContext:
        """
        Return the one context.

        Raises:
            ConfigurationError: The file holds no certificate, or cannot be read.
        """
        with self._lock:
            if self._context is None:
                self._context = self._made()
            return self._context

    def _made(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # this protocol checks certificate and name
        context.hostname_checks_common_name = False
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if sys.version_info >= (3, 13):  # what Python's own default is from there on
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
        bundle = self._bundle or DEFAULT_CA_BUNDLE_PATH
        try:
            if Path(bundle).is_dir():
                context.load_verify_locations(capath=bundle)
            else:
                context.load_verify_locations(cafile=bundle)
        except OSError as error:  # an SSLError is one too
            raise ConfigurationError(
                f"ca_bundle is {bundle}, which holds no certificate that can be read "
                f"({type(error).__name__})."
            ) from None
        return context
