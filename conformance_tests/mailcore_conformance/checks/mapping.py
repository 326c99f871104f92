"""A message's fields in the request: all of them, whole, each in its place, and nothing else.

Rule: every value is made up for the run, so that an adapter can only pass it on, never know it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from mailcore import Address, Capability
from mailcore_conformance._check import Failed, check, not_applicable_unless, require, require_none
from mailcore_conformance._probe import PROBES, SEND_AT, Probe, leaves_no_mark, missing_marks, new_tag
from mailcore_conformance._subject import Subject, any_moment
from mailcore_conformance.requests._genuine import empties, samples, unlike, unshown
from mailcore_conformance.requests._moment import says_moment
from mailcore_conformance.requests._reading import (
    built,
    mail,
    name_of,
    places_of,
    same_text,
    strangers,
    unnamed,
)
from mailcore_conformance.requests._texts import NAME, NAMES, SUBJECT, TEXT, long_text


@check(
    "B01",
    "Sender, recipients, subject and text reach the request.",
    why="A mail without one of them is not the mail the user meant, and no error says so.",
    fix="Map `from_`, every address of `to`, `subject` and `text` into the payload that build_send returns.",
)
def what_every_mail_needs(subject: Subject) -> None:
    """Give each field a value of its own and look for it, as in a test and as in life."""
    require_none(_missing_of(subject, "example.com"))
    require_none(
        f"{one} So it is at another moment, with addresses that are no examples."
        for one in _missing_of(subject, f"{new_tag()}.com", **any_moment(subject))
    )


def _missing_of(subject: Subject, domain: str, **context: Any) -> Iterator[str]:
    tag = new_tag()
    recipients = [f"to-{tag}@{domain}", f"second-{tag}@{domain}"]
    wire = subject.wire(mail(tag, from_=f"sender-{tag}@{domain}", to=recipients), **context)
    marks = {
        "from_": f"sender-{tag}@{domain}",
        "to, the first address": recipients[0],
        "to, the second address": recipients[1],
        "subject": f"Subject {tag}",
        "text": f"Text {tag}",
    }
    for field, mark in marks.items():
        if not wire.find(mark):
            yield f"{field}: the value given there is nowhere in the request."


@check(
    "B02",
    "Recipients keep the order they were given in.",
    why="Readers see another list than the sender wrote, and answers by position name the wrong recipient.",
    fix="Iterate over `message.to` as it is; neither sort it nor put it into a set.",
)
def order_of_recipients(subject: Subject) -> None:
    """Give recipients in an order that no sorting makes."""
    tag = new_tag()
    recipients = [f"{letter}-{tag}@example.com" for letter in "mazck"]
    wire = subject.wire(mail(tag, to=recipients))
    places = [wire.place(one) for one in recipients]
    require(-1 not in places, f"Of {len(places)} addresses in to, {places.count(-1)} are not in the request.")
    require(places == sorted(places), "The addresses in to stand in the request in another order than given.")


@check(
    "B03",
    "A display name that needs quoting stays the name of its one recipient.",
    why="An unquoted comma or bracket makes a second recipient of half a name: mail goes to a stranger.",
    fix="Write addresses with `Address.to_text()`, or name and address in fields of their own.",
)
def names_that_need_quotes(subject: Subject) -> None:
    """Read the addresses back, as text and as separate fields."""
    tag = new_tag()
    recipients = [Address(f"to-{number}-{tag}@example.com", name) for number, name in enumerate(NAMES)]
    message = mail(tag, to=recipients).resolve()
    wire = subject.wire(message)
    require_none(
        f"The name {address.display_name!r} does not come back with its address."
        for address in unnamed(wire, recipients)
    )
    require_none(f"At {place} there is a recipient who was not given." for place in strangers(wire, message))


@check(
    "B04",
    "Text in any script arrives whole.",
    why="Readers see question marks, or nothing, where their language stood.",
    fix="Pass text on as it is, in UTF-8; do not encode to ASCII or Latin-1, and do not normalise it.",
)
def any_script(subject: Subject) -> None:
    """Use subject, names and text that ASCII, 16 bits and normalisation would each change."""
    tag = new_tag()
    names = [Address(f"from-{tag}@example.com", NAME), Address(f"to-{tag}@example.com", NAME)]
    wire = subject.wire(mail(tag, from_=names[0], to=names[1], subject=SUBJECT, text=TEXT))
    if not wire.exactly(SUBJECT):
        raise Failed("subject: text beyond ASCII does not arrive whole.")
    require(not [*unnamed(wire, names)], "from_ or to: a name beyond ASCII does not arrive whole.")
    arrived = any(same_text(piece.text, TEXT) for piece in wire.pieces)
    require(arrived, "text: text beyond ASCII does not arrive whole.")


@check(
    "B05.domain",
    "An address in an international domain is that address, or is refused.",
    why="By older rules `ß` is `ss`: the mail goes to another domain, which somebody else may own.",
    fix="Use `address.ascii_spec`, or pass `addr_spec` on as it is.",
)
def international_domain(subject: Subject) -> None:
    """Use a domain that the rules of 2003 and of 2008 encode differently."""
    address = Address(f"ada@straße-{new_tag()}.example")
    wire = built(subject, mail(new_tag(), to=address))
    found = wire is None or any(wire.find(spec) for spec in (address.addr_spec, address.ascii_spec))
    require(found, "An address in the domain 'straße-...' is in the request under another name.")


@check(
    "B05.local",
    "An address with a non-ASCII local part is that address, or is refused.",
    why="A changed local part is another mailbox: somebody else gets the mail.",
    fix="Pass the local part on as it is, or raise UnsupportedFeature(field='to').",
)
def international_local_part(subject: Subject) -> None:
    """Use a local part that is not ASCII."""
    address = f"jörg.{new_tag()}@example.com"
    wire = built(subject, mail(new_tag(), to=address))
    require(
        wire is None or wire.find(address),
        "The address 'jörg...' is not in the request, and was not refused.",
    )


@check(
    "B06",
    "A field that is absent leaves nothing in the request.",
    why="Providers take null, empty text or an empty list for a value: some refuse the mail, some show it.",
    fix="Leave the key out where the message has no value; a field is never null, '', [] or {}.",
)
def absent_is_absent(subject: Subject) -> None:
    """Build the least mail there is; only what genuine samples leave empty may be empty."""
    tag = new_tag()
    empty = empties(subject, subject.wire(mail(tag, subject=None)))
    require_none(
        f"{piece.path} is {piece.shown} in the request for a mail that has no such thing." for piece in empty
    )


@check(
    "B07",
    "Text and HTML keep their places, alone and together.",
    why="HTML in the place of text shows readers tags; text in the place of HTML loses its lines.",
    fix="Map `text` to the provider's plain text field and `html` to its HTML field, whichever is there.",
    capability=Capability.HTML,
)
def text_and_html(subject: Subject) -> None:
    """Find where each stands when it is alone, and look at both there."""
    tag = new_tag()
    text, html = f"Text {tag}", f"<!doctype html><html><body><p>Html {tag}</p></body></html>"
    text_place = places_of(subject.wire(mail(tag)), text)
    html_place = places_of(subject.wire(mail(tag, text=None, html=html)), html)
    wire = subject.wire(mail(tag, html=html))
    both = {"text": places_of(wire, text), "html": places_of(wire, html)}
    require(text_place and html_place, "Text alone, or HTML alone, is not in the request.")
    require(not text_place & html_place, "HTML alone stands where text stands when it is alone.")
    require_none(f"{name} is lost where both are given." for name, found in both.items() if not found)
    swapped = both["text"] & html_place or both["html"] & text_place
    require(not swapped, "Where both are given, one stands in the other's place.")


@check(
    "B08",
    "The adapter builds the requests that the samples show.",
    why="The samples are made from the provider's documentation: another request is one it does not know.",
    fix="Compare build_send with the documented request: method, URL, headers, names and forms of fields.",
)
def requests_of_the_samples(subject: Subject) -> None:
    """Build each sample's message and compare by meaning."""
    require(samples(subject), "No sample in the kit has both a message and a request.")
    require_none(f"{name}: {difference}." for name, difference in unlike(subject))


