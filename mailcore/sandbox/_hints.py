"""What may keep a mail from being delivered, or from looking as it should.

Rule: each hint is seen in the mail alone; nothing is asked of anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

import attrs

from mailcore._inbound.message import InboundMessage
from mailcore.sandbox._scan import Scan
from mailcore.sandbox._source import MAX_LINE, is_wide

__all__ = ["Hint", "hints"]

#: Gmail shows no more of a mail's HTML, and a link to the rest.
CLIPPED = 102 * 1024

#: As many broken references are named.
MAX_NAMED = 20

_BULK = re.compile("news|market|promo|campaign|bulk|digest|announce", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class Hint:
    """
    One thing to think about.

    Attributes:
        code: Its name, for programs.
    """

    code: str
    text: str


def hints(mail: InboundMessage, *, tags: Iterable[str] = ()) -> tuple[Hint, ...]:
    """Return what is worth a thought, the most harmful first."""
    scan = Scan(mail.html or "")
    found = (
        *_bodies(mail), *_source(mail), *_bulk(mail, tags), *_images(mail, scan), *_html(mail, scan),
    )  # fmt: skip
    return tuple(Hint(code=code, text=text) for code, text in found)


def _bodies(mail: InboundMessage) -> Iterator[tuple[str, str]]:
    html, text = (mail.html or "").strip(), (mail.text or "").strip()
    if not html and not text:
        yield "empty", "The mail has neither text nor HTML."
    elif not text:
        yield "no-text", "There is no text beside the HTML: filters mind, and some people read only text."
    if not (mail.subject or "").strip():
        yield "no-subject", "There is no subject."


def _source(mail: InboundMessage) -> Iterator[tuple[str, str]]:
    if is_wide(mail.raw or b""):
        yield "long-lines", f"A line is longer than {MAX_LINE} bytes: mail servers refuse it, or break it."


def _bulk(mail: InboundMessage, tags: Iterable[str]) -> Iterator[tuple[str, str]]:
    precedence = mail.headers.get("Precedence", "").strip().lower() in ("bulk", "list")
    why = next((f"the tag {tag!r}" for tag in tags if _BULK.search(tag)), "")
    why = why or ("its Precedence" if precedence else "its List-Id" if "List-Id" in mail.headers else "")
    if not why:
        return
    if "List-Unsubscribe" not in mail.headers:
        yield "no-list-unsubscribe", f"It looks like bulk mail, by {why}, and has no List-Unsubscribe."
    elif "List-Unsubscribe-Post" not in mail.headers:
        yield (
            "no-one-click",
            "List-Unsubscribe is there without List-Unsubscribe-Post: no one-click (RFC 8058).",
        )


def _images(mail: InboundMessage, scan: Scan) -> Iterator[tuple[str, str]]:
    files = mail.content_id_map
    for cid in scan.cids[:MAX_NAMED]:
        if cid not in files and unquote(cid) not in files:
            yield "broken-cid", f"The HTML refers to cid:{cid}, and no file has that content id."
    used = {unquote(cid) for cid in scan.cids} | set(scan.cids)
    for cid in files:
        if mail.html and cid not in used:
            yield "unused-cid", f"The file with the content id {cid} is not referred to in the HTML."
    if scan.remote:
        yield (
            "remote-images",
            f"{len(scan.remote)} images are elsewhere; many mail programs ask first.",
        )
    if scan.without_alt:
        yield "no-alt", f"{scan.without_alt} images have no alt text, which is read where they are not shown."


def _html(mail: InboundMessage, scan: Scan) -> Iterator[tuple[str, str]]:
    if scan.scripts:
        yield "scripts", "There are scripts or event handlers in the HTML; mail programs remove them."
    if len((mail.html or "").encode(errors="replace")) > CLIPPED:
        yield "clipped", f"The HTML is larger than {CLIPPED // 1024} KiB, and Gmail clips it."
