"""Adapters that are registered, configured or kept wrongly."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import attrs
from reference import REFERENCES
from reference.json_api import KIT, SPEC, JsonAdapter
from reference.json_kit import JsonOptions

from gallery import GALLERY, Broken, broken
from gallery._packages import plugin_source, write
from mailcore import (
    Capability,
    Context,
    HttpRequest,
    Idempotency,
    Level,
    Message,
    PluginHost,
    Secret,
    Support,
    UnsupportedFeature,
    about,
)
from mailcore_conformance import Report, run

Headers = list[tuple[str, str | Secret]]


def _table(*without: Capability, **changes: Support) -> dict[Capability, Support]:
    kept = {name: found for name, found in SPEC.capabilities.items() if name not in without}
    return {**kept, **{Capability[name]: found for name, found in changes.items()}}


def _options(name: str) -> dict[str, str]:
    return {"options": f"{__name__}:{name}"}


# Pieces ---------------------------------------------------------------------------------------------

NO_KIT = "a kit is expected here"
ANOTHER_KIT = attrs.evolve(KIT, provider="reference-form")


@broken("L00", "conformance_kit points to str", spec={"conformance_kit": f"{__name__}:NO_KIT"})
class PointsToNoKit(JsonAdapter):
    """Names something else where its kit should be."""


@broken("L00", "conformance_kit is for 'reference-form'", spec={"conformance_kit": f"{__name__}:ANOTHER_KIT"})
class PointsToAnotherKit(JsonAdapter):
    """Names the kit it was copied from."""


@broken("L00", "conformance_kit points to gallery.plugin:KITT", spec={"conformance_kit": f"{__name__}:KITT"})
class MisspeltPointer(JsonAdapter):
    """Names a kit that is not there."""


@attrs.frozen(kw_only=True)
class BrokenPlugin(Broken):
    """A correct adapter behind a plugin that is broken; `module` registers it."""

    module: str

    def examine(self, *only: str) -> Report:
        """Run these checks, or every one, on what that plugin offers."""
        host = PluginHost({"gallery": import_module(self.module)}, installed=False)
        return run(host.spec(SPEC.name), self.reference.kit, host=host, only=only)


def _plugin(name: str, reason: str, **lines: str) -> None:
    module = write(f"gallery_{name.replace('-', '_')}", plugin_source(SPEC, **lines))
    GALLERY[name] = BrokenPlugin(
        name=name,
        check="L01",
        reason=reason,
        cls=JsonAdapter,
        reference=REFERENCES["json"],
        spec={},
        kit={},
        module=module,
    )


write("gallery_sdk", '"""What a provider offers for its own API."""')
_plugin("imports-its-adapter", "Registering imports reference.json_api", eager="import reference.json_api")
_plugin("imports-its-kit-in-the-hook", "imports reference.json_api", in_hook="import reference.json_api")
_plugin("imports-an-sdk", "Registering imports gallery_sdk, which is slow", eager="import gallery_sdk")
_plugin("imports-email", "Registering imports email.message", eager="from email.message import EmailMessage")


@broken("L02", "api_version is 1.0 (float)", spec={"api_version": 1.0})
class CountsContractsInFractions(JsonAdapter):
    """Gives the version of the contract as a fraction."""


# What users read ------------------------------------------------------------------------------------


@broken("L03.title", "no title", spec={"title": " "})
class HasNoTitle(JsonAdapter):
    """Does not say what the provider is called."""


@broken("L03.title", "docs_url is ''", spec={"docs_url": ""})
class HasNoDocumentation(JsonAdapter):
    """Does not say where the provider is documented."""


LIMITED = Support(level=Level.LIMITED, url=SPEC.docs_url)


@broken("L03.limited", "send.html is LIMITED", spec={"capabilities": _table(HTML=LIMITED)})
class LimitsWithoutLimit(JsonAdapter):
    """Calls a capability limited, and not how."""


@broken("L03.urls", "send.html names no page", spec={"capabilities": _table(HTML=Support())})
class NamesNoPage(JsonAdapter):
    """Declares a capability that nobody can look up."""


# Options --------------------------------------------------------------------------------------------


@attrs.frozen
class PositionalOptions(JsonOptions):
    """Options with one that goes by its position."""

    pool: str = attrs.field(default="default", metadata=about("Which addresses mail is sent from."))


@broken("L04.defaults", "pool is not given by keyword alone", spec=_options("PositionalOptions"))
class CountsItsOptions(JsonAdapter):
    """Tells its options apart by their order."""


@attrs.frozen(kw_only=True)
class RegionOptions(JsonOptions):
    """Options with one that has to be given."""

    region: str = attrs.field(metadata=about("Where the account is."))


@broken(
    "L04.defaults",
    "region has no default",
    spec=_options("RegionOptions"),
    kit={"options": lambda token: {"api_key": token, "region": "eu"}},
)
class DemandsAnOption(JsonAdapter):
    """Cannot be made from a token alone; so it cannot receive either."""


class ThawedOptions(JsonOptions):
    """Options that can be assigned to."""

    __setattr__ = object.__setattr__


@broken("L04.frozen", "api_key can be assigned to", spec=_options("ThawedOptions"))
class ThawsItsOptions(JsonAdapter):
    """Has options that change under its feet."""


@attrs.frozen(kw_only=True)
class SilentOptions(JsonOptions):
    """Options with one that nobody explains."""

    pool: str = "default"


@broken("L04.about", "pool is not described", spec=_options("SilentOptions"))
class ExplainsNothing(JsonAdapter):
    """Has an option without a description."""


@attrs.frozen(kw_only=True)
class PlainOptions(JsonOptions):
    """Options that hold the token as text."""

    api_key: str | None = attrs.field(
        default=None, repr=False, metadata=about("Token of the account.", needed_to="send")
    )


@broken("L04.secret", "api_key holds the token as plain text", spec=_options("PlainOptions"))
class KeepsPlainToken(JsonAdapter):
    """Hides the token from its own repr, and from nothing else."""

    def headers(self, message: Message, ctx: Context) -> Headers:
        found = super().headers(message, ctx)
        return [(name, Secret(value) if name == "X-Api-Key" else value) for name, value in found]


@attrs.frozen(kw_only=True)
class ModestOptions(JsonOptions):
    """Options that do not say that the token is needed."""

    api_key: Secret | None = attrs.field(
        default=None, converter=attrs.converters.optional(Secret), metadata=about("Token of the account.")
    )


@broken("L05", "Without api_key, 1 requests were made", spec=_options("ModestOptions"))
class SendsWithoutToken(JsonAdapter):
    """Leaves it to the provider to miss the token."""


@attrs.frozen(kw_only=True)
class PoolOptions(JsonOptions):
    """Options with a list that text cannot say."""

    pools: tuple[str, ...] = attrs.field(default=(), converter=tuple, metadata=about("Pools of addresses."))


@broken(
    "L06.send",
    "MAILCORE_REFERENCE_JSON_POOLS: the same values as variables make another request",
    spec=_options("PoolOptions"),
    kit={"options": lambda token: {"api_key": token, "pools": ["fast", "slow"]}},
)
class TakesListsOnly(JsonAdapter):
    """Takes each letter of a text for an item."""

    def headers(self, message: Message, ctx: Context) -> Headers:
        odd: Headers = [("X-Pools", pool) for pool in self.options.pools if len(pool) == 1]
        return [*super().headers(message, ctx), *odd]


def _one_key(value: Any) -> tuple[Secret, ...] | None:
    return JsonOptions(webhook_key=[value] if isinstance(value, str) else value).webhook_key


@attrs.frozen(kw_only=True)
class SingleKeyOptions(JsonOptions):
    """Options that take a text for one key."""

    webhook_key: tuple[Secret, ...] | None = attrs.field(
        default=None, converter=_one_key, metadata=about("Key that signs webhooks.", needed_to="receive")
    )


@broken("L06.receive", "The adapter raised WebhookRejected", spec=_options("SingleKeyOptions"))
class TakesOneKeyByText(JsonAdapter):
    """Takes two keys in one variable for one long key."""


@attrs.frozen(kw_only=True)
class CountingOptions(JsonOptions):
    """Options with a number that stays text."""

    tries: int = attrs.field(default=3, metadata=about("How often a template is looked up."))


@broken("L06.defaults", "tries: the text '3' does not mean the default 3", spec=_options("CountingOptions"))
class TakesNumbersAsTheyCome(JsonAdapter):
    """Does not convert a number that comes as text."""


# The table ------------------------------------------------------------------------------------------


@broken(
    "L07.send",
    "send.multiple_reply_to is declared without send.reply_to",
    spec={"capabilities": _table(Capability.REPLY_TO)},
)
class DeclaresPartOfNothing(JsonAdapter):
    """Takes several addresses for answers, and not one."""

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        if len(message.reply_to) == 1:
            raise UnsupportedFeature("The provider takes several addresses for answers.", field="reply_to")
        return super().build_send(message, ctx)


@broken(
    "L07.webhook",
    "webhook.recipient is declared without webhook.tracking",
    spec={"capabilities": _table(Capability.WEBHOOK_TRACKING), "event_types": ()},
)
class NamesRecipientsOfNothing(JsonAdapter):
    """Declares that events name the recipient, and no events."""


@broken(
    "L07.inbound",
    "inbound.raw is declared without webhook.inbound",
    spec={"capabilities": _table(Capability.WEBHOOK_INBOUND)},
)
class HasSourcesOfNothing(JsonAdapter):
    """Declares the source of incoming mail, and no incoming mail."""


@broken(
    "L07.events",
    "There are event_types, and webhook.tracking is not declared",
    spec={"capabilities": _table(Capability.WEBHOOK_TRACKING, Capability.WEBHOOK_RECIPIENT)},
)
class ListsEventsOfNothing(JsonAdapter):
    """Lists types of events, and declares no events."""


@broken("L07.idempotency", "remembered for no time", spec={"idempotency": Idempotency(ttl=0, max_length=64)})
class ForgetsAtOnce(JsonAdapter):
    """Promises keys that are never remembered."""


# Nothing kept ---------------------------------------------------------------------------------------


@broken("L08.tokens", "With another adapter beside it")
class SharesOptions(JsonAdapter):
    """Sends with the options of whichever adapter was made last."""

    latest: JsonOptions

    def __init__(self, options: JsonOptions) -> None:
        super().__init__(options)
        type(self).latest = options

    def headers(self, message: Message, ctx: Context) -> Headers:
        mine = self.options
        self.options = self.latest
        found = super().headers(message, ctx)
        self.options = mine
        return found


@broken("L08.reuse", "After another mail, the same message makes another request")
class KeepsAmp(JsonAdapter):
    """Sends the AMP body of one mail with all that follow."""

    def document(self, message: Message, ctx: Context) -> dict[str, Any]:
        made = super().document(message, ctx)
        self.kept = {name: made[name] for name in ("amp_html",) if name in made} or getattr(self, "kept", {})
        return {**self.kept, **made}


@broken("L09", "With webhook options beside the token, the request is another one")
class AnnouncesWebhooks(JsonAdapter):
    """Tells the provider, with each mail, that there is an endpoint."""

    def headers(self, message: Message, ctx: Context) -> Headers:
        announced: Headers = [("X-Webhooks", "on")] if self.keys() else []
        return [*super().headers(message, ctx), *announced]


write(
    "gallery_private",
    """
    from mailcore._secret import Secret
    from reference.json_api import JsonAdapter

    class PrivateAdapter(JsonAdapter):
        made_of = Secret
    """,
)


@broken(
    "L10",
    "gallery_private, line 2, imports mailcore._secret",
    spec={"factory": "gallery_private:PrivateAdapter"},
)
class ImportsPrivateNames(JsonAdapter):
    """Imports a module that core keeps for itself."""
