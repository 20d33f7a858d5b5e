"""What the frame of every page needs; `tenant` itself comes with the view's own context."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone


def frame(request: HttpRequest) -> dict[str, Any]:
    # A request that is refused early has no user yet.
    user = getattr(request, "user", None)
    return {
        "version": settings.VERSION,
        "zone": timezone.get_current_timezone_name(),
        "appearance": getattr(user, "appearance", "system"),
        "request_id": request.META.get("REQUEST_ID", ""),
    }
