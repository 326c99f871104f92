"""What is in the HTML of a mail: links, images, content ids, scripts. Nothing of it is run or fetched.

Rule: each character is looked at a few times, whatever a stranger wrote: the standard library's parser can be
kept busy for hours by a megabyte.
"""

from __future__ import annotations

import re
from html import unescape

__all__ = ["CID", "Scan"]

#: A reference to a file of the mail, in an attribute or in a style.
CID = re.compile(r"""cid:([^"'\s)>]+)""", re.IGNORECASE)
#: As much is looked at; mail programs show less.
MAX_SCANNED = 1024 * 1024

#: No tag holds another's beginning, so that nothing is read twice.
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]*)([^<>]*)>")
_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")
_REMOTE = re.compile(r"(https?:)?//", re.IGNORECASE)
_LINK = re.compile(r"(https?|mailto|tel):", re.IGNORECASE)
MAX_LABEL = 200
MAX_LINKS = 500


class Scan:
    """
    Look through HTML once.

    Attributes:
        links: Address and text of the first links, in order; only those that a browser opens.
        remote: Addresses of images that a mail program would fetch.
        without_alt: How many images have no text in their place.
        scripts: How many scripts and event handlers there are, which mail programs remove.
        cids: The content ids that are referred to, in order.
    """

    def __init__(self, html: str) -> None:
        self.links: list[tuple[str, str]] = []
        self.remote: list[str] = []
        self.without_alt = 0
        self.scripts = 0
        self.cids = list(dict.fromkeys(CID.findall(html)))
        self._inside = False
        self._read(html[:MAX_SCANNED])

    def _read(self, html: str) -> None:
        end = 0
        for tag in _TAG.finditer(html):
            self._text(html[end : tag.start()])
            end = tag.end()
            if tag[1]:
                self._inside = self._inside and tag[2].lower() != "a"
            else:
                self._tag(tag[2].lower(), _attributes(tag[3]))
        self._text(html[end:])

    def _tag(self, name: str, given: dict[str, str]) -> None:
        self.scripts += (name == "script") + sum(attribute.startswith("on") for attribute in given)
        if name == "a":
            self._inside = len(self.links) < MAX_LINKS and _LINK.match(given.get("href", "")) is not None
            if self._inside:
                self.links.append((given["href"], ""))
        if name == "img":
            self.without_alt += "alt" not in given
            if _REMOTE.match(given.get("src", "")):
                self.remote.append(given["src"])

    def _text(self, text: str) -> None:
        if self._inside and len(self.links[-1][1]) < MAX_LABEL:
            href, label = self.links[-1]
            self.links[-1] = (href, f"{label}{unescape(text[:MAX_LABEL])}"[:MAX_LABEL])


def _attributes(text: str) -> dict[str, str]:
    return {name.lower(): unescape(value.strip("\"'")).strip() for name, value in _ATTRIBUTE.findall(text)}
