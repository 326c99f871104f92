"""Provider-neutral email for Python: one message, event and inbound schema for any provider.

Rule: a name is imported when it is first used, so that `import mailcore` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailcore._adapter import Adapter, Context, Flow
    from mailcore._address import Address
    from mailcore._async_group import AsyncMailerGroup
    from mailcore._async_mailer import AsyncMailer
    from mailcore._async_mailers import AsyncMailers
    from mailcore._async_receiver import AsyncWebhookReceiver
    from mailcore._attachment import Attachment
    from mailcore._basic_auth import BasicAuth
    from mailcore._body import Base64, JsonBody
    from mailcore._capabilities import Capability, Level, Support
    from mailcore._codec import from_json, to_json
    from mailcore._delivery import (
        Covers,
        Disposition,
        EndpointKind,
        Verification,
        VerifiedWebhook,
        WebhookRequest,
        WebhookResponse,
    )
    from mailcore._emulator import (
        EmulatedDelivery,
        EmulatedFile,
        EmulatedMail,
        EmulatedMailbox,
        Emulator,
    )
    from mailcore._event import BounceClass, EventType, RejectReason, TrackingEvent
    from mailcore._extra import requires_extra
    from mailcore._file_content import FileContent
    from mailcore._form import FormBody
    from mailcore._form_part import FormPart
    from mailcore._group import MailerGroup
    from mailcore._http import (
        Body,
        Headers,
        HttpRequest,
        HttpResponse,
        LocalRequest,
        LocalResponse,
        Request,
        Response,
        SmtpRequest,
        SmtpResponse,
    )
    from mailcore._inbound.attachment import InboundAttachment
    from mailcore._inbound.defect import Defect, DefectCode
    from mailcore._inbound.message import InboundMessage, UntrustedHTML
    from mailcore._mailer import Mailer
    from mailcore._mailers import Mailers
    from mailcore._message import Message
    from mailcore._mime.writer import MimeBody
    from mailcore._multipart import MultipartBody
    from mailcore._outcome import Outcome, Scope
    from mailcore._plugins import Plugin, PluginHost, PluginProblem
    from mailcore._quarantine import Quarantined
    from mailcore._receiver import WebhookReceiver
    from mailcore._replay import Claim, MemoryReplayStore, ReplayStore
    from mailcore._result import Advice, Attempt, RecipientResult, SendOutcome, SendResult, SendStatus
    from mailcore._secret import Secret
    from mailcore._settings import Settings, about
    from mailcore._spec import AdapterSpec, Idempotency
    from mailcore._spool import Spool, Spooled
    from mailcore._status import error_for_status, retry_after
    from mailcore._strict_json import strict_json
    from mailcore._time import parse_timestamp
    from mailcore._transport import AsyncTransport, Deadline, Phase, Transport, TransportFailure
    from mailcore._unset import UNSET
    from mailcore._url import check_service_url
    from mailcore.exceptions import (
        AccountProblem,
        AmbiguousPlugin,
        AttachmentChanged,
        AuthenticationFailed,
        ConfigurationError,
        IdempotencyKeyReuse,
        InProgress,
        InvalidAddress,
        InvalidAttachment,
        InvalidDocument,
        InvalidHeader,
        InvalidMessage,
        MailcoreError,
        MaybeSent,
        MissingDependency,
        MissingOption,
        NotAccepted,
        NotSerializable,
        ProtocolBug,
        RateLimited,
        RecipientRejected,
        Rejected,
        SendCancelled,
        SenderRejected,
        SendError,
        ServiceUnavailable,
        TLSFailure,
        TooLarge,
        UnexpectedRedirect,
        UnknownOption,
        UnknownProvider,
        Unreachable,
        UnsupportedFeature,
        WebhookRejected,
    )
    from mailcore.hookspecs import hookimpl

__all__ = [
    "AccountProblem",
    "Adapter",
    "AdapterSpec",
    "Address",
    "Advice",
    "AmbiguousPlugin",
    "AsyncMailer",
    "AsyncMailerGroup",
    "AsyncMailers",
    "AsyncTransport",
    "AsyncWebhookReceiver",
    "Attachment",
    "AttachmentChanged",
    "Attempt",
    "AuthenticationFailed",
    "Base64",
    "BasicAuth",
    "Body",
    "BounceClass",
    "Capability",
    "Claim",
    "ConfigurationError",
    "Context",
    "Covers",
    "Deadline",
    "Defect",
    "DefectCode",
    "Disposition",
    "EmulatedDelivery",
    "EmulatedFile",
    "EmulatedMail",
    "EmulatedMailbox",
    "Emulator",
    "EndpointKind",
    "EventType",
    "FileContent",
    "Flow",
    "FormBody",
    "FormPart",
    "Headers",
    "HttpRequest",
    "HttpResponse",
    "Idempotency",
    "IdempotencyKeyReuse",
    "InProgress",
    "InboundAttachment",
    "InboundMessage",
    "InvalidAddress",
    "InvalidAttachment",
    "InvalidDocument",
    "InvalidHeader",
    "InvalidMessage",
    "JsonBody",
    "Level",
    "LocalRequest",
    "LocalResponse",
    "MailcoreError",
    "Mailer",
    "MailerGroup",
    "Mailers",
    "MaybeSent",
    "MemoryReplayStore",
    "Message",
    "MimeBody",
    "MissingDependency",
    "MissingOption",
    "MultipartBody",
    "NotAccepted",
    "NotSerializable",
    "Outcome",
    "Phase",
    "Plugin",
    "PluginHost",
    "PluginProblem",
    "ProtocolBug",
    "Quarantined",
    "RateLimited",
    "RecipientRejected",
    "RecipientResult",
    "RejectReason",
    "Rejected",
    "ReplayStore",
    "Request",
    "Response",
    "Scope",
    "Secret",
    "SendCancelled",
    "SendError",
    "SendOutcome",
    "SendResult",
    "SendStatus",
    "SenderRejected",
    "ServiceUnavailable",
    "Settings",
    "SmtpRequest",
    "SmtpResponse",
    "Spool",
    "Spooled",
    "Support",
    "TLSFailure",
    "TooLarge",
    "TrackingEvent",
    "Transport",
    "TransportFailure",
    "UNSET",
    "UnexpectedRedirect",
    "UnknownOption",
    "UnknownProvider",
    "Unreachable",
    "UnsupportedFeature",
    "UntrustedHTML",
    "Verification",
    "VerifiedWebhook",
    "WebhookReceiver",
    "WebhookRejected",
    "WebhookRequest",
    "WebhookResponse",
    "about",
    "check_service_url",
    "error_for_status",
    "from_json",
    "hookimpl",
    "parse_timestamp",
    "requires_extra",
    "retry_after",
    "strict_json",
    "to_json",
]

#: Module → the public names it holds.
_HOMES = {
    "_adapter": "Adapter Context Flow",
    "_address": "Address",
    "_async_group": "AsyncMailerGroup",
    "_async_mailer": "AsyncMailer",
    "_async_mailers": "AsyncMailers",
    "_async_receiver": "AsyncWebhookReceiver",
    "_attachment": "Attachment",
    "_basic_auth": "BasicAuth",
    "_body": "Base64 JsonBody",
    "_capabilities": "Capability Level Support",
    "_codec": "from_json to_json",
    "_inbound.defect": "Defect DefectCode",
    "_delivery": (
        "Covers Disposition EndpointKind Verification VerifiedWebhook WebhookRequest WebhookResponse"
    ),
    "_emulator": "EmulatedDelivery EmulatedFile EmulatedMail EmulatedMailbox Emulator",
    "_event": "BounceClass EventType RejectReason TrackingEvent",
    "_extra": "requires_extra",
    "_file_content": "FileContent",
    "_form": "FormBody",
    "_form_part": "FormPart",
    "_http": (
        "Body Headers HttpRequest HttpResponse LocalRequest LocalResponse Request Response "
        "SmtpRequest SmtpResponse"
    ),
    "_inbound.message": "InboundMessage UntrustedHTML",
    "_inbound.attachment": "InboundAttachment",
    "_group": "MailerGroup",
    "_mailer": "Mailer",
    "_mailers": "Mailers",
    "_message": "Message",
    "_mime.writer": "MimeBody",
    "_multipart": "MultipartBody",
    "_outcome": "Outcome Scope",
    "_plugins": "Plugin PluginHost PluginProblem",
    "_quarantine": "Quarantined",
    "_receiver": "WebhookReceiver",
    "_replay": "Claim MemoryReplayStore ReplayStore",
    "_result": "Advice Attempt RecipientResult SendOutcome SendResult SendStatus",
    "_secret": "Secret",
    "_settings": "Settings about",
    "_spec": "AdapterSpec Idempotency",
    "_spool": "Spool Spooled",
    "_status": "error_for_status retry_after",
    "_strict_json": "strict_json",
    "_time": "parse_timestamp",
    "_transport": "AsyncTransport Deadline Phase Transport TransportFailure",
    "_unset": "UNSET",
    "_url": "check_service_url",
    "exceptions": (
        "AccountProblem AmbiguousPlugin AttachmentChanged AuthenticationFailed ConfigurationError "
        "IdempotencyKeyReuse InProgress InvalidAddress InvalidAttachment InvalidDocument InvalidHeader "
        "InvalidMessage MailcoreError MaybeSent MissingDependency MissingOption NotAccepted NotSerializable "
        "ProtocolBug RateLimited RecipientRejected Rejected SendCancelled SendError "
        "SenderRejected ServiceUnavailable TLSFailure TooLarge UnexpectedRedirect UnknownOption "
        "UnknownProvider Unreachable UnsupportedFeature WebhookRejected"
    ),
    "hookspecs": "hookimpl",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

if not TYPE_CHECKING:  # otherwise a type checker would accept any misspelt name

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name not in _HOME:
            raise AttributeError(f"module 'mailcore' has no attribute {name!r}")
        found = getattr(import_module(f"mailcore.{_HOME[name]}"), name)
        globals()[name] = found  # the next use finds it at once
        return found

    def __dir__() -> list[str]:
        return __all__
