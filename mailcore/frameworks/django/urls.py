"""Where providers send webhooks: `<provider>/tracking/` and `<provider>/inbound/`.

    path("mail/", include("mailcore.frameworks.django.urls"))

Rule: a missing slash is no mistake; a redirect would lose the delivery.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connections, transaction
from django.urls import path

from mailcore.frameworks.django._views import webhook

__all__ = ["app_name", "urlpatterns"]


def _without_transaction(view: Callable[..., Any]) -> Callable[..., Any]:
    """Keep what the replay store writes out of a transaction that a receiver may fail: see `_webhooks`."""
    for alias in connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    return view


_view = _without_transaction(webhook)

app_name = "mailcore"
urlpatterns = [
    path("<str:provider>/<str:kind>/", _view, name="webhook"),
    path("<str:provider>/<str:kind>", _view),
]
