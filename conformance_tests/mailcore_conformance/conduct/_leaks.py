"""Where a secret can get out: every way in which Python shows an object.

Rule: a secret counts as shown in plain, and in base64 at whichever of its three alignments.
"""

from __future__ import annotations

import io
import json
import logging
import pickle
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from typing import Any

import attrs

from mailcore import Response, SmtpResponse, to_json
from mailcore_conformance._check import Failed

__all__ = ["Heard", "echoing", "heard", "reprs", "serialized", "shows", "told", "written"]


@cache
def _forms(secret: str) -> tuple[str, ...]:
    """Return the secret, and its base64 within a longer text, however that begins."""
    cores = []
    for shift in range(3):
        encoded = b64encode(b"\0" * shift + secret.encode()).decode().rstrip("=")
        cores.append(encoded[(8 * shift + 5) // 6 : -1])
    return (secret, *cores)


def shows(text: str, secrets: Iterable[str]) -> bool:
    """Return whether a text holds one of the secrets."""
    return any(form in text for secret in secrets for form in _forms(secret))


def reprs(value: Any) -> str:
    """Return what a debugger or a log would show of an object."""
    return f"{value!r} {value} {value:}"


def told(error: BaseException) -> str:
    """Return what a log or an error report would show of an error, and of those it came from."""
    texts, rest = [serialized(error)], [error]
    while rest:
        one = rest.pop()
        notes = getattr(one, "__notes__", ())
        texts.append(f"{one!r} {one} {one.args!r} {vars(one)!r} {notes!r}")
        hidden = one.__suppress_context__
        rest += [link for link in (one.__cause__, None if hidden else one.__context__) if link is not None]
    return " ".join(texts)


def serialized(value: Any) -> str:
    """
    Return what of an object goes into a queue.

    Raises:
        Failed: It does not go into any.
    """
    try:
        return pickle.dumps(value, protocol=4).decode("latin-1")
    except (TypeError, AttributeError, pickle.PicklingError) as error:
        raise Failed(f"A {type(value).__name__} cannot be pickled: {error}.") from None


def written(value: Any) -> str:
    """
    Return one of our values as it is shown, pickled and written.

    Raises:
        Failed: It cannot be.
    """
    try:
        text = to_json(value)
    except TypeError as error:
        raise Failed(f"A {type(value).__name__} cannot be written as JSON: {error}.") from None
    return f"{reprs(value)} {text} {serialized(value)}"


class Heard(logging.Handler):
    """Everything that was logged or printed, as one text."""

    def __init__(self) -> None:
        super().__init__(level=1)
        self.printed = io.StringIO()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what a formatter would write, and the arguments."""
        self.printed.write(f"{self.format(record)} {record.args!r}\n")

    @property
    def text(self) -> str:
        """All of it."""
        return self.printed.getvalue()


@contextmanager
def heard() -> Iterator[Heard]:
    """Turn every logger there is to its lowest level, and listen; all is as before afterwards."""
    handler, manager = Heard(), logging.root.manager
    loggers = [logging.root, *(one for one in manager.loggerDict.values() if isinstance(one, logging.Logger))]
    before = [(one, one.level, one.disabled, one.propagate, one.handlers) for one in loggers]
    disabled, manager.disable = manager.disable, 0
    for one in loggers:
        one.level, one.disabled, one.propagate, one.handlers = logging.NOTSET, False, True, []
    logging.root.handlers = [handler]
    logging.root.setLevel(1)  # it makes every logger forget what it found out about levels
    try:
        with redirect_stdout(handler.printed), redirect_stderr(handler.printed):
            yield handler
    finally:
        manager.disable = disabled
        for one, level, off, propagate, handlers in before:
            one.level, one.disabled, one.propagate, one.handlers = level, off, propagate, handlers
        logging.root.setLevel(logging.root.level)


def echoing(response: Response, token: str) -> Response:
    """Return an answer whose every text also says the token; a body that is no JSON says it at its end."""
    if isinstance(response, SmtpResponse):
        refused = {name: (code, f"{text} {token}") for name, (code, text) in response.refused.items()}
        return attrs.evolve(response, text=f"{response.text} {token}", refused=refused)
    try:
        document = json.loads(response.body)
    except ValueError:
        body = response.body + f" {token}".encode()
    else:
        body = json.dumps(_with(document, token)).encode()
    return attrs.evolve(response, body=body)


def _with(value: Any, token: str) -> Any:
    if isinstance(value, dict):
        return {name: _with(item, token) for name, item in value.items()}
    if isinstance(value, list):
        return [_with(item, token) for item in value]
    return f"{value} {token}" if isinstance(value, str) else value