@check(
    "B09",
    "Every capability is shown by an accepted sample.",
    why="A field that no documented request shows may have been given a name that the provider ignores.",
    fix="Add an accepted sample with that field to the kit's exchanges, message and request, or extend one.",
)
def samples_show_every_capability(subject: Subject) -> None:
    """Look for each declared field in what was sent."""
    require_none(
        f"{probe.capability} is declared, and no accepted sample with a request uses {probe.field}."
        for probe in unshown(subject)
    )


def _arrives(probe: Probe) -> Callable[[Subject], None]:
    def run(subject: Subject) -> None:
        needs = " and ".join(map(str, probe.needs))
        not_applicable_unless(probe.applies(subject), f"{probe.capability} needs {needs}.")
        reason = leaves_no_mark(subject, probe, new_tag())
        require(reason is None, reason or "")

    return run


for _probe in PROBES.values():
    check(
        f"B10.{name_of(_probe.capability)}",
        f"`{_probe.field}` reaches the request ({_probe.capability}).",
        why="What the user asked for does not happen, and no error says so.",
        fix=f"Map `message.{_probe.field}` into the payload, or stop declaring {_probe.capability}.",
        capability=_probe.capability,
    )(_arrives(_probe))


@check(
    "B10.schedule.moment",
    "The time of a scheduled mail is the moment that was given.",
    why="A time without its zone is another time: the mail leaves hours early or late.",
    fix="Write `message.send_at` with its zone (it is UTC), or as seconds since 1970.",
    capability=Capability.SCHEDULE,
)
def moment(subject: Subject) -> None:
    """Read every text that may be a time."""
    wire = subject.wire(mail(new_tag(), subject=None, send_at=SEND_AT))
    found = any(says_moment(piece.text, SEND_AT) for piece in wire.pieces)
    require(found, "No text in the request stands for the moment in send_at.")


