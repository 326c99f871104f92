"""What can be set for Amazon SES."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import attrs

from mailcore import ConfigurationError, Secret, about, check_service_url

__all__ = ["AmazonSesOptions"]

#: A receiver for more topics is two receivers.
MAX_TOPICS = 100

_REGION = re.compile(r"[a-z]{2,3}(?:-[a-z]+)+-[0-9]+")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?")
_TAG_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")


def _region(value: Any) -> str:
    if not isinstance(value, str) or not _REGION.fullmatch(value):
        raise ConfigurationError("A region is a name such as us-east-1.")
    return value


def _topics(value: str | Iterable[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, Iterable):
        raise ConfigurationError("topic_arns is a text, or a list of texts.")
    items = tuple(value.replace(",", " ").split() if isinstance(value, str) else value)
    if not 0 < len(items) <= MAX_TOPICS:
        raise ConfigurationError(f"topic_arns holds {len(items)} topics; give 1 to {MAX_TOPICS}.")
    for number, item in enumerate(items, 1):
        if not isinstance(item, str) or not _TOPIC.fullmatch(item):
            raise ConfigurationError(
                f"topic_arns number {number} is not the ARN of an SNS topic: arn:aws:sns:REGION:ACCOUNT:NAME."
            )
    return items


def _tag_name(value: Any) -> str:
    if not isinstance(value, str) or not _TAG_NAME.fullmatch(value):
        raise ConfigurationError("tag_name is letters, digits, _ and -, at most 256.")
    return value


def _service(value: Any) -> str:
    return check_service_url(str(value)).rstrip("/")


@attrs.frozen(kw_only=True)
class AmazonSesOptions:
    """Settings of the Amazon SES adapter."""

    access_key_id: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(Secret),
        metadata=about("Id of the access key that signs requests.", needed_to="send"),
    )
    secret_access_key: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(Secret),
        metadata=about("The access key's secret half.", needed_to="send"),
    )
    session_token: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(Secret),
        metadata=about("Session token, where the access key is a temporary one."),
    )
    region: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_region),
        metadata=about("Region that sends, such as us-east-1.", needed_to="send"),
    )
    configuration_set: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(str),
        metadata=about("Configuration set of every mail: where its events go."),
    )
    from_identity_arn: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(str),
        metadata=about("ARN of the sender's identity, where another account owns it."),
    )
    tag_name: str = attrs.field(
        default="tag", converter=_tag_name, metadata=about("Name of the message tag that holds a mail's tag.")
    )
    # No secret; yet whom an endpoint believes is nobody's business.
    topic_arns: tuple[str, ...] = attrs.field(
        default=None,
        converter=_topics,
        repr=False,
        metadata=about("ARN of the SNS topic, or topics, whose webhooks are yours.", needed_to="receive"),
    )
    bucket_region: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_region),
        metadata=about("Region of the bucket with received mail, where it is another one."),
    )
    api_url: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_service),
        metadata=about("Where to send: the region's endpoint unless given."),
    )
    sns_url: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_service),
        metadata=about("Stands in for https://sns.REGION.amazonaws.com; change it for the sandbox only."),
    )
    s3_url: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_service),
        metadata=about("Where received mail is stored: the region's endpoint unless given."),
    )
