"""Adapters that misread what a mail server says, or say another thing to it."""

from __future__ import annotations

import attrs
from reference.smtp_api import SmtpAdapter

from gallery import broken
from mailcore import (
    AuthenticationFailed,
    Context,
    MaybeSent,
    Message,
    NotAccepted,
    RecipientResult,
    Rejected,
    SendError,
    SendResult,
    SendStatus,
    SmtpRequest,
    SmtpResponse,
)

# What the last word means ---------------------------------------------------------------------------


@broken("P12.no", "550 to MAIL becomes NotAccepted, and it means rejected", of="smtp")
class RepeatsRefusedSenders(SmtpAdapter):
    """Takes the refusal of a sender for a passing trouble."""

    def meaning(self, response: SmtpResponse) -> type[SendError]:
        return (
            NotAccepted if response.command == "MAIL" and response.code == 550 else super().meaning(response)
        )


@broken("P12.not-now", "450 to DATA becomes Rejected, and it means not accepted", of="smtp")
class GivesUpGreylisted(SmtpAdapter):
    """Knows that a recipient may be refused for now, and not that a mail may."""

    def meaning(self, response: SmtpResponse) -> type[SendError]:
        return Rejected if response.command == "DATA" else super().meaning(response)


@broken("P12.early", "250 to CONNECT becomes accepted, and nothing was sent", of="smtp")
class BelievesEarlyYes(SmtpAdapter):
    """Looks at the number alone, but for what speaks of a server's extensions."""

    def parse_send(self, message: Message, ctx: Context, response: SmtpResponse) -> SendResult:
        whole = response if response.lacks else attrs.evolve(response, command=".")
        found = super().parse_send(message, ctx, whole if response.code == 250 else response)
        return attrs.evolve(found, raw=response)


@broken("P12.end", "354 to the end of the mail becomes Rejected instead of MaybeSent", of="smtp")
class DeniesDoubts(SmtpAdapter):
    """Takes whatever is no yes for a no."""

    def meaning(self, response: SmtpResponse) -> type[SendError]:
        found = super().meaning(response)
        return Rejected if found is MaybeSent else found


@broken("P12.login", "530 to MAIL becomes Rejected, and every mail of the account", of="smtp")
class ForgetsMissingLogins(SmtpAdapter):
    """Knows of a wrong login, and not of a missing one."""

    def meaning(self, response: SmtpResponse) -> type[SendError]:
        found = super().meaning(response)
        return Rejected if found is AuthenticationFailed and response.command == "MAIL" else found


@broken("P12.lacks", "A server without DSN makes it Rejected, which does not name DSN", of="smtp")
class HidesWhatIsMissing(SmtpAdapter):
    """Says that something is missing, and not what."""

    def error(self, response: SmtpResponse) -> SendError:
        if response.lacks:
            return Rejected("The server lacks something.", response=response)
        return super().error(response)


# What every check of answers sees of one ------------------------------------------------------------


@broken("P04", "is not in the result", of="smtp")
class ForgetsTheRefused(SmtpAdapter):
    """Reports on those alone who will get the mail."""

    def parse_send(self, message: Message, ctx: Context, response: SmtpResponse) -> SendResult:
        found = super().parse_send(message, ctx, response)
        rows = {one: row for one, row in found.recipients.items() if one not in response.refused}
        return attrs.evolve(found, recipients=rows)


@broken("P40", "with two recipients changed: recipients is", of="smtp")
class RefusesThoseInCopy(SmtpAdapter):
    """Guesses who was refused."""

    def parse_send(self, message: Message, ctx: Context, response: SmtpResponse) -> SendResult:
        found = super().parse_send(message, ctx, response)
        refused = [row for row in found.recipients.values() if row.status is SendStatus.REJECTED]
        copies = dict(zip((one.addr_spec for one in message.cc), refused, strict=False))
        good = RecipientResult(status=SendStatus.QUEUED)
        rows = {one.addr_spec: copies.get(one.addr_spec, good) for one in message.recipients}
        return attrs.evolve(found, recipients=rows if message.cc else found.recipients)


@broken("P20", "nothing of what the provider says is in the error", of="smtp")
class LosesItsWords(SmtpAdapter):
    """Says the number, which is not what an operator looks up."""

    def error(self, response: SmtpResponse) -> SendError:
        found = super().error(response)
        return found if response.lacks else type(found)(str(response.code), response=response)


# What is said ---------------------------------------------------------------------------------------


@broken("B08", "security is 'plain', and should be 'starttls'", of="smtp")
class EncryptsNothing(SmtpAdapter):
    """Trusts the network."""

    def build_send(self, message: Message, ctx: Context) -> SmtpRequest:
        return attrs.evolve(super().build_send(message, ctx), security="plain")


@broken("B35", "the token that the answer repeats is in the", of="smtp")
class SaysThePassword(SmtpAdapter):
    """Puts what it logs in with into its errors, in case somebody asks."""

    def error(self, response: SmtpResponse) -> SendError:
        found = super().error(response)
        said = f"{found} ({self.options.password.reveal()})" if "****" in response.text else str(found)
        return type(found)(said, response=response)
