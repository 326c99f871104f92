"""Where the shop is reached."""

from __future__ import annotations

from django.urls import include, path

from shop.views import order

urlpatterns = [
    path("order/", order),
    path("mail/", include("mailcore.frameworks.django.urls")),
]
