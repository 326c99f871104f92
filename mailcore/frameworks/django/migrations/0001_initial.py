"""The tables of the first release."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

STATES = [
    ("waiting", "Waiting"),
    ("sending", "Sending"),
    ("sent", "Sent"),
    ("failed", "Failed"),
    ("doubtful", "Doubtful"),
]


class Migration(migrations.Migration):
    """Make both tables."""

    initial = True
    dependencies: ClassVar = []
    operations: ClassVar = [
        migrations.CreateModel(
            name="ReplayClaim",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("committed", models.BooleanField(default=False)),
                ("ttl", models.FloatField()),
                ("until", models.FloatField()),
                ("forget", models.FloatField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="OutboxMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=255, unique=True)),
                ("mailer", models.CharField(blank=True, max_length=100)),
                ("content", models.TextField(blank=True)),
                ("state", models.CharField(choices=STATES, default="waiting", max_length=10)),
                ("created", models.DateTimeField()),
                ("not_before", models.DateTimeField()),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("doubt_since", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("error", models.TextField(blank=True)),
                ("message_id", models.CharField(blank=True, max_length=255)),
            ],
            options={
                "indexes": [models.Index(fields=["state", "not_before"], name="mailcore_outbox_due")],
            },
        ),
    ]
