"""Credentials and hidden recipients.

Rule: a secret is known to the options and to the wire. Everything between passes it on unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mailcore import Capability, HttpRequest, Secret, SmtpRequest
from mailcore_conformance._check import (
    Failed,
    NotApplicable,
    check,
    not_applicable_unless,
    require,
    require_none,
)
from mailcore_conformance._probe import new_tag
from mailcore_conformance._subject import Subject
from mailcore_conformance._wire import Wire
from mailcore_conformance.conduct._exposed import (
    answers,
    bad_options,
    echoed,
    errors,
    handled,
    misplaced,
    open_urls,
    refusals,
)
from mailcore_conformance.conduct._flows import committing, plain, shown
from mailcore_conformance.conduct._leaks import reprs, shows, told, written
from mailcore_conformance.conduct._observed import observed
from mailcore_conformance.conduct._options import credentials, webhook_secrets

_SHOWN = "Every log, error report and debugger that shows it gives the account away."
_MASK = "Keep the value in a Secret, and call reveal() only in what makes the header."


# Hidden recipients ----------------------------------------------------------------------------------


def _hidden(tag: str, name: str = "") -> Any:
    fields = {"bcc": [f"{name}{number}-{tag} <bcc-{number}-{tag}@example.com>" for number in range(2)]}
    return plain(**fields)


@check(
    "B20",
    "Addresses in bcc stand only where nobody else reads them.",
    why="Everyone who gets the mail would see who got it secretly.",
    fix="Give message.bcc to the provider's own field for it, or to the envelope; to nothing else.",
    capability=Capability.BCC,
)
def hidden_addresses(subject: Subject) -> None:
    """Look for the addresses in every other place."""
    tag = new_tag()
    wire = subject.wire(_hidden(tag))
    marks = [f"bcc-{number}-{tag}@example.com" for number in range(2)]
    require_none(f"An address of bcc stands in {place}." for place in misplaced(wire, marks))


@check(
    "B20.mime",
    "A mail's source has no Bcc header.",
    why="Whoever passes the source on as it is shows it to everyone.",
    fix="Leave Bcc out of the source (MimeBody does) and name those recipients in the envelope.",
    capability=Capability.BCC,
)
def no_bcc_header(subject: Subject) -> None:
    """Look for the header in any MIME within the request."""
    tag = new_tag()
    places = dict.fromkeys(subject.wire(_hidden(tag)).find(tag))
    require_none(f"The source has the header {place}" for place in places if place.lower().endswith("bcc:"))


@check(
    "B21",
    "Names in bcc stand only where the addresses do.",
    why="A name gives a secret recipient away as well as the address does.",
    fix="Take names for other fields from those fields alone.",
    capability=Capability.BCC,
)
def hidden_names(subject: Subject) -> None:
    """Look for the display names in every other place."""
    tag = new_tag()
    wire = subject.wire(_hidden(tag, "Hidden"))
    marks = [f"Hidden{number}-{tag}" for number in range(2)]
    require_none(f"A name of bcc stands in {place}." for place in misplaced(wire, marks))


# The token on the wire ------------------------------------------------------------------------------


def _requests(subject: Subject) -> Iterator[HttpRequest]:
    """Yield the request that sends, at first and when it is repeated."""
    not_applicable_unless(credentials(subject), "The kit's options hold no token.")
    for attempt in (1, 2):
        request = subject.request(plain(), attempt=attempt)
        if not isinstance(request, HttpRequest):
            raise NotApplicable("It does not send over HTTP: the token is the transport's.")
        yield request


@check(
    "B30.url",
    "The token is in no URL.",
    why="URLs are logged by every proxy and server on the way.",
    fix="Send the token in a header.",
)
def not_in_url(subject: Subject) -> None:
    """Look for it in the address."""
    for request in _requests(subject):
        require(not shows(request.url, [subject.secret]), "The URL holds the token.")


@check(
    "B30.body",
    "The token is in no body.",
    why="Bodies are kept for support and shown in consoles, where a credential does not belong.",
    fix="Send the token in a header.",
)
def not_in_body(subject: Subject) -> None:
    """Look for it in all that the body says."""
    for wire in map(Wire, _requests(subject)):
        texts = [wire.body.decode("utf-8", "replace"), *(piece.text for piece in _of_body(wire))]
        require(not any(shows(text, [subject.secret]) for text in texts), "The body holds the token.")


def _of_body(wire: Wire) -> Iterator[Any]:
    return (piece for piece in wire.pieces if not piece.path.startswith(("header", "url")))


@check(
    "B30.used",
    "Another token makes another request.",
    why="A token that takes no part, or not whole, sends with somebody else's or with none.",
    fix="Send the token of the options, whole, with every request.",
)
def token_takes_part(subject: Subject) -> None:
    """Change the token's last character."""
    other = subject.secret[:-1] + ("1" if subject.secret.endswith("0") else "0")
    config = {"provider": subject.spec.name, **subject.kit.options(other)}
    for attempt, request in enumerate(_requests(subject), 1):
        made = committing(subject, subject.host.adapter(config, environ={}), plain(), attempt=attempt)
        require(shown(made) != shown(request), "A token with another end makes the same request.")


