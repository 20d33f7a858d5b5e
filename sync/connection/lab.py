"""The rehearsal lab's own connection values, asked of its console: it is part of the installation, or not there at all."""

import requests
from django.conf import settings

SECONDS = 10


class NoLab(Exception):
    """There is no lab here, or it does not answer."""


def connection_values() -> dict[str, str]:
    """What sync.connection.services.connect takes. Raises NoLab."""
    if not settings.LAB_CONSOLE:
        raise NoLab
    try:
        with requests.Session() as session:
            # The lab is on this machine: no proxy leads there.
            session.trust_env = False
            answer = session.get(f"{settings.LAB_CONSOLE}api/connection", timeout=SECONDS, allow_redirects=False)
            answer.raise_for_status()
            found: dict[str, str] = answer.json()
    except requests.RequestException as error:
        raise NoLab from error
    return found
