"""Email addresses: the only place that knows how display names are written (RFC 5322, 6531, 6532).

Rule 1: what parsers disagree about is refused, not guessed: an unquoted comma in a name, text after
        the closing bracket, an `@` in an unquoted name.
Rule 2: a list item is parsed on its own; nothing in it can reach into the next.
Rule 3: rendering then parsing gives back the same list, whatever the names hold.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterable, Mapping

import attrs

from mailcore._address_grammar import mailboxes
from mailcore._characters import check_label
from mailcore.exceptions import InvalidAddress

__all__ = ["Address", "encode_words"]

_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
# All but the specials; Unicode's spaces are no part of an atom, or a name would not be seen to end.
_ATOM = r"[^\s\x00-\x20\x7f-\x9f\"\\()<>\[\]:;@,.]+"
_LOCAL = rf'(?:{_ATOM}(?:\.{_ATOM})*|"(?:[^"\\]|\\.)*")'
# Letters, digits, `_` and all from U+00A0 on; by what they are not: a set of a million takes long to compile.
_LETTER = r"[^\x00-/:-@\[-^`{-\x9f]"
_INNER = r"[^\x00-,./:-@\[-^`{-\x9f]"  # and the hyphen
_LABEL = rf"{_LETTER}(?:{_INNER}*{_LETTER})?"
_LITERAL = r"\[(?:[0-9.]+|IPv6:[0-9A-Fa-f:.]+)\]"

_ADDR_SPEC = re.compile(rf"({_LOCAL})@((?:{_LABEL})(?:\.{_LABEL})*|{_LITERAL})")
# The forms nearly every address has, ASCII and complete; anything else takes the tokens below.
_SIMPLE_SPEC = (
    rf"[{_ATEXT}]+(?:\.[{_ATEXT}]+)*"
    r"@[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?)*"
)
_SIMPLE = re.compile(
    rf'(?:(?:([{_ATEXT}]+(?: [{_ATEXT}]+)*)|"([ !#-\[\]-~]*)") *<({_SIMPLE_SPEC})>|({_SIMPLE_SPEC}))'
)
_PLAIN_NAME = re.compile(rf"{_ATOM}(?: {_ATOM})*")
MAX_DOMAIN = 255


@attrs.frozen
class Address:
    """
    One mailbox.

    Attributes:
        addr_spec: `local@domain`, as given: letter case and Unicode are kept.
        display_name: The name, decoded and unquoted; empty where there is none.

    Raises:
        InvalidAddress: Not an address, a control or bidirectional character, or a domain that
            IDNA 2008 (with UTS-46 mapping) refuses. To use another IDNA encoder, pass its result.
    """

    addr_spec: str
    display_name: str = ""

    def __attrs_post_init__(self) -> None:
        for part in (self.addr_spec, self.display_name):
            check_label(part, field="", error=InvalidAddress)
        if not _ADDR_SPEC.fullmatch(self.addr_spec):
            raise InvalidAddress(f"{_shown(self.addr_spec)} is not an address of the form local@domain.")
        if not self.domain.isascii():
            _encode_domain(self.domain)

    @property
    def local(self) -> str:
        """The part before the last `@`, quotes included."""
        return self.addr_spec.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """The part after the last `@`, as given."""
        return self.addr_spec.rpartition("@")[2]

    @property
    def ascii_spec(self) -> str:
        """`addr_spec` with the domain in its ASCII form; a non-ASCII local part (EAI) stays."""
        return f"{self.local}@{_encode_domain(self.domain)}"

    @property
    def key(self) -> str:
        """What two spellings of one mailbox share: the domain's case and IDNA form do not count."""
        return f"{self.local}@{_encode_domain(self.domain).lower()}"

    def to_text(self) -> str:
        """
        Return `name <local@domain>` for an API that takes Unicode.

        The name is quoted and escaped unless it is plain atoms; the domain is in ASCII form;
        the text is never folded.
        """
        spec = self.addr_spec if self.addr_spec.isascii() else self.ascii_spec
        return spec if not self.display_name else self._around(_quote(self.display_name), spec)

    def to_header(self) -> str:
        """Return the form for a MIME header: as `to_text`, non-ASCII names as RFC 2047 words."""
        name = self.display_name
        # A name that holds "=?" could be read as an encoded word itself.
        plain = name.isascii() and "=?" not in name
        return self._around(_quote(name) if plain else encode_words(name), self.ascii_spec)

    def __str__(self) -> str:
        return self._around(_quote(self.display_name), self.addr_spec)

    @staticmethod
    def _around(name: str, spec: str) -> str:
        return f"{name} <{spec}>" if name else spec

    @classmethod
    def parse(cls, text: str | Address, *, field: str = "") -> Address:
        """
        Return the one address in `text`.

        Raises:
            InvalidAddress: None, or more than one; the error names `field`.
        """
        addresses = cls.parse_list(text, field=field)
        if len(addresses) != 1:
            raise InvalidAddress(
                f"{_shown(str(text))} holds {len(addresses)} addresses; give exactly one.", field=field
            )
        return addresses[0]

    @classmethod
    def parse_list(
        cls, value: str | Address | Iterable[str | Address | None] | None, *, field: str = ""
    ) -> tuple[Address, ...]:
        """
        Return every address in `value`, in order, exact duplicates once.

        A string may hold several, separated by commas, and groups (`Team: a@x, b@x;`). None, and
        None inside a list, stands for no address.

        Raises:
            InvalidAddress: Something is not an address; the error names `field` and the text.
        """
        if value is None:
            return ()
        if isinstance(value, str):
            return _unique(_parse(value, field))
        items = (value,) if isinstance(value, Address) else value
        found: list[Address] = []
        if not isinstance(items, (list, tuple)) and not _is_series(items):
            raise InvalidAddress(f"takes addresses, not {type(value).__name__}.", field=field)
        for item in items:
            if isinstance(item, Address):
                found.append(item)
            elif item is not None:
                found += _parse(item, field)
        return _unique(found)


