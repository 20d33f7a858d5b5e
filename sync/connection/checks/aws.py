"""Checks A1 to A7 and A9: does AWS let us in, and can we find there what a run must find? Reads only."""

import datetime
import functools
import itertools
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from sync.connection import clients
from sync.connection.checks.finding import CheckFinding, Fact
from sync.connection.checks.reaching import reach
from sync.connection.sealing import CannotOpen
from sync.models import AttributeMapping, AwsConnection, Tenant
from sync.scim.client import ScimClient
from sync.scim.endpoint import Endpoint
from sync.scim.errors import (
    BadAnswer,
    Forbidden,
    NotFound,
    OutcomeUnknown,
    Rejected,
    ScimError,
    ServerError,
    Throttled,
    Unauthorised,
    Unreachable,
)
from sync.scim.pacing import Pacer

# One pace for all tests of this process: AWS counts a test together with a sync that is running.
PACER = Pacer(2.0, clock=time.monotonic, sleep=time.sleep)
COUNT_UP_TO = 300
SOON = datetime.timedelta(days=90)
NOW = datetime.timedelta(days=14)


class AwsHalf:
    """What the checks of one test share."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.connection = self.aws = AwsConnection.objects.select_related("tenant").get(tenant=tenant)

    @functools.cached_property
    def endpoint(self) -> Endpoint:
        return clients.scim_endpoint(self.aws.endpoint)

    @functools.cached_property
    def token(self) -> str:
        return clients.access_token(self.aws)

    @functools.cached_property
    def scim(self) -> ScimClient:
        return clients.scim_client_of(self.aws, pacer=PACER, max_attempts=2, budget_seconds=30.0)

    def request(self, path: str) -> str:
        return f"GET {self.endpoint.base}/{path}\nAuthorization: Bearer [hidden, {len(self.token)} characters]"


def endpoint_has_the_right_form(half: AwsHalf) -> CheckFinding:
    if not half.aws.endpoint:
        return CheckFinding("endpoint-missing")
    try:
        endpoint = half.endpoint
    except ValueError as error:
        return CheckFinding("endpoint-form", {"detail": str(error)})
    return CheckFinding(facts={"region": endpoint.region or "", "store": endpoint.tenant_id or ""})


def endpoint_can_be_reached(half: AwsHalf) -> CheckFinding:
    return reach(half.endpoint.base, half.endpoint.ca_file, half.endpoint.proxy)


def token_is_accepted(half: AwsHalf) -> CheckFinding:
    if not half.aws.sealed_token:
        return CheckFinding("token-missing")
    try:
        characters = len(half.token)
    except CannotOpen as error:
        return CheckFinding("secret-not-opened", answer=str(error))
    return _asked(half, "Users?count=1", lambda: _first(half.scim.list_users(count=1)), {"characters": characters})


def _first(resources: Any) -> dict[str, Fact]:
    next(iter(resources), None)
    return {}


def speaks_scim(half: AwsHalf) -> CheckFinding:
    """RFC 7643 section 5."""
    finding = _asked(half, "ServiceProviderConfig", lambda: _features(half.scim.service_provider_config()))
    if not finding.code and "patch" not in str(finding.facts["features"]).split(", "):
        return CheckFinding("no-patch", finding.facts, finding.request, finding.status)
    return finding


def _features(config: dict[str, Any]) -> dict[str, Fact]:
    names = ("patch", "filter", "bulk", "sort", "etag", "changePassword")
    supported = [name for name in names if (config.get(name) or {}).get("supported")]
    return {"features": ", ".join(supported)}


def may_list_users(half: AwsHalf) -> CheckFinding:
    return _asked(half, "Users?count=100", lambda: {"count": _counted(half.scim.list_users())})


def may_list_groups(half: AwsHalf) -> CheckFinding:
    return _asked(half, "Groups?count=100", lambda: {"count": _counted(half.scim.list_groups())})


def _counted(resources: Any) -> str:
    """AWS's totalResults counts the page, not the list; so we count, up to a limit."""
    found = sum(1 for _ in itertools.islice(resources, COUNT_UP_TO + 1))
    return str(found) if found <= COUNT_UP_TO else f">{COUNT_UP_TO}"


def can_find_one_user(half: AwsHalf) -> CheckFinding:
    """As Entra's own test does: a value that nobody has must give 200 and an empty list."""
    finding = CheckFinding()
    for attribute in matching_attributes(half.tenant):
        value = str(uuid.uuid4())
        finding = _asked(
            half,
            f'Users?filter={attribute} eq "{value}"',
            lambda attribute=attribute, value=value: _first(half.scim.find_users(attribute, value)),  # type: ignore[misc]
            {"attribute": attribute},
            rejected="no-filter",
        )
        if finding.code:
            break
    return finding


def matching_attributes(tenant: Tenant) -> list[str]:
    rows = AttributeMapping.objects.filter(
        configuration__tenant=tenant, object_type="user", matching__isnull=False
    ).order_by("-configuration__number", "matching")
    newest = rows.first()
    chosen = rows.filter(configuration=newest.configuration) if newest else rows
    return [row.target for row in chosen] or ["userName"]


def _asked(
    half: AwsHalf,
    path: str,
    ask: Callable[[], dict[str, Fact]],
    facts: dict[str, Fact] | None = None,
    rejected: str = "aws-refused",
) -> CheckFinding:
    request = half.request(path)
    facts = facts or {}
    try:
        return CheckFinding(facts={**facts, **ask()}, request=request, status=200)
    except ScimError as error:
        facts = {"characters": len(half.token), **facts, "detail": str(error)}
        return CheckFinding(_code(error, rejected), facts, request, error.status, _answer(error, half.token))


def _code(error: ScimError, rejected: str) -> str:
    codes: tuple[tuple[type[ScimError] | tuple[type[ScimError], ...], str], ...] = (
        ((Unauthorised, Forbidden), "token-refused"),
        (NotFound, "endpoint-unknown"),
        (Rejected, rejected),
        (BadAnswer, "not-scim"),
        (Throttled, "throttled"),
        ((Unreachable, OutcomeUnknown, ServerError), "aws-busy"),
    )
    return next((code for kind, code in codes if isinstance(error, kind)), "aws-refused")


def _answer(error: ScimError, token: str) -> str:
    """The body and the id that AWS support asks for; a server that echoes the token must not betray it."""
    lines = [str(error.body or error), error.request_id and f"x-amzn-RequestId: {error.request_id}"]
    return "\n".join(filter(None, lines)).replace(token, "[hidden]")[:2000]


def token_end_date(half: AwsHalf) -> CheckFinding:
    ends = half.aws.token_ends_on
    if ends is None:
        return CheckFinding("token-date-missing")
    left = ends - timezone.now().date()
    facts: dict[str, Fact] = {"days": left.days, "ends": ends.isoformat()}
    if left < datetime.timedelta(0):
        return CheckFinding("token-ended", facts)
    if left <= NOW:
        return CheckFinding("token-ends-now", facts)
    return CheckFinding("token-ends-soon" if left <= SOON else "", facts)