@check(
    "B33",
    "The token stands in the request as a Secret.",
    why="Plugins and logs see requests; and what a provider echoes of a Secret, core masks.",
    fix="Pass the Secret on as the header's value; subclass it where the value is made from it.",
)
def secret_on_the_wire(subject: Subject) -> None:
    """Look for the token in headers that are plain text."""
    for request in _requests(subject):
        require_none(
            f"The header {name} holds the token as plain text."
            for name, value in request.headers
            if not isinstance(value, Secret) and shows(value, [subject.secret])
        )


# The token anywhere else ----------------------------------------------------------------------------


@check("B31.repr", "Adapter, options, request and context do not show the token.", why=_SHOWN, fix=_MASK)
def shown_by_nothing(subject: Subject) -> None:
    """Look at each of them as a debugger does."""
    adapter = subject.adapter()
    things = {
        "adapter": adapter,
        "options": adapter.options,
        "request": subject.request(plain()),
        "context": subject.context(),
    }
    require_none(
        f"The {name} shows the token." for name, one in things.items() if shows(reprs(one), [subject.secret])
    )


@check(
    "B31.errors",
    "No error shows the token.",
    why=_SHOWN,
    fix="Make errors from the provider's words and the status; they pickle, and hold no options.",
)
def not_in_errors(subject: Subject) -> None:
    """Look at what is raised for refused and for unreadable answers."""
    require_none(
        f"{name}: the {type(error).__name__} shows the token."
        for name, error in errors(subject)
        if shows(told(error), [subject.secret])
    )


@check(
    "B31.configuration",
    "An error about a token does not show it.",
    why="A token with a typing error is still most of a token, and setup errors are posted publicly.",
    fix="Say what is wrong with the value, not the value: Secret does.",
)
def not_in_configuration_errors(subject: Subject) -> None:
    """Give tokens that cannot be right."""
    require_none(
        f"{name}: the error about a malformed value shows it."
        for name, error in bad_options(subject)
        if shows(told(error), [subject.secret])
    )


@check(
    "B31.logs",
    "Nothing that is logged or printed shows the token.",
    why="Logs are kept for years, and read by many.",
    fix="Remove the call; an adapter logs nothing, core says what happened.",
)
def not_in_logs(subject: Subject) -> None:
    """Configure, send and receive, with every logger at its lowest level."""
    require(not shows(observed(subject).log, [subject.secret]), "The token is logged or printed.")


@check(
    "B31.results",
    "No result shows the token.",
    why="Results are stored beside the mail, where a credential does not belong.",
    fix="Make results from the provider's answer alone.",
)
def not_in_results(subject: Subject) -> None:
    """Look at the result of an accepted mail as it is shown, pickled and written."""
    result = subject.parse(plain(), subject.accepted.response)
    if isinstance(result, Exception):
        raise Failed("The sample of an accepted mail ends in an error.")
    require(not shows(written(result), [subject.secret]), "The result shows the token.")


