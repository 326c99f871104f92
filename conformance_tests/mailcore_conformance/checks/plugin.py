"""Registering, loading, settings.

Rule: a plugin costs nothing until it is used, and an adapter holds nothing but its options.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from mailcore import (
    Adapter,
    Capability,
    HttpRequest,
    Level,
    Verification,
)
from mailcore._spec import API_VERSION
from mailcore_conformance._check import Weight, check, not_applicable_unless, require, require_none
from mailcore_conformance._subject import Subject
from mailcore_conformance.conduct._flows import (
    committing,
    fullest,
    plain,
    readable,
    shown,
    verified,
)
from mailcore_conformance.conduct._options import (
    as_variables,
    assigned,
    credentials,
    defaults_misread,
    fields,
    options_class,
    plain_texts,
    unnamed_without,
    webhook_secrets,
)
from mailcore_conformance.conduct._registering import load_all, needless, private_imports
from mailcore_conformance.conduct._setting_samples import misjudged
from mailcore_conformance.conduct._table import events_amiss, keys_amiss, parts_alone

# Pieces ---------------------------------------------------------------------------------------------


@check(
    "L00",
    "Every piece that the spec points to is there, and a host offers the adapter.",
    why="Otherwise the adapter installs without a word and fails at the first mail.",
    fix="Correct the pointers in the AdapterSpec: they are of the form package.module:Name.",
)
def pieces(subject: Subject) -> None:
    """Load everything, as a user would."""
    load_all(subject)


@check(
    "L01",
    "Registering imports neither the adapter nor anything heavy.",
    why="Every program pays for every installed plugin at its start, used or not.",
    fix="Let the plugin's module build the AdapterSpec and nothing else; pointers are text.",
)
def registers_lightly(subject: Subject) -> None:
    """Import the plugin's module afresh, call its hook, and look at what that took."""
    require_none(needless(subject))


@check(
    "L02",
    "The spec names the contract that this core speaks.",
    why="A host refuses an adapter written for another contract, rather than guess what it means.",
    fix="Set api_version to the integer this core documents, or install versions that fit together.",
)
def contract_version(subject: Subject) -> None:
    """Compare the version; where it is another one, no host offers the adapter and nothing else holds."""
    found = subject.spec.api_version
    require(
        type(found) is int and found == API_VERSION,
        f"api_version is {found!r} ({type(found).__name__}); this core speaks {API_VERSION}.",
    )


# What users read ------------------------------------------------------------------------------------


@check(
    "L03.title",
    "The spec says what the provider calls itself, and where its documentation is.",
    why="Errors, lists and the documentation name the provider by it.",
    fix="Give title= and docs_url= (https) in the AdapterSpec.",
    weight=Weight.SHOULD,
)
def titled(subject: Subject) -> None:
    """Look at the spec."""
    require(subject.spec.title.strip(), "The AdapterSpec has no title.")
    url = subject.spec.docs_url
    require(url.startswith("https://"), f"docs_url is {url!r}, no https address.")


@check(
    "L03.limited",
    "A limited capability says what its limit is.",
    why="LIMITED alone tells a user to expect trouble, and not which.",
    fix="Give limit= or note= in the Support of that capability, or declare it FULL.",
)
def limits_said(subject: Subject) -> None:
    """Look at the table."""
    require_none(
        f"{capability} is LIMITED, with neither a limit nor a note."
        for capability, found in subject.spec.capabilities.items()
        if found.level is Level.LIMITED and found.limit is None and not found.note.strip()
    )


@check(
    "L03.urls",
    "Each declared capability names the page of the provider that says so.",
    why="Providers change: whoever doubts the table can look it up.",
    fix="Give url= (https) in the Support of that capability.",
    weight=Weight.SHOULD,
)
def sources_said(subject: Subject) -> None:
    """Look at the table."""
    require_none(
        f"{capability} names no page of the provider."
        for capability, found in subject.spec.capabilities.items()
        if found.usable and not found.url.startswith("https://")
    )


# Options --------------------------------------------------------------------------------------------


