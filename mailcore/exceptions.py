"""Every error mailcore raises.

MailcoreError
├─ ConfigurationError      what you configured cannot work
│  ├─ UnknownProvider      no installed plugin has that name
│  ├─ UnknownOption        no such setting
│  ├─ MissingOption        a setting is needed and absent
│  ├─ MissingDependency    an optional package is needed and absent
│  └─ AmbiguousPlugin      two distributions claim one provider
├─ InvalidMessage          a value cannot be part of any mail (also a ValueError)
│  ├─ InvalidAddress       not an address, or one that cannot be sent safely
│  ├─ InvalidAttachment    not readable, or its labels cannot be sent safely
│  ├─ IdempotencyKeyReuse  the key was used for another mail
│  ├─ InvalidHeader        a header name or value cannot be sent safely
│  ├─ NotSerializable      a value JSON cannot carry (also a TypeError)
│  └─ InvalidDocument      a JSON text that does not hold the value asked for
├─ UnsupportedFeature      this provider cannot carry it
├─ SendCancelled           a plugin stopped the message
├─ SendError               the send did not end in a result
│  ├─ NotAccepted          nothing was sent; repeating is safe
│  │  ├─ Unreachable           no connection to the provider
│  │  ├─ TLSFailure            the provider could not be trusted
│  │  ├─ RateLimited           too many requests
│  │  ├─ ServiceUnavailable    the provider is down and says so
│  │  ├─ UnexpectedRedirect    the answer points elsewhere; it is never followed
│  │  └─ AttachmentChanged     a file changed since it was attached
│  ├─ Rejected             the provider said no; repeating unchanged is useless
│  │  ├─ RecipientRejected     because of a recipient
│  │  ├─ SenderRejected        because of the sender
│  │  ├─ TooLarge              because of its size
│  │  ├─ AuthenticationFailed  the credentials are wrong
│  │  ├─ AccountProblem        the account may not send now
│  │  └─ ProtocolBug           our request was wrong: report it
│  └─ MaybeSent            nobody can tell whether it was sent
│     └─ InProgress            the same key is being processed right now
└─ WebhookRejected         a delivery is not from the provider
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from mailcore._outcome import Outcome, Scope

if TYPE_CHECKING:
    from mailcore._delivery import Disposition
    from mailcore._http import HttpResponse, SmtpResponse
    from mailcore._result import Attempt

__all__ = [
    "AccountProblem",
    "AmbiguousPlugin",
    "AttachmentChanged",
    "AuthenticationFailed",
    "ConfigurationError",
    "IdempotencyKeyReuse",
    "InProgress",
    "InvalidAddress",
    "InvalidAttachment",
    "InvalidDocument",
    "InvalidHeader",
    "InvalidMessage",
    "MailcoreError",
    "MaybeSent",
    "MissingDependency",
    "MissingOption",
    "NotAccepted",
    "NotSerializable",
    "Outcome",
    "ProtocolBug",
    "RateLimited",
    "RecipientRejected",
    "Rejected",
    "Scope",
    "SendCancelled",
    "SendError",
    "SenderRejected",
    "ServiceUnavailable",
    "TLSFailure",
    "TooLarge",
    "UnexpectedRedirect",
    "UnknownOption",
    "UnknownProvider",
    "Unreachable",
    "UnsupportedFeature",
    "WebhookRejected",
]


class MailcoreError(Exception):
    """Base of every error mailcore raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Without `__init__`: what it was called with is not kept.
        return type(self).__new__, (type(self), *self.args), self.__dict__.copy()


class ConfigurationError(MailcoreError):
    """Something in the configuration cannot work; the message says what, and the way out."""


class UnknownProvider(ConfigurationError):
    """No installed plugin offers that provider."""


class UnknownOption(ConfigurationError):
    """No such setting; the message names the nearest one."""


class MissingOption(ConfigurationError):
    """A setting is needed and absent; the message names every place it is looked for."""


class MissingDependency(ConfigurationError):
    """An optional package is needed and absent; the message holds the pip command."""


class AmbiguousPlugin(ConfigurationError):
    """Two distributions claim one provider, so neither is trusted with its credentials."""


