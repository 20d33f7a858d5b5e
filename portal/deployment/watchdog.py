"""What the web server looks at while nobody else can: whether workers and beat live, and that somebody is told when not."""

import threading
import time

import structlog
from django.db import DatabaseError, InterfaceError, connections

log = structlog.get_logger(__name__)

EVERY_SECONDS = 30


def start() -> None:
    threading.Thread(target=_watch, name="watchdog", daemon=True).start()


def _watch() -> None:
    while True:
        time.sleep(EVERY_SECONDS)
        try:
            look()
        except (DatabaseError, InterfaceError) as error:
            log.debug("watchdog cannot look", reason=str(error))
        except Exception:
            log.exception("watchdog stumbled")
        finally:
            connections.close_all()


def look() -> None:
    """Of several web servers one opens the incident, and one sends the mail."""
    from sync.health.queries.presence import absence
    from sync.notifications import services

    if absence():
        services.tell_without_workers()
