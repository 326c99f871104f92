"""The Django application: tables, checks and commands."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["MailcoreConfig"]


class MailcoreConfig(AppConfig):
    """Add mailcore's tables, checks and commands to a project."""

    name = "mailcore.frameworks.django"
    label = "mailcore"
    verbose_name = "mailcore"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks."""
        from mailcore.frameworks.django import checks

        checks.register()