@check(
    "L04.defaults",
    "The options are an attrs class, given by keyword, in which every option has a default.",
    why="Receiving needs no token and sending no webhook key; and an option may be added between others.",
    fix="Decorate it with @attrs.frozen(kw_only=True), and give a credential the default None.",
)
def options_default(subject: Subject) -> None:
    """Look at each option."""
    cls = options_class(subject)
    require(attrs.has(cls), f"{cls.__name__} is no attrs class.")
    require_none(
        f"{name} {'has no default' if field.default is attrs.NOTHING else 'is not given by keyword alone'}."
        for name, field in fields(subject).items()
        if field.init and (field.default is attrs.NOTHING or not field.kw_only)
    )


@check(
    "L04.frozen",
    "Options do not change once they are made.",
    why="Several threads share one adapter, and so its options.",
    fix="Decorate the options with @attrs.frozen(kw_only=True).",
)
def options_frozen(subject: Subject) -> None:
    """Assign to each option."""
    made = subject.adapter().options
    require_none(f"{name} can be assigned to." for name in fields(subject) if assigned(made, name))


@check(
    "L04.about",
    "Every option says what it is for.",
    why="The text is all that the command line and the documentation have to show.",
    fix='Add metadata=about("One sentence.", needed_to="send" or "receive" where that needs it).',
)
def options_described(subject: Subject) -> None:
    """Look at each option's metadata."""
    require_none(
        f"{name} is not described by about(...)."
        for name, field in fields(subject).items()
        if not str(field.metadata.get("about", "")).strip()
        or field.metadata.get("needed_to") not in ("send", "receive", "")
    )


@check(
    "L04.secret",
    "A token is kept as a Secret.",
    why="Plain text shows in debuggers, error reports, pickles and whatever else looks into objects.",
    fix="Give the option converter=attrs.converters.optional(Secret).",
)
def options_secret(subject: Subject) -> None:
    """Look for the token as plain text within the options."""
    held = subject.adapter().options
    require_none(
        f"{name} holds the token as plain text."
        for name in fields(subject)
        if any(subject.secret in text for text in plain_texts(getattr(held, name)))
    )


@check(
    "L05",
    "Sending without the token is refused at once, and the refusal says where to put it.",
    why="Otherwise the first to notice is the provider, with an error nobody can place.",
    fix='Give the option default=None and about(..., needed_to="send").',
)
def token_is_needed(subject: Subject) -> None:
    """Leave the token out of what the kit configures."""
    held = credentials(subject)
    over_http = isinstance(subject.request(plain()), HttpRequest)
    not_applicable_unless(held and over_http, "Sending does not need a token.")
    require_none(unnamed_without(subject, held))


# Settings by text -----------------------------------------------------------------------------------


@check(
    "L06.send",
    "What can be configured in Python can be configured by environment variables.",
    why="Servers are configured by text; what text cannot say cannot be deployed.",
    fix="Let the option's converter take text too: a list is text with commas between its items.",
)
def sends_by_environment(subject: Subject) -> None:
    """Give the kit's options as variables; the request is the same."""
    rest, environ = as_variables(subject, subject.kit.options(subject.secret))
    adapter = subject.host.adapter({"provider": subject.spec.name, **rest}, environ=environ)
    same = shown(committing(subject, adapter, plain())) == shown(subject.request(plain()))
    require(same, f"{', '.join(environ)}: the same values as variables make another request.")


@check(
    "L06.receive",
    "Webhook options work as environment variables too.",
    why="Servers are configured by text, and rotating a key means two keys in one variable.",
    fix="Let the option's converter take several keys in one text, with commas or spaces between them.",
    capability=Capability.WEBHOOK_SIGNATURE,
)
def receives_by_environment(subject: Subject) -> None:
    """Give two of the kit's keys as variables; a sample verifies as it does otherwise."""
    name, keys = subject.spec.name, subject.webhook_configuration((1, 0))
    rest, environ = as_variables(subject, {key: value for key, value in keys.items() if key != "provider"})
    adapter = subject.host.adapter({"provider": name, **rest}, environ=environ)
    for sample in readable(subject)[:1]:
        found = verified(subject, adapter, sample)
        require(isinstance(found, Verification), f"{', '.join(environ)}: {sample.name} does not verify.")


@check(
    "L06.defaults",
    "A default value given as text means the same.",
    why="Text that is taken as it comes makes a timeout of '5' or a truth of 'false'.",
    fix="Give the option a converter: float, int, attrs.converters.to_bool.",
)
def defaults_by_environment(subject: Subject) -> None:
    """Give each option its own default as a variable."""
    require_none(defaults_misread(subject))


# The table ------------------------------------------------------------------------------------------


