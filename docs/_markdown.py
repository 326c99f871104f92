"""Markdown from what the code says of itself."""

from __future__ import annotations

import enum
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

import attrs

__all__ = ["block", "call", "comment", "docstring", "first_paragraph", "meanings", "table", "values"]


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Write a table."""
    lines = [list(header), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def block(text: str, language: str = "text") -> str:
    """Write a block of code."""
    return f"```{language}\n{text.strip()}\n```"


def first_paragraph(documented: object) -> str:
    """Return the first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split())


def docstring(documented: object) -> str:
    """Write a docstring; its sections become lists."""
    text, *sections = re.split(
        r"^(Args|Attributes|Raises):\n", inspect.getdoc(documented) or "", flags=re.MULTILINE
    )
    written = [text.strip()]
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        section, _, after = body.partition("\n\n")
        written += [f"{title}:", _items(section), after.strip()]
    return "\n\n".join(part for part in written if part)


def _items(section: str) -> str:
    joined = re.sub(r"\n +", " ", textwrap.dedent(section))
    return re.sub(r"^([\w, ]+):", _item, joined, flags=re.MULTILINE)


def _item(match: re.Match[str]) -> str:
    return f"- {', '.join(f'`{name.strip()}`' for name in match[1].split(','))}:"


def meanings(members: type[enum.Enum]) -> dict[str, str]:
    """Return member name → the `#:` comment above it."""
    found = re.findall(r"((?: *#: .*\n)+) +(\w+) = ", inspect.getsource(members))
    return {name: " ".join(re.findall(r"#: (.*)", words)) for words, name in found}


def values(members: type[enum.Enum]) -> str:
    """Write the table of an enumeration."""
    said = meanings(members)
    return table(
        ["value", "member", "meaning"],
        [(f"`{found.value}`", f"`{members.__name__}.{found.name}`", said[found.name]) for found in members],
    )


def comment(name: str, module: Any) -> str:
    """Return the `#:` comment above a module's name."""
    found = re.search(rf"((?:^#: .*\n)+){name}\b", inspect.getsource(module), re.MULTILINE)
    return " ".join(re.findall(r"#: (.*)", found[1])) if found else ""


def call(function: Callable[..., Any]) -> str:
    """Write how something is called: names and defaults, without types and `self`."""
    bound = {"self", "cls"} if "." in function.__qualname__ else ()
    parameters = [
        parameter.replace(annotation=parameter.empty, default=_default(parameter.default))
        for parameter in _parameters(function)
        if parameter.name not in bound
    ]
    return f"{function.__name__}{inspect.Signature(parameters)}"


def _parameters(function: Callable[..., Any]) -> Iterable[inspect.Parameter]:
    found = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in found) and attrs.has(function):
        # It takes its own fields, but says so nowhere.
        fields = attrs.fields_dict(function)
        return [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=...) for name in fields]
    return found


class _Ellipsis:
    def __repr__(self) -> str:
        return "..."


def _default(value: Any) -> Any:
    plain = (bool, int, float, str, tuple, type(None))
    return value if value is inspect.Parameter.empty or isinstance(value, plain) else _Ellipsis()
