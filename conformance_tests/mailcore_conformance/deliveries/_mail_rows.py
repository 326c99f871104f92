"""The checks of incoming mail beyond what its samples become."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mailcore import Capability
from mailcore_conformance._subject import Subject
from mailcore_conformance.deliveries import _mail_identity as identity
from mailcore_conformance.deliveries import _mail_samples as samples
from mailcore_conformance.deliveries import _mail_values as values
from mailcore_conformance.deliveries._delivery_row import Row

__all__ = ["ROWS"]

Faults = Callable[[Subject], Iterable[str]]


def _row(
    check_id: str,
    title: str,
    faults: Faults,
    *,
    why: str,
    fix: str,
    capability: Capability = Capability.WEBHOOK_INBOUND,
) -> Row:
    return Row(id=check_id, title=title, why=why, fix=fix, capability=capability, faults=faults)


ROWS: tuple[Row, ...] = (
    _row(
        "W21",
        "The samples show what mail can hold: text, html, a file, several addresses.",
        samples.without_evidence,
        why="What no sample shows was never read: the first html mail may be the first failure.",
        fix="Add the sample that is missing to `webhooks/`, with its mail under `expected`.",
    ),
    _row(
        "W21.attachment",
        "A file of all byte values arrives as it is.",
        samples.altered_files,
        why="A file that went through text on the way is damaged, and nobody notices but its reader.",
        fix="Decode base64 to bytes, once; InboundAttachment.from_base64 does it when asked.",
    ),
    _row(
        "W22",
        "Mail comes with its own source.",
        samples.without_source,
        why="Only the source can be read again by another program, or shown to be what was sent.",
        fix="Pass the source as `raw`, or stop declaring inbound.raw.",
        capability=Capability.INBOUND_RAW,
    ),
    _row(
        "W22.source",
        "The source is byte for byte what the provider passed on.",
        samples.altered_sources,
        why="A DKIM signature breaks at a single space that was added, dropped or folded.",
        fix="Encode the text as UTF-8, or decode the base64, and touch nothing.",
        capability=Capability.INBOUND_RAW,
    ),
    _row(
        "W23",
        "The envelope's recipients are those the mail was delivered for, whatever its headers say.",
        samples.lost_recipients,
        why="A mail to a hidden recipient names somebody else in To: it would reach the wrong inbox.",
        fix="Take `envelope_recipients` from the provider's envelope, letter for letter; never from To.",
        capability=Capability.INBOUND_ENVELOPE,
    ),
    _row(
        "W23.sender",
        "The envelope's sender is the one the provider names.",
        samples.lost_senders,
        why="Bounces go to that address, and loops are told by it; From is anybody's claim.",
        fix="Take `envelope_sender` from the provider's envelope, letter for letter; never from From.",
        capability=Capability.INBOUND_ENVELOPE,
    ),
    _row(
        "W23.bare",
        "The envelope's addresses are bare, whatever a display name looks like.",
        samples.forged_envelopes,
        why="Mail is routed by that address; a name that looks like one must not choose the inbox.",
        fix="Parse each with Address.parse and keep `addr_spec`; drop what fails.",
        capability=Capability.INBOUND_ENVELOPE,
    ),
    _row(
        "W24",
        "Every mail has an event id.",
        identity.nameless,
        why="Without one, a delivery that comes again is a second mail.",
        fix="Use the provider's id of the delivery, or a digest of the body where it sends none.",
    ),
    _row(
        "W24.again",
        "A mail that comes again has the same event id.",
        identity.unstable_mails,
        why="Providers repeat deliveries; only the id keeps a ticket from being opened twice.",
        fix="Make `event_id` of the payload, not of the time, the signature, the process or a counter.",
    ),
    _row(
        "W24.other",
        "Another mail has another event id, even under the same Message-ID.",
        identity.confused_mails,
        why="Whoever guesses a Message-ID could have the real mail dropped as a repetition of theirs.",
        fix="Digest the whole body where the provider sends no id of its own.",
    ),
    _row(
        "W25.nulls",
        "Null in place of any value is survived.",
        values.raised_at_nulls,
        why="Providers send null for what a mail does not have.",
        fix="Treat null as absent; raise InvalidDocument only where nothing is left that is a mail.",
    ),
    _row(
        "W25.types",
        "A value of another type than documented is survived.",
        values.raised_at_types,
        why="Types drift, and each mail that fails is somebody's letter.",
        fix="Look at the type before you use a value; what has another one is absent.",
    ),
    _row(
        "W25.missing",
        "A key that is not there is survived.",
        values.raised_at_missing,
        why="Providers leave out what a mail does not have.",
        fix="Read optional keys with `.get`; raise InvalidDocument where a needed one is missing.",
    ),
    _row(
        "W25.extra",
        "Keys nobody documented change nothing in the mail.",
        values.swayed,
        why="Providers add fields without notice, and call that compatible.",
        fix="Pick the keys you know; do not pass a whole object on as arguments.",
    ),
    _row(
        "W25.shapes",
        "Of what is no mail, none is made, and it is kept for a person.",
        values.odd_shapes,
        why="A genuine delivery that is not understood may be somebody's letter.",
        fix="Return EndpointKind.INBOUND only for the documented shape, and None for what is unknown.",
    ),
    _row(
        "W26",
        "Hostile mail is read without an error.",
        values.hostile_mails,
        why="Anybody can write to an inbox; mail that raises is a way to stop it.",
        fix="Leave parsing to InboundMessage, which reads on demand under caps; do not look into `raw`.",
    ),
    _row(
        "W27",
        "A mail is the same after a way through JSON.",
        values.no_way_back,
        why="Mail waits in queues and files; one that changes there, or cannot go there, is lost.",
        fix="Keep `provider_fields` as JSON gave them: no bytes, sets, dates or objects of your own.",
    ),
    _row(
        "W27.types",
        "A mail's own fields are of the promised types, whatever the provider's are.",
        values.drifting_mails,
        why="An application that was promised an address fails at a number.",
        fix="Take a value over only where it has the type you expect, and addresses only where they parse.",
    ),
    _row(
        "W28",
        "Mail at the endpoint of events is kept, and is no event.",
        values.misrouted,
        why="Two endpoints are easily exchanged in a provider's settings; the mail must survive that.",
        fix="Tell mail from events in webhook_kind by the shape of the body, never by the URL.",
    ),
    _row(
        "W28.events",
        "An event at the endpoint of mail is kept, and is no mail.",
        values.misrouted_events,
        why="Two endpoints are easily exchanged in a provider's settings; the news must survive that.",
        fix="Tell events from mail in webhook_kind by the shape of the body, never by the URL.",
    ),
    _row(
        "W29",
        "What is fetched to read a mail commits nothing.",
        values.committing_steps,
        why="Core takes a request that commits for one that sends, and never repeats it by itself.",
        fix="Yield requests with `commits=False` from inbound_flow.",
    ),
    _row(
        "W29.attached",
        "A mail attached to a mail can be read as one.",
        values.lost_inner_mails,
        why="Forwarded mail and bounces carry the mail they are about in that form.",
        fix="Keep the content type message/rfc822 of an attached mail, and its content as it is.",
    ),
)
