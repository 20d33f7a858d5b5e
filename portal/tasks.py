"""What a worker does for the pages."""

from celery import shared_task

from portal.access import sessions, throttle


@shared_task
def clean_up() -> None:
    """What is over, and nothing else removes."""
    sessions.forget_old_sessions()
    throttle.forget_old_tries()
