"""Every fault there is, and the table that documents them."""

from __future__ import annotations

from reliability.answer_modes import ANSWER_MODES
from reliability.broken_modes import BROKEN_MODES
from reliability.connection_modes import CONNECTION_MODES
from reliability.mode import Mode

__all__ = ["COLUMNS", "GROUPS", "MODES", "documented"]

#: Of the documentation's tables.
COLUMNS = (
    "fault",
    "the server",
    "outcome",
    "ends in",
    "about",
    "repeated",
    "repeated without keys",
    "in a queue",
)

GROUPS = {**CONNECTION_MODES, **BROKEN_MODES, **ANSWER_MODES}
MODES = tuple(mode for modes in GROUPS.values() for mode in modes)


def documented() -> dict[str, list[tuple[str, ...]]]:
    """Return group → the rows of its table, as `COLUMNS` names them."""
    return {title: [_row(mode) for mode in modes] for title, modes in GROUPS.items()}


def _row(mode: Mode) -> tuple[str, ...]:
    possible = (mode.ending, mode.or_ending, mode.over_tls, mode.in_asyncio)
    endings = [ending for ending in possible if ending is not None]
    return (
        f"`{mode.name}`",
        mode.does,
        " or ".join(dict.fromkeys(ending.outcome.replace("_", " ") for ending in endings)),
        " or ".join(dict.fromkeys(f"`{ending.name}`" for ending in endings)),
        mode.ending.scope,
        _repeated(mode, keyed=True),
        _repeated(mode, keyed=False),
        _queued(mode),
    )


def _queued(mode: Mode) -> str:
    """Say what a queue does with it, and what without keys, where that differs."""
    keyed, keyless = mode.ending.in_queue(), mode.ending.without_keys().in_queue()
    return keyed if keyed == keyless else f"{keyed}; without keys: {keyless}"


def _repeated(mode: Mode, *, keyed: bool) -> str:
    """Say who repeats it: the library, the caller (in time, or with the key of the error), or nobody."""
    ending = mode.ending if keyed else mode.ending.without_keys()
    if not ending.retriable:
        return "no"
    return "yes" if mode.is_repeated else "by the caller"