# Where credentials may go ---------------------------------------------------------------------------


@check(
    "B32.default",
    "Mail goes out over https.",
    why="Over http, everybody on the way reads the mail and the token.",
    fix="Begin the default address with https://, and derive every other one from it.",
)
def encrypted(subject: Subject) -> None:
    """Look at the address, at first and when the request is repeated."""
    for request in _requests(subject):
        require(request.url.startswith("https://"), "The request that sends goes over plain http.")


@check(
    "B32.options",
    "An address without encryption is refused, but for this machine.",
    why="A typing error in the address must not send the token in plain.",
    fix="Give the option converter=check_service_url (of mailcore).",
)
def refuses_plain_http(subject: Subject) -> None:
    """Give each option that is an address one with http."""
    require_none(open_urls(subject))


@check(
    "B35",
    "A token that the provider echoes is not passed on.",
    why="Some providers repeat the token in their errors, and errors are logged.",
    fix="Keep the token as an option that is a Secret by itself: core masks those in every answer.",
)
def echo_is_masked(subject: Subject) -> None:
    """Refuse a mail with answers that repeat the token, the way an application sees it."""
    not_applicable_unless(credentials(subject), "The kit's options hold no token.")
    speaks = isinstance(subject.request(plain()), HttpRequest | SmtpRequest)
    not_applicable_unless(speaks, "It sends to something in this process.")
    require_none(
        f"{name}: the token that the answer repeats is in the {type(error).__name__}."
        for name, error in echoed(subject)
        if shows(told(error), [subject.secret])
    )


# Webhook keys ---------------------------------------------------------------------------------------


def _keys(subject: Subject) -> list[str]:
    found = webhook_secrets(subject)
    not_applicable_unless(found, "The adapter has no webhook options of its own.")
    return found


@check("B34.repr", "Adapter and options do not show a webhook key.", why=_SHOWN, fix=_MASK)
def keys_not_shown(subject: Subject) -> None:
    """Look at both as a debugger does."""
    keys, adapter = _keys(subject), subject.webhook_adapter()
    for name, one in {"adapter": adapter, "options": adapter.options}.items():
        require(not shows(reprs(one), keys), f"The {name} shows a webhook key.")


@check(
    "B34.logs",
    "Nothing that is logged or printed shows a webhook key.",
    why="Whoever reads the log could forge every event.",
    fix="Remove the call; an adapter logs nothing, core says what happened.",
)
def keys_not_logged(subject: Subject) -> None:
    """Receive, genuine and not, with every logger at its lowest level."""
    keys = _keys(subject)
    require(not shows(observed(subject).log, keys), "A webhook key is logged or printed.")


@check(
    "B34.answers",
    "No answer to a delivery shows a webhook key.",
    why="Anybody can deliver something and read the answer.",
    fix="Answer with a status and no more; the reason belongs in your own log.",
)
def keys_not_answered(subject: Subject) -> None:
    """Look at each answer there is."""
    keys = _keys(subject)
    require_none(
        f"{name}: the answer shows a webhook key." for name, text in answers(subject) if shows(text, keys)
    )


@check(
    "B34.refusals",
    "A refusal tells neither a webhook key nor the signature that would have been right.",
    why="Refusals are logged: whoever reads the log could sign what was refused.",
    fix="Raise WebhookRejected with a fixed sentence.",
)
def refusals_say_nothing(subject: Subject) -> None:
    """Look at what is raised for forged deliveries."""
    keys = _keys(subject)
    require_none(
        f"{name}: the refusal shows a webhook key or the right signature."
        for name, error, right in refusals(subject)
        if shows(told(error), [*keys, *right])
    )


@check(
    "B34.results",
    "No event and no mail shows a webhook key.",
    why="Events are stored for years, where a credential does not belong.",
    fix="Make events and mail from the delivery alone.",
)
def keys_not_in_results(subject: Subject) -> None:
    """Look at what the samples become."""
    keys = _keys(subject)
    require_none(
        f"{name}: a {type(one).__name__} shows a webhook key."
        for name, one in handled(subject)
        if shows(written(one), keys)
    )
