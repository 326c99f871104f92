"""The options of an adapter: which hold a credential, and what they look like as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from mailcore import MailcoreError, MissingOption, Secret
from mailcore._config import variables
from mailcore._spec import load_object
from mailcore_conformance._subject import Subject
from mailcore_conformance.conduct._flows import plain, receives

__all__ = [
    "as_text",
    "as_variables",
    "assigned",
    "credentials",
    "defaults_misread",
    "fields",
    "options_class",
    "plain_texts",
    "texts",
    "unnamed_without",
    "webhook_secrets",
]


def options_class(subject: Subject) -> type[Any]:
    """Return the class of an adapter's settings."""
    found: type[Any] = load_object(subject.spec.options)
    return found


def fields(subject: Subject) -> Mapping[str, attrs.Attribute[Any]]:
    """Return the settings of an adapter by name."""
    return {field.name: field for field in attrs.fields(options_class(subject))}


def credentials(subject: Subject) -> list[str]:
    """Return the names of the options that hold the kit's token."""
    given = subject.kit.options(subject.secret)
    return [name for name, value in given.items() if any(subject.secret in one for one in texts(value))]


def webhook_secrets(subject: Subject) -> list[str]:
    """Return every text that proves a delivery: what the kit's options hold for one key alone."""
    if subject.kit.webhook_options is None or not receives(subject):
        return []
    one, other = (set(texts(subject.kit.webhook_options((number,)))) for number in range(2))
    return sorted(one ^ other)


def texts(value: Any) -> Iterator[str]:
    """Yield every text within an option's value, secret or not."""
    if isinstance(value, str | Secret):
        yield value if isinstance(value, str) else value.reveal()
    elif isinstance(value, Mapping):
        yield from texts(value.values())
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        for item in value:
            yield from texts(item)


def plain_texts(value: Any) -> Iterator[str]:
    """Yield every text within an object that anybody can read; a `Secret` shows none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from plain_texts(getattr(value, field.name, None))
    elif isinstance(value, Mapping):
        yield from plain_texts([*value, *value.values()])
    elif isinstance(value, Iterable):
        for item in value:
            yield from plain_texts(item)


def as_text(value: Any) -> str | None:
    """Return an option's value as the environment would hold it; None where no text says it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list | tuple) and value and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return None


def as_variables(subject: Subject, options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what of some options must stay a value, and the environment that says the others."""
    said = {name: as_text(value) for name, value in options.items()}
    rest = {name: value for name, value in options.items() if said[name] is None}
    return rest, {
        variables(name, subject.spec.name)[0]: text for name, text in said.items() if text is not None
    }


def unnamed_without(subject: Subject, held: list[str]) -> Iterator[str]:
    """Send without some options; yield what is wrong with how that is refused."""
    try:
        mailer, script = subject.mailer(**dict.fromkeys(held))
        mailer.send(plain())
    except MissingOption as error:
        text = str(error)
        if not any(name in text and variables(name, subject.spec.name)[0] in text for name in held):
            yield "The refusal names neither the option nor its environment variable."
    except MailcoreError as error:
        yield f"Without {', '.join(held)}, sending ends in {type(error).__name__} and not in MissingOption."
    else:
        yield f"Without {', '.join(held)}, {len(script.requests)} requests were made."


def assigned(made: object, name: str) -> bool:
    """Assign an option its own value; return whether that was allowed."""
    try:
        setattr(made, name, getattr(made, name))
    except AttributeError:
        return False
    return True


def defaults_misread(subject: Subject) -> Iterator[str]:
    """Yield each option whose default, given as text, becomes another value."""
    made, given = subject.adapter().options, subject.kit.options(subject.secret)
    for name in fields(subject):
        value = getattr(made, name)
        text = None if name in given else as_text(value)
        if text and getattr(_options_with(subject, name, text), name) != value:
            yield f"{name}: the text {text!r} does not mean the default {value!r}."


def _options_with(subject: Subject, name: str, text: str) -> Any:
    return subject.host.adapter({**subject.configuration, name: text}, environ={}).options
