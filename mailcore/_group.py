"""A mailer made of mailers: the next one is tried where one provably did not take the mail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

from mailcore._closing import Closing
from mailcore._failover import Failover
from mailcore._mailer import Mailer
from mailcore._many import in_order
from mailcore._message import Message
from mailcore._result import SendOutcome, SendResult
from mailcore._sending import not_sent
from mailcore._steps import drive

__all__ = ["MailerGroup"]

AnyMailer: TypeAlias = "Mailer | MailerGroup"


class MailerGroup(Failover[AnyMailer], Closing):
    """
    Send through the first of several mailers that takes the mail; safe to share between threads.

    It has the verbs of a `Mailer`, and is a context manager that closes all of its mailers.

    Args:
        mailers: In the order of preference; one may be a group itself.
        strategy: "failover" begins with the first one each time, "round-robin" with the next one.
        fail_over_on_unknown: Whether a mail that may have been sent goes out through the next mailer
            too. Somebody may then receive it twice.
        park_for: Seconds a mailer is left alone after its account refused a mail.
        clock: Seconds that never jump.

    Raises:
        ConfigurationError: There is no mailer, or no such strategy.
    """

    def send(
        self, message: Message, *, idempotency_key: str | None = None, created: datetime | None = None
    ) -> SendResult:
        """
        Send one message; the result's `attempts` name every provider that was tried.

        Raises:
            MailcoreError: As `Mailer.send`: the last mailer's error, with the attempts of all;
                `MaybeSent` where an earlier one may have sent it.
        """

        def send(mailer: AnyMailer) -> SendResult:
            return mailer.send(message, idempotency_key=idempotency_key, created=created)

        return drive(self._turns(), send)

    def send_many(self, messages: Iterable[Message], *, concurrency: int = 8) -> list[SendOutcome]:
        """Send now and return one outcome for each message, in their order; no `MailcoreError` is raised."""
        return list(self.iter_send(messages, concurrency=concurrency))

    def iter_send(self, messages: Iterable[Message], *, concurrency: int = 8) -> Iterator[SendOutcome]:
        """Send while iterating, as `Mailer.iter_send`, but each message by itself."""
        return in_order(self._outcome, messages, size=1, concurrency=concurrency)

    def _outcome(self, messages: Sequence[Message]) -> SendOutcome:
        [message] = messages
        try:
            return SendOutcome(message, self.send(message), None)
        except Exception as error:  # noqa: BLE001  # reason: the others' outcomes must not be lost
            return SendOutcome(message, None, not_sent(error))

    def close(self) -> None:
        """Close every mailer."""
        for mailer in self.mailers:
            mailer.close()
