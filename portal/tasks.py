"""What a worker does for the pages and the API."""

from celery import shared_task
from django.utils import timezone

from portal.access import sessions, throttle, token_ends


@shared_task
def clean_up() -> None:
    """What is over, and nothing else removes."""
    sessions.forget_old_sessions()
    throttle.forget_old_tries()


@shared_task
def tell_of_token_ends() -> None:
    token_ends.tell_of_ends(timezone.now())
