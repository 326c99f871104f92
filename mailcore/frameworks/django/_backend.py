"""Django's email backend on mailcore.

Rule 1: Django's own contract holds: what is returned, what is raised, what `fail_silently` hides.
Rule 2: `fail_silently` hides how a send ended (`SendError`), never a mistake in message or settings.
Rule 3: connections belong to the mailers, which all threads share; closing a backend closes only what
        belongs to it alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from mailcore import (
    ConfigurationError,
    MailcoreError,
    Mailer,
    MailerGroup,
    Message,
    Scope,
    SendCancelled,
    SendError,
    SendResult,
)
from mailcore.exceptions import MaybeSent
from mailcore.frameworks.django._anymail import AnymailStatus
from mailcore.frameworks.django._conversion import message_from_django
from mailcore.frameworks.django._registry import registry
from mailcore.frameworks.django._settings import Surroundings
from mailcore.frameworks.django.signals import post_send, pre_send

__all__ = ["EmailBackend", "OutboxBackend"]

#: What `send_mail(auth_user=..., auth_password=...)` becomes; no option of any mailer.
_LOGIN = ("username", "password")
#: Django 6.1 and later say which entry of `MAILERS` is wrong.
_InvalidMailer: Any = getattr(mail, "InvalidMailer", None)


class EmailBackend(BaseEmailBackend):
    """
    Send through a mailer of the setting `MAILCORE`.

    After a send each message has `mailcore_result`, `mailcore_error` (one of which is None) and
    `anymail_status`.

    Args:
        mailer: Its name; None: the default one.
        options: Of the mailer, in place of its own, such as `api_key`; with `provider` they are all
            there is.

    Raises:
        ImproperlyConfigured: The mailer cannot work, or there is no such option; from an entry of
            Django's `MAILERS`, its `InvalidMailer`.
    """

    def __init__(
        self,
        fail_silently: bool = False,  # noqa: FBT001, FBT002  # reason: Django's own signature
        *,
        alias: str | None = None,
        mailer: str | None = None,
        _ignore_unknown_kwargs: Iterable[str] = (),
        **options: Any,
    ) -> None:
        super().__init__()
        self.alias = alias  # which Django before 6.1 does not know
        self.fail_silently = fail_silently
        given = {name.lower(): value for name, value in options.items()}
        self._drop_login(given, _LOGIN if alias is None else _ignore_unknown_kwargs)
        self._name, self._options = mailer, given
        self._own: Mailer | None = None
        self._shared = None if given and alias is None else self._built(self._find)
        if self._shared is None:
            self._built(self._make).close()  # what cannot work is said now, not at the first send

    def _drop_login(self, options: dict[str, Any], names: Iterable[str]) -> None:
        if [name for name in names if options.pop(name, None) is not None and name in _LOGIN]:
            warnings.warn(
                "auth_user and auth_password mean nothing to mailcore. Name a mailer instead.",
                RuntimeWarning,
                stacklevel=4,
            )

    # Its mailer ---------------------------------------------------------------------------------

    def _built(self, build: Any) -> Any:
        try:
            return build()
        except ConfigurationError as error:
            failure = _improper(error, self.alias)
        # Raised out here: the frames that read the settings hold secrets, which an error report would show.
        raise failure

    def _find(self) -> Mailer | MailerGroup:
        if self.alias is not None and self._options:
            return registry.own_mailer(self.alias, self._name, self._options)
        return registry.mailer(self._name)

    def _make(self) -> Mailer:
        config = registry.overridden(self._name, self._options)
        return Mailer.from_config(config, environ=Surroundings(), name=self._name or "default")

    @property
    def mailer(self) -> Mailer | MailerGroup:
        """The mailer that sends."""
        found = self._shared or self._own
        if found is None:
            found = self._own = self._built(self._make)
        return found

    def open(self) -> bool:
        """Say whether there was something to open: the mailer of a backend with options of its own."""
        if self._shared is not None or self._own is not None:
            return False
        self._own = self._built(self._make)
        return True

    def close(self) -> None:
        """Close the mailer that is this backend's alone."""
        if self._own is not None:
            self._own.close()
        self._own = None

    # Sending ------------------------------------------------------------------------------------

    def send_messages(self, email_messages: Iterable[EmailMessage]) -> int:
        """Send messages in their order and return how many were taken; the first failure ends it."""
        if not email_messages:
            return 0
        opened = self.open()
        try:
            return self._send_all(list(email_messages))
        finally:
            if opened:
                self.close()

    def _send_all(self, messages: list[EmailMessage]) -> int:
        sent, stopped = 0, None
        for message in messages:
            _note(message, None, stopped)
            if stopped is not None:
                continue
            try:
                sent += self._send(message)
            except SendError as error:
                if not self.fail_silently:
                    raise
                # As Django does where there is no connection: the others would meet the same end.
                stopped = None if isinstance(error, MaybeSent) or error.scope is Scope.MESSAGE else error
        return sent

    def _send(self, message: EmailMessage) -> bool:
        names = _names(self.mailer)
        try:
            pre_send.send(type(self), message=message, **names)
            if not message.recipients():
                return False
            result = self.deliver(message_from_django(message, provider=self.mailer.provider))
        except MailcoreError as error:
            _note(message, None, error)
            self._finished(message, names)
            if isinstance(error, SendCancelled):  # on purpose: no mail, and no error
                return False
            raise
        _note(message, result, None)
        if result is not None:
            self._finished(message, names)
        return True

    def deliver(self, message: Message) -> SendResult | None:
        """Send one message, as mailcore's; None: it is kept, to be sent later."""
        return self.mailer.send(message)

    def _finished(self, message: EmailMessage, names: Mapping[str, str]) -> None:
        """Tell whoever listens; a receiver that raises changes nothing about a mail that is on its way."""
        post_send.send_robust(
            type(self),
            message=message,
            result=message.mailcore_result,  # type: ignore[attr-defined]  # reason: ours, set above
            error=message.mailcore_error,  # type: ignore[attr-defined]  # reason: the same
            status=message.anymail_status,  # type: ignore[attr-defined]  # reason: the same
            **names,
        )


class OutboxBackend(EmailBackend):
    """
    Put messages into the outbox, within the transaction that is open; `sendmailcoreoutbox` sends them.

    Args:
        mailer: Which one is to send; None: the default one.

    Raises:
        ImproperlyConfigured: Options are given: the outbox keeps a mailer's name, and no secrets.
    """

    def __init__(
        self,
        fail_silently: bool = False,  # noqa: FBT001, FBT002  # reason: Django's own signature
        **options: Any,
    ) -> None:
        super().__init__(fail_silently, **options)
        if self._options:
            error = ConfigurationError("The outbox takes the option 'mailer' and no other.")
            raise _improper(error, self.alias)

    def deliver(self, message: Message) -> None:
        """Keep one message for later."""
        from mailcore.frameworks.django._outbox import enqueue

        enqueue(message, mailer=self._name or "")


def _names(mailer: Mailer | MailerGroup) -> dict[str, str]:
    return {"mailer": mailer.name, "provider": mailer.provider, "esp_name": mailer.provider}


def _note(message: Any, result: SendResult | None, error: MailcoreError | None) -> None:
    message.mailcore_result = result
    message.mailcore_error = error
    message.anymail_status = AnymailStatus(result, error)


def _improper(error: ConfigurationError, alias: str | None = None) -> ImproperlyConfigured:
    """Return the error of Django's that says the same."""
    if alias is not None and _InvalidMailer is not None:
        made: ImproperlyConfigured = _InvalidMailer(str(error), alias=alias)
        return made
    return ImproperlyConfigured(str(error))
