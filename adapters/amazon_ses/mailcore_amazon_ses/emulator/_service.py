"""Amazon SES as one object: what it is told, and what it then does.

Rule: it knows the time only from its callers, and one lock makes each call happen whole.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from itertools import islice
from threading import RLock
from typing import Any, Literal
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from mailcore import EmulatedDelivery, EmulatedMail, EndpointKind, HttpRequest, HttpResponse
from mailcore_amazon_ses.emulator._account import AccountProblem, SentMail
from mailcore_amazon_ses.emulator._content import Entry, bad, bulk, mailboxes, single
from mailcore_amazon_ses.emulator._proof import body_of, check_proof, key_of
from mailcore_amazon_ses.emulator._records import record, stamp
from mailcore_amazon_ses.emulator._refusal import Refusal, answer
from mailcore_amazon_ses.emulator._shown import shown
from mailcore_amazon_ses.emulator._sns import CERTIFICATE_PATH, Topics, certificate, signs

__all__ = ["AmazonSesEmulator"]

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105  # reason: printed in AWS's docs
BUCKET = "mailcore-emulator"
#: SES docs: what is larger does not fit into a notification, and bounces.
MAX_NOTIFIED = 150 * 1024
SUBJECTS = {
    EndpointKind.TRACKING: "Amazon SES Email Event Notification",
    EndpointKind.INBOUND: "Amazon SES Email Receipt Notification",
}


class AmazonSesEmulator:
    """
    Behave as AWS's documentation says of SES, and of SNS and S3 behind it, for one account.

    `AmazonSesEmulator()` is complete and always the same: the same calls bring the same answers and the
    same webhooks. Any thread may call any method.

    Args:
        domain: The verified domain, or several.
        templates: Names of the stored templates; None: any name is one.
        configuration_sets: Names of the configuration sets; None: any name is one.
        rate_limit: Most mails in a period of that length; None: unlimited.
        inbound: How received mail is passed on: within the notification, or in a bucket.
        confirm: Whether SNS waits for an endpoint to confirm its subscription, as it really does.
        signature_version: How SNS signs: 1 (SHA-1) or 2 (SHA-256).

    Attributes:
        account_problem: Assign one, and every send is refused until it is None again.
        happenings: What a person lets happen → the word for `act`.
    """

    happenings: Mapping[str, str] = {
        "deliver": "Delivery",
        "defer": "DeliveryDelay",
        "bounce": "Bounce",
        "spam": "Complaint",
        "unknown": "Teleportation",
    }

    def __init__(
        self,
        *,
        domain: str | Iterable[str] = "example.com",
        templates: Iterable[str] | None = None,
        configuration_sets: Iterable[str] | None = None,
        rate_limit: tuple[int, timedelta] | None = None,
        inbound: Literal["SNS", "S3"] = "SNS",
        confirm: bool = False,
        signature_version: Literal["1", "2"] = "1",
    ) -> None:
        self.account_problem: AccountProblem | None = None
        self._domains = {domain.lower()} if isinstance(domain, str) else {one.lower() for one in domain}
        self._known = {
            "TemplateName": None if templates is None else set(templates),
            "ConfigurationSetName": None if configuration_sets is None else set(configuration_sets),
        }
        self._rate_limit, self._recent = rate_limit, deque[datetime]()
        self._inbound = inbound
        self._adopted: set[str] = set()
        self._base = ""
        self._sent: dict[str, SentMail] = {}
        self._skipped = 0
        self._suppressed: set[str] = set()
        self._objects: dict[str, bytes] = {}
        self._received = 0
        self._to_confirm: list[tuple[EndpointKind, str]] = []
        self._confirm = confirm
        self._topics = Topics(confirm=confirm, version=signature_version)
        self._lock = RLock()

    @property
    def sent(self) -> list[SentMail]:
        """Every mail that was taken, oldest first."""
        with self._lock:
            return list(self._sent.values())

    @property
    def suppressed(self) -> frozenset[str]:
        """The account's suppression list: addresses that bounced or complained, in lower case."""
        with self._lock:
            return frozenset(self._suppressed)

    @property
    def lost(self) -> list[Mapping[str, str]]:
        """The messages that SNS gave up."""
        with self._lock:
            return list(self._topics.lost)

    def settings(self, base_url: str) -> Mapping[str, str]:
        """Return the options for this emulator at `base_url`; without cryptography no topics among them."""
        with self._lock:
            base = base_url.rstrip("/")
            self._base = urlsplit(base).path
            self._topics.url = base
            topics = ",".join(self._topics.arn(kind) for kind in EndpointKind)
            return {
                "region": "us-east-1",
                "access_key_id": KEY_ID,
                "secret_access_key": SECRET_KEY,
                "api_url": base,
                "sns_url": base,
                "s3_url": f"{base}/s3",
                **({"topic_arns": topics} if signs() else {}),
            }

    def subscribe(self, kind: EndpointKind, url: str) -> None:
        """Subscribe an endpoint to the topic of that kind."""
        with self._lock:
            if self._confirm:
                self._to_confirm.append((kind, url))  # the time is not known before the next call
            else:
                self._topics.subscribe(kind, url, None)

    def adopt(self, request: HttpRequest) -> None:
        """Trust the access key of an API request, whatever its secret half, and its sender."""
        with self._lock:
            self._adopted.add(key_of(request))
            with suppress(Refusal):  # what cannot be read is refused when it is handled
                payload = _payload(request)
                entries = list(bulk(payload)) if "BulkEmailEntries" in payload else [single(payload)]
                self._domains |= {_domain(entry.sender) for entry in entries}

    # Requests -----------------------------------------------------------------------------------

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        """Answer one request to SES, SNS or S3; whatever it holds, there is an answer."""
        with self._lock:
            try:
                return self._answer(request, now)
            except Refusal as refusal:
                return refusal.response()

    def _answer(self, request: HttpRequest, now: datetime) -> HttpResponse:
        parts = _url(request)
        path = parts.path.removeprefix(self._base)
        if request.method == "GET" and path == CERTIFICATE_PATH:
            return HttpResponse(status=200, body=certificate())
        if request.method == "GET" and path in ("", "/"):
            return self._confirmed(parse_qs(parts.query))
        if request.method == "GET" and path.startswith(f"/s3/{BUCKET}/"):
            return self._stored(request, unquote(path.removeprefix(f"/s3/{BUCKET}/")), now)
        if request.method != "POST" or path not in (
            "/v2/email/outbound-emails",
            "/v2/email/outbound-bulk-emails",
        ):
            raise Refusal(404, "UnknownOperationException", "There is no such operation.")
        check_proof(request, "ses", now, keys={KEY_ID: SECRET_KEY}, adopted=self._adopted)
        payload = _payload(request)
        return self._bulk(payload, now) if path.endswith("bulk-emails") else self._single(payload, now)

    def _confirmed(self, query: Mapping[str, Sequence[str]]) -> HttpResponse:
        arn, token = query.get("TopicArn", [""])[0], query.get("Token", [""])[0]
        if query.get("Action") != ["ConfirmSubscription"] or not self._topics.confirm(arn, token):
            return HttpResponse(
                status=400, body=b"<ErrorResponse><Error><Code>InvalidParameter</Code></Error>"
            )
        return HttpResponse(status=200, body=b"<ConfirmSubscriptionResponse/>")

    def _stored(self, request: HttpRequest, key: str, now: datetime) -> HttpResponse:
        try:
            check_proof(request, "s3", now, keys={KEY_ID: SECRET_KEY}, adopted=self._adopted)
        except Refusal:
            return HttpResponse(status=403, body=b"<Error><Code>AccessDenied</Code></Error>")
        if key not in self._objects:
            return HttpResponse(status=404, body=b"<Error><Code>NoSuchKey</Code></Error>")
        return HttpResponse(status=200, body=self._objects[key])

    # Sending ------------------------------------------------------------------------------------

    def _single(self, payload: Mapping[str, Any], now: datetime) -> HttpResponse:
        entry = single(payload)
        self._check(payload, [entry], payload["Content"].get("Template", {}), now)
        return answer({"MessageId": self._take(entry, payload, now)})

    def _bulk(self, payload: Mapping[str, Any], now: datetime) -> HttpResponse:
        entries = list(bulk(payload))
        self._check(payload, entries, payload["DefaultContent"]["Template"], now)
        ids = [self._take(entry, payload, now) for entry in entries]
        return answer({"BulkEmailEntryResults": [{"Status": "SUCCESS", "MessageId": one} for one in ids]})

    def _check(
        self, payload: Mapping[str, Any], entries: Sequence[Entry], template: Mapping[str, Any], now: datetime
    ) -> None:
        if self.account_problem is not None:
            raise self.account_problem.refusal()
        for name, holder in {"TemplateName": template, "ConfigurationSetName": payload}.items():
            known, given = self._known[name], holder.get(name)
            if given is not None and known is not None and given not in known:
                raise Refusal(404, "NotFoundException", f"{name} <{given}> does not exist.")
        for entry in entries:
            if _domain(entry.sender) not in self._domains:
                raise Refusal(
                    400,
                    "MessageRejected",
                    "Email address is not verified. The following identities failed the check in region "
                    f"US-EAST-1: {entry.sender}",
                )
        if self._rate_limit is not None:
            self._count(len(entries), *self._rate_limit, now)

    def _count(self, mails: int, limit: int, period: timedelta, now: datetime) -> None:
        while self._recent and now - self._recent[0] >= period:
            self._recent.popleft()
        if len(self._recent) + mails > limit:
            raise Refusal(429, "TooManyRequestsException", "Maximum sending rate exceeded.")
        self._recent.extend([now] * mails)

    def _take(self, entry: Entry, payload: Mapping[str, Any], now: datetime) -> str:
        number = self._skipped + len(self._sent) + 1
        message_id = f"0100{number:012x}-6d61696c-636f-7265-8000-656d756c6174-000000"

        tags = dict(entry.tags)
        if payload.get("ConfigurationSetName"):
            tags["ses:configuration-set"] = [payload["ConfigurationSetName"]]
        mail = SentMail(
            message_id=message_id,
            sender=entry.sender,
            recipients=entry.recipients,
            payload=payload,
            source=entry.source,
            subject=entry.subject,
            tags=tags,
            sent_at=now,
        )
        self._sent[message_id] = mail
        self._tell(mail, "Send", now)
        if any(address.lower() in self._suppressed for address in mail.recipients):
            self._tell(mail, "Bounce", now, suppressed=True)
        return message_id

    def _tell(self, mail: SentMail, event: str, now: datetime, *, suppressed: bool = False) -> None:
        document = record(mail, event, now, suppressed=suppressed)
        self._topics.publish(EndpointKind.TRACKING, document, SUBJECTS[EndpointKind.TRACKING], now)

    # Events and received mail -------------------------------------------------------------------

    def act(self, message_id: str, event: str, now: datetime) -> None:
        """
        Let something happen to a mail: `Delivery`, `Bounce`, `Complaint`, `Open` or any word.

        A bounce and a complaint put its recipients on the account's suppression list.

        Raises:
            ValueError: No mail has that id.
        """
        with self._lock:
            if message_id not in self._sent:
                known = ", ".join(self._sent) or "none"
                raise ValueError(f"No mail has the id {message_id!r}; the known ids are: {known}.")
            mail = self._sent[message_id]
            if event in ("Bounce", "Complaint"):
                self._suppressed |= {address.lower() for address in mail.recipients}
            self._tell(mail, event, now)

    def taken(self, after: int) -> Sequence[EmulatedMail]:
        """Return the accepted mails as people see them, oldest first, without the first `after`."""
        with self._lock:
            new = islice(reversed(self._sent.values()), max(len(self._sent) - after, 0))
            return [shown(mail) for mail in new][::-1]

    def skip(self, count: int) -> None:
        """Give out the next `count` ids to no mail."""
        with self._lock:
            self._skipped += count

    def forget(self, message_id: str) -> None:
        """Let go of a mail: nothing can happen to it any longer, and no other one gets its id."""
        with self._lock:
            if self._sent.pop(message_id, None) is not None:
                self._skipped += 1

    def receive(self, raw_mime: bytes, now: datetime) -> None:
        """Take a mail from the outside; every address of the account's domains has a receipt rule."""
        with self._lock:
            self._received += 1
            key = f"received{self._received:032}"
            action = {"type": self._inbound, "topicArn": self._topics.arn(EndpointKind.INBOUND)}
            document = _notification(raw_mime, key, action, stamp(now))
            if self._inbound == "S3":
                self._objects[key] = raw_mime
                action |= {"bucketName": BUCKET, "objectKey": key}
            elif len(raw_mime) > MAX_NOTIFIED:
                return  # SES docs: it bounces
            else:
                action["encoding"] = "BASE64"
                document["content"] = b64encode(raw_mime).decode()
            self._topics.publish(EndpointKind.INBOUND, document, SUBJECTS[EndpointKind.INBOUND], now)

    def due(self, now: datetime) -> Sequence[EmulatedDelivery]:
        """Return the webhooks to be made now; each is handed out once an attempt."""
        with self._lock:
            for kind, url in self._to_confirm:
                self._topics.subscribe(kind, url, now)
            self._to_confirm.clear()
            return self._topics.due(now)

    def answered(self, delivery_id: str, status: int | None, now: datetime) -> None:
        """
        Tell how an endpoint answered; None: it timed out or could not be reached.

        Raises:
            ValueError: No delivery with that id waits for an answer.
        """
        with self._lock:
            self._topics.answered(delivery_id, status, now)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _url(request: HttpRequest) -> SplitResult:
    try:
        return urlsplit(request.url)
    except ValueError:
        raise Refusal(404, "UnknownOperationException", "There is no such operation.") from None


def _payload(request: HttpRequest) -> Mapping[str, Any]:
    try:
        payload = json.loads(body_of(request).decode())
    except (ValueError, RecursionError):
        raise Refusal(400, "SerializationException", "The body is not JSON.") from None
    if not isinstance(payload, dict):
        raise bad("The body is an object.")
    return payload


def _notification(raw: bytes, key: str, action: dict[str, str], now: str) -> dict[str, Any]:
    mail = message_from_bytes(raw, policy=policy.compat32)
    named = [address for header in ("To", "Cc") for address in mailboxes(str(mail.get(header, "")))]
    senders = mailboxes(str(mail.get("From", "")))
    verdicts = {f"{check}Verdict": {"status": "PASS"} for check in ("spam", "virus", "spf", "dkim", "dmarc")}
    return {
        "notificationType": "Received",
        "receipt": {
            "timestamp": now,
            "processingTimeMillis": 222,
            "recipients": named,
            **verdicts,
            "action": action,
        },
        "mail": {
            "timestamp": now,
            "source": senders[0] if senders else "",
            "messageId": key,
            "destination": named,
            "headersTruncated": False,
        },
    }
