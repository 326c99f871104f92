"""How many mails of a list ended how, and which of them failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs

from mailcore._result import TAKEN, SendOutcome, SendResult
from mailcore.cli._document import error_document, result_document
from mailcore.cli._exit import ExitCode, code_of, complain
from mailcore.cli._terminal import one_line
from mailcore.exceptions import Outcome, SendError

__all__ = ["HELD_BACK", "SENT_BEFORE", "Ending", "Tally"]

#: Endings that are no outcome of a send.
HELD_BACK = "held_back"
SENT_BEFORE = "sent_before"

#: Failures that are told one by one; a file of results has them all.
MAX_TOLD = 20

#: Of several codes, the first one that happened is the run's: what is in doubt, what needs a person, what can
#: be repeated.
_ORDER: Sequence[ExitCode] = (
    ExitCode.UNKNOWN,
    ExitCode.BUG,
    ExitCode.REJECTED,
    ExitCode.NOT_ACCEPTED,
    ExitCode.CONFIGURATION,
    ExitCode.INPUT,
)


@attrs.frozen(kw_only=True)
class Ending:
    """
    How one mail ended.

    Attributes:
        outcome: An outcome of a send, or `held_back`: it was stopped here, before the provider was asked.
        text: What went wrong; empty where nothing did.
    """

    outcome: str
    code: ExitCode = ExitCode.DONE
    text: str = ""
    document: dict[str, Any]

    @classmethod
    def of(cls, sent: SendOutcome) -> Ending:
        """Return how a mail ended that was sent, or was to be."""
        return _of_result(sent.result) if sent.result is not None else _of_error(sent)

    def in_doubt(self) -> Ending:
        """Return it as the ending of a mail that may have been sent before: only acceptance settles that."""
        if self.outcome == Outcome.ACCEPTED.value:
            return self
        unknown = Outcome.UNKNOWN.value
        text = f"It may have been sent before. {self.text}"
        return attrs.evolve(
            self,
            outcome=unknown,
            code=ExitCode.UNKNOWN,
            text=text,
            document={**self.document, "outcome": unknown},
        )


def _of_result(result: SendResult) -> Ending:
    refused = {address: found for address, found in result.recipients.items() if found.status not in TAKEN}
    accepted = len(refused) < len(result.recipients) or not refused
    outcome = Outcome.ACCEPTED if accepted else Outcome.REJECTED
    document = {**result_document(result), "outcome": outcome.value}
    if not refused:
        return Ending(outcome=outcome.value, document=document)
    words = (f"{address} is {found.status.value}: {found.reason}" for address, found in refused.items())
    return Ending(outcome=outcome.value, code=ExitCode.REJECTED, text="; ".join(words), document=document)


def _of_error(sent: SendOutcome) -> Ending:
    error = sent.error
    assert error is not None  # noqa: S101  # reason: an outcome has exactly one of both
    code, text = code_of(error), one_line(str(error))
    outcome = error.outcome.value if isinstance(error, SendError) else HELD_BACK
    document = {**error_document(error, message=text, exit_code=int(code)), "outcome": outcome}
    return Ending(outcome=outcome, code=code, text=text, document=document)


class Tally:
    """Count endings, and tell of failures as they happen."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.failures: list[dict[str, str]] = []
        self._codes: set[ExitCode] = set()
        self._silent = False

    def add(self, place: str, ending: Ending) -> None:
        """Count one mail."""
        self.counts[ending.outcome] += 1
        self._codes.add(ending.code)
        if ending.text:
            self._tell({"place": place, "outcome": ending.outcome, "message": ending.text})

    def _tell(self, failure: dict[str, str]) -> None:
        if len(self.failures) < MAX_TOLD:
            self.failures.append(failure)
            complain(f"{failure['place']}: {failure['message']}")
        elif not self._silent:
            self._silent = True
            complain("Further failures are not shown.")

    @property
    def code(self) -> ExitCode:
        """What the run's exit code is."""
        return next((code for code in _ORDER if code in self._codes), ExitCode.DONE)