def _part_of(family: str) -> None:
    @check(
        f"L07.{family}",
        f"A capability {family}.* that is part of another is declared with that one only.",
        why="A table that contradicts itself cannot be relied on anywhere.",
        fix="Declare both, or neither.",
    )
    def run(subject: Subject) -> None:
        """Look at the table."""
        require_none(parts_alone(subject, family))


for _family in ("send", "webhook", "inbound"):
    _part_of(_family)


@check(
    "L07.events",
    "Types of events are declared exactly where events are.",
    why="Whoever stores events prepares for what is declared.",
    fix="List what the parser can return in event_types; leave it out where there are no events.",
)
def event_types_declared(subject: Subject) -> None:
    """Compare event_types with webhook.tracking."""
    require_none(events_amiss(subject))


@check(
    "L07.idempotency",
    "What is promised of keys is promised exactly where keys are taken, and fits the rest.",
    why="Core repeats requests on the strength of it: a wrong promise sends a mail twice.",
    fix="Give idempotency= with send.idempotency_key; the limit of that capability is max_length.",
)
def keys_declared(subject: Subject) -> None:
    """Compare the promise with the table."""
    require_none(keys_amiss(subject))


# Nothing kept ---------------------------------------------------------------------------------------


@check(
    "L08.tokens",
    "Two adapters with different tokens keep apart.",
    why="One process serves several tenants: with a shared token, one sends in the other's name.",
    fix="Keep options on the instance only: no class attribute, module variable or cached client.",
)
def tokens_apart(subject: Subject) -> None:
    """Make two adapters before either sends; each makes the request it makes alone."""
    tokens = (subject.secret, subject.secret[::-1])
    configs = [{"provider": subject.spec.name, **subject.kit.options(token)} for token in tokens]
    alone = [shown(committing(subject, _made(subject, config), plain())) for config in configs]
    adapters = [_made(subject, config) for config in configs]
    together = [shown(committing(subject, adapter, plain())) for adapter in adapters]
    require(alone == together, "With another adapter beside it, an adapter makes another request.")


def _made(subject: Subject, config: Mapping[str, Any]) -> Adapter:
    return subject.host.adapter(config, environ={})


@check(
    "L08.reuse",
    "A mail leaves nothing behind for the next one.",
    why="What is left of one mail reaches the recipients of another.",
    fix="Build each payload from the message alone, in a dictionary of its own.",
)
def nothing_left(subject: Subject) -> None:
    """Send the fullest sample, then a plain message; it is as with a new adapter."""
    adapter = subject.adapter()
    committing(subject, adapter, fullest(subject))
    after = shown(committing(subject, adapter, plain()))
    alone = shown(subject.request(plain()))
    require(after == alone, "After another mail, the same message makes another request.")


@check(
    "L09",
    "Options for sending and for receiving do not disturb each other.",
    why="One configuration serves both in most applications.",
    fix="Let sending look at the token only, and verifying at the webhook options only.",
)
def both_configured(subject: Subject) -> None:
    """Configure both at once; requests and verification are as with one of them."""
    keys = subject.webhook_configuration() if webhook_secrets(subject) else {}
    adapter = _made(subject, {**keys, **subject.configuration})
    same = shown(committing(subject, adapter, plain())) == shown(subject.request(plain()))
    require(same, "With webhook options beside the token, the request is another one.")
    for sample in readable(subject)[:1] if keys else ():
        apart = verified(subject, subject.webhook_adapter(), sample)
        require(
            verified(subject, adapter, sample) == apart,
            f"With a token beside the webhook options, {sample.name} verifies otherwise.",
        )


@check(
    "L10",
    "The adapter imports only public names of mailcore.",
    why="Any other name may be gone in the next release, and the adapter with it.",
    fix="Import from mailcore itself; ask for a name that is missing there.",
)
def imports_public_names(subject: Subject) -> None:
    """Read the sources of the adapter's package that its pointers lead to."""
    require_none(private_imports(subject))


@check(
    "L11.samples",
    "Each sample of settings is taken, or refused with the error and the text it names.",
    why="A setting is wrong once, on a bad day: the text of the error is all the help there is.",
    fix="Raise ConfigurationError with a text that says what to do and holds no secret.",
)
def settings_samples(subject: Subject) -> None:
    """Make a mailer or a receiver of each sample's settings, and verify what it names."""
    require_none(misjudged(subject))
