"""`mailcore send --csv` and `--eml`: from a list to what became of it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout

from mailcore import _config
from mailcore._mailer import Mailer
from mailcore.cli._entry import Source
from mailcore.cli._exit import ExitCode, complain
from mailcore.cli._interrupt import interrupt_noted
from mailcore.cli._list_options import ListOptions
from mailcore.cli._mailing import Mailing
from mailcore.cli._progress import progress
from mailcore.cli._report import Report
from mailcore.cli._results import Results
from mailcore.cli._terminal import quiet
from mailcore.cli._wire import Masks

__all__ = ["send_list"]

CONCURRENCY = 8


def send_list(
    source: Source,
    configuration: _config.Configuration,
    options: ListOptions,
    *,
    name: str,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Check a list, send it unless that is not wanted, and return the exit code."""
    with Mailer(configuration, name=name) as mailer, _results(mailer, options) as results:
        mailing = Mailing(mailer, source, results)
        with _once("mailcore.policy"), progress("Checking", shown=not as_json) as step:
            checked = mailing.check(step)
        for note in checked.notes:
            complain(f"{note.place}: {note.message}")
        report = Report(provider=mailer.provider, checked=checked, options=options, as_json=as_json)
        if checked.wrong:
            report.refused()
            return ExitCode.INPUT
        if dry_run:
            report.dry(Masks(configuration.settings, configuration.options))
            return ExitCode.DONE
        return _send(mailing, report)


def _results(mailer: Mailer, options: ListOptions) -> Results | nullcontext[None]:
    if options.results is None:
        return nullcontext()
    return Results(
        options.results, resume=options.resume, provider=mailer.provider, promise=mailer.idempotency
    )


def _send(mailing: Mailing, report: Report) -> ExitCode:
    concurrency = report.options.concurrency or CONCURRENCY
    with interrupt_noted() as interrupted:
        try:
            with (
                quiet("mailcore.policy"),  # the check has told it
                # The provider `console` prints: with --json, beside the document.
                redirect_stdout(sys.stderr if report.as_json else sys.stdout),
                progress("Sending", report.checked.mails, shown=not report.as_json) as step,
            ):
                mailing.send(concurrency=concurrency, step=step, interrupted=interrupted.is_set)
        except BaseException:
            complain(report.summary(mailing.tally))  # what ended it is told by whoever catches it
            raise
    report.sent(mailing.tally, interrupted=interrupted.is_set())
    return ExitCode.INTERRUPTED if interrupted.is_set() else mailing.tally.code


@contextmanager
def _once(name: str) -> Iterator[None]:
    """Have a logger say each thing once: a list would say it for every mail."""
    said: set[str] = set()

    def is_new(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        known = text in said
        said.add(text)
        return not known

    logger = logging.getLogger(name)
    logger.addFilter(is_new)
    try:
        yield
    finally:
        logger.removeFilter(is_new)
