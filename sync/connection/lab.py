"""The rehearsal lab's own connection values, asked of its console: it is part of the installation, or not there at all."""

from urllib.parse import urlsplit

import requests
from django.conf import settings

from sync.models import Tenant

SECONDS = 10


class NoLab(Exception):
    """It does not answer."""


def is_offered_to(tenant: Tenant) -> bool:
    """Where nothing is connected yet, or the lab is: one press must not put it in the place of something real."""
    entra, aws = tenant.entra, tenant.aws
    real_entra = entra.sealed_credential and entra.cloud not in settings.EXTRA_CLOUDS
    real_aws = aws.sealed_token and urlsplit(aws.endpoint).netloc not in settings.EXTRA_SCIM_HOSTS
    return bool(settings.LAB_CONSOLE) and not real_entra and not real_aws


def connection_values() -> dict[str, str]:
    """What sync.connection.services.connect takes. Raises NoLab."""
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
