"""An answer by position, one verdict for each recipient, is tried with as many recipients as it answers."""

from __future__ import annotations

import json

from gallery import host_of
from reference.json_api import KIT, SPEC

from mailcore import HttpResponse, Message
from mailcore_conformance._sample import Exchange
from mailcore_conformance._subject import Subject
from mailcore_conformance.answers._variants import crowded

TO = ["one@example.com", "two@example.com", "three@example.com"]


def sample(message: Message) -> Exchange:
    """Return an accepted sample whose answer names nobody."""
    body = json.dumps({"results": [{"id": "id-1"}, {"id": "id-2"}, {"id": "id-3"}]}).encode()
    return Exchange(
        name="positional",
        source_url="https://docs.json-api.example",
        messages=(message,),
        request=None,
        response=HttpResponse(status=200, body=body),
        expected=({"status": "queued"},),
    )


def test_a_mail_to_each_keeps_its_recipients() -> None:
    """Where each recipient gets a mail of its own, the number of verdicts is that of the recipients."""
    subject = Subject(SPEC, KIT, host=host_of(SPEC))
    message = Message(from_="ada@example.com", to=TO, text="Hello", merge_data={})
    found, response = crowded(subject, sample(message))

    assert found is message
    assert response == sample(message).response


def test_one_mail_goes_to_others() -> None:
    """Where all recipients get one mail, the answer is the same for any of them."""
    subject = Subject(SPEC, KIT, host=host_of(SPEC))
    found, _ = crowded(subject, sample(Message(from_="ada@example.com", to=TO, text="Hello")))

    assert not {one.addr_spec for one in found.recipients} & set(TO)
