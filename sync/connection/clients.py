"""The two clients of a tenant, made from its stored connection: the place where stored secrets are opened."""

import ipaddress
import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar
from urllib.parse import urlsplit

from django.conf import settings

from sync.connection.sealing import unseal
from sync.graph.auth import Authenticator, Certificate, ClientSecret
from sync.graph.client import GraphClient
from sync.graph.cloud import CLOUDS, Cloud
from sync.models import AwsConnection, EntraConnection, Run, Tenant
from sync.runs.lease import Watch
from sync.runs.outcomes import RunStopped
from sync.scim.client import ScimClient
from sync.scim.endpoint import Endpoint, OtherHost, normalise
from sync.scim.never_touch import NeverTouch
from sync.scim.pacing import Pacer

# What has an address, authorities to trust and a proxy.
Side = TypeVar("Side", Cloud, Endpoint)


class NotEntered(RunStopped):
    """A half of the connection has no identity or no secret yet; the text says which half."""

    code = "not-connected"


def clouds() -> dict[str, Cloud]:
    """Microsoft's clouds and those that the deployment names (EXTRA_CLOUDS), by name."""
    extra = {
        name: Cloud(name, authority=facts["authority"], graph=facts["graph"], ca_file=facts.get("ca_file"))
        for name, facts in settings.EXTRA_CLOUDS.items()
    }
    return {name: _through_outbound(cloud, cloud.authority) for name, cloud in (CLOUDS | extra).items()}


def allowed_scim_hosts() -> dict[str, OtherHost]:
    """`host:port` of SCIM servers other than AWS's that the deployment names (EXTRA_SCIM_HOSTS)."""
    return {
        host: OtherHost(
            dialect=facts["dialect"],
            ca_file=facts.get("ca_file"),
            plain_http=bool(facts.get("plain_http", False)),
        )
        for host, facts in settings.EXTRA_SCIM_HOSTS.items()
    }


def scim_endpoint(url: str) -> Endpoint:
    """Raises ValueError with the sentence to show when the URL cannot be an endpoint."""
    endpoint = normalise(url, allowed=allowed_scim_hosts())
    return _through_outbound(endpoint, endpoint.base)


def _through_outbound(side: Side, url: str) -> Side:
    """By the deployment's proxy and under its authorities, except where a side names authorities of its own."""
    return replace(side, ca_file=side.ca_file or settings.OUTBOUND_CA_FILE, proxy=_proxy_to(url))


def _proxy_to(url: str) -> str | None:
    """A proxy cannot know this machine's loopback addresses; it tunnels HTTPS only."""
    parts = urlsplit(url)
    direct = parts.scheme != "https" or _is_loopback(parts.hostname or "")
    return None if direct else settings.OUTBOUND_PROXY_SECRET


def _is_loopback(host: str) -> bool:
    """RFC 6761 section 6.3, RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def credential_context(tenant: Tenant) -> str:
    return f"tenant:{tenant.pk}:entra.credential"


def token_context(tenant: Tenant) -> str:
    return f"tenant:{tenant.pk}:aws.token"


def authenticator(entra: EntraConnection) -> Authenticator:
    """A fresh one each time: MSAL repeats a refused sign-in from memory for a minute (its HTTP cache)."""
    if not entra.complete:
        raise NotEntered("Microsoft Entra ID is not set up: directory, client or credential is missing.")
    opened = unseal(entra.sealed_credential, credential_context(entra.tenant))
    is_certificate = entra.credential_kind == EntraConnection.CredentialKind.CERTIFICATE
    credential = Certificate(opened) if is_certificate else ClientSecret(opened)
    return Authenticator(clouds()[entra.cloud], entra.directory_id, entra.client_id, credential)


def clients_of(run: Run, watch: Watch) -> tuple[GraphClient, ScimClient]:
    """Both, on the time of a run."""
    return (
        graph_client(run.tenant, sleep=watch.sleep, clock=watch.clock, random=watch.random),
        scim_client(run.tenant, sleep=watch.sleep, clock=watch.clock, random=watch.random),
    )


def graph_client(
    tenant: Tenant,
    *,
    max_attempts: int = 8,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    random: Callable[[], float] = random.random,
) -> GraphClient:
    """Raises NotEntered, sealing.CannotOpen; asks nothing yet."""
    entra = EntraConnection.objects.select_related("tenant").get(tenant=tenant)
    return GraphClient(
        clouds()[entra.cloud],
        authenticator(entra),
        max_attempts=max_attempts,
        sleep=sleep,
        clock=clock,
        random=random,
    )


def access_token(aws: AwsConnection) -> str:
    return unseal(aws.sealed_token, token_context(aws.tenant))


def scim_client(
    tenant: Tenant,
    *,
    pacer: Pacer | None = None,
    max_attempts: int = 5,
    budget_seconds: float = 120.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    random: Callable[[], float] = random.random,
) -> ScimClient:
    """At the deployment's rate (SCIM_RATE), unless clients share a `pacer`.

    Raises NotEntered, CannotOpen, ValueError (endpoint)."""
    aws = AwsConnection.objects.select_related("tenant").get(tenant=tenant)
    if not aws.complete:
        raise NotEntered("AWS IAM Identity Center is not connected yet: endpoint or access token is missing.")
    return ScimClient(
        scim_endpoint(aws.endpoint),
        access_token(aws),
        max_attempts=max_attempts,
        budget_seconds=budget_seconds,
        pacer=pacer or Pacer(settings.SCIM_RATE, clock=clock, sleep=sleep),
        sleep=sleep,
        clock=clock,
        random=random,
        never_touch=NeverTouch(tenant.never_touch),
    )
