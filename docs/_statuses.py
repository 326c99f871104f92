"""What the reference says of HTTP statuses: those an endpoint answers, and those of a provider."""

from __future__ import annotations

from datetime import UTC, datetime

from _markdown import meanings, table
from _providers import specs

from mailcore import Adapter, Disposition, EndpointKind, HttpResponse, error_for_status
from mailcore._spec import load_object

__all__ = ["dispositions", "statuses"]


def dispositions() -> str:
    """Write what an endpoint answers."""
    adapter, said = Adapter(None), meanings(Disposition)
    rows = [
        (f"`{one.value}`", adapter.webhook_response(one, EndpointKind.TRACKING).status, said[one.name])
        for one in Disposition
    ]
    own = [spec.name for spec in specs() if _answers_otherwise(load_object(spec.factory))]
    adapters = f"Adapters with answers of their own: {', '.join(own) or 'none'}."
    return "\n\n".join([table(["disposition", "status", "meaning"], rows), adapters])


def _answers_otherwise(adapter: type[Adapter]) -> bool:
    return adapter.webhook_response is not Adapter.webhook_response


def statuses() -> str:
    """Write what a provider's status means."""
    rest = {"any other 4xx": _meaning(400), "any other 5xx": _meaning(500)}
    known = {
        str(status): _meaning(status) for status in range(401, 600) if _meaning(status) not in rest.values()
    }
    return table(["status", "error"], [(status, f"`{name}`") for status, name in {**known, **rest}.items()])


def _meaning(status: int) -> str:
    return type(error_for_status(HttpResponse(status=status), now=datetime.now(UTC))).__name__
