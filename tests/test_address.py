"""Addresses: what is read, what is refused, and how they are written."""

from __future__ import annotations

import contextlib
import pickle
import time
from copy import deepcopy
from email import policy

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailcore import Address, InvalidAddress, Message, RecipientResult, SendResult, SendStatus

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
QUOTES = 'A name with a comma, an "@" or brackets needs quotes: "Widgets, Inc." <w@example.com>.'
CONTROLS = ["\r", "\n", "\r\n", "\x00", "\t", "\x0b", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ud800"]

names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters=BIDI)
    | st.sampled_from('",<>@\\:;.()[]= ?\u00a0'),
    max_size=30,
)
words = st.text("abcXYZ019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=8)
atoms = st.lists(words, min_size=1, max_size=3).map(".".join)
locals_ = atoms | st.sampled_from(["üser", "用户", '"a b"', '"a,b"', '"a@b"', r'"a\"b"', '"<x>"', '""'])
domains = st.sampled_from(
    ["example.com", "EXAMPLE.org", "a-b.example", "localhost", "[192.0.2.1]", "[IPv6:2001:db8::1]"]
)
idn_domains = domains | st.sampled_from(["faß.example", "Exämple.com", "例え.jp", "xn--fa-hia.example"])


def addresses(local: st.SearchStrategy[str], domain: st.SearchStrategy[str]) -> st.SearchStrategy[Address]:
    """Return a strategy for addresses with any name."""
    return st.builds(lambda at, name: Address("@".join(at), name), st.tuples(local, domain), names)


def standard(text: str) -> list[tuple[str, str]]:
    """Read a list of addresses the way the standard library does: (name, addr-spec)."""
    header = policy.default.header_factory("To", text)
    return [(squeeze(address.display_name), address.addr_spec) for address in header.addresses]


def squeeze(name: str) -> str:
    """Leave out the spaces, which the standard library does not always keep."""
    return "".join(name.split())


def bare(spec: str) -> str:
    """Leave out the quotes of a local part, which may be written in several ways."""
    return spec.replace("\\", "").replace('"', "")


class TestReading:
    """Text becomes addresses."""

    @pytest.mark.parametrize(
        "text, name, spec",
        [
            ("a@b.example", "", "a@b.example"),
            ("<a@b.example>", "", "a@b.example"),
            (" (x) Ada (y) <a@b> (z) ", "Ada", "a@b"),
            ("Ada Lovelace <ada@example.com>", "Ada Lovelace", "ada@example.com"),
            pytest.param('"Widgets, Inc." <w@x>', "Widgets, Inc.", "w@x", marks=pytest.mark.rule("N-A1")),
            (r'"A \"B\" \\ C" <a@b>', r'A "B" \ C', "a@b"),
            ("J. R. Hartley <j@b>", "J. R. Hartley", "j@b"),
            ('" Ada " <a@b>', " Ada ", "a@b"),
            ("(Ada) a@b (Countess (of Lovelace))", "", "a@b"),
            ('"a b"@c', "", '"a b"@c'),
            ("Ädä <ädä@exämple.com>", "Ädä", "ädä@exämple.com"),
            ("Ada\u00a0Lovelace <a@b>", "Ada\u00a0Lovelace", "a@b"),
            ("a@[192.0.2.1]", "", "a@[192.0.2.1]"),
            ("a@x (c) (d)", "", "a@x"),
            ("< a@x >", "", "a@x"),
            ("<a@x >", "", "a@x"),
            ("A  B <a@x>", "A B", "a@x"),
            ("Ä  B <a@x>", "Ä B", "a@x"),
            ('"A  B" <a@x>', "A  B", "a@x"),
            ("A <(c) a@x (d)>", "A", "a@x"),
            ('(c)"q"(d) <a@x>', "q", "a@x"),
            ('"a"b <a@x>', "ab", "a@x"),
            (r"(\)) a@x", "", "a@x"),
            ("(" * 8 + ")" * 8 + "a@x", "", "a@x"),
        ],
    )
    def test_one(self, text: str, name: str, spec: str) -> None:
        """The name is decoded and unquoted; the address is as given."""
        assert Address.parse(text) == Address(spec, name)

    @pytest.mark.rule("N-A4")
    @pytest.mark.parametrize(
        "value, specs",
        [
            ("a@x, b@x", ["a@x", "b@x"]),
            (["a@x, b@x", "c@x"], ["a@x", "b@x", "c@x"]),
            ("a@x,", ["a@x"]),
            ("a@x, ", ["a@x"]),
            (Address("a@x"), ["a@x"]),
            (["a@x", Address("b@x")], ["a@x", "b@x"]),
            (("a@x" for _ in range(1)), ["a@x"]),
        ],
    )
    def test_several(self, value: object, specs: list[str]) -> None:
        """A text, an address or any iterable of them, in order."""
        assert [address.addr_spec for address in Address.parse_list(value)] == specs

    @pytest.mark.rule("N-A11")
    @pytest.mark.parametrize(
        "text, specs",
        [
            ("undisclosed-recipients:;", []),
            ("undisclosed-recipients: ;", []),
            ("Team: a@x, B <b@x>;", ["a@x", "b@x"]),
            ("a@x, Team: b@x;, c@x", ["a@x", "b@x", "c@x"]),
            ("Team:a@x,b@x;,c@x", ["a@x", "b@x", "c@x"]),
            ("Team:(c)a@x(d);(e)", ["a@x"]),
            ("Team: a@x, ;", ["a@x"]),
            ("Team:;,", []),
        ],
    )
    def test_groups(self, text: str, specs: list[str]) -> None:
        """A group stands for its members, the empty group for nobody."""
        assert [address.addr_spec for address in Address.parse_list(text)] == specs

    @pytest.mark.rule("N-A14")
    def test_duplicates(self) -> None:
        """Only exact duplicates are one; another name or letter case is another recipient."""
        found = Address.parse_list(["a@x", "a@x", "A@x", "Ada <a@x>", "a@X"])
        assert [str(address) for address in found] == ["a@x", "A@x", "Ada <a@x>", "a@X"]

    @pytest.mark.rule("N-A2")
    @pytest.mark.parametrize("value", [None, [], [None], (None, None)])
    def test_nothing(self, value: object) -> None:
        """None, alone or in a list, stands for no address."""
        assert Address.parse_list(value) == ()

    @pytest.mark.parametrize(
        "text",
        [
            ("a" + " " * 50_000),
            ("(" * 50_000),
            ("()" * 20_000 + "<a@b>"),
            ('"' * 50_000),
            ("a." * 50_000 + "@x"),
            ("a@" + "b." * 50_000),
            ("<" * 50_000),
            ("a b " * 20_000 + "<a@b"),
        ],
        ids=lambda text: text[:6],
    )
    def test_bounded_work(self, text: str) -> None:
        """No text takes more than its length to read."""
        started = time.process_time()
        with contextlib.suppress(InvalidAddress):
            Address.parse_list(text)
        assert time.process_time() - started < 1


class TestRefusing:
    """What parsers disagree about, or no mail can hold, is refused."""

    @pytest.mark.rule("N-A2")
    @pytest.mark.parametrize(
        "text",
        [
            "", " ", "localonly", "localonly@", "@domainonly", "<localonly@>", "<@domainonly>", "<>", "a@b@c",
            "a b@c", "a@b c", ",a@x", "a@x,,b@x", "a..b@x", ".a@x", "a.@x", "a@.x", "a@x.", "a@-x", "a@x-",
            '"a@x', "a@x>", "<a@x", "<a@x>>", "A <a@x> B", "a@x b@x", "A: a@x", "A: B: a@x;;", "(a@x",
            "a@[x]",
            "a\u00a0b@x", "A <a@x",
        ],
    )  # fmt: skip
    def test_text(self, text: str) -> None:
        """The error names the field and shows the text."""
        with pytest.raises(InvalidAddress) as caught:
            Address.parse_list([text], field="cc")
        assert caught.value.field == "cc"
        assert str(caught.value).startswith(f"cc: {text!a}")

    @pytest.mark.parametrize(
        "text, why",
        [
            ("", "It is empty."),
            ("localonly", "'localonly' is not an address of the form local@domain."),
            (",", "'' is not an address of the form local@domain."),
            ("A <a@x", 'A ">" is missing.'),
            ("a@x>", "Unexpected '>'."),
            ('"a@x', "Unexpected '\"'."),
            ("a@x;", "Unexpected ';'."),
            ("a@, b@x", "'a@' is not an address of the form local@domain."),
            ("<a@x> b@x", "Unexpected 'b'."),
            ("A: a@x; b@x", "Unexpected 'b'."),
            ("A: B: a@x;;", "Unexpected ':'."),
            ("A: a@x", 'A group is not closed by ";".'),
            ("(a@x", "A comment is not closed, or nested too deeply."),
            ("(" * 9 + ")" * 9 + "a@x", "A comment is not closed, or nested too deeply."),
            ("a@😀", "'\\U0001f600' is not a domain that IDNA 2008 allows."),
            ("a\x00@x", "holds a control character or line break, U+0000 at position 1. Remove it."),
            ("a@b <c", QUOTES),
            ("a, b <c", QUOTES),
            ("a <b, c", QUOTES),
            ("a <b@c", 'A ">" is missing.'),
            ("a <b@c <d", 'A ">" is missing.'),
        ],
        ids=range(21),
    )
    def test_says_what_is_wrong(self, text: str, why: str) -> None:
        """The error shows the text, and then the first thing that is wrong with it."""
        with pytest.raises(InvalidAddress) as caught:
            Address.parse_list(text)
        assert str(caught.value) == f"{text!a} is not an address. {why}"

    @pytest.mark.parametrize("length, shown", [(100, "'" + "a" * 100 + "'"), (101, "'" + "a" * 97 + "...'")])
    def test_shows_the_begin_of_a_long_text(self, length: int, shown: str) -> None:
        """A hundred characters are enough to find it."""
        with pytest.raises(InvalidAddress) as caught:
            Address("a" * length)
        assert str(caught.value) == f"{shown} is not an address of the form local@domain."

    @pytest.mark.parametrize(
        "value, text",
        [
            (5, "to: takes addresses, not int."),
            ([5], "to: takes addresses as text, not int."),
            ({"a@x": 1}, "to: takes addresses, not dict."),
        ],
    )
    def test_says_what_it_takes(self, value: object, text: str) -> None:
        """The type is named, not the value."""
        with pytest.raises(InvalidAddress) as caught:
            Address.parse_list(value, field="to")
        assert str(caught.value) == text

    @pytest.mark.parametrize("field, prefix", [({}, ""), ({"field": "cc"}, "cc: ")])
    def test_one_address_names_its_field_too(self, field: dict[str, str], prefix: str) -> None:
        """`parse` says whose address it is, where it is anybody's."""
        with pytest.raises(InvalidAddress) as caught:
            Address.parse("a@x>", **field)
        assert str(caught.value) == f"{prefix}'a@x>' is not an address. Unexpected '>'."

    @pytest.mark.rule("N-A1")
    @pytest.mark.parametrize("text", ["Widgets, Inc. <w@x>", "a@b <w@x>", "evil@x, <w@x"])
    def test_missing_quotes(self, text: str) -> None:
        """The error hints at the quotes a name needs."""
        with pytest.raises(InvalidAddress, match="needs quotes"):
            Address.parse_list(text)

    @pytest.mark.rule("N-A3")
    def test_items_stay_apart(self) -> None:
        """A name alone in one item does not become the name of the next one's address."""
        with pytest.raises(InvalidAddress, match="'Ada'"):
            Address.parse_list(["Ada", "<bob@x>"])
        with pytest.raises(InvalidAddress):
            Address.parse_list(['"Ada', 'Bob" <bob@x>'])

    @pytest.mark.rule("N-A5")
    @pytest.mark.parametrize("bad", [*CONTROLS, *BIDI], ids=ascii)
    @pytest.mark.parametrize("spec, name", [("a{}@x", ""), ("a@x{}", ""), ("a@x", "A{}"), ("a@x{}", "A")])
    def test_controls(self, spec: str, name: str, bad: str) -> None:
        """Control and bidirectional characters are refused however the address is made."""
        spec, name = spec.format(bad), name.format(bad)
        with pytest.raises(InvalidAddress) as caught:
            Address(spec, name)
        assert caught.value.field == ""
        with pytest.raises(InvalidAddress):
            Address.parse(f'"{name}" <{spec}>')

    def test_made_by_hand(self) -> None:
        """An address that is no field's yet names none."""
        with pytest.raises(InvalidAddress) as caught:
            Address("ada@example.com", "Ada\u202e")
        assert caught.value.field == ""

    @pytest.mark.parametrize("value", [5, 1.5, object(), b"a@x", [b"a@x"], [5], [["a@x"]], {5: "a@x"}])
    def test_types(self, value: object) -> None:
        """What is no text is an error in the field's name, not of Python."""
        with pytest.raises(InvalidAddress, match=r"^to: "):
            Address.parse_list(value, field="to")

    @pytest.mark.rule("N-A4")
    @pytest.mark.parametrize("text", ["a@x, b@x", "undisclosed-recipients:;"])
    def test_exactly_one(self, text: str) -> None:
        """`parse` takes neither more nor less than one."""
        with pytest.raises(InvalidAddress) as caught:
            Address.parse(text, field="from_")
        number = text.count("@")
        assert str(caught.value) == f"from_: {text!a} holds {number} addresses; give exactly one."
        with pytest.raises(InvalidAddress, match=r"^envelope_sender: "):
            Message(envelope_sender=text)


class TestDomains:
    """Domains in their ASCII form."""

    @pytest.mark.rule("N-A8")
    @pytest.mark.parametrize(
        "domain, encoded",
        [
            ("faß.example", "xn--fa-hia.example"),
            ("EXÄMPLE.com", "xn--exmple-cua.com"),
            ("exa\u0308mple.com", "xn--exmple-cua.com"),
            ("例え。jp", "xn--r8jz45g.jp"),
            ("Under_Score.Example", "Under_Score.Example"),
            ("xn--fa-hia.example", "xn--fa-hia.example"),
        ],
    )
    def test_encoding(self, domain: str, encoded: str) -> None:
        """IDNA 2008 after UTS-46 mapping; an ASCII domain is left as it is."""
        address = Address(f"a@{domain}")
        assert (address.addr_spec, address.ascii_spec) == (f"a@{domain}", f"a@{encoded}")

    @pytest.mark.rule("N-A8")
    @pytest.mark.parametrize(
        "domain",
        [
            "😀.example",
            "b\uff20evil.example",
            "ä" * 64 + ".example",
            "\u00ad.de",
            "de\u3002",
            "de\uff0e",
            "de.\u200b",
        ],
    )
    def test_refused(self, domain: str) -> None:
        """What IDNA does not allow is refused at once; no mapping makes a special character of it."""
        with pytest.raises(InvalidAddress):
            Address(f"a@{domain}")

    @pytest.mark.parametrize("length", [255, 256])
    def test_length(self, length: int) -> None:
        """What is longer than any domain is not given to IDNA, whose work grows faster than its input."""
        address = "a@" + ".".join(["ä" * 50] * 4 + ["ä" * (length - 204)])
        expected = "longer than 255 characters" if length > 255 else "IDNA 2008"
        with pytest.raises(InvalidAddress, match=expected):
            Address(address)

    @pytest.mark.rule("N-A9", "N-A10")
    def test_both_sides(self) -> None:
        """A non-ASCII local part stays as it is; the domain beside it is encoded."""
        address = Address("üser@exämple", "Ü, ser")
        assert address.to_text() == '"Ü, ser" <üser@xn--exmple-cua>'
        assert str(address) == '"Ü, ser" <üser@exämple>'
        assert (address.local, address.domain) == ("üser", "exämple")

    def test_key(self) -> None:
        """Spellings of one mailbox share a key; the local part's letter case tells mailboxes apart."""
        keys = {
            Address(spec).key for spec in ("Ada@EXÄMPLE.com", "Ada@xn--exmple-cua.com", "Ada@exämple.com")
        }
        assert keys == {"Ada@xn--exmple-cua.com"}
        assert Address("ada@exämple.com").key not in keys


class TestWriting:
    """Addresses become text."""

    @pytest.mark.rule("N-A7")
    @pytest.mark.parametrize(
        "name, text, header",
        [
            ("", "a@x", "a@x"),
            ("Ada", "Ada <a@x>", "Ada <a@x>"),
            ("Ada O'Neil-Smith", "Ada O'Neil-Smith <a@x>", "Ada O'Neil-Smith <a@x>"),
            ("Widgets, Inc.", '"Widgets, Inc." <a@x>', '"Widgets, Inc." <a@x>'),
            ('A "B"', r'"A \"B\"" <a@x>', r'"A \"B\"" <a@x>'),
            ("a@evil.example", '"a@evil.example" <a@x>', '"a@evil.example" <a@x>'),
            ("Ä, B", '"Ä, B" <a@x>', "=?utf-8?b?w4QsIEI=?= <a@x>"),
            ("=?utf-8?q?x?=", '"=?utf-8?q?x?=" <a@x>', "=?utf-8?b?PT91dGYtOD9xP3g/PQ==?= <a@x>"),
        ],
    )
    def test_names(self, name: str, text: str, header: str) -> None:
        """A name is quoted only where it must be, and never both quoted and encoded."""
        address = Address("a@x", name)
        assert (address.to_text(), address.to_header()) == (text, header)

    @pytest.mark.rule("N-A6")
    @pytest.mark.parametrize("name", ["Ä" * 500, "Ä B " * 200, "a" * 1000, "a b, " * 300])
    def test_never_folded(self, name: str) -> None:
        """However long the name is, the text is one line of words at most 75 characters long."""
        address = Address("a@x", name)
        assert "\n" not in str(address) + address.to_text() + address.to_header()
        assert all(len(word) <= 75 for word in address.to_header().split() if word.startswith("=?"))

    @pytest.mark.parametrize(
        "name, words",
        [
            ("ä", ["=?utf-8?b?w6Q=?="]),
            ("ä" + "a" * 43, [f"=?utf-8?b?w6Rh{'YWFh' * 14}?="]),
            ("a" * 44 + "ä", [f"=?utf-8?b?{'YWFh' * 14}YWE=?=", "=?utf-8?b?w6Q=?="]),
        ],
    )
    def test_words(self, name: str, words: list[str]) -> None:
        """A word takes 45 bytes, and no character is cut in two."""
        assert Address("a@x", name).to_header() == f"{' '.join(words)} <a@x>"

    @pytest.mark.rule("N-A12")
    def test_result_keys(self) -> None:
        """A result is keyed by the addresses exactly as they were sent."""
        message = Message(to=["Ada@EXAMPLE.com", "b@exämple.com"], cc="C <c@x>").resolve
        resolved = message(Message(from_="s@x", text="."))
        result = SendResult.for_all(resolved, SendStatus.QUEUED, "1")
        assert list(result.recipients) == ["Ada@EXAMPLE.com", "b@exämple.com", "c@x"]
        assert result.recipients["c@x"] == RecipientResult(status=SendStatus.QUEUED, message_id="1")

    def test_copies(self) -> None:
        """An address survives pickle and copy, and can be a key."""
        address = Address("a@x", "Ä")
        assert pickle.loads(pickle.dumps(address)) == deepcopy(address) == address
        assert {address: 1}[Address("a@x", "Ä")] == 1


class TestAnyAddress:
    """What holds for every address."""

    @given(addresses(locals_, idn_domains))
    @settings(deadline=None)
    @example(Address("a@x", " \\"))
    @example(Address("a@x", "A\u00a0B"))
    def test_round_trip(self, address: Address) -> None:
        """Writing then reading gives the same address; `to_text` changes the domain's form at most."""
        assert Address.parse(str(address)) == address
        assert Address.parse(address.to_text()) == Address(address.ascii_spec, address.display_name)

    @given(st.lists(addresses(locals_, domains), max_size=6))
    @settings(deadline=None)
    def test_list_round_trip(self, given_: list[Address]) -> None:
        """No name can add, lose or change a recipient of a list."""
        text = ", ".join(address.to_text() for address in given_)
        assert Address.parse_list(text or None) == tuple(dict.fromkeys(given_))

    @given(
        st.lists(addresses(atoms, domains.filter(lambda domain: "[" not in domain)), min_size=1, max_size=4)
    )
    @settings(deadline=None, max_examples=60)
    def test_standard_library_agrees(self, given_: list[Address]) -> None:
        """Another reader finds the same recipients and names in what we write to a header."""
        text = ", ".join(address.to_header() for address in given_)
        assert standard(text) == [(squeeze(address.display_name), address.addr_spec) for address in given_]

    @given(
        st.lists(st.sampled_from([*list('ab"<>,:;@.()\\ '), "a@b", "<a@b>", '"a" ', "ä"]), max_size=9).map(
            "".join
        )
    )
    @settings(deadline=None, max_examples=300)
    @example("a@b (comment")
    @example('"a@b" <c@d>, e@f')
    def test_never_read_otherwise(self, text: str) -> None:
        """Whatever we accept, the standard library reads as the same addresses or not at all."""
        try:
            ours = [address.addr_spec for address in Address.parse_list([text])]
            theirs = policy.default.header_factory("To", text)
            found = [address.addr_spec for address in theirs.addresses]
        except (InvalidAddress, AttributeError, IndexError, TypeError):  # what it raises for odd names
            return
        if not theirs.defects:
            assert list(dict.fromkeys(map(bare, found))) == list(dict.fromkeys(map(bare, ours)))

    @given(st.text(max_size=20) | names.map(lambda name: f"{name} <a@b>"))
    @settings(deadline=None, max_examples=200)
    @example("a@b\r\nBcc: c@d")
    def test_no_injection(self, text: str) -> None:
        """Text is refused as an address, or what is written of it is one line."""
        for make in (Address.parse_list, lambda given_: [Address("a@b", given_)]):
            try:
                written = "".join(a.to_text() + a.to_header() + str(a) for a in make(text))
            except InvalidAddress:
                continue
            assert not set("\r\n\x00\x85\u2028\u2029") & set(written)
