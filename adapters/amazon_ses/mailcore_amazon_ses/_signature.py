"""Amazon SNS's signature (https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html).

Rule 1: the signature proves SNS, not your topic: anybody has topics. So the topic is looked at first, and
        nothing is fetched for a delivery that could not be genuine.
Rule 2: the certificate is fetched each time from SNS itself, over TLS; its address is matched in full. An
        adapter holds nothing; who wants it cached gives the receiver a transport that does.
Rule 3: whatever is wrong, the caller hears `WebhookRejected` and the sender hears nothing more.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs

from mailcore import (
    Disposition,
    HttpRequest,
    HttpResponse,
    InvalidDocument,
    WebhookRejected,
    WebhookRequest,
    parse_timestamp,
    requires_extra,
)
from mailcore_amazon_ses._fields import table
from mailcore_amazon_ses._options import AmazonSesOptions

__all__ = ["Signed", "Verifier", "signed"]

_SNS = r"https://sns\.[a-z0-9-]{3,}\.amazonaws\.com(?:\.cn)?"
_CERTIFICATE = r"/SimpleNotificationService-[0-9a-f]{32,64}\.pem"
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z")
#: How far ahead of ours SNS's clock may be.
AHEAD = timedelta(minutes=5)
MAX_CERTIFICATE = 64 * 1024

#: Type → the fields under the signature, in their order.
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_BESIDE = ("Signature", "SignatureVersion", "SigningCertURL")
#: What SES publishes once, to see whether it may: the only notification that is no JSON.
GREETING = "Successfully validated SNS topic for Amazon SES event publishing."


@attrs.frozen(kw_only=True)
class Signed:
    """
    A message of SNS that could be genuine.

    Attributes:
        topic: Number of its topic among those configured, from 1.
        confirm: The address that confirms a subscription, or empty.
    """

    fields: Mapping[str, str]
    signature: bytes
    signed_at: datetime
    topic: int
    confirm: str

    @property
    def canonical(self) -> bytes:
        """What was signed: names and values, a line each."""
        names = [name for name in _FIELDS[self.fields["Type"]] if name in self.fields]
        return "".join(f"{name}\n{self.fields[name]}\n" for name in names).encode()

    @property
    def ends_here(self) -> bool:
        """Whether it is of SNS's own protocol, or SES's, and tells nothing of any mail."""
        return self.fields["Type"] != "Notification" or self.fields["Message"] == GREETING

    def certificate_request(self) -> HttpRequest:
        """Return the request for the certificate."""
        url = self.fields["SigningCertURL"]
        return HttpRequest(method="GET", url=url, commits=False, max_response=MAX_CERTIFICATE)

    def confirm_request(self) -> HttpRequest:
        """Return the request that confirms the subscription."""
        return HttpRequest(method="GET", url=self.confirm, commits=False)


def signed(request: WebhookRequest, options: AmazonSesOptions, *, now: datetime) -> Signed:
    """
    Return what may be verified.

    Raises:
        WebhookRejected: No signature could prove it.
    """
    fields = _fields(request)
    if fields["TopicArn"] not in options.topic_arns:
        raise WebhookRejected("It is of another topic than topic_arns names.")
    sns = re.escape(options.sns_url) if options.sns_url else _SNS
    if not re.fullmatch(sns + _CERTIFICATE, fields["SigningCertURL"]):
        raise WebhookRejected("SigningCertURL is not an address of Amazon SNS.")
    signed_at = parse_timestamp(fields["Timestamp"]) if _TIME.fullmatch(fields["Timestamp"]) else None
    if signed_at is None or signed_at - now > AHEAD:
        raise WebhookRejected("Timestamp is no time, or one that is still to come.")
    return Signed(
        fields=fields,
        signature=_signature(fields["Signature"]),
        signed_at=signed_at,
        topic=options.topic_arns.index(fields["TopicArn"]) + 1,
        confirm=_confirm(fields, sns) if fields["Type"] == "SubscriptionConfirmation" else "",
    )


def _fields(request: WebhookRequest) -> Mapping[str, str]:
    """Return the fields that SNS documents, all of them text; strict JSON, so each is there once."""
    try:
        document = table(request.json())
    except InvalidDocument:
        raise WebhookRejected("It is not a message of Amazon SNS.") from None
    kind: Any = document.get("Type")
    names = _FIELDS.get(kind, ()) if isinstance(kind, str) else ()
    found = {name: document[name] for name in (*names, *_BESIDE) if name in document}
    missing = {*names, *_BESIDE} - found.keys() - {"Subject", "MessageId"}
    if not names or missing or not all(isinstance(value, str) for value in found.values()):
        raise WebhookRejected("It is not a message of Amazon SNS.")
    if found["SignatureVersion"] not in ("1", "2"):
        raise WebhookRejected("SignatureVersion is neither 1 nor 2.")
    return found


def _signature(given: str) -> bytes:
    try:
        found = b64decode(given)
    except ValueError:
        found = b""
    if not found or b64encode(found).decode() != given:  # several texts decode to the same bytes
        raise WebhookRejected("Signature is not the base64 of a signature.")
    return found


def _confirm(fields: Mapping[str, str], sns: str) -> str:
    """Return SubscribeURL, where it does what it is for, and nothing else."""
    url = fields["SubscribeURL"]
    wanted = [("Action", "ConfirmSubscription"), ("Token", fields["Token"]), ("TopicArn", fields["TopicArn"])]
    known = re.fullmatch(rf"{sns}/\?[!-~]+", url) and "#" not in url
    if not known or sorted(parse_qsl(urlsplit(url).query, keep_blank_values=True)) != wanted:
        raise WebhookRejected("SubscribeURL does not confirm this subscription.")
    return url


class Verifier:
    """
    Verify with the certificate that SNS serves.

    Raises:
        MissingDependency: cryptography is not installed.
    """

    def __init__(self) -> None:
        with requires_extra("signatures", of="mailcore-amazon-ses", by="topic_arns"):
            from cryptography import x509
            from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
            from cryptography.hazmat.primitives import hashes
            from cryptography.hazmat.primitives.asymmetric import padding, rsa
        self._load = x509.load_pem_x509_certificate
        self._hashes: Mapping[str, Any] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303  # reason: SNS's default
        self._padding = padding.PKCS1v15()
        self._rsa = rsa.RSAPublicKey
        self._errors = (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError)

    def verify(self, message: Signed, certificate: HttpResponse, *, now: datetime) -> None:
        """
        Do nothing where the certificate's key signed the message.

        Raises:
            WebhookRejected: It did not, or the certificate is not one or not valid now.
        """
        fetched(certificate, "The certificate")
        try:
            found = self._load(certificate.body)
            valid = found.not_valid_before_utc <= now <= found.not_valid_after_utc
            key = found.public_key()
            if valid and isinstance(key, self._rsa):
                hashed = self._hashes[message.fields["SignatureVersion"]]
                key.verify(message.signature, message.canonical, self._padding, hashed)
                return
        except self._errors:
            pass
        raise WebhookRejected("No valid certificate of Amazon SNS verifies the signature.")


def fetched(response: HttpResponse, what: str) -> None:
    """Do nothing where an answer has what was asked for; where SNS is at fault, it shall deliver again."""
    if response.status != 200:
        later = response.status >= 500 or response.status == 429
        raise WebhookRejected(
            f"{what} could not be fetched (HTTP {response.status}).",
            disposition=Disposition.UNAVAILABLE if later else None,
        )
