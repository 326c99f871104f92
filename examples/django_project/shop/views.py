"""What a customer does."""

from __future__ import annotations

from django.core.mail import EmailMessage
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from shop.models import Order


@csrf_exempt
@require_POST
def order(request: HttpRequest) -> HttpResponse:
    """Take an order; its confirmation is committed with it, and sent by `sendmailcoreoutbox`."""
    with transaction.atomic():
        made = Order.objects.create(email=request.POST["email"])
        message = EmailMessage("Your order", "Thank you.", to=[made.email])
        message.idempotency_key = f"order-{made.pk}"
        message.send()
    return HttpResponse(f"{made.pk}\n", status=201, content_type="text/plain")