def _unique(found: list[Address]) -> tuple[Address, ...]:
    specs = {address.addr_spec for address in found}
    return tuple(found) if len(specs) == len(found) else tuple(dict.fromkeys(found))


def _is_series(items: object) -> bool:
    return isinstance(items, Iterable) and not isinstance(items, Mapping | bytes)


def _encode_domain(domain: str) -> str:
    if domain.isascii():
        return domain
    if len(domain) > MAX_DOMAIN:
        raise InvalidAddress(f"The domain is longer than {MAX_DOMAIN} characters.")
    import idna  # here: most addresses never need its tables

    try:
        encoded = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        encoded = ""
    if not encoded or encoded.endswith("."):  # full stops of other scripts become one
        raise InvalidAddress(f"{_shown(domain)} is not a domain that IDNA 2008 allows.")
    return encoded


def _quote(name: str) -> str:
    if not name or (_PLAIN_NAME.fullmatch(name) and "=?" not in name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def encode_words(text: str) -> str:
    """Return `text` as RFC 2047 words on one line, each at most 75 characters."""
    words, chunk = [], b""
    for character in text:
        piece = character.encode()
        if len(chunk) + len(piece) > 45:  # 45 bytes are 60 of base64; with the frame, 72
            words.append(chunk)
            chunk = b""
        chunk += piece
    return " ".join(
        f"=?utf-8?b?{b2a_base64(word, newline=False).decode('ascii')}?=" for word in [*words, chunk]
    )


def _parse(text: str, field: str) -> list[Address]:
    if not isinstance(text, str):
        raise InvalidAddress(f"takes addresses as text, not {type(text).__name__}.", field=field)
    simple = _SIMPLE.fullmatch(text)
    if simple:
        name, quoted, angle, bare = simple.groups()
        return [_checked(angle or bare, name or quoted or "")]
    try:
        check_label(text, field="", error=InvalidAddress)
        return [Address(spec, name) for spec, name in mailboxes(text)]
    except InvalidAddress as error:
        raise InvalidAddress(_explain(text, error), field=field) from None


def _checked(spec: str, name: str) -> Address:
    """Make an address of parts that the pattern proved to be right."""
    address = Address.__new__(Address)
    _set_spec(address, spec)
    _set_name(address, name)
    return address


#: What sets the fields while an address is made; frozen is for everyone else.
_set_spec, _set_name = (getattr(Address, name).__set__ for name in ("addr_spec", "display_name"))


def _shown(text: str) -> str:
    """Return a text for an error: on one line, in ASCII, and short."""
    return ascii(text if len(text) <= 100 else text[:97] + "...")


def _explain(text: str, error: InvalidAddress) -> str:
    shown = _shown(text)
    if "<" in text and ("," in text or "@" in text.partition("<")[0]):
        hint = 'A name with a comma, an "@" or brackets needs quotes: "Widgets, Inc." <w@example.com>.'
        return f"{shown} is not an address. {hint}"
    return f"{shown} is not an address. {error}"
