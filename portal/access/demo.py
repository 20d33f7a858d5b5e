"""The demo: its password stands in a terminal, and nothing but the lab hangs on it."""

from urllib.parse import urlsplit

from django.conf import settings

from sync.models.connection import AwsConnection, EntraConnection


def is_only_the_lab() -> bool:
    """While that holds nobody has to change the password of the terminal, or to set up a second factor.

    It ends for good with the first credential for anything that is not the lab.
    """
    if not settings.DEMO:
        return False
    entra = EntraConnection.objects.exclude(sealed_credential="").values_list("cloud", flat=True)
    aws = AwsConnection.objects.exclude(sealed_token="").values_list("endpoint", flat=True)
    clouds, hosts = set(entra), {urlsplit(endpoint).netloc for endpoint in aws}
    return clouds <= set(settings.EXTRA_CLOUDS) and hosts <= set(settings.EXTRA_SCIM_HOSTS)