class InvalidMessage(MailcoreError, ValueError):
    """
    A value cannot be part of any mail.

    Attributes:
        field: Name of the field, as in `Message`; empty where the value stands alone.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field


class InvalidAddress(InvalidMessage):
    """Not an address, or one that cannot be sent safely."""


class InvalidAttachment(InvalidMessage):
    """A file that cannot be read, or a name or type that cannot be sent safely."""


class InvalidHeader(InvalidMessage):
    """A header name or value that cannot be sent safely."""


class IdempotencyKeyReuse(InvalidMessage):
    """A key was used for another mail; the provider would take this one for that, and not send it."""


class NotSerializable(InvalidMessage, TypeError):
    """A value of a type JSON cannot carry."""


class InvalidDocument(InvalidMessage):
    """A JSON text that does not hold the value asked for."""


class UnsupportedFeature(MailcoreError):
    """
    A provider cannot carry it; nothing was sent.

    Attributes:
        field: The field that cannot be carried.
        provider: The provider's name; empty where no provider could.
        alternatives: Names of the other installed providers that can carry the whole message, by what
            their adapters declare; empty where none can, or where the declarations do not tell.
    """

    def __init__(
        self, message: str, *, field: str, provider: str = "", alternatives: Iterable[str] = ()
    ) -> None:
        super().__init__(message)
        self.field = field
        self.provider = provider
        self.alternatives = tuple(alternatives)


class SendCancelled(MailcoreError):
    """A `mailcore_before_send` plugin stopped the message on purpose."""


class SendError(MailcoreError):
    """
    A send did not end in a result.

    Adapters raise a leaf class with the provider's own words; core fills in the rest. The text
    never holds a token, a body, or an address the provider did not write itself.

    Attributes:
        outcome: What is known: `NOT_ACCEPTED`, `REJECTED` or `UNKNOWN`.
        scope: What else it stops: this message, the account, the provider.
        retriable: Whether the same message may succeed later, unchanged. Where the outcome is
            unknown, repeat only with the same `idempotency_key`.
        retry_after: Seconds the provider asked to wait, or None.
        fields: Field name → the provider's messages about it.
        code: The provider's own error code, or None.
        response: The answer as received, or None; its body is not in any text.
        provider: The provider's name.
        idempotency_key: The key every attempt carried, or None.
        attempts: What was tried, oldest first.
    """

    outcome: ClassVar[Outcome]
    default_scope: ClassVar[Scope] = Scope.MESSAGE
    default_retriable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        scope: Scope | None = None,
        retriable: bool | None = None,
        retry_after: float | None = None,
        fields: Mapping[str, Sequence[str]] | None = None,
        code: str | None = None,
        response: HttpResponse | SmtpResponse | None = None,
    ) -> None:
        super().__init__(message)
        self.scope = self.default_scope if scope is None else scope
        self.retriable = self.default_retriable if retriable is None else retriable
        self.retry_after = retry_after
        self.fields = {name: tuple(words) for name, words in (fields or {}).items()}
        self.code = code
        self.response = response
        self.provider = ""
        self.idempotency_key: str | None = None
        self.attempts: tuple[Attempt, ...] = ()


class NotAccepted(SendError):
    """Nothing was sent; repeating it, here or elsewhere, is safe."""

    outcome = Outcome.NOT_ACCEPTED
    default_scope = Scope.PROVIDER
    default_retriable = True


class Unreachable(NotAccepted):
    """No connection to the provider was made."""


class TLSFailure(NotAccepted):
    """The provider's certificate or protocol could not be trusted; nothing was sent."""

    default_retriable = False


class RateLimited(NotAccepted):
    """The provider asks to slow down; `retry_after` says how long, where it does."""


class ServiceUnavailable(NotAccepted):
    """The provider says that it is down."""


class UnexpectedRedirect(NotAccepted):
    """The answer points to another place; credentials are never sent after it."""

    default_retriable = False


class AttachmentChanged(NotAccepted):
    """A file changed or vanished between being attached and being sent."""

    default_scope = Scope.MESSAGE
    default_retriable = False


class Rejected(SendError):
    """The provider said no; repeating the message unchanged is useless."""

    outcome = Outcome.REJECTED


class RecipientRejected(Rejected):
    """The provider refuses a recipient."""


class SenderRejected(Rejected):
    """The provider refuses the sender."""


class TooLarge(Rejected):
    """The provider refuses the size."""


class AuthenticationFailed(Rejected):
    """The credentials are missing or wrong: every message will fail until they are mended."""

    default_scope = Scope.ACCOUNT


class AccountProblem(Rejected):
    """The account may not send now: every message will fail until somebody acts."""

    default_scope = Scope.ACCOUNT


class ProtocolBug(Rejected):
    """The request was malformed: a defect of the adapter or of something in between."""

    default_scope = Scope.PROVIDER


class MaybeSent(SendError):
    """Nobody can tell whether the mail was sent; repeat only with the same idempotency key."""

    outcome = Outcome.UNKNOWN
    default_scope = Scope.PROVIDER
    default_retriable = True


class InProgress(MaybeSent):
    """Another request with the same idempotency key is being processed."""


class WebhookRejected(MailcoreError):
    """
    A delivery could not be shown to come from the provider; its text says nothing more.

    Attributes:
        disposition: What to answer it with (`WebhookReceiver.answer`). None, as adapters usually leave
            it, stands for unauthenticated; a receiver always says one.
    """

    def __init__(self, message: str = "", *, disposition: Disposition | None = None) -> None:
        super().__init__(message)
        self.disposition = disposition
