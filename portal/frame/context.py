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
        "offset": offset_now(),
        "appearance": getattr(user, "appearance", "system"),
        "density": getattr(user, "density", "comfortable"),
        "shortcuts": getattr(user, "shortcuts", True),
        "request_id": request.META.get("REQUEST_ID", ""),
    }


def offset_now() -> str:
    """Of the reader's zone: UTC+1, UTC+5:30, UTC."""
    sign, digits = (written := timezone.localtime().strftime("%z"))[0], written[1:5]
    hours, minutes = int(digits[:2]), int(digits[2:])
    if not hours and not minutes:
        return "UTC"
    return f"UTC{sign}{hours}:{minutes:02}" if minutes else f"UTC{sign}{hours}"
