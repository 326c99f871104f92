"""The grammar of address lists (RFC 5322, section 3.4): text → (addr-spec, display name) pairs.

Rule: one method a grammar rule. What an addr-spec may hold is `Address`'s to decide; here it is only
told apart from names, comments and groups.
"""

from __future__ import annotations

import re
from itertools import dropwhile
from typing import TypeAlias

from mailcore.exceptions import InvalidAddress

__all__ = ["mailboxes"]

#: addr-spec, display name (unquoted, empty where there is none).
Mailbox: TypeAlias = tuple[str, str]

MAX_COMMENT_DEPTH = 8

_TOKEN = re.compile(
    r'(?P<space>[ \t\r\n]+)|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<literal>\[[^\[\]\\]*\])'
    r'|(?P<special>[<>,:;@.])|(?P<atom>[^ \t\r\n"\\()<>\[\]:;@,.]+)',
    re.DOTALL,
)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


def mailboxes(text: str) -> list[Mailbox]:
    """
    Return the mailboxes of a list, those of groups included.

    Raises:
        InvalidAddress: The text does not follow the grammar.
    """
    return _Parser(text).mailboxes()


class _Parser:
    """Read an address list from tokens; one method a grammar rule (RFC 5322, section 3.4)."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self._grouped = False

    def mailboxes(self) -> list[Mailbox]:
        found = self._list(end="")
        if not found and not self._grouped:
            raise InvalidAddress("It is empty.")
        return found

    def _peek(self) -> str:
        return self.tokens[self.at][1]

    def _kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else "end"

    def _list(self, end: str) -> list[Mailbox]:
        found: list[Mailbox] = []
        while True:
            if self._kind() == "end" or (end and self._at(end)):
                return found
            found += self._entry(in_group=bool(end))
            if not self._at(","):
                break
            self.at += 1
            self._skip_space()
        if self._kind() != "end" and not (end and self._at(end)):
            raise InvalidAddress(f"Unexpected {self._peek()!r}.")
        return found

    def _at(self, special: str) -> bool:
        return self._kind() == "special" and self._peek() == special

    def _entry(self, *, in_group: bool) -> list[Mailbox]:
        words = self._words()
        if self._at("<"):
            return [self._angle(_join_name(words))]
        if self._at(":") and not in_group:
            return self._group()
        return [self._bare(words)]

    def _words(self) -> list[tuple[str, str]]:
        """Take atoms, quoted strings, dots and the space between them."""
        start = self.at
        while self._kind() in ("atom", "quoted", "space") or self._at("."):
            self.at += 1
        return self.tokens[start : self.at]

    def _angle(self, name: str) -> Mailbox:
        start = self.at + 1
        while self._kind() != "end" and not self._at(">"):
            self.at += 1
        if self._kind() == "end":
            raise InvalidAddress('A ">" is missing.')
        inside = "".join(text for _, text in self.tokens[start : self.at])
        self.at += 1
        self._skip_space()
        return inside.strip(), name

    def _bare(self, words: list[tuple[str, str]]) -> Mailbox:
        start = self.at
        if self._at("@"):
            self.at += 1
            while self._kind() in ("atom", "literal", "space") or self._at("."):
                self.at += 1
        return "".join(text for _, text in [*words, *self.tokens[start : self.at]]).strip(), ""

    def _group(self) -> list[Mailbox]:
        self.at += 1
        self._grouped = True
        self._skip_space()
        members = self._list(end=";")
        if not self._at(";"):
            raise InvalidAddress('A group is not closed by ";".')
        self.at += 1
        self._skip_space()
        return members

    def _skip_space(self) -> None:
        while self._kind() == "space":
            self.at += 1


def _join_name(words: list[tuple[str, str]]) -> str:
    while words and words[-1][0] == "space":
        words.pop()
    parts = [
        _QUOTED_PAIR.sub(r"\1", text[1:-1]) if kind == "quoted" else " " if kind == "space" else text
        for kind, text in dropwhile(lambda word: word[0] == "space", words)
    ]
    return "".join(parts)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        if text[at] == "(":
            at = _skip_comment(text, at)
            tokens.append(("space", " "))
            continue
        match = _TOKEN.match(text, at)
        if match is None:
            raise InvalidAddress(f"Unexpected {text[at]!r}.")
        tokens.append((str(match.lastgroup), match.group()))
        at = match.end()
    return tokens


def _skip_comment(text: str, at: int) -> int:
    """Return the position after the comment that opens at `at`; comments nest and carry no meaning."""
    depth = 0
    while at < len(text):
        character = text[at]
        at += 2 if character == "\\" else 1
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return at
        if depth > MAX_COMMENT_DEPTH:
            break
    raise InvalidAddress("A comment is not closed, or nested too deeply.")