@check(
    "B15",
    "The provider's own options are passed on.",
    why="They are the way to what the common fields cannot say; dropped, they do nothing and say nothing.",
    fix="Merge `message.provider_options.get(NAME, {})` into the payload, or raise UnsupportedFeature.",
)
def own_options(subject: Subject) -> None:
    """Give an option with a made-up name and value."""
    tag = new_tag()
    options = {subject.spec.name: {f"option-{tag}": f"setting-{tag}"}}
    wire = built(subject, mail(tag, provider_options=options))
    missing = [] if wire is None else missing_marks(wire, [f"option-{tag}", f"setting-{tag}"])
    require(not missing, "provider_options: an option for this provider is not in the request.")


@check(
    "B15.others",
    "Another provider's options stay out.",
    why="A message may carry options for several providers; this one may refuse them, or take them.",
    fix="Read the options under the adapter's own name only.",
)
def options_of_others(subject: Subject) -> None:
    """Give options for two other providers."""
    tag = new_tag()
    options = {name: {f"foreign-{tag}": f"setting-{tag}"} for name in ("another", f"{subject.spec.name}-eu")}
    wire = subject.wire(mail(tag, provider_options=options))
    leaked = wire.find(f"foreign-{tag}") + wire.find(f"setting-{tag}")
    require(not leaked, "provider_options: an option for another provider is in the request.")


@check(
    "B16",
    "A long text of many lines arrives whole.",
    why="Readers miss the end of the mail, or lines that a mail system takes for its own.",
    fix="Pass `text` on as it is: no cutting, no wrapping, no stripping, no dot-stuffing.",
)
def long_texts(subject: Subject) -> None:
    """Use 10,000 characters, dots, long lines, blanks, and both line ends."""
    text = long_text()
    wire = subject.wire(mail(new_tag(), text=text))
    arrived = any(same_text(piece.text, text) for piece in wire.pieces)
    require(arrived, "A text of 10,000 characters and many lines does not arrive whole.")


@check(
    "B17",
    "An address arrives letter for letter.",
    why="Local parts may be case-sensitive, and `+tag` is part of them: changed, it is another mailbox.",
    fix="Use `address.addr_spec` or `ascii_spec` as it is; do not lower-case or normalise it.",
)
def letters_of_an_address(subject: Subject) -> None:
    """Use upper case, dots and a plus; only the domain's case does not matter."""
    local = f"Mixed.Case+Tag-{new_tag()}"
    wire = subject.wire(mail(new_tag(), to=f"{local}@Example.COM"))
    pattern = re.compile(rf"{re.escape(local)}@(?i:example\.com)")
    found = any(pattern.search(piece.text) for piece in wire.pieces)
    require(found, "The address 'Mixed.Case+Tag-...' is not in the request letter for letter.")
