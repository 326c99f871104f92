"""What is told of a list: before it is sent, instead, and after."""

from __future__ import annotations

import attrs
from rich.text import Text

from mailcore.cli._exit import ExitCode, complain
from mailcore.cli._list_options import ListOptions
from mailcore.cli._mailing import Checked
from mailcore.cli._tally import HELD_BACK, SENT_BEFORE, Tally
from mailcore.cli._terminal import console, print_json, printable
from mailcore.cli._wire import Masks, request_document, request_lines
from mailcore.exceptions import InvalidMessage, Outcome

__all__ = ["Report"]

#: How a mail ended → how that is told.
_WORDS = {
    Outcome.ACCEPTED.value: "accepted",
    Outcome.REJECTED.value: "rejected",
    Outcome.NOT_ACCEPTED.value: "not accepted",
    Outcome.UNKNOWN.value: "may have been sent",
    HELD_BACK: "held back",
    SENT_BEFORE: "sent before",
}


@attrs.frozen(kw_only=True)
class Report:
    """
    Tell people and programs of one list.

    Attributes:
        provider: The provider's name.
    """

    provider: str
    checked: Checked
    options: ListOptions
    as_json: bool

    def refused(self) -> None:
        """Tell what is wrong with a list of which nothing is sent."""
        found = self.checked
        for problem in found.problems:
            complain(f"{problem.place}: {problem.message}")
        text = f"{found.wrong} of {_mails(found.mails)} cannot be sent, so none was."
        complain(text)
        if self.as_json:
            problems = [attrs.asdict(problem) for problem in found.problems]
            error = {"error": InvalidMessage.__name__, "message": text, "exit_code": int(ExitCode.INPUT)}
            print_json({**error, "mails": found.mails, "wrong": found.wrong, "problems": problems})

    def dry(self, masks: Masks) -> None:
        """Tell what would be sent."""
        found, request = self.checked, self.checked.request
        if self.as_json:
            shown = request_document(request, masks) if request else None
            counts = {"mails": found.mails, SENT_BEFORE: found.sent_before, "unsafe": found.unsafe}
            print_json({"dry_run": True, "provider": self.provider, **counts, "request": shown})
            return
        left = found.mails - found.sent_before - found.unsafe
        lines = [f"Nothing is sent. It would be {_mails(left)}."]
        if found.sent_before:
            lines.append(f"Left out: {_mails(found.sent_before)} sent before.")
        if found.unsafe:
            lines.append(f"Left out: {_mails(found.unsafe)} that may have been sent before.")
        if request:
            lines += ["The first request would be:", "", *request_lines(request, masks)]
        console().print(Text(printable("\n".join(lines))), soft_wrap=True)

    def sent(self, tally: Tally, *, interrupted: bool) -> None:
        """Tell how the mails ended, and how to go on where some were not sent."""
        if self.as_json:
            print_json(self._document(tally, interrupted=interrupted))
        else:
            console().print(Text(self.summary(tally)), soft_wrap=True)
        if tally.counts[Outcome.ACCEPTED.value] + tally.counts[SENT_BEFORE] < self.checked.mails:
            complain(self._advice())

    def summary(self, tally: Tally) -> str:
        """Return one line with how many mails ended how."""
        counts = {
            **{words: tally.counts[name] for name, words in _WORDS.items()},
            "not tried": self._left(tally),
        }
        said = ", ".join(f"{count} {words}" for words, count in counts.items() if count)
        return f"{_mails(self.checked.mails)} through {self.provider}: {said or 'nothing to do'}."

    def _document(self, tally: Tally, *, interrupted: bool) -> dict[str, object]:
        return {
            "dry_run": False,
            "provider": self.provider,
            "mails": self.checked.mails,
            **{name: tally.counts[name] for name in _WORDS},
            "not_tried": self._left(tally),
            "interrupted": interrupted,
            "failures": tally.failures,
        }

    def _left(self, tally: Tally) -> int:
        return max(0, self.checked.mails - tally.counts.total())

    def _advice(self) -> str:
        if self.options.results is None:
            return "With --results FILE, a run can be repeated without sending a mail twice."
        how = "The same command" if self.options.resume else "The same command with --resume"
        return f"{how} goes on with this run: what was sent is not sent again."


def _mails(number: int) -> str:
    return "1 mail" if number == 1 else f"{number} mails"
