"""What templates of every page may use; a page of a tenant has its own `frame` (portal/frame/render.py)."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from portal.frame.around import Frame


def frame(request: HttpRequest) -> dict[str, Any]:
    # A request that is refused early has no user yet.
    user = getattr(request, "user", None)
    return {
        "frame": Frame(request),
        "version": settings.VERSION,
        "lab_console": settings.LAB_CONSOLE,
        "zone": timezone.get_current_timezone_name(),
        "appearance": getattr(user, "appearance", "system"),
        "request_id": request.META.get("REQUEST_ID", ""),
    }
