"""Orders, and the mail about them."""

from __future__ import annotations

from django.db import models


class Order(models.Model):
    """One order."""

    email = models.EmailField()
    confirmation = models.CharField(max_length=20, default="waiting")
    message_id = models.CharField(max_length=255, blank=True)

    def __str__(self) -> str:
        return f"Order {self.pk}, confirmation {self.confirmation}"


class Question(models.Model):
    """One mail that a customer wrote."""

    sender = models.CharField(max_length=254)
    subject = models.TextField()

    def __str__(self) -> str:
        return f"{self.sender}: {self.subject}"
