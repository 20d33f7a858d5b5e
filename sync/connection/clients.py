"""The two clients of a tenant, made from its stored connection: the place where stored secrets are opened."""

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TypedDict, TypeVar, Unpack
from urllib.parse import urlsplit

from django.conf import settings

from sync.connection.loopback import is_loopback
from sync.connection.sealed import credential_context, token_context
from sync.connection.sealing import unseal
from sync.graph.auth import Authenticator, Certificate, ClientSecret
from sync.graph.client import GraphClient
from sync.graph.cloud import CLOUDS, Cloud
from sync.graph.errors import FederationFailed
from sync.graph.federation import Federated, StsToken, TokenFile, TokenSource, audience_of, claims
from sync.models import AwsConnection, EntraConnection, Run, Tenant
from sync.runs.lease import Watch
from sync.runs.outcomes import RunStopped
from sync.scim.client import ScimClient
from sync.scim.endpoint import Endpoint, OtherHost, normalise
from sync.scim.never_touch import NeverTouch
from sync.scim.pacing import Pacer

# What has an address, authorities to trust and a proxy.
Side = TypeVar("Side", Cloud, Endpoint)


class OneRequest(TypedDict, total=False):
    """Limits of a SCIM request where they are not the usual ones, in seconds."""

    connect_timeout: float
    read_timeout: float
    answer_seconds: float


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
    return replace(side, ca_file=side.ca_file or settings.OUTBOUND_CA_FILE, proxy=proxy_to(url))


def proxy_to(url: str) -> str | None:
    """A proxy cannot know this machine's loopback addresses; it tunnels HTTPS only."""
    parts = urlsplit(url)
    direct = parts.scheme != "https" or is_loopback(parts.hostname or "")
    return None if direct else settings.OUTBOUND_PROXY_SECRET


def authenticator(entra: EntraConnection, *, timeout: float = 20.0) -> Authenticator:
    """A fresh one each time: MSAL repeats a refused sign-in from memory for a minute (its HTTP cache)."""
    if not entra.complete:
        raise NotEntered("Microsoft Entra ID is not set up: directory, client or credential is missing.")
    cloud = cloud_of(entra)
    return Authenticator(cloud, entra.directory_id, entra.client_id, credential_of(entra, cloud), timeout=timeout)


def cloud_of(entra: EntraConnection) -> Cloud:
    """Raises NotEntered: a lab that an installation no longer starts is no cloud any more."""
    cloud = clouds().get(entra.cloud)
    if cloud is None:
        raise NotEntered(
            f"The cloud {entra.cloud!r} is not known here: the deployment no longer names it (EXTRA_CLOUDS)."
        )
    return cloud


def credential_of(entra: EntraConnection, cloud: Cloud) -> ClientSecret | Certificate | Federated:
    """Raises NotEntered, CannotOpen."""
    kind = EntraConnection.CredentialKind(entra.credential_kind)
    if kind is kind.FEDERATED:
        return Federated(_required_source(), audience_of(cloud))
    opened = unseal(entra.sealed_credential, credential_context(entra))
    return Certificate(opened) if kind is kind.CERTIFICATE else ClientSecret(opened)


def token_source() -> TokenSource | None:
    """What the deployment names for workload identity federation: a file, or AWS STS of a region."""
    if settings.FEDERATED_TOKEN_FILE:
        return TokenFile(settings.FEDERATED_TOKEN_FILE)
    if settings.FEDERATED_TOKEN_STS_REGION:
        return StsToken(
            settings.FEDERATED_TOKEN_STS_REGION,
            ca_file=settings.OUTBOUND_CA_FILE,
            proxy=settings.OUTBOUND_PROXY_SECRET,
        )
    return None


def presented_token(cloud: str) -> dict[str, str]:
    """What a federated credential in Entra has to name, as the token here says it; nothing where there is none."""
    source, known = token_source(), clouds().get(cloud)
    if source is None or known is None:
        return {}
    audience = audience_of(known)
    try:
        found = claims(source.token(audience))
    except FederationFailed:
        return {}
    return {"issuer": str(found.get("iss", "")), "subject": str(found.get("sub", "")), "audience": audience}


def _required_source() -> TokenSource:
    source = token_source()
    if source is None:
        raise NotEntered("The deployment names no token for workload identity federation (FEDERATED_TOKEN_FILE).")
    return source


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
    return graph_client_of(entra, max_attempts=max_attempts, sleep=sleep, clock=clock, random=random)


def page_graph_client(
    tenant: Tenant, gate: Callable[[], AbstractContextManager[None]], *, connect: float, read: float
) -> GraphClient:
    """Somebody waits in front of a page: it tries once, and gives up soon."""
    entra = EntraConnection.objects.select_related("tenant").get(tenant=tenant)
    return GraphClient(
        cloud_of(entra),
        authenticator(entra, timeout=read),
        max_attempts=1,
        connect_timeout=connect,
        read_timeout=read,
        answer_seconds=read,
        gate=gate,
        sleep=time.sleep,
        clock=time.monotonic,
        random=random.random,
    )


def graph_client_of(
    entra: EntraConnection,
    *,
    max_attempts: int = 8,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    random: Callable[[], float] = random.random,
) -> GraphClient:
    """For a connection that need not be as it is stored."""
    return GraphClient(
        cloud_of(entra),
        authenticator(entra),
        max_attempts=max_attempts,
        sleep=sleep,
        clock=clock,
        random=random,
    )


def access_token(aws: AwsConnection) -> str:
    return unseal(aws.sealed_token, token_context(aws))


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
    return scim_client_of(
        aws,
        pacer=pacer,
        max_attempts=max_attempts,
        budget_seconds=budget_seconds,
        sleep=sleep,
        clock=clock,
        random=random,
    )


def page_scim_client(tenant: Tenant, *, connect: float, read: float) -> ScimClient:
    """Somebody waits in front of a page: it tries once, and gives up soon."""
    aws = AwsConnection.objects.select_related("tenant").get(tenant=tenant)
    return scim_client_of(
        aws, max_attempts=1, budget_seconds=read, connect_timeout=connect, read_timeout=read, answer_seconds=read
    )


def scim_client_of(
    aws: AwsConnection,
    *,
    pacer: Pacer | None = None,
    max_attempts: int = 5,
    budget_seconds: float = 120.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    random: Callable[[], float] = random.random,
    **limits: Unpack[OneRequest],
) -> ScimClient:
    """For a connection that need not be as it is stored."""
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
        never_touch=NeverTouch(aws.tenant.never_touched()),
        **limits,
    )
