"""The web room: pages, forms, access. Importing it loads the Celery application, as Celery's Django guide asks."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
