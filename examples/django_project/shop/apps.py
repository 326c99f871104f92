"""The shop as an application of Django's."""

from __future__ import annotations

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Listen to what comes in."""

    name = "shop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receivers."""
        from shop import receivers  # noqa: F401  # reason: importing it connects them
