"""The answer to a merge is about several mails, so it is tried with a merge."""

from __future__ import annotations

import json

from gallery import host_of
from reference.json_api import KIT, SPEC

from mailcore import HttpResponse, Message
from mailcore_conformance._sample import Exchange
from mailcore_conformance._subject import Subject
from mailcore_conformance.answers._variants import crowded


def test_other_recipients_get_a_mail_each_as_well() -> None:
    """Whoever the answer is rewritten for, the message stays a merge; its values were for others."""
    answer = json.dumps([{"to": "one@example.com", "id": "1"}, {"to": "two@example.com", "id": "2"}]).encode()
    message = Message(
        from_="ada@example.com",
        to=["one@example.com", "two@example.com"],
        text="Hello",
        merge_metadata={"one@example.com": {"a": 1}},
    )
    sample = Exchange(
        name="merge",
        source_url="https://docs.json-api.example",
        messages=(message,),
        request=None,
        response=HttpResponse(status=200, body=answer),
        expected=({"status": "queued"},),
    )
    found, response = crowded(Subject(SPEC, KIT, host=host_of(SPEC)), sample)

    assert found.is_batch
    assert found.resolve().merge_metadata == {}
    assert [one["to"] for one in json.loads(response.body)] == [one.addr_spec for one in found.recipients]
