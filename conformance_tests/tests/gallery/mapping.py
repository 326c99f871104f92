"""Adapters that lose, change or misplace a field.

Rule: most of them are wrong only for a field that stands alone, so that no sample of a kit shows it: samples
show fields together, and users send them one by one.
"""

from __future__ import annotations

import unicodedata

import attrs
from reference.json_api import NAME, JsonAdapter

from gallery import broken
from gallery._changed import Changed, Document, alone
from mailcore import Context, HttpRequest, JsonBody, Message

# What every mail needs ------------------------------------------------------------------------------


@broken("B01", "text: the value given there is nowhere in the request")
class DropsText(Changed):
    """Sends mails without their text."""

    def change(self, document: Document, message: Message) -> None:
        document.pop("text", None)


@broken("B01", "subject: the value given there is nowhere in the request")
class UpperCaseSubject(Changed):
    """Shouts."""

    def change(self, document: Document, message: Message) -> None:
        document["subject"] = document.get("subject", "").upper()


@broken("B01", "to, the second address: the value given there is nowhere in the request")
class OnlyFirstRecipient(Changed):
    """Takes the first address for all of them."""

    def change(self, document: Document, message: Message) -> None:
        document["to"] = document["to"][:1]


@broken("B01", "to, the second address: the value given there is nowhere in the request")
class TwoIsACopy(JsonAdapter):
    """Takes the second of two recipients for a slip, where a mail is sent alone."""

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        document = self.document(message, ctx)
        if alone(message, "to") and len(message.to) == 2:
            document["to"].pop()
        return attrs.evolve(super().build_send(message, ctx), body=JsonBody(document))


@broken("B01", "from_: the value given there is nowhere in the request")
class OwnSender(Changed):
    """Sends everything from the address of the account."""

    def change(self, document: Document, message: Message) -> None:
        document["from"] = [{"email": "account@example.com"}]


@broken("B01", "at another moment, with addresses that are no examples")
class KnowsTheMoment(JsonAdapter):
    """Leaves the text out at any time but that of a test."""

    def document(self, message: Message, ctx: Context) -> Document:
        kept = {} if ctx.now.year == 2030 else {"text": ""}
        return {**super().document(message, ctx), **kept}


@broken("B02", "in another order than given")
class SortsRecipients(Changed):
    """Puts recipients in alphabetical order."""

    def change(self, document: Document, message: Message) -> None:
        if len(document["to"]) == 5:
            document["to"].sort(key=lambda one: one["email"])


@broken("B02", "Of 5 addresses in to, 1 are not in the request")
class LosesFifthRecipient(Changed):
    """Takes four recipients, and says nothing of a fifth."""

    def change(self, document: Document, message: Message) -> None:
        if len(document["to"]) == 5:
            document["to"].pop()


@broken("B03", "'Ada \"Countess\" Lovelace' does not come back with its address")
class StripsQuotesInNames(Changed):
    """Takes quotes in the name of a recipient for syntax."""

    def change(self, document: Document, message: Message) -> None:
        for one in document["to"]:
            one.update({"name": one["name"].replace('"', "")} if "name" in one else {})


@broken("B03", "there is a recipient who was not given")
class AddressesInNames(Changed):
    """Takes an address in a recipient's name for one more recipient."""

    def change(self, document: Document, message: Message) -> None:
        names = [one.get("name", "") for one in document["to"]]
        inside = [name.split("<")[1].rstrip(">") for name in names if "<" in name]
        document["to"] += [{"email": spec} for spec in inside]


@broken("B04", "subject: text beyond ASCII does not arrive whole")
class NormalisesSubject(Changed):
    """Composes what is combined: other characters than were given."""

    def change(self, document: Document, message: Message) -> None:
        if "subject" in document:
            document["subject"] = unicodedata.normalize("NFC", document["subject"])


@broken("B04", "a name beyond ASCII does not arrive whole")
class NarrowNames(Changed):
    """Keeps the Latin part of a name."""

    def change(self, document: Document, message: Message) -> None:
        for one in document["from"]:
            if "name" in one:
                one["name"] = one["name"].encode("latin-1", "replace").decode("latin-1")


