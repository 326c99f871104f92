"""How MailPace reads addresses.

Rule: the standard library's strict parser decides. It splits an unquoted comma in a display name
into two recipients, as a mail server would, and then refuses the half that is no address.
"""

from __future__ import annotations

import re
from email.errors import NonASCIILocalPartDefect, ObsoleteHeaderDefect
from email.headerregistry import Address
from email.policy import default
from functools import lru_cache
from typing import Any

from mailcore_mailpace.emulator._mail import Mailbox

__all__ = ["MAX_LENGTH", "UnreadableAddress", "domain_of", "read_mailboxes"]

#: The parser takes time in the square of the length. 50 addresses of 254 characters fit in.
MAX_LENGTH = 16 * 1024
#: RFC 5321, section 4.5.3.1, and RFC 1035.
MAX_LOCAL, MAX_DOMAIN = 64, 253
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# Old but legal forms, and addresses of RFC 6531.
HARMLESS = (ObsoleteHeaderDefect, NonASCIILocalPartDefect)


class UnreadableAddress(ValueError):
    """The text is not a list of addresses."""


def domain_of(address: str) -> str:
    """
    Return the domain of an addr-spec in lower case and as A-labels.

    Raises:
        UnreadableAddress: It is no domain name of two labels or more.
    """
    domain = address.rpartition("@")[2]
    try:
        ascii_domain = domain.encode("idna").decode().lower() if len(domain) <= MAX_DOMAIN else ""
    except UnicodeError:
        raise UnreadableAddress(domain) from None
    labels = ascii_domain.split(".")
    if len(labels) == 1 or not all(LABEL.fullmatch(label) for label in labels):
        raise UnreadableAddress(domain)
    return ascii_domain


@lru_cache(maxsize=64)  # a sandbox reads each request twice: to adopt its sender, and to answer it
def read_mailboxes(text: str) -> tuple[Mailbox, ...]:
    """
    Read a comma-separated list, in order.

    Raises:
        UnreadableAddress: Any part of it is not an address.
    """
    if len(text) > MAX_LENGTH or CONTROL.search(text):
        raise UnreadableAddress(text[:80])
    header = _parse(text)
    if any(group.display_name is not None for group in header.groups):
        raise UnreadableAddress("a group")
    if not all(isinstance(defect, HARMLESS) for defect in header.defects):
        raise UnreadableAddress("defects")
    return tuple(_mailbox(address) for address in header.addresses)


def _parse(text: str) -> Any:
    try:
        return default.header_factory("To", text)
    except Exception:  # noqa: BLE001  # reason: the parser is known to raise more than it documents
        raise UnreadableAddress("no address list") from None


def _mailbox(address: Address) -> Mailbox:
    domain_of(address.addr_spec)
    if not 0 < len(address.username) <= MAX_LOCAL:
        raise UnreadableAddress("local part")
    return Mailbox(address.display_name, address.addr_spec)
