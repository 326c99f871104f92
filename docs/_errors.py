"""What the reference says of errors, from their classes."""

from __future__ import annotations

from typing import Any

from _markdown import block, first_paragraph, table

from mailcore import MailcoreError, SendError, exceptions

__all__ = ["error_tree", "other_errors", "send_errors"]


def error_tree() -> str:
    """Write the tree drawn at the top of `exceptions.py`."""
    return block((exceptions.__doc__ or "").partition("\n\n")[2])


def send_errors() -> str:
    """Write what each end of a send means for the next step."""
    rows = []
    for name, error in _errors():
        if issubclass(error, SendError) and error is not SendError:
            outcome, scope = error.outcome.value, error.default_scope.value
            again = "yes" if error.default_retriable else "no"
            rows.append((f"`{name}`", f"`{outcome}`", f"`{scope}`", again, first_paragraph(error)))
    rows.sort(key=lambda row: row[1])
    return table(["error", "outcome", "scope", "retriable", "meaning"], rows)


def other_errors() -> str:
    """Write the errors that are no end of a send."""
    return table(
        ["error", "meaning"],
        [
            (f"`{name}`", first_paragraph(error))
            for name, error in _errors()
            if not issubclass(error, SendError) or error is SendError
        ],
    )


def _errors() -> list[tuple[str, Any]]:
    found = [(name, getattr(exceptions, name)) for name in exceptions.__all__]
    return [(name, error) for name, error in found if issubclass(error, MailcoreError)]
