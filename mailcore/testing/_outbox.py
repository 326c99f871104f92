"""What was sent while a test ran, and assertions about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

import attrs

from mailcore._http import Request
from mailcore._message import Message
from mailcore._plugins import PluginHost
from mailcore._result import SendOutcome, SendResult
from mailcore.testing._deliveries import Deliveries
from mailcore.testing._expectation import Expectation, likeness
from mailcore.testing._stand_ins import Providers

if TYPE_CHECKING:
    from mailcore._emulator import Emulator

__all__ = ["Outbox", "Sent"]


@attrs.frozen(kw_only=True)
class Sent:
    """
    One message that a provider took.

    Attributes:
        message: As the mailer completed it.
        mailer: The mailer's name.
    """

    message: Message
    provider: str
    mailer: str
    result: SendResult

    def __str__(self) -> str:
        return f"through mailer {self.mailer!r} ({self.provider})"


class Outbox(Sequence[Message]):
    """
    The messages that providers took, oldest first.

    The assertions take any field of `Message`, and `provider` and `mailer`. A value is compared as a whole,
    an address without a name with the address alone; a function is called with the field's value, and what
    it returns counts: `subject=re.compile("Invoice").search`.

    Attributes:
        sent: Each message with its provider, mailer and result.
        unsent: The messages that ended in an error after the provider, or its stand-in, was asked.
    """

    def __init__(self, providers: Providers) -> None:
        self.sent: list[Sent] = []
        self.unsent: list[SendOutcome] = []
        self._providers = providers

    # As a sequence ------------------------------------------------------------------------------

    @overload
    def __getitem__(self, index: int) -> Message: ...

    @overload
    def __getitem__(self, index: slice) -> list[Message]: ...

    def __getitem__(self, index: int | slice) -> Message | list[Message]:
        messages = [each.message for each in self.sent]
        if isinstance(index, int) and not -len(messages) <= index < len(messages):
            raise IndexError(f"There is no message {index}. {self._summary()}")
        return messages[index]

    def __len__(self) -> int:
        return len(self.sent)

    def __repr__(self) -> str:
        return f"<Outbox: {len(self)} messages>"

    def clear(self) -> None:
        """Forget what was sent so far; the providers do not."""
        self.sent.clear()
        self.unsent.clear()

    # Assertions ---------------------------------------------------------------------------------

    def matching(self, **fields: Any) -> list[Message]:
        """Return the messages that have these values."""
        expectation = Expectation(fields)
        return [each.message for each in self.sent if not _differences(expectation, each)]

    def assert_sent(self, **fields: Any) -> Message:
        """
        Return the last message that has these values.

        Raises:
            AssertionError: There is none; the error shows the nearest one.
        """
        __tracebackhide__ = True
        found = self.matching(**fields)
        if not found:
            raise AssertionError(self._missing(Expectation(fields)))
        return found[-1]

    def assert_not_sent(self, **fields: Any) -> None:
        """Raise `AssertionError` where a message has these values; without any, where one was sent at all."""
        __tracebackhide__ = True
        self.assert_count(0, **fields)

    def assert_count(self, number: int, **fields: Any) -> None:
        """Raise `AssertionError` unless just so many messages have these values."""
        __tracebackhide__ = True
        found = self.matching(**fields)
        if len(found) == number:
            return
        wanted = f" with {Expectation(fields)}" if fields else ""
        lines = [f"Expected {_messages(number)}{wanted}, found {len(found)}. {self._summary()}"]
        if len(found) < number and fields and len(self.sent) > len(found):
            lines.append(self._nearest(Expectation(fields)))
        raise AssertionError("\n".join([*lines, *self._listed(found)]))

    def _missing(self, expectation: Expectation) -> str:
        lines = [f"No message has {expectation}. {self._summary()}" if str(expectation) else self._summary()]
        return "\n".join([*lines, self._nearest(expectation)] if self.sent else lines)

    def _nearest(self, expectation: Expectation) -> str:
        unlike = [(_differences(expectation, each), number) for number, each in enumerate(self.sent)]
        differences, number = max((row for row in unlike if row[0]), key=lambda row: likeness(row[0]))
        lines = [f"The nearest one is number {number + 1}, {self.sent[number]}:"]
        lines += [f"  {name} is {found}, not {expected}" for name, expected, found in differences]
        return "\n".join(lines)

    def _listed(self, messages: Sequence[Message]) -> list[str]:
        return [
            f"  number {number}, {each}: to {', '.join(map(str, each.message.recipients))}, "
            f"subject {each.message.subject!r}"
            for number, each in enumerate(self.sent, 1)
            if any(each.message is message for message in messages)
        ]

    def _summary(self) -> str:
        there = {0: "Nothing was sent.", 1: "One message was sent."}
        lines = [there.get(len(self), f"{len(self)} messages were sent.")]
        lines += [f"One ended in an error: {type(each.error).__name__}: {each.error}" for each in self.unsent]
        return "\n".join(lines)

    # The other side -----------------------------------------------------------------------------

    @property
    def requests(self) -> list[Request]:
        """Every request that was made, as the adapter built it; secrets stay hidden."""
        return list(self._providers.requests)

    def script(self, provider: str, *answers: Any) -> None:
        """
        Answer the requests to a provider from a script from now on, in place of its emulator.

        Args:
            answers: As of `RecordingTransport`: responses, functions, or exceptions such as a
                `TransportFailure`; the last one answers all that follow.
        """
        self._providers.script(provider, *answers)

    def emulator(self, provider: str, *, host: PluginHost | None = None) -> Emulator:
        """
        Return what answers in place of a provider, to let things happen there.

        Args:
            host: Where the adapter is looked for, if nothing was sent through it yet; None: all that is
                installed.
        """
        return self._providers.emulator(provider, host=host)

    def deliveries(self, provider: str, *, host: PluginHost | None = None) -> Deliveries:
        """Return what makes webhooks about the messages this outbox holds."""
        return Deliveries(provider, emulator=self.emulator(provider, host=host), host=host)


def _differences(expectation: Expectation, sent: Sent) -> list[tuple[str, str, str]]:
    return expectation.differences(sent.message, {"provider": sent.provider, "mailer": sent.mailer})


def _messages(number: int) -> str:
    return {0: "no message", 1: "one message"}.get(number, f"{number} messages")
