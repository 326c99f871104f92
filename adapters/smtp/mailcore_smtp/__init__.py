"""SMTP for mailcore: a mail server of one's own, or any provider's."""

from __future__ import annotations

from collections.abc import Iterable

from mailcore import AdapterSpec, Capability, Support, hookimpl

__all__ = ["mailcore_register_adapters"]

_SMTP = "https://www.rfc-editor.org/rfc/rfc5321"
_MAIL = "https://www.rfc-editor.org/rfc/rfc5322"
_MIME = "https://www.rfc-editor.org/rfc/rfc2046"
_LIST = "https://www.rfc-editor.org/rfc/rfc2369"

_CAPABILITIES = {
    Capability.HTML: Support(url=_MIME),
    Capability.AMP_HTML: Support(url=_MIME),
    Capability.CC: Support(url=_MAIL),
    Capability.BCC: Support(note="In the envelope alone.", url=_MAIL),
    Capability.MULTIPLE_FROM: Support(note="The first of them is the `Sender`.", url=_MAIL),
    Capability.REPLY_TO: Support(url=_MAIL),
    Capability.MULTIPLE_REPLY_TO: Support(url=_MAIL),
    Capability.HEADERS: Support(url=_MAIL),
    Capability.IN_REPLY_TO: Support(url=_MAIL),
    Capability.REFERENCES: Support(url=_MAIL),
    Capability.LIST_UNSUBSCRIBE: Support(url=_LIST),
    Capability.ATTACHMENTS: Support(url=_MIME),
    Capability.INLINE_IMAGES: Support(url=_MIME),
    Capability.ENVELOPE_SENDER: Support(url=_SMTP),
    Capability.RECIPIENT_STATUS: Support(note="As the server takes each; later news are bounces.", url=_SMTP),
}


@hookimpl
def mailcore_register_adapters() -> Iterable[AdapterSpec]:
    """Offer `smtp`."""
    return (
        AdapterSpec(
            name="smtp",
            title="SMTP",
            factory="mailcore_smtp._adapter:SmtpAdapter",
            options="mailcore_smtp._options:SmtpOptions",
            capabilities=_CAPABILITIES,
            conformance_kit="mailcore_smtp.conformance:KIT",
            docs_url=_SMTP,
        ),
    )
