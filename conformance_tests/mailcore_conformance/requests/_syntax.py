"""Values that are syntax in some format, and what must become of them.

Rule: what separates or ends something in one format is an ordinary character in all others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mailcore_conformance._check import require, require_none
from mailcore_conformance._probe import new_tag
from mailcore_conformance._subject import Subject
from mailcore_conformance._wire import Wire
from mailcore_conformance.requests._reading import added, built, mail

__all__ = ["FILE_NAMES", "KEY", "SYNTAX", "comes_back", "differ", "hostile_body", "nothing_added"]

#: A little of every format: JSON, forms, URLs, headers, addresses, HTML, templates, encoded words.
SYNTAX = (
    "a \"b\" \\c 'd' e,f;g:h <i> (j) {k} [l] &m=n+o %p %41 #q ?r /s |t `u` $v @w &amp; "
    '\\n\\u0041 =?utf-8?q?x?= {{y}} "}],"bcc":"z'
)
#: A key that ends what holds it, in a form, a path and JSON.
KEY = 'a.b[c]"d&e=f,g;h:i\\j'
#: Names that end the parameter they stand in, leave a folder, or look encoded.
FILE_NAMES = (
    'a"; filename="evil.exe',
    'a" name="to',
    "a\\b.txt",
    "../../etc/passwd",
    "%22%0D%0A.txt",
    "=?utf-8?q?x?=.txt",
    "a;b=c, d&e.txt",
    '"}],"to":"evil',
)


def hostile_body(wire: Wire) -> str:
    """Return a body that looks like the end of its own part, and like headers, fields and keys."""
    found = (re.search(r'boundary="?([^";]+)', piece.text) for piece in wire.pieces)
    ends = "".join(f"\n--{one[1]}\nX-Evil: 1\n\nevil\n--{one[1]}--\n" for one in found if one)
    return (
        f"Bcc: evil@example.com\nX-Evil: 1\n\n--part\nevil\n--part--{ends}\n.\nFrom me\n{SYNTAX}\n\x0c&bcc=z"
    )


def nothing_added(hostile: Wire, harmless: Wire, values: Sequence[tuple[str, str]], what: str) -> None:
    """Require that a hostile value is in no other places than a harmless one."""
    require_none(
        f"{what} changes the request: {place} is there more or less often than with a harmless one."
        for place in added(hostile, harmless, values)
    )


def comes_back(
    subject: Subject, field: str, hostile: Any, harmless: Any, values: Sequence[tuple[str, str]]
) -> None:
    """Require that all hostile values come back and add nothing, or are refused."""
    tag = new_tag()
    wire = built(subject, mail(tag, subject=None, **{field: hostile}))
    if wire is None:
        return
    missing = [value for value, _ in values if not wire.find(value)]
    require(not missing, f"{field}: a value of quotes, brackets and the like does not come back whole.")
    other = subject.wire(mail(tag, subject=None, **{field: harmless}))
    nothing_added(wire, other, values, f"A hostile value in {field}")


def differ(subject: Subject, field: str, pairs: Sequence[tuple[str, Any, Any]]) -> None:
    """Require that what is one value and what are two make two requests, or that one is refused."""
    tag = new_tag()
    for told, one, two in pairs:
        joined, apart = (built(subject, mail(tag, subject=None, **{field: value})) for value in (one, two))
        same = joined is not None and apart is not None and joined.leaves == apart.leaves
        require(not same, f"{field}: {told} makes the same request as two values.")
