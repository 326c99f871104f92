"""What the page on security says of limits, from the code that keeps them."""

from __future__ import annotations

import attrs
from _markdown import table

from mailcore import HttpRequest, Settings, _form_part, _json_value
from mailcore._inbound import defect, filename
from mailcore._mime import tree
from mailcore.transports import _smtp_replies

__all__ = ["limits"]


def limits() -> str:
    """Write each limit, and what becomes of what is beyond it."""
    fields = attrs.fields_dict(Settings)
    unread = "the mail has no text, HTML or attachments, and `defects` says so"
    rows = [
        ("an event delivery", _size(fields["max_event_bytes"].default), "413; a setting"),
        ("a delivery of mail", _size(fields["max_inbound_bytes"].default), "413; a setting"),
        (
            "a delivery's age",
            f"{fields['max_age'].default / 86_400:g} days",
            "acknowledged, not handled; a setting",
        ),
        ("depth of JSON", _json_value.MAX_DEPTH, "quarantined, if genuine"),
        ("a number in JSON", f"{len(str(_json_value.MAX_INTEGER))} digits", "the same"),
        ("parts of a form", _form_part.MAX_PARTS, "the same"),
        ("parts of a mail", tree.MAX_PARTS, unread),
        ("depth of a mail", tree.MAX_DEPTH, unread),
        ("headers of a part", tree.MAX_HEADERS, "it has no headers"),
        ("one header", _size(tree.MAX_HEADER_BYTES), "it is left out"),
        ("a file's name", f"{filename.MAX_BYTES} bytes", "shortened; `original_filename` has all of it"),
        ("defects that are listed", defect.MAX_DEFECTS, "the rest is not listed"),
        (
            "a provider's answer, decoded",
            _size(attrs.fields_dict(HttpRequest)["max_response"].default),
            "cut off: a success is then unknown",
        ),
        ("a mail server's reply", _size(_smtp_replies.MAX_REPLY), "the connection is closed"),
        ("redirects that are followed", 0, "`UnexpectedRedirect`"),
        ("seconds for a send", f"{fields['deadline'].default:g}", "as far as it got; a setting"),
    ]
    return table(["what", "limit", "beyond it"], rows)


def _size(count: int) -> str:
    mebibytes, rest = divmod(count, 2**20)
    return f"{count // 2**10} KiB" if rest else f"{mebibytes} MiB"