@broken("B04", "text: text beyond ASCII does not arrive whole")
class StripsMarks(Changed):
    """Removes what has no width from the text."""

    def change(self, document: Document, message: Message) -> None:
        if "text" in document:
            document["text"] = document["text"].replace("\u200f", "")


@broken("B05.domain", "is in the request under another name")
class DomainsOf2003(Changed):
    """Encodes domains by the rules of 2003, by which `ß` is `ss`."""

    def change(self, document: Document, message: Message) -> None:
        for one, address in zip(document["to"], message.to, strict=True):
            one["email"] = f"{address.local}@{address.domain.encode('idna').decode()}"


@broken("B05.local", "is not in the request, and was not refused")
class AsciiLocalParts(Changed):
    """Leaves out what is not ASCII."""

    def change(self, document: Document, message: Message) -> None:
        for one in document["to"]:
            one["email"] = one["email"].encode("ascii", "ignore").decode()


@broken("B06", "body.subject is '' in the request for a mail that has no such thing")
class EmptySubject(Changed):
    """Writes a subject that is not there as an empty one."""

    def change(self, document: Document, message: Message) -> None:
        if message.text:
            document.setdefault("subject", "")


@broken("B06", "body.cc is [] in the request for a mail that has no such thing")
class EmptyList(Changed):
    """Writes a list that is not there as an empty one, where there is no subject either."""

    def change(self, document: Document, message: Message) -> None:
        if message.text and not message.subject:
            document.setdefault("cc", [])


@broken("B06", "body.subject is 'None' in the request for a mail that has no such thing")
class SubjectNone(Changed):
    """Makes text of everything."""

    def change(self, document: Document, message: Message) -> None:
        if message.text:
            document["subject"] = str(message.subject)


@broken("B07", "HTML alone stands where text stands when it is alone")
class HtmlAsText(Changed):
    """Fills in the text of a mail that has none with its HTML."""

    def change(self, document: Document, message: Message) -> None:
        if message.html and not message.text:
            document["text"] = message.html


@broken("B07", "text is lost where both are given")
class HtmlInstead(Changed):
    """Takes HTML for the better text."""

    def change(self, document: Document, message: Message) -> None:
        if alone(message, "html"):
            del document["text"]


@broken("B07", "one stands in the other's place")
class BothInHtml(Changed):
    """Shows the text of a whole document once more, above its HTML."""

    def change(self, document: Document, message: Message) -> None:
        if alone(message, "html") and message.html.startswith("<!doctype html><html>"):
            document["html"] = document["text"] + document["html"]


# Options, long texts, addresses ---------------------------------------------------------------------


@broken("B15", "an option for this provider is not in the request")
class OnlyKnownOptions(Changed):
    """Takes the options it knows, and forgets the others."""

    def change(self, document: Document, message: Message) -> None:
        for name in message.provider_options.get(NAME, {}):
            if name != "pool":
                del document[name]


@broken("B15.others", "an option for another provider is in the request")
class EveryonesOptions(Changed):
    """Takes options for whoever is called nearly the same."""

    def change(self, document: Document, message: Message) -> None:
        for name, options in message.provider_options.items():
            document.update(options if name.startswith(NAME) else {})


@broken("B16", "does not arrive whole")
class CutsLongText(Changed):
    """Ends a text after 8,192 characters."""

    def change(self, document: Document, message: Message) -> None:
        if "text" in document:
            document["text"] = document["text"][:8192]


@broken("B16", "does not arrive whole")
class StuffsDots(Changed):
    """Doubles the dots at the start of lines, as SMTP does, in a text of several paragraphs."""

    def change(self, document: Document, message: Message) -> None:
        if "\n\n\n" in document.get("text", ""):
            document["text"] = document["text"].replace("\n.", "\n..")


@broken("B17", "is not in the request letter for letter")
class LowerCaseTags(Changed):
    """Takes upper case in an address with a `+` for a slip."""

    def change(self, document: Document, message: Message) -> None:
        for one in document["to"]:
            one["email"] = one["email"].lower() if "+" in one["email"] else one["email"]
